package postgres

import (
	"context"
	"sync"

	"github.com/musterhq/muster/storage"
)

// locks are the records that somebody in this process holds or waits for.
type locks struct {
	mu   sync.Mutex
	held map[lockName]*lock
}

type lockName struct {
	tenant string
	ref    storage.Ref
}

// lock is held by whoever put something into the channel.
type lock struct {
	turn  chan struct{}
	users int // who hold it or wait for it
}

// WithLock implements [storage.Locker] among the users of this store, which is
// what fairness needs: each process has one writer of a record at a time, and
// those few compare and swap. It costs the database nothing. Waiting ends with
// the context.
func (s *Store) WithLock(ctx context.Context, tenant string, ref storage.Ref, f func(context.Context, storage.Store) error) error {
	name := lockName{tenant, ref}
	l := s.locks.join(name)
	defer s.locks.leave(name, l)
	select {
	case l.turn <- struct{}{}:
		defer func() { <-l.turn }()
	case <-ctx.Done():
		return ctx.Err()
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return f(ctx, primary{s})
}

func (m *locks) join(name lockName) *lock {
	m.mu.Lock()
	defer m.mu.Unlock()
	l := m.held[name]
	if l == nil {
		l = &lock{turn: make(chan struct{}, 1)}
		if m.held == nil {
			m.held = make(map[lockName]*lock)
		}
		m.held[name] = l
	}
	l.users++
	return l
}

func (m *locks) leave(name lockName, l *lock) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if l.users--; l.users == 0 {
		delete(m.held, name)
	}
}
