package kv

import (
	"context"
	"iter"
	"slices"

	"github.com/musterhq/muster/storage"
)

// Links implements [storage.Store].
func (s *store) Links(ctx context.Context, q *storage.LinkQuery) (links []storage.Link, err error) {
	err = s.view(ctx, func(tx Tx) error {
		links = nil
		for _, of := range q.Of {
			n := 0
			for to, err := range (linkReader{q, of}).otherEnds(ctx, tx) {
				if err != nil {
					return err
				}
				l := storage.Link{Of: of, To: to}
				if q.Labels {
					if l.Label, err = label(tx, q.Tenant, to); err != nil {
						return err
					}
				}
				links = append(links, l)
				if n++; n == q.Limit {
					break
				}
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return links, nil
}

// label is a record's label as it is now; links do not keep it.
func label(tx Tx, tenant string, ref storage.Ref) (string, error) {
	r, err := load(tx, tenant, ref)
	if err != nil || r == nil {
		return "", err
	}
	return r.Label, nil
}

// linkReader reads the links of one record that a query asks about.
type linkReader struct {
	*storage.LinkQuery
	of storage.Ref
}

// otherEnds yields what the record is linked with, in order, behind After.
func (r linkReader) otherEnds(ctx context.Context, tx Tx) iter.Seq2[storage.Ref, error] {
	if len(r.Other) > 0 {
		return r.ofOther(tx)
	}
	return r.all(ctx, tx)
}

// all reads the keys of the direction asked for. They end with the other end,
// so they are in its order.
func (r linkReader) all(ctx context.Context, tx Tx) iter.Seq2[storage.Ref, error] {
	return func(yield func(storage.Ref, error) bool) {
		if !r.Inverse && r.of.Type != r.Relation.Owner {
			return
		}
		start, after := prefix(outKind, r.Tenant, r.of.Type, r.of.ID, r.Relation.Name), outKey(r.Tenant, r.link(r.After))
		if r.Inverse {
			start, after = prefix(inKind, r.Tenant, r.of.Type, r.of.ID, r.Relation.Owner, r.Relation.Name), nil
			switch {
			case r.After.Type == r.Relation.Owner:
				after = inKey(r.Tenant, r.link(r.After))
			case r.After.Type > r.Relation.Owner:
				return
			}
		}
		for p, err := range scan(ctx, tx, start, after) {
			if err != nil {
				yield(storage.Ref{}, err)
				return
			}
			l := linkOf(p.key)
			to := l.target
			if r.Inverse {
				to = l.owner
			}
			if !yield(to, nil) {
				return
			}
		}
	}
}

// ofOther looks for the links with the records in Other, one by one.
func (r linkReader) ofOther(tx Tx) iter.Seq2[storage.Ref, error] {
	return func(yield func(storage.Ref, error) bool) {
		others := slices.SortedFunc(slices.Values(r.Other), storage.Ref.Compare)
		for _, to := range slices.Compact(others) {
			l := r.link(to)
			if to.Compare(r.After) <= 0 || l.owner.Type != r.Relation.Owner {
				continue
			}
			v, err := tx.Get(outKey(r.Tenant, l))
			if (err != nil || v != nil) && !yield(to, err) {
				return
			}
		}
	}
}

// link is the link between the record and another one.
func (r linkReader) link(to storage.Ref) link {
	if r.Inverse {
		return link{to, r.Relation.Name, r.of}
	}
	return link{r.of, r.Relation.Name, to}
}
