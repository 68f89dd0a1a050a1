package scim

import (
	"context"
	"errors"

	"github.com/musterhq/muster/scim/resource"
	"github.com/musterhq/muster/scim/schema"
	"github.com/musterhq/muster/storage"
)

// A resource that a handler serves may own relations. Its links are in the store,
// where a record stands for the owner: its shadow. The shadow has an empty document;
// it carries the label that other resources show, and its version counts the changes
// of the links. It is made when the first link is.
//
// Every connection of the tenant may reach the resources of a handler, while a link
// is made within one connection; so the shadow belongs to the connection that last
// edited the links.

// handled is a resource as its handler has it, with its shadow.
type handled struct {
	*Resource                 // with the handler's version
	shadow    *storage.Record // nil: there never was a link
}

// shown is the resource with the version that clients see: it covers the document
// and the links. The content stands for the version of a handler that keeps none,
// unless there are links that only the handler knows of.
func (e *endpoint) shown(h *handled) *Resource {
	if h.Resource == nil {
		return nil
	}
	m := h.Meta()
	if m.Version == "" && !e.keepsLinks() {
		m.Version = ContentVersion(h.Resource)
	}
	if h.shadow != nil {
		m.Version += "." + versionText(h.shadow.Version)
		if h.shadow.Modified.After(m.LastModified) && !m.LastModified.IsZero() {
			m.LastModified = h.shadow.Modified
		}
	}
	return h.WithMeta(m)
}

// shadowOf reads the shadow of a resource; nil when it has none.
func (s *Server) shadowOf(ctx context.Context, e *endpoint, tenant, id string) (*storage.Record, error) {
	if len(e.typ.Relations()) == 0 || e.keepsLinks() {
		return nil, nil
	}
	rec, err := s.store.Get(ctx, tenant, storage.Ref{Type: e.typ.Name(), ID: id})
	if errors.Is(err, storage.ErrNotFound) {
		return nil, nil
	}
	return rec, err
}

// showHandled gives the resources of a list the versions that clients see.
func (s *Server) showHandled(ctx context.Context, e *endpoint, op *Operation, items []Item) error {
	if e.handler == nil {
		return nil
	}
	for i := range items {
		r := items[i].Resource
		shadow, err := s.shadowOf(ctx, e, op.Principal.Tenant, r.ID())
		if err != nil {
			return err
		}
		items[i].Resource = e.shown(&handled{r, shadow})
	}
	return nil
}

// linksOfHandled works out the edits of relations that a write asks for.
func (s *Server) linksOfHandled(ctx context.Context, e *endpoint, op *Operation, id string, w *handledWrite) (*linkEdits, error) {
	var links *linkEdits
	var err error
	if e.keepsLinks() {
		links, err = s.editsOfLinker(ctx, e, op, w.asked)
	} else {
		links, err = s.linkEdits(ctx, s.store, e, op, id, w.asked)
	}
	if err != nil {
		return nil, err
	}
	w.effect.Links = nil
	for i := range links.edits {
		edit := &links.edits[i]
		if w.cur.shadow == nil && len(edit.Add) == 0 && !e.keepsLinks() {
			continue // there is nothing to take away
		}
		if id == "" && !e.keepsLinks() && edit.Missing == storage.MissingReject {
			if err := s.findTargets(ctx, s.store, op, edit, links, i); err != nil {
				return nil, err
			}
		}
		w.effect.Links = append(w.effect.Links, LinkEffect{Relation: edit.Relation, Reset: edit.Reset, Add: edit.Add, Remove: edit.Remove})
	}
	return links, nil
}

