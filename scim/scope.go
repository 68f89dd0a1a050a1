package scim

import "context"

// Every resource has an owning connection, and a connection sees and changes its own
// unless the tenant shares. The store keeps them apart by itself; a handler that wants
// to is told of it here.

type scopeKey struct{}

// ScopeFromContext returns the connection to which a call of a [ResourceHandler] is
// confined: what belongs to another one is not to be found by it, answered
// [ErrNotFound], and not changed. It is "" when there is no such bound, because the
// tenant's connections share ([WithSharing]), or because the server asks for itself:
// for a [Directory], in [Server.Unlink], and when a resource changes hands ([Adopter]).
// Uniqueness holds across connections all the same.
//
// What a call creates belongs to the connection of the caller, which
// [PrincipalFromContext] knows.
func ScopeFromContext(ctx context.Context) string {
	scope, _ := ctx.Value(scopeKey{}).(string)
	return scope
}

// within returns the context of a call that is confined to a connection, or with ""
// to none.
func within(ctx context.Context, scope string) context.Context {
	if ScopeFromContext(ctx) == scope {
		return ctx
	}
	return context.WithValue(ctx, scopeKey{}, scope)
}
