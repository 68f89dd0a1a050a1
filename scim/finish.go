package scim

import (
	"context"
	"time"

	"github.com/musterhq/muster/scim/resource"
	"github.com/musterhq/muster/storage"
)

// finish does what follows a commit: members whose type was guessed wrong get a
// second chance, the host hears of the change, and the answer gets its relations.
func (s *Server) finish(ctx context.Context, e *endpoint, op *Operation, w *pending, done *storage.CommitResult, links *linkEdits, res *Result) error {
	if o := op.over(); o != nil {
		o.staged = append(o.staged, &staged{ctx, e, op, w, links, res})
		return nil
	}
	counts := make([]LinkCount, 0, len(done.Links))
	for i := range done.Links {
		edit, result := &w.batch.Links[i], &done.Links[i]
		if err := s.settleDropped(ctx, e, op, w.batch.Time, edit, result, links); err != nil {
			return err
		}
		counts = append(counts, LinkCount{edit.Relation, result.Added, result.Removed})
		if m := res.Resource.Meta(); result.Added+result.Removed > 0 || m.Version == "" {
			m.Version, m.LastModified = versionText(result.Version), result.Modified
			res.Resource = res.Resource.WithMeta(m)
		}
	}
	if op.call != nil {
		op.call.dropped = append(op.call.dropped, links.dropped...)
	}
	if len(links.dropped) > 0 {
		s.noteSkipped(ctx, op, storage.Ref{Type: e.typ.Name(), ID: res.Resource.ID()}, links.dropped)
	}
	if s.subscribers.any() {
		s.publish(ctx, op, w, counts)
	}
	if op.Method == Delete && (len(e.typ.Relations()) > 0 || s.fromUsers != nil && len(e.typ.Inverses()) > 0) {
		s.forgetSkipped(ctx, op.Principal.Tenant, storage.Ref{Type: e.typ.Name(), ID: op.ID})
	}
	if op.Method == Delete && s.hosts {
		s.unlinkByHandlers(ctx, op.Principal.Tenant, refOf(op))
	}
	if op.NoContent || op.Method == Delete {
		return nil
	}
	if op.Method == Create && len(w.batch.Links) == 0 {
		res.Relations = e.noLinks(op.Projection) // nobody can have linked to it yet
		return nil
	}
	var err error
	res.Relations, err = s.relationsOf(ctx, e, op, res.Resource)
	return err
}

// noLinks shows the relations of a resource that has no links.
func (e *endpoint) noLinks(p *resource.Projection) (views []resource.RelationView) {
	for _, r := range e.typ.Relations() {
		if p.Shows(r.Path) {
			views = append(views, resource.RelationView{Path: r.Path})
		}
	}
	return views
}

// settleDropped tries the members that an edit left out as each further type of
// the relation and keeps those that are of none. It belongs to the write of that
// time: a resource is not modified after its creation because its members were of
// another type than the assumed one.
func (s *Server) settleDropped(ctx context.Context, e *endpoint, op *Operation, at time.Time, edit *storage.LinkEdit, result *storage.LinkResult, links *linkEdits) error {
	if len(result.Dropped) == 0 {
		return nil
	}
	var guessed map[storage.Ref]bool
	for i := range links.edits {
		if links.edits[i].Relation == edit.Relation {
			guessed = links.guessed[i]
		}
	}
	dropped := result.Dropped
	for _, r := range e.typ.Relations() {
		if r.Attribute != edit.Relation {
			continue
		}
		for turn := 1; len(dropped) > 0; turn++ {
			again, lost := s.another(r, *edit, dropped, guessed, turn)
			for _, ref := range lost {
				links.dropped = append(links.dropped, Member{ID: ref.ID})
			}
			if len(again.Add) == 0 {
				return nil
			}
			next, err := s.store.Commit(ctx, &storage.Batch{Tenant: op.Principal.Tenant, Time: at, Links: []storage.LinkEdit{again}})
			if err != nil {
				return err
			}
			dropped = next.Links[0].Dropped
			retype(edit.Add, guessed, again.Add, dropped)
			result.Added += next.Links[0].Added
			result.Version, result.Modified = next.Links[0].Version, next.Links[0].Modified
		}
	}
	return nil
}

// retype gives links that were made under another type than the assumed one that
// type, so that the host hears of what is there. Effects share the list.
func retype(add []storage.Ref, assumed map[storage.Ref]bool, tried, dropped []storage.Ref) {
	made := make(map[string]storage.Ref, len(tried))
	for _, ref := range tried {
		made[ref.ID] = ref
	}
	for _, ref := range dropped {
		delete(made, ref.ID)
	}
	for i, ref := range add {
		if to, ok := made[ref.ID]; ok && assumed[ref] {
			add[i] = to
		}
	}
}