// linkNew makes the links of a resource that the handler has just created. A shadow
// that is there already is that of an earlier resource of the same id.
func (s *Server) linkNew(ctx context.Context, e *endpoint, op *Operation, w *handledWrite) (err error) {
	tenant, id := op.Principal.Tenant, w.cur.ID()
	if w.cur.shadow, err = s.shadowOf(ctx, e, tenant, id); err == nil {
		var links *linkEdits
		if links, err = s.linksOfHandled(ctx, e, op, id, w); err == nil {
			err = s.linkHandled(ctx, e, op, w, links, w.cur.Resource)
		}
	}
	if err != nil && e.can.delete != nil {
		// The client is told that nothing was created, so nothing should be there.
		ctx := context.WithoutCancel(ctx)
		if undo := e.can.delete.Delete(ctx, tenant, id, w.cur.Meta().Version); undo != nil {
			s.log.WarnContext(ctx, "scim: a resource whose members could not be linked could not be removed again",
				"type", e.typ.Name(), "id", id, "error", undo.Error())
		}
	}
	return err
}

// linkHandled commits link edits together with the shadow, as far as it has to be
// made or changed. doc is the resource whose label the shadow carries.
func (s *Server) linkHandled(ctx context.Context, e *endpoint, op *Operation, w *handledWrite, links *linkEdits, doc *Resource) error {
	shadow := w.cur.shadow
	p := &pending{guessed: links.others}
	p.batch.Tenant, p.batch.Time = op.Principal.Tenant, s.now()
	for _, edit := range links.edits {
		if shadow == nil && len(edit.Add) == 0 {
			continue
		}
		if shadow != nil && (op.IfMatch != "" || w.exact) {
			edit.IfVersion = shadow.Version
		}
		p.batch.Links = append(p.batch.Links, edit)
	}
	next := shadowRecord(e, op, doc)
	switch {
	case shadow == nil && len(p.batch.Links) == 0:
		w.dropped = links.dropped
		return nil
	case shadow == nil:
		p.put(storage.Put{Record: next, IfAbsent: true, Change: storage.ChangeInfo{Kind: "created"}})
	case shadow.Label != next.Label, shadow.Hidden, len(p.batch.Links) > 0 && s.scope(op.Principal) != "" && shadow.Connection != next.Connection:
		p.put(storage.Put{Record: next, IfVersion: shadow.Version, Change: storage.ChangeInfo{Kind: "patched"}})
	}
	if len(p.batch.Links)+len(p.batch.Puts) == 0 {
		return nil
	}
	done, err := s.store.Commit(ctx, &p.batch)
	for p.guessAgain(ctx, s.store, err) {
		done, err = s.store.Commit(ctx, &p.batch)
	}
	if err != nil {
		return err
	}
	if shadow != nil {
		next.Version, next.Modified = shadow.Version, shadow.Modified
	}
	for _, version := range done.Puts {
		next.Version, next.Modified = version, p.batch.Time
	}
	for i := range done.Links {
		edit, result := &p.batch.Links[i], &done.Links[i]
		if err := s.settleDropped(ctx, e, op, p.batch.Time, edit, result, links); err != nil {
			return err
		}
		w.count(LinkCount{edit.Relation, result.Added, result.Removed})
		next.Version, next.Modified = result.Version, result.Modified
	}
	w.cur.shadow, w.dropped = next, links.dropped
	return nil
}

// shadowRecord makes the shadow of a resource.
func shadowRecord(e *endpoint, op *Operation, doc *Resource) *storage.Record {
	rec := storage.NewRecord(e.bare.WithMeta(resource.Meta{ID: doc.ID()}), op.Principal.Connection)
	if label := e.typ.Label(); !label.IsZero() {
		rec.Label = doc.Get(label).Text()
	}
	return rec
}

