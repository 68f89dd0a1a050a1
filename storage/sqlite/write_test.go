package sqlite

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/musterhq/muster/scim/schema"
	"github.com/musterhq/muster/storage"
)

// held lets f queue up writes, which are then done together.
func held(t *testing.T, s *Store, f func()) {
	t.Helper()
	s.writer.turn <- struct{}{}
	f()
	<-s.writer.turn
}

func queued(s *Store) int {
	s.writer.mu.Lock()
	defer s.writer.mu.Unlock()
	return len(s.writer.queue)
}

// together commits batches in one transaction and returns their errors.
func together(t *testing.T, s *Store, batches ...*storage.Batch) []error {
	errs := make([]error, len(batches))
	var wg sync.WaitGroup
	held(t, s, func() {
		for i, b := range batches {
			wg.Go(func() { _, errs[i] = s.Commit(t.Context(), b) })
			eventually(t, "a write waits", func() bool { return queued(s) == i+1 })
		}
	})
	wg.Wait()
	return errs
}

func TestWritesOfOneTransactionFailAlone(t *testing.T) {
	t.Parallel()
	s := openNew(t)
	commitTo(t, s, put(holding(user("u0"), "taken")))
	half := put(holding(user("half"), "half"), holding(user("other"), "taken"))
	errs := together(t, s, put(holding(user("u1"), "a")), half, put(holding(user("u2"), "b")), put(holding(user("u3"), "a")))
	for i, want := range []error{nil, storage.ErrNotUnique, nil, storage.ErrNotUnique} {
		// Either of the two that claim the name "a" may be first.
		if i%2 == 1 && i > 1 || i == 0 {
			continue
		}
		if !errors.Is(errs[i], want) || want == nil && errs[i] != nil {
			t.Errorf("batch %d: error %v; want %v", i, errs[i], want)
		}
	}
	if (errs[0] == nil) == (errs[3] == nil) {
		t.Errorf("errors %v and %v of two who claim one name; want one of them refused", errs[0], errs[3])
	}
	if _, err := s.Get(t.Context(), "t", user("half")); !errors.Is(err, storage.ErrNotFound) {
		t.Errorf("half of a refused batch: error %v; want ErrNotFound", err)
	}
}

func TestWaitingWriterLeavesWithItsContext(t *testing.T) {
	t.Parallel()
	s := openNew(t)
	ctx, cancel := context.WithCancel(t.Context())
	held(t, s, func() {
		done := make(chan error)
		go func() { _, err := s.Commit(ctx, put(holding(user("u1"), "a"))); done <- err }()
		eventually(t, "a write waits", func() bool { return queued(s) == 1 })
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("error %v; want the context's", err)
		}
	})
	commitTo(t, s, put(holding(user("u2"), "b")))
	if _, err := s.Get(t.Context(), "t", user("u1")); !errors.Is(err, storage.ErrNotFound) {
		t.Errorf("a write that was given up took effect: error %v", err)
	}
}

// full lets the file grow no more, as a full disk does, for the connection that
// writes.
func full(t *testing.T, s *Store) {
	t.Helper()
	if _, err := s.writer.conn.exec("PRAGMA max_page_count = 1"); err != nil { // SQLite takes the present size
		t.Fatal(err)
	}
}

// big is a record that needs pages of its own.
func big(id string) *storage.Record {
	r := holding(user(id), id)
	r.Doc = fmt.Appendf(nil, `{"userName":%q,"title":"%0100000d"}`, id, 0)
	return r
}

