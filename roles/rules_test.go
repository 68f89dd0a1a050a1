package roles_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/musterhq/muster/roles"
)

// convention is settings with a convention alone.
func convention(c roles.Convention) roles.Settings { return roles.Settings{Convention: &c} }

func TestSettingsThatCannotBeReadBackAreRefused(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		s    roles.Settings
		want string
	}{
		{"a role twice", roles.Settings{Roles: []roles.Role{"a", "b", "A"}}, `"a" and "A" are the same`},
		{"an empty role", roles.Settings{Roles: []roles.Role{"a", ""}}, `"" is empty`},
		{"a role in spaces", roles.Settings{Roles: []roles.Role{" a"}}, `spaces around it`},
		{"a role that is no text", roles.Settings{Roles: []roles.Role{"\xff"}}, `not UTF-8`},
		{"no such policy", roles.Settings{Conflicts: 3}, "conflict policy 3"},
		{"an empty prefix", convention(roles.Convention{Prefixes: []string{"ws-", ""}}), "EmptyPrefix"},
		{"a prefix twice", convention(roles.Convention{Prefixes: []string{"ws-", "WS-"}}), `"WS-" stands twice`},
		{"a separator of space", convention(roles.Convention{Separator: " "}), "nothing but space"},
		{"a role of the convention that is none", convention(roles.Convention{Roles: []roles.Role{"boss"}}), `"boss" is none`},
		{"a role of the convention twice", convention(roles.Convention{Roles: []roles.Role{"admin", "Admin"}}), `"Admin" stands twice`},
		{"a ceiling that is no role", convention(roles.Convention{Ceiling: "boss"}), `ceiling "boss"`},
		{"a role that contains the separator", roles.Settings{Roles: []roles.Role{"super.admin"}, Convention: &roles.Convention{Separator: "."}}, "cannot be told from the separator"},
		{"a role that contains it but for case", roles.Settings{Roles: []roles.Role{"sXy"}, Convention: &roles.Convention{Separator: "x"}}, "cannot be told from the separator"},
		{"a role that goes on with it", roles.Settings{Roles: []roles.Role{"role-x"}, Convention: &roles.Convention{}}, "cannot be told from the separator"},
		{"an organisation role twice", roles.Settings{Organisation: &roles.Organisation{Roles: []roles.Role{"a", "a"}}}, "are the same"},
		{"a default that is no role", roles.Settings{Organisation: &roles.Organisation{Default: "boss"}}, `default "boss"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if _, err := roles.NewRules(c.s); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("NewRules: %v, want %q", err, c.want)
			}
		})
	}
}

func TestEveryProblemOfSettingsIsNamed(t *testing.T) {
	t.Parallel()
	_, err := roles.NewRules(roles.Settings{Conflicts: 9, Roles: []roles.Role{""}, Convention: &roles.Convention{Prefixes: []string{""}}})
	if n := strings.Count(err.Error(), "\n"); n != 2 {
		t.Errorf("%d lines, want one for each of 3 problems: %v", n+1, err)
	}
}

func TestSettingsAreFilledInAndKeptAsJSON(t *testing.T) {
	t.Parallel()
	given := roles.Settings{Conflicts: roles.Reject, Convention: &roles.Convention{Ceiling: "MANAGER"}, Organisation: &roles.Organisation{Default: "ADMIN"}}
	rules, err := roles.NewRules(given)
	if err != nil {
		t.Fatal(err)
	}
	want := roles.Settings{
		Roles: []roles.Role{"admin", "manager", "member"}, Conflicts: roles.Reject,
		Convention: &roles.Convention{
			Prefixes: []string{"ws-"}, Separator: "-role-", Roles: []roles.Role{"admin", "manager", "member"}, Ceiling: "manager",
		},
		Organisation: &roles.Organisation{
			Roles: []roles.Role{"owner", "admin", "member"}, Default: "admin",
			Ignore: []string{"group", "user", "msiam_access", "Default Access"},
		},
	}
	if diff := gocmp.Diff(want, rules.Settings()); diff != "" {
		t.Errorf("settings (-want +got):\n%s", diff)
	}
	text, err := json.Marshal(rules.Settings())
	if err != nil {
		t.Fatal(err)
	}
	var back roles.Settings
	if err := json.Unmarshal(text, &back); err != nil {
		t.Fatal(err)
	}
	if diff := gocmp.Diff(want, back); diff != "" {
		t.Errorf("through JSON (-want +got):\n%s", diff)
	}
	if given.Convention.Prefixes != nil {
		t.Error("NewRules changed its argument")
	}
	rules.Settings().Convention.Prefixes[0] = "x"
	if rules.Settings().Convention.Prefixes[0] != "ws-" {
		t.Error("what Settings returns is not a copy")
	}
}

func TestWordsThatAreNoneAreRefused(t *testing.T) {
	t.Parallel()
	var s roles.Settings
	if err := json.Unmarshal([]byte(`{"conflicts":"first"}`), &s); err == nil {
		t.Error("a policy that does not exist was read")
	}
	var scope roles.Scope
	if err := json.Unmarshal([]byte(`{"kind":"planet"}`), &scope); err == nil {
		t.Error("a scope that does not exist was read")
	}
	if _, err := json.Marshal(roles.Scope{Kind: 9}); err == nil {
		t.Error("a scope that does not exist was written")
	}
}

func TestRolesCompareByTheirOrder(t *testing.T) {
	t.Parallel()
	rules := mustRules(t, roles.Settings{Organisation: &roles.Organisation{}})
	for _, c := range []struct {
		kind roles.ScopeKind
		a, b roles.Role
		want int
	}{
		{roles.InWorkspace, "admin", "manager", +1},
		{roles.InWorkspace, "member", "manager", -1},
		{roles.InWorkspace, "Admin", "admin", 0},
		{roles.InWorkspace, "member", "", +1},
		{roles.InWorkspace, "boss", "member", -1},
		{roles.InWorkspace, "boss", "", 0},
		{roles.InOrganisation, "owner", "admin", +1},
		{roles.AsGroup, "owner", "admin", 0},
	} {
		if got := rules.Compare(c.kind, c.a, c.b); (got > 0) != (c.want > 0) || (got < 0) != (c.want < 0) {
			t.Errorf("Compare(%v, %q, %q) is %d, want the sign of %d", c.kind, c.a, c.b, got, c.want)
		}
	}
	if h := rules.Highest(roles.InWorkspace); h != "admin" {
		t.Errorf("the highest is %q", h)
	}
	if h := rules.Highest(roles.AsGroup); h != "" {
		t.Errorf("groups as roles have a highest one: %q", h)
	}
	if r, ok := rules.Role(roles.InOrganisation, "OWNER"); r != "owner" || !ok {
		t.Errorf("OWNER is %q, %v", r, ok)
	}
}

func mustRules(t testing.TB, s roles.Settings) *roles.Rules {
	t.Helper()
	r, err := roles.NewRules(s)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestRowsAreCheckedAgainstThoseOfTheirGroup(t *testing.T) {
	t.Parallel()
	w, v, org := roles.Workspace("W"), roles.Workspace("V"), roles.TheOrganisation()
	row := func(id string, s roles.Scope, r roles.Role) roles.Row {
		return roles.Row{ID: id, Group: "G", Scope: s, Role: r}
	}
	gone := row("r1", w, "admin")
	gone.Archived = day
	one := roles.Settings{Table: true, Organisation: &roles.Organisation{FromTable: true}}
	many := roles.Settings{Table: true, ManyRoles: true}
	noOrg := roles.Settings{Table: true, Organisation: &roles.Organisation{}}
	for _, c := range []struct {
		name     string
		settings roles.Settings
		row      roles.Row
		existing []roles.Row
		want     string // "new", the id of the same row, "invalid", or "other" and the id of a row
	}{
		{"the first row", one, row("", w, "admin"), nil, "new"},
		{"the role's case does not matter", one, row("", w, "ADMIN"), nil, "new"},
		{"a row that exists", one, row("", w, "Admin"), []roles.Row{row("r0", v, "admin"), row("r1", w, "admin")}, "r1"},
		{"another workspace", one, row("", v, "admin"), []roles.Row{row("r1", w, "admin")}, "new"},
		{"another role elsewhere", one, row("", v, "member"), []roles.Row{row("r1", w, "admin")}, "other r1"},
		{"another role elsewhere, allowed", many, row("", v, "member"), []roles.Row{row("r1", w, "admin")}, "new"},
		{"another role in the same workspace", many, row("", w, "member"), []roles.Row{row("r1", w, "admin")}, "other r1"},
		{"archived rows do not count", one, row("", w, "member"), []roles.Row{gone}, "new"},
		{"organisation roles are apart", one, row("", org, "owner"), []roles.Row{row("r1", w, "member")}, "new"},
		{"another organisation role", one, row("", org, "owner"), []roles.Row{row("r1", org, "admin")}, "other r1"},
		{"organisation roles are off for rows", noOrg, row("", org, "owner"), nil, "invalid"},
		{"an unknown role", one, row("", w, "owner"), nil, "invalid"},
		{"no role", one, row("", w, ""), nil, "invalid"},
		{"no workspace", one, row("", roles.Workspace(""), "admin"), nil, "invalid"},
		{"a group as scope", one, row("", roles.GroupRole("G"), "admin"), nil, "invalid"},
		{"no group", one, roles.Row{Scope: w, Role: "admin"}, nil, "invalid"},
		{"by name", one, roles.Row{Name: "Ops", Scope: w, Role: "admin"}, nil, "new"},
		{"the table is off", roles.Settings{}, row("", w, "admin"), nil, "invalid"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			same, err := mustRules(t, c.settings).CheckRow(c.row, c.existing)
			got := "new"
			var other *roles.OtherRoleError
			switch {
			case errors.As(err, &other):
				got = "other " + other.Existing.ID
				if !strings.Contains(err.Error(), string(other.Existing.Role)) {
					t.Errorf("the error does not name the role that is there: %v", err)
				}
			case errors.Is(err, roles.ErrInvalidRow):
				got = "invalid"
			case err != nil:
				got = err.Error()
			case same != nil:
				got = same.ID
			}
			if got != c.want {
				t.Errorf("got %s, want %s (%v)", got, c.want, err)
			}
		})
	}
}

func TestMatchGivesThePartsOfAName(t *testing.T) {
	t.Parallel()
	rules := mustRules(t, convention(roles.Convention{Ceiling: "manager"}))
	for name, want := range map[string]roles.Match{
		"ws-Sales-role-manager":       {Workspace: "Sales", Key: "sales", Role: "manager"},
		"WS- Größe Ä -ROLE-Member":    {Workspace: "Größe Ä", Key: "größe ä", Role: "member"},
		"ws-Sales-role-admin":         {Workspace: "Sales", Key: "sales", Role: "admin", Reason: roles.AboveCeiling},
		"ws-Sales-role-manager\u200d": {Reason: roles.LookAlike, Char: '\u200d'},
		"\ufeffws-Sales-role-manager": {Reason: roles.LookAlike, Char: '\ufeff'},
		"":                            {Reason: roles.NoPrefix},
		"ws-":                         {Reason: roles.NoSeparator},
		"ws-\xff-role-member":         {Workspace: "\xff", Key: "\xff", Role: "member"},
	} {
		if got := rules.Match(name); got != want {
			t.Errorf("Match(%q) is %+v, want %+v", name, got, want)
		}
	}
	if got := mustRules(t, roles.Settings{}).Match("ws-Sales-role-admin"); got.Reason != roles.NoRow {
		t.Errorf("without a convention the name was read: %+v", got)
	}
}
