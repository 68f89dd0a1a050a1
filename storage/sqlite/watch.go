package sqlite

import (
	"context"
	"sync"
	"time"
)

// Commits of this store wake followers at once. SQLite does not tell of those of
// other processes, so as long as anybody listens, the store asks.

// watch are the followers who wait for changes.
type watch struct {
	mu        sync.Mutex
	listeners map[string]map[chan struct{}]bool // by tenant
	asking    bool
}

// askEvery is how often a store looks for commits of other processes.
const askEvery = time.Second

// NotifyChanges implements [storage.ChangeNotifier].
func (s *Store) NotifyChanges(tenant string) (signal <-chan struct{}, stop func()) {
	w, c := &s.watch, make(chan struct{}, 1)
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.listeners == nil {
		w.listeners = map[string]map[chan struct{}]bool{}
	}
	if w.listeners[tenant] == nil {
		w.listeners[tenant] = map[chan struct{}]bool{}
	}
	w.listeners[tenant][c] = true
	if !w.asking {
		w.asking = s.inBackground(s.ask)
	}
	return c, func() { w.leave(tenant, c) }
}

func (w *watch) leave(tenant string, c chan struct{}) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.listeners[tenant], c)
	if len(w.listeners[tenant]) == 0 {
		delete(w.listeners, tenant)
	}
}

// wake signals the listeners of a tenant.
func (w *watch) wake(tenant string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for c := range w.listeners[tenant] {
		signal(c)
	}
}

// wakeAll signals all listeners.
func (w *watch) wakeAll() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, of := range w.listeners {
		for c := range of {
			signal(c)
		}
	}
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default: // it holds one
	}
}

// ask wakes all listeners when the file was written to, until nobody listens.
func (s *Store) ask(ctx context.Context) {
	tick := time.NewTicker(askEvery)
	defer tick.Stop()
	c, version := (*conn)(nil), int64(0)
	defer func() {
		if c != nil {
			_ = c.close()
		}
	}()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if s.watch.stopAsking() {
			return
		}
		if c == nil {
			var err error
			if c, err = connect(s.path, &s.config); err != nil {
				c = nil
				continue
			}
		}
		// The version that one connection sees changes with the commits of others.
		row, err := c.first("PRAGMA data_version")
		if c = c.keep(err); err == nil && integer(row[0]) != version {
			version = integer(row[0])
			s.watch.wakeAll()
		}
	}
}

// stopAsking reports whether nobody listens, and that the asking ends then.
func (w *watch) stopAsking() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.asking = len(w.listeners) > 0
	return !w.asking
}
