package scim

import (
	"context"
	"net/http"

	"github.com/musterhq/muster/scim/patch"
	"github.com/musterhq/muster/storage"
)

func (s *Server) replace(ctx context.Context, e *endpoint, op *Operation) (*Result, error) {
	if e.handler != nil {
		return s.replaceHandled(ctx, e, op)
	}
	return s.retry(ctx, op, func(ctx context.Context, st storage.Store) (*Result, error) {
		rec, cur, err := s.current(ctx, st, e, op)
		if err != nil {
			return nil, err
		}
		next, password, err := e.replacement(op.Resource, cur)
		if err != nil {
			return nil, err
		}
		asked := setAll(e, op.Relations, s.keepsAbsent(op))
		return s.update(ctx, st, e, op, &update{rec: rec, cur: cur, next: next, password: password, links: asked, kind: "replaced"})
	})
}

// replacement is the state that a PUT asks for, or an error when it would change
// what cannot change (RFC 7644 section 3.5.1).
func (e *endpoint) replacement(r, cur *Resource) (*Resource, string, error) {
	next, password := e.prepare(r.WithMeta(cur.Meta()), cur)
	if err := e.checkFixed(next, cur); err != nil {
		return nil, "", err
	}
	return next, password, nil
}

// checkFixed finds changes of what cannot change.
func (e *endpoint) checkFixed(next, cur *Resource) error {
	for _, p := range e.fixed {
		if was := cur.Get(p); !was.IsZero() && !was.Same(next.Get(p)) {
			return Errorf(http.StatusBadRequest, Mutability, "attribute %q cannot be changed once it is set", p)
		}
	}
	return nil
}

// update is a write of an existing resource, decided and not yet committed.
type update struct {
	rec       *storage.Record
	cur, next *Resource
	changes   []patch.Change // nil: to be found out
	password  string
	links     []relationEdit
	exact     bool // the links were decided on the record's version
	kind      string
	owner     *OwnerChange // nil: the record stays with its connection
}

// connection is the one that the record will belong to.
func (u *update) connection() string {
	if u.owner != nil {
		return u.owner.To
	}
	return u.rec.Connection
}

// update commits what differs: the document, links, both or nothing.
func (s *Server) update(ctx context.Context, st storage.Store, e *endpoint, op *Operation, u *update) (*Result, error) {
	links, err := s.linkEdits(ctx, st, e, op, op.ID, u.links)
	if err != nil {
		return nil, err
	}
	if u.changes == nil && u.next != u.cur {
		u.changes = patch.Diff(u.cur, u.next)
	}
	if u.next, u.changes, _, err = s.amendUpdate(ctx, op, u.cur, u.next, u.changes); err != nil {
		return nil, err
	}
	w := s.newPending(op, Effect{Kind: op.Method, Type: e.typ, ID: op.ID, Before: u.cur, After: u.next, Changes: u.changes, Owner: u.owner})
	res := &Result{Item: Item{Resource: u.cur}}
	if len(u.changes) > 0 || u.owner != nil {
		res.Resource = u.next
		rec := storage.NewRecord(u.next, u.connection())
		rec.Created = u.rec.Created
		w.put(storage.Put{
			Record: rec, IfVersion: u.rec.Version,
			Change: storage.ChangeInfo{Kind: u.kind, Paths: changedPaths(u.changes)},
		})
	}
	links.addTo(w)
	if op.IfMatch != "" || u.exact {
		for i := range w.batch.Links {
			w.batch.Links[i].IfVersion = u.rec.Version
		}
	}
	w.last = s.takePassword(op, u.next, u.password)
	done := &storage.CommitResult{}
	if len(w.batch.Puts)+len(w.batch.Links) > 0 {
		done, err = s.commit(ctx, st, op, w)
	} else if w.last != nil && op.over() == nil {
		err = w.last(ctx)
	}
	if err != nil {
		return nil, err
	}
	res.Unchanged = len(u.changes) == 0 && u.owner == nil
	if !res.Unchanged {
		m := u.cur.Meta()
		m.Version, m.LastModified = versionText(done.Puts[0]), w.batch.Time
		res.Resource = u.next.WithMeta(m)
	}
	for _, l := range done.Links {
		res.Unchanged = res.Unchanged && l.Added+l.Removed == 0
	}
	return res, s.finish(ctx, e, op, w, done, links, res)
}

func changedPaths(changes []patch.Change) []string {
	paths := make([]string, len(changes))
	for i, c := range changes {
		paths[i] = c.Path.String()
	}
	return paths
}
