package policy_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/musterhq/muster/internal/pgtest"
	"github.com/musterhq/muster/scim"
	"github.com/musterhq/muster/scim/policy"
	"github.com/musterhq/muster/storage"
	"github.com/musterhq/muster/storage/memory"
	"github.com/musterhq/muster/storage/postgres"
	"github.com/musterhq/muster/storage/sqlite"
)

// seats is a limit that the test moves.
type seats struct{ atomic.Int64 }

func limitOf(n int64) *seats {
	s := &seats{}
	s.Store(n)
	return s
}

func (s *seats) guard() scim.Option {
	return scim.WithGuard(policy.Seats{Limit: func(context.Context, string) (int, error) { return int(s.Load()), nil }}.Guard())
}

func TestASeatIsTakenByBeingActive(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, p *place) {
		limit, now := limitOf(2), newClock()
		s := p.server(t, limit.guard(), scim.WithClock(now.Now))
		ada := s.create("ada")
		s.create("bob")
		eve := s.create("eve", off)
		refused := s.send("POST /Users", user("dan")).want(403)
		for _, part := range []string{"(2)", "deactivate users who have left", "raise the number of seats"} {
			if !strings.Contains(refused.detail(), part) {
				t.Errorf("%q lacks %q", refused.detail(), part)
			}
		}
		for _, w := range ways() {
			if got := w.do(s, eve, "eve", true); got != 403 {
				t.Errorf("reactivation by %s: %d", w.name, got)
			}
		}
		// What takes no seat passes.
		s.send("PATCH /Users/"+eve, patchOf(`[{"op":"replace","path":"title","value":"x"}]`)).want(200)
		s.send("PATCH /Users/"+ada, patchOf(`[{"op":"replace","path":"active","value":true}]`)).want(200)
		s.send("PUT /Users/"+ada, user("ada", `,"title":"x"`)).want(200)
		s.send("POST /Users", user("dan"), "other").want(201) // seats are the tenant's

		limit.Store(3)
		s.send("POST /Users", user("dan")).want(201)
	})
}

func TestDeactivationAndDeletionGiveTheSeatBack(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, p *place) {
		now := newClock()
		s := p.server(t, limitOf(1).guard(), scim.WithClock(now.Now))
		ada := s.create("ada")
		eve := s.create("eve", off)
		for _, w := range ways() {
			now.pass(time.Minute)
			if got := w.do(s, ada, "ada", false); got != 200 {
				t.Fatalf("%s: %d", w.name, got)
			}
			if got := w.do(s, eve, "eve", true); got != 200 {
				t.Fatalf("%s: the seat is not free: %d", w.name, got)
			}
			if got := w.do(s, ada, "ada", true); got != 403 {
				t.Fatalf("%s: there was one seat: %d", w.name, got)
			}
			now.pass(time.Minute)
			w.do(s, eve, "eve", false)
			if got := w.do(s, ada, "ada", true); got != 200 {
				t.Fatalf("%s: the seat is not free: %d", w.name, got)
			}
		}
		now.pass(time.Minute)
		s.send("DELETE /Users/"+ada, "").want(204)
		s.send("DELETE /Users/"+eve, "").want(204) // had no seat to give
		s.create("bob")
		s.send("POST /Users", user("dan")).want(403)
	})
}

