package main

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	"github.com/musterhq/muster/internal/pgtest"
	"github.com/musterhq/muster/scim"
	"github.com/musterhq/muster/scim/scimtest"
)

func TestTheApplicationsTablesServeIdentityProviders(t *testing.T) {
	t.Parallel()
	t.Run("SQLite", func(t *testing.T) {
		t.Parallel()
		testTables(t, "sqlite:"+filepath.ToSlash(filepath.Join(t.TempDir(), "app.db")))
	})
	t.Run("PostgreSQL", func(t *testing.T) {
		t.Parallel()
		testTables(t, pgtest.URL(t))
	})
}

func testTables(t *testing.T, database string) {
	db, err := open(t.Context(), database)
	if err == nil {
		err = seed(t.Context(), db)
	}
	if err != nil {
		t.Fatal(err)
	}
	srv, err := serve(t.Context(), db, scim.BearerTokens(map[string]scim.Principal{
		"secret": {Tenant: "1", Connection: "okta"}, "other": {Tenant: "2", Connection: "entra"},
	}))
	if err != nil {
		t.Fatal(err)
	}
	scimtest.Replay(t, scimtest.Target{Handler: srv, Token: "secret", OtherToken: "other"}, scimtest.Transcripts())

	// The users who were there before are found by their names, by their customer's
	// identity provider alone, and are its own from its first write on.
	ask := func(token, line, body string) (int, string) {
		method, path, _ := strings.Cut(line, " ")
		r := httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(body))
		r.Header.Set("Authorization", "Bearer "+token)
		w := httptest.NewRecorder()
		srv.ServeHTTP(w, r)
		return w.Code, w.Body.String()
	}
	find := "GET /Users?filter=" + url.QueryEscape(`userName eq "PERSON4444@example.com"`)
	if _, body := ask("secret", find, ""); !strings.Contains(body, `"totalResults":1`) || !strings.Contains(body, `"familyName":"Number 4444"`) {
		t.Errorf("not found: %s", body)
	}
	if _, body := ask("other", find, ""); !strings.Contains(body, `"totalResults":0`) {
		t.Errorf("found by another customer: %s", body)
	}
	patch := `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":"replace","path":"active","value":false}]}`
	if code, body := ask("secret", "PATCH /Users/4444", patch); code != http.StatusOK || !strings.Contains(body, `"active":false`) {
		t.Errorf("%d %s", code, body)
	}
}
