package memory_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/musterhq/muster/storage"
	"github.com/musterhq/muster/storage/memory"
)

// pair is a batch that puts two users and their group's links at once.
func pair(t testing.TB, version int) *storage.Batch {
	return &storage.Batch{
		Time: day.Add(time.Duration(version) * time.Second),
		Puts: []storage.Put{{Record: groupRecord(t, 1)}, {Record: groupRecord(t, 2)}},
		Links: []storage.LinkEdit{
			{Owner: group(1), Relation: "members", Reset: true, Add: []storage.Ref{user(version % 7)}, Missing: storage.MissingKeep},
			{Owner: group(2), Relation: "members", Reset: true, Add: []storage.Ref{user(version % 7)}, Missing: storage.MissingKeep},
		},
	}
}

func TestReadersSeeWholeBatches(t *testing.T) {
	t.Parallel()
	s := memory.New()
	commit(t, s, pair(t, 0))
	const batches = 3000
	var wg sync.WaitGroup
	stop := make(chan struct{})
	// A reader that pauses lets the writer stop publishing, one that does not keeps
	// it at it: both ways have to be right, and so has the change between them.
	for _, pause := range []time.Duration{0, time.Millisecond} {
		wg.Go(func() {
			last := int64(0)
			for {
				select {
				case <-stop:
					return
				default:
				}
				time.Sleep(pause)
				first, err := s.Get(t.Context(), tenant, group(1))
				if err != nil {
					t.Error(err)
					return
				}
				second, err := s.Get(t.Context(), tenant, group(2))
				if err != nil {
					t.Error(err)
					return
				}
				if first.Version < last || second.Version < first.Version {
					t.Errorf("versions go from %d to %d and %d", last, first.Version, second.Version)
					return
				}
				last = second.Version
				page, err := s.Query(t.Context(), &storage.Query{Tenant: tenant, Type: groupType, Limit: 10, Total: storage.TotalExact})
				if err != nil || page.Total != 2 || page.Records[0].Version != page.Records[1].Version {
					t.Errorf("half a batch: %+v, %v", page, err)
					return
				}
				links, err := s.Links(t.Context(), &storage.LinkQuery{Tenant: tenant, Relation: members, Of: []storage.Ref{group(1), group(2)}})
				if err != nil || len(links) != 2 || links[0].To != links[1].To {
					t.Errorf("half a batch: %v, %v", links, err)
					return
				}
			}
		})
	}
	for v := 1; v <= batches; v++ {
		commit(t, s, pair(t, v))
	}
	close(stop)
	wg.Wait()
	if r, err := s.Get(t.Context(), tenant, group(2)); err != nil || r.Version != batches+1 {
		t.Errorf("after %d batches: %+v, %v", batches+1, r, err)
	}
}

func TestEveryReadSeesWhatWasCommittedBefore(t *testing.T) {
	t.Parallel()
	s := memory.New()
	for n := range int64(1000) {
		commit(t, s, &storage.Batch{Puts: []storage.Put{{Record: groupRecord(t, 1)}}})
		if n%7 == 0 || n > 300 && n < 400 || n == 999 {
			if r, err := s.Get(t.Context(), tenant, group(1)); err != nil || r.Version != n+1 {
				t.Fatalf("version %d after commit %d: %v", r.Version, n+1, err)
			}
		}
	}
}

func TestAFailedBatchLeavesNothingWithoutReadersToo(t *testing.T) {
	t.Parallel()
	s := memory.New()
	for range 100 { // nobody reads: commits change the state in place
		commit(t, s, &storage.Batch{Puts: []storage.Put{{Record: groupRecord(t, 1)}}})
	}
	_, err := s.Commit(t.Context(), &storage.Batch{
		Tenant: tenant, Time: day.Add(time.Hour),
		Puts:  []storage.Put{{Record: groupRecord(t, 1)}, {Record: groupRecord(t, 2)}},
		Links: []storage.LinkEdit{{Owner: group(1), Relation: "members", Add: []storage.Ref{group(2), user(1)}, Missing: storage.MissingReject}},
	})
	if !errors.Is(err, storage.ErrMissingTarget) {
		t.Fatal(err)
	}
	if r, err := s.Get(t.Context(), tenant, group(1)); err != nil || r.Version != 100 || !r.Modified.Equal(day) {
		t.Errorf("%+v, %v", r, err)
	}
	if _, err := s.Get(t.Context(), tenant, group(2)); !errors.Is(err, storage.ErrNotFound) {
		t.Errorf("the other record: %v", err)
	}
	if changes, err := s.Changes(t.Context(), tenant, 100, 10); err != nil || len(changes) != 0 {
		t.Errorf("changes %v, %v", changes, err)
	}
}

