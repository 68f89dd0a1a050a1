package storage_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/musterhq/muster/storage"
)

// logStore is a store of which only the log is there: numbers of changes.
type logStore struct {
	storage.Store
	mu     sync.Mutex
	seqs   []int64
	asked  int
	broken int // so many calls fail
}

var errAway = errors.New("the database is away")

func (s *logStore) Changes(_ context.Context, tenant string, after int64, limit int) ([]storage.Change, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked++
	if s.broken > 0 {
		s.broken--
		return nil, errAway
	}
	var found []storage.Change
	for _, seq := range s.seqs {
		if seq > after && len(found) < limit && tenant == "t" {
			found = append(found, storage.Change{Seq: seq})
		}
	}
	return found, nil
}

func (s *logStore) ChangedLinks(context.Context, string, int64, storage.LinkDelta, int) ([]storage.LinkDelta, error) {
	return nil, storage.ErrNotFound
}

func (s *logStore) TrimChanges(context.Context, string, time.Time) error { return nil }

// log adds a change.
func (s *logStore) log(seq int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seqs = append(s.seqs, seq)
}

// notifyingStore can tell of changes.
type notifyingStore struct {
	logStore
	signal  chan struct{}
	stopped bool
}

func (s *notifyingStore) NotifyChanges(string) (<-chan struct{}, func()) {
	return s.signal, func() { s.stopped = true }
}

// consumer keeps what a follower did.
type consumer struct {
	handled  []int64
	position int64
	failures []error
}

func (c *consumer) following() storage.Following {
	return storage.Following{
		Tenant: "t",
		Load:   func(context.Context) (int64, error) { return c.position, nil },
		Save:   func(_ context.Context, after int64) error { c.position = after; return nil },
		Handle: func(_ context.Context, changes []storage.Change) error {
			for _, ch := range changes {
				c.handled = append(c.handled, ch.Seq)
			}
			return nil
		},
		Failed: func(err error) { c.failures = append(c.failures, err) },
	}
}

func (c *consumer) want(t *testing.T, handled ...int64) {
	t.Helper()
	if !slices.Equal(c.handled, handled) {
		t.Errorf("changes %v were handled; want %v", c.handled, handled)
	}
}

// follow runs Follow for a time by the clock of a bubble, in which nothing takes
// time but waiting.
func follow(t *testing.T, d time.Duration, s storage.Store, f storage.Following) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	defer cancel()
	return storage.Follow(ctx, s, f)
}

func TestFollowHandsOnChangesInOrderAndKeepsThePosition(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, c := &logStore{seqs: []int64{1, 2, 3, 4, 5}}, &consumer{position: 1}
		f := c.following()
		f.Limit = 3
		if err := follow(t, time.Minute, s, f); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error %v; want the context's", err)
		}
		c.want(t, 2, 3, 4, 5)
		if c.position != 5 {
			t.Errorf("the position is %d; want 5", c.position)
		}
		if s.asked < 50 || s.asked > 70 {
			t.Errorf("a store without signals was asked %d times in a minute; want once a second", s.asked)
		}
	})
}

func TestFollowFindsLaterChanges(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, c := &logStore{}, &consumer{}
		f := c.following()
		handle := f.Handle
		f.Handle = func(ctx context.Context, changes []storage.Change) error {
			s.log(2)
			return handle(ctx, changes)
		}
		time.AfterFunc(5*time.Second, func() { s.log(1) })
		_ = follow(t, 7*time.Second, s, f)
		c.want(t, 1, 2)
	})
}

func TestFollowTriesAgainAndWaitsLongerEachTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, c := &logStore{seqs: []int64{1}, broken: 20}, &consumer{}
		start := time.Now()
		var at []time.Duration
		f := c.following()
		f.Failed = func(err error) {
			if !errors.Is(err, errAway) {
				t.Errorf("error %v; want the store's", err)
			}
			at = append(at, time.Since(start))
		}
		_ = follow(t, time.Hour, s, f)
		c.want(t, 1)
		if len(at) != 20 {
			t.Fatalf("%d failures were told; want 20", len(at))
		}
		for i := range 19 {
			atMost := min(100*time.Millisecond<<i, 30*time.Second)
			if waited := at[i+1] - at[i]; waited > atMost || waited < atMost/2 {
				t.Errorf("after failure %d it waited %v; want between %v and %v", i+1, waited, atMost/2, atMost)
			}
		}
	})
}

func TestFollowRepeatsChangesUntilTheyAreHandledAndKept(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(f *storage.Following, fail func() error){
		"handle": func(f *storage.Following, fail func() error) {
			handle := f.Handle
			f.Handle = func(ctx context.Context, changes []storage.Change) error {
				return errors.Join(handle(ctx, changes), fail())
			}
		},
		"save": func(f *storage.Following, fail func() error) {
			save := f.Save
			f.Save = func(ctx context.Context, after int64) error {
				if err := fail(); err != nil {
					return err
				}
				return save(ctx, after)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s, c, fails := &logStore{seqs: []int64{1, 2}}, &consumer{}, 2
				f := c.following()
				spoil(&f, func() error {
					if fails--; fails >= 0 {
						return errAway
					}
					return nil
				})
				_ = follow(t, time.Minute, s, f)
				c.want(t, 1, 2, 1, 2, 1, 2)
				if c.position != 2 || len(c.failures) != 2 {
					t.Errorf("the position is %d after failures %v; want 2 after two", c.position, c.failures)
				}
			})
		})
	}
}

func TestFollowTellsOfForgottenChanges(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, c := &logStore{seqs: []int64{7, 8}}, &consumer{position: 3}
		f := c.following()
		if err := follow(t, time.Minute, s, f); !errors.Is(err, storage.ErrMissedChanges) {
			t.Errorf("error %v; want ErrMissedChanges", err)
		}
		c.want(t)
		var from, to int64
		f.Missed = func(_ context.Context, after, next int64) error { from, to = after, next; return nil }
		_ = follow(t, time.Minute, s, f)
		c.want(t, 7, 8)
		if from != 3 || to != 7 {
			t.Errorf("changes between %d and %d were told to be missing; want 3 and 7", from, to)
		}
	})
}

func TestFollowWithoutAPositionStartsWithWhatIsLeft(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, c := &logStore{seqs: []int64{7, 8}}, &consumer{}
		f := c.following()
		f.Load, f.Save = nil, nil
		_ = follow(t, time.Minute, s, f)
		c.want(t, 7, 8)
	})
}

func TestFollowIsWokenBySignals(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, c := &notifyingStore{signal: make(chan struct{}, 1)}, &consumer{}
		f := c.following()
		start, took := time.Now(), time.Duration(0)
		handle := f.Handle
		f.Handle = func(ctx context.Context, changes []storage.Change) error {
			took = time.Since(start)
			return handle(ctx, changes)
		}
		time.AfterFunc(3*time.Second, func() {
			s.log(1)
			s.signal <- struct{}{}
		})
		_ = follow(t, 10*time.Second, s, f)
		c.want(t, 1)
		if took != 3*time.Second {
			t.Errorf("the change was handled after %v; want 3 s, when the signal came", took)
		}
		if s.asked > 3 {
			t.Errorf("the store was asked %d times; want no more than at the start and for the signal", s.asked)
		}
		if !s.stopped {
			t.Error("the signals were not stopped")
		}
	})
}

func TestFollowNeedsALog(t *testing.T) {
	t.Parallel()
	if err := storage.Follow(t.Context(), struct{ storage.Store }{}, storage.Following{}); !errors.Is(err, storage.ErrUnsupported) {
		t.Errorf("error %v; want ErrUnsupported", err)
	}
}
