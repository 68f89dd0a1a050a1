package scim

import (
	"context"

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
	res := &Result{Item: Item{Resource: r}}
	if res.Relations, err = s.relationsOf(ctx, e, op, r); err != nil {
		return nil, err
	}
	res.Unchanged = matches(op.IfNoneMatch, r.Meta().Version) && !showsInverse(res.Relations)
	return res, nil
}

// load reads the resource of op, with its version.
func (s *Server) load(ctx context.Context, e *endpoint, op *Operation) (*Resource, error) {
	if e.handler != nil {
		h, err := s.loadHandled(ctx, e, op)
		if err != nil {
			return nil, err
		}
		return e.shown(h), nil
	}
	rec, err := s.record(ctx, s.store, op)
	if err != nil {
		return nil, err
	}
	return rec.Resource(e.typ)
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

// current reads the resource that a write of a stored type changes, and judges the
// write's precondition.
func (s *Server) current(ctx context.Context, st storage.Store, e *endpoint, op *Operation) (*storage.Record, *Resource, error) {
	rec, err := s.record(ctx, st, op)
	if err != nil {
		return nil, nil, err
	}
	cur, err := rec.Resource(e.typ)
	if err == nil {
		err = checkMatch(op, cur)
	}
	return rec, cur, err
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
