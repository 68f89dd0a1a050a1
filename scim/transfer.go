package scim

import (
	"context"
	"errors"
	"fmt"

	"github.com/musterhq/muster/storage"
)

// Transfer gives resources of one connection to another one of the same tenant, with
// their ids and links: after a merger, or when an application was set up anew at the
// identity provider. Package ownership does it for all that a connection has. As in a
// [Principal], to may be "" for "default"; from "" are the resources of a [ResourceHandler]
// that belong to no connection.
//
// The errors are parallel to refs. nil: the resource belongs to the connection to now,
// or did before, so that a transfer may be repeated. [ErrNotFound]: there is no such
// resource, or it belongs to neither. A 409 [*Error]: the connection to has a resource of
// the same name already, where names are unique in a connection. A 405: the handler of
// the type is no [Adopter]. Any other: the store failed.
//
// It is the host's own decision: guards are not asked. Subscribers hear of a Replace
// with [Effect.Owner] by a principal of the connection to. What is changed meanwhile by
// others is not lost. Tombstones stay where they are.
func (s *Server) Transfer(ctx context.Context, tenant, from, to string, refs ...Ref) []error {
	errs := make([]error, len(refs))
	p := normal(Principal{Tenant: tenant, Connection: to})
	for start := 0; start < len(refs); start += transferBatch {
		end := min(start+transferBatch, len(refs))
		if s.transferTogether(ctx, p, from, refs[start:end]) {
			continue
		}
		for i := start; i < end; i++ {
			errs[i] = s.repeat(ctx, func(ctx context.Context) error {
				return whileConflict(ctx, func() error { return s.transferOne(ctx, p, from, refs[i]) })
			})
		}
	}
	return errs
}

// transferBatch is how many resources are given away in one commit.
const transferBatch = 100

// transferTogether gives resources away in one commit. It reports false when that
// cannot be done, for whatever reason, and then nothing is.
func (s *Server) transferTogether(ctx context.Context, p Principal, from string, refs []Ref) bool {
	w := &pending{batch: storage.Batch{Tenant: p.Tenant, Time: s.now()}}
	for _, ref := range refs {
		e := s.byName[ref.Type]
		if e == nil || e.handler != nil {
			return false
		}
		if err := s.addTransfer(ctx, e, w, p, from, ref); err != nil {
			return false
		}
	}
	return s.commitTransfer(ctx, p, w) == nil
}

// transferOne gives one resource away.
func (s *Server) transferOne(ctx context.Context, p Principal, from string, ref Ref) error {
	e := s.byName[ref.Type]
	switch {
	case e == nil:
		return ErrNotFound
	case e.handler != nil:
		return s.transferHandled(ctx, e, p, from, ref)
	}
	w := &pending{batch: storage.Batch{Tenant: p.Tenant, Time: s.now()}}
	err := s.addTransfer(ctx, e, w, p, from, ref)
	if err == nil {
		err = s.commitTransfer(ctx, p, w)
	}
	var failed *storage.CommitError
	switch {
	case errors.Is(err, storage.ErrNotUnique) && errors.As(err, &failed):
		return notUnique(failed.Attr).WithCause(err)
	case errors.Is(err, storage.ErrNotFound):
		return ErrNotFound
	case err != nil && !isConflict(err) && !errors.Is(err, ErrNotFound):
		return fmt.Errorf("scim: transfer: %w", err)
	}
	return err
}

// addTransfer adds the write that gives a resource away; none when that has been done.
func (s *Server) addTransfer(ctx context.Context, e *endpoint, w *pending, p Principal, from string, ref Ref) error {
	rec, err := s.store.Get(ctx, p.Tenant, ref)
	switch {
	case err != nil:
		return err
	case rec.Hidden || rec.Connection != from && rec.Connection != p.Connection:
		return ErrNotFound
	case rec.Connection == p.Connection:
		return nil
	}
	cur, err := rec.Resource(e.typ)
	if err != nil {
		return err
	}
	next := storage.NewRecord(cur, p.Connection)
	next.Created = rec.Created
	w.batch.Puts = append(w.batch.Puts, storage.Put{
		Record: next, IfVersion: rec.Version, Change: storage.ChangeInfo{Kind: "transferred"},
	})
	w.effects = append(w.effects, transferEffect(e, cur, from, p.Connection))
	return nil
}

func transferEffect(e *endpoint, r *Resource, from, to string) Effect {
	return Effect{Kind: Replace, Type: e.typ, ID: r.ID(), Before: r, After: r, Owner: &OwnerChange{From: from, To: to}}
}

func (s *Server) commitTransfer(ctx context.Context, p Principal, w *pending) error {
	if len(w.batch.Puts) == 0 {
		return nil
	}
	if _, err := s.write(ctx, s.store, w); err != nil {
		return err
	}
	if s.subscribers.any() {
		s.publish(ctx, &Operation{Principal: p}, w, nil)
	}
	return nil
}

func (s *Server) transferHandled(ctx context.Context, e *endpoint, p Principal, from string, ref Ref) error {
	if e.can.adopt == nil {
		return s.notAllowed(e, Replace)
	}
	cur, err := s.Directory().Get(ctx, p.Tenant, ref)
	switch {
	case err != nil:
		return err
	case cur.Connection == p.Connection:
		return nil
	case cur.Connection != from:
		return ErrNotFound
	}
	r, err := e.can.adopt.Adopt(within(ctx, ""), p.Tenant, cur.Resource, from, p.Connection)
	if err == nil {
		err = e.checkHandled(r)
	}
	if err != nil {
		return err
	}
	if s.subscribers.any() {
		effect := transferEffect(e, cur.Resource, from, p.Connection)
		effect.After = r
		s.publish(ctx, &Operation{Principal: p}, &pending{batch: storage.Batch{Time: s.now()}, effects: []Effect{effect}}, nil)
	}
	return nil
}
