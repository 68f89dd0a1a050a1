package storage

import (
	"context"
	"time"
)

// ChangeInfo is what the core says about a write; the store keeps it in the
// change log and looks at nothing in it.
type ChangeInfo struct {
	// Kind names what happened: "created", "replaced", "patched", "deleted", ….
	Kind string
	// Paths are the attributes that changed, by canonical full name.
	Paths []string
}

// KindUnlinked is the Kind of a change that no caller described: a record lost
// links because their target was deleted or hidden.
const KindUnlinked = "unlinked"

// Change is one effective write of one record.
type Change struct {
	// Seq numbers the changes of a tenant, densely from 1, in an order in which
	// the changes of one record are as they were committed. An order across records
	// is not promised.
	Seq int64
	Ref
	// Connection, Version and Hidden are the record's after the write; after a
	// delete, those it had last.
	Connection string
	ChangeInfo
	Version int64
	Hidden  bool
	// Time is the time of the batch, UTC with at least microseconds kept.
	Time time.Time
	// LinksAdded and LinksRemoved count the links of which the record is the owner.
	// [ChangeLog.ChangedLinks] reads them.
	LinksAdded, LinksRemoved int
}

// LinkDelta is one link that a change added or removed.
type LinkDelta struct {
	Relation string // of the change's record
	To       Ref
	Removed  bool
}

// ChangeLog is an optional ability of a store: changes, kept in the same commit
// as the writes, read by position. Without it, hosts learn of changes in process
// only, and reconcile in full after a crash.
type ChangeLog interface {
	// Changes returns the changes of a tenant behind position after, in order of
	// Seq, at most limit, which is above 0. Every committed change appears exactly once: none is
	// skipped because a slower transaction committed later.
	Changes(ctx context.Context, tenant string, after int64, limit int) ([]Change, error)
	// ChangedLinks returns the links that one change added and removed, by relation
	// and [Ref.Compare] of To, a removal before an addition of the same link,
	// behind the given delta (zero: from the start), at most limit. For a change
	// that is forgotten or never was, it returns [ErrNotFound].
	ChangedLinks(ctx context.Context, tenant string, seq int64, after LinkDelta, limit int) ([]LinkDelta, error)
	// TrimChanges forgets the oldest changes, up to the first whose Time is not
	// before the given one. Positions stay valid: reading behind a forgotten one
	// starts at the oldest that is left, and numbering goes on.
	TrimChanges(ctx context.Context, tenant string, before time.Time) error
}
