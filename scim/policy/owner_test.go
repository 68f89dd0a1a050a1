package policy_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/musterhq/muster/scim"
	"github.com/musterhq/muster/scim/policy"
)

const owner = `,"roles":[{"value":"Owner"}]`

// leaves collects what a guard of last owners says.
type leaves struct {
	mu  sync.Mutex
	all []string
}

func (l *leaves) last(_ context.Context, e policy.LastLeaves) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all = append(l.all, fmt.Sprintf("%s %s refused=%v", e.Principal.Tenant, e.User.String("userName"), e.Refused))
}

func (l *leaves) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Join(l.all, "; ")
}

func TestTheLastOwnerStays(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, p *place) {
		l := &leaves{}
		s := p.server(t, scim.WithGuard(policy.LastOwner{Last: l.last}.Guard()))
		ada := s.create("ada", owner)
		s.create("bob")
		s.create("eve", owner, off) // cannot do anything
		s.send("POST /Users", user("dan", owner), "other").want(201)
		for _, w := range ways() {
			name := "ada"
			if strings.Contains(w.name, "PUT") { // which takes the role away too
				continue
			}
			if got := w.do(s, ada, name, false); got != 403 {
				t.Errorf("%s: %d", w.name, got)
			}
		}
		s.send("PUT /Users/"+ada, user("ada", owner, off)).want(403)
		s.send("PUT /Users/"+ada, user("ada")).want(403)
		s.send("DELETE /Users/"+ada, "").want(403)
		for _, ops := range []string{
			`[{"op":"remove","path":"roles"}]`,
			`[{"op":"replace","path":"roles","value":[{"value":"member"}]}]`,
			`[{"op":"remove","path":"roles[value eq \"Owner\"]"}]`,
			`[{"op":"replace","value":{"roles":[]}}]`,
		} {
			if a := s.send("PATCH /Users/"+ada, patchOf(ops)); a.status != 403 && a.status != 200 {
				t.Errorf("%s: %d", ops, a.status)
			}
			roles := s.send("GET /Users/"+ada, "").want(200).json["roles"]
			if fmt.Sprint(roles) != "[map[value:Owner]]" {
				t.Errorf("%s: roles are %v", ops, roles)
			}
		}
		if got := l.String(); !strings.HasPrefix(got, "acme ada refused=true") || strings.Contains(got, "false") {
			t.Error(got)
		}
		// Everything else may change, and so may the last owner once there is another.
		s.send("PATCH /Users/"+ada, patchOf(`[{"op":"replace","path":"title","value":"x"}]`)).want(200)
		bob := s.create("bea", owner)
		s.send("DELETE /Users/"+ada, "").want(204)
		s.deactivate(bob).want(403)
	})
}

func TestTheLastOwnerIsLetGoByChoiceButNotDemoted(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, p *place) {
		l := &leaves{}
		s := p.server(t, scim.WithGuard(policy.LastOwner{LetGo: true, Last: l.last}.Guard()))
		ada := s.create("ada", owner)
		s.send("PATCH /Users/"+ada, patchOf(`[{"op":"replace","path":"roles","value":[{"value":"member"}]}]`)).want(403)
		s.deactivate(ada).want(200)
		if got := l.String(); got != "acme ada refused=true; acme ada refused=false" {
			t.Error(got)
		}
		s.send("DELETE /Users/"+ada, "").want(204)
		bob := s.create("bob", owner)
		s.send("DELETE /Users/"+bob, "").want(204)
		if got := l.String(); !strings.HasSuffix(got, "; acme bob refused=false") {
			t.Error(got)
		}
	})
}

