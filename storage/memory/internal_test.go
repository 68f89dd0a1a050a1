package memory

import (
	"context"
	"fmt"
	"maps"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/musterhq/muster/storage"
)

func TestRowsAgreeWithAMapAndSnapshotsStay(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		type kept struct {
			rows  rows
			model map[uint32]*row
		}
		var now rows
		model := map[uint32]*row{}
		var snapshots []kept
		epoch := uint64(1)
		for range rapid.IntRange(0, 20).Draw(t, "rounds") {
			for range rapid.SampledFrom([]int{1, 40, 1100}).Draw(t, "new") {
				r := &row{}
				model[now.size] = r
				now.set(epoch, now.size, r)
			}
			slot := rapid.Uint32Range(0, now.size-1).Draw(t, "slot")
			model[slot] = &row{}
			now.set(epoch, slot, model[slot])
			if rapid.Bool().Draw(t, "keep") {
				snapshots = append(snapshots, kept{now, maps.Clone(model)})
				epoch++
			}
		}
		for _, s := range append(snapshots, kept{now, model}) {
			for slot, want := range s.model {
				if s.rows.get(slot) != want {
					t.Fatalf("slot %d of %d holds another row", slot, s.rows.size)
				}
			}
		}
	})
}

func testRecord(id string) *storage.Record {
	return &storage.Record{
		Ref: storage.Ref{Type: "User", ID: id}, Doc: []byte("{}"),
		Index:  []storage.Entry{{Attr: "userName", Key: id}},
		Unique: []storage.UniqueKey{{Attr: "userName", Key: "=" + id}},
	}
}

func mustCommit(t *testing.T, n *tenant, b *storage.Batch) {
	t.Helper()
	b.Time = time.Unix(1, 0)
	if _, err := n.commit(context.Background(), b); err != nil {
		t.Fatal(err)
	}
}

func TestNamesAndKeysWithTheSameHashAreToldApart(t *testing.T) {
	t.Parallel()
	n := newTenant(0)
	mustCommit(t, n, &storage.Batch{Puts: []storage.Put{{Record: testRecord("a")}, {Record: testRecord("b")}, {Record: testRecord("c")}}})
	s := &n.work
	users := s.table("User")
	attr, _ := users.attr("userName")
	for _, id := range []string{"a", "b", "c", "missing"} { // every hash leads to every slot
		for slot := range s.rows.size {
			s.names.Set(s.epoch, hashed{s.nameHash(users, id), slot})
			s.unique.Set(s.epoch, hashed{s.uniqueHash(users, attr, "="+id), slot})
		}
	}
	for _, id := range []string{"a", "b", "c"} {
		if r := s.find(storage.Ref{Type: "User", ID: id}); r == nil || r.who.id != id {
			t.Errorf("%s leads to %+v", id, r)
		}
		if r := s.holder(users, storage.UniqueKey{Attr: "userName", Key: "=" + id}); r == nil || r.who.id != id {
			t.Errorf("the key of %s leads to %+v", id, r)
		}
	}
	if s.find(storage.Ref{Type: "User", ID: "missing"}) != nil || s.holder(users, storage.UniqueKey{Attr: "userName", Key: "=missing"}) != nil {
		t.Error("something that is not there was found")
	}
}

func TestSlotsOfWhatIsGoneAreUsedAgain(t *testing.T) {
	t.Parallel()
	n := newTenant(10)
	group := storage.Ref{Type: "Group", ID: "g"}
	g := &storage.Record{Ref: group, Doc: []byte("{}")}
	for round := range 50 {
		elsewhere := storage.Ref{Type: "User", ID: fmt.Sprint("elsewhere", round)}
		mustCommit(t, n, &storage.Batch{
			Puts:  []storage.Put{{Record: testRecord(fmt.Sprint("user", round))}, {Record: g}},
			Links: []storage.LinkEdit{{Owner: group, Relation: "members", Add: []storage.Ref{elsewhere, {Type: "User", ID: fmt.Sprint("user", round)}}, Missing: storage.MissingKeep}},
		})
		if n.work.find(elsewhere) == nil {
			t.Fatal("the target of a kept link has no name")
		}
		mustCommit(t, n, &storage.Batch{Deletes: []storage.Delete{{Ref: storage.Ref{Type: "User", ID: fmt.Sprint("user", round)}}}})
		if round%2 == 0 {
			mustCommit(t, n, &storage.Batch{Links: []storage.LinkEdit{{Owner: group, Relation: "members", Reset: true}}})
		} else {
			mustCommit(t, n, &storage.Batch{Deletes: []storage.Delete{{Ref: group}}})
		}
		if n.work.find(elsewhere) != nil {
			t.Fatal("a name without record or link is kept")
		}
	}
	s := &n.work
	if s.rows.size > 4 {
		t.Errorf("%d slots for 3 names", s.rows.size)
	}
	for name, size := range map[string]int{
		"out": s.out.Len(), "in": s.in.Len(), "unique": s.unique.Len(),
		"user times": s.table("User").len(), "group times": s.table("Group").modified.Len(),
	} {
		if size != 0 {
			t.Errorf("%s holds %d items when all is deleted", name, size)
		}
	}
}

func TestNothingOfAKeyIsKeptTwice(t *testing.T) {
	t.Parallel()
	n := newTenant(0)
	r := testRecord("ada@example.com")
	r.Index = append(r.Index,
		storage.Entry{Attr: "emails.value", Key: "ada@example.com", Qualifier: "home"},
		storage.Entry{Attr: "emails.value", Key: "ada@example.com", Qualifier: "work"})
	mustCommit(t, n, &storage.Batch{Puts: []storage.Put{{Record: r}}})
	keys := n.work.find(r.Ref).keys
	if len(keys) != 3 {
		t.Errorf("%d keys, want the unique one, the name and one address", len(keys))
	}
}

// A text that just fits and the beginning of a longer one are the same key: what
// is known of it follows the record.
func TestTruncatedEntriesAreCounted(t *testing.T) {
	t.Parallel()
	n := newTenant(0)
	for i, test := range []struct {
		entries []storage.Entry
		want    int
	}{
		{[]storage.Entry{{Attr: "title", Key: "same"}}, 0},
		{[]storage.Entry{{Attr: "title", Key: "same", Truncated: true}}, 1},
		{[]storage.Entry{{Attr: "title", Key: "same"}, {Attr: "title", Key: "same", Truncated: true}}, 1},
		{[]storage.Entry{{Attr: "title", Key: "same"}}, 0},
		{[]storage.Entry{{Attr: "title", Key: "same", Truncated: true}, {Attr: "title", Key: "tame", Truncated: true}}, 2},
		{nil, 0},
	} {
		r := testRecord("a")
		r.Index = test.entries
		mustCommit(t, n, &storage.Batch{Puts: []storage.Put{{Record: r}}})
		users := n.work.table("User")
		if attr, ok := users.attr("title"); !ok || users.indexes[attr].truncated != test.want {
			t.Errorf("put %d: the index knows of %d truncated entries, want %d", i, users.indexes[attr].truncated, test.want)
		}
	}
}
