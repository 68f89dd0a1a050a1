package scim

import (
	"context"

	"github.com/musterhq/muster/storage"
)

// Linker is a [ResourceHandler] that keeps the relations which its resources own
// itself: the members of groups in the host's own table. Without it they are in the
// server's store. The resources that the other methods take and return have no
// members in them either way.
//
// A relation of a Linker that is no [LinkEditor] is read-only: what a POST or PUT
// says of it is passed over, and a PATCH of it is refused (400 mutability).
//
// The version of a resource, if the handler keeps one, covers the relations that it
// owns: it is another one after a link was added or removed. Without versions the
// resources of a Linker have no ETags, since content alone does not tell about links.
// Delete removes the links that a resource owns together with it.
//
// Users in the server's store and groups of a Linker, or the other way round, go
// together: what is deleted in one place leaves links in the other, which the server
// removes afterwards. A link to a resource that is gone does no harm meanwhile.
type Linker interface {
	// Links reads one relation as [storage.Store].Links does. Its owner is the
	// handler's type; the other end may be of any type that the relation leads to, and
	// need not be looked at. Both directions are asked: the members of groups, and with
	// Inverse the groups of members.
	//
	// Where q.Labels is set, labels that cost little may be filled in; the server looks
	// for those that are "".
	//
	// Links are the same for all connections of a tenant: what [ScopeFromContext] says
	// plays no part.
	//
	// It may be called while List of this or another handler runs, which asks by
	// [ListRequest].Links: List must not hold a lock that Links waits for.
	Links(ctx context.Context, q *storage.LinkQuery) ([]storage.Link, error)
}

// LinkEditor is a [Linker] whose relations can be changed by clients. It switches
// PATCH on. A write that touches no relation goes to [Creator] or [Replacer].
type LinkEditor interface {
	Linker
	// EditLinks makes all of a write or, when it returns an error, nothing of it. The
	// cost of an edit that is no Reset does not grow with the relation.
	EditLinks(ctx context.Context, w *LinkedWrite) (*LinkedResult, error)
}

// LinkedWrite is a write of one resource and of relations that it owns.
type LinkedWrite struct {
	Tenant string
	// ID is the resource that is changed, "" when one is created: then the handler
	// assigns an id, and the Owner of each edit has none.
	ID string
	// Resource is the document as it shall be, with the Meta that [Creator] or
	// [Replacer] get. It is nil when the document stays as it is. A handler that is no
	// Creator is not asked to create, one that is neither Replacer nor Patcher not to
	// replace.
	Resource *Resource
	// IfVersion, when not "", is the version that the resource must be in; else
	// [ErrConflict]. It is empty when members are added or removed whatever else
	// happens to the resource.
	IfVersion string
	// Edits are at least one, and at most one for each relation, each in the normal
	// form that [storage.LinkEdit] describes: the old links without Remove and with Add,
	// or with Reset exactly those of Add. What is linked already is not added again, and
	// what is not linked is not removed. Their IfVersion and Change are not set.
	//
	// Targets that the server keeps in its store have been looked for before. For the
	// others, which this or another handler of the host serves, Missing says what to do
	// when there is no such resource or, where IfConnection is not "", it is of another
	// connection: with MissingDrop it is left out and reported, with MissingReject the
	// error is [storage.ErrMissingTarget], best in a [*storage.CommitError] that names
	// it. A handler that cannot tell makes the link.
	Edits []storage.LinkEdit
}

// LinkedResult is what came of a [LinkedWrite].
type LinkedResult struct {
	// Resource is the resource as it is kept now, with its Meta.
	Resource *Resource
	// Links are the outcomes of the edits, parallel to LinkedWrite.Edits: Added,
	// Removed and Dropped count; Version and Modified are not looked at.
	Links []storage.LinkResult
}

// Labeler is a [ResourceHandler] that can name many of its resources at once.
// Where others refer to them, as the members of a group, answers show the label as
// "display" then, and members that do not exist are found out and left out. Without it
// references to them go without "display", except that groups whose members are in
// the server's store are known there by the name that they had when their members
// changed last; and members are taken as they come.
type Labeler interface {
	// Labels returns, by id, the labels of those of the resources that there are. The
	// label is what the attribute says that ResourceType.Label names, displayName for
	// users and groups; a resource without one has "". Ids are compared to the letter, as
	// in Get. Up to 1,000 are asked for at once. A call is confined to a connection like
	// others, see [ScopeFromContext], when it is to find out what is there, and not when
	// labels are to be shown.
	Labels(ctx context.Context, tenant string, ids []string) (map[string]string, error)
}

// Owned is a [ResourceHandler] that knows which connection each resource belongs
// to. [Directory] shows it then, see [DirectoryEntry].
type Owned interface {
	// Owners returns the owning connections of resources, by id. One that belongs to
	// nobody, or does not exist, may be missing.
	Owners(ctx context.Context, tenant string, ids []string) (map[string]string, error)
}