func TestTheHostMayKnowItsOwners(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, p *place) {
		var ids []string
		asked := 0
		s := p.server(t, scim.WithGuard(policy.LastOwner{Owners: func(context.Context, string) ([]string, error) {
			asked++
			return ids, nil
		}}.Guard()))
		ada, bob := s.create("ada"), s.create("bob")
		s.create("eve", owner) // what the identity provider says is not asked
		ids = []string{ada, bob, "gone"}
		s.send("PATCH /Users/"+ada, patchOf(`[{"op":"replace","path":"title","value":"x"}]`)).want(200)
		if asked != 0 {
			t.Error("the host was asked about a change that no owner leaves by")
		}
		s.deactivate(ada).want(200)
		s.deactivate(bob).want(403)
		s.send("DELETE /Users/"+bob, "").want(403)
		ids = append(ids, s.create("dan"))
		s.send("DELETE /Users/"+bob, "").want(204)
	})
}

func TestTwoOwnersWhoSwapInOneCommitPass(t *testing.T) {
	t.Parallel()
	s := places()[0].server(t, scim.WithGuard(policy.LastOwner{}.Guard()), scim.WithAtomicBulk())
	ada, bob := s.create("ada", owner), s.create("bob")
	ops := func(last string) string {
		return `{"schemas":["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],"Operations":[
		{"method":"DELETE","path":"/Users/` + ada + `"},
		{"method":"PATCH","path":"/Users/` + bob + `","data":` + patchOf(last) + `}]}`
	}
	if got := statuses(s.send("POST /Bulk", ops(`[{"op":"replace","path":"title","value":"x"}]`)).want(200)); strings.Contains(got, "20") {
		t.Error(got)
	}
	if got := statuses(s.send("POST /Bulk", ops(`[{"op":"add","path":"roles","value":[{"value":"owner"}]}]`)).want(200)); got != "204 200" {
		t.Error(got)
	}
	s.deactivate(bob).want(403)
}

func TestAnOwnerForTheTimeOfOneCommitIsNone(t *testing.T) {
	t.Parallel()
	s := places()[0].server(t, scim.WithGuard(policy.LastOwner{}.Guard()), scim.WithAtomicBulk())
	ada, bob := s.create("ada", owner), s.create("bob")
	const (
		promote = `[{"op":"add","path":"roles","value":[{"value":"owner"}]}]`
		demote  = `[{"op":"remove","path":"roles"}]`
	)
	patch := func(id, ops string) string {
		return `{"method":"PATCH","path":"/Users/` + id + `","data":` + patchOf(ops) + `}`
	}
	for name, ops := range map[string]string{
		"promoted and demoted":     patch(bob, promote) + "," + patch(ada, demote) + "," + patch(bob, demote),
		"promoted and deactivated": patch(bob, promote) + "," + patch(ada, demote) + "," + patch(bob, `[{"op":"replace","path":"active","value":false}]`),
		"promoted and deleted":     patch(bob, promote) + `,{"method":"DELETE","path":"/Users/` + ada + `"},{"method":"DELETE","path":"/Users/` + bob + `"}`,
	} {
		a := s.send("POST /Bulk", `{"schemas":["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],"Operations":[`+ops+`]}`)
		if got := statuses(a.want(200)); !strings.Contains(got, "403") || strings.Contains(got, "20") {
			t.Errorf("%s: %s", name, got)
		}
		if roles := s.send("GET /Users/"+ada, "").want(200).json["roles"]; fmt.Sprint(roles) != "[map[value:Owner]]" {
			t.Fatalf("%s: nobody is left: %v", name, roles)
		}
	}
	// The same there and back changes nothing.
	a := s.send("POST /Bulk", `{"schemas":["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],"Operations":[`+
		patch(ada, demote)+","+patch(ada, promote)+`]}`)
	if got := statuses(a.want(200)); got != "200 200" {
		t.Error(got)
	}
}

