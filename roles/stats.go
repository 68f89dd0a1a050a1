package roles

import (
	"sync/atomic"
	"time"
)

// Stats counts what a reconciler did since it was made.
type Stats struct {
	// Looked is how many users were looked at, Granted, Changed and Revoked which
	// changes the Applier made, Failed how often it failed.
	Looked, Granted, Changed, Revoked, Failed int64
	// Unmatched counts groups that were found to give nothing, Conflicts users for
	// whom groups were found to conflict, Held holds that began, and Kept last
	// holders who kept a role.
	Unmatched, Conflicts, Held, Kept int64
	// Lag is how old the change that was worked off last was then.
	Lag time.Duration
}

type counters struct {
	looked, granted, changed, revoked, failed atomic.Int64
	unmatched, conflicts, held, kept          atomic.Int64
	lag                                       atomic.Int64
}

func (r *Reconciler) count(c *atomic.Int64) { c.Add(1) }

// Stats returns the counters.
func (r *Reconciler) Stats() Stats {
	c := &r.stats
	return Stats{
		Looked: c.looked.Load(), Granted: c.granted.Load(), Changed: c.changed.Load(), Revoked: c.revoked.Load(),
		Failed: c.failed.Load(), Unmatched: c.unmatched.Load(), Conflicts: c.conflicts.Load(),
		Held: c.held.Load(), Kept: c.kept.Load(), Lag: time.Duration(c.lag.Load()),
	}
}
