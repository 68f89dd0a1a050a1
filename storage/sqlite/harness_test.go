package sqlite

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/musterhq/muster/scim/filter"
	"github.com/musterhq/muster/scim/resource"
	"github.com/musterhq/muster/scim/schema"
	"github.com/musterhq/muster/storage"
)

var day = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

func user(id string) storage.Ref { return storage.Ref{Type: "User", ID: id} }

// openAt opens a store in a file, and closes it when the test ends.
func openAt(t testing.TB, path string, opts ...Option) *Store {
	t.Helper()
	s, err := Open(path, opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func openNew(t testing.TB, opts ...Option) *Store {
	t.Helper()
	return openAt(t, filepath.Join(t.TempDir(), "directory.db"), opts...)
}

// record makes the record of a body.
func record(t testing.TB, typ *schema.Type, id, body string) *storage.Record {
	t.Helper()
	d, err := resource.Decode(typ, []byte(body), resource.DecodeOptions{Partial: true})
	if err != nil {
		t.Fatal(err)
	}
	return storage.NewRecord(d.Resource.WithMeta(resource.Meta{ID: id, Created: day}), "okta")
}

// holding is a record with a name that no other may have.
func holding(ref storage.Ref, name string) *storage.Record {
	return &storage.Record{
		Ref: ref, Connection: "okta", Label: name, Created: day, Doc: fmt.Appendf(nil, `{"userName":%q}`, name),
		Unique: []storage.UniqueKey{{Attr: "userName", Key: "=" + name}},
	}
}

func put(rs ...*storage.Record) *storage.Batch {
	b := &storage.Batch{Tenant: "t", Time: day}
	for _, r := range rs {
		b.Puts = append(b.Puts, storage.Put{Record: r})
	}
	return b
}

func commitTo(t testing.TB, s *Store, b *storage.Batch) *storage.CommitResult {
	t.Helper()
	res, err := s.Commit(t.Context(), b)
	if err != nil {
		t.Fatal(err)
	}
	return res
}

// ask puts a question about the records of a type.
func ask(t testing.TB, s *Store, typ *schema.Type, text string, change ...func(*storage.Query)) *storage.Page {
	t.Helper()
	q := &storage.Query{Tenant: "t", Type: typ, Filter: planOf(t, typ, text), Limit: 100, Total: storage.TotalExact}
	for _, f := range change {
		f(q)
	}
	page, err := s.Query(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	return page
}

func planOf(t testing.TB, typ *schema.Type, text string) *filter.Plan {
	t.Helper()
	if text == "" {
		return nil
	}
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

// eventually waits for something that happens in the background.
func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !holds(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("it does not come about that %s", what)
		}
	}
}
