package memory

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/musterhq/muster/storage"
)

// tenant is one tenant's state and its writers.
//
// Readers take what is published. As long as they do, every commit ends by
// publishing, and they never wait. After [quiet] commits that nobody looked at,
// a commit leaves nothing published: those that follow find their nodes already
// their own and change them in place, which is several times cheaper. Then the
// next reader publishes, and waits for that at most as long as a commit of usual
// size takes, since larger ones publish before they start.
type tenant struct {
	published atomic.Pointer[snapshot] // nil: the writer's state is ahead of all that was
	maxLog    int

	mu     sync.Mutex // held by the writer
	work   state      // the writer's
	free   []uint32   // slots whose records are gone
	unread int        // publications in a row that nobody looked at
}

// snapshot is a published state.
type snapshot struct {
	state
	seen atomic.Bool // somebody looked
}

// quiet is the number of commits in a row without a reader after which there
// seem to be none.
const quiet = 32

// usual is the size of a batch, in writes, up to which a reader may wait for it.
const usual = 100

func newTenant(maxLog int) *tenant {
	t := &tenant{work: newState(), maxLog: maxLog}
	t.publish()
	return t
}

// read returns the present state.
func (t *tenant) read() *state {
	p := t.published.Load()
	if p == nil {
		p = t.catchUp()
	}
	if !p.seen.Load() { // so that readers do not write to what they share
		p.seen.Store(true)
	}
	return &p.state
}

func (t *tenant) catchUp() *snapshot {
	t.mu.Lock()
	defer t.mu.Unlock()
	if p := t.published.Load(); p != nil {
		return p
	}
	t.unread = 0
	return t.publish()
}

// publish hands the writer's state to readers. From here on the writer copies
// before it changes anything.
func (t *tenant) publish() *snapshot {
	p := &snapshot{state: t.work}
	t.published.Store(p)
	t.work.epoch++
	return p
}

func (t *tenant) commit(ctx context.Context, b *storage.Batch) (*storage.CommitResult, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.published.Load() == nil && isLarge(b) {
		t.publish()
	}
	if err := check(ctx, &t.work, b); err != nil {
		return nil, err
	}
	c := &commit{state: &t.work, tenant: t, Batch: b}
	c.run()
	t.conclude()
	return &c.result, nil
}

// conclude ends a write: what it did is there for every reader that comes from
// now on.
func (t *tenant) conclude() {
	p := t.published.Load()
	if p == nil {
		return
	}
	if t.unread++; p.seen.Load() {
		t.unread = 0
	}
	if t.unread < quiet {
		t.publish()
	} else {
		t.published.Store(nil)
	}
}

// isLarge reports whether a batch may take long. What it deletes, hides or
// resets may have any number of links.
func isLarge(b *storage.Batch) bool {
	n := len(b.Puts) + len(b.Deletes) + len(b.Links)
	for i := range b.Links {
		n += len(b.Links[i].Add) + len(b.Links[i].Remove)
	}
	return n > usual || len(b.Deletes) > 0 ||
		slices.ContainsFunc(b.Puts, func(p storage.Put) bool { return p.Record.Hidden }) ||
		slices.ContainsFunc(b.Links, func(e storage.LinkEdit) bool { return e.Reset })
}

func (t *tenant) trim(before time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.work.log.trim(before)
	t.conclude()
}
