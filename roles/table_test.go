package roles_test

import (
	"testing"

	"github.com/musterhq/muster/roles"
)

func TestRowsWaitForANameOfOneConnection(t *testing.T) {
	t.Parallel()
	w := roles.Workspace("W")
	table := roles.NewTable([]roles.Row{
		{ID: "r2", Connection: "okta", Name: "Finance", Scope: w, Role: "admin"},
		{ID: "r1", Connection: "okta", Name: "FINANCE", Scope: w, Role: "admin"},
		{ID: "r3", Connection: "entra", Name: "Finance", Scope: w, Role: "admin"},
		{ID: "r4", Connection: "okta", Name: "Finance", Group: "G", Scope: w, Role: "admin"},
		{ID: "r6", Group: "G", Scope: w, Role: "member", Archived: day, Because: roles.RowRemoved},
		{ID: "r5", Connection: "okta", Name: "Finance", Scope: w, Role: "admin", Archived: day, Because: roles.RowRemoved},
	})
	if got := ids(table.Waiting("okta", "finance")); got != "r1 r2 " {
		t.Errorf("waiting: %s", got)
	}
	if got := ids(table.Waiting("google", "Finance")); got != "" {
		t.Errorf("waiting for another connection: %s", got)
	}
	if got := ids(table.Of("G")); got != "r4 " {
		t.Errorf("rows of G: %s", got)
	}
	if table.FormerlyMapped("G") {
		t.Error("a group with a row in force was formerly mapped")
	}
	if table.FormerlyMapped("") {
		t.Error("a row that waited and was removed concerns no group")
	}
}

func TestOffersAreForTheSameNameAndConnection(t *testing.T) {
	t.Parallel()
	table := roles.NewTable([]roles.Row{
		{ID: "r1", Group: "G", Connection: "okta", Name: "Ops", Scope: roles.Workspace("W"), Role: "admin", Archived: day, Because: roles.GroupDeleted},
		{ID: "r2", Group: "G", Connection: "okta", Name: "Ops", Scope: roles.Workspace("V"), Role: "admin", Archived: day, Because: roles.RowRemoved},
		{ID: "r3", Group: "K", Connection: "okta", Name: "Other", Scope: roles.Workspace("V"), Role: "admin"},
	})
	for _, c := range []struct {
		g    roles.Group
		want string
	}{
		{roles.Group{ID: "H", Name: "OPS", Connection: "okta"}, "r1 "},
		{roles.Group{ID: "H", Name: "Ops", Connection: "entra"}, ""},
		{roles.Group{ID: "H", Name: "Dev", Connection: "okta"}, ""},
		{roles.Group{ID: "K", Name: "Ops", Connection: "okta"}, ""}, // has a row
		{roles.Group{ID: "G", Name: "Ops", Connection: "okta"}, ""}, // is the one, brought back: formerly mapped
	} {
		if got := ids(table.Offers(c.g)); got != c.want {
			t.Errorf("offers to %+v: %q, want %q", c.g, got, c.want)
		}
	}
	var none *roles.Table
	if none.Of("G") != nil || none.FormerlyMapped("G") || none.Waiting("", "") != nil || none.Offers(roles.Group{}) != nil {
		t.Error("a nil table has rows")
	}
}

func ids(rows []roles.Row) (s string) {
	for _, r := range rows {
		s += r.ID + " "
	}
	return s
}
