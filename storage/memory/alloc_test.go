package memory_test

import (
	"runtime"
	"testing"
	"time"

	"github.com/musterhq/muster/storage"
)

func TestGetAllocatesNothing(t *testing.T) {
	s := filled(t, 1000)
	ref, ctx := user(7), t.Context()
	if n := testing.AllocsPerRun(100, func() {
		if _, err := s.Get(ctx, tenant, ref); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// Whatever a group has, adding a member to it allocates the same, while readers
// look on and while they do not.
func TestAddingAMemberAllocatesTheSameWhateverTheGroup(t *testing.T) {
	s := filled(t, 3000)
	addGroup(t, s, 1, 10)
	addGroup(t, s, 2, 2000)
	ctx := t.Context()
	var added [1000][]storage.Ref
	for i := range added {
		added[i] = []storage.Ref{user(2000 + i)}
	}
	for _, test := range []struct {
		name  string
		reads bool
		most  float64
	}{{"no readers", false, 12}, {"readers", true, 60}} {
		var allocs [3]float64
		for g := 1; g <= 2; g++ {
			owner, next := group(g), 0
			allocs[g] = testing.AllocsPerRun(200, func() {
				next++
				commit(t, s, &storage.Batch{Time: day.Add(time.Hour), Links: []storage.LinkEdit{{
					Owner: owner, Relation: "members", Add: added[next], IfConnection: connection,
				}}})
				if test.reads {
					if _, err := s.Get(ctx, tenant, owner); err != nil {
						t.Fatal(err)
					}
				}
			})
			remove := storage.LinkEdit{Owner: owner, Relation: "members"}
			for _, refs := range added[:next+1] {
				remove.Remove = append(remove.Remove, refs...)
			}
			commit(t, s, &storage.Batch{Links: []storage.LinkEdit{remove}})
		}
		if allocs[1] > test.most || allocs[2] > allocs[1]+2 {
			t.Errorf("%s: %v allocations with 10 members, %v with 2000; want at most %v", test.name, allocs[1], allocs[2], test.most)
		}
	}
}

func TestMemoryPerUserIsWithinThreeTimesItsJSON(t *testing.T) {
	const n = 20_000
	heap := func() int {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return int(m.HeapAlloc)
	}
	before := heap()
	s := filled(t, n)
	if err := s.TrimChanges(t.Context(), tenant, day.Add(24*time.Hour)); err != nil { // bounded, whatever the number of users
		t.Fatal(err)
	}
	perUser := (heap() - before) / n
	rec, err := s.Get(t.Context(), tenant, user(n/2))
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d bytes a user with %d bytes of JSON", perUser, len(rec.Doc))
	if perUser > 3*len(rec.Doc) {
		t.Errorf("%d bytes a user, %.2f × the JSON", perUser, float64(perUser)/float64(len(rec.Doc)))
	}
	before = heap()
	addGroup(t, s, 1, n)
	if err := s.TrimChanges(t.Context(), tenant, day.Add(24*time.Hour)); err != nil {
		t.Fatal(err)
	}
	perLink := (heap() - before) / n
	runtime.KeepAlive(s)
	t.Logf("%d bytes a membership", perLink)
	if perLink > 100 {
		t.Errorf("%d bytes a membership", perLink)
	}
}
