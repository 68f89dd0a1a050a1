package roles

import (
	"context"
	"errors"
	"time"

	"github.com/musterhq/muster/internal/kept"
	"github.com/musterhq/muster/scim"
	"github.com/musterhq/muster/storage"
)

// HoldKind says what a hold stops.
type HoldKind string

const (
	// HoldLosing stops users from losing roles.
	HoldLosing HoldKind = "losing roles"
	// HoldGaining stops users from gaining the highest role.
	HoldGaining HoldKind = "gaining the highest role"
	// HoldDeactivating stops roles from being revoked because users were
	// deactivated or deleted.
	HoldDeactivating HoldKind = "deactivating"
)

// Hold says that changes of one kind, for the users of one connection, wait for a
// person since a limit was exceeded.
type Hold struct {
	ID         string    `json:"id"`
	Connection string    `json:"connection"`
	Kind       HoldKind  `json:"kind"`
	Since      time.Time `json:"since"`
	// Deadline is when the hold ends by itself, as if it was released then. It is zero
	// when the hold waits for a person.
	Deadline time.Time `json:"deadline,omitzero"`
	// Released is whether somebody released it and the users are being looked at
	// again.
	Released bool `json:"released,omitempty"`
}

// deadline is after how long a hold of a kind ends by itself; 0 means never.
func (l *Limits) deadline(k HoldKind) time.Duration {
	if k == HoldGaining {
		return l.GainingDeadline
	}
	return l.Deadline
}

func holdID(connection string, k HoldKind) string { return string(k) + ":" + connection }

// Holds lists the holds of a tenant by id, behind an id, at most limit, 0 meaning 100.
func (r *Reconciler) Holds(ctx context.Context, tenant, after string, limit int) ([]Hold, error) {
	page, err := r.kinds.holds.List(ctx, r.store, tenant, after, limitOr(limit))
	out := make([]Hold, len(page))
	for i, k := range page {
		out[i] = k.Value
	}
	return out, err
}

// Release ends a hold: all users of its connection are looked at again, and what
// should change now changes, whatever it was when the hold began.
// [scim.ErrNotFound] when there is no such hold.
func (r *Reconciler) Release(ctx context.Context, tenant, hold string) error {
	defer r.wake.up(tenant)
	for range maxConflicts {
		h, err := r.kinds.holds.Get(ctx, r.store, tenant, hold)
		if err != nil {
			return err
		}
		if h.Version == 0 {
			return scim.ErrNotFound
		}
		if h.Value.Released {
			return nil
		}
		h.Value.Released = true
		// Both or none: a hold that is released and not worked off would never end.
		work := todo{Kind: todoAll, ID: releaseID + hold}
		k, err := r.kinds.todos.Get(ctx, r.store, tenant, work.key())
		if err != nil {
			return err
		}
		k.Value = work
		now := r.now()
		released, err := r.kinds.holds.Put(h, now)
		if err != nil {
			return err
		}
		planned, err := r.kinds.todos.Put(k, now)
		if err != nil {
			return err
		}
		_, err = r.store.Commit(ctx, &storage.Batch{Tenant: tenant, Time: now, Puts: []storage.Put{released, planned}})
		if !errors.Is(err, storage.ErrConflict) {
			return err
		}
	}
	return storage.ErrConflict
}

// releaseID is in front of the id of a hold in the id of the work that its release is.
const releaseID = "release:"

// released looks at everybody with an exemption from a hold that was released, ends it,
// and looks at those whom it stopped meanwhile, with nothing exempted.
func (r *Reconciler) released(ctx context.Context, tenant, hold string) ([]step, exemption, error) {
	x := exemption{}
	h, err := r.kinds.holds.Get(ctx, r.store, tenant, hold)
	if err != nil {
		return nil, x, err
	}
	if h.Version > 0 && h.Value.Released { // not one that began since
		x = exemption{h.Value.Connection, []HoldKind{h.Value.Kind}}
	}
	end := func(ctx context.Context, tenant string, _ *pass, _ exemption) (bool, error) {
		return true, r.endHold(ctx, tenant, hold)
	}
	return append(r.everything(), end, r.foreseeStates("held"), r.lookStates("held")), x, nil
}

// beginHold opens a hold unless there is one.
func (r *Reconciler) beginHold(ctx context.Context, tenant, connection string, k HoldKind) error {
	h, err := r.kinds.holds.Get(ctx, r.store, tenant, holdID(connection, k))
	if err != nil || h.Version > 0 {
		return err
	}
	now := r.now()
	h.Value = Hold{ID: h.ID, Connection: connection, Kind: k, Since: now}
	if d := r.limits.deadline(k); d > 0 {
		h.Value.Deadline = now.Add(d)
	}
	if err := r.kinds.holds.Save(ctx, r.store, tenant, now, &h); err != nil {
		return err
	}
	r.count(&r.stats.held)
	r.observe(ctx, Event{Kind: HoldBegan, Tenant: tenant, Hold: &h.Value})
	return nil
}

// endHold ends a hold that was released and worked off, and begins a new window.
func (r *Reconciler) endHold(ctx context.Context, tenant, id string) error {
	h, err := r.kinds.holds.Get(ctx, r.store, tenant, id)
	if err != nil || !h.Value.Released {
		return err
	}
	err = r.guarded(ctx, tenant, func(g *guardState) { g.forget(h.Value.Connection, h.Value.Kind) })
	if err == nil {
		err = r.kinds.holds.Drop(ctx, r.store, tenant, r.now(), h)
	}
	if err == nil {
		r.observe(ctx, Event{Kind: HoldEnded, Tenant: tenant, Hold: &h.Value})
	}
	return err
}

// dueHolds releases the holds whose deadline is over, and returns when the next one
// is.
func (r *Reconciler) dueHolds(ctx context.Context, tenant string) (next time.Time, err error) {
	if r.limits == (Limits{}) {
		return next, nil
	}
	err = r.kinds.holds.Each(ctx, r.store, tenant, func(k kept.State[Hold]) error {
		switch h := k.Value; {
		case h.Released, h.Deadline.IsZero():
		case !h.Deadline.After(r.now()):
			return r.Release(ctx, tenant, h.ID)
		case next.IsZero() || h.Deadline.Before(next):
			next = h.Deadline
		}
		return nil
	})
	return next, err
}