func TestFullDiskIsUnavailableAndLosesNothing(t *testing.T) {
	t.Parallel()
	s := openNew(t)
	typ := schema.MustCompile(schema.User())
	commitTo(t, s, put(record(t, typ, "u1", `{"userName":"a"}`)))
	full(t, s)
	if _, err := s.Commit(t.Context(), put(holding(user("u2"), "b"), big("u3"))); !errors.Is(err, storage.ErrUnavailable) {
		t.Fatalf("error %v; want ErrUnavailable", err)
	}
	for _, id := range []string{"u2", "u3"} {
		if _, err := s.Get(t.Context(), "t", user(id)); !errors.Is(err, storage.ErrNotFound) {
			t.Errorf("record %s of the failed write: error %v; want ErrNotFound", id, err)
		}
	}
	if page := ask(t, s, typ, ""); page.Total != 1 {
		t.Errorf("%d records; want 1", page.Total)
	}
	commitTo(t, s, put(big("u3"))) // there is room again
	if changes, err := s.Changes(t.Context(), "t", 0, 10); err != nil || len(changes) != 2 || changes[1].Seq != 2 {
		t.Errorf("changes %v, error %v; want 2, without a gap", changes, err)
	}
}

// When the database fails under one of several writes, the others are done all
// the same.
func TestFailureUnderOneWriteIsNotThatOfOthers(t *testing.T) {
	t.Parallel()
	s := openNew(t)
	commitTo(t, s, put(holding(user("u0"), "z")))
	full(t, s)
	errs := together(t, s, put(holding(user("u1"), "a")), put(big("u2")), put(holding(user("u3"), "c")))
	for i, err := range errs {
		if err != nil {
			t.Errorf("batch %d: %v", i, err) // each was tried again by itself, when there was room
		}
	}
	for _, id := range []string{"u1", "u2", "u3"} {
		if _, err := s.Get(t.Context(), "t", user(id)); err != nil {
			t.Errorf("record %s: %v", id, err)
		}
	}
}

func TestClosedStoreSaysSo(t *testing.T) {
	t.Parallel()
	s := openNew(t)
	commitTo(t, s, put(holding(user("u1"), "a")))
	errs := make(chan error, 1)
	s.writer.turn <- struct{}{}
	go func() { _, err := s.Commit(context.Background(), put(holding(user("u2"), "b"))); errs <- err }()
	eventually(t, "a write waits", func() bool { return queued(s) == 1 })
	closed := make(chan error, 1)
	go func() { closed <- s.Close() }()
	if err := <-errs; !errors.Is(err, errClosed) {
		t.Errorf("a write that waited: error %v; want %v", err, errClosed)
	}
	<-s.writer.turn
	if err := <-closed; err != nil {
		t.Error(err)
	}
	if _, err := s.Get(context.Background(), "t", user("u1")); !errors.Is(err, errClosed) {
		t.Errorf("Get: error %v; want %v", err, errClosed)
	}
	if _, err := s.Commit(context.Background(), put(holding(user("u2"), "b"))); !errors.Is(err, errClosed) {
		t.Errorf("Commit: error %v; want %v", err, errClosed)
	}
	if err := s.Close(); err != nil {
		t.Errorf("closing again: %v", err)
	}
}

func TestReadersDoNotWaitForWriters(t *testing.T) {
	t.Parallel()
	s := openNew(t)
	commitTo(t, s, put(holding(user("u1"), "a")))
	err := s.write(t.Context(), func(ctx context.Context, c *conn) error {
		if _, err := c.exec("UPDATE muster_records SET label = 'new'"); err != nil {
			return err
		}
		ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
		defer cancel()
		r, err := s.Get(ctx, "t", user("u1"))
		if err == nil && r.Label != "a" {
			t.Errorf("a reader sees %q, which is not committed", r.Label)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestTotalIsThatOfTheMoment(t *testing.T) {
	t.Parallel()
	s, typ := openNew(t), schema.MustCompile(schema.User())
	commitTo(t, s, put(people(t, typ, 0, 120)...))
	short := func(q *storage.Query) { q.Limit = 10 }
	for i := range 3 {
		if page := ask(t, s, typ, `userName sw "n"`, short); page.Total != 120+i {
			t.Errorf("the total is %d; want %d", page.Total, 120+i)
		}
		commitTo(t, s, put(people(t, typ, 200+i, 201+i)...))
	}
	other := storage.Batch{Tenant: "elsewhere", Time: day, Puts: put(people(t, typ, 0, 1)...).Puts}
	commitTo(t, s, &other)
	if page := ask(t, s, typ, `userName sw "n"`, short); page.Total != 123 {
		t.Errorf("the total is %d; want 123", page.Total)
	}
}
