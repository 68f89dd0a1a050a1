package memory

import (
	"context"
	"slices"

	"github.com/musterhq/muster/internal/cowtree"
	"github.com/musterhq/muster/storage"
)

// linksOf returns the links of one record in one direction.
func linksOf(tree *cowtree.Tree[linked], who *ident) []linked {
	var all []linked
	for c := tree.Seek(linked{from: from(who, 0)}); c.Valid() && c.Item().slot() == who.slot; c.Next() {
		all = append(all, c.Item())
	}
	return all
}

// hasLinks reports whether a record has a link in a segment.
func hasLinks(tree *cowtree.Tree[linked], who *ident, segment int) bool {
	l, ok := tree.Ceil(linked{from: from(who, segment)})
	return ok && l.from == from(who, segment)
}

// segmentsOf returns the segments in which a record of a type may have links of
// a relation, by the type of the other end.
func (s *state) segmentsOf(r storage.Relation, typ string, inverse bool) []int {
	var found []int
	for i, g := range s.segments {
		if g.owner == r.Owner && g.relation == r.Name && (inverse && g.target == typ || !inverse && g.owner == typ) {
			found = append(found, i)
		}
	}
	if len(found) > 1 { // only forwards
		slices.SortFunc(found, func(a, b int) int {
			return storage.Ref{Type: s.segments[a].target}.Compare(storage.Ref{Type: s.segments[b].target})
		})
	}
	return found
}

// Links implements [storage.Store]. It reads one state from beginning to end.
func (s *Store) Links(ctx context.Context, q *storage.LinkQuery) ([]storage.Link, error) {
	st, err := s.state(ctx, q.Tenant)
	if st == nil {
		return nil, err
	}
	r := linkReader{state: st, LinkQuery: q, ctx: ctx, tree: &st.out}
	if q.Inverse {
		r.tree = &st.in
	}
	r.findOthers()
	for _, of := range q.Of {
		if err := r.read(of); err != nil {
			return nil, err
		}
	}
	return r.links, nil
}

// linkReader answers one link query.
type linkReader struct {
	*state
	*storage.LinkQuery
	ctx    context.Context
	tree   *cowtree.Tree[linked] // of the direction asked for
	others []*ident              // in order, of those that exist
	isOne  map[*ident]bool       // the same; made when first needed
	looked int
	links  []storage.Link

	typ     string // of the records read last
	between []int  // the segments in which they may have links
}

// findOthers finds the records of Other, once for all records asked about.
func (r *linkReader) findOthers() {
	if len(r.Other) == 0 {
		return
	}
	refs := slices.SortedFunc(slices.Values(r.Other), storage.Ref.Compare)
	for _, ref := range slices.Compact(refs) {
		if found := r.find(ref); found != nil && ref.Compare(r.After) > 0 {
			r.others = append(r.others, found.who)
		}
	}
}

// read appends the links of one record.
func (r *linkReader) read(of storage.Ref) error {
	if err := r.look(); err != nil {
		return err
	}
	if r.typ != of.Type {
		r.typ, r.between = of.Type, r.segmentsOf(r.Relation, of.Type, r.Inverse)
	}
	if len(r.between) == 0 {
		return nil // nobody has such a link
	}
	found := r.find(of)
	if found == nil {
		return nil
	}
	end := len(r.links) + r.Limit
	for _, g := range r.between {
		limit := -1 // none
		if r.Limit > 0 {
			if limit = end - len(r.links); limit == 0 {
				break
			}
		}
		var err error
		if len(r.Other) > 0 {
			err = r.readOthers(of, found.who, g, limit)
		} else {
			err = r.readAll(of, found.who, g, limit)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// otherType is the type of the other ends in a segment.
func (r *linkReader) otherType(segment int) string {
	if r.Inverse {
		return r.segments[segment].owner
	}
	return r.segments[segment].target
}

func (r *linkReader) readAll(of storage.Ref, who *ident, segment, limit int) error {
	start := linked{from: from(who, segment)}
	switch typ := r.otherType(segment); {
	case r.After.Type > typ:
		return nil
	case r.After.Type == typ:
		start = link(who, segment, &ident{id: r.After.ID})
	}
	for c := r.tree.Seek(start); c.Valid() && c.Item().from == start.from && limit != 0; c.Next() {
		to := c.Item().who
		if start.who != nil && to.id == r.After.ID {
			continue
		}
		if err := r.append(of, to); err != nil {
			return err
		}
		limit--
	}
	return nil
}

// readOthers looks for the links with the others one by one, or goes through
// all links of the record if these are fewer.
func (r *linkReader) readOthers(of storage.Ref, who *ident, segment, limit int) error {
	start, next := linked{from: from(who, segment)}, linked{from: from(who, segment) + 1}
	if r.tree.Rank(next)-r.tree.Rank(start) < len(r.others) {
		if r.isOne == nil {
			r.isOne = make(map[*ident]bool, len(r.others))
			for _, o := range r.others {
				r.isOne[o] = true
			}
		}
		for c := r.tree.Seek(start); c.Valid() && c.Item().from == start.from && limit != 0; c.Next() {
			if r.isOne[c.Item().who] {
				if err := r.append(of, c.Item().who); err != nil {
					return err
				}
				limit--
			}
		}
		return nil
	}
	typ := r.table(r.otherType(segment))
	for _, o := range r.others {
		if limit == 0 {
			break
		}
		if o.typ == typ.number && r.tree.Has(link(who, segment, o)) {
			if err := r.append(of, o); err != nil {
				return err
			}
			limit--
		}
	}
	return nil
}

func (r *linkReader) append(of storage.Ref, to *ident) error {
	if err := r.look(); err != nil {
		return err
	}
	l := storage.Link{Of: of, To: r.ref(to)}
	if r.Labels {
		if rec := r.rows.get(to.slot).rec; rec != nil {
			l.Label = rec.Label
		}
	}
	if r.links == nil {
		r.links = make([]storage.Link, 0, len(r.Of))
	}
	r.links = append(r.links, l)
	return nil
}

// look counts what was looked at, and asks now and then whether anybody still
// waits.
func (r *linkReader) look() error {
	if r.looked++; r.looked%patience == 0 {
		return r.ctx.Err()
	}
	return nil
}
