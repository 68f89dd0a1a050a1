package memory

import (
	"context"
	"iter"

	"github.com/musterhq/muster/scim/filter"
	"github.com/musterhq/muster/scim/schema"
	"github.com/musterhq/muster/storage"
)

// patience is after how many records a reader asks whether anybody still waits.
const patience = 512

// Query implements [storage.Store]. It answers every query, and reads one state
// from beginning to end.
func (s *Store) Query(ctx context.Context, q *storage.Query) (*storage.Page, error) {
	st, err := s.state(ctx, q.Tenant)
	if err != nil {
		return nil, err
	}
	r := queryReader{query: *q, ctx: ctx, state: st}
	if st != nil {
		r.table = st.table(q.Type.Name())
	}
	if r.table == nil {
		return storage.EvaluateOrdered(q, noLinks, func(func(*storage.Record, error) bool) {})
	}
	if r.Sort.Path == q.Type.Common().ID {
		r.Sort.Path = schema.Path{} // the same, without looking into documents
	}
	return r.answer()
}

func noLinks(string, filter.Linked) bool { return false }

// queryReader answers one query from one state.
type queryReader struct {
	query // what is still to be found out
	*state
	ctx   context.Context
	table *table
	at    *ident // the record looked at
}

type query = storage.Query

// answer chooses how to find the matches: from a set that the filter names, or
// along the order asked for. What an index answers by itself, the rest of the
// query is relieved of.
func (r *queryReader) answer() (*storage.Page, error) {
	root := r.Filter.Root()
	if root == nil || root == filter.Const(true) {
		return r.list()
	}
	set, found := r.setOf(root)
	if !found {
		return r.remembering(r.scan)
	}
	if set.n <= 1 && set.exact && set.all == nil && r.After == nil {
		return r.single(set.list), nil
	}
	if !set.counted || r.Total == storage.TotalNever || r.visible() != r.table.len() {
		return r.remembering(func() (*storage.Page, error) { return r.from(set) })
	}
	r.Total = storage.TotalNever
	page, err := r.from(set)
	if err == nil {
		page.Total = set.n
	}
	return page, err
}

// scan looks at all records, along the order asked for if there is a tree of it.
func (r *queryReader) scan() (*storage.Page, error) {
	if walk, ok := r.order(); ok {
		return storage.EvaluateOrdered(&r.query, r.linkTest, r.records(walk))
	}
	return storage.Evaluate(&r.query, r.linkTest, r.records(r.all()))
}

// single answers the query that most clients ask most: is there one with this
// name? The one match, or none, is known.
func (r *queryReader) single(list []*ident) *storage.Page {
	answer := &struct { // in one piece
		storage.Page
		one [1]*storage.Record
	}{}
	page := &answer.Page
	for _, who := range list {
		rec := r.rows.get(who.slot).rec
		if rec == nil || !r.Admits(rec.Hidden, rec.Connection) {
			continue
		}
		page.Total = 1
		if r.Offset == 0 && r.Limit > 0 {
			answer.one[0] = rec
			page.Records = answer.one[:]
		}
	}
	if r.Total == storage.TotalNever {
		page.Total = storage.UnknownTotal
	}
	return page
}

// from reads the matches from a set that contains them all.
func (r *queryReader) from(set set) (*storage.Page, error) {
	inSet := r.query
	if set.exact {
		inSet.Filter = nil
	}
	if r.byID() {
		after := ""
		if r.startsAfter() {
			after = r.After.ID
		}
		if walk, ok := set.ordered(after, r.Sort.Descending); ok {
			return storage.EvaluateOrdered(&inSet, r.linkTest, r.records(walk))
		}
	}
	if r.stopsEarly() && set.n > r.Offset+r.Limit {
		// Along the order, every so many records one is in the set. With a large set,
		// the page is full before as many were looked at.
		expected := (r.Offset + r.Limit) * (r.table.len()/set.n + 1)
		if walk, ok := r.order(); ok && expected < set.n {
			return storage.EvaluateOrdered(&r.query, r.linkTest, r.records(walk))
		}
	}
	return storage.Evaluate(&inSet, r.linkTest, r.records(set.any()))
}

// stopsEarly reports whether the query is answered once the page is full.
func (r *queryReader) stopsEarly() bool { return r.Total != storage.TotalExact && r.Limit > 0 }

// startsAfter reports whether records before After need not be looked at.
func (r *queryReader) startsAfter() bool { return r.After != nil && r.Total != storage.TotalExact }

// list answers a query without a filter. The total is kept, and so is where a
// page begins, as long as all records in the order belong to the answer.
func (r *queryReader) list() (*storage.Page, error) {
	r.Filter = nil
	total := storage.UnknownTotal
	if r.Total == storage.TotalExact || r.Total == storage.TotalIfCheap && r.After == nil {
		total = r.visible()
	}
	r.Total = storage.TotalNever
	var page *storage.Page
	var err error
	if walk, ok := r.order(); ok {
		page, err = storage.EvaluateOrdered(&r.query, nil, r.records(walk))
	} else {
		page, err = storage.Evaluate(&r.query, nil, r.records(r.all()))
	}
	if err == nil {
		page.Total = total
	}
	return page, err
}

// shows reports whether the records of a part may be in the answer.
func (r *queryReader) shows(p *part) bool { return r.Admits(p.hidden, p.connection) }

// visible is the number of records that may be in the answer.
func (r *queryReader) visible() int {
	n := 0
	for i := range r.table.parts {
		if p := &r.table.parts[i]; r.shows(p) {
			n += p.ids.Len()
		}
	}
	return n
}

// records yields the records of names, and an error when nobody waits any more.
func (r *queryReader) records(names iter.Seq[*ident]) iter.Seq2[*storage.Record, error] {
	return func(yield func(*storage.Record, error) bool) {
		n := 0
		for r.at = range names {
			if n++; n%patience == 0 {
				if err := r.ctx.Err(); err != nil {
					yield(nil, err)
					return
				}
			}
			if rec := r.rows.get(r.at.slot).rec; rec != nil && !yield(rec, nil) {
				return
			}
		}
	}
}

// linkTest answers a [filter.Linked] for the record looked at.
func (r *queryReader) linkTest(_ string, l filter.Linked) bool {
	tree := &r.in
	if !l.Inverse {
		tree = &r.out
	}
	for g := range r.segmentsFor(l) {
		if l.ID == "" {
			if hasLinks(tree, r.at, g) {
				return true
			}
		} else if other := r.otherEnd(l, g); other != nil && tree.Has(link(r.at, g, other)) {
			return true
		}
	}
	return false
}

// segmentsFor yields the segments that a test on a relation is about.
func (r *queryReader) segmentsFor(l filter.Linked) iter.Seq[int] {
	return func(yield func(int) bool) {
		for i, g := range r.segments {
			if g.relation != l.Relation || g.owner != l.Owner {
				continue
			}
			self, other := g.owner, g.target
			if l.Inverse {
				self, other = other, self
			}
			if self == r.table.name && (l.Type == "" || l.Type == other) && !yield(i) {
				return
			}
		}
	}
}

// otherEnd is the name that a test on a relation asks for, in a segment; nil
// when there is none.
func (r *queryReader) otherEnd(l filter.Linked, segment int) *ident {
	typ := r.segments[segment].target
	if l.Inverse {
		typ = r.segments[segment].owner
	}
	if found := r.find(storage.Ref{Type: typ, ID: l.ID}); found != nil {
		return found.who
	}
	return nil
}
