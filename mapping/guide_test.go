package mapping_test

import (
	"encoding/json"
	cmdline "flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/musterhq/muster/mapping"
	"github.com/musterhq/muster/scim/schema"
)

var update = cmdline.Bool("update", false, "write the guides of docs/idp and the golden files anew")

// golden compares text with a file, or writes it.
func golden(t *testing.T, name, text string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), text); diff != "" {
		t.Errorf("%s is not what is rendered; look at the difference, and run go test ./mapping -update if it is right (-file +rendered):\n%s", name, diff)
	}
}

// fieldsOf are the fields that the tags of T declare.
func fieldsOf[T any](t *testing.T, users schema.ResourceType) []mapping.FieldInfo {
	t.Helper()
	m, err := mapping.Of[T](schema.MustCompile(users))
	if err != nil {
		t.Fatal(err)
	}
	return m.Fields()
}

// harbour is the host of the guides in docs/idp.
func harbour(t *testing.T) mapping.Host {
	type account struct {
		Login   string `scim:"userName" label:"User name"`
		Given   string `scim:"name.givenName" label:"First name"`
		Last    string `scim:"name.familyName" label:"Last name"`
		Shown   string `scim:"displayName" label:"Name"`
		Mail    string `scim:"emails[type eq 'work'].value" label:"E-mail"`
		Mobile  string `scim:"phoneNumbers[type eq 'mobile'].value" label:"Mobile"`
		Title   string `scim:"title"`
		Active  bool   `scim:"active"`
		Foreign string `scim:"externalId"`
		Unit    string `scim:"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department" label:"Team"`
	}
	return mapping.Host{
		Name:     "Harbour",
		BaseURL:  "https://harbour.example/tenants/acme/scim/v2",
		Settings: "Settings › Provisioning in Harbour",
		Support:  "support@harbour.example",
		Fields:   fieldsOf[account](t, schema.User()),
		Roles:    []string{"owner", "admin", "member"},
		Groups:   mapping.GroupWays{Table: true, Convention: &mapping.GroupNames{Ceiling: "manager"}, AsRoles: true},
	}
}

