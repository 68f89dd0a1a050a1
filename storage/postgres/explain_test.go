package postgres

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/musterhq/muster/internal/pgtest"
	"github.com/musterhq/muster/internal/sqlplan"
	"github.com/musterhq/muster/scim/filter"
	"github.com/musterhq/muster/scim/resource"
	"github.com/musterhq/muster/scim/schema"
	"github.com/musterhq/muster/storage"
)

// people makes records of users from n on.
func people(t testing.TB, typ *schema.Type, from, n int) []*storage.Record {
	t.Helper()
	records := make([]*storage.Record, n)
	for i := range records {
		at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(from+i) * time.Second)
		records[i] = person(t, typ, from+i, at)
	}
	return records
}

func person(t testing.TB, typ *schema.Type, i int, at time.Time) *storage.Record {
	t.Helper()
	doc := fmt.Sprintf(`{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"user%07d@example.com","externalId":"e%d","displayName":"User %d","title":"Title %d","active":%t,"name":{"familyName":"Family %d","givenName":"Given"},"emails":[{"value":"user%07d@example.com","type":"work","primary":true},{"value":"home%07d@example.net","type":"home"}]}`,
		i, i, i%5000, i%50, i%1000 != 0, i, i, i)
	r, err := resource.Stored(typ, resource.Meta{ID: fmt.Sprintf("u%07d", i), Created: at, LastModified: at}, []byte(doc))
	if err != nil {
		t.Fatal(err)
	}
	return storage.NewRecord(r, "okta")
}

// fill puts n users into a tenant and a group of m of them.
func fill(t testing.TB, s *Store, tenant string, n, m int) {
	t.Helper()
	user := schema.MustCompile(schema.User(), schema.Group())
	group := schema.MustCompile(schema.Group(), schema.User())
	const chunk = 5000
	for from := 0; from < n; from += chunk {
		b := &storage.Batch{Tenant: tenant, Time: time.Now()}
		for _, r := range people(t, user, from, min(chunk, n-from)) {
			b.Puts = append(b.Puts, storage.Put{Record: r, IfAbsent: true})
		}
		if _, err := s.Commit(t.Context(), b); err != nil {
			t.Fatal(err)
		}
	}
	b := &storage.Batch{Tenant: tenant, Time: time.Now()}
	for i := range max(2, n/100) {
		doc := fmt.Sprintf(`{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"displayName":"Group %d"}`, i)
		r, err := resource.Stored(group, resource.Meta{ID: fmt.Sprintf("g%d", i), Created: time.Now()}, []byte(doc))
		if err != nil {
			t.Fatal(err)
		}
		b.Puts = append(b.Puts, storage.Put{Record: storage.NewRecord(r, "okta")})
	}
	refs := make([]storage.Ref, m)
	for i := range refs {
		refs[i] = storage.Ref{Type: "User", ID: fmt.Sprintf("u%07d", i)}
	}
	b.Links = []storage.LinkEdit{{Owner: storage.Ref{Type: "Group", ID: "g1"}, Relation: "members", Add: refs}}
	if _, err := s.Commit(t.Context(), b); err != nil {
		t.Fatal(err)
	}
}

// spy explains the statements of a query instead of running them.
type spy struct {
	t     *testing.T
	store *Store
	plans []string
	texts []string
}

func (s *spy) explain(sql string, args []any) {
	s.texts = append(s.texts, sql)
	var text string
	conn, err := s.store.pool.Acquire(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	defer conn.Release()
	if err := conn.QueryRow(s.t.Context(), "EXPLAIN (FORMAT JSON) "+sql, args...).Scan(&text); err != nil {
		s.t.Fatalf("%v\n%s", err, sql)
	}
	s.plans = append(s.plans, text)
}

func (s *spy) Select(sql string, args []any, _ int) iter.Seq2[sqlplan.Row, error] {
	s.explain(sql, args)
	return func(func(sqlplan.Row, error) bool) {}
}

func (s *spy) Count(sql string, args []any) (int, error) {
	s.explain(sql, args)
	return 0, nil
}

// scans returns the nodes of a plan that read tables, and those that sort.
func scans(t *testing.T, plan string) (nodes []string) {
	t.Helper()
	var v any
	if err := json.Unmarshal([]byte(plan), &v); err != nil {
		t.Fatal(err)
	}
	var walk func(any)
	walk = func(v any) {
		switch v := v.(type) {
		case []any:
			for _, e := range v {
				walk(e)
			}
		case map[string]any:
			if kind, _ := v["Node Type"].(string); strings.Contains(kind, "Scan") || kind == "Sort" {
				nodes = append(nodes, strings.TrimSpace(fmt.Sprint(kind, " ", or(v["Index Name"], v["Relation Name"]))))
			}
			for _, key := range []string{"Plan", "Plans"} {
				walk(v[key])
			}
			if list, ok := v["Plan"].([]any); ok {
				walk(list)
			}
		}
	}
	walk(v)
	return nodes
}

func or(a, b any) any {
	switch {
	case a != nil:
		return a
	case b != nil:
		return b
	}
	return ""
}

// The usual look-ups of a large table go by an index, and a page of an order
// does not sort, also when the table was filled a moment ago.
func TestUsualQueriesUseIndexes(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("fills a table")
	}
	s := openInternal(t)
	execute := func(sql string) {
		t.Helper()
		if _, err := s.pool.Exec(t.Context(), s.names.sql(sql)); err != nil {
			t.Fatal(err)
		}
	}
	for _, table := range tables { // so that nobody analyzes them behind our back, but while they are empty
		execute(`ALTER TABLE {` + table + `} SET (autovacuum_enabled = false)`)
		execute(`VACUUM ANALYZE {` + table + `}`)
	}
	fill(t, s, "acme", 100_000, 5_000)
	execute(`UPDATE {records} SET hidden = true WHERE id LIKE 'u000001%'`)
	for _, when := range []string{"before they are analyzed", "analyzed"} {
		t.Run(when, func(t *testing.T) {
			usualQueriesUseIndexes(t, s)
			writesUseIndexes(t, s)
		})
		execute(`VACUUM ANALYZE`)
	}
	t.Run("totals and offsets", func(t *testing.T) { largeReadsStayInTheIndex(t, s) })
}

