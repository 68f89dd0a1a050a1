package roles_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/musterhq/muster/roles"
	"github.com/musterhq/muster/scim"
	"github.com/musterhq/muster/scim/dialect"
	"github.com/musterhq/muster/scim/schema"
	"github.com/musterhq/muster/storage"
	"github.com/musterhq/muster/storage/memory"
)

// What Entra ID sends, and the organisation role that comes of it.
func TestDemotionByJSONTextArrives(t *testing.T) {
	t.Parallel()
	const (
		post   = `"roles":[{"primary":true,"type":"WindowsAzureActiveDirectoryRole","value":"Owner"}]`
		member = `{"op":"Add","path":"roles","value":[{"value":"{\"id\":\"1\",\"value\":\"Member\",\"displayName\":\"Member\"}"}]}`
		admin  = `{"op":"Add","path":"roles","value":[{"value":"{\"id\":\"2\",\"value\":\"Admin\",\"displayName\":\"Admin\"}"}]}`
		plain  = `{"op":"Add","path":"roles","value":[{"value":"member"}]}`
	)
	for _, c := range []struct {
		name     string
		patches  []string
		want     roles.Role
		reported int
	}{
		{"a demotion arrives", []string{member}, "member", 1},
		{"a promotion and a demotion arrive", []string{admin, member}, "member", 2},
		{"several adds of one request are one list", []string{member + "," + admin}, "admin", 1},
		{"an admin is told from an earlier one", []string{admin, plain}, "admin", 1},
		{"a plain add adds", []string{plain}, "owner", 0},
		{"behind a remove an add is an add", []string{`{"op":"Remove","path":"roles"},` + member}, "member", 0},
		{"other attributes are left alone", []string{`{"op":"Replace","path":"displayName","value":"Ada"}`}, "owner", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			reported := 0
			srv, err := scim.New(memory.New(), scim.BearerToken("t"), scim.WithReport(func(_ context.Context, r scim.Report) {
				if slices.Contains(r.Rules, dialect.RoleJSONReplaces) {
					reported++
				}
			}))
			if err != nil {
				t.Fatal(err)
			}
			id := send(t, srv, "POST", "/Users", `{"schemas":["`+schema.UserURN+`"],"userName":"ada",`+post+`}`)
			for _, p := range c.patches {
				send(t, srv, "PATCH", "/Users/"+id, `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[`+p+`]}`)
			}
			entry, err := srv.Directory().Get(t.Context(), "", storage.Ref{Type: "User", ID: id})
			if err != nil {
				t.Fatal(err)
			}
			rules, err := roles.NewRules(roles.Settings{Organisation: &roles.Organisation{}})
			if err != nil {
				t.Fatal(err)
			}
			u := roles.User{ID: id, Active: true, Roles: roles.RoleValues(entry.Resource)}
			res := rules.Resolve(u, nil, roles.Workspaces{})
			if got := res.Assignments[0].Role; got != c.want || reported != c.reported {
				t.Errorf("the role is %q, reported %d times; want %q, %d", got, reported, c.want, c.reported)
			}
		})
	}
}

// send sends a request that must succeed, and returns the id in the answer.
func send(t *testing.T, h http.Handler, method, path, body string) string {
	t.Helper()
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer t")
	r.Header.Set("Content-Type", "application/scim+json")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	var answer struct{ ID string }
	if w.Code >= 300 {
		t.Fatalf("%s %s: %d %s", method, path, w.Code, w.Body)
	}
	if w.Body.Len() > 0 {
		if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil {
			t.Fatal(err)
		}
	}
	return answer.ID
}
