package memory

import (
	"context"
	"slices"
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

	turn   chan struct{} // full while somebody writes; what follows is the writer's
	work   state
	free   []uint32 // slots whose records are gone
	unread int      // publications in a row that nobody looked at
}

// snapshot is a published state.
type snapshot struct {
	state
	totals counts
	seen   atomic.Bool // somebody looked
}

// quiet is the number of commits in a row without a reader after which there
// seem to be none.
const quiet = 32

// usual is the size of a batch, in writes, up to which a reader may wait for it.
const usual = 100

func newTenant(maxLog int) *tenant {
	t := &tenant{work: newState(), maxLog: maxLog, turn: make(chan struct{}, 1)}
	t.publish()
	return t
}

// lock waits for the writer's turn, as long as the context allows.
func (t *tenant) lock(ctx context.Context) error {
	select {
	case t.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (t *tenant) unlock() { <-t.turn }

// read returns the present state.
func (t *tenant) read(ctx context.Context) (*state, error) {
	p := t.published.Load()
	if p == nil {
		var err error
		if p, err = t.catchUp(ctx); err != nil {
			return nil, err
		}
	}
	if !p.seen.Load() { // so that readers do not write to what they share
		p.seen.Store(true)
	}
	return &p.state, nil
}

// catchUp publishes what the writer did since it stopped doing so.
func (t *tenant) catchUp(ctx context.Context) (*snapshot, error) {
	if err := t.lock(ctx); err != nil {
		return nil, err
	}
	defer t.unlock()
	if p := t.published.Load(); p != nil {
		return p, nil
	}
	t.unread = 0
	return t.publish(), nil
}

// publish hands the writer's state to readers. From here on the writer copies
// before it changes anything.
func (t *tenant) publish() *snapshot {
	p := &snapshot{state: t.work}
	p.counts = &p.totals
	t.published.Store(p)
	t.work.epoch++
	return p
}

func (t *tenant) commit(ctx context.Context, b *storage.Batch) (*storage.CommitResult, error) {
	if err := t.lock(ctx); err != nil {
		return nil, err
	}
	defer t.unlock()
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

func (t *tenant) trim(ctx context.Context, before time.Time) error {
	if err := t.lock(ctx); err != nil {
		return err
	}
	defer t.unlock()
	t.work.log.trim(before)
	t.conclude()
	return nil
}
