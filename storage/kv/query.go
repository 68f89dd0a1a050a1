package kv

import (
	"context"
	"iter"
	"slices"

	"github.com/musterhq/muster/scim/filter"
	"github.com/musterhq/muster/scim/schema"
	"github.com/musterhq/muster/storage"
)

// Query implements [storage.Store]. It starts from an index or from links where
// the filter demands one value, else from all records of the type, and lets
// [storage.Evaluate] do the rest. All of it happens in one transaction, so that
// records and links are of one moment.
func (s *store) Query(ctx context.Context, q *storage.Query) (page *storage.Page, err error) {
	err = s.view(ctx, func(tx Tx) error {
		r := &queryReader{Query: q, ctx: ctx, tx: tx}
		evaluate := storage.Evaluate
		if q.Sort == (storage.Sort{}) {
			evaluate = storage.EvaluateOrdered // ids come in order from everywhere
		}
		page, err = evaluate(q, r.linkTest, r.candidates())
		if r.err != nil {
			return r.err
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return page, nil
}

// queryReader reads what one query needs.
type queryReader struct {
	*storage.Query
	ctx context.Context
	tx  Tx
	err error // met by linkTest, which cannot return it
}

// candidates yields at least every match, each once, by id.
func (r *queryReader) candidates() iter.Seq2[*storage.Record, error] {
	ids := r.start()
	if ids == nil {
		return r.all()
	}
	return func(yield func(*storage.Record, error) bool) {
		for id, err := range ids {
			var rec *storage.Record
			if err == nil {
				rec, err = load(r.tx, r.Tenant, storage.Ref{Type: r.Type.Name(), ID: id})
			}
			if (rec != nil || err != nil) && !yield(rec, err) {
				return
			}
		}
	}
}

// all yields the records of the type. Where only those behind a position are
// asked for, it starts there.
func (r *queryReader) all() iter.Seq2[*storage.Record, error] {
	return func(yield func(*storage.Record, error) bool) {
		var after []byte
		if r.After != nil && r.Sort == (storage.Sort{}) && r.Total != storage.TotalExact {
			after = recordKey(r.Tenant, storage.Ref{Type: r.Type.Name(), ID: r.After.ID})
		}
		for p, err := range scan(r.ctx, r.tx, prefix(recordKind, r.Tenant, r.Type.Name()), after) {
			var rec *storage.Record
			if err == nil {
				rec, err = decodeRecord(storage.Ref{Type: r.Type.Name(), ID: last(p.key)}, p.value)
			}
			if !yield(rec, err) || err != nil {
				return
			}
		}
	}
}

// start finds a demand in the filter that names few records, and yields their
// ids in order. It is nil when there is none.
func (r *queryReader) start() iter.Seq2[string, error] {
	if o, ok := r.Filter.Equal(r.Type.Common().ID.String()); ok {
		return func(yield func(string, error) bool) { yield(o.Key, nil) }
	}
	for _, paths := range [][]schema.Path{r.Type.Unique(), r.Type.Indexed()} {
		for _, p := range paths {
			if !p.InDocument() || p.Attribute().Type == schema.Boolean {
				continue // not an entry, or as good as all records
			}
			if o, ok := r.Filter.Equal(p.String()); ok {
				k, _ := storage.IndexKey(o.Key)
				return r.lasts(prefix(indexKind, r.Tenant, r.Type.Name(), p.String(), k))
			}
		}
	}
	if l, ok := linkDemand(r.Filter.Root()); ok {
		return r.linkedWith(l)
	}
	return nil
}

// linkDemand returns a link with a known record that every match must have.
func linkDemand(n filter.Node) (filter.Linked, bool) {
	switch n := n.(type) {
	case filter.Linked:
		return n, n.ID != ""
	case filter.And:
		for _, term := range n.Nodes {
			if l, ok := linkDemand(term); ok {
				return l, true
			}
		}
	}
	return filter.Linked{}, false
}

// linkedWith yields the ids of the records of the query's type that have a
// link, read from its other end.
func (r *queryReader) linkedWith(l filter.Linked) iter.Seq2[string, error] {
	if l.Inverse {
		return r.lasts(prefix(outKind, r.Tenant, l.Owner, l.ID, l.Relation, r.Type.Name()))
	}
	return func(yield func(string, error) bool) {
		var ids []string
		for _, typ := range r.targets(l) {
			for id, err := range r.lasts(prefix(inKind, r.Tenant, typ, l.ID, r.Type.Name(), l.Relation)) {
				if err != nil {
					yield("", err)
					return
				}
				ids = append(ids, id)
			}
		}
		slices.Sort(ids) // several types of target may have the id
		for _, id := range slices.Compact(ids) {
			if !yield(id, nil) {
				return
			}
		}
	}
}

// targets are the types that the other end of a link may have.
func (r *queryReader) targets(l filter.Linked) []string {
	if l.Type != "" {
		return []string{l.Type}
	}
	for _, rel := range r.Type.Relations() {
		if rel.Attribute == l.Relation {
			return rel.Targets
		}
	}
	return nil
}

// linkTest answers a [filter.Linked] for one record.
func (r *queryReader) linkTest(id string, l filter.Linked) bool {
	self := storage.Ref{Type: r.Type.Name(), ID: id}
	switch {
	case l.Inverse && l.Type != "" && l.Type != l.Owner:
		return false
	case l.Inverse && l.ID == "":
		return r.any(prefix(inKind, r.Tenant, self.Type, self.ID, l.Owner, l.Relation))
	case l.Inverse:
		return r.has(link{storage.Ref{Type: l.Owner, ID: l.ID}, l.Relation, self})
	case l.ID == "" && l.Type == "":
		return r.any(prefix(outKind, r.Tenant, self.Type, self.ID, l.Relation))
	case l.ID == "":
		return r.any(prefix(outKind, r.Tenant, self.Type, self.ID, l.Relation, l.Type))
	}
	return slices.ContainsFunc(r.targets(l), func(typ string) bool {
		return r.has(link{self, l.Relation, storage.Ref{Type: typ, ID: l.ID}})
	})
}

func (r *queryReader) has(l link) bool {
	v, err := r.tx.Get(outKey(r.Tenant, l))
	r.fail(err)
	return v != nil
}

func (r *queryReader) any(prefix []byte) bool {
	for _, err := range scan(r.ctx, r.tx, prefix, nil) {
		r.fail(err)
		return err == nil
	}
	return false
}

func (r *queryReader) fail(err error) {
	if r.err == nil {
		r.err = err
	}
}

// lasts yields the last component of the keys below a prefix.
func (r *queryReader) lasts(prefix []byte) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for p, err := range scan(r.ctx, r.tx, prefix, nil) {
			if err != nil {
				yield("", err)
				return
			}
			if !yield(last(p.key), nil) {
				return
			}
		}
	}
}
