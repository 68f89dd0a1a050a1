package roles_test

import (
	"fmt"

	"github.com/musterhq/muster/roles"
)

// What does the name of a group mean?
func ExampleRules_Match() {
	rules, err := roles.NewRules(roles.Settings{Convention: &roles.Convention{Ceiling: "manager"}})
	if err != nil {
		panic(err)
	}
	for _, name := range []string{"ws-Sales-role-member", "ws-Sales-role-admin", "Everybody", "ws–Sales–role–member"} {
		m := rules.Match(name)
		switch m.Reason {
		case "":
			fmt.Printf("%s: %s in %s\n", name, m.Role, m.Workspace)
		case roles.LookAlike:
			fmt.Printf("%s: %s %U\n", name, m.Reason, m.Char)
		default:
			fmt.Printf("%s: %s\n", name, m.Reason)
		}
	}
	// Output:
	// ws-Sales-role-member: member in Sales
	// ws-Sales-role-admin: above the ceiling
	// Everybody: no prefix
	// ws–Sales–role–member: look-alike character U+2013
}

// What has to change at the host when a user is in other groups than before?
func ExampleDiff() {
	rules, err := roles.NewRules(roles.Settings{Table: true})
	if err != nil {
		panic(err)
	}
	table := roles.NewTable([]roles.Row{
		{ID: "r1", Group: "g-ops", Scope: roles.Workspace("w-17"), Role: "admin"},
		{ID: "r2", Group: "g-all", Scope: roles.Workspace("w-17"), Role: "member"},
		{ID: "r3", Group: "g-fin", Scope: roles.Workspace("w-18"), Role: "member"},
	})
	var applied []roles.Assignment
	for _, groups := range [][]roles.Group{
		{{ID: "g-all", Name: "Everybody"}},
		{{ID: "g-all", Name: "Everybody"}, {ID: "g-ops", Name: "Operations"}},
		{{ID: "g-fin", Name: "Finance"}},
	} {
		user := roles.User{ID: "ada", Active: true, Groups: groups}
		changes := roles.Diff(applied, rules.Resolve(user, table, roles.Workspaces{}).Assignments, nil)
		for _, c := range changes {
			fmt.Printf("%s in %s: %q to %q\n", c.User, c.Scope.ID, c.From, c.To)
		}
		applied = roles.Apply(applied, changes)
		fmt.Println("--")
	}
	// Output:
	// ada in w-17: "" to "member"
	// --
	// ada in w-17: "member" to "admin"
	// --
	// ada in w-17: "admin" to ""
	// ada in w-18: "" to "member"
	// --
}