// findTargets looks for the targets of an edit's new links, for links that the store
// cannot judge: those of a relation with a target type that a handler serves, and
// those of an owner that does not exist yet. A handler that is a Labeler is asked once
// for all. Of another one, a link is taken as it is when the client names its type, or
// names none and it is the relation's first, so that most members cost the host
// nothing; of another type a member without a type is only when such a resource is
// there.
func (s *Server) findTargets(ctx context.Context, st storage.Store, op *Operation, edit *storage.LinkEdit, links *linkEdits, at int) error {
	targets := s.targetsOf(edit.Owner.Type, edit.Relation)
	guessed := map[storage.Ref]bool(nil)
	if at < len(links.guessed) {
		guessed = links.guessed[at]
	}
	there, err := s.labelledTargets(ctx, st, op, edit, targets, guessed)
	if err != nil {
		return err
	}
	found := edit.Add[:0:0]
	for _, ref := range edit.Add {
		candidates := []string{ref.Type}
		if guessed[ref] {
			candidates = targets
		}
		to, ok, err := s.findTarget(ctx, st, op, ref.ID, candidates, there)
		switch {
		case err != nil:
			return err
		case ok:
			found = append(found, to)
		case s.rejectsUnknown(op):
			return unknownMember(edit.Relation)
		default:
			links.dropped = append(links.dropped, Member{ID: ref.ID, Type: ref.Type})
		}
	}
	edit.Add, edit.Remove = normalForm(found, edit.Remove)
	return nil
}

// labelledTargets finds the targets of an edit's new links that handlers have which
// can look for many at once.
func (s *Server) labelledTargets(ctx context.Context, st storage.Store, op *Operation, edit *storage.LinkEdit, targets []string, guessed map[storage.Ref]bool) (map[storage.Ref]bool, error) {
	wanted := map[string][]string{}
	for _, ref := range edit.Add {
		for _, t := range targets {
			if (t == ref.Type || guessed[ref]) && s.byName[t] != nil && s.byName[t].can.label != nil {
				wanted[t] = append(wanted[t], ref.ID)
			}
		}
	}
	there := map[storage.Ref]bool{}
	return there, s.findAll(ctx, st, op, s.scope(op.Principal), wanted, there)
}

// findTarget finds the resource of that id among types of which the first is
// assumed. there are those of handlers that can look for many at once.
func (s *Server) findTarget(ctx context.Context, st storage.Store, op *Operation, id string, types []string, there map[storage.Ref]bool) (storage.Ref, bool, error) {
	// The store is asked first, for it may know better than the assumption.
	for _, inStore := range []bool{true, false} {
		for i, t := range types {
			e := s.byName[t]
			if e == nil || inStore != (e.handler == nil) {
				continue
			}
			ref := storage.Ref{Type: t, ID: id}
			switch {
			case e.can.label != nil:
				if there[ref] {
					return ref, true, nil
				}
				continue
			case i == 0 && !inStore:
				return ref, true, nil
			}
			ok, err := s.exists(ctx, st, e, op, ref)
			if ok || err != nil {
				return ref, ok, err
			}
		}
	}
	return storage.Ref{}, false, nil
}

// exists reports whether there is a resource that the operation may know of.
func (s *Server) exists(ctx context.Context, st storage.Store, e *endpoint, op *Operation, ref storage.Ref) (bool, error) {
	if e.handler != nil {
		_, err := e.handler.Get(ctx, op.Principal.Tenant, ref.ID)
		if errors.Is(err, ErrNotFound) {
			return false, nil
		}
		return err == nil, err
	}
	rec, err := st.Get(ctx, op.Principal.Tenant, ref)
	if errors.Is(err, storage.ErrNotFound) {
		return false, nil
	}
	scope := s.scope(op.Principal)
	return err == nil && !rec.Hidden && (scope == "" || rec.Connection == scope), err
}

// targetsOf are the types that a relation leads to.
func (s *Server) targetsOf(owner, relation string) []string {
	if r, ok := s.relation(owner, relation); ok {
		return r.Targets
	}
	return nil
}

func (s *Server) relation(owner, name string) (schema.RelationPath, bool) {
	if e := s.byName[owner]; e != nil {
		for _, r := range e.typ.Relations() {
			if r.Attribute == name {
				return r, true
			}
		}
	}
	return schema.RelationPath{}, false
}
