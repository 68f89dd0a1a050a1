package roles

// Event is something that the host may want to know besides changes of roles,
// which go to the [Applier].
type Event struct {
	Kind   EventKind
	Tenant string
	// Group and Scope are what it is about, where there is a group or a scope.
	Group string
	Scope Scope
	// Rows are the rows concerned.
	Rows []Row
	// Hold is the hold concerned.
	Hold *Hold
	// User is the user concerned.
	User string
}

// EventKind says what happened.
type EventKind string

const (
	// RowBound: a row that waited found its group.
	RowBound EventKind = "row bound"
	// RowsArchived: a group was deleted and its rows with it. They can be restored
	// for another group, see [Reconciler.RestoreRows].
	RowsArchived EventKind = "rows archived"
	// RowsOffered: a group was created that has the name of a deleted one whose
	// rows were archived. They give it nothing unless they are restored.
	RowsOffered EventKind = "rows offered"
	// LastMappingLost: no row leads to the workspace any more.
	LastMappingLost EventKind = "last mapping lost"
	// HoldBegan: a guard stopped changes.
	HoldBegan EventKind = "hold began"
	// HoldEnded: a hold was released or is past its deadline, and was worked off.
	HoldEnded EventKind = "hold ended"
	// LastHolderKept: a role was not taken from the last user who has it.
	LastHolderKept EventKind = "last holder kept"
	// UserFailed: the Applier failed for a user.
	UserFailed EventKind = "user failed"
)