func guide(t *testing.T, id string, host mapping.Host) *mapping.Guide {
	t.Helper()
	g, err := mapping.NewGuide(idp(t, id), host)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// preamble stands above the guides in docs/idp.
const preamble = `<!-- Rendered by go test ./mapping -update; edit mapping/templates. -->

%s

*This is what ` + "`mapping.NewGuide`" + ` writes for Harbour, an application that does not exist. [Here](README.md) is how yours shows
its customers the same with its own name, address and attributes.*
`

func TestDocsAreTheGuidesOfHarbour(t *testing.T) {
	t.Parallel()
	for _, id := range []string{"entra", "okta", "jumpcloud"} {
		title, text, _ := strings.Cut(guide(t, id, harbour(t)).Markdown(), "\n")
		golden(t, filepath.Join("..", "docs", "idp", id+".md"), fmt.Sprintf(preamble, title)+text)
	}
	golden(t, filepath.Join("..", "docs", "idp", "other.md"), otherGuides(t))
}

// otherGuides puts the guides of the other identity providers on one page, with
// what they have in common at its end, once.
func otherGuides(t *testing.T) string {
	common := guide(t, "generic", harbour(t))
	inCommon := map[string]bool{}
	section := func(g *mapping.Guide, id string) mapping.GuideSection {
		i := slices.IndexFunc(g.Sections, func(s mapping.GuideSection) bool { return s.ID == id })
		if i < 0 {
			t.Fatalf("the guide of %s has no section %s", g.IdP, id)
		}
		return g.Sections[i]
	}
	for line := range strings.Lines(section(common, "errors").Markdown) {
		inCommon[line] = true
	}
	var b strings.Builder
	fmt.Fprintf(&b, preamble, "# Harbour and other identity providers")
	needs := section(common, "needs")
	fmt.Fprintf(&b, "\n## %s\n\n%s", needs.Title, needs.Markdown)
	for _, id := range []string{"onelogin", "google", "pingone", "pingfederate", "authentik", "keycloak", "generic"} {
		p := idp(t, id)
		generalised := func(text string) string { return strings.ReplaceAll(text, p.Name, idp(t, "generic").Name) }
		if id == common.IdP {
			p.Name = "Any other"
		}
		fmt.Fprintf(&b, "\n## %s\n", p.Name)
		g := guide(t, id, harbour(t))
		for _, s := range g.Sections {
			text := strings.ReplaceAll(s.Markdown, "\n### ", "\n#### ")
			switch s.ID {
			case "setup", "attributes":
				fmt.Fprintf(&b, "\n### %s\n\n%s", s.Title, text)
			case "roles", "groups":
				if generalised(text) != section(common, s.ID).Markdown {
					fmt.Fprintf(&b, "\n### %s\n\n%s", s.Title, text)
				}
			case "errors":
				var own []string
				for line := range strings.Lines(text) {
					if strings.HasPrefix(line, "| ") && !inCommon[generalised(line)] {
						own = append(own, line)
					}
				}
				if len(own) > 0 {
					fmt.Fprintf(&b, "\n### %s\n\n| What you see | Why | What to do |\n|---|---|---|\n%s", s.Title, strings.Join(own, ""))
				}
			}
		}
	}
	for _, s := range common.Sections {
		if slices.Contains([]string{"roles", "groups", "rights", "check", "errors"}, s.ID) {
			fmt.Fprintf(&b, "\n## %s\n\n%s", s.Title, s.Markdown)
		}
	}
	return b.String()
}

// smallHost keeps a name and whether the account is active.
func smallHost(t *testing.T) mapping.Host {
	type account struct {
		ID      int64     `scim:"id"`
		Changed time.Time `scim:"meta.lastModified"`
		Login   string    `scim:"userName"`
		Given   string    `scim:"name.givenName"`
		Last    string    `scim:"name.familyName"`
		Active  bool      `scim:"active"`
		Extra   []byte    `scim:"*"`
	}
	return mapping.Host{Name: "Dinghy", BaseURL: "https://dinghy.example/scim", Fields: fieldsOf[account](t, schema.User())}
}

func TestASmallHostHasMuchToRemove(t *testing.T) {
	t.Parallel()
	g := guide(t, "entra", smallHost(t))
	taken := map[string]string{}
	for _, a := range g.Attributes {
		taken[a.Path] = a.Source
	}
	if diff := cmp.Diff(map[string]string{
		"userName": "userPrincipalName", "name.givenName": "givenName", "name.familyName": "surname",
		"active": `Switch([IsSoftDeleted], , "False", "True", "True", "False")`,
	}, taken); diff != "" {
		t.Errorf("attributes (-want +got):\n%s", diff)
	}
	// The default mappings of Entra ID without those four.
	want := []string{
		"name.formatted", "displayName", `emails[type eq "work"].value`,
		`phoneNumbers[type eq "work"].value`, `phoneNumbers[type eq "mobile"].value`, `phoneNumbers[type eq "fax"].value`,
		"title", "preferredLanguage", `addresses[type eq "work"].formatted`,
		`addresses[type eq "work"].streetAddress`, `addresses[type eq "work"].locality`, `addresses[type eq "work"].region`,
		`addresses[type eq "work"].postalCode`, `addresses[type eq "work"].country`, "externalId",
		enterprise + "employeeNumber", enterprise + "department", enterprise + "manager",
	}
	var got []string
	for _, a := range g.Remove {
		got = append(got, a.Path)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("to remove (-want +got):\n%s", diff)
	}
}

func TestGuidesOfASmallHostAreStable(t *testing.T) {
	t.Parallel()
	g := guide(t, "jumpcloud", smallHost(t))
	data, err := json.MarshalIndent(g, "", "\t")
	if err != nil {
		t.Fatal(err)
	}
	golden(t, filepath.Join("testdata", "guide", "small.json"), string(data)+"\n")
	golden(t, filepath.Join("testdata", "guide", "small.html"), string(g.HTML()))
}

func TestWhichFieldTakesWhatIsSent(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		field, sent string
		want        bool
	}{
		{"title", "title", true},
		{"title", "displayName", false},
		{"emails[type eq 'work'].value", `emails[type eq "work"].value`, true},
		{"emails[type eq 'home'].value", `emails[type eq "work"].value`, false},
		{"emails[type eq 'work' and primary eq true].value", `emails[type eq "work"].value`, true},
		{"emails[type eq 'work'].value", `emails[primary eq true].value`, false},
		{"emails[type eq 'work'].value", "emails.value", false},
		{"emails.value", `emails[type eq "other"].value`, true},
		{"emails[type eq 'work'].display", `emails[type eq "work"].value`, false},
		{"roles", "roles", true},
		{"roles[primary eq true].value", "roles", true},
		{"roles[primary eq true].value", "roles[primary eq false].value", false},
		{enterprise + "manager.value", enterprise + "manager", true},
		{enterprise + "department", enterprise + "division", false},
	} {
		host := smallHost(t)
		host.Fields = []mapping.FieldInfo{{Path: "userName"}, {Path: c.field}}
		p := mapping.IdP{ID: "x", Name: "X", Auth: []mapping.Auth{mapping.Bearer}}.With(
			mapping.IdPAttribute{Path: "userName", Source: "login", Default: true},
			mapping.IdPAttribute{Path: c.sent, Source: "sent", Default: true})
		g, err := mapping.NewGuide(p, host)
		if err != nil {
			t.Fatalf("%s, %s: %v", c.field, c.sent, err)
		}
		if got := len(g.Remove) == 0; got != c.want {
			t.Errorf("a field for %s takes %s: %t, want %t", c.field, c.sent, got, c.want)
		}
	}
}

