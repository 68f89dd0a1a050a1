package signin

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/musterhq/muster/scim"
	"github.com/musterhq/muster/scim/patch"
	"github.com/musterhq/muster/scim/policy"
	"github.com/musterhq/muster/scim/schema"
)

// Update sets attributes of a user from what a token says, as far as they are the
// host's: those that fields.Editable allows. The identity provider's own attributes
// come through SCIM, where a token may be hours older than the last change, and are
// left alone. userName, externalId, active, password and roles are never set. Values
// are as [scim.Builder.Set] takes them in JSON: text, booleans, numbers, maps and
// slices of these.
//
// It returns the names that were set, in order; the others were left alone. A value
// that is there already changes nothing. user is what [Rules.SignIn] found.
func Update(ctx context.Context, srv *scim.Server, tenant string, user scim.DirectoryEntry, fields policy.Fields, values map[string]any) (set []string, err error) {
	type operation struct {
		Op    string `json:"op"`
		Path  string `json:"path"`
		Value any    `json:"value"`
	}
	var ops []operation
	for _, name := range slices.Sorted(maps.Keys(values)) {
		p, err := user.Resource.Type().Resolve(name)
		if err != nil || reserved(p) || !fields.Editable(user, name) {
			continue
		}
		set = append(set, name)
		ops = append(ops, operation{"replace", p.String(), values[name]})
	}
	if len(ops) == 0 {
		return nil, nil
	}
	body, err := json.Marshal(map[string]any{
		"schemas": []string{"urn:ietf:params:scim:api:messages:2.0:PatchOp"}, "Operations": ops,
	})
	if err != nil {
		return nil, fmt.Errorf("signin: a value cannot be written as JSON: %w", err)
	}
	req, err := patch.Parse(user.Resource.Type(), body, patch.ParseOptions{})
	if err != nil {
		return nil, err
	}
	_, err = srv.Do(ctx, scim.Principal{Tenant: tenant, Connection: user.Connection, Subject: "sign-in"}, &scim.Operation{
		Method: scim.Patch, Type: user.Resource.Type(), ID: user.Resource.ID(), Patch: req, NoContent: true,
	})
	if err != nil {
		return nil, err
	}
	return set, nil
}

// reserved reports whether an attribute is never a token's to say.
func reserved(p schema.Path) bool {
	return p.Secret() || slices.Contains([]string{"userName", "externalId", "active", "roles"}, p.Top().String())
}
