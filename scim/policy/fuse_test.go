package policy_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/musterhq/muster/scim"
	"github.com/musterhq/muster/scim/policy"
)

// told collects what a fuse says.
type told struct {
	mu  sync.Mutex
	all []string
}

func (l *told) blown(_ context.Context, tenant, connection string, s policy.FuseState) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all = append(l.all, fmt.Sprintf("%s/%s %d of %d", tenant, connection, s.Left, s.Most))
}

func (l *told) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Join(l.all, "; ")
}

// fused is a server with a fuse and n active users.
func fused(t *testing.T, p *place, f policy.Fuse, n int) (*server, policy.Fuse, *clock, *told, []string) {
	t.Helper()
	now, l := newClock(), &told{}
	f.Blown = l.blown
	s := p.server(t, scim.WithGuard(f.Guard()), scim.WithClock(now.Now))
	ids := make([]string, n)
	for i := range ids {
		ids[i] = s.create(fmt.Sprintf("u%d", i))
	}
	return s, f, now, l, ids
}

func (s *server) deactivate(id string) *answer {
	s.t.Helper()
	return s.send("PATCH /Users/"+id, patchOf(`[{"op":"replace","path":"active","value":false}]`))
}

func TestAFuseBlowsWhenTooManyAreDeactivated(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, p *place) {
		s, f, now, l, ids := fused(t, p, policy.Fuse{Limit: 3}, 12)
		for _, id := range ids[:2] {
			s.deactivate(id).want(200)
		}
		s.send("DELETE /Users/"+ids[2], "").want(204)
		s.deactivate(ids[0]).want(200) // changes nothing, so it does not count
		if l.String() != "" {
			t.Fatal(l)
		}
		refused := s.deactivate(ids[3]).want(403)
		for _, part := range []string{"more than 3 users", "within 1h0m0s", "looks like a mistake", "24h0m0s"} {
			if !strings.Contains(refused.detail(), part) {
				t.Errorf("%q lacks %q", refused.detail(), part)
			}
		}
		if got := refused.header.Get("Retry-After"); got != "86400" {
			t.Errorf("Retry-After: %q", got)
		}
		for _, w := range ways() {
			if got := w.do(s, ids[3], "u3", false); got != 403 {
				t.Errorf("%s: %d", w.name, got)
			}
		}
		s.send("DELETE /Users/"+ids[4], "").want(403)
		now.pass(2 * time.Hour) // the window is over, but nobody has looked at it
		s.deactivate(ids[3]).want(403)
		if got := l.String(); got != "acme/entra 3 of 3" {
			t.Errorf("the host was told %q", got)
		}
		st, err := f.State(t.Context(), s.Directory(), "acme", "entra")
		if err != nil || st.Blown.IsZero() || st.Left != 3 || st.Most != 3 {
			t.Errorf("%+v %v", st, err)
		}

		// Everything else goes on.
		s.create("new")
		s.send("PATCH /Users/"+ids[3], patchOf(`[{"op":"replace","path":"title","value":"x"}]`)).want(200)
		s.send("DELETE /Users/"+ids[0], "").want(204) // was inactive already
		id := s.send("POST /Users", user("x"), "other").want(201).id()
		s.send("DELETE /Users/"+id, "", "other").want(204)
		s.send("POST /Groups", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"displayName":"g"}`).want(201)
	})
}

func TestEachConnectionHasAFuseOfItsOwn(t *testing.T) {
	t.Parallel()
	s, _, _, l, ids := fused(t, places()[0], policy.Fuse{Limit: 1}, 2)
	s.deactivate(ids[0]).want(200)
	s.deactivate(ids[1]).want(403)
	id := s.send("POST /Users", user("other"), "okta").want(201).id()
	s.send("DELETE /Users/"+id, "", "okta").want(204)
	if l.String() != "acme/entra 1 of 1" {
		t.Error(l)
	}
}

func TestAFuseCountsWithinItsWindow(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, p *place) {
		s, _, now, l, ids := fused(t, p, policy.Fuse{Limit: 2, Window: 10 * time.Minute}, 9)
		for _, id := range ids {
			s.deactivate(id).want(200)
			now.pass(5 * time.Minute)
		}
		if l.String() != "" {
			t.Error(l)
		}
	})
}

func TestAShareRaisesTheLimitOfLargeTenants(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, p *place) {
		s, _, _, l, ids := fused(t, p, policy.Fuse{Limit: 2, Share: 0.25}, 20)
		for _, id := range ids[:5] {
			s.deactivate(id).want(200)
		}
		s.deactivate(ids[5]).want(403)
		if l.String() != "acme/entra 5 of 5" {
			t.Error(l)
		}
	})
}

func TestAShareLowersNoLimitOfSmallTenants(t *testing.T) {
	t.Parallel()
	s, _, _, _, ids := fused(t, places()[0], policy.Fuse{Limit: 3, Share: 0.1}, 5)
	for _, id := range ids[:3] {
		s.deactivate(id).want(200)
	}
	s.deactivate(ids[3]).want(403)
}

func TestAFuseThatIsResetCountsAnew(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, p *place) {
		s, f, _, l, ids := fused(t, p, policy.Fuse{Limit: 1}, 3)
		s.deactivate(ids[0]).want(200)
		s.deactivate(ids[1]).want(403)
		if err := f.Reset(t.Context(), s.Directory(), "acme", "entra"); err != nil {
			t.Fatal(err)
		}
		s.deactivate(ids[1]).want(200)
		s.deactivate(ids[2]).want(403)
		if l.String() != "acme/entra 1 of 1; acme/entra 1 of 1" {
			t.Error(l)
		}
	})
}

func TestWhatTheHostConfirmsPassesUntilItIsOver(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, p *place) {
		s, f, now, l, ids := fused(t, p, policy.Fuse{Limit: 1}, 9)
		s.deactivate(ids[0]).want(200)
		s.deactivate(ids[1]).want(403)
		if err := f.LetPass(t.Context(), s.Directory(), "acme", "entra"); err != nil {
			t.Fatal(err)
		}
		for _, id := range ids[1:6] { // longer than a window, without a pause of one
			s.deactivate(id).want(200)
			now.pass(40 * time.Minute)
		}
		now.pass(time.Hour)
		s.deactivate(ids[6]).want(200)
		s.deactivate(ids[7]).want(403)
		if l.String() != "acme/entra 1 of 1; acme/entra 1 of 1" {
			t.Error(l)
		}
	})
}

func TestAFuseDoesNotKeepPeopleInForEver(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, p *place) {
		s, _, now, l, ids := fused(t, p, policy.Fuse{Limit: 1, Deadline: 8 * time.Hour}, 5)
		s.deactivate(ids[0]).want(200)
		s.deactivate(ids[1]).want(403)
		now.pass(8*time.Hour - time.Second)
		s.deactivate(ids[1]).want(403)
		now.pass(time.Second)
		for _, id := range ids[1:] {
			s.deactivate(id).want(200)
		}
		if l.String() != "acme/entra 1 of 1" {
			t.Error(l)
		}
	})
}

func TestABulkRequestBlowsAFuse(t *testing.T) {
	t.Parallel()
	bulk := func(ids []string) string {
		var ops []string
		for _, id := range ids {
			ops = append(ops, fmt.Sprintf(`{"method":"DELETE","path":"/Users/%s"}`, id))
		}
		return `{"schemas":["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],"Operations":[` + strings.Join(ops, ",") + `]}`
	}
	everywhere(t, func(t *testing.T, p *place) {
		s, _, _, l, ids := fused(t, p, policy.Fuse{Limit: 2}, 5)
		if got := statuses(s.send("POST /Bulk", bulk(ids)).want(200)); got != "204 204 403 403 403" {
			t.Error(got)
		}
		if l.String() != "acme/entra 2 of 2" {
			t.Error(l)
		}
	})
	t.Run("atomic", func(t *testing.T) {
		t.Parallel()
		p := places()[0]
		p.opts = append(p.opts, scim.WithAtomicBulk())
		s, _, _, l, ids := fused(t, p, policy.Fuse{Limit: 2}, 5)
		if got := statuses(s.send("POST /Bulk", bulk(ids)).want(200)); strings.Contains(got, "204") {
			t.Error(got)
		}
		if n, err := policy.ActiveUsers(t.Context(), s.Directory(), "acme"); n != 5 || err != nil {
			t.Error(n, err)
		}
		if l.String() != "acme/entra 0 of 2" {
			t.Error(l)
		}
	})
}

func TestAFuseIsExactAndTellsOnceHoweverManyProcessesThereAre(t *testing.T) {
	t.Parallel()
	for name, database := range databases(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const limit, users, processes = 7, 24, 3
			open, l := database(t), &told{}
			f := policy.Fuse{Limit: limit, Blown: l.blown}
			var servers []*server
			for range processes {
				servers = append(servers, newServer(t, open(), scim.WithGuard(f.Guard())))
			}
			var ids []string
			for i := range users {
				ids = append(ids, servers[0].create(fmt.Sprintf("u%d", i)))
			}
			var passed, refused atomic.Int64
			var wg sync.WaitGroup
			for worker := range processes * 2 {
				wg.Go(func() {
					for i := worker; i < users; i += processes * 2 {
						switch a := servers[worker%processes].deactivate(ids[i]); a.status {
						case 200:
							passed.Add(1)
						case 403:
							refused.Add(1)
						default:
							t.Errorf("%d %s", a.status, a.body)
						}
					}
				})
			}
			wg.Wait()
			if passed.Load() != limit || refused.Load() != users-limit || l.String() != fmt.Sprintf("acme/entra %d of %d", limit, limit) {
				t.Errorf("%d passed and %d were refused; the host was told %q", passed.Load(), refused.Load(), l)
			}
		})
	}
}

func TestAFuseThatMakesNoSenseIsRefused(t *testing.T) {
	t.Parallel()
	for _, f := range []policy.Fuse{{}, {Limit: -1}, {Limit: 1, Share: 5}, {Limit: 1, Share: -0.1}, {Limit: 1, Window: -1}, {Limit: 1, Deadline: -1}} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%+v was accepted", f)
				}
			}()
			f.Guard()
		}()
	}
}
