package roles_test

import (
	"context"
	"flag"
	"fmt"
	"iter"
	"log/slog"
	"maps"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/musterhq/muster/roles"
	"github.com/musterhq/muster/scim"
	"github.com/musterhq/muster/storage"
	"github.com/musterhq/muster/storage/memory"
	"github.com/musterhq/muster/storage/sqlite"
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

var large = flag.Int("members", 1200, "how many members the large group of TestRenameOfALargeGroup has")

// In a group as large as this one, neither the request nor the memory may grow with the
// number of members that a rename concerns. The store is on disk, so that the memory is
// that of the reconciler. Under the race detector, where that would take long, it is in
// memory, and the work alone is looked at.
func TestRenameOfALargeGroup(t *testing.T) {
	members := *large
	var store storage.Store = memory.New()
	if !raceDetector {
		file, err := sqlite.Open(filepath.Join(t.TempDir(), "directory.db"))
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		store = file
	}
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
	start := time.Now()
	g := h.group("ws-A-role-admin", h.users("u", members)...)
	t.Logf("%d users and their group in %v", members, time.Since(start))
	work := func(what string, want int) {
		t.Helper()
		before, start := told.Load(), time.Now()
		peak, err := growth(func() error { return rec.Sync(t.Context(), tenant) })
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%s: %d changes in %v, %.1f MB", what, told.Load()-before, time.Since(start), float64(peak)/(1<<20))
		if got := told.Load() - before; got != int64(want) {
			t.Errorf("%s: the host was told of %d changes, want %d", what, got, want)
		}
		if peak > 8<<20 && !raceDetector {
			t.Errorf("%s took %d MB for %d members", what, peak>>20, members)
		}
	}
	work("grants", members)
	start = time.Now()
	h.rename(g, "ws-B-role-admin")
	t.Logf("the request took %v", time.Since(start))
	if n := told.Load(); n != int64(members) {
		t.Errorf("%d changes were made within the request", n-int64(members))
	}
	work("rename", 2*members)
}

// growth runs f and returns by how much the live heap grew meanwhile, at most.
func growth(f func() error) (most int64, err error) {
	live := func() int64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	before, done := live(), make(chan error, 1)
	go func() { done <- f() }()
	for {
		select {
		case err := <-done:
			return most, err
		case <-time.After(100 * time.Millisecond):
			most = max(most, live()-before)
		}
	}
}

// busy is a store in which somebody writes whenever the log was read.
type busy struct {
	*memory.Store
	between func()
}

func (s *busy) Changes(ctx context.Context, tenant string, after int64, limit int) ([]storage.Change, error) {
	changes, err := s.Store.Changes(ctx, tenant, after, limit)
	if s.between != nil {
		s.between()
	}
	return changes, err
}

func TestChangeRightBehindThoseThatWereReadIsNotSkipped(t *testing.T) {
	t.Parallel()
	store := &busy{Store: memory.New()}
	h := newHostOn(t, store, tableOnly())
	users := h.users("u", 9)
	g := h.group("G")
	h.row(g, "W", "member")
	h.sync()
	h.add(g, users[0])
	next := 1
	store.between = func() {
		if next < len(users) {
			next++
			h.add(g, users[next-1])
		}
	}
	h.sync()
	for _, u := range users {
		h.want(u, "W:member")
	}
}
