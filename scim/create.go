package scim

import (
	"context"
	"errors"

	"github.com/musterhq/muster/scim/resource"
	"github.com/musterhq/muster/storage"
)

func (s *Server) create(ctx context.Context, e *endpoint, op *Operation) (*Result, error) {
	if e.handler != nil {
		return s.createOrAdoptHandled(ctx, e, op)
	}
	r, password := e.prepare(op.Resource, nil)
	return s.retry(ctx, op, func(ctx context.Context, st storage.Store) (*Result, error) {
		return s.adoptOr(ctx, st, e, op, func() (*Result, error) {
			id, tombstone := "", (*storage.Record)(nil)
			if op.plan != nil {
				id, tombstone = op.plan.id, op.plan.tombstone
			}
			if id == "" {
				id = newID()
			}
			return s.createAs(ctx, st, e, op, r.WithMeta(Meta{ID: id}), password, tombstone)
		})
	})
}

// createAs commits a new resource, or with a tombstone, brings that one back as
// the new resource.
func (s *Server) createAs(ctx context.Context, st storage.Store, e *endpoint, op *Operation, sent *Resource, password string, tombstone *storage.Record) (*Result, error) {
	r, err := s.amend(ctx, op, nil, sent)
	if err != nil {
		return nil, err
	}
	w := s.newPending(op, Effect{Kind: Create, Type: e.typ, ID: r.ID(), After: r})
	rec := storage.NewRecord(r, op.Principal.Connection)
	rec.Created = w.batch.Time
	if tombstone == nil {
		w.put(storage.Put{Record: rec, IfAbsent: true, Change: storage.ChangeInfo{Kind: "created"}})
	} else {
		w.put(storage.Put{Record: rec, IfVersion: tombstone.Version, Change: storage.ChangeInfo{Kind: "revived"}})
	}
	links, err := s.linkEdits(ctx, st, e, op, r.ID(), setAll(e, op.Relations, func(Path) bool { return false }))
	if err != nil {
		return nil, err
	}
	links.addTo(w)
	w.last = s.takePassword(op, r, password)
	if tombstone == nil && (s.revive != nil || s.immutableExternalID) {
		w.revives = func(holder *storage.Record, _ storage.Ref) bool { return s.revives(ctx, e, op, holder, r) }
	}
	done, err := s.commit(ctx, st, op, w)
	if back := revivalOf(err); back != nil {
		return s.createAs(ctx, st, e, op, r.WithMeta(Meta{ID: back.tombstone.ID}), password, back.tombstone)
	}
	if err != nil {
		return nil, err
	}
	created := rec.Created
	if tombstone != nil {
		created = tombstone.Created
	}
	meta := Meta{ID: r.ID(), Version: versionText(done.Puts[0]), Created: created, LastModified: w.batch.Time}
	res := &Result{Item: Item{Resource: r.WithMeta(meta)}}
	if err := s.finish(ctx, e, op, w, done, links, res); err != nil {
		return nil, err
	}
	return res, nil
}

func revivalOf(err error) *revival {
	if err == nil {
		return nil
	}
	var back *revival
	errors.As(err, &back)
	return back
}

// revives reports whether a create brings back the tombstone that holds one of
// its unique values. A recycled name alone never does: it may be another person's.
func (s *Server) revives(ctx context.Context, e *endpoint, op *Operation, tombstone *storage.Record, created *Resource) bool {
	if tombstone.Type != e.typ.Name() || tombstone.Connection != op.Principal.Connection {
		return false
	}
	old, err := tombstone.Resource(e.typ)
	if err != nil {
		return false
	}
	external := created.Get(e.typ.Common().ExternalID).Text()
	if s.immutableExternalID && external != "" && external == old.Get(e.typ.Common().ExternalID).Text() {
		return true
	}
	return s.revive != nil && s.revive(ctx, op.Principal, old, created)
}

// prepare completes a resource that is about to be kept: "active" is decided,
// what a replace must not touch is taken from cur, and the password is taken out.
func (e *endpoint) prepare(r, cur *Resource) (*Resource, string) {
	var b *resource.Builder
	set := func(p Path, v Value) {
		if b == nil {
			b = r.Edit()
		}
		b.SetValue(p, v)
	}
	if !e.active.IsZero() && r.Get(e.active).IsZero() {
		// A new resource is active; nothing but an explicit true reactivates one.
		set(e.active, resource.Boolean(e.active, cur == nil || cur.Active()))
	}
	password := ""
	if !e.secret.IsZero() {
		if v := r.Get(e.secret); !v.IsZero() {
			password = v.Text()
			set(e.secret, Value{})
		}
	}
	if cur != nil {
		for _, p := range e.kept {
			if v := cur.Get(p); !v.IsZero() && r.Get(p).IsZero() && p != e.secret {
				set(p, v)
			}
		}
		for _, p := range e.made {
			within := p.Parent().IsZero() || !r.Get(p.Parent()).IsZero()
			if v := cur.Get(p); within && !v.IsZero() && r.Get(p).IsZero() {
				set(p, v)
			}
		}
		for _, p := range e.fixed {
			if v := cur.Get(p); !v.IsZero() && r.Get(p).IsZero() {
				set(p, v)
			}
		}
	}
	if b != nil {
		r = b.Resource()
	}
	return r, password
}

// takePassword returns what hands a password to the host, nil when there is nothing
// to hand over.
func (s *Server) takePassword(op *Operation, r *Resource, password string) func(context.Context) error {
	if password == "" || s.password == nil {
		return nil
	}
	return func(ctx context.Context) error { return s.password(ctx, op.Principal, r, password) }
}