func bulkOfCreates(n int) string {
	var b strings.Builder
	b.WriteString(`{"schemas":["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],"Operations":[`)
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"method":"POST","path":"/Users","bulkId":"%d","data":%s}`, i, user(fmt.Sprintf("user%d", i)))
	}
	return b.String() + `]}`
}

func TestOfABulkRequestThoseWithinTheSeatsPass(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, p *place) {
		s := p.server(t, limitOf(600).guard())
		got := statuses(s.send("POST /Bulk", bulkOfCreates(1000)).want(200))
		if want := strings.TrimSpace(strings.Repeat("201 ", 600) + strings.Repeat("403 ", 400)); got != want {
			t.Errorf("201 × %d, 403 × %d", strings.Count(got, "201"), strings.Count(got, "403"))
		}
	})
}

func TestAnAtomicBulkRequestTakesAllItsSeatsOrNone(t *testing.T) {
	t.Parallel()
	limit := limitOf(5)
	s := places()[0].server(t, limit.guard(), scim.WithAtomicBulk())
	if got := statuses(s.send("POST /Bulk", bulkOfCreates(6)).want(200)); strings.Contains(got, "201") {
		t.Error(got)
	}
	if got := statuses(s.send("POST /Bulk", bulkOfCreates(5)).want(200)); strings.Contains(got, "4") {
		t.Error(got)
	}
	// One goes and one comes.
	ada := s.send("GET /Users?filter=userName+eq+%22user0%22", "").want(200).json["Resources"].([]any)[0].(map[string]any)["id"].(string)
	got := statuses(s.send("POST /Bulk", `{"schemas":["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],"Operations":[
		{"method":"POST","path":"/Users","bulkId":"x","data":`+user("bob")+`},{"method":"DELETE","path":"/Users/`+ada+`"}]}`).want(200))
	if got != "201 204" {
		t.Error(got)
	}
	s.send("POST /Users", user("eve")).want(403)
}

func TestWhoHasASeatKeepsItWhenTheLimitIsLowered(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, p *place) {
		limit, now := limitOf(10), newClock()
		s := p.server(t, limit.guard(), scim.WithClock(now.Now))
		ids := []string{s.create("a"), s.create("b"), s.create("c")}
		limit.Store(1)
		for _, id := range ids {
			s.send("PATCH /Users/"+id, patchOf(`[{"op":"replace","path":"title","value":"x"}]`)).want(200)
		}
		for _, id := range ids[:2] {
			now.pass(time.Minute)
			s.send("DELETE /Users/"+id, "").want(204)
			s.send("POST /Users", user("new")).want(403)
		}
		now.pass(time.Minute)
		s.send("DELETE /Users/"+ids[2], "").want(204)
		s.create("new")
	})
}

func TestSeatsAreCountedAnewWhenTheHostChangedUsersByItself(t *testing.T) {
	t.Parallel()
	now := newClock()
	s := places()[0].server(t, limitOf(2).guard(), scim.WithClock(now.Now))
	ada := s.create("ada")
	s.create("bob")
	erase := func(id string) {
		if err := s.Erase(t.Context(), "acme", "User", id); err != nil {
			t.Fatal(err)
		}
	}
	erase(ada)
	s.send("POST /Users", user("eve")).want(403) // counted a moment ago
	now.pass(time.Minute)
	eve := s.create("eve")
	s.send("POST /Users", user("dan")).want(403)

	// Users who came behind the server's back count within the hour.
	s.send("DELETE /Users/"+eve, "").want(204)
	now.pass(time.Hour)
	a := resourceOf(t, s, "behind")
	if _, err := s.Directory().Store().Commit(t.Context(), &storage.Batch{Tenant: "acme", Time: now.Now(), Puts: []storage.Put{{Record: storage.NewRecord(a, "entra"), IfAbsent: true}}}); err != nil {
		t.Fatal(err)
	}
	s.send("POST /Users", user("dan")).want(403)
	if n, err := policy.ActiveUsers(t.Context(), s.Directory(), "acme"); n != 2 || err != nil {
		t.Error(n, err)
	}
}

func resourceOf(t *testing.T, s *server, name string) *scim.Resource {
	t.Helper()
	r, err := scim.NewResource(s.Type("User")).Meta(scim.Meta{ID: "id-" + name}).Set("userName", name).Set("active", true).Build()
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestSeatsCountUsersFromBeforeTheLimit(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, p *place) {
		limit, now := limitOf(-1), newClock()
		s := p.server(t, limit.guard(), scim.WithClock(now.Now))
		for round := range 3 { // a limit comes and goes
			limit.Store(-1)
			for i := range 4 {
				s.create(fmt.Sprintf("free%d-%d", round, i))
			}
			now.pass(time.Minute)
			limit.Store(int64(5*round + 5))
			s.create(fmt.Sprintf("last%d", round))
			s.send("POST /Users", user("more")).want(403)
		}
	})
}

func TestACreateThatFailsTakesNoSeat(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, p *place) {
		now := newClock()
		s := p.server(t, limitOf(3).guard(), scim.WithClock(now.Now))
		s.create("ada")
		for range 2 {
			s.send("POST /Users", user("ada")).want(409)
		}
		now.pass(time.Minute) // only a handler's failures are found out late
		s.create("bob")
		s.create("eve")
		s.send("POST /Users", user("dan")).want(403)
	})
}

func TestALimitThatCannotBeReadRefuses(t *testing.T) {
	t.Parallel()
	rule := policy.Seats{Limit: func(context.Context, string) (int, error) { return 0, errors.New("the database is down") }}
	s := places()[0].server(t, scim.WithGuard(rule.Guard()))
	s.send("POST /Users", user("ada")).want(500)
	s.create("bob", off)
}

func TestAdviceCompletesTheRefusal(t *testing.T) {
	t.Parallel()
	none := func(context.Context, string) (int, error) { return 0, nil }
	s := places()[0].server(t, scim.WithGuard(policy.Seats{Limit: none, Advice: "buy seats under Settings, Billing"}.Guard()))
	if got := s.send("POST /Users", user("ada")).want(403).detail(); !strings.Contains(got, ", or buy seats under Settings, Billing;") {
		t.Error(got)
	}
}

// queries counts the questions that a store is asked.
type queries struct {
	storage.Store
	n atomic.Int64
}

func (q *queries) Query(ctx context.Context, query *storage.Query) (*storage.Page, error) {
	q.n.Add(1)
	return q.Store.Query(ctx, query)
}

func TestSeatsDoNotCountUsersForEachActivation(t *testing.T) {
	t.Parallel()
	store := &queries{Store: memory.New()}
	now := newClock()
	s := newServer(t, store, limitOf(60).guard(), scim.WithClock(now.Now))
	s.create("first")
	store.n.Store(0)
	s.send("POST /Bulk", bulkOfCreates(59)).want(200)
	now.pass(2 * time.Minute)
	for i := range 50 {
		s.send("POST /Users", user(fmt.Sprintf("more%d", i))).want(403)
	}
	if n := store.n.Load(); n > 2 {
		t.Errorf("%d queries for 59 creates and 50 refusals", n)
	}
}

// databases are stores that several servers share: each call of open is another
// process's view.
func databases(t *testing.T) map[string]func(t *testing.T) func() storage.Store {
	t.Helper()
	return map[string]func(t *testing.T) func() storage.Store{
		"memory": func(*testing.T) func() storage.Store {
			m := memory.New()
			return func() storage.Store { return m }
		},
		"sqlite": func(t *testing.T) func() storage.Store {
			path := filepath.Join(t.TempDir(), "seats.db")
			return func() storage.Store {
				st, err := sqlite.Open(path)
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { st.Close() })
				return st
			}
		},
		"postgres": func(t *testing.T) func() storage.Store {
			url := pgtest.URL(t)
			return func() storage.Store {
				st, err := postgres.Open(t.Context(), url)
				if err == nil {
					err = st.Migrate(t.Context())
				}
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { st.Close() })
				return st
			}
		},
	}
}

func TestAsManyParallelCreatesPassAsThereAreSeats(t *testing.T) {
	t.Parallel()
	const seats, processes, each = 17, 3, 10
	fill := func(t *testing.T, server func() *server) {
		t.Helper()
		var passed, refused atomic.Int64
		var wg sync.WaitGroup
		for process := range processes {
			s := server()
			for worker := range 2 {
				wg.Go(func() {
					for i := range each {
						name := fmt.Sprintf("u%d-%d-%d", process, worker, i)
						switch a := s.send("POST /Users", user(name)); a.status {
						case 201:
							passed.Add(1)
						case 403:
							refused.Add(1)
						default:
							t.Errorf("%d %s", a.status, a.body)
						}
					}
				})
			}
		}
		wg.Wait()
		if passed.Load() != seats || refused.Load() != processes*2*each-seats {
			t.Errorf("%d passed and %d were refused", passed.Load(), refused.Load())
		}
	}
	for name, database := range databases(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			open := database(t)
			fill(t, func() *server { return newServer(t, open(), limitOf(seats).guard()) })
		})
	}
	t.Run("table", func(t *testing.T) {
		t.Parallel()
		p := places()[1]
		s := p.server(t, limitOf(seats).guard())
		fill(t, func() *server { return s })
	})
}

func TestSeatsGoFromHandToHandInParallel(t *testing.T) {
	t.Parallel()
	for name, database := range databases(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const seats, users = 4, 8
			open := database(t)
			s := newServer(t, open(), limitOf(seats).guard())
			var ids []string
			for i := range users {
				ids = append(ids, s.create(fmt.Sprintf("u%d", i), off))
			}
			var wg sync.WaitGroup
			for i, id := range ids {
				s := newServer(t, open(), limitOf(seats).guard())
				wg.Go(func() {
					for range 6 {
						switch got := ways()[i%4].do(s, id, fmt.Sprintf("u%d", i), true); got {
						case 200:
							if n, err := policy.ActiveUsers(t.Context(), s.Directory(), "acme"); n > seats || err != nil {
								t.Errorf("%d are active: %v", n, err)
							}
							if got := ways()[i%4].do(s, id, fmt.Sprintf("u%d", i), false); got != 200 {
								t.Errorf("deactivation: %d", got)
							}
						case 403:
						default:
							t.Errorf("%d", got)
						}
					}
				})
			}
			wg.Wait()
			for i := range seats { // all of them are free again
				s.create(fmt.Sprintf("new%d", i))
			}
			s.send("POST /Users", user("one-more")).want(403)
		})
	}
}

func TestAHandlerThatTakesItsTimeIsWaitedForBeforeSeatsAreCountedAnew(t *testing.T) {
	t.Parallel()
	p, now := places()[1], newClock()
	s := p.server(t, limitOf(2).guard(), scim.WithClock(now.Now))
	s.create("ada")
	now.pass(2 * time.Minute)
	begun, end := make(chan bool), make(chan bool)
	p.table.before = func() error { begun <- true; <-end; return nil }
	done := make(chan int)
	go func() { done <- s.send("POST /Users", user("slow")).status }()
	<-begun
	now.pass(30 * time.Second)
	s.send("POST /Users", user("eve")).want(403) // the slow one has the seat, though it is in no table yet
	end <- true
	if got := <-done; got != 201 {
		t.Error(got)
	}
}

func TestASeatThatAHandlerGaveBackIsFreeAMinuteAfterTheLastActivation(t *testing.T) {
	t.Parallel()
	p, now := places()[1], newClock()
	s := p.server(t, limitOf(1).guard(), scim.WithClock(now.Now))
	ada := s.create("ada")
	now.pass(59 * time.Second)
	s.deactivate(ada).want(200)
	s.send("POST /Users", user("bob")).want(403)
	now.pass(time.Second)
	bob := s.create("bob")
	now.pass(time.Minute)
	s.send("POST /Users", user("eve")).want(403) // the store was asked just now
	s.deactivate(bob).want(200)
	s.create("eve")
}

func TestSeatsHoldWhateverHappens(t *testing.T) {
	t.Parallel()
	for _, p := range places() {
		rapid.Check(t, func(rt *rapid.T) {
			if p.table != nil {
				clear(p.table.rows)
			}
			limit, now := limitOf(3), newClock()
			s := p.server(t, limit.guard(), scim.WithClock(now.Now))
			active := map[string]bool{} // by id, as they should be
			count := func() (n int64) {
				for _, is := range active {
					if is {
						n++
					}
				}
				return n
			}
			var ids []string
			for i := range rapid.IntRange(1, 25).Draw(rt, "steps") {
				now.pass(time.Minute) // within one, a table's free seats may not be known
				full := count() >= limit.Load()
				switch what := rapid.IntRange(0, 4).Draw(rt, "what"); {
				case what == 0 || len(ids) == 0:
					on := rapid.Bool().Draw(rt, "on")
					a := s.send("POST /Users", user(fmt.Sprintf("u%d", i), fmt.Sprintf(`,"active":%v`, on)))
					if want := on && full; (a.status == 403) != want || (a.status == 201) == want {
						rt.Fatalf("create %v with %d of %d: %d", on, count(), limit.Load(), a.status)
					}
					if a.status == 201 {
						ids = append(ids, a.id())
						active[a.id()] = on
					}
				case what == 1:
					limit.Store(int64(rapid.IntRange(0, 5).Draw(rt, "limit")))
				case what == 2:
					k := rapid.IntRange(0, len(ids)-1).Draw(rt, "which")
					if got := s.send("DELETE /Users/"+ids[k], "").status; got != 204 {
						rt.Fatalf("delete: %d", got)
					}
					delete(active, ids[k])
					ids = append(ids[:k:k], ids[k+1:]...)
				default:
					id := rapid.SampledFrom(ids).Draw(rt, "which")
					on := rapid.Bool().Draw(rt, "on")
					got := ways()[1+rapid.IntRange(0, 3).Draw(rt, "way")].do(s, id, "", on)
					if want := on && !active[id] && full; (got == 403) != want || (got == 200) == want {
						rt.Fatalf("active=%v with %d of %d: %d", on, count(), limit.Load(), got)
					}
					if got == 200 {
						active[id] = on
					}
				}
			}
		})
	}
}
