package scim

import (
	"context"

	"github.com/musterhq/muster/scim/patch"
	"github.com/musterhq/muster/scim/resource"
	"github.com/musterhq/muster/storage"
)

func (s *Server) patch(ctx context.Context, e *endpoint, op *Operation) (*Result, error) {
	if e.handler != nil {
		return s.patchHandled(ctx, e, op)
	}
	return s.retry(ctx, op, func(ctx context.Context, st storage.Store) (*Result, error) {
		if s.onlyLinks(op) {
			return s.patchLinks(ctx, st, e, op)
		}
		rec, cur, err := s.current(ctx, st, e, op)
		if err != nil {
			return nil, err
		}
		u := &update{rec: rec, cur: cur, kind: "patched"}
		if u.next, u.changes, u.password, err = e.patched(op, cur); err != nil {
			return nil, err
		}
		if u.links, err = s.foldLinks(ctx, st, e, op); err != nil {
			return nil, err
		}
		for _, ops := range op.Patch.Links() {
			u.exact = u.exact || patch.NeedsSelect(ops)
		}
		return s.update(ctx, st, e, op, u)
	})
}

// patched applies the document's part of a PATCH.
func (e *endpoint) patched(op *Operation, cur *Resource) (next *Resource, changes []patch.Change, password string, err error) {
	var o patch.ApplyOptions
	if op.call != nil {
		o = op.call.session.Apply()
	}
	done, err := patch.Apply(cur, nil, op.Patch.Document(), o)
	if err != nil {
		return nil, nil, "", err
	}
	next, changes = done.Resource, done.Changes
	if e.secret.IsZero() {
		return next, changes, "", nil
	}
	if v := next.Get(e.secret); !v.IsZero() {
		password = v.Text()
		b := next.Edit()
		b.SetValue(e.secret, Value{})
		next = b.Resource()
		kept := changes[:0:0]
		for _, c := range changes {
			if c.Path != e.secret {
				kept = append(kept, c)
			}
		}
		if changes = kept; len(changes) == 0 {
			next = cur
		}
	}
	return next, changes, password, nil
}

// onlyLinks reports whether the PATCH can be committed without reading anything
// first: it edits relations, in a way that does not depend on what is there, and
// nobody looks at the resource.
func (s *Server) onlyLinks(op *Operation) bool {
	if len(s.guards) > 0 || s.subscribers.any() || op.IfMatch != "" || !op.NoContent || len(op.Patch.Document()) > 0 {
		return false
	}
	links := op.Patch.Links()
	for _, ops := range links {
		if patch.NeedsSelect(ops) {
			return false
		}
	}
	return len(links) > 0
}

// patchLinks commits link edits in one step: whether the group exists, and may be
// seen, is judged inside the commit.
func (s *Server) patchLinks(ctx context.Context, st storage.Store, e *endpoint, op *Operation) (*Result, error) {
	asked, err := s.foldLinks(ctx, st, e, op)
	if err != nil {
		return nil, err
	}
	links, err := s.linkEdits(ctx, st, e, op, op.ID, asked)
	if err != nil {
		return nil, err
	}
	w := s.newPending(op, Effect{Kind: Patch, Type: e.typ, ID: op.ID})
	links.addTo(w)
	res := &Result{Item: Item{Resource: e.bare.WithMeta(Meta{ID: op.ID})}, Unchanged: true}
	done := &storage.CommitResult{}
	if len(w.batch.Links) > 0 {
		if done, err = s.commit(ctx, st, op, w); err != nil {
			return nil, err
		}
	} else { // nothing is left to do, but for a resource that is there
		rec, err := s.record(ctx, st, op)
		if err != nil {
			return nil, err
		}
		if res.Resource, err = rec.Resource(e.typ); err != nil {
			return nil, err
		}
	}
	for _, l := range done.Links {
		res.Unchanged = res.Unchanged && l.Added+l.Removed == 0
	}
	return res, s.finish(ctx, e, op, w, done, links, res)
}

// bareResource is an empty resource that carries metadata.
func bareResource(t *Type) *Resource { return resource.New(t).Resource() }
