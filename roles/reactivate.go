package roles

import (
	"context"
	"errors"

	"github.com/musterhq/muster/scim"
	"github.com/musterhq/muster/scim/patch"
	"github.com/musterhq/muster/storage"
)

// ReactivateAdded makes an interceptor for identity providers that let somebody
// come back by adding them to a group: after a PATCH whose add names members of a
// group, those of them who are inactive are made active, whether or not they were
// members already. Without it a push never reactivates anybody: Okta sends all
// members of a group, with those who left.
//
// when says for which principals it holds; nil means for all. server returns the
// server that the interceptor is given to, which is not there yet when the
// interceptor is made. The change is made on behalf of the principal, through
// guards and interceptors; users that the principal may not see stay as they are.
// A failure fails the request, whose add has been done by then, so that the client
// sends it again. Bulk requests, and groups that replace all their members, do not
// reactivate.
func ReactivateAdded(server func() *scim.Server, when func(scim.Principal) bool) scim.Interceptor {
	return func(ctx context.Context, op *scim.Operation, next scim.Next) (*scim.Result, error) {
		res, err := next(ctx, op)
		if err != nil || op.Method != scim.Patch || op.Bulk || op.Patch == nil || op.Type.Name() != "Group" || when != nil && !when(op.Principal) {
			return res, err
		}
		srv := server()
		for _, o := range op.Patch.Links()["members"] {
			if o.Op != patch.Add {
				continue
			}
			for _, m := range o.Members {
				if err := reactivate(ctx, srv, op.Principal, m.ID); err != nil {
					return nil, err
				}
			}
		}
		return res, nil
	}
}

// reactivate makes a user active who is not. A member that is no user, or is gone,
// is none of its business.
func reactivate(ctx context.Context, srv *scim.Server, p scim.Principal, id string) error {
	entry, err := srv.Directory().Get(ctx, p.Tenant, storage.Ref{Type: "User", ID: id})
	switch {
	case errors.Is(err, scim.ErrNotFound) || err == nil && entry.Resource.Active():
		return nil
	case err != nil:
		return err
	}
	t := entry.Resource.Type()
	request, err := patch.Parse(t, []byte(`{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":"replace","path":"active","value":true}]}`), patch.ParseOptions{})
	if err != nil {
		return err
	}
	_, err = srv.Do(ctx, p, &scim.Operation{Method: scim.Patch, Type: t, ID: id, Patch: request, NoContent: true})
	if errors.Is(err, scim.ErrNotFound) {
		return nil
	}
	return err
}
