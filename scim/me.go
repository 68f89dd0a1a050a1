package scim

import (
	"context"
	"net/http"
)

// MeFunc finds the resource that stands for the caller of a request to /Me: the
// name of its resource type, such as "User", and its id. With a type and no id the
// caller has no resource yet, and POST /Me may create one. [ErrNotFound] when the
// caller has none and is to get none, as a rule because it is an application.
type MeFunc func(ctx context.Context, p Principal) (resourceType, id string, err error)

// WithMe answers requests to /Me (RFC 7644 section 3.11) with the resource that f
// finds: GET, PUT, PATCH and DELETE act on it as if it was addressed by its own
// URL, which is what Location names. The caller must be allowed to see it: it
// belongs to the principal's connection, or the tenant shares ([WithSharing]).
// What users may change about themselves is the host's to say, in a [Guard];
// [Principal.OnlyMe] keeps them away from everything else. Without this option
// /Me is answered 501.
func WithMe(f MeFunc) Option {
	return option(func(s *Server) error { s.me = f; return nil })
}

// myself answers a request to /Me.
func (x *exchange) myself(rt route, method string) error {
	if x.s.me == nil {
		return &Error{Status: http.StatusNotImplemented, Detail: "/Me is not supported here; address the resource by its endpoint and id"}
	}
	ctx := requestContext{x.r.Context(), &x.principal}
	name, id, err := x.s.me(&ctx, x.principal)
	if err != nil {
		return err
	}
	e := x.s.byName[name]
	if e == nil {
		return errForeignMe
	}
	x.isMe = true
	switch {
	case method != http.MethodPost && id == "":
		return ErrNotFound
	case method != http.MethodPost:
		return x.resource(rt, method, e, id)
	case !e.allows(Create):
		return x.methodNotAllowed(rt)
	case id != "":
		return Errorf(http.StatusConflict, Uniqueness, "the caller has a resource already; change it with PUT or PATCH")
	}
	return x.createResource(e)
}
