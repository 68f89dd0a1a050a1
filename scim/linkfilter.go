package scim

import (
	"context"
	"iter"
	"slices"

	"github.com/musterhq/muster/scim/filter"
	"github.com/musterhq/muster/storage"
)

// A store answers questions about relations from its own links. Those about a
// relation that a Linker keeps (which users are in a group of the host's) become
// questions about ids, when these are few, or are answered here.

// query answers a query of the store's resources.
func (s *Server) query(ctx context.Context, q *storage.Query) (*storage.Page, error) {
	if !s.hosts || !q.Filter.UsesLinks() {
		return s.store.Query(ctx, q)
	}
	all := true // can be asked of the store
	plan, err := q.Filter.Expand(func(l filter.Linked) (filter.Node, error) {
		owner := s.byName[l.Owner]
		if owner == nil || !owner.keepsLinks() || !all {
			return l, nil
		}
		ids, few, err := s.linkedTo(ctx, q, l)
		if err != nil || !few {
			all = false
			return l, err
		}
		return isOneOf(q.Type, ids), nil
	})
	if err != nil {
		return nil, err
	}
	if all {
		asked := *q
		asked.Filter = plan
		return s.store.Query(ctx, &asked)
	}
	a := &linkAnswers{Server: s, q: q, known: map[filter.Linked]map[string]bool{}}
	return storage.Evaluate(q, a.test, a.candidates(ctx))
}

// linkedTo finds the resources that satisfy l; few is false when these are too many
// to ask for one by one.
func (s *Server) linkedTo(ctx context.Context, q *storage.Query, l filter.Linked) (ids []string, few bool, err error) {
	switch {
	case l.Type != "" && l.Type != l.Owner:
		return nil, true, nil
	case l.ID == "":
		return nil, false, nil
	}
	typ := q.Type.Name()
	links, err := s.readLinks(ctx, s.store, &storage.LinkQuery{
		Tenant: q.Tenant, Relation: storage.Relation{Owner: l.Owner, Name: l.Relation},
		Of: []storage.Ref{{Type: l.Owner, ID: l.ID}}, After: storage.Ref{Type: typ}, Limit: recordsAtOnce + 1,
	})
	if err != nil {
		return nil, false, err
	}
	for _, link := range links {
		if link.To.Type == typ {
			ids = append(ids, link.To.ID)
		}
	}
	return ids, len(ids) <= recordsAtOnce, nil
}

// linkAnswers knows the answers to a query's questions about relations for the
// resources at hand.
type linkAnswers struct {
	*Server
	q     *storage.Query
	known map[filter.Linked]map[string]bool
}

func (a *linkAnswers) test(id string, l filter.Linked) bool { return a.known[l][id] }

// candidates yields all resources that a query may concern.
func (a *linkAnswers) candidates(ctx context.Context) iter.Seq2[*storage.Record, error] {
	return func(yield func(*storage.Record, error) bool) {
		q := storage.Query{Tenant: a.q.Tenant, Connection: a.q.Connection, Type: a.q.Type, Hidden: a.q.Hidden, OnlyHidden: a.q.OnlyHidden, Limit: linkPage}
		for {
			page, err := a.store.Query(ctx, &q)
			if err == nil {
				err = a.ask(ctx, page.Records)
			}
			if err != nil {
				yield(nil, err)
				return
			}
			for _, rec := range page.Records {
				if !yield(rec, nil) {
					return
				}
			}
			if len(page.Records) < q.Limit {
				return
			}
			q.After = &Position{ID: page.Records[len(page.Records)-1].ID, Absent: true}
		}
	}
}

// ask answers the questions for some resources.
func (a *linkAnswers) ask(ctx context.Context, records []*storage.Record) error {
	clear(a.known)
	of := make([]storage.Ref, len(records))
	for i, rec := range records {
		of[i] = rec.Ref
	}
	for n := range filter.Nodes(a.q.Filter.Root()) {
		l, ok := n.(filter.Linked)
		if !ok || a.known[l] != nil || len(of) == 0 {
			continue
		}
		together := len(of)
		if l.ID == "" && l.Type != "" {
			together = 1 // starting behind a position is possible for one resource at a time
		}
		yes := map[string]bool{}
		for some := range slices.Chunk(of, together) {
			links, err := a.readLinks(ctx, a.store, a.linkQuery(a.q.Tenant, l, some...))
			if err != nil {
				return err
			}
			for _, link := range links {
				yes[link.Of.ID] = yes[link.Of.ID] || l.Type == "" || link.To.Type == l.Type
			}
		}
		a.known[l] = yes
	}
	return nil
}