func TestOfOwnersWhoLeaveAtTheSameMomentOneStays(t *testing.T) {
	t.Parallel()
	leaving := func(t *testing.T, servers []*server) {
		t.Helper()
		const owners = 6
		var ids []string
		for i := range owners {
			ids = append(ids, servers[0].create(fmt.Sprintf("u%d", i), owner))
		}
		var refused atomic.Int64
		var wg sync.WaitGroup
		for i, id := range ids {
			wg.Go(func() {
				switch a := servers[i%len(servers)].deactivate(id); a.status {
				case 200:
				case 403:
					refused.Add(1)
				default:
					t.Errorf("%d %s", a.status, a.body)
				}
			})
		}
		wg.Wait()
		if refused.Load() != 1 {
			t.Errorf("%d of %d stay", refused.Load(), owners)
		}
	}
	guard := func() scim.Option { return scim.WithGuard(policy.LastOwner{}.Guard()) }
	for name, database := range databases(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			open := database(t)
			leaving(t, []*server{newServer(t, open(), guard()), newServer(t, open(), guard()), newServer(t, open(), guard())})
		})
	}
	t.Run("table", func(t *testing.T) {
		t.Parallel()
		leaving(t, []*server{places()[1].server(t, guard())})
	})
}

func TestAnOwnerWhomAHandlerIsAboutToLetGoDoesNotCountAsAnother(t *testing.T) {
	t.Parallel()
	p, now := places()[1], newClock()
	s := p.server(t, scim.WithGuard(policy.LastOwner{}.Guard()), scim.WithClock(now.Now))
	ada, bob := s.create("ada", owner), s.create("bob", owner)
	begun, end := make(chan bool, 1), make(chan bool)
	p.table.before = func() error { begun <- true; <-end; return scim.ErrConflict }
	done := make(chan int)
	go func() { done <- s.send("DELETE /Users/"+ada, "").status }()
	<-begun
	s.deactivate(bob).want(403)
	p.table.before = nil
	close(end)
	if got := <-done; got != 204 {
		t.Error(got)
	}
	// One that failed counts again once it is known.
	eve := s.create("eve", owner)
	p.table.before = func() error { return scim.Errorf(503, "", "the database is down") }
	s.deactivate(eve).want(503)
	p.table.before = nil
	s.deactivate(bob).want(403)
	now.pass(time.Minute)
	s.deactivate(bob).want(200)
}

func TestAnOrganisationThatHasAnOwnerKeepsOneWhateverHappens(t *testing.T) {
	t.Parallel()
	for _, p := range places() {
		rapid.Check(t, func(rt *rapid.T) {
			if p.table != nil {
				clear(p.table.rows)
			}
			now := newClock()
			s := p.server(t, scim.WithGuard(policy.LastOwner{}.Guard()), scim.WithClock(now.Now))
			ids := []string{s.create("u0", owner), s.create("u1", owner), s.create("u2")}
			for range rapid.IntRange(1, 20).Draw(rt, "steps") {
				now.pass(time.Minute)
				i := rapid.IntRange(0, len(ids)-1).Draw(rt, "who")
				on := rapid.Bool().Draw(rt, "on")
				roles := rapid.SampledFrom([]string{"", owner, `,"roles":[{"value":"member"}]`, `,"roles":[{"value":"member"},{"value":"OWNER"}]`}).Draw(rt, "roles")
				switch rapid.IntRange(0, 3).Draw(rt, "what") {
				case 0:
					s.send("DELETE /Users/"+ids[i], "")
				case 1:
					ways()[rapid.IntRange(1, 4).Draw(rt, "way")].do(s, ids[i], "", on)
				case 2:
					s.send("PUT /Users/"+ids[i], user(fmt.Sprintf("u%d", i), roles, fmt.Sprintf(`,"active":%v`, on)))
				default:
					if a := s.send("POST /Users", user(fmt.Sprintf("u%d", len(ids)), roles, fmt.Sprintf(`,"active":%v`, on))); a.status == 201 {
						ids = append(ids, a.id())
					}
				}
				if n := s.send(`GET /Users?filter=active+eq+true+and+roles.value+eq+"owner"`, "").want(200).json["totalResults"]; n == 0.0 {
					rt.Fatal("nobody owns the organisation any more")
				}
			}
		})
	}
}
