package resource

import (
	"iter"
	"time"

	"github.com/musterhq/muster/scim/schema"
)

// Meta is what is known of a resource outside its document.
type Meta struct {
	// ID is the resource's id (RFC 7643 section 3.1). Opaque, case exact.
	ID string
	// Version identifies the state of the resource, opaquely; it becomes
	// meta.version and the ETag. Empty when the source keeps no versions.
	Version string
	// Created and LastModified are shown in UTC. A zero time is left out.
	Created, LastModified time.Time
}

// Resource is one resource: an immutable value, safe for concurrent use.
type Resource struct {
	meta Meta
	doc  *document
}

// Type returns the resource's type.
func (r *Resource) Type() *schema.Type { panic("todo") }

// ID returns the resource's id, empty when it has none yet.
func (r *Resource) ID() string { return r.meta.ID }

// Meta returns id, version and times.
func (r *Resource) Meta() Meta { return r.meta }

// WithMeta returns the same resource with other metadata. It shares the
// document.
func (r *Resource) WithMeta(m Meta) *Resource { return &Resource{meta: m, doc: r.doc} }

// Document returns the JSON object that stores keep: no id, no meta, no
// schemas, no relations, canonical attribute names, no unassigned values. It
// must not be modified.
func (r *Resource) Document() []byte { panic("todo") }

// Get returns the value of the attribute or sub-attribute p, or the zero Value
// when it is unassigned. For a multi-valued attribute it is the array; for a
// part of one (emails.value) the part of the first element that has it; see
// [Resource.All]. id and meta are answered from [Resource.Meta]; schemas from
// what is assigned; relations are not part of a resource.
func (r *Resource) Get(p schema.Path) Value { panic("todo") }

// All yields every value that p reaches: one for a single-valued attribute, the
// elements of a multi-valued one, and for emails.value the values of all
// elements.
func (r *Resource) All(p schema.Path) iter.Seq[Value] { panic("todo") }

// String returns the text of the attribute of that name ("userName",
// "name.givenName", a URN-qualified name), or "" when it is unassigned, unknown
// or not text. Numbers are returned as written.
func (r *Resource) String(name string) string { panic("todo") }

// Strings returns all texts that the name reaches: Strings("emails.value").
func (r *Resource) Strings(name string) []string { panic("todo") }

// Bool returns the boolean of that name; ok is false when it is unassigned.
func (r *Resource) Bool(name string) (value, ok bool) { panic("todo") }

// Int returns the integer of that name; ok is false when it is unassigned or
// no integer that fits.
func (r *Resource) Int(name string) (value int64, ok bool) { panic("todo") }

// Time returns the dateTime of that name; ok is false when it is unassigned.
func (r *Resource) Time(name string) (value time.Time, ok bool) { panic("todo") }

// Active reports whether the resource is active: true unless its attribute
// "active" says false. Types without the attribute are always active.
func (r *Resource) Active() bool { panic("todo") }

// BestEmail returns the address to write to: the primary e-mail, else the one of
// type work, else the first, else userName when it looks like an address.
// Clients send sparse users, so hosts should not expect more.
func (r *Resource) BestEmail() string { panic("todo") }

// Schemas returns the URNs of the core schema and of every extension that has a
// value, in declared order.
func (r *Resource) Schemas() []string { panic("todo") }

// Equal reports whether both have the same type and the same document content:
// order of members does not matter, order of elements does not either
// (RFC 7643 sections 2.3.8 and 2.4), letter case does. Metadata is not compared.
func (r *Resource) Equal(o *Resource) bool { panic("todo") }

// Stored makes a Resource from metadata and a document that [Resource.Document]
// returned, perhaps in another process. The document is not validated beyond
// what safe reading needs: attributes that the type no longer has are skipped.
// doc must not be modified afterwards.
func Stored(t *schema.Type, m Meta, doc []byte) (*Resource, error) { panic("todo") }
