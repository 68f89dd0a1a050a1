package policy

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/musterhq/muster/internal/kept"
	"github.com/musterhq/muster/scim"
	"github.com/musterhq/muster/scim/filter"
	"github.com/musterhq/muster/scim/resource"
	"github.com/musterhq/muster/scim/schema"
	"github.com/musterhq/muster/storage"
)

// LastOwner keeps an organisation from losing its last active owner: the user who
// could not be replaced by anybody inside it. A change that would take the owner's
// role from that user is refused; LetGo says what happens to its deactivation and
// deletion. Of any number of owners who leave at the same moment, the last one stays.
// Where a handler keeps users, an owner whom it was asked to let go does not count as
// another one for a minute, also when the handler failed.
//
// It is for hosts that do not use package roles. Where roles manages the
// organisation's roles, its reconciler keeps the role of the last owner, without
// refusing the identity provider anything and without keeping the person in, and this
// guard should be off.
type LastOwner struct {
	// Owners returns the ids of the users who own a tenant's organisation, as the host
	// knows it, the inactive ones too. It is called when a user is deactivated or
	// deleted. nil: owners are the users whose attribute roles has Role among its
	// values; then roles.value should be one of [scim.ResourceType.Indexed], or each
	// look for another owner reads all users.
	Owners func(ctx context.Context, tenant string) ([]string, error)
	// Role is the value of roles that makes an owner when Owners is nil. Default
	// "owner". Case is ignored.
	Role string
	// LetGo lets the last owner be deactivated and deleted. An administrator who locks
	// an account may have a reason that cannot wait, and an organisation without an
	// owner is a matter for the host's support. Without it they are refused, and the
	// host should end the owner's sessions when Last is called.
	LetGo bool
	// Last is told that the last owner is about to leave, and whether that was refused.
	// It is called before the commit, and again when the identity provider tries
	// again. It must be quick. nil tells nobody.
	Last func(ctx context.Context, l LastLeaves)
}

// LastLeaves says that the last active owner of an organisation is losing the role,
// or is deactivated or deleted.
type LastLeaves struct {
	Principal scim.Principal
	// User is the owner as it is, or one of them when several leave in one commit.
	User *scim.Resource
	// Refused is true when the owner stays.
	Refused bool
}

// owners is the account of a tenant. It is written with each change that takes an
// owner away, so that two of them cannot cross.
type owners struct {
	// Leaving are owners whom a handler was asked to let go, with the time. They do not
	// count while it may not be known yet what became of them.
	Leaving map[string]time.Time `json:"leaving,omitempty"`
}

const ownersID = "owners"

func ownersKind() *kept.Kind[owners] { return kept.NewKind[owners]("MusterPolicyOwners", nil) }

// Guard returns the rule for [scim.WithGuard].
func (l LastOwner) Guard() scim.Guard {
	l.Role = cmp.Or(l.Role, "owner")
	kind := ownersKind()
	return func(ctx context.Context, p scim.Principal, effects []scim.Effect) error {
		ids, err := l.known(ctx, p.Tenant, effects)
		if err != nil {
			return err
		}
		users := net(effects)
		var lost []*scim.Effect
		gained, leaving := false, true
		for i := range users {
			e := &users[i]
			was, is := l.owns(ids, e.Before), l.owns(ids, e.After)
			gained = gained || is && !was
			if was && !is {
				lost = append(lost, e)
				leaving = leaving && e.Deactivates()
			}
		}
		if len(lost) == 0 {
			return nil
		}
		c, err := commitOf(ctx)
		if err != nil {
			return err
		}
		account, err := kind.Get(ctx, c.Directory().Store(), p.Tenant, ownersID)
		if err != nil {
			return err
		}
		account.Value.note(c, lost)
		if !gained {
			gone := account.Value.Leaving
			if gone == nil {
				gone = map[string]time.Time{}
			}
			gone = maps.Clone(gone)
			for _, e := range lost {
				gone[e.ID] = c.Time()
			}
			another, err := l.another(ctx, c.Directory(), p.Tenant, ids, gone)
			if err != nil {
				return err
			}
			if !another {
				refused := !l.LetGo || !leaving
				if l.Last != nil {
					l.Last(ctx, LastLeaves{Principal: p, User: lost[0].Before, Refused: refused})
				}
				if refused {
					return scim.Errorf(http.StatusForbidden, "",
						"this is the last active owner of the organisation; make somebody else an owner first, then the change can be sent again as it is")
				}
			}
		}
		put, err := kind.Put(account, c.Time())
		if err != nil {
			return err
		}
		return c.Keep(put)
	}
}

// known returns the ids that Owners knows, when somebody leaves whom it may concern.
func (l LastOwner) known(ctx context.Context, tenant string, effects []scim.Effect) (map[string]bool, error) {
	if l.Owners == nil || !slices.ContainsFunc(effects, func(e scim.Effect) bool {
		return e.Type.Name() == userType && e.Deactivates()
	}) {
		return nil, nil
	}
	list, err := l.Owners(ctx, tenant)
	ids := make(map[string]bool, len(list))
	for _, id := range list {
		ids[id] = true
	}
	return ids, err
}

// owns reports whether a user, which may be nil, is an active owner.
func (l LastOwner) owns(ids map[string]bool, user *scim.Resource) bool {
	if user == nil || !user.Active() {
		return false
	}
	if l.Owners != nil {
		return ids[user.ID()]
	}
	path, ok := roleValue(user.Type())
	if !ok {
		return false
	}
	want := schema.Fold(l.Role)
	for v := range user.All(path) {
		if schema.Fold(v.Text()) == want {
			return true
		}
	}
	return false
}

// another reports whether there is an active owner who is not leaving.
func (l LastOwner) another(ctx context.Context, d *scim.Directory, tenant string, ids map[string]bool, gone map[string]time.Time) (bool, error) {
	if l.Owners != nil {
		for id := range ids {
			if _, leaves := gone[id]; leaves {
				continue
			}
			entry, err := d.Get(ctx, tenant, storage.Ref{Type: userType, ID: id})
			switch {
			case errors.Is(err, scim.ErrNotFound):
			case err != nil:
				return false, err
			case entry.Resource.Active():
				return true, nil
			}
		}
		return false, nil
	}
	t := d.Type(userType)
	path, ok := roleValue(t)
	if !ok {
		return false, fmt.Errorf("policy: users have no roles, so LastOwner needs Owners")
	}
	where := filter.NewPlan(t, equal(path, resource.Text(path, l.Role)))
	const page = 20
	for after := ""; ; {
		found, err := d.Find(ctx, tenant, where, after, page)
		if err != nil {
			return false, err
		}
		for _, entry := range found {
			after = entry.Resource.ID()
			if _, leaves := gone[after]; !leaves && entry.Resource.Active() {
				return true, nil
			}
		}
		if len(found) < page {
			return false, nil
		}
	}
}

// note remembers whom a handler is asked to let go, and forgets those whose fate is
// known by now.
func (o *owners) note(c *scim.Commit, lost []*scim.Effect) {
	maps.DeleteFunc(o.Leaving, func(_ string, at time.Time) bool { return passed(at, c.Time(), inFlight) })
	if !c.Handled() {
		return
	}
	if o.Leaving == nil {
		o.Leaving = map[string]time.Time{}
	}
	for _, e := range lost {
		o.Leaving[e.ID] = c.Time()
	}
}

// roleValue is the attribute that says what role a user has.
func roleValue(t *scim.Type) (schema.Path, bool) {
	roles, ok := t.Root().Lookup("roles")
	if !ok {
		return schema.Path{}, false
	}
	return roles.Lookup("value")
}
