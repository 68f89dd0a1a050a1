package storage

import (
	"context"

	"github.com/musterhq/muster/scim/filter"
	"github.com/musterhq/muster/scim/schema"
)

// Store keeps records and links. All methods may be called concurrently, return
// promptly with the context's error once it is done, and say [ErrUnavailable] while
// what keeps the records cannot be reached; when it can, they work again without
// being told.
type Store interface {
	// Get returns a record, a hidden one too, or [ErrNotFound].
	Get(ctx context.Context, tenant string, ref Ref) (*Record, error)

	// Query returns the records that match, exactly: never fewer, never others,
	// in the order of q.Sort, and as of one moment. A store that cannot answer at
	// all returns [ErrUnsupported], one that would have to look at more than
	// q.MaxScan records [ErrTooMany]. [Evaluate] answers any query over candidates
	// that contain at least every match. A running query does not block writers.
	Query(ctx context.Context, q *Query) (*Page, error)

	// Links reads one relation for many records at once, in either direction. It
	// returns, for each reference of q.Of in that order, its links by
	// [Ref.Compare] of the other end. Unknown references have no links.
	Links(ctx context.Context, q *LinkQuery) ([]Link, error)

	// Commit applies a batch wholly or not at all. An error about the batch is a
	// [*CommitError]; [ErrUnavailable] says that trying again later may help.
	// What was committed is seen by every call that starts after Commit returns.
	Commit(ctx context.Context, b *Batch) (*CommitResult, error)
}

// Query asks for records of one type.
type Query struct {
	Tenant string
	// Connection restricts to records of one connection; "" means all.
	Connection string
	Type       *schema.Type
	Filter     *filter.Plan // nil: all
	// Hidden includes hidden records. OnlyHidden leaves out all others, whatever
	// Hidden says.
	Hidden, OnlyHidden bool
	Sort               Sort
	// After starts behind a position in the order, which the core made from the
	// last record it saw. That record need not exist any more. With After, Offset
	// is 0.
	After *Position
	// Offset skips matches. Limit bounds the records returned; with 0 none are,
	// which asks for the total alone. Neither is negative.
	Offset, Limit int
	Total         Total
	// MaxScan bounds the candidates looked at; 0 means no bound.
	MaxScan int
}

// Admits reports whether a record, hidden or not and of a connection, may be in
// the answer as far as Hidden, OnlyHidden and Connection have a say.
func (q *Query) Admits(hidden bool, connection string) bool {
	if q.Connection != "" && connection != q.Connection {
		return false
	}
	if hidden {
		return q.Hidden || q.OnlyHidden
	}
	return !q.OnlyHidden
}

// Total says whether a query wants to know how many records match in all.
type Total uint8

// The wishes for a total.
const (
	TotalNever Total = iota
	// TotalIfCheap wants the total when it costs no more than the page does.
	TotalIfCheap
	TotalExact
)

// UnknownTotal is the total of a page that was not counted.
const UnknownTotal = -1

// Page is the answer to a query.
type Page struct {
	Records []*Record
	// Total is the number of matches regardless of Offset, After and Limit. Unless
	// the query asked for [TotalExact] it may be [UnknownTotal].
	Total int
}

// Relation names a relation: the type that owns it and the attribute.
type Relation struct{ Owner, Name string }

// LinkQuery reads one relation.
type LinkQuery struct {
	Tenant   string
	Relation Relation
	// Of are the records asked about, without duplicates: owners, or targets when
	// Inverse is set. Owners of another type than Relation.Owner have no links.
	Of      []Ref
	Inverse bool
	// Other, when not empty, restricts to links whose other end is one of these.
	Other []Ref
	// After continues the links of a single record behind this other end, which
	// need not be linked (any more); len(Of) is 1 then.
	After Ref
	// Limit bounds the links returned for each record; 0 means no bound.
	Limit int
	// Labels asks for [Link.Label].
	Labels bool
}

// Link is one link as LinkQuery reads it: Of is the record asked about, To the
// other end.
type Link struct {
	Of, To Ref
	// Label is To's label when it was asked for and To is kept in this store.
	Label string
}
