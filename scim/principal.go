package scim

import (
	"context"
	"net/http"

	"github.com/musterhq/muster/scim/dialect"
)

// Principal is who makes a request, as an [Authenticator] found out.
type Principal struct {
	// Tenant is the customer of the host whose resources the caller works on. It
	// may be empty in a host with a single tenant.
	Tenant string
	// Connection is the identity provider's link into the tenant. Resources belong
	// to the connection that created them. Empty means "default".
	Connection string
	// Subject names the caller for logs and guards: a token's name, never the token.
	Subject string
	// ReadOnly refuses every write with 403.
	ReadOnly bool
	// OnlyMe confines the caller to the resource that [WithMe] finds for it: requests
	// to any other address are refused with 403, discovery excepted. It is for
	// people who look after their own account, not for identity providers.
	OnlyMe bool
	// Dialect replaces the server's set of tolerance rules; nil keeps it.
	Dialect *dialect.Set
}

// Authenticator finds out who makes a request. It is called concurrently, once
// for each request, before anything of the request but its headers is read.
//
// An error that is an [*Error] is answered as it is; [ErrUnauthorized] and any
// other error as 401, alike in every detail, so that a caller cannot tell an
// unknown credential from one of another tenant. Other errors are logged.
type Authenticator interface {
	Authenticate(r *http.Request) (Principal, error)
}

// AuthenticatorFunc is a function that authenticates.
type AuthenticatorFunc func(r *http.Request) (Principal, error)

// Authenticate calls f.
func (f AuthenticatorFunc) Authenticate(r *http.Request) (Principal, error) { return f(r) }

// AuthenticationScheme is one entry of authenticationSchemes in the service
// provider configuration (RFC 7643 section 5).
type AuthenticationScheme struct {
	// Type is oauth, oauth2, oauthbearertoken, httpbasic or httpdigest.
	Type             string
	Name             string
	Description      string
	SpecURI          string
	DocumentationURI string
	Primary          bool
	// Challenge is what WWW-Authenticate offers, such as `Bearer realm="SCIM"`.
	Challenge string
}

// SchemeLister is implemented by authenticators that know what they accept. The
// service provider configuration and WWW-Authenticate say so. An authenticator
// without it is taken for one of bearer tokens.
type SchemeLister interface {
	AuthenticationSchemes() []AuthenticationScheme
}

type principalKey struct{}

// PrincipalFromContext returns who makes the request that ctx belongs to. ok
// is false outside of one.
func PrincipalFromContext(ctx context.Context) (p Principal, ok bool) {
	p, ok = ctx.Value(principalKey{}).(Principal)
	return p, ok
}
