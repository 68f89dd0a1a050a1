package scim

import (
	"context"
	"strconv"

	"github.com/musterhq/muster/scim/resource"
	"github.com/musterhq/muster/storage"
)

func (s *Server) get(ctx context.Context, e *endpoint, op *Operation) (*Result, error) {
	r, err := s.load(ctx, e, op)
	if err != nil {
		return nil, err
	}
	if err := checkMatch(op, r); err != nil {
		return nil, err
	}
	views, err := s.relations(ctx, e, op, r)
	if err != nil {
		return nil, err
	}
	res := &Result{Item: Item{Resource: r}}
	if views != nil {
		res.Relations = views[0]
	}
	res.Unchanged = matches(op.IfNoneMatch, r.Meta().Version) && !showsInverse(res.Relations)
	return res, nil
}

// load reads the resource of op, with its version.
func (s *Server) load(ctx context.Context, e *endpoint, op *Operation) (*Resource, error) {
	if e.handler != nil {
		return e.handler.Get(ctx, op.Principal.Tenant, op.ID)
	}
	rec, err := s.record(ctx, s.store, op)
	if err != nil {
		return nil, err
	}
	return fromRecord(e, rec)
}

// record reads the record of op as far as its principal may know of it.
func (s *Server) record(ctx context.Context, st storage.Store, op *Operation) (*storage.Record, error) {
	rec, err := st.Get(ctx, op.Principal.Tenant, refOf(op))
	if err != nil {
		return nil, err
	}
	if scope := s.scope(op.Principal); rec.Hidden || scope != "" && rec.Connection != scope {
		return nil, ErrNotFound
	}
	return rec, nil
}

func fromRecord(e *endpoint, rec *storage.Record) (*Resource, error) {
	r, err := rec.Resource(e.typ)
	if err != nil {
		return nil, err
	}
	m := r.Meta()
	m.Version = strconv.FormatInt(rec.Version, 10)
	m.Created, m.LastModified = rec.Created, rec.Modified
	return r.WithMeta(m), nil
}

// showsInverse reports whether an answer shows a relation backwards. Then it
// depends on other resources too, and its version does not tell whether it is still
// the same. What a version cannot tell either is that the last group has gone since
// the client looked: clients that keep answers should leave such attributes out.
func showsInverse(views []resource.RelationView) bool {
	for _, v := range views {
		if _, inverse := v.Path.Inverse(); inverse && len(v.Members) > 0 {
			return true
		}
	}
	return false
}

// relations reads the relations of resources of one type that the operation
// shows, for all resources at once. The result is parallel to rs, or nil when there is
// nothing to show.
func (s *Server) relations(ctx context.Context, e *endpoint, op *Operation, rs ...*Resource) ([][]resource.RelationView, error) {
	var views [][]resource.RelationView
	if len(rs) == 0 {
		return nil, nil
	}
	for _, r := range e.typ.Relations() {
		if err := s.show(ctx, e, op, &views, r.Path, storage.Relation{Owner: e.typ.Name(), Name: r.Attribute}, false, rs); err != nil {
			return nil, err
		}
	}
	for _, r := range e.typ.Inverses() {
		if err := s.show(ctx, e, op, &views, r.Path, storage.Relation{Owner: r.Owner, Name: r.Relation}, true, rs); err != nil {
			return nil, err
		}
	}
	return views, nil
}

// show adds one relation to the views of resources, if the operation shows it. A
// relation that the resource owns is shown when it is empty too, so that a client
// can tell an empty group.
func (s *Server) show(ctx context.Context, e *endpoint, op *Operation, views *[][]resource.RelationView, p Path, relation storage.Relation, inverse bool, rs []*Resource) error {
	if !op.Projection.Shows(p) {
		return nil
	}
	lists, err := s.links(ctx, e, op, relation, inverse, rs)
	if err != nil || lists == nil && inverse {
		return err
	}
	if *views == nil {
		*views = make([][]resource.RelationView, len(rs))
	}
	for i := range rs {
		view := resource.RelationView{Path: p}
		if lists != nil {
			view.Members = lists[i]
		}
		if len(view.Members) > 0 || !inverse {
			(*views)[i] = append((*views)[i], view)
		}
	}
	return nil
}

// links reads one relation of several resources. Labels cost many times what the
// links themselves do, so they are read for the first ones only. The result is
// parallel to rs, or nil when there are no links.
func (s *Server) links(ctx context.Context, e *endpoint, op *Operation, relation storage.Relation, inverse bool, rs []*Resource) ([][]Member, error) {
	type query struct { // in one piece, for the common case of one resource
		storage.LinkQuery
		one [1]storage.Ref
	}
	q := &query{LinkQuery: storage.LinkQuery{Tenant: op.Principal.Tenant, Relation: relation, Inverse: inverse, Labels: true, Limit: s.limits.Labels}}
	if q.Of = q.one[:]; len(rs) > 1 {
		q.Of = make([]storage.Ref, len(rs))
	}
	for i, r := range rs {
		q.Of[i] = storage.Ref{Type: e.typ.Name(), ID: r.ID()}
	}
	found, err := s.store.Links(ctx, &q.LinkQuery)
	if err != nil || len(found) == 0 {
		return nil, err
	}
	lists := make([][]Member, len(rs))
	i := 0
	for _, l := range found {
		for q.Of[i] != l.Of {
			i++
		}
		lists[i] = append(lists[i], Member{ID: l.To.ID, Type: l.To.Type, Display: l.Label})
	}
	for i, list := range lists {
		if len(list) < s.limits.Labels {
			continue
		}
		last := list[len(list)-1]
		rest, err := s.store.Links(ctx, &storage.LinkQuery{
			Tenant: q.Tenant, Relation: relation, Inverse: inverse,
			Of: q.Of[i : i+1], After: storage.Ref{Type: last.Type, ID: last.ID},
		})
		if err != nil {
			return nil, err
		}
		for _, l := range rest {
			lists[i] = append(lists[i], Member{ID: l.To.ID, Type: l.To.Type})
		}
	}
	return lists, nil
}
