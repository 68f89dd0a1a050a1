package scim

import (
	"context"
	"iter"

	"github.com/musterhq/muster/scim/resource"
	"github.com/musterhq/muster/scim/schema"
	"github.com/musterhq/muster/storage"
)

// relations reads the relations of resources of one type that the operation
// shows, for all resources at once, and puts them to the items.
func (s *Server) relations(ctx context.Context, e *endpoint, op *Operation, items []Item) error {
	if len(items) == 0 {
		return nil
	}
	r := relationReader{Server: s, e: e, op: op, items: items}
	for _, rel := range e.typ.Relations() {
		if err := r.owned(ctx, rel); err != nil {
			return err
		}
	}
	for _, rel := range e.typ.Inverses() {
		if err := r.inverse(ctx, rel); err != nil {
			return err
		}
	}
	return nil
}

// relationsOf reads the relations of one resource that the operation shows.
func (s *Server) relationsOf(ctx context.Context, e *endpoint, op *Operation, r *Resource) ([]resource.RelationView, error) {
	items := []Item{{Resource: r}}
	err := s.relations(ctx, e, op, items)
	return items[0].Relations, err
}

// relationReader reads relations of some resources of one type.
type relationReader struct {
	*Server
	e     *endpoint
	op    *Operation
	items []Item
}

// linkList are the links of one resource: the first ones, and how to read on.
type linkList struct {
	first []Member
	rest  iter.Seq2[Member, error] // nil: there are no more
}

// owned shows a relation that the resources own. It is shown when it is empty too,
// and left out when it is too long, so that a client can tell the two.
func (r *relationReader) owned(ctx context.Context, rel schema.RelationPath) error {
	if !r.op.Projection.Shows(rel.Path) {
		return nil
	}
	lists, err := r.lists(ctx, storage.Relation{Owner: r.e.typ.Name(), Name: rel.Attribute}, false)
	if err != nil {
		return err
	}
	for i := range r.items {
		view := resource.RelationView{Path: rel.Path}
		if lists != nil {
			list, short, err := r.atMost(lists[i])
			if err != nil {
				return err
			}
			if !short {
				continue
			}
			view.Members, view.Rest = list.first, list.rest
		}
		r.add(i, view)
	}
	return nil
}

// atMost applies the limit on members shown. A part of the members would look like
// all of them, and a client might set about to repair what is not broken.
func (r *relationReader) atMost(list linkList) (_ linkList, short bool, err error) {
	most := r.limits.MembersShown
	if most == 0 {
		return list, true, nil
	}
	all := list.first
	if list.rest != nil {
		for m, err := range list.rest {
			if err != nil {
				return list, false, err
			}
			if all = append(all, m); len(all) > most {
				break
			}
		}
	}
	return linkList{first: all}, len(all) <= most, nil
}

// inverse shows a relation that leads to the resources.
func (r *relationReader) inverse(ctx context.Context, rel schema.InverseRelation) error {
	if !r.op.Projection.Shows(rel.Path) {
		return nil
	}
	relation := storage.Relation{Owner: rel.Owner, Name: rel.Relation}
	lists, err := r.lists(ctx, relation, true)
	if err != nil || lists == nil {
		return err
	}
	var nested [][]Member
	if r.followsNesting(&rel) {
		if nested, err = r.nestedOwners(ctx, relation, lists); err != nil {
			return err
		}
	}
	for i, list := range lists {
		if len(list.first) == 0 {
			continue
		}
		view := resource.RelationView{Path: rel.Path, Members: list.first, Rest: list.rest}
		if nested != nil {
			view.Indirect = nested[i]
		}
		r.add(i, view)
	}
	return nil
}

func (r *relationReader) add(i int, v resource.RelationView) {
	r.items[i].Relations = append(r.items[i].Relations, v)
}

// lists reads the beginning of one relation of all the resources; the rest is read
// when it is written. The result is parallel to the items, or nil when there are no links.
func (r *relationReader) lists(ctx context.Context, relation storage.Relation, inverse bool) ([]linkList, error) {
	type query struct { // in one piece, for the common case of one resource
		storage.LinkQuery
		one [1]storage.Ref
	}
	q := &query{LinkQuery: storage.LinkQuery{
		Tenant: r.op.Principal.Tenant, Relation: relation, Inverse: inverse, Labels: true,
		Limit: min(r.limits.Labels, max(linksAtOnce/len(r.items), 1)),
	}}
	if q.Of = q.one[:]; len(r.items) > 1 {
		q.Of = make([]storage.Ref, len(r.items))
	}
	for i := range r.items {
		q.Of[i] = storage.Ref{Type: r.e.typ.Name(), ID: r.items[i].Resource.ID()}
	}
	found, err := r.readLinks(ctx, r.store, &q.LinkQuery)
	if err != nil || len(found) == 0 {
		return nil, err
	}
	lists := make([]linkList, len(r.items))
	members := make([]Member, len(found)) // those of one resource are together
	i, start := 0, 0
	for n, l := range found {
		for q.Of[i] != l.Of {
			i++
			start = n
		}
		members[n] = Member{ID: l.To.ID, Type: l.To.Type, Display: l.Label}
		lists[i].first = members[start : n+1 : n+1]
	}
	for i := range lists {
		if list := lists[i].first; len(list) == q.Limit {
			last := list[len(list)-1]
			lists[i].rest = r.pages(ctx, storage.LinkQuery{
				Tenant: q.Tenant, Relation: relation, Inverse: inverse, Of: q.Of[i : i+1],
				After: storage.Ref{Type: last.Type, ID: last.ID},
			}, r.limits.Labels-q.Limit)
		}
	}
	return lists, nil
}

// linksAtOnce is about how many links an answer holds in memory for each relation.
const linksAtOnce = 20_000

// linkPage is how many links of a long relation are read at a time.
const linkPage = 2000

// pages reads the links of one record page by page, the first ones with their
// labels, which cost many times what the links themselves do. What is added or
// removed meanwhile may be seen or not.
func (s *Server) pages(ctx context.Context, q storage.LinkQuery, labelled int) iter.Seq2[Member, error] {
	return func(yield func(Member, error) bool) {
		q, labelled := q, labelled
		for {
			q.Labels, q.Limit = labelled > 0, linkPage
			if q.Labels {
				q.Limit = min(linkPage, labelled)
			}
			page, err := s.readLinks(ctx, s.store, &q)
			if err != nil {
				yield(Member{}, err)
				return
			}
			for _, l := range page {
				if !yield(Member{ID: l.To.ID, Type: l.To.Type, Display: l.Label}, nil) {
					return
				}
			}
			if len(page) < q.Limit {
				return
			}
			labelled -= len(page)
			q.After = page[len(page)-1].To
		}
	}
}
