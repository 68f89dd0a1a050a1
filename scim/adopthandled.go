package scim

import (
	"context"
	"errors"

	"github.com/musterhq/muster/scim/patch"
	"github.com/musterhq/muster/storage"
)

// createOrAdoptHandled creates a resource of a handler, or adopts one. Which one
// shows before, where the handler has a resource of the same unique value, or when the
// handler refuses the create and names the holder: a host's table may have keys that
// the schema knows nothing of.
func (s *Server) createOrAdoptHandled(ctx context.Context, e *endpoint, op *Operation) (*Result, error) {
	existing, _, err := s.claimed(ctx, e, op)
	if err != nil {
		return nil, err
	}
	if existing == nil {
		res, refused := s.createHandled(ctx, e, op)
		var holder *held
		if s.adopting == nil || e.can.adopt == nil || !errors.As(refused, &holder) {
			return res, refused
		}
		if existing, err = s.claimedOf(ctx, e, op, holder.id, holder.attribute); err != nil {
			return nil, err
		}
		if existing == nil {
			return nil, refused
		}
	}
	id, attribute := existing.Resource.ID(), existing.attribute
	return s.retry(ctx, op, func(ctx context.Context, _ storage.Store) (*Result, error) {
		if existing == nil { // somebody came between
			if existing, err = s.claimedOf(ctx, e, op, id, attribute); err != nil {
				return nil, err
			}
			if existing == nil {
				return nil, notUnique(attribute)
			}
		}
		judged := existing
		existing = nil
		return s.adoptHandled(ctx, e, op.adopting(id), judged)
	})
}

func (s *Server) adoptHandled(ctx context.Context, e *endpoint, op *Operation, existing *adoptee) (*Result, error) {
	unconfined := within(ctx, "")
	r, err := e.handler.Get(unconfined, op.Principal.Tenant, op.ID)
	if err == nil {
		err = e.checkHandled(r)
	}
	if err != nil {
		return nil, err
	}
	if !r.Equal(existing.Resource) {
		return nil, ErrConflict // it is not what was judged any more
	}
	shadow, err := s.shadowOf(ctx, e, op.Principal.Tenant, op.ID)
	if err != nil {
		return nil, err
	}
	cur := &handled{r, shadow}
	next, password, err := e.adopted(op.Resource, cur.Resource)
	if err != nil {
		return nil, err
	}
	owner := &OwnerChange{From: existing.Connection, To: op.Principal.Connection}
	w := &handledWrite{cur: cur, password: password, asked: additions(e, op.Relations)}
	w.effect = Effect{
		Kind: Replace, Type: e.typ, ID: op.ID, Before: cur.Resource, After: next,
		Changes: patch.Diff(cur.Resource, next), Owner: owner,
	}
	if w.effect.After, w.effect.Changes, _, err = s.amendUpdate(ctx, op, cur.Resource, next, w.effect.Changes); err != nil {
		return nil, err
	}
	w.write = func() (*Resource, error) {
		return e.can.adopt.Adopt(unconfined, op.Principal.Tenant, w.effect.After.WithMeta(cur.Meta()), owner.From, owner.To)
	}
	return s.commitHandled(ctx, e, op, w)
}
