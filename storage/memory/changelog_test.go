package memory_test

import (
	"errors"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/musterhq/muster/storage"
	"github.com/musterhq/muster/storage/memory"
)

func seqs(t *testing.T, s *memory.Store, after int64) (seqs []int64) {
	t.Helper()
	changes, err := s.Changes(t.Context(), tenant, after, 1000)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range changes {
		seqs = append(seqs, c.Seq)
	}
	return seqs
}

func TestAFullLogForgetsTheOldest(t *testing.T) {
	t.Parallel()
	s := memory.New(memory.WithChangeLog(5))
	for range 7 {
		commit(t, s, &storage.Batch{Puts: []storage.Put{{Record: groupRecord(t, 1)}}})
	}
	if got, want := seqs(t, s, 0), []int64{3, 4, 5, 6, 7}; !slices.Equal(got, want) {
		t.Errorf("after seven changes: %v, want %v", got, want)
	}
	add := storage.LinkEdit{Owner: group(1), Relation: "members", Missing: storage.MissingKeep, Add: []storage.Ref{user(1), user(2)}}
	commit(t, s, &storage.Batch{Links: []storage.LinkEdit{add}})
	if got, want := seqs(t, s, 0), []int64{6, 7, 8}; !slices.Equal(got, want) {
		t.Errorf("after a change of two links: %v, want %v", got, want)
	}
	add.Add = nil
	for i := range 20 {
		add.Add = append(add.Add, user(10+i))
	}
	commit(t, s, &storage.Batch{Links: []storage.LinkEdit{add}})
	if got, want := seqs(t, s, 0), []int64{9}; !slices.Equal(got, want) {
		t.Errorf("after a change that is too large by itself: %v, want %v", got, want)
	}
	if deltas, err := s.ChangedLinks(t.Context(), tenant, 9, storage.LinkDelta{}, 100); err != nil || len(deltas) != 20 {
		t.Errorf("it is not whole: %d links, %v", len(deltas), err)
	}
	if _, err := s.ChangedLinks(t.Context(), tenant, 8, storage.LinkDelta{}, 100); !errors.Is(err, storage.ErrNotFound) {
		t.Errorf("links of a forgotten change: %v", err)
	}
}

func TestALogWithoutBoundForgetsNothing(t *testing.T) {
	t.Parallel()
	s := memory.New(memory.WithChangeLog(0))
	const n = memory.DefaultChangeLog + 100
	b := &storage.Batch{Puts: []storage.Put{{Record: groupRecord(t, 1)}}}
	for range n {
		commit(t, s, b)
	}
	if got := seqs(t, s, 0); got[0] != 1 || len(got) != 1000 {
		t.Errorf("starts at %d", got[0])
	}
	if got := seqs(t, s, n-1); !slices.Equal(got, []int64{n}) {
		t.Errorf("ends at %v", got)
	}
}

func TestForgottenChangesFreeTheirMemory(t *testing.T) {
	s := memory.New() // not parallel: it looks at the heap
	commit(t, s, &storage.Batch{Puts: []storage.Put{{Record: groupRecord(t, 1)}}})
	heap := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := heap()
	b := &storage.Batch{Puts: []storage.Put{{Record: groupRecord(t, 1)}}}
	for range 50_000 {
		commit(t, s, b)
	}
	full := heap()
	if err := s.TrimChanges(t.Context(), tenant, day.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	after := heap()
	runtime.KeepAlive(s)
	if full < before+50_000*100 {
		t.Fatalf("the log takes %d bytes only: the test measures nothing", full-before)
	}
	if after > before+(full-before)/20 {
		t.Errorf("%d bytes with an empty log, %d with a full one, %d when trimmed", before, full, after)
	}
}
