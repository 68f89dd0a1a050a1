package postgres

import (
	"context"
	"fmt"
	"strings"
	"sync"
)

// totals keeps what queries have counted, as long as nothing is written to the
// tenant: clients that page through a list ask for its total with each page. The
// change log tells whether anything was, once all changes have a number.
type totals struct {
	mu        sync.Mutex
	known     map[string]total
	numbering map[string]bool // tenants
}

type total struct {
	last int64
	n    int
}

// maxTotals bounds the totals that are kept.
const maxTotals = 1000

// stateSQL tells how far the log of a tenant is numbered.
const stateSQL = `
SELECT coalesce((SELECT last_seq FROM {logs} WHERE tenant = $1), 0),
	EXISTS (SELECT 1 FROM {changes} WHERE tenant = $1 AND seq = 0)`

// logState names a state of a tenant's records, unless changes are pending.
type logState struct {
	last    int64
	pending bool
}

func (t *totals) get(key string, s logState) (n int, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	known, ok := t.known[key]
	return known.n, ok && !s.pending && known.last == s.last
}

func (t *totals) keep(key string, s logState, n int) {
	if s.pending {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.known == nil || len(t.known) >= maxTotals {
		t.known = map[string]total{}
	}
	t.known[key] = total{s.last, n}
}

// totalKey is a text that no other statement with other arguments has.
func totalKey(sql string, args []any) string {
	var b strings.Builder
	b.WriteString(sql)
	for _, a := range args {
		fmt.Fprintf(&b, "\x00%v", a)
	}
	return b.String()
}

// numberSoon numbers the changes of a tenant beside the call, so that its state
// has a name when it is asked for again.
func (s *Store) numberSoon(tenant string) {
	t := &s.totals
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.numbering[tenant] {
		return
	}
	if t.numbering == nil {
		t.numbering = map[string]bool{}
	}
	t.numbering[tenant] = s.inBackground(func(ctx context.Context) {
		for pending := true; pending; {
			var err error
			if _, pending, err = s.readChanges(ctx, tenant, 0, 0); err == nil && pending {
				err = s.number(ctx, tenant)
			}
			if err != nil {
				break // somebody will ask again
			}
		}
		t.mu.Lock()
		defer t.mu.Unlock()
		delete(t.numbering, tenant)
	})
}
