package roles

import (
	"context"
	"time"

	"github.com/musterhq/muster/internal/kept"
)

// guardState counts users for the guards.
type guardState struct {
	// Counts are in no order.
	Counts []guardCount `json:"counts,omitempty"`
}

// guardCount is how many users of a connection were counted in a slot of time. A window
// has so many slots that it may begin with any of them.
type guardCount struct {
	Connection string    `json:"connection"`
	Kind       HoldKind  `json:"kind"`
	Slot       time.Time `json:"slot"`
	Users      int       `json:"users"`
}

const slots = 12 // of a window

// counted is how many users of a connection count in the window that ends now. What was
// counted in a slot that the window began in the middle of counts.
func (g *guardState) counted(connection string, k HoldKind, now time.Time, window time.Duration) (n int) {
	first := now.Add(-window).Truncate(window / slots)
	for _, c := range g.Counts {
		if c.Connection == connection && c.Kind == k && !c.Slot.Before(first) {
			n += c.Users
		}
	}
	return n
}

// add counts a user, and forgets what no window has in it any more.
func (g *guardState) add(connection string, k HoldKind, now time.Time, window time.Duration) {
	slot := guardCount{Connection: connection, Kind: k, Slot: now.Truncate(window / slots), Users: 1}
	first := now.Add(-window).Truncate(window / slots)
	counts := make([]guardCount, 0, len(g.Counts)+1)
	for _, c := range g.Counts {
		switch {
		case c.Slot.Before(first):
		case c.Connection == connection && c.Kind == k && c.Slot.Equal(slot.Slot):
			slot.Users += c.Users
		default:
			counts = append(counts, c)
		}
	}
	g.Counts = append(counts, slot)
}

// forget takes the counts of a kind away.
func (g *guardState) forget(connection string, k HoldKind) {
	var counts []guardCount
	for _, c := range g.Counts {
		if c.Connection != connection || c.Kind != k {
			counts = append(counts, c)
		}
	}
	g.Counts = counts
}

// loadCount reads the counters, once.
func (r *Reconciler) loadCount(ctx context.Context, tenant string, j *judged) error {
	if j.count != nil {
		return nil
	}
	var g kept.State[guardState]
	g, err := r.kinds.guards.Get(ctx, r.store, tenant, only)
	j.count = &g
	return err
}

// isCounted reports whether a user counts already in the window that ends now.
func (r *Reconciler) isCounted(st *userState, k HoldKind) bool {
	at, ok := st.Counted[k]
	return ok && r.now().Sub(at) < r.limits.Window
}

// countedNow returns when the guards counted a user last, with those that do now.
func (r *Reconciler) countedNow(before map[HoldKind]time.Time, kinds []HoldKind, now time.Time) map[HoldKind]time.Time {
	after := map[HoldKind]time.Time{}
	for k, at := range before {
		if now.Sub(at) < r.limits.Window {
			after[k] = at
		}
	}
	for _, k := range kinds {
		after[k] = now
	}
	return after
}
