package scim_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/musterhq/muster/scim"
	"github.com/musterhq/muster/scim/dialect"
)

func TestAuthenticatorsKnowTheirCallers(t *testing.T) {
	t.Parallel()
	principal := func(tenant string) scim.Principal { return scim.Principal{Tenant: tenant} }
	tokens := scim.BearerTokens(map[string]scim.Principal{"old": principal("a"), "new": principal("a"), "other": principal("b"), "": principal("c")})
	basic := scim.Basic("okta", "pass:word", principal("basic"))
	lookUp := scim.BearerFunc(func(_ context.Context, token string) (scim.Principal, error) {
		if token == "" {
			t.Error("the function was called without a token")
		}
		if token == "known" {
			return principal("looked-up"), nil
		}
		return scim.Principal{}, scim.ErrUnauthorized
	})
	tests := []struct {
		name          string
		auth          scim.Authenticator
		authorization string
		tenant        string // "": refused
	}{
		{"a token", tokens, "Bearer old", "a"},
		{"a second token of the same principal", tokens, "Bearer new", "a"},
		{"another principal's token", tokens, "Bearer other", "b"},
		{"an unknown token", tokens, "Bearer x", ""},
		{"a prefix of a token", tokens, "Bearer ol", ""},
		{"a token with more behind it", tokens, "Bearer old old", ""},
		{"a token in another case", tokens, "Bearer OLD", ""},
		{"the scheme in another case", tokens, "bEARER old", "a"},
		{"stray spaces", tokens, "  Bearer   old  ", "a"},
		{"an empty token", tokens, "Bearer ", ""},
		{"an empty token, no space", tokens, "Bearer", ""},
		{"no header", tokens, "", ""},
		{"a token without a scheme", tokens, "old", ""},
		{"the wrong scheme", tokens, "Basic old", ""},
		{"one token", scim.BearerToken("t"), "Bearer t", "-"},
		{"an empty static token", scim.BearerToken(""), "Bearer ", ""},
		{"Basic", basic, "Basic b2t0YTpwYXNzOndvcmQ=", "basic"},
		{"Basic with a wrong password", basic, "Basic b2t0YTp3cm9uZw==", ""},
		{"Basic with a wrong user", basic, "Basic eHg6cGFzczp3b3Jk", ""},
		{"Basic that is no base64", basic, "Basic ***", ""},
		{"Basic with an empty password", scim.Basic("okta", "", principal("x")), "Basic b2t0YTo=", ""},
		{"a function", lookUp, "Bearer known", "looked-up"},
		{"a function that does not know", lookUp, "Bearer unknown", ""},
		{"a function, no token", lookUp, "", ""},
		{"any of several, the first", scim.AnyOf(lookUp, basic), "Bearer known", "looked-up"},
		{"any of several, the second", scim.AnyOf(lookUp, basic), "Basic b2t0YTpwYXNzOndvcmQ=", "basic"},
		{"none of several", scim.AnyOf(lookUp, basic), "Bearer old", ""},
		{"any of none", scim.AnyOf(), "Bearer old", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			r := httptest.NewRequest("GET", "/Users", nil)
			r.Header.Set("Authorization", test.authorization)
			p, err := test.auth.Authenticate(r)
			switch {
			case test.tenant == "":
				if !errors.Is(err, scim.ErrUnauthorized) {
					t.Errorf("got %v, %v", p, err)
				}
			case err != nil, p.Tenant != strings.Trim(test.tenant, "-"):
				t.Errorf("got %v, %v", p, err)
			}
		})
	}
}

func TestOneOfSeveralAuthenticatorsThatFailsIsHeard(t *testing.T) {
	t.Parallel()
	away := scim.AuthenticatorFunc(func(*http.Request) (scim.Principal, error) {
		return scim.Principal{}, &scim.Error{Status: 503, Detail: "come back later", RetryAfter: 2500 * time.Millisecond}
	})
	srv := newServerFor(t, scim.AnyOf(away, scim.BearerToken("secret")))
	a := send(t, srv, "GET /Users", "", "Authorization: Bearer other").want(t, 503)
	if a.Header().Get("Retry-After") != "3" || a.get("detail") != "come back later" {
		t.Errorf("%v %s", a.Header(), a.Body)
	}
	send(t, srv, "GET /Users", "").want(t, 200)
}

