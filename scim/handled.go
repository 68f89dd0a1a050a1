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
// Relations are in the store, see shadow.go: links are committed first and the
// document after, so that a write that fails midway can be repeated.

func (s *Server) createHandled(ctx context.Context, e *endpoint, op *Operation) (*Result, error) {
	r, password := e.prepare(op.Resource.WithMeta(Meta{}), nil)
	r, err := s.amend(ctx, op, nil, r)
	if err != nil {
		return nil, err
	}
	w := &handledWrite{effect: Effect{Kind: Create, Type: e.typ, After: r}, cur: &handled{}, password: password}
	w.asked = setAll(e, op.Relations, func(Path) bool { return false })
	w.write = func() (*Resource, error) { return e.can.create.Create(ctx, op.Principal.Tenant, r) }
	// Links in the store need the id, which the handler assigns; what can be wrong with
	// them has to be found out before.
	links, err := s.linksOfHandled(ctx, e, op, "", w)
	if err != nil {
		return nil, err
	}
	w.links = links
	return s.commitHandled(ctx, e, op, w)
}

func (s *Server) replaceHandled(ctx context.Context, e *endpoint, op *Operation) (*Result, error) {
	return s.changeHandled(ctx, e, op, func(w *handledWrite) error {
		next, password, err := e.replacement(op.Resource, w.cur.Resource)
		if err != nil {
			return err
		}
		w.password = password
		w.effect.After, w.effect.Changes = next, patch.Diff(w.cur.Resource, next)
		w.asked = setAll(e, op.Relations, s.keepsAbsent(op))
		return nil
	})
}

func (s *Server) patchHandled(ctx context.Context, e *endpoint, op *Operation) (*Result, error) {
	return s.changeHandled(ctx, e, op, func(w *handledWrite) (err error) {
		if w.effect.After, w.effect.Changes, w.password, err = e.patched(op, w.cur.Resource); err != nil {
			return err
		}
		for _, ops := range op.Patch.Links() {
			w.exact = w.exact || patch.NeedsSelect(ops)
		}
		w.asked, err = s.foldLinks(ctx, s.store, e, op)
		return err
	})
}

// changeHandled reads a resource, decides on a change, and makes it, again as long
// as somebody else's write comes between.
func (s *Server) changeHandled(ctx context.Context, e *endpoint, op *Operation, decide func(*handledWrite) error) (*Result, error) {
	w := &handledWrite{}
	res, err := s.retry(ctx, op, func(ctx context.Context, _ storage.Store) (*Result, error) {
		cur, err := s.loadHandled(ctx, e, op)
		if err != nil {
			return nil, err
		}
		if err := checkMatch(op, e.shown(cur)); err != nil {
			return nil, err
		}
		w.again(cur, Effect{Kind: op.Method, Type: e.typ, ID: op.ID, Before: cur.Resource})
		if err := decide(w); err != nil {
			return nil, err
		}
		var amended bool
		if w.effect.After, w.effect.Changes, amended, err = s.amendUpdate(ctx, op, cur.Resource, w.effect.After, w.effect.Changes); err != nil {
			return nil, err
		}
		if len(w.effect.Changes) > 0 && e.can.replace == nil && (e.can.patch == nil || amended) {
			return nil, Errorf(http.StatusBadRequest, Mutability, "of %s resources nothing but relations can be changed here", e.typ.Name())
		}
		w.write = func() (*Resource, error) {
			version := cur.Meta().Version
			switch next := w.effect.After; {
			case len(w.effect.Changes) == 0:
				return cur.Resource, nil
			case op.Method == Patch && e.can.patch != nil && !amended:
				return e.can.patch.Patch(ctx, op.Principal.Tenant, op.ID, e.withoutPassword(op.Patch.Document()), version)
			default:
				return e.can.replace.Replace(ctx, op.Principal.Tenant, next.WithMeta(cur.Meta()))
			}
		}
		return s.commitHandled(ctx, e, op, w)
	})
	if err != nil && w.linked() {
		// The document is as it was, but the links are not.
		w.effect.After, w.effect.Changes = w.effect.Before, nil
		s.tellOfHandled(ctx, op, w)
	}
	return res, err
}

func (s *Server) deleteHandled(ctx context.Context, e *endpoint, op *Operation) (*Result, error) {
	return s.retry(ctx, op, func(ctx context.Context, _ storage.Store) (*Result, error) {
		cur, err := s.loadHandled(ctx, e, op)
		if err != nil {
			return nil, err
		}
		if err := checkMatch(op, e.shown(cur)); err != nil {
			return nil, err
		}
		w := &handledWrite{cur: cur, effect: Effect{Kind: Delete, Type: e.typ, ID: op.ID, Before: cur.Resource}}
		w.write = func() (*Resource, error) {
			return cur.Resource, e.can.delete.Delete(ctx, op.Principal.Tenant, op.ID, cur.Meta().Version)
		}
		res, err := s.commitHandled(ctx, e, op, w)
		if err != nil {
			return nil, err
		}
		// The handler's own deletion is what counts; links of what is gone are
		// tolerated by every reader until they are removed.
		return res, s.Unlink(ctx, op.Principal.Tenant, e.typ.Name(), op.ID)
	})
}

func (s *Server) loadHandled(ctx context.Context, e *endpoint, op *Operation) (*handled, error) {
	cur, err := e.handler.Get(ctx, op.Principal.Tenant, op.ID)
	if err != nil {
		return nil, err
	}
	shadow, err := s.shadowOf(ctx, e, op.Principal.Tenant, op.ID)
	return &handled{cur, shadow}, err
}

