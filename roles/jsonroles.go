package roles

import (
	"context"
	"slices"

	"github.com/musterhq/muster/scim"
	"github.com/musterhq/muster/scim/dialect"
	"github.com/musterhq/muster/scim/patch"
)

// ReplaceJSONRoles makes an interceptor for a habit of Entra ID. With the function
// AppRoleAssignmentsComplex, and with SingleAppRoleAssignment after the first
// time, it sends a user's roles as an add whose values are texts of JSON objects,
// and never removes the ones from before, so that a demotion would not arrive:
//
//	{"op":"Add","path":"roles","value":[{"value":"{\"value\":\"member\"}"}]}
//
// With the interceptor, values that come in that form replace the roles of the
// user, whatever form they were written in. Adds of plain values and objects are
// left alone, and so are bulk requests. The form is known by the dialect rule
// [dialect.RoleJSON], which must be on, as it is by default.
//
// report, if not nil, is called for each request that is changed, before it is
// carried out; it must be quick.
func ReplaceJSONRoles(report func(ctx context.Context, p scim.Principal, user string)) scim.Interceptor {
	return func(ctx context.Context, op *scim.Operation, next scim.Next) (*scim.Result, error) {
		if op.Method != scim.Patch || op.Bulk || op.Patch == nil || !op.Relied(dialect.RoleJSON) {
			return next(ctx, op)
		}
		path, err := op.Type.Resolve("roles")
		if err != nil {
			return next(ctx, op)
		}
		// The first operation on all roles decides: behind a replace or a remove of
		// the same request, an add means an add.
		i := slices.IndexFunc(op.Patch.Operations, func(o patch.Operation) bool { return o.Target.Path == path && o.Target.Where == nil })
		if i < 0 || op.Patch.Operations[i].Op != patch.Add || op.Patch.Operations[i].Value.IsZero() {
			return next(ctx, op)
		}
		changed, request := *op, *op.Patch
		request.Operations = slices.Clone(request.Operations)
		request.Operations[i].Op = patch.Replace
		changed.Patch = &request
		if report != nil {
			report(ctx, op.Principal, op.ID)
		}
		return next(ctx, &changed)
	}
}
