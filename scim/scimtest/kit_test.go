package scimtest

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/musterhq/muster/internal/jsonvalue"
	"github.com/musterhq/muster/internal/vectors"
	"github.com/musterhq/muster/scim"
	"github.com/musterhq/muster/scim/dialect"
	"github.com/musterhq/muster/scim/schema"
	"github.com/musterhq/muster/storage/memory"
)

// newServer makes a server with two tenants, whose users have an extension with
// attributes of every kind, so that no check is passed over.
func newServer(t testing.TB, opts ...scim.Option) *scim.Server {
	t.Helper()
	users, err := vectors.LoadFilterUsers(os.DirFS("../../testdata/vectors"))
	if err != nil {
		t.Fatal(err)
	}
	kinds, err := schema.ParseSchema(users.CustomSchema)
	if err != nil {
		t.Fatal(err)
	}
	user := schema.User()
	user.Extensions = append(user.Extensions, schema.Extension{Schema: kinds}, schema.Extension{Schema: &schema.Schema{
		ID: "urn:example:params:scim:schemas:extension:notes:2.0:User", Name: "Notes",
		Attributes: []schema.Attribute{{Name: "remark", Returned: schema.ReturnedRequest}},
	}})
	opts = append([]scim.Option{
		scim.WithResourceType(user), scim.WithLogger(slog.New(slog.DiscardHandler)),
		// Small enough to be tried out.
		scim.WithLimits(scim.Limits{Body: 128 << 10, BulkOperations: 50}),
	}, opts...)
	srv, err := scim.New(memory.New(), scim.BearerTokens(map[string]scim.Principal{
		"secret": {Tenant: "one"}, "other": {Tenant: "two"},
	}), opts...)
	if err != nil {
		t.Fatal(err)
	}
	return srv
}

func target(h http.Handler) Target { return Target{Handler: h, Token: "secret", OtherToken: "other"} }

func TestServerHoldsEveryRequirement(t *testing.T) {
	t.Parallel()
	Run(t, target(newServer(t)))
}

func TestStrictServerHoldsEveryRequirement(t *testing.T) {
	t.Parallel()
	strict := target(newServer(t, scim.WithDialect(dialect.Strict())))
	strict.Mode = Strict
	Run(t, strict)
}

// Whatever options are set, the checks hold, save where an option is there to
// depart from one.
func TestOptionsHoldEveryRequirement(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		opt    scim.Option
		mode   Mode
		except []string
	}{
		"preset for Entra":        {opt: scim.WithDialect(dialect.Entra()), mode: Some},
		"preset for Okta":         {opt: scim.WithDialect(dialect.Okta()), mode: Some},
		"preset for JumpCloud":    {opt: scim.WithDialect(dialect.JumpCloud()), mode: Some},
		"preset for Google":       {opt: scim.WithDialect(dialect.Google()), mode: Some},
		"tolerant taken for some": {opt: scim.WithDialect(dialect.Tolerant()), mode: Some},
		"strict taken for some":   {opt: scim.WithDialect(dialect.Strict()), mode: Some},
		"unknown names refused":   {opt: scim.WithRejectUnknown()},
		"unknown members refused": {opt: scim.WithUnknownMembers(scim.RejectUnknown)},
		"PATCH without an answer": {opt: scim.WithPatchNoContent("User", "Group")},
		"PATCH always answered":   {opt: scim.WithPatchNoContent()},
		"no tombstones":           {opt: scim.WithTombstones(0)},
		"public discovery":        {opt: scim.WithPublicDiscovery()},
		"immutable externalId":    {opt: scim.WithImmutableExternalID()},
		"shared connections":      {opt: scim.WithSharing(func(string) bool { return true })},
		"no groups":               {opt: scim.WithoutResourceType("Group")},
		"bulk as one transaction": {opt: scim.WithAtomicBulk(), except: []string{"B-003", "B-006", "B-009", "B-010", "B-013", "B-014", "B-021", "B-025"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			to := target(newServer(t, c.opt))
			to.Mode, to.Except = c.mode, map[string]string{}
			for _, id := range c.except {
				to.Except[id] = "operations succeed or fail together"
			}
			expect(t, to, nil)
		})
	}
}

func TestMountsHoldEveryRequirement(t *testing.T) {
	t.Parallel()
	t.Run("StripPrefix", func(t *testing.T) {
		t.Parallel()
		to := target(http.StripPrefix("/scim/v2", newServer(t)))
		to.URL = "http://scim.test/scim/v2"
		Run(t, to)
	})
	t.Run("WithPathPrefix", func(t *testing.T) {
		t.Parallel()
		to := target(newServer(t, scim.WithPathPrefix("/scim/v2")))
		to.URL = "http://scim.test/scim/v2/"
		Run(t, to)
	})
	t.Run("a public address of its own", func(t *testing.T) {
		t.Parallel()
		Run(t, target(newServer(t, scim.WithBaseURL("https://scim.example/scim/v2"))))
	})
	t.Run("real HTTP", func(t *testing.T) {
		t.Parallel()
		srv := httptest.NewServer(newServer(t))
		t.Cleanup(srv.Close)
		Run(t, Target{URL: srv.URL, Token: "secret", OtherToken: "other"})
	})
}

// Where checks leave a choice, testdata/choices.txt says what ours is.
func TestChoicesAreOurs(t *testing.T) {
	t.Parallel()
	choices, err := parseScripts(os.DirFS("testdata"), "choices.txt")
	if err != nil {
		t.Fatal(err)
	}
	strict := target(newServer(t, scim.WithDialect(dialect.Strict())))
	strict.Mode = Strict
	for name, to := range map[string]Target{"tolerant": target(newServer(t)), "strict": strict} {
		s, err := newSuite(t.Context(), to)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range choices {
			for _, f := range s.hold(t.Context(), c).failures {
				t.Errorf("%s: %s %s\n%s", name, c.id, c.about, f)
			}
		}
	}
}

// Holds: E-017
func TestMeIsNotImplementedWithoutAnOption(t *testing.T) {
	t.Parallel()
	s, err := newSuite(t.Context(), target(newServer(t)))
	if err != nil {
		t.Fatal(err)
	}
	a, err := s.player().Send(t.Context(), "GET", "/Me", nil, nil)
	if err != nil || a.Status != http.StatusNotImplemented || get(a.JSON(), "status") != "501" {
		t.Errorf("got %v %d %s", err, a.Status, a.Body)
	}
}

func TestMeIsHeld(t *testing.T) {
	t.Parallel()
	for name, own := range map[string]func(srv *scim.Server) string{
		"a caller without a resource": func(*scim.Server) string { return "" },
		"a caller with a resource": func(srv *scim.Server) string {
			w := httptest.NewRecorder()
			r := httptest.NewRequest("POST", "/Users", strings.NewReader(`{"schemas":["`+userURN+`"],"userName":"own"}`))
			r.Header.Set("Authorization", "Bearer secret")
			srv.ServeHTTP(w, r)
			v, _ := jsonvalue.Decode(w.Body.Bytes())
			return str(get(v, "id"))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var id string
			srv := newServer(t, scim.WithMe(func(context.Context, scim.Principal) (string, string, error) { return "User", id, nil }))
			id = own(srv)
			expect(t, target(srv), nil)
		})
	}
}

func TestOwnTranscriptsPass(t *testing.T) {
	t.Parallel()
	Replay(t, target(newServer(t)), Transcripts())
}