func TestAHostWithAnExtensionOfItsOwn(t *testing.T) {
	t.Parallel()
	const urn = "urn:example:params:scim:schemas:harbour:2.0:User"
	users := schema.User()
	users.Extensions = []schema.Extension{{Schema: &schema.Schema{
		ID: urn, Name: "Harbour", Attributes: []schema.Attribute{{Name: "berth"}, {Name: "keyNumber"}},
	}}}
	type account struct {
		Login string `scim:"userName"`
		Berth string `scim:"urn:example:params:scim:schemas:harbour:2.0:User:berth" label:"Berth"`
		Key   string `scim:"urn:example:params:scim:schemas:harbour:2.0:User:keyNumber"`
	}
	host := mapping.Host{Name: "Harbour", BaseURL: "https://harbour.example/scim", Users: users, Fields: fieldsOf[account](t, users)}
	p := idp(t, "entra").With(mapping.IdPAttribute{Path: urn + ":berth", Source: "extensionAttribute1"})
	g, err := mapping.NewGuide(p, host)
	if err != nil {
		t.Fatal(err)
	}
	want := []mapping.GuideAttribute{
		{Path: urn + ":berth", Source: "extensionAttribute1", Label: "Berth"},
		{Path: urn + ":keyNumber", Label: "Key number"},
	}
	got := slices.Clone(g.Attributes[1:])
	for i := range got {
		got[i].Field = nil
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("attributes behind userName (-want +got):\n%s", diff)
	}
	if !slices.ContainsFunc(g.Remove, func(a mapping.GuideAttribute) bool { return a.Path == enterprise+"department" }) {
		t.Error("the type has no enterprise extension, and its attributes are not among those to remove")
	}
}

func TestReadOnlyIsRemovedAndOnceIsSaid(t *testing.T) {
	t.Parallel()
	type account struct {
		Login string `scim:"userName,writeonce"`
		Title string `scim:"title,readonly"`
		Nick  string `scim:"nickName,readonly"`
	}
	host := mapping.Host{Name: "Harbour", BaseURL: "https://harbour.example/scim", Fields: fieldsOf[account](t, schema.User())}
	g := guide(t, "entra", host)
	if len(g.Attributes) != 1 || !g.Attributes[0].WriteOnce || !g.Attributes[0].Required {
		t.Errorf("attributes: %+v, want userName alone, required and set once", g.Attributes)
	}
	i := slices.IndexFunc(g.Remove, func(a mapping.GuideAttribute) bool { return a.Path == "title" })
	if i < 0 || !g.Remove[i].ReadOnly {
		t.Errorf("title is not to be removed as read-only: %+v", g.Remove)
	}
	text := g.Markdown()
	for _, want := range []string{"required; set once: later changes are refused", "set by Harbour itself"} {
		if !strings.Contains(text, want) {
			t.Errorf("the guide does not say %q", want)
		}
	}
}

