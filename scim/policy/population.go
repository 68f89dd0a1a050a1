package policy

import (
	"context"

	"github.com/musterhq/muster/scim"
	"github.com/musterhq/muster/scim/filter"
	"github.com/musterhq/muster/scim/resource"
	"github.com/musterhq/muster/scim/schema"
)

// ActiveUsers counts the active users of a tenant, of all connections: what [Seats]
// compares with its limit, for a host that shows it. The store counts each time, so
// it is for a page that an admin opens.
func ActiveUsers(ctx context.Context, d *scim.Directory, tenant string) (int, error) {
	t := d.Type(userType)
	if t == nil {
		return 0, nil
	}
	all, err := d.Count(ctx, tenant, filter.NewPlan(t, filter.Const(true)))
	if err != nil {
		return 0, err
	}
	active, ok := t.Root().Lookup("active")
	if !ok {
		return all, nil
	}
	// A user without the attribute is active, so the others are counted.
	inactive, err := d.Count(ctx, tenant, filter.NewPlan(t, equal(active, resource.Boolean(active, false))))
	return max(0, all-inactive), err
}

// equal compares an attribute with a value of its type.
func equal(p schema.Path, v scim.Value) filter.Node {
	key, _ := filter.Key(v)
	return filter.Compare{Path: p, Op: filter.Eq, Operand: filter.Operand{Text: v.Text(), Key: key, Bool: v.Bool()}}
}
