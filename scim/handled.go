package scim

import (
	"context"
	"net/http"
	"slices"

	"github.com/musterhq/muster/scim/patch"
	"github.com/musterhq/muster/storage"
)

// Resources of a type that a host's handler serves. The handler keeps the
// documents; guards, subscribers and preconditions work as they do for a store.

func (s *Server) createHandled(ctx context.Context, e *endpoint, op *Operation) (*Result, error) {
	r, password := e.prepare(op.Resource.WithMeta(Meta{}), nil)
	w := &pending{effects: []Effect{{Kind: Create, Type: e.typ, After: r}}}
	return s.commitHandled(ctx, e, op, w, password, func() (*Resource, error) {
		return e.can.create.Create(ctx, op.Principal.Tenant, r)
	})
}

func (s *Server) replaceHandled(ctx context.Context, e *endpoint, op *Operation) (*Result, error) {
	return s.retry(ctx, op, func(ctx context.Context, _ storage.Store) (*Result, error) {
		cur, err := s.loadHandled(ctx, e, op)
		if err != nil {
			return nil, err
		}
		next, password, err := e.replacement(op.Resource, cur)
		if err != nil {
			return nil, err
		}
		return s.updateHandled(ctx, e, op, cur, next, patch.Diff(cur, next), password)
	})
}

func (s *Server) patchHandled(ctx context.Context, e *endpoint, op *Operation) (*Result, error) {
	return s.retry(ctx, op, func(ctx context.Context, _ storage.Store) (*Result, error) {
		cur, err := s.loadHandled(ctx, e, op)
		if err != nil {
			return nil, err
		}
		next, changes, password, err := e.patched(op, cur)
		if err != nil {
			return nil, err
		}
		return s.updateHandled(ctx, e, op, cur, next, changes, password)
	})
}

func (s *Server) deleteHandled(ctx context.Context, e *endpoint, op *Operation) (*Result, error) {
	return s.retry(ctx, op, func(ctx context.Context, _ storage.Store) (*Result, error) {
		cur, err := s.loadHandled(ctx, e, op)
		if err != nil {
			return nil, err
		}
		w := &pending{effects: []Effect{{Kind: Delete, Type: e.typ, ID: op.ID, Before: cur}}}
		res, err := s.commitHandled(ctx, e, op, w, "", func() (*Resource, error) {
			return cur, e.can.delete.Delete(ctx, op.Principal.Tenant, op.ID, cur.Meta().Version)
		})
		if err != nil {
			return nil, err
		}
		// The handler's own deletion is what counts; links to what is gone are
		// tolerated by every reader until they are removed.
		return res, s.Unlink(ctx, op.Principal.Tenant, e.typ.Name(), op.ID)
	})
}

func (s *Server) loadHandled(ctx context.Context, e *endpoint, op *Operation) (*Resource, error) {
	cur, err := e.handler.Get(ctx, op.Principal.Tenant, op.ID)
	if err != nil {
		return nil, err
	}
	if cur == nil || cur.Type() != e.typ {
		return nil, Errorf(http.StatusInternalServerError, "", "").WithCause(errForeignType)
	}
	return cur, checkMatch(op, cur)
}

func (s *Server) updateHandled(ctx context.Context, e *endpoint, op *Operation, cur, next *Resource, changes []patch.Change, password string) (*Result, error) {
	w := &pending{effects: []Effect{{Kind: op.Method, Type: e.typ, ID: op.ID, Before: cur, After: next, Changes: changes}}}
	return s.commitHandled(ctx, e, op, w, password, func() (*Resource, error) {
		switch version := cur.Meta().Version; {
		case len(changes) == 0:
			return cur, nil
		case op.Method == Patch && e.can.patch != nil:
			return e.can.patch.Patch(ctx, op.Principal.Tenant, op.ID, e.withoutPassword(op.Patch.Document()), version)
		default:
			return e.can.replace.Replace(ctx, op.Principal.Tenant, next.WithMeta(cur.Meta()))
		}
	})
}

// withoutPassword leaves out the operations on the password, which the host has got
// already.
func (e *endpoint) withoutPassword(ops []patch.Operation) []patch.Operation {
	isPassword := func(op patch.Operation) bool { return op.Target.Path == e.secret }
	if e.secret.IsZero() || !slices.ContainsFunc(ops, isPassword) {
		return ops
	}
	return slices.DeleteFunc(slices.Clone(ops), isPassword)
}

func (s *Server) commitHandled(ctx context.Context, e *endpoint, op *Operation, w *pending, password string, write func() (*Resource, error)) (*Result, error) {
	effect := &w.effects[0]
	changes := effect.Kind == Create || effect.Kind == Delete || len(effect.Changes) > 0
	if changes {
		for _, guard := range s.guards {
			if err := guard(ctx, op.Principal, w.effects); err != nil {
				return nil, err
			}
		}
	}
	if last := s.takePassword(op, effect.After, password); last != nil {
		if err := last(ctx); err != nil {
			return nil, err
		}
	}
	r, err := write()
	if err != nil {
		return nil, err
	}
	if r == nil || r.Type() != e.typ {
		return nil, Errorf(http.StatusInternalServerError, "", "").WithCause(errForeignType)
	}
	if effect.Kind != Delete {
		effect.ID, effect.After = r.ID(), r
	}
	w.batch.Time = s.now()
	if changes && s.subscribers.any() {
		s.publish(ctx, op, w, nil)
	}
	res := &Result{Item: Item{Resource: r}, Unchanged: !changes}
	if op.NoContent || effect.Kind == Delete {
		return res, nil
	}
	views, err := s.relations(ctx, e, op, r)
	if err == nil && views != nil {
		res.Relations = views[0]
	}
	return res, err
}