func TestParallelMemberAddsLoseNone(t *testing.T) {
	t.Parallel()
	s := memory.New()
	const writers, each = 8, 200
	commit(t, s, &storage.Batch{Puts: []storage.Put{{Record: groupRecord(t, 1)}}})
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for i := range each {
				commit(t, s, &storage.Batch{Links: []storage.LinkEdit{{
					Owner: group(1), Relation: "members", Add: []storage.Ref{user(w*each + i)}, Missing: storage.MissingKeep,
				}}})
			}
		})
	}
	wg.Wait()
	links, err := s.Links(t.Context(), &storage.LinkQuery{Tenant: tenant, Relation: members, Of: []storage.Ref{group(1)}})
	if err != nil || len(links) != writers*each {
		t.Errorf("%d links, %v", len(links), err)
	}
	if r, err := s.Get(t.Context(), tenant, group(1)); err != nil || r.Version != 1+writers*each {
		t.Errorf("version %d, %v", r.Version, err)
	}
}

func TestParallelConditionalWritesLoseNone(t *testing.T) {
	t.Parallel()
	s := memory.New()
	const writers, each = 8, 50
	commit(t, s, &storage.Batch{Puts: []storage.Put{{Record: groupRecord(t, 1)}}})
	var wg sync.WaitGroup
	for range writers {
		wg.Go(func() {
			for done := 0; done < each; {
				r, err := s.Get(t.Context(), tenant, group(1))
				if err != nil {
					t.Error(err)
					return
				}
				_, err = s.Commit(t.Context(), &storage.Batch{Tenant: tenant, Time: day, Puts: []storage.Put{{Record: groupRecord(t, 1), IfVersion: r.Version}}})
				switch {
				case err == nil:
					done++
				case !errors.Is(err, storage.ErrConflict):
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	if r, err := s.Get(t.Context(), tenant, group(1)); err != nil || r.Version != 1+writers*each {
		t.Errorf("version %d, %v", r.Version, err)
	}
}

func TestAScanHoldsNobodyUp(t *testing.T) {
	t.Parallel()
	s := filled(t, 1000)
	wrote := false
	// The link test runs in the middle of the scan; what it writes must neither wait
	// for the scan nor be seen by it.
	p := plan(t, userType, `title co "pilot" and userName pr`)
	ctx := &hookedContext{Context: t.Context(), hook: func() {
		if !wrote {
			wrote = true
			commit(t, s, &storage.Batch{Deletes: []storage.Delete{{Ref: user(1)}, {Ref: user(999)}}})
		}
	}}
	page, err := s.Query(ctx, &storage.Query{Tenant: tenant, Type: userType, Filter: p, Limit: 1, Total: storage.TotalExact})
	if err != nil || page.Total != 1000 || !wrote {
		t.Errorf("wrote %v; the scan saw %+v, %v", wrote, page, err)
	}
}

// hookedContext calls a hook when it is asked the second time whether it is done:
// the first time is before the query begins.
type hookedContext struct {
	context.Context
	asked int
	hook  func()
}

func (c *hookedContext) Err() error {
	if c.asked++; c.asked == 2 {
		c.hook()
	}
	return c.Context.Err()
}

func TestWaitingForATurnEndsWithTheContext(t *testing.T) {
	t.Parallel()
	s := memory.New()
	ref := user(1)
	err := s.WithLock(t.Context(), tenant, ref, func(ctx context.Context, st storage.Store) error {
		waiting, cancel := context.WithTimeout(ctx, time.Millisecond)
		defer cancel()
		if err := s.WithLock(waiting, tenant, ref, nil); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("the same record: %v", err)
		}
		ran := false
		f := func(context.Context, storage.Store) error { ran = true; return errors.New("as it is") }
		if err := s.WithLock(ctx, tenant, user(2), f); !ran || err == nil || err.Error() != "as it is" {
			t.Errorf("another record: ran %v, %v", ran, err)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

func TestLocksTakeTurns(t *testing.T) {
	t.Parallel()
	s := memory.New()
	inside, total := 0, 0
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 100 {
				err := s.WithLock(t.Context(), tenant, user(1), func(context.Context, storage.Store) error {
					if inside++; inside != 1 {
						return fmt.Errorf("%d inside", inside)
					}
					total++
					inside--
					return nil
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if total != 800 {
		t.Errorf("%d turns, want 800", total)
	}
}