func TestRefusalsLookAlikeWhateverTheReason(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	auth := scim.BearerFunc(func(_ context.Context, token string) (scim.Principal, error) {
		switch token {
		case "acme":
			return scim.Principal{Tenant: "acme"}, nil
		case "expired":
			return scim.Principal{}, fmt.Errorf("expired: %w", scim.ErrUnauthorized)
		}
		return scim.Principal{}, errors.New("the database is away")
	})
	srv := newServerFor(t, auth, scim.WithPathPrefix("/t/{tenant}/scim"), scim.WithLogger(slog.New(slog.NewTextHandler(&log, nil))))
	raw := func(path, token string) string {
		r := httptest.NewRequest("GET", path, nil)
		if token != "" {
			r.Header.Set("Authorization", "Bearer "+token)
		}
		w := httptest.NewRecorder()
		srv.ServeHTTP(w, r)
		var b bytes.Buffer
		w.Result().Write(&b)
		return b.String()
	}
	want := raw("/t/umbrella/scim/Users", "expired")
	if !strings.HasPrefix(want, "HTTP/1.1 401 ") || !strings.Contains(want, "Www-Authenticate: Bearer") {
		t.Fatal(want)
	}
	for _, c := range [][2]string{
		{"/t/umbrella/scim/Users", "acme"}, {"/t/umbrella/scim/Users", ""}, {"/t/umbrella/scim/Users", "failing"},
		{"/t/acme/scim/Users", "expired"}, {"/t/nobody/scim/Users/1", "acme"}, {"/t/umbrella/scim/Nonsense", "acme"},
		{"/t/umbrella/scim/ServiceProviderConfig", "acme"}, {"/t/umbrella/scim", "acme"},
	} {
		if got := raw(c[0], c[1]); got != want {
			t.Errorf("%v: %s\nwant %s", c, got, want)
		}
	}
	if got := log.String(); strings.Count(got, "the database is away") != 1 || strings.Contains(got, "expired") || strings.Contains(got, "failing") {
		t.Errorf("an authenticator's failure is to be logged, a refusal is not, and tokens never are:\n%s", got)
	}
}

func TestPrincipalsReachTheHost(t *testing.T) {
	t.Parallel()
	var got, inContext scim.Principal
	srv := newServerFor(t,
		scim.BearerTokens(map[string]scim.Principal{"secret": {Tenant: "acme", Subject: "token 7"}}),
		scim.WithInterceptor(func(ctx context.Context, op *scim.Operation, next scim.Next) (*scim.Result, error) {
			got = op.Principal
			inContext, _ = scim.PrincipalFromContext(ctx)
			return next(ctx, op)
		}))
	send(t, srv, "GET /Users", "").want(t, 200)
	want := scim.Principal{Tenant: "acme", Connection: "default", Subject: "token 7"}
	if got != want || inContext != want {
		t.Errorf("got %+v, in the context %+v, want %+v", got, inContext, want)
	}
	if _, ok := scim.PrincipalFromContext(context.Background()); ok {
		t.Error("there is a principal outside of a request")
	}
}

func TestReadOnlyPrincipalsChangeNothing(t *testing.T) {
	t.Parallel()
	srv := newServerFor(t, scim.BearerTokens(map[string]scim.Principal{"secret": {}, "reader": {ReadOnly: true}}))
	id := send(t, srv, "POST /Users", fmt.Sprintf(userBody, "ada")).want(t, 201).id()
	const reader = "Authorization: Bearer reader"
	for _, c := range [][2]string{
		{"POST /Users", fmt.Sprintf(userBody, "grace")}, {"PUT /Users/" + id, fmt.Sprintf(userBody, "grace")},
		{"PATCH /Users/" + id, patchBody(`[{"op":"replace","path":"title","value":"x"}]`)},
		{"DELETE /Users/" + id, ""}, {"DELETE /Users/none", ""},
	} {
		send(t, srv, c[0], c[1], reader).wantError(t, 403, "")
	}
	send(t, srv, "GET /Users/"+id, "", reader).want(t, 200)
	send(t, srv, "GET /Users", "", reader).want(t, 200)
	send(t, srv, "GET /Schemas", "", reader).want(t, 200)
}

func TestADialectMayDifferByConnection(t *testing.T) {
	t.Parallel()
	strict := dialect.Strict()
	srv := newServerFor(t, scim.BearerTokens(map[string]scim.Principal{"secret": {}, "strict": {Dialect: &strict}}))
	body := `{"userName":%q,"active":"True"}`
	send(t, srv, "POST /Users", fmt.Sprintf(body, "a")).want(t, 201)
	send(t, srv, "POST /Users", fmt.Sprintf(body, "b"), "Authorization: Bearer strict").want(t, 400)
}

func TestDiscoveryNamesWhatIsAccepted(t *testing.T) {
	t.Parallel()
	srv := newServerFor(t, scim.AnyOf(scim.Basic("u", "p", scim.Principal{}), scim.BearerToken("secret")))
	a := send(t, srv, "GET /ServiceProviderConfig", "").want(t, 200)
	schemes, _ := a.get("authenticationSchemes").([]any)
	var types []any
	primaries := 0
	for _, s := range schemes {
		m := s.(map[string]any)
		types = append(types, m["type"])
		if m["primary"] == true {
			primaries++
		}
		if m["name"] == nil || m["description"] == nil {
			t.Errorf("%v lacks name or description", m)
		}
	}
	if fmt.Sprint(types) != "[httpbasic oauthbearertoken]" || primaries != 1 {
		t.Errorf("schemes %v, %d of them primary", types, primaries)
	}
	refused := send(t, srv, "GET /Users", "", "Authorization:").want(t, 401)
	if got := refused.Header()["Www-Authenticate"]; fmt.Sprint(got) != `[Basic realm="SCIM" Bearer realm="SCIM"]` {
		t.Errorf("WWW-Authenticate %q", got)
	}
}