// checkHandled finds what is wrong with a resource of a handler's making.
func (e *endpoint) checkHandled(r *Resource) error {
	_, err := e.handler.fit(r, nil)
	return err
}

// handledWrite is a write of a resource that a handler serves.
type handledWrite struct {
	cur      *handled
	effect   Effect
	password string
	asked    []relationEdit // of the relations
	links    *linkEdits     // what comes of that
	exact    bool           // they were decided on the shadow's version
	write    func() (*Resource, error)

	counts  []LinkCount // what was done to the relations, in all attempts
	dropped []Member
}

// again prepares another attempt.
func (w *handledWrite) again(cur *handled, effect Effect) {
	counts := w.counts
	*w = handledWrite{cur: cur, effect: effect, counts: counts}
}

// linked reports whether links were changed.
func (w *handledWrite) linked() bool {
	return slices.ContainsFunc(w.counts, func(c LinkCount) bool { return c.Added+c.Removed > 0 })
}

// count adds to what was done to a relation.
func (w *handledWrite) count(c LinkCount) {
	for i := range w.counts {
		if w.counts[i].Relation == c.Relation {
			w.counts[i].Added += c.Added
			w.counts[i].Removed += c.Removed
			return
		}
	}
	w.counts = append(w.counts, c)
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

func (s *Server) commitHandled(ctx context.Context, e *endpoint, op *Operation, w *handledWrite) (*Result, error) {
	effect := &w.effect
	changes := effect.Kind == Create || effect.Kind == Delete || len(effect.Changes) > 0 || effect.Owner != nil
	if effect.Kind == Replace || effect.Kind == Patch {
		var err error
		if w.links, err = s.linksOfHandled(ctx, e, op, op.ID, w); err != nil {
			return nil, err
		}
	}
	if changes || len(effect.Links) > 0 {
		if err := s.askHandled(ctx, op, effect); err != nil {
			return nil, err
		}
	}
	if last := s.takePassword(op, effect.After, w.password); last != nil {
		if err := last(ctx); err != nil {
			return nil, err
		}
	}
	r, err := s.writeHandled(ctx, e, op, w)
	if err != nil {
		return nil, err
	}
	if effect.Kind != Delete {
		effect.ID, effect.After = r.ID(), r
	}
	w.cur.Resource = r
	if effect.Kind == Create && !e.keepsLinks() {
		if err := s.linkNew(ctx, e, op, w); err != nil {
			return nil, err
		}
	}
	if op.call != nil {
		op.call.dropped = append(op.call.dropped, w.dropped...)
	}
	if len(w.dropped) > 0 {
		s.noteSkipped(ctx, op, storage.Ref{Type: e.typ.Name(), ID: r.ID()}, w.dropped)
	}
	if changes || w.linked() {
		s.tellOfHandled(ctx, op, w)
	}
	res := &Result{Item: Item{Resource: e.shown(w.cur)}, Unchanged: !changes && !w.linked()}
	if op.NoContent || effect.Kind == Delete {
		return res, nil
	}
	res.Relations, err = s.relationsOf(ctx, e, op, r)
	return res, err
}

// writeHandled has the handler write, and before that the links, where they are in the
// store and their owner has an id.
func (s *Server) writeHandled(ctx context.Context, e *endpoint, op *Operation, w *handledWrite) (*Resource, error) {
	switch {
	case w.links == nil:
	case e.keepsLinks():
		w.dropped = w.links.dropped
		if len(w.links.edits) == 0 {
			break
		}
		if w.effect.Owner == nil {
			return s.writeLinked(ctx, e, op, w)
		}
		// It is adopted with its document, and belongs to the caller from then on.
		r, err := w.write()
		if err != nil {
			return nil, err
		}
		return s.editLinked(ctx, e, w, &LinkedWrite{Tenant: op.Principal.Tenant, ID: r.ID()})
	case w.effect.Kind != Create:
		if err := s.linkHandled(ctx, e, op, w, w.links, w.effect.After); err != nil {
			return nil, err
		}
	}
	return w.write()
}

// writeLinked has a Linker write a resource and its relations at once.
func (s *Server) writeLinked(ctx context.Context, e *endpoint, op *Operation, w *handledWrite) (*Resource, error) {
	effect, version := &w.effect, ""
	if w.cur.Resource != nil {
		version = w.cur.Meta().Version
	}
	write := &LinkedWrite{Tenant: op.Principal.Tenant, ID: op.ID}
	switch {
	case effect.Kind == Create:
		write.Resource = effect.After
	case len(effect.Changes) > 0:
		write.Resource, write.IfVersion = effect.After.WithMeta(w.cur.Meta()), version
	case op.IfMatch != "" || w.exact:
		write.IfVersion = version
	}
	return s.editLinked(ctx, e, w, write)
}

// editLinked has a Linker make a write with the edits that were worked out.
func (s *Server) editLinked(ctx context.Context, e *endpoint, w *handledWrite, write *LinkedWrite) (*Resource, error) {
	write.Edits = w.links.edits
	res, err := e.can.edit.EditLinks(ctx, write)
	if err != nil {
		return nil, err
	}
	for i, edit := range write.Edits {
		done := &res.Links[i]
		w.count(LinkCount{edit.Relation, done.Added, done.Removed})
		for _, ref := range done.Dropped {
			w.dropped = append(w.dropped, Member{ID: ref.ID, Type: ref.Type})
		}
	}
	return res.Resource, nil
}

// tellOfHandled tells the subscribers what was done.
func (s *Server) tellOfHandled(ctx context.Context, op *Operation, w *handledWrite) {
	if s.subscribers.any() {
		s.publish(ctx, op, &pending{batch: storage.Batch{Time: s.now()}, effects: []Effect{w.effect}}, w.counts)
	}
}
