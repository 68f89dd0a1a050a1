package roles_test

import (
	"context"
	"flag"
	"fmt"
	"iter"
	"log/slog"
	"maps"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/musterhq/muster/roles"
	"github.com/musterhq/muster/scim"
	"github.com/musterhq/muster/storage"
	"github.com/musterhq/muster/storage/memory"
)

const minLease = time.Second

func until(t *testing.T, done func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !done(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("it does not happen")
		}
	}
}

func keysOf[V any](list ...map[string]V) iter.Seq[string] {
	all := map[string]bool{}
	for _, m := range list {
		for k := range m {
			all[k] = true
		}
	}
	return maps.Keys(all)
}

// plain is a store without a change log.
type plain struct{ storage.Store }

func TestStoreWithoutAChangeLog(t *testing.T) {
	t.Parallel()
	h := newHostOn(t, plain{memory.New()}, both(), byNames())
	u, v := h.user("u"), h.user("v")
	g := h.group("ws-A-role-admin", u)
	h.sync()
	h.want(u, "A:admin")
	h.add(g, v)
	h.remove(g, u)
	h.sync()
	h.want(u, "")
	h.want(v, "A:admin")
	h.rename(g, "ws-B-role-admin")
	h.sync()
	h.want(v, "B:admin")
	h.patch("Group", g, `{"op":"replace","path":"members","value":[{"value":"`+u+`"}]}`)
	h.sync()
	h.want(u, "B:admin")
	h.want(v, "")
	h.delete("Group", g)
	h.sync()
	h.want(u, "")
}

func TestForgottenChangesAreMadeUpFor(t *testing.T) {
	t.Parallel()
	store := memory.New()
	h := newHostOn(t, store, both(), byNames())
	u := h.user("u")
	h.sync()
	h.group("ws-A-role-admin", u)
	h.wait(time.Hour)
	if err := store.TrimChanges(t.Context(), tenant, h.clock()); err != nil {
		t.Fatal(err)
	}
	h.user("v")
	h.sync()
	h.want(u, "A:admin")
}

// Two instances work on one store while an identity provider writes: nobody is told
// twice at once, and in the end the host has what the groups say.
func TestTwoInstances(t *testing.T) {
	t.Parallel()
	h := newHost(t, both(), byNames())
	other := h.reconciler(both(), byNames())
	var users []string
	for i := range 40 {
		users = append(users, h.user(fmt.Sprint("u", i)))
	}
	ctx, stop := context.WithCancel(t.Context())
	var work sync.WaitGroup
	for _, rec := range []*roles.Reconciler{h.rec, other} {
		work.Go(func() { _ = rec.Run(ctx, tenant) })
	}
	g := h.group("ws-A-role-admin", users...)
	for i := range 20 {
		h.rename(g, fmt.Sprintf("ws-%c-role-admin", 'A'+i%3))
		h.remove(g, users[i])
		h.active(users[39-i], i%2 == 1)
	}
	time.Sleep(50 * time.Millisecond)
	stop()
	work.Wait()
	h.sync()
	for i, u := range users {
		want := "B:admin"
		if i < 20 || (39-i)%2 == 0 {
			want = ""
		}
		h.want(u, want)
	}
}

// A lease that nobody renews ends, and another instance goes on.
func TestLeaseOfAnInstanceThatEndedRunsOut(t *testing.T) {
	t.Parallel()
	h := newHost(t, both(), byNames())
	hang := make(chan struct{})
	u := h.user("u")
	stuck := atomic.Bool{}
	dead, err := roles.New(h.srv.Directory(), roles.ApplierFunc(func(ctx context.Context, _ string, _ []roles.Change) error {
		stuck.Store(true)
		<-hang
		return ctx.Err()
	}), both(), byNames(), roles.WithClock(h.clock), roles.WithLease(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	h.group("ws-A-role-admin", u)
	var work sync.WaitGroup
	work.Go(func() { _ = dead.Sync(t.Context(), tenant) })
	until(t, stuck.Load)
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	if err := h.rec.Sync(ctx, tenant); err == nil {
		t.Errorf("two instances worked at the same time")
	}
	cancel()
	h.wait(time.Hour)
	h.sync()
	h.want(u, "A:admin")
	close(hang)
	work.Wait()
}

var large = flag.Int("members", 10_000, "how many members the large group of TestRenameOfALargeGroup has")

// In a group as large as this one, neither the request nor the memory may grow with
// the number of members that a rename concerns.
func TestRenameOfALargeGroup(t *testing.T) {
	if testing.Short() {
		t.Skip("so many users take a while")
	}
	members := *large
	store := memory.New()
	srv, err := scim.New(store, scim.BearerToken("secret"), scim.WithLimits(scim.Limits{Members: members}))
	if err != nil {
		t.Fatal(err)
	}
	var told atomic.Int64
	rec, err := roles.New(srv.Directory(), roles.ApplierFunc(func(_ context.Context, _ string, changes []roles.Change) error {
		told.Add(int64(len(changes)))
		return nil
	}), both(), byNames(), roles.WithLogger(slog.New(slog.DiscardHandler)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(srv.Subscribe(rec.Handle))
	h := &host{t: t, srv: srv, rec: rec}
	users := make([]string, members)
	for i := range users {
		users[i] = h.user(fmt.Sprint("u", i))
	}
	g := h.group("ws-A-role-admin", users...)
	h.sync()
	if told.Load() != int64(members) {
		t.Fatalf("%d were granted", told.Load())
	}
	start := time.Now()
	h.rename(g, "ws-B-role-admin")
	if d := time.Since(start); d > time.Second {
		t.Errorf("the request took %v", d)
	}
	runtime.GC()
	var before, most runtime.MemStats
	runtime.ReadMemStats(&before)
	done := make(chan error, 1)
	go func() { done <- rec.Sync(context.Background(), tenant) }()
	peak := uint64(0)
	for running := true; running; {
		select {
		case err := <-done:
			if err != nil {
				t.Fatal(err)
			}
			running = false
		case <-time.After(100 * time.Millisecond):
		}
		runtime.GC()
		runtime.ReadMemStats(&most)
		peak = max(peak, most.HeapAlloc)
	}
	t.Logf("%d changes in %v, %d MB more", told.Load()-int64(members), time.Since(start), (int64(peak)-int64(before.HeapAlloc))>>20)
	// The memory is that of the store: its log, and a new state of each user.
	if more := int64(peak) - int64(before.HeapAlloc); more > 64<<20+int64(members)<<11 {
		t.Errorf("%d MB more memory for %d members", more>>20, members)
	}
	if told.Load() != 3*int64(members) {
		t.Errorf("the host was told of %d changes, want %d", told.Load()-int64(members), 2*members)
	}
}
