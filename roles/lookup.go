package roles

import (
	"context"
	"errors"

	"github.com/musterhq/muster/scim"
	"github.com/musterhq/muster/storage"
)

func userRef(id string) storage.Ref  { return storage.Ref{Type: "User", ID: id} }
func groupRef(id string) storage.Ref { return storage.Ref{Type: "Group", ID: id} }

// person is a user as the directory has it now.
type person struct {
	User
	connection string
	gone       bool
}

// person reads a user with its groups.
func (r *Reconciler) person(ctx context.Context, tenant, id string) (person, error) {
	p := person{User: User{ID: id}}
	e, err := r.dir.Get(ctx, tenant, userRef(id))
	if errors.Is(err, scim.ErrNotFound) {
		p.gone = true
		return p, nil
	}
	if err != nil {
		return p, err
	}
	p.connection, p.Active, p.Roles = e.Connection, e.Resource.Active(), RoleValues(e.Resource)
	if p.Active {
		p.Groups, err = r.groupsOf(ctx, tenant, userRef(id))
	}
	return p, err
}

// groupsOf reads the groups that a user is in: the direct ones, then those that
// they are nested in, each once, nearest first.
func (r *Reconciler) groupsOf(ctx context.Context, tenant string, user storage.Ref) (groups []Group, err error) {
	type step struct {
		ref storage.Ref
		via string
	}
	level, seen := []step{{ref: user}}, map[string]bool{}
	for depth := 0; depth <= r.nesting && len(level) > 0; depth++ {
		var next []step
		for _, from := range level {
			var after storage.Ref
			for {
				page, err := r.dir.GroupsOf(ctx, tenant, from.ref, after, r.page)
				if err != nil {
					return nil, err
				}
				for _, ref := range page {
					if seen[ref.ID] {
						continue
					}
					seen[ref.ID] = true
					via := from.via
					if depth == 1 {
						via = from.ref.ID
					}
					g, ok, err := r.group(ctx, tenant, ref.ID)
					if err != nil {
						return nil, err
					}
					if !ok {
						continue // deleted meanwhile
					}
					g.Via = via
					groups = append(groups, g)
					next = append(next, step{ref, via})
				}
				if len(page) < r.page {
					break
				}
				after = page[len(page)-1]
			}
		}
		level = next
	}
	return groups, nil
}

// group reads a group with the name that counts; ok is false when it is gone.
func (r *Reconciler) group(ctx context.Context, tenant, id string) (g Group, ok bool, err error) {
	g, ok, err = r.present(ctx, tenant, id)
	if !ok || err != nil {
		return g, false, err
	}
	if r.settling > 0 {
		k, err := r.kinds.groups.Get(ctx, r.store, tenant, id)
		if err != nil {
			return g, false, err
		}
		g.Name = r.nameThatCounts(&k, g.Name)
	}
	return g, true, nil
}
