package roles_test

import (
	"fmt"
	"testing"

	"github.com/musterhq/muster/roles"
)

// BenchmarkResolve resolves one user with 50 groups, half of them mapped by rows
// and half by their names, over tables of different sizes: the time must not grow
// with the table.
func BenchmarkResolve(b *testing.B) {
	for _, size := range []int{100, 10_000, 1_000_000} {
		b.Run(fmt.Sprintf("rows=%d", size), func(b *testing.B) {
			rules, u, table, spaces := fiftyGroups(b, size)
			b.ReportAllocs()
			for b.Loop() {
				if res := rules.Resolve(u, table, spaces); len(res.Assignments) != 50 {
					b.Fatal(len(res.Assignments))
				}
			}
		})
	}
}

// BenchmarkDiff compares 50 assignments with themselves, which is what a full
// reconciliation does for nearly every user.
func BenchmarkDiff(b *testing.B) {
	rules, u, table, spaces := fiftyGroups(b, 100)
	list := rules.Resolve(u, table, spaces).Assignments
	b.ReportAllocs()
	for b.Loop() {
		if c := roles.Diff(list, list, nil); len(c) > 0 {
			b.Fatal(c)
		}
	}
}

// BenchmarkMatch reads a name that matches, one of another kind, and one with
// look-alikes.
func BenchmarkMatch(b *testing.B) {
	rules := mustRules(b, convention(roles.Convention{}))
	for _, name := range []string{"ws-Sales-role-admin", "Everybody in Sales", "ws–Sales–role–admin"} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				rules.Match(name)
			}
		})
	}
}

// fiftyGroups is a user with 50 groups, and a table of a size with the rows of half
// of them.
func fiftyGroups(tb testing.TB, size int) (*roles.Rules, roles.User, *roles.Table, roles.Workspaces) {
	rules := mustRules(tb, roles.Settings{Table: true, Convention: &roles.Convention{}})
	rows := make([]roles.Row, size)
	for i := range rows {
		rows[i] = roles.Row{ID: fmt.Sprintf("r%07d", i), Group: fmt.Sprint("g", i), Scope: roles.Workspace(fmt.Sprint("w", i)), Role: "member"}
	}
	u := roles.User{ID: "u", Active: true}
	spaces := roles.Workspaces{Bound: map[string]string{}}
	for i := range 25 {
		u.Groups = append(u.Groups, roles.Group{ID: fmt.Sprint("g", i*size/25), Name: fmt.Sprint("Group ", i)})
		u.Groups = append(u.Groups, roles.Group{ID: fmt.Sprint("n", i), Name: fmt.Sprintf("ws-Space %d-role-admin", i)})
		spaces.Bound[fmt.Sprint("space ", i)] = fmt.Sprint("s", i)
	}
	return rules, u, roles.NewTable(rows), spaces
}