// Counting a tenant, and skipping what lies before a page, reads no records.
func largeReadsStayInTheIndex(t *testing.T, s *Store) {
	user := schema.MustCompile(schema.User(), schema.Group())
	for _, connection := range []string{"", "okta"} {
		spy := &spy{t: t, store: s}
		q := &storage.Query{Tenant: "acme", Type: user, Connection: connection, Offset: 90_000, Limit: 100, Total: storage.TotalExact}
		if _, err := s.plan.Answer(q, func(schema.Path) bool { return true }, spy); err != nil {
			t.Fatal(err)
		}
		if len(spy.plans) != 2 {
			t.Fatalf("%d statements; want one for the page and one for the total", len(spy.plans))
		}
		for i, plan := range spy.plans {
			if nodes := scans(t, plan); !slices.Contains(nodes, "Index Only Scan muster_records_key") {
				t.Errorf("%v; want an index only scan\n%s", nodes, spy.texts[i])
			}
		}
	}
}

// What a commit looks at goes by the index of just that.
func writesUseIndexes(t *testing.T, s *Store) {
	numberingIsStepwise(t, s)
	for _, c := range []struct {
		sql   string
		index string
		args  []any
	}{
		{getSQL, "records_key", []any{"User", "u0000007"}},
		{lockToWriteSQL, "records_key", []any{"User", "u0000007"}},
		{removeSQL, "records_key", []any{"User", "u0000007"}},
		{holderSQL, "uniques_key", []any{"User", "userName", "=user0000007@example.com"}},
		{addUniqueSQL, "uniques_key", []any{"User", "u0000007", "userName", "=user0000007@example.com"}},
		{dropUniquesSQL, "uniques_id", []any{"User", "u0000007", []string{"userName"}, []string{"=other"}}},
		{freeUniquesSQL, "uniques_id", []any{"User", "u0000007"}},
		{dropEntriesSQL, "entries_key", []any{"User", "u0000007", []int32{0}, []string{"emails.value"}, [][]byte{[]byte("x")}, [][]byte{nil}}},
		{freeEntriesSQL, "entries_key", []any{"User", "u0000007"}},
		{ownersSQL, "links_target", []any{"User", "u0000007"}},
		{removeLinkSQL, "links_key", []any{"Group", "g1", "members", "User", "u0000007", newToken()}},
		{someLinksSQL, "links_key", []any{"Group", "g1", "members", "User", "u0000007", 10}},
		{pendingSQL, "changes_seq", nil},
	} {
		var plan string
		if err := s.pool.QueryRow(t.Context(), "EXPLAIN (FORMAT JSON) "+s.names.sql(c.sql), append([]any{"acme"}, c.args...)...).Scan(&plan); err != nil {
			t.Fatalf("%v\n%s", err, c.sql)
		}
		for _, n := range scans(t, plan) {
			if strings.Contains(n, "muster_") && !strings.HasSuffix(n, c.index) {
				t.Errorf("%s; want %s\n%s", n, c.index, c.sql)
			}
		}
	}
}

// A chunk of the log is numbered, and forgotten, by steps along the index of what
// waits: nothing is sorted, and nothing compared with all the rest.
func numberingIsStepwise(t *testing.T, s *Store) {
	tx, err := s.pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback(t.Context())
	if _, err := tx.Exec(t.Context(), stepwise); err != nil {
		t.Fatal(err)
	}
	for sql, args := range map[string][]any{numberSQL: {"acme", chunk}, trimSQL: {"acme", 1 << 40, chunk}} {
		var plan string
		if err := tx.QueryRow(t.Context(), "EXPLAIN (FORMAT JSON) "+s.names.sql(sql), args...).Scan(&plan); err != nil {
			t.Fatal(err)
		}
		for _, not := range []string{"Seq Scan", "Bitmap", "Hash Join", "Merge Join", "Join Filter"} {
			if strings.Contains(plan, not) {
				t.Errorf("%s in %s", not, plan)
			}
		}
		for _, index := range []string{"muster_changes_seq", "muster_changes_pkey"} {
			if n := strings.Count(plan, index); n != 1 {
				t.Errorf("%s is in the plan %d times; want once: %s", index, n, plan)
			}
		}
	}
}

