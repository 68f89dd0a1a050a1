package mapping_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/musterhq/muster/mapping"
	"github.com/musterhq/muster/scim/schema"
)

// standardSet is what the tables are to know of: issue 6 names it.
var standardSet = []string{
	"userName", "name.givenName", "name.familyName", `emails[type eq "work"].value`,
	`phoneNumbers[type eq "mobile"].value`, `phoneNumbers[type eq "work"].value`, "title",
	`addresses[type eq "work"].streetAddress`, `addresses[type eq "work"].locality`, `addresses[type eq "work"].region`,
	`addresses[type eq "work"].postalCode`, `addresses[type eq "work"].country`,
	"active", "displayName", "externalId", "roles",
	enterprise + "employeeNumber", enterprise + "costCenter", enterprise + "organization", enterprise + "division",
	enterprise + "department", enterprise + "manager",
}

const enterprise = schema.EnterpriseUserURN + ":"

func idp(t *testing.T, id string) mapping.IdP {
	t.Helper()
	p, ok := mapping.FindIdP(id)
	if !ok {
		t.Fatalf("there is no identity provider %q", id)
	}
	return p
}

func TestTablesNameAttributesThatExist(t *testing.T) {
	t.Parallel()
	user := schema.MustCompile(schema.User())
	ids := map[string]bool{}
	for _, p := range mapping.IdPs() {
		if p.Name == "" || len(p.Auth) == 0 || ids[p.ID] {
			t.Errorf("%s: no name, no way to authenticate, or there twice", p.ID)
		}
		ids[p.ID] = true
		seen := map[string]bool{}
		for _, a := range p.Attributes {
			target, err := mapping.ParsePath(user, a.Path)
			switch {
			case err != nil:
				t.Errorf("%s: %s: %v", p.ID, a.Path, err)
			case target.String() != a.Path:
				t.Errorf("%s: %s is canonically %s", p.ID, a.Path, target)
			case target.Attr.ReadOnly():
				t.Errorf("%s: nobody can set %s", p.ID, a.Path)
			case seen[a.Path]:
				t.Errorf("%s: %s is there twice", p.ID, a.Path)
			case strings.TrimSpace(a.Source) != a.Source || a.Source == "":
				t.Errorf("%s: %s has the source %q", p.ID, a.Path, a.Source)
			case strings.HasSuffix(a.Note, "."):
				t.Errorf("%s: the note of %s ends in a full stop", p.ID, a.Path)
			case a.Fixed && !a.Default:
				t.Errorf("%s: %s cannot be taken out and is not there", p.ID, a.Path)
			}
			seen[a.Path] = true
		}
	}
	for _, id := range []string{"okta", "jumpcloud", "entra", "onelogin", "google", "pingone", "pingfederate", "authentik", "keycloak", "generic"} {
		if !ids[id] {
			t.Errorf("there is no table of %s", id)
		}
	}
}

func TestEntraAndOktaFeedTheStandardSet(t *testing.T) {
	t.Parallel()
	for _, id := range []string{"entra", "okta"} {
		p := idp(t, id)
		for _, path := range standardSet {
			if !slices.ContainsFunc(p.Attributes, func(a mapping.IdPAttribute) bool { return strings.HasPrefix(a.Path, path) }) {
				t.Errorf("%s: nothing feeds %s", id, path)
			}
		}
	}
}

// The sources are those of Microsoft's documentation of the default mappings and of
// Okta's user profile.
func TestSourcesAreCalledAsInTheConsole(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ idp, path, source string }{
		{"entra", "userName", "userPrincipalName"},
		{"entra", "name.familyName", "surname"},
		{"entra", `emails[type eq "work"].value`, "mail"},
		{"entra", `phoneNumbers[type eq "mobile"].value`, "mobile"},
		{"entra", "title", "jobTitle"},
		{"entra", "active", `Switch([IsSoftDeleted], , "False", "True", "True", "False")`},
		{"entra", "roles", "AssertiveAppRoleAssignmentsComplex([appRoleAssignments])"},
		{"okta", "userName", "user.login"},
		{"okta", "name.givenName", "user.firstName"},
		{"jumpcloud", "name.familyName", "lastname"},
		{"onelogin", `emails[type eq "work"].value`, "{$user.email}"},
		{"authentik", `emails[type eq "other"].value`, "request.user.email"},
	} {
		p := idp(t, c.idp)
		i := slices.IndexFunc(p.Attributes, func(a mapping.IdPAttribute) bool { return a.Path == c.path })
		if i < 0 || p.Attributes[i].Source != c.source || p.Attributes[i].Uncertain {
			t.Errorf("%s: %s is not fed by %s for certain", c.idp, c.path, c.source)
		}
	}
}

func TestWithReplacesAddsAndTakesOut(t *testing.T) {
	t.Parallel()
	entra := idp(t, "entra")
	before := len(entra.Attributes)
	changed := entra.With(
		mapping.IdPAttribute{Path: "username", Source: "mail"},
		mapping.IdPAttribute{Path: "emails[type eq 'work'].value"},
		mapping.IdPAttribute{Path: "nickName", Source: "mailNickname"},
		mapping.IdPAttribute{Path: "timezone"},
	)
	if diff := cmp.Diff(idp(t, "entra"), entra); diff != "" {
		t.Errorf("the original has changed: %s", diff)
	}
	if len(changed.Attributes) != before {
		t.Errorf("%d attributes, want %d: one less, one more", len(changed.Attributes), before)
	}
	if got := changed.Attributes[0].Source; got != "mail" {
		t.Errorf("userName is fed by %q", got)
	}
	for _, a := range changed.Attributes {
		if strings.HasPrefix(a.Path, "emails") || a.Path == "timezone" {
			t.Errorf("%s is still there", a.Path)
		}
	}
}

func TestUnknownIdPIsNotFound(t *testing.T) {
	t.Parallel()
	for _, id := range []string{"", "Entra", "../entra", "guide"} {
		if _, ok := mapping.FindIdP(id); ok {
			t.Errorf("%q is found", id)
		}
	}
}

// OneLogin sends what its template says, so the template of the guide is to hold
// what the table calls a default, from the same sources.
func TestTemplateOfOneLoginIsTheTable(t *testing.T) {
	t.Parallel()
	g := guide(t, "onelogin", harbour(t))
	_, text, _ := strings.Cut(g.Markdown(), "```json\n")
	text, _, _ = strings.Cut(text, "```")
	var template map[string]any
	if err := json.Unmarshal([]byte(text), &template); err != nil {
		t.Fatal(err)
	}
	extension := template[schema.EnterpriseUserURN].(map[string]any)
	work := template["emails"].([]any)[0].(map[string]any)
	name := template["name"].(map[string]any)
	got := map[string]any{
		"userName":        template["userName"],
		"name.givenName":  name["givenName"],
		"name.familyName": name["familyName"],
		"name.formatted":  name["formatted"],
		`emails[type eq "` + work["type"].(string) + `"].value`: work["value"],
		"title":                      template["title"],
		enterprise + "department":    extension["department"],
		enterprise + "manager.value": extension["manager"].(map[string]any)["value"],
	}
	want := map[string]any{}
	for _, a := range idp(t, "onelogin").Attributes {
		if a.Default {
			want[a.Path] = a.Source
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("table and template differ (-table +template):\n%s", diff)
	}
}
