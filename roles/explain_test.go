package roles_test

import (
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/musterhq/muster/roles"
)

func TestExplainSaysWhyOrWhyNot(t *testing.T) {
	t.Parallel()
	rules := mustRules(t, roles.Settings{Table: true, Convention: &roles.Convention{Ceiling: "manager"}, Conflicts: roles.Reject})
	g := func(id, name string) roles.Group { return roles.Group{ID: id, Name: name} }
	a, b, c, d := g("A", "Ops"), g("B", "Dev"), g("C", "ws-Sales-role-admin"), g("D", "ws-New-role-member")
	w := roles.Workspace("W")
	table := roles.NewTable([]roles.Row{{ID: "r1", Group: "A", Scope: w, Role: "member"}, {ID: "r2", Group: "B", Scope: w, Role: "admin"}})
	byRow := func(g roles.Group, row string, r roles.Role) roles.Cause {
		return roles.Cause{Way: roles.ByTable, Role: r, Group: g.ID, Name: g.Name, Row: row}
	}
	waiting := []roles.Unmatched{{Group: c, Reason: roles.AboveCeiling, Role: "admin", Workspace: "Sales"}}
	pending := []roles.Pending{{Name: "New", Key: "new", Cause: roles.Cause{Way: roles.ByConvention, Role: "member", Group: "D", Name: d.Name}}}
	for _, x := range []struct {
		name          string
		user          roles.User
		applied, held []roles.Assignment
		want          roles.Explanation
	}{
		{"by a row, with groups that give nothing", roles.User{ID: "u", Active: true, Groups: []roles.Group{a, c, d}}, nil, nil,
			roles.Explanation{User: "u", Scope: w, Role: "member", Causes: []roles.Cause{byRow(a, "r1", "member")}, Unmatched: waiting, Pending: pending}},
		{"none because of a conflict", roles.User{ID: "u", Active: true, Groups: []roles.Group{a, b}},
			[]roles.Assignment{{User: "u", Scope: w, Role: "member"}}, nil,
			roles.Explanation{User: "u", Scope: w, Applied: "member", Conflict: true, Causes: []roles.Cause{byRow(b, "r2", "admin"), byRow(a, "r1", "member")}}},
		{"both are named when the host gave one itself", roles.User{ID: "u", Active: true, Groups: []roles.Group{a}}, nil,
			[]roles.Assignment{{User: "u", Scope: roles.Workspace("V"), Role: "manager"}, {User: "u", Scope: w, Role: "admin"}},
			roles.Explanation{User: "u", Scope: w, Role: "member", Held: "admin", Causes: []roles.Cause{byRow(a, "r1", "member")}}},
		{"none because inactive", roles.User{ID: "u", Groups: []roles.Group{a}}, nil, nil,
			roles.Explanation{User: "u", Scope: w, Inactive: true}},
	} {
		t.Run(x.name, func(t *testing.T) {
			t.Parallel()
			got := rules.Explain(x.user, w, table, roles.Workspaces{}, x.applied, x.held)
			if diff := gocmp.Diff(x.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestANestedGroupIsNamedWithTheWayToIt(t *testing.T) {
	t.Parallel()
	rules := mustRules(t, roles.Settings{Table: true})
	w := roles.Workspace("W")
	table := roles.NewTable([]roles.Row{{ID: "r1", Group: "A", Scope: w, Role: "admin"}})
	u := roles.User{ID: "u", Active: true, Groups: []roles.Group{{ID: "A", Name: "Ops", Via: "Z"}, {ID: "A", Name: "Ops", Via: "B"}}}
	if got := rules.Resolve(u, table, roles.Workspaces{}).Assignments; len(got) != 1 || len(got[0].Causes) != 1 || got[0].Causes[0].Via != "B" {
		t.Errorf("%+v", got)
	}
	u.Groups = append(u.Groups, roles.Group{ID: "A", Name: "Ops"})
	if got := rules.Resolve(u, table, roles.Workspaces{}).Assignments; len(got) != 1 || got[0].Causes[0].Via != "" {
		t.Errorf("the direct membership is not the one that is named: %+v", got)
	}
}
