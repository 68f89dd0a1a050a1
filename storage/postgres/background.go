package postgres

import (
	"context"
	"sync"
)

// background is the work that a store does beside its calls.
type background struct {
	mu    sync.Mutex
	ctx   context.Context // done when the store is closed
	stop  context.CancelFunc
	tasks sync.WaitGroup
}

// inBackground runs f until the store is closed. It returns false when it is.
func (s *Store) inBackground(f func(context.Context)) bool {
	b := &s.background
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.ctx.Err() != nil {
		return false
	}
	b.tasks.Go(func() { f(b.ctx) })
	return true
}

func (b *background) start(ctx context.Context) { b.ctx, b.stop = context.WithCancel(ctx) }

// end stops the tasks and waits for them.
func (b *background) end() {
	b.mu.Lock()
	b.stop()
	b.mu.Unlock()
	b.tasks.Wait()
}
