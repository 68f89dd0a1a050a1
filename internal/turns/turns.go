// Package turns lines up who reads, changes and writes the same record, for the
// stores that hold others off meanwhile.
package turns

import (
	"context"
	"sync"

	"github.com/musterhq/muster/storage"
)

// Turns gives turns, for each record apart. The zero value is ready; a Turns must
// not be copied after first use.
type Turns struct {
	mu     sync.Mutex
	queues map[name]*queue // of records that somebody wants
}

type name struct {
	tenant string
	ref    storage.Ref
}

// queue is where those are who want their turn with one record. Whose it is has
// put something into the channel.
type queue struct {
	turn  chan struct{}
	users int // who have their turn or wait for it
}

// Take runs f while no other f of the same record runs, and returns its error. Who
// waits longest is next. Waiting ends with the context, whose error is returned
// then; f is not run once the context is done.
func (t *Turns) Take(ctx context.Context, tenant string, ref storage.Ref, f func() error) error {
	n := name{tenant, ref}
	q := t.join(n)
	defer t.leave(n, q)
	select {
	case q.turn <- struct{}{}:
		defer func() { <-q.turn }()
	case <-ctx.Done():
		return ctx.Err()
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	return f()
}

func (t *Turns) join(n name) *queue {
	t.mu.Lock()
	defer t.mu.Unlock()
	q := t.queues[n]
	if q == nil {
		q = &queue{turn: make(chan struct{}, 1)}
		if t.queues == nil {
			t.queues = map[name]*queue{}
		}
		t.queues[n] = q
	}
	q.users++
	return q
}

func (t *Turns) leave(n name, q *queue) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if q.users--; q.users == 0 {
		delete(t.queues, n)
	}
}