func usualQueriesUseIndexes(t *testing.T, s *Store) {
	user := schema.MustCompile(schema.User(), schema.Group())
	group := schema.MustCompile(schema.Group(), schema.User())
	complete, err := s.indexes.complete(t.Context(), s.pool, user)
	if err != nil {
		t.Fatal(err)
	}
	completeGroup, err := s.indexes.complete(t.Context(), s.pool, group)
	if err != nil {
		t.Fatal(err)
	}
	after := &storage.Position{ID: "u0050000", Key: "user 4000"}
	for _, c := range []struct {
		typ          *schema.Type
		filter, sort string
		after        *storage.Position
		total        storage.Total
		index        string
	}{
		{user, `id eq "u0000007"`, "", nil, storage.TotalNever, "records_key"},
		{user, `userName eq "user0000007@example.com"`, "", nil, storage.TotalIfCheap, "records_user_name"},
		{user, `userName sw "user000000"`, "", nil, storage.TotalIfCheap, "records_user_name"},
		{user, `externalId eq "e7"`, "", nil, storage.TotalIfCheap, "records_external_id"},
		{user, `displayName eq "user 70"`, "", nil, storage.TotalIfCheap, "records_display_name"},
		{user, `emails.value eq "home0000007@example.net"`, "", nil, storage.TotalIfCheap, "entries_value"},
		{user, `emails[type eq "work" and value eq "user0000007@example.com"]`, "", nil, storage.TotalIfCheap, "entries_value"},
		{user, `active eq false`, "", nil, storage.TotalIfCheap, "records_active"},
		{user, `meta.created gt "2026-01-02T03:46:00Z"`, "meta.created", nil, storage.TotalNever, "records_created"},
		{user, `meta.lastModified gt "2999-01-02T03:46:00Z"`, "", nil, storage.TotalNever, "records_modified"},
		{user, `userName eq "user0000007@example.com" and active eq true`, "", nil, storage.TotalIfCheap, "records_user_name"},
		{user, ``, "", nil, storage.TotalNever, "records_key"},
		{user, ``, "", after, storage.TotalNever, "records_key"},
		{user, onlyHidden, "", nil, storage.TotalExact, "records_hidden"},
		{user, ``, "userName", nil, storage.TotalNever, "records_user_name"},
		{user, ``, "displayName", after, storage.TotalNever, "records_display_name"},
		{user, ``, "meta.lastModified", nil, storage.TotalNever, "records_modified"},
		{user, `groups.value eq "g1"`, "", nil, storage.TotalNever, ""}, // by members or by users, as many as there are
		{group, `members.value eq "u0000007"`, "", nil, storage.TotalNever, "links_target"},
		{group, `displayName eq "group 77"`, "", nil, storage.TotalIfCheap, "records_display_name"},
	} {
		t.Run(c.filter+" "+c.sort, func(t *testing.T) {
			q := &storage.Query{Tenant: "acme", Type: c.typ, Limit: 100, Total: c.total, After: c.after, OnlyHidden: c.filter == onlyHidden}
			if c.filter != "" && !q.OnlyHidden {
				q.Filter = plan(t, c.typ, c.filter)
			}
			if c.sort != "" {
				p, err := c.typ.Resolve(c.sort)
				if err != nil {
					t.Fatal(err)
				}
				q.Sort.Path = p
			}
			indexes := complete
			if c.typ == group {
				indexes = completeGroup
			}
			spy := &spy{t: t, store: s}
			if _, err := s.plan.Answer(q, indexes, spy); err != nil {
				t.Fatal(err)
			}
			for i, plan := range spy.plans {
				nodes := scans(t, plan)
				if slices.ContainsFunc(nodes, func(n string) bool { return strings.HasPrefix(n, "Seq Scan") }) {
					t.Errorf("%v\n%s", nodes, spy.texts[i])
				}
				if c.sort != "" && slices.Contains(nodes, "Sort") {
					t.Errorf("sorts: %v\n%s", nodes, spy.texts[i])
				}
			}
			if nodes := scans(t, spy.plans[0]); !slices.ContainsFunc(nodes, func(n string) bool { return strings.HasSuffix(n, c.index) }) {
				t.Errorf("%v; want %s\n%s", nodes, c.index, spy.texts[0])
			}
		})
	}
}

// onlyHidden stands for no filter, and no others than hidden records.
const onlyHidden = "(only hidden)"

func plan(t *testing.T, typ *schema.Type, text string) *filter.Plan {
	t.Helper()
	e, err := filter.Parse(text, filter.ParseOptions{})
	if err != nil {
		t.Fatal(err)
	}
	p, err := filter.Compile(typ, e, filter.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func openInternal(t testing.TB, opts ...Option) *Store {
	t.Helper()
	s, err := Open(t.Context(), pgtest.URL(t), opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := s.Migrate(context.Background()); err != nil {
		t.Fatal(err)
	}
	return s
}
