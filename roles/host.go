package roles

import (
	"context"
	"errors"

	"github.com/musterhq/muster/scim"
	"github.com/musterhq/muster/storage"
)

// Directory is where the reconciler reads users and groups. [scim.Server.Directory]
// is one. It is called concurrently.
type Directory interface {
	// Store is where rows, assignments and everything else that has to be
	// remembered is kept. When it has a change log, that is followed.
	Store() storage.Store
	// Logged reports whether writes of a resource type are in the change log.
	Logged(resourceType string) bool
	// Get returns a resource, or [scim.ErrNotFound]: what is deleted for clients
	// is not there.
	Get(ctx context.Context, tenant string, ref storage.Ref) (scim.DirectoryEntry, error)
	// List returns resources of a type by id, behind an id, at most limit; named,
	// when not "", restricts it to those whose label folds to the same key.
	List(ctx context.Context, tenant, resourceType, named, after string, limit int) ([]scim.DirectoryEntry, error)
	// Members returns the direct members of a group, in order, behind one of them,
	// at most limit.
	Members(ctx context.Context, tenant string, group, after storage.Ref, limit int) ([]storage.Ref, error)
	// GroupsOf returns the groups that a resource is a direct member of, in order,
	// behind one of them, at most limit.
	GroupsOf(ctx context.Context, tenant string, member, after storage.Ref, limit int) ([]storage.Ref, error)
}

var _ Directory = (*scim.Directory)(nil)

// Applier is the host's code that makes changes of roles come true.
type Applier interface {
	// Apply makes all changes of one user, all or none if the host can. Each says
	// which role the user has in one scope from now on: Change.To counts, and
	// Change.From is what the host was told before. A change may be told twice, and
	// a role may be revoked that never arrived, since nobody knows what became of a
	// call that was cut off; so Apply sets a role rather than adding one, and finds
	// nothing wrong with a role that is gone.
	//
	// Calls for one user do not overlap within a process. An error, or a panic, is
	// recorded with the user and the changes, computed anew, are tried again later.
	// Apply returns when ctx is done ([WithApplyTimeout]): other users of the tenant
	// wait for it.
	Apply(ctx context.Context, tenant string, changes []Change) error
}

// ApplierFunc is a function that applies.
type ApplierFunc func(ctx context.Context, tenant string, changes []Change) error

// Apply calls f.
func (f ApplierFunc) Apply(ctx context.Context, tenant string, changes []Change) error {
	return f(ctx, tenant, changes)
}

// ErrRefused is what a [WorkspaceFunc] returns for a name that the host does not
// have a workspace for and does not want one for.
var ErrRefused = errors.New("roles: the host refuses the workspace")

// WorkspaceFunc turns the name of a workspace, as a group spells it, into the
// host's id of it: it finds it, or makes it, or returns [ErrRefused]. It is asked
// once for each name; after another error again. It may be asked twice for one
// name when the first answer was lost. Names that differ in letter case or width
// are one workspace.
type WorkspaceFunc func(ctx context.Context, tenant, name string) (id string, err error)

// HeldFunc returns which roles the user has in the scopes by the host's own doing.
// It is asked only about scopes where nothing of ours was applied. After an error the
// user is tried again later, as after one of the [Applier].
type HeldFunc func(ctx context.Context, tenant, user string, scopes []Scope) ([]Assignment, error)
