package scim

import (
	"context"
	"sync"
	"time"

	"github.com/musterhq/muster/storage"
)

// firstSyncs knows which connections are sending everything for the first time.
type firstSyncs struct {
	mu    sync.Mutex
	state map[[2]string]*firstSync
}

type firstSync struct {
	running bool
	last    time.Time // the last create
}

// syncQuiet is how long no resource is created before a first sync counts as
// over. Identity providers do not say when it is; their cycles are some 40 minutes
// apart, and within one cycle requests follow each other in seconds.
const syncQuiet = 15 * time.Minute

// note records a write and reports whether it belongs to the connection's first
// sync. A connection is new when it has no resource but the ones being created.
func (f *firstSyncs) note(ctx context.Context, s *Server, p Principal, create bool, now time.Time) bool {
	key := [2]string{p.Tenant, p.Connection}
	f.mu.Lock()
	state := f.state[key]
	f.mu.Unlock()
	if state == nil {
		state = &firstSync{running: create && s.isFirst(ctx, p), last: now}
		f.mu.Lock()
		if f.state == nil {
			f.state = map[[2]string]*firstSync{}
		}
		if f.state[key] == nil {
			f.state[key] = state
		}
		state = f.state[key]
		f.mu.Unlock()
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if state.running && now.Sub(state.last) > syncQuiet {
		state.running = false
	}
	if create {
		state.last = now
	}
	return state.running
}

// isFirst reports whether a connection has hardly any resources: the one that was
// just created, and those of requests beside it.
func (s *Server) isFirst(ctx context.Context, p Principal) bool {
	const besides = 16
	for _, e := range s.endpoints {
		if e.handler != nil {
			continue
		}
		page, err := s.store.Query(ctx, &storage.Query{Tenant: p.Tenant, Connection: p.Connection, Type: e.typ, Limit: besides + 1})
		if err != nil || len(page.Records) > besides {
			return false
		}
	}
	return true
}
