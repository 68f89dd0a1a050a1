package sqlite

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/musterhq/muster/scim/schema"
	"github.com/musterhq/muster/storage"
)

// userIndexing is the type User that indexes further attributes.
func userIndexing(attrs ...string) *schema.Type {
	u := schema.User()
	u.Indexed = attrs
	return schema.MustCompile(u, schema.Group())
}

func complete(t *testing.T, s *Store, typ *schema.Type, attr string) (yes bool) {
	t.Helper()
	err := s.view(t.Context(), func(c *conn) error {
		known, err := s.indexes.of(c, typ)
		yes = known.complete[typ.MustResolve(attr)]
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return yes
}

func people(t *testing.T, typ *schema.Type, from, to int) (rs []*storage.Record) {
	for i := from; i < to; i++ {
		rs = append(rs, record(t, typ, fmt.Sprintf("u%04d", i), fmt.Sprintf(
			`{"userName":"n%d","title":"t%d","emails":[{"value":"n%d@x","type":"work"}]}`, i, i%10, i)))
	}
	return rs
}

func TestIndexOfAnEmptyStoreIsCompleteAtOnce(t *testing.T) {
	t.Parallel()
	s, typ := openNew(t), userIndexing("title")
	commitTo(t, s, put(people(t, typ, 0, 10)...))
	for _, attr := range []string{"title", "userName", "emails.value", "active"} {
		if !complete(t, s, typ, attr) {
			t.Errorf("the index of %s is not complete", attr)
		}
	}
}

func TestAttributeThatIsIndexedLater(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "x.db")
	before, after := userIndexing(), userIndexing("title")
	s := openAt(t, path)
	commitTo(t, s, put(people(t, before, 0, 2*reindexChunk+10)...))
	freed := people(t, before, 5, 6)[0].WithoutKeys()
	freed.Hidden = true
	commitTo(t, s, put(freed))

	if complete(t, s, after, "title") {
		t.Fatal("an index that nothing was written to counts as complete")
	}
	const want = 41 // of 410, one is hidden
	if page := ask(t, s, after, `title eq "t5"`); page.Total != want-1 {
		t.Errorf("%d records are found before the index is complete; want %d", page.Total, want-1)
	}
	commitTo(t, s, put(people(t, after, 1, 2)...))
	eventually(t, "the index is complete", func() bool { return complete(t, s, after, "title") })
	if page := ask(t, s, after, `title eq "t5"`); page.Total != want-1 {
		t.Errorf("%d records are found by the index; want %d", page.Total, want-1)
	}
	if page := ask(t, s, after, `emails.value eq "n300@x"`); page.Total != 1 {
		t.Errorf("%d records have an e-mail address; want 1", page.Total)
	}
	commitTo(t, s, put(holding(user("other"), "n5"))) // the key that was freed stays free
	if got := s.entryCount(t, "title"); got != 2*reindexChunk+10 {
		t.Errorf("there are %d entries of titles; want one for each record", got)
	}

	// Who writes without the index makes it incomplete.
	commitTo(t, s, put(people(t, before, 7, 8)...))
	if complete(t, s, after, "title") {
		t.Error("an index counts as complete after a write that left it out")
	}
	if page := ask(t, s, after, `title eq "t7"`); page.Total != want {
		t.Errorf("%d records are found; want %d", page.Total, want)
	}
}

func (s *Store) entryCount(t *testing.T, attr string) (n int) {
	err := s.read(t.Context(), func(c *conn) error {
		row, err := c.first("SELECT count(*) FROM muster_entries WHERE attr = ?", attr)
		if err == nil {
			n = int(integer(row[0]))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestOtherKeysOfAnAttributeMakeItsIndexIncomplete(t *testing.T) {
	t.Parallel()
	s := openNew(t)
	commitTo(t, s, put(people(t, userIndexing("title"), 0, 3)...))
	u := schema.User()
	u.Indexed = []string{"title"}
	for i := range u.Schema.Attributes {
		if u.Schema.Attributes[i].Name == "title" {
			u.Schema.Attributes[i].CaseExact = true
		}
	}
	exact := schema.MustCompile(u, schema.Group())
	commitTo(t, s, put(people(t, exact, 3, 4)...))
	if complete(t, s, exact, "title") {
		t.Error("keys without case count as keys with case")
	}
}

func TestIndexOutlivesTheStore(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "x.db")
	s := openAt(t, path)
	commitTo(t, s, put(people(t, userIndexing("title"), 0, 3)...))
	again, typ := openAt(t, path), userIndexing("title")
	if !complete(t, again, typ, "title") {
		t.Error("another store on the file does not know that the index is complete")
	}
	if page := ask(t, again, typ, `title eq "T1"`); len(page.Records) != 1 {
		t.Errorf("%d records; want 1", len(page.Records))
	}
}

// A refused write changes nothing, also not what is known of indexes.
func TestRefusedWriteDoesNotListAnIndex(t *testing.T) {
	t.Parallel()
	s, before, after := openNew(t), userIndexing(), userIndexing("title")
	commitTo(t, s, put(people(t, before, 0, 3)...))
	refused := put(people(t, after, 0, 1)...)
	refused.Puts[0].IfVersion = 99
	if _, err := s.Commit(t.Context(), refused); err == nil {
		t.Fatal("the write was not refused")
	}
	refused = put(people(t, after, 4, 5)...)
	refused.Deletes = []storage.Delete{{Ref: user("nobody")}}
	if _, err := s.Commit(t.Context(), refused); err == nil {
		t.Fatal("the write was not refused")
	}
	if !complete(t, s, before, "userName") || complete(t, s, after, "title") {
		t.Error("the indexes are other ones after a refused write")
	}
}

func TestRecordThatIsPutBackStaysIndexed(t *testing.T) {
	t.Parallel()
	s, typ := openNew(t), userIndexing()
	commitTo(t, s, put(people(t, typ, 0, 3)...))
	r, err := s.Get(t.Context(), "t", user("u0001"))
	if err != nil {
		t.Fatal(err)
	}
	commitTo(t, s, put(r.WithoutKeys()))
	for _, text := range []string{`userName eq "n1"`, `emails.value eq "n1@x"`} {
		if page := ask(t, s, typ, text); page.Total != 1 {
			t.Errorf("%s finds %d records; want 1", text, page.Total)
		}
	}
	commitTo(t, s, put(holding(user("new"), "n1"))) // its name is free
}