func TestAHostWithoutFieldsTakesEverything(t *testing.T) {
	t.Parallel()
	for _, p := range mapping.IdPs() {
		g := guide(t, p.ID, mapping.Host{Name: "Harbour", BaseURL: "https://harbour.example/scim"})
		if len(g.Remove) > 0 {
			t.Errorf("%s: to remove: %+v", p.ID, g.Remove)
		}
		if want := len(p.Attributes); want > 0 && len(g.Attributes) != want || want == 0 && len(g.Attributes) != len(standardSet) {
			t.Errorf("%s: %d attributes", p.ID, len(g.Attributes))
		}
		for _, a := range g.Attributes {
			if a.Label == "" {
				t.Errorf("%s: %s has no label", p.ID, a.Path)
			}
		}
	}
}

func TestSectionsFollowTheHost(t *testing.T) {
	t.Parallel()
	bare := mapping.Host{Name: "Harbour", BaseURL: "https://harbour.example/scim"}
	with := func(change func(*mapping.Host)) mapping.Host {
		h := bare
		change(&h)
		return h
	}
	for _, c := range []struct {
		name, idp string
		host      mapping.Host
		in, out   string
	}{
		{"no roles", "entra", bare, "they give no rights", "App roles"},
		{"roles", "entra", with(func(h *mapping.Host) { h.Roles = []string{"owner", "guest"} }), "`owner` and `guest`", ""},
		{"no table", "okta", bare, "Push Now", "which group gives which role"},
		{"table", "okta", with(func(h *mapping.Host) { h.Groups.Table = true }), "which group gives which role", "they give no rights"},
		{"names", "okta", with(func(h *mapping.Host) { h.Groups.Convention = &mapping.GroupNames{} }), "`ws-Sales-role-admin`", "Names give no role higher"},
		{"own names", "okta", with(func(h *mapping.Host) {
			h.Groups.Convention = &mapping.GroupNames{Prefix: "pt_", Separator: ".", Roles: []string{"boss", "hand"}, Ceiling: "hand"}
		}), "`pt_Sales.hand`", "boss"},
		{"groups as roles", "okta", with(func(h *mapping.Host) { h.Groups.AsRoles = true }), "a role of its own", "they give no rights"},
		{"token", "okta", bare, "**HTTP Header**", "Basic"},
		{"password", "okta", with(func(h *mapping.Host) { h.Auth = mapping.Basic }), "**Basic Auth**", "secret token"},
		{"no support", "okta", bare, "the people of Harbour", "Still stuck"},
		{"support", "okta", with(func(h *mapping.Host) { h.Support = "help@harbour.example" }), "Ask help@harbour.example.", ""},
		{"Google has no groups", "google", with(func(h *mapping.Host) { h.Groups.Table = true }), "Google sends users only", "which group gives which role"},
		{"default settings", "okta", bare, "the settings of Harbour", ""},
	} {
		text := guide(t, c.idp, c.host).Markdown()
		if !strings.Contains(text, c.in) {
			t.Errorf("%s: the guide does not say %q", c.name, c.in)
		}
		if c.out != "" && strings.Contains(text, c.out) {
			t.Errorf("%s: the guide says %q", c.name, c.out)
		}
	}
}

// What issue 7 wants the guides to tell.
func TestGuidesTellWhatAdminsAskFor(t *testing.T) {
	t.Parallel()
	for id, wants := range map[string][]string{
		"entra": {
			"Create your own application", "**Tenant URL**: `https://harbour.example/tenants/acme/scim/v2`", "**Secret Token**", "**Test Connection**",
			"**Provisioning Mode** to **Automatic**", "`Join(\" \", [givenName], [surname])`", "Sync only assigned users and groups",
			"`?aadOptscim062020`", "**Provision on demand**", "called `roles`, of the type **String**", "**Multi-Value**", "the value `group`",
			"`owner`, `admin` and `member`", "Quarantine", "401", "404", "409", "A user does not appear", "A group does not appear",
		},
		"okta": {
			"It has to be a SAML application", "**HTTP Header**", "**Create Users**", "**Update User Attributes**", "**Deactivate Users**",
			"**Find groups by name**", "**Find groups by rule**", "**Push Now**", "does **not** send the group",
			"`roles.^[primary==true].value`", "401", "404", "409", "A user does not appear", "A group does not appear",
		},
		"jumpcloud": {
			"**Test Connection**. JumpCloud creates a user with that address and a group", "**Activate**", "**Token Key**",
			"401", "404", "409", "A user does not appear", "A group does not appear",
		},
	} {
		text := guide(t, id, harbour(t)).Markdown()
		for _, want := range wants {
			if !strings.Contains(text, want) {
				t.Errorf("the guide of %s does not say %q", id, want)
			}
		}
	}
}

