package scim

import "context"

// Effect is one change of one resource that is about to be committed.
type Effect struct {
	// Kind is what is done: [Create], [Replace], [Patch] or [Delete].
	Kind Method
	Type *Type
	ID   string
	// Before is the resource as it is; nil on Create. After is the resource as it
	// will be; nil on Delete. Both lack relations, and Before's and After's documents
	// are the same when only links change.
	Before, After *Resource
	// Changes are the attributes whose values differ; on Create and Delete nil.
	Changes []Change
	// Links are the edits of the resource's relations.
	Links []LinkEffect
	// Owner is set when the resource goes to another connection: it is adopted
	// ([WithAdoption]) or transferred ([Server.Transfer]). Kind is Replace then, and
	// Changes may be empty.
	Owner *OwnerChange
}

// LinkEffect is an edit of one relation. Before the commit it says what was asked
// for; links that exist already, and targets that do not, are still among it.
type LinkEffect struct {
	// Relation is the attribute, such as "members".
	Relation string
	// Reset says that Add will be the whole relation.
	Reset       bool
	Add, Remove []Ref
}

// Activates reports whether a resource that does not count as active now will:
// it is created active, or reactivated. Every new resource of a type without an
// attribute "active" is, groups for instance; a limit of seats looks at Type too.
func (e *Effect) Activates() bool {
	return (e.Before == nil || !e.Before.Active()) && e.After != nil && e.After.Active()
}

// Deactivates reports whether a resource that counts as active now will not: it
// is deactivated or deleted. The deletion of a group is one, as its creation is an
// activation.
func (e *Effect) Deactivates() bool {
	return e.Before != nil && e.Before.Active() && (e.After == nil || !e.After.Active())
}

// Changed returns the change of the attribute of that full name, such as
// "userName" or "emails".
func (e *Effect) Changed(path string) (Change, bool) {
	for _, c := range e.Changes {
		if c.Path.String() == path {
			return c, true
		}
	}
	return Change{}, false
}

// Guard is host policy: it sees what is about to be committed, all effects of one
// commit at once, and refuses by returning an error, an [*Error] as a rule.
// Nothing has been written then. It runs right before the commit and again when
// the commit has to be repeated; so it must not have effects of its own. It must
// not keep the slice.
//
// It is called concurrently, and not under a lock: of two commits that are judged
// at the same time, neither guard sees what the other is about to write. What is
// wrong with a single effect is always found; a limit on how many there are may be
// exceeded by commits that meet, unless the guard counts in a record of its own, see
// [Commit.Keep]. Package policy has guards that do.
type Guard func(ctx context.Context, p Principal, effects []Effect) error
