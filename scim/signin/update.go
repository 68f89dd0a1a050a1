package signin

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/musterhq/muster/scim"
	"github.com/musterhq/muster/scim/policy"
	"github.com/musterhq/muster/scim/schema"
)

// Update sets attributes of a user from what a token says, as far as they are the
// host's: those that fields.Editable allows. The identity provider's own attributes
// come through SCIM, where a token may be hours older than the last change, and are
// left alone. userName, externalId, active, password and roles are never set. Values
// are as [scim.Builder.Set] takes them.
//
// It returns the names that were set, in order; the others were left alone. A value
// that is there already changes nothing. user is what [Rules.SignIn] found.
func Update(ctx context.Context, srv *scim.Server, tenant string, user scim.DirectoryEntry, fields policy.Fields, values map[string]any) (set []string, err error) {
	t := user.Resource.Type()
	change := scim.NewPatch(t)
	for _, name := range slices.Sorted(maps.Keys(values)) {
		p, err := t.Resolve(name)
		if err != nil || reserved(p) || !fields.Editable(user, name) {
			continue
		}
		set = append(set, name)
		change.Replace(p.String(), values[name])
	}
	if len(set) == 0 {
		return nil, nil
	}
	req, err := change.Request()
	if err != nil {
		return nil, fmt.Errorf("signin: %w", err)
	}
	_, err = srv.Do(ctx, scim.Principal{Tenant: tenant, Connection: user.Connection, Subject: "sign-in"}, &scim.Operation{
		Method: scim.Patch, Type: t, ID: user.Resource.ID(), Patch: req, NoContent: true,
	})
	if err != nil {
		return nil, err
	}
	return set, nil
}

// reserved reports whether an attribute is never a token's to say.
func reserved(p schema.Path) bool {
	return p.Secret() || p.ReadOnly() || !p.InDocument() || slices.Contains([]string{"userName", "externalId", "active", "roles"}, p.Top().String())
}
