package storage

import (
	"iter"

	"github.com/musterhq/muster/scim/filter"
	"github.com/musterhq/muster/scim/resource"
	"github.com/musterhq/muster/scim/schema"
)

type parsed struct{ r *resource.Resource }

// NewRecord makes the record of a resource: document, label, index entries and
// unique keys. Version and times are left to the commit.
func NewRecord(r *resource.Resource, connection string) *Record { panic("todo") }

// Resource returns the record as a resource of type t, without meta.version:
// that is the core's to make. The result is shared; a record that [NewRecord]
// made, or copies of it with the same Doc, does not parse again.
func (r *Record) Resource(t *schema.Type) (*resource.Resource, error) { panic("todo") }

// Evaluate answers q in process over candidates that contain at least every
// match, in any order. This is how a small adapter is exact, and how an SQL
// adapter finishes what SQL could not narrow down. Candidates of other tenants
// or types must not be among them; hidden ones, other connections and
// non-matches may. Memory used is that of the page, when q.Limit is set. With
// more than q.MaxScan candidates the result is [ErrTooMany].
func Evaluate(q *Query, links filter.LinkTest, candidates iter.Seq2[*Record, error]) (*Page, error) {
	panic("todo")
}
