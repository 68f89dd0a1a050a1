package postgres

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/musterhq/muster/internal/pgtest"
	"github.com/musterhq/muster/scim/schema"
	"github.com/musterhq/muster/storage"
)

// typeWith is the user type with further indexed attributes.
func typeWith(indexed ...string) *schema.Type {
	d := schema.User()
	d.Indexed = append(d.Indexed, indexed...)
	return schema.MustCompile(d, schema.Group())
}

func storeAt(t *testing.T, url string) *Store {
	t.Helper()
	s, err := Open(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	if err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *Store) mustPut(t *testing.T, typ *schema.Type, from, n int) {
	t.Helper()
	b := &storage.Batch{Tenant: "acme", Time: time.Now()}
	for _, r := range people(t, typ, from, n) {
		b.Puts = append(b.Puts, storage.Put{Record: r})
	}
	if _, err := s.Commit(t.Context(), b); err != nil {
		t.Fatal(err)
	}
}

// titles returns how many users have a title, and whether an index was asked.
func (s *Store) titles(t *testing.T, typ *schema.Type, title string) (n int, byIndex bool) {
	t.Helper()
	q := &storage.Query{Tenant: "acme", Type: typ, Filter: plan(t, typ, `title eq "`+title+`"`), Limit: 1000}
	complete, err := s.indexes.complete(t.Context(), s.pool, typ)
	if err != nil {
		t.Fatal(err)
	}
	p, err := typ.Resolve("title")
	if err != nil {
		t.Fatal(err)
	}
	page, err := s.Query(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	return len(page.Records), complete(p)
}

func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for range 300 {
		if holds() {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatalf("after 15 seconds: %s", what)
}

func TestAttributeThatIsIndexedLaterIsIndexedInTheBackground(t *testing.T) {
	t.Parallel()
	url := pgtest.URL(t)
	old, before := storeAt(t, url), typeWith()
	old.mustPut(t, before, 0, 500)
	if n, by := old.titles(t, before, "Title 7"); n != 10 || by {
		t.Fatalf("%d users, by index %v; want 10 by looking at all", n, by)
	}
	s, after := storeAt(t, url), typeWith("title")
	eventually(t, "the index is not used", func() bool {
		n, by := s.titles(t, after, "Title 7")
		if n != 10 {
			t.Fatalf("%d users; want 10 at any time", n)
		}
		return by
	})
	s.mustPut(t, after, 500, 50)
	if n, _ := s.titles(t, after, "Title 7"); n != 11 {
		t.Fatalf("%d users; want 11", n)
	}

	// The old program goes on writing what has no entry.
	old.mustPut(t, before, 550, 50)
	if n, by := s.titles(t, after, "Title 7"); n != 12 || by {
		t.Fatalf("%d users, by index %v; want 12 by looking at all", n, by)
	}
	// And the new one does not fight about it.
	begin := time.Now()
	for i := range 10 {
		s.mustPut(t, after, 600+i, 1)
		old.mustPut(t, before, 610+i, 1)
	}
	if d := time.Since(begin); d > trust {
		t.Errorf("20 writes took %v", d)
	}
}

func TestIndexesOfANewTypeAreCompleteAtOnce(t *testing.T) {
	t.Parallel()
	s, typ := openInternal(t), typeWith("title")
	s.mustPut(t, typ, 0, 50)
	if n, by := s.titles(t, typ, "Title 7"); n != 1 || !by {
		t.Errorf("%d users, by index %v; want 1 by index", n, by)
	}
}

func TestNothingOfAFilterBecomesSQL(t *testing.T) {
	t.Parallel()
	s, typ := openInternal(t), typeWith("title")
	s.mustPut(t, typ, 0, 50)
	complete, err := s.indexes.complete(t.Context(), s.pool, typ)
	if err != nil {
		t.Fatal(err)
	}
	texts := map[string][]string{}
	for _, evil := range []string{"harmless", `'; DROP TABLE muster_records; --`, `' OR '1'='1`, `\\' OR 1=1 --`, `%_`, `$1`, `{records}`, `\\x27`} {
		for _, shape := range []string{
			`userName eq %q`, `userName sw %q`, `userName co %q`, `displayName ew %q`, `title eq %q`, `title co %q`, `emails.value eq %q`,
			`emails[type eq %q and value eq %q]`, `groups.value eq %q`, `not (externalId eq %q) and id gt %q`,
		} {
			filter := strings.ReplaceAll(shape, "%q", `"`+evil+`"`)
			spy := &spy{t: t, store: s}
			q := &storage.Query{Tenant: evil, Connection: evil, Type: typ, Filter: plan(t, typ, filter), Limit: 10, Total: storage.TotalExact}
			if _, err := s.plan.Answer(q, complete, spy); err != nil {
				t.Fatal(err)
			}
			if known, ok := texts[shape]; ok && !slices.Equal(known, spy.texts) {
				t.Errorf("%s: the statement hangs on the operand:\n%s", filter, spy.texts)
			}
			texts[shape] = spy.texts
			if _, err := s.Query(t.Context(), q); err != nil {
				t.Errorf("%s: %v", filter, err)
			}
		}
	}
	if n, _ := s.titles(t, typ, "Title 7"); n != 1 {
		t.Errorf("%d users; want 1", n)
	}
}

func TestTotalsAreKeptUntilSomethingIsWritten(t *testing.T) {
	t.Parallel()
	s, typ := openInternal(t), typeWith()
	s.mustPut(t, typ, 0, 300)
	total := func() int {
		t.Helper()
		page, err := s.Query(t.Context(), &storage.Query{Tenant: "acme", Type: typ, Limit: 10, Total: storage.TotalExact})
		if err != nil {
			t.Fatal(err)
		}
		return page.Total
	}
	if n := total(); n != 300 {
		t.Fatalf("%d in all; want 300", n)
	}
	eventually(t, "the log is not numbered", func() bool {
		_, pending, err := s.readChanges(t.Context(), "acme", 0, 0)
		return err == nil && !pending
	})
	total()
	// A kept total is used: what happens behind the store's back does not show.
	if _, err := s.pool.Exec(t.Context(), s.names.sql(`DELETE FROM {records} WHERE id = (SELECT max(id) FROM {records})`)); err != nil {
		t.Fatal(err)
	}
	if n := total(); n != 300 {
		t.Errorf("%d in all; want what is kept", n)
	}
	s.mustPut(t, typ, 300, 1)
	if n := total(); n != 300 {
		t.Errorf("%d in all after a write; want 300, counted anew", n)
	}
}

func TestBulkCommitsTogetherWhatItCan(t *testing.T) {
	t.Parallel()
	typ := typeWith()
	var batches []*storage.Batch
	for _, r := range people(t, typ, 0, 20) {
		batches = append(batches, create(r))
	}
	twice := create(batches[3].Puts[0].Record)
	for _, c := range []struct {
		name    string
		batches []*storage.Batch
		want    int
	}{
		{"different records", batches, 20},
		{"the same record", []*storage.Batch{batches[3], batches[4], twice}, 2},
		{"a delete", []*storage.Batch{{Tenant: "acme", Deletes: []storage.Delete{{}}}, batches[0]}, 1},
		{"before a delete", []*storage.Batch{batches[0], {Tenant: "acme", Deletes: []storage.Delete{{}}}}, 1},
		{"another tenant", []*storage.Batch{batches[0], {Tenant: "other", Puts: batches[1].Puts}}, 1},
		{"edits in the order of locks", edits("a", "a", "b"), 3},
		{"edits against it", edits("b", "a"), 1},
	} {
		if got := together(c.batches); got != c.want {
			t.Errorf("%s: %d together; want %d", c.name, got, c.want)
		}
	}
}

func edits(owners ...string) (list []*storage.Batch) {
	for i, id := range owners {
		list = append(list, &storage.Batch{Tenant: "acme", Links: []storage.LinkEdit{{
			Owner: storage.Ref{Type: "Group", ID: id}, Relation: "members", Add: []storage.Ref{{Type: "User", ID: fmt.Sprint(i)}},
		}}})
	}
	return list
}
