package ownership

import (
	"context"
	"errors"

	"github.com/musterhq/muster/internal/kept"
	"github.com/musterhq/muster/scim"
	"github.com/musterhq/muster/storage"
)

// A deactivation must not fail for an address that comes with it: Entra ID renames whom
// it deletes. So inactive users get the addresses that are sent for them, and that some
// of these are not the tenant's is remembered until they are active again: as links of
// one record for each tenant, which go when the user goes.

// unjudged is the record's state. All that it says is in its links.
type unjudged struct{}

const (
	unjudgedID = "users"
	given      = "given" // the relation to those users
)

// isUnjudged reports whether a user was given an address that nobody judged.
func (k *kinds) isUnjudged(ctx context.Context, d *scim.Directory, tenant string, user storage.Ref) (bool, error) {
	owner := k.unjudged.Ref(unjudgedID)
	links, err := d.Store().Links(ctx, &storage.LinkQuery{
		Tenant: tenant, Relation: storage.Relation{Owner: owner.Type, Name: given}, Of: []storage.Ref{owner}, Other: []storage.Ref{user},
	})
	return len(links) > 0, err
}

// leaveUnjudged remembers a user. It is written before the user is: an attempt that fails
// makes the rule stricter than need be, and no more.
func (k *kinds) leaveUnjudged(ctx context.Context, d *scim.Directory, tenant string, user storage.Ref) error {
	edit := storage.LinkEdit{Add: []storage.Ref{user}}
	if !d.Logged(user.Type) {
		edit.Missing = storage.MissingKeep // the store does not know it
	}
	err := k.editUnjudged(ctx, d, tenant, edit)
	if !errors.Is(err, storage.ErrNotFound) {
		return err
	}
	err = k.unjudged.Edit(ctx, d.Store(), tenant, unjudgedID, d.Now(), func(u *kept.State[unjudged]) (bool, error) {
		return u.Version == 0, nil
	})
	if err != nil {
		return err
	}
	return k.editUnjudged(ctx, d, tenant, edit)
}

// forget forgets a user.
func (k *kinds) forget(ctx context.Context, d *scim.Directory, tenant string, user storage.Ref) error {
	is, err := k.isUnjudged(ctx, d, tenant, user)
	if err != nil || !is {
		return err
	}
	return k.editUnjudged(ctx, d, tenant, storage.LinkEdit{Remove: []storage.Ref{user}})
}

func (k *kinds) editUnjudged(ctx context.Context, d *scim.Directory, tenant string, edit storage.LinkEdit) error {
	edit.Owner, edit.Relation, edit.Change = k.unjudged.Ref(unjudgedID), given, storage.ChangeInfo{Kind: "kept"}
	_, err := d.Store().Commit(ctx, &storage.Batch{Tenant: tenant, Time: d.Now(), Links: []storage.LinkEdit{edit}})
	return err
}
