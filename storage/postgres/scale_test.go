//go:build scale

package postgres

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/musterhq/muster/internal/pgtest"
	"github.com/musterhq/muster/scim/schema"
	"github.com/musterhq/muster/storage"
)

// TestScale loads a million users and a group of 200,000 of them, and prints what
// things cost beside a thousand users and a group of ten. It takes minutes:
//
//	go test -tags scale -run Scale -v ./storage/postgres
func TestScale(t *testing.T) {
	server := pgtest.Start(t, "fsync=on", "synchronous_commit=on", "full_page_writes=on", "shared_buffers=1GB")
	s, err := Open(t.Context(), server.URL(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	if err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	user := schema.MustCompile(schema.User(), schema.Group())
	group := schema.MustCompile(schema.Group(), schema.User())
	const small, large = 1_000, 1_000_000
	fill(t, s, "small", small, 10)
	begin := time.Now()
	fill(t, s, "large", large, 200_000)
	load := time.Since(begin)
	for tenant := range map[string]bool{"small": true, "large": true} { // as who follows the log would have
		for after := int64(-1); after != 0; {
			changes, err := s.Changes(context.Background(), tenant, max(after, 0), 10_000)
			if err != nil {
				t.Fatal(err)
			}
			if after = 0; len(changes) > 0 {
				after = changes[len(changes)-1].Seq
			}
		}
	}
	if _, err := s.pool.Exec(context.Background(), "VACUUM ANALYZE"); err != nil {
		t.Fatal(err)
	}
	var bytes int64
	if err := s.pool.QueryRow(t.Context(), "SELECT pg_database_size(current_database())").Scan(&bytes); err != nil {
		t.Fatal(err)
	}
	t.Logf("%d users in %v, %.0f a second, %.1f kB each with indexes and log", large, load.Round(time.Second), large/load.Seconds(), float64(bytes)/large/1000)

	sizes := map[string]int{"small": small, "large": large}
	id := func(tenant string, i int) storage.Ref {
		return storage.Ref{Type: "User", ID: fmt.Sprintf("u%07d", i*7919%sizes[tenant])}
	}
	query := func(tenant string, q storage.Query) error {
		q.Tenant = tenant
		if q.Type == nil {
			q.Type = user
		}
		_, err := s.Query(t.Context(), &q)
		return err
	}
	byName := func(tenant string, i int) error {
		p := plan(t, user, fmt.Sprintf(`userName eq "user%07d@example.com"`, i*7919%sizes[tenant]))
		return query(tenant, storage.Query{Filter: p, Limit: 101, Total: storage.TotalIfCheap})
	}
	edit := func(tenant string, e storage.LinkEdit) error {
		e.Owner, e.Relation = storage.Ref{Type: "Group", ID: "g1"}, "members"
		_, err := s.Commit(t.Context(), &storage.Batch{Tenant: tenant, Time: time.Now(), Links: []storage.LinkEdit{e}})
		return err
	}
	for _, c := range []struct {
		name string
		n    int
		run  func(tenant string, i int) error
	}{
		{"get by id", 300, func(tenant string, i int) error {
			_, err := s.Get(t.Context(), tenant, id(tenant, i))
			return err
		}},
		{"userName eq", 300, byName},
		{"emails.value eq", 300, func(tenant string, i int) error {
			p := plan(t, user, fmt.Sprintf(`emails.value eq "home%07d@example.net"`, i*7919%sizes[tenant]))
			return query(tenant, storage.Query{Filter: p, Limit: 101, Total: storage.TotalIfCheap})
		}},
		{"first page of 100", 50, func(tenant string, _ int) error {
			return query(tenant, storage.Query{Limit: 101, Total: storage.TotalNever})
		}},
		{"page by cursor, near the end", 50, func(tenant string, i int) error {
			n := sizes[tenant] - 200 + i
			return query(tenant, storage.Query{Limit: 101, Total: storage.TotalNever, After: &storage.Position{ID: fmt.Sprintf("u%07d", n)}})
		}},
		{"page by index, near the end", 3, func(tenant string, _ int) error {
			return query(tenant, storage.Query{Limit: 100, Offset: sizes[tenant] - 100, Total: storage.TotalNever})
		}},
		{"first page with a total, counted", 1, func(tenant string, _ int) error {
			return query(tenant, storage.Query{Limit: 101, Total: storage.TotalExact})
		}},
		{"first page with a total, repeated", 20, func(tenant string, _ int) error {
			return query(tenant, storage.Query{Limit: 101, Total: storage.TotalExact})
		}},
		{"groups by displayName, without members", 100, func(tenant string, _ int) error {
			return query(tenant, storage.Query{Type: group, Filter: plan(t, group, `displayName eq "group 1"`), Limit: 101, Total: storage.TotalIfCheap})
		}},
		{"is a member", 100, func(tenant string, i int) error {
			_, err := s.Links(t.Context(), &storage.LinkQuery{Tenant: tenant, Relation: storage.Relation{Owner: "Group", Name: "members"},
				Of: []storage.Ref{{Type: "Group", ID: "g1"}}, Other: []storage.Ref{id(tenant, i)}})
			return err
		}},
		{"first 100 members with labels", 50, func(tenant string, _ int) error {
			_, err := s.Links(t.Context(), &storage.LinkQuery{Tenant: tenant, Relation: storage.Relation{Owner: "Group", Name: "members"},
				Of: []storage.Ref{{Type: "Group", ID: "g1"}}, Limit: 100, Labels: true})
			return err
		}},
		{"add a member", 100, func(tenant string, i int) error {
			n := sizes[tenant] - 1 - i
			return edit(tenant, storage.LinkEdit{Add: []storage.Ref{{Type: "User", ID: fmt.Sprintf("u%07d", n)}}})
		}},
		{"remove a member", 100, func(tenant string, i int) error {
			n := sizes[tenant] - 1 - i
			return edit(tenant, storage.LinkEdit{Remove: []storage.Ref{{Type: "User", ID: fmt.Sprintf("u%07d", n)}}})
		}},
		{"create a user", 200, func(tenant string, i int) error {
			b := create(person(t, user, 5_000_000+i, time.Now()))
			b.Tenant = tenant
			_, err := s.Commit(t.Context(), b)
			return err
		}},
		{"hide a user who is in no group", 100, func(tenant string, i int) error {
			r := *person(t, user, 5_000_000+i, time.Now())
			r.Hidden = true
			_, err := s.Commit(t.Context(), &storage.Batch{Tenant: tenant, Time: time.Now(), Puts: []storage.Put{{Record: &r}}})
			return err
		}},
	} {
		cost := map[string]time.Duration{}
		for tenant := range sizes {
			var times []time.Duration
			for i := range c.n {
				begin := time.Now()
				if err := c.run(tenant, i); err != nil {
					t.Fatalf("%s: %v", c.name, err)
				}
				times = append(times, time.Since(begin))
			}
			slices.Sort(times)
			cost[tenant] = times[len(times)/2]
		}
		t.Logf("%-40s %10v %10v  × %.2f", c.name, cost["small"], cost["large"], float64(cost["large"])/float64(cost["small"]))
	}

	// Replacing the members of a large group with almost the same ones.
	refs := func(from, n int) []storage.Ref {
		list := make([]storage.Ref, n)
		for i := range list {
			list[i] = storage.Ref{Type: "User", ID: fmt.Sprintf("u%07d", from+i)}
		}
		return list
	}
	timed := func(e storage.LinkEdit) time.Duration {
		begin := time.Now()
		if err := edit("large", e); err != nil {
			t.Fatal(err)
		}
		return time.Since(begin)
	}
	timed(storage.LinkEdit{Reset: true, Add: refs(0, 100_000)})
	same := timed(storage.LinkEdit{Reset: true, Add: refs(100, 100_000)})
	none := timed(storage.LinkEdit{Reset: true})
	all := timed(storage.LinkEdit{Reset: true, Add: refs(0, 100_000)})
	t.Logf("replace 100,000 members, 100 changed: %v; delete all %v and insert all %v: × %.2f", same, none, all, float64(same)/float64(none+all))
}

// TestMemberAddScale adds members to a group of a million and to one of ten, in
// turns, so that whatever else the machine does falls on both alike:
//
//	go test -tags scale -run MemberAddScale -v ./storage/postgres
func TestMemberAddScale(t *testing.T) {
	server := pgtest.Start(t, "fsync=on", "synchronous_commit=on", "full_page_writes=on", "shared_buffers=1GB", "checkpoint_timeout=1h", "max_wal_size=16GB")
	s, err := Open(t.Context(), server.URL(t), WithStatementTimeout(10*time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	if err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	fill(t, s, "acme", 20_000, 10)
	const members = 1_000_000
	rows := pgx.CopyFromSlice(members, func(i int) ([]any, error) {
		return []any{"acme", "Group", "g2", "members", "User", fmt.Sprintf("m%07d", i)}, nil
	})
	if _, err := s.pool.CopyFrom(t.Context(), pgx.Identifier{"muster_links"}, []string{"tenant", "owner_type", "owner_id", "relation", "target_type", "target_id"}, rows); err != nil {
		t.Fatal(err)
	}
	if _, err := s.pool.Exec(t.Context(), "VACUUM ANALYZE"); err != nil {
		t.Fatal(err)
	}
	// A round adds 500 users to a group, one by one, and takes them away again.
	const rounds, size = 30, 500
	times, cpu := map[string][]time.Duration{}, map[string]time.Duration{}
	for round := range 2 * rounds {
		group := []string{"g1", "g2"}[round%2]
		before := server.CPU()
		for i := range 2 * size {
			to := []storage.Ref{{Type: "User", ID: fmt.Sprintf("u%07d", 100+(round/2*7919+i%size*31)%19_900)}}
			e := storage.LinkEdit{Owner: storage.Ref{Type: "Group", ID: group}, Relation: "members", Add: to}
			if i >= size {
				e.Add, e.Remove = nil, to
			}
			begin := time.Now()
			res, err := s.Commit(t.Context(), &storage.Batch{Tenant: "acme", Time: time.Now(), Links: []storage.LinkEdit{e}})
			if err != nil || res.Links[0].Added+res.Links[0].Removed != 1 {
				t.Fatalf("%+v, %v; want one link more or less", res, err)
			}
			if i < size {
				times[group] = append(times[group], time.Since(begin))
			}
		}
		if round >= 2 {
			cpu[group] += server.CPU() - before
		}
	}
	median := func(group string) time.Duration {
		slices.Sort(times[group])
		return times[group][len(times[group])/2]
	}
	t.Logf("M = 10: %v, M = 1,000,000: %v: × %.2f; the server's CPU %v and %v: × %.2f", median("g1"), median("g2"), float64(median("g2"))/float64(median("g1")),
		cpu["g1"], cpu["g2"], float64(cpu["g2"])/float64(cpu["g1"]))
}
