package roles_test

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/musterhq/muster/roles"
)

// An instance is about to grant a role when another one hears that the user is
// deactivated. The grant arrives last, and the one who made it ends before it can
// note so: the role must go all the same.
func TestGrantThatArrivesAfterADeactivation(t *testing.T) {
	t.Parallel()
	h := newHost(t, both(), byNames())
	u := h.user("u")
	var began, arrived atomic.Bool
	late, never := make(chan struct{}), make(chan struct{})
	slow, err := roles.New(h.srv.Directory(), roles.ApplierFunc(func(ctx context.Context, tenant string, changes []roles.Change) error {
		began.Store(true)
		<-late
		err := h.Apply(ctx, tenant, changes)
		arrived.Store(true)
		<-never
		return err
	}), both(), byNames(), roles.WithClock(h.clock), roles.WithApplyTimeout(time.Minute), roles.WithLogger(slog.New(slog.DiscardHandler)))
	if err != nil {
		t.Fatal(err)
	}
	ctx, end := context.WithCancel(t.Context())
	var work sync.WaitGroup
	h.group("ws-A-role-admin", u)
	work.Go(func() { _ = slow.ReconcileUser(ctx, tenant, u) })
	until(t, began.Load)
	h.active(u, false)
	h.want(u, "")
	close(late)
	until(t, arrived.Load)
	h.want(u, "A:admin") // nobody can help that
	h.wait(time.Minute)
	h.sync()
	h.want(u, "")
	end()
	close(never)
	work.Wait()
	h.sync()
	h.want(u, "")
}

// The same, and the one who made the grant lives to find that somebody came before.
func TestInstanceThatIsOvertakenTellsWhatHoldsNow(t *testing.T) {
	t.Parallel()
	h := newHost(t, both(), byNames())
	u := h.user("u")
	var began atomic.Bool
	late := make(chan struct{})
	slow, err := roles.New(h.srv.Directory(), roles.ApplierFunc(func(ctx context.Context, tenant string, changes []roles.Change) error {
		if !began.Swap(true) {
			<-late
		}
		return h.Apply(ctx, tenant, changes)
	}), both(), byNames(), roles.WithClock(h.clock), roles.WithLogger(slog.New(slog.DiscardHandler)))
	if err != nil {
		t.Fatal(err)
	}
	h.group("ws-A-role-admin", u)
	done := make(chan error, 1)
	go func() { done <- slow.ReconcileUser(t.Context(), tenant, u) }()
	until(t, began.Load)
	h.active(u, false)
	close(late)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	h.want(u, "")
}

func TestHoldOfGainsEndsAtItsDeadlineWithWhatIsTrueThen(t *testing.T) {
	t.Parallel()
	h := newHost(t, tableOnly(), roles.WithLimits(roles.Limits{GainingHighest: 1, GainingDeadline: time.Hour}))
	u, v := h.user("u"), h.user("v")
	g := h.group("G", u, v)
	h.row(g, "W", "admin")
	h.sync()
	h.wait(59 * time.Minute)
	h.remove(g, v)
	h.sync()
	h.want(u, "")
	h.wait(time.Minute)
	h.sync()
	h.want(u, "W:admin")
	h.want(v, "")
	if h.did(roles.HoldEnded) != 1 {
		t.Errorf("events: %+v", h.events)
	}
}

func TestGainingTheHighestRoleIsHeldUntilSomebodyReleasesIt(t *testing.T) {
	t.Parallel()
	h := newHost(t, tableOnly(), roles.WithLimits(roles.Limits{GainingHighest: 1, Deadline: time.Hour}))
	u, v := h.user("u"), h.user("v")
	g := h.group("G", u, v)
	h.row(g, "W", "admin")
	h.sync()
	h.want(u, "")
	h.want(v, "")
	h.wait(30 * 24 * time.Hour)
	h.sync()
	h.want(u, "")
	holds, err := h.rec.Holds(t.Context(), tenant, "", 0)
	if err != nil || len(holds) != 1 || holds[0].Kind != roles.HoldGaining {
		t.Fatalf("holds %+v, %v", holds, err)
	}
	if err := h.rec.Release(t.Context(), tenant, holds[0].ID); err != nil {
		t.Fatal(err)
	}
	h.remove(g, v) // meanwhile
	h.sync()
	h.want(u, "W:admin")
	h.want(v, "")
	if h.did(roles.HoldBegan) != 1 || h.did(roles.HoldEnded) != 1 {
		t.Errorf("events: %+v", h.events)
	}
}

func TestDeactivationsAreHeldOnlyWhereAsked(t *testing.T) {
	t.Parallel()
	for limit, want := range map[int]string{0: "", 1: "W:admin"} {
		h := newHost(t, tableOnly(), roles.WithLimits(roles.Limits{Losing: 1, Deactivating: limit, Deadline: time.Hour}))
		u, v := h.user("u"), h.user("v")
		h.row(h.group("G", u, v), "W", "admin")
		h.sync()
		h.active(u, false)
		h.active(v, false)
		h.sync()
		h.want(u, "")
		h.want(v, want)
		h.wait(time.Hour)
		h.sync()
		h.want(v, "")
	}
}