func TestAnIdPOfTheHostsOwnHasTheGeneralGuide(t *testing.T) {
	t.Parallel()
	p := mapping.IdP{ID: "../templates/okta", Name: "Quay", Auth: []mapping.Auth{mapping.Bearer}, Attributes: []mapping.IdPAttribute{
		{Path: "userName", Source: "login", Default: true},
	}}
	g, err := mapping.NewGuide(p, smallHost(t))
	if err != nil {
		t.Fatal(err)
	}
	text := g.Markdown()
	if !strings.Contains(text, "Look for the part of Quay that provisions users") || !strings.Contains(text, "| `login` | `userName` |") {
		t.Errorf("the guide:\n%s", text)
	}
}

func TestWhatAGuideCannotBeMadeOf(t *testing.T) {
	t.Parallel()
	good := mapping.Host{Name: "Harbour", BaseURL: "https://harbour.example/scim"}
	with := func(change func(*mapping.Host)) mapping.Host {
		h := good
		change(&h)
		return h
	}
	okta := idp(t, "okta")
	for _, c := range []struct {
		name string
		idp  mapping.IdP
		host mapping.Host
		want string
	}{
		{"no name", okta, with(func(h *mapping.Host) { h.Name = " " }), "Host.Name is empty"},
		{"no URL", okta, with(func(h *mapping.Host) { h.BaseURL = "" }), "Host.BaseURL"},
		{"path alone", okta, with(func(h *mapping.Host) { h.BaseURL = "/scim/v2" }), "Host.BaseURL"},
		{"script", okta, with(func(h *mapping.Host) { h.BaseURL = "javascript:alert(1)" }), "Host.BaseURL"},
		{"password in the URL", okta, with(func(h *mapping.Host) { h.BaseURL = "https://a:b@harbour.example/" }), "Host.BaseURL"},
		{"query", okta, with(func(h *mapping.Host) { h.BaseURL += "?a" }), "Host.BaseURL"},
		{"line break", okta, with(func(h *mapping.Host) { h.Settings = "a\nb" }), "control character"},
		{"line break in a label", okta, with(func(h *mapping.Host) { h.Fields = []mapping.FieldInfo{{Path: "title", Label: "a\nb"}} }), "control character"},
		{"ceiling", okta, with(func(h *mapping.Host) { h.Groups.Convention = &mapping.GroupNames{Ceiling: "boss"} }), "Ceiling"},
		{"auth", idp(t, "entra"), with(func(h *mapping.Host) { h.Auth = mapping.Basic }), "scim.AnyOf"},
		{"field", okta, with(func(h *mapping.Host) { h.Fields = []mapping.FieldInfo{{Path: "shoeSize"}} }), "shoeSize"},
		{"no fields", okta, with(func(h *mapping.Host) { h.Fields = []mapping.FieldInfo{} }), "Host.Fields is empty"},
		{"attribute", okta.With(mapping.IdPAttribute{Path: "shoeSize", Source: "user.shoe"}), good, "shoeSize"},
		{"source", okta.With(mapping.IdPAttribute{Path: "title", Source: "a\nb"}), good, "control character"},
		{"nameless", mapping.IdP{ID: "x", Auth: okta.Auth}, good, "IdP.ID or IdP.Name"},
		{"roles without the attribute", okta, with(func(h *mapping.Host) { h.Users, h.Roles = schema.Group(), []string{"a"} }), "Host.Roles"},
	} {
		_, err := mapping.NewGuide(c.idp, c.host)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want an error with %q", c.name, err, c.want)
		}
	}
}
