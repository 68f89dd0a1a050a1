package storage

import "time"

// Batch is a set of writes that take effect together or not at all.
//
// What a batch does is as if it were done in this order, whatever order a store
// takes: preconditions are judged; records are deleted and put; the links of
// those that were deleted or put as hidden are removed; then the link edits
// are made.
//
//   - A batch names a record at most once in Puts and Deletes together, and an
//     owner and relation at most once in Links. It may name one record in Puts
//     and as an owner in Links: then both belong to one write of that record.
//     Callers see to that; a store need not check it.
//   - The preconditions IfVersion and IfAbsent compare with the state before the
//     batch, inside the commit.
//   - Uniqueness, owners and targets of links, and IfConnection are judged on the
//     state after all puts and deletes: two records may swap their names, and a
//     group may be created together with its members, in any order. Hidden
//     records hold their unique keys.
//   - A record's version goes up by one, its Modified becomes Time, and one
//     change is logged, when the batch takes effect on it: it is put, or a link
//     edit changes its set of links, or it loses a link because a target is
//     deleted or hidden. However much of that happens in one batch, it counts
//     once. What takes no effect moves nothing.
//   - A put of a new record starts at version 1, and Created is taken from the
//     record; a put of an existing record, hidden or not, keeps its Created. Put
//     writes all else, Connection and Hidden too.
//   - Deleting a record, or putting it as hidden, removes its links in both
//     directions.
//   - An unmet rule fails the batch with a [*CommitError] that names the
//     reference. When several are unmet, it is one of them, but for one record
//     [ErrNotFound] goes before [ErrConflict]: who may not know of a record does
//     not learn its version.
type Batch struct {
	Tenant  string
	Time    time.Time // UTC; used for Modified and the change log
	Puts    []Put
	Deletes []Delete
	Links   []LinkEdit
}

// Put writes a whole record, new or not.
type Put struct {
	Record *Record
	// IfVersion, when not 0, is the version that the record must have; else
	// [ErrConflict], also when it does not exist. Hidden records have versions
	// like others.
	IfVersion int64
	// IfAbsent demands that the record does not exist, not even hidden; else
	// [ErrConflict].
	IfAbsent bool
	// Change describes the write for the log.
	Change ChangeInfo
}

// Delete removes a record, hidden or not, with its links in both directions,
// and frees its unique keys.
type Delete struct {
	Ref
	// IfVersion, when not 0, is the version that the record must have; else
	// [ErrConflict]. A record that does not exist is [ErrNotFound] in any case.
	IfVersion int64
	// Change describes the write for the log.
	Change ChangeInfo
}

// LinkEdit changes one relation of one owner. It is in normal form:
//
//	Reset false: (old − Remove) + Add
//	Reset true:  exactly Add; Remove is ignored
//
// Add and Remove are disjoint and without duplicates. The edit leaves the
// owner's document alone, and no cost grows with the number of links that it
// leaves alone, except that Reset reads the old set.
//
//   - The owner must exist and be visible; else [ErrNotFound]. With IfConnection
//     it must belong to that connection; else [ErrNotFound] too, since the caller
//     may not learn that it exists.
//   - A link that exists already is not added, one that does not is not
//     removed; neither counts as a change. A link whose target is gone can
//     always be removed.
//   - The target of an added link must exist, be visible, and with IfConnection
//     belong to that connection. Missing says what happens otherwise. A link that
//     exists already is left alone whatever its target is.
//   - A link that the same batch removes because its target is deleted or hidden
//     no longer exists here: it is not counted in the edit's result, and Add
//     finds its target missing.
type LinkEdit struct {
	Owner Ref
	// Relation is the attribute of the owner, such as "members".
	Relation    string
	Reset       bool
	Add, Remove []Ref
	Missing     Missing
	// IfVersion, when not 0, is the version that the owner must have had before
	// the batch; else [ErrConflict], also when the batch creates the owner.
	IfVersion int64
	// IfConnection, when not empty, is the connection that the owner and the
	// targets of new links must belong to.
	IfConnection string
	// Change describes the write for the log. It is ignored when the batch puts the
	// owner too. Of several edits of one owner, the first that changes something
	// describes the write.
	Change ChangeInfo
}

// Missing says what to do with a new link whose target is not there: it does
// not exist, is hidden, or is not of the edit's IfConnection.
type Missing uint8

// What to do with a missing target.
const (
	// MissingDrop leaves the link out and reports it.
	MissingDrop Missing = iota
	// MissingReject fails the batch with [ErrMissingTarget].
	MissingReject
	// MissingKeep makes the link without looking at the target, for targets that a
	// host keeps elsewhere.
	MissingKeep
)

// CommitResult says what a batch did. It carries counts, never lists as long as
// a group.
type CommitResult struct {
	// Puts are the versions of the records put, parallel to Batch.Puts.
	Puts []int64
	// Links are the outcomes of the link edits, parallel to Batch.Links.
	Links []LinkResult
}

// LinkResult says what a link edit did.
type LinkResult struct {
	// Version and Modified are the owner's after the whole batch.
	Version  int64
	Modified time.Time
	// Added and Removed count the links that the edit made and took away. Both are
	// 0 when it changed nothing.
	Added, Removed int
	// Dropped are the references of Add that were left out because their target is
	// missing, in the order of Add.
	Dropped []Ref
}
