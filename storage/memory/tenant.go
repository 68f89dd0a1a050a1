package memory

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/musterhq/muster/storage"
)

// tenant is one tenant's state and its writers.
type tenant struct {
	published atomic.Pointer[state]

	mu     sync.Mutex // held by the writer
	work   state
	free   []uint32 // slots whose records are gone
	maxLog int
}

func newTenant(maxLog int) *tenant {
	t := &tenant{work: newState(), maxLog: maxLog}
	t.publish()
	return t
}

// read returns the present state.
func (t *tenant) read() *state { return t.published.Load() }

// publish hands the writer's state to readers. From here on the writer copies
// before it changes anything.
func (t *tenant) publish() {
	s := t.work
	t.published.Store(&s)
	t.work.epoch++
}

func (t *tenant) commit(ctx context.Context, b *storage.Batch) (*storage.CommitResult, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if err := check(ctx, &t.work, b); err != nil {
		return nil, err
	}
	c := &commit{state: &t.work, tenant: t, Batch: b}
	c.run()
	t.publish()
	return &c.result, nil
}

func (t *tenant) trim(before time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.work.log.trim(before)
	t.publish()
}
