package scim

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"net/http"
	"strings"
)

// BearerToken accepts one static token, for a host with a single tenant. Tokens
// should hold at least 128 bits of randomness and travel over TLS only. [New]
// refuses an empty one.
func BearerToken(token string) Authenticator {
	return BearerTokens(map[string]Principal{token: {}})
}

// BearerTokens accepts several static tokens, each standing for its principal.
// Two tokens may be valid for one principal, so that one can be rotated while
// the other works. Only hashes of the tokens are kept. An empty token is never
// accepted, and [New] refuses it.
func BearerTokens(tokens map[string]Principal) Authenticator {
	a := make(bearerTokens, len(tokens))
	for token, p := range tokens {
		a[sha256.Sum256([]byte(token))] = p
	}
	return a
}

// The map is keyed by hash: what a look-up's timing could reveal is a prefix of
// a hash, which helps nobody find a token.
type bearerTokens map[[sha256.Size]byte]Principal

func (a bearerTokens) check() error {
	if _, ok := a[sha256.Sum256(nil)]; ok {
		return errors.New("a bearer token is empty; is a setting of the host missing?")
	}
	return nil
}

func (a bearerTokens) Authenticate(r *http.Request) (Principal, error) {
	scheme, token := credentials(r)
	if !strings.EqualFold(scheme, "Bearer") || token == "" {
		return Principal{}, ErrUnauthorized
	}
	p, ok := a[sha256.Sum256([]byte(token))]
	if !ok {
		return Principal{}, ErrUnauthorized
	}
	return p, nil
}

func (a bearerTokens) AuthenticationSchemes() []AuthenticationScheme {
	return []AuthenticationScheme{bearerScheme}
}

var bearerScheme = AuthenticationScheme{
	Type: "oauthbearertoken", Name: "Bearer token", Primary: true,
	Description: "A token in the Authorization header, sent as \"Bearer TOKEN\".",
	SpecURI:     "https://www.rfc-editor.org/info/rfc6750",
	Challenge:   `Bearer realm="SCIM"`,
}

// BearerFunc hands the bearer token of a request to a function: to look it up in
// a database, or to verify a signed one. The function is not called for requests
// without a token. What it returns is treated as an [Authenticator]'s.
func BearerFunc(f func(ctx context.Context, token string) (Principal, error)) Authenticator {
	return bearerFunc(f)
}

type bearerFunc func(ctx context.Context, token string) (Principal, error)

func (f bearerFunc) check() error {
	if f == nil {
		return errors.New("BearerFunc needs a function")
	}
	return nil
}

func (f bearerFunc) Authenticate(r *http.Request) (Principal, error) {
	scheme, token := credentials(r)
	if !strings.EqualFold(scheme, "Bearer") || token == "" {
		return Principal{}, ErrUnauthorized
	}
	return f(r.Context(), token)
}

func (f bearerFunc) AuthenticationSchemes() []AuthenticationScheme {
	return []AuthenticationScheme{bearerScheme}
}

// Basic accepts one user name and password (RFC 7617), for clients that can do
// nothing else. Only hashes are kept. An empty password is never accepted, and
// [New] refuses it.
func Basic(user, password string, p Principal) Authenticator {
	return basic{sha256.Sum256([]byte(user)), sha256.Sum256([]byte(password)), password != "", p}
}

type basic struct {
	user, password [sha256.Size]byte
	usable         bool
	principal      Principal
}

func (b basic) check() error {
	if !b.usable {
		return errors.New("the password of Basic is empty; is a setting of the host missing?")
	}
	return nil
}

func (b basic) Authenticate(r *http.Request) (Principal, error) {
	user, password, ok := r.BasicAuth()
	if !ok || !b.usable {
		return Principal{}, ErrUnauthorized
	}
	u, p := sha256.Sum256([]byte(user)), sha256.Sum256([]byte(password))
	if subtle.ConstantTimeCompare(u[:], b.user[:])&subtle.ConstantTimeCompare(p[:], b.password[:]) != 1 {
		return Principal{}, ErrUnauthorized
	}
	return b.principal, nil
}

func (b basic) AuthenticationSchemes() []AuthenticationScheme {
	return []AuthenticationScheme{{
		Type: "httpbasic", Name: "HTTP Basic", Primary: true,
		Description: "A user name and a password in the Authorization header.",
		SpecURI:     "https://www.rfc-editor.org/info/rfc7617",
		Challenge:   `Basic realm="SCIM"`,
	}}
}

// AnyOf accepts what any of several authenticators accepts; the first that does
// decides. When none does, the first error that is more than [ErrUnauthorized] is
// the answer. [New] refuses one that has none to ask.
func AnyOf(authenticators ...Authenticator) Authenticator { return anyOf(authenticators) }

type anyOf []Authenticator

func (a anyOf) check() error {
	if len(a) == 0 {
		return errors.New("AnyOf needs authenticators to ask")
	}
	var errs []error
	for _, auth := range a {
		errs = append(errs, checkAuthenticator(auth))
	}
	return errors.Join(errs...)
}

func (a anyOf) Authenticate(r *http.Request) (Principal, error) {
	err := ErrUnauthorized
	for _, auth := range a {
		p, no := auth.Authenticate(r)
		if no == nil {
			return p, nil
		}
		if errors.Is(err, ErrUnauthorized) {
			err = no
		}
	}
	return Principal{}, err
}

func (a anyOf) AuthenticationSchemes() []AuthenticationScheme {
	var all []AuthenticationScheme
	for _, auth := range a {
		for _, s := range schemesOf(auth) {
			s.Primary = len(all) == 0
			all = append(all, s)
		}
	}
	return all
}

// checkAuthenticator finds what can only be a mistake in the host's settings: an
// authenticator that lets nobody in, which would show as 401 for everybody.
func checkAuthenticator(a Authenticator) error {
	if a == nil {
		return errors.New("an authenticator is required; BearerToken is the simplest")
	}
	if a, ok := a.(interface{ check() error }); ok {
		return a.check()
	}
	return nil
}

func schemesOf(a Authenticator) []AuthenticationScheme {
	if l, ok := a.(SchemeLister); ok {
		return l.AuthenticationSchemes()
	}
	return []AuthenticationScheme{bearerScheme}
}

// credentials splits the Authorization header. Clients add stray spaces.
func credentials(r *http.Request) (scheme, rest string) {
	scheme, rest, _ = strings.Cut(strings.TrimSpace(r.Header.Get("Authorization")), " ")
	return scheme, strings.TrimSpace(rest)
}
