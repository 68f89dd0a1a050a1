package postgres

import (
	"context"
	"sync"

	"github.com/musterhq/muster/internal/sqlplan"
)

// totals keeps what queries have counted. The change log tells whether anything was
// written since, once all changes have a number.
type totals struct {
	counted sqlplan.Totals

	mu        sync.Mutex
	numbering map[string]bool // tenants
}

// stateSQL tells how far the log of a tenant is numbered.
const stateSQL = `
SELECT coalesce((SELECT last_seq FROM {logs} WHERE tenant = $1), 0),
	(` + pendingSQL + `)`

// logState names a state of a tenant's records, unless changes are pending.
type logState struct {
	last    int64
	pending bool
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
