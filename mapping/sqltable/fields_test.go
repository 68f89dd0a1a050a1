package sqltable_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/musterhq/muster/mapping"
	"github.com/musterhq/muster/mapping/sqltable"
)

func TestAGuideShowsTheColumns(t *testing.T) {
	t.Parallel()
	table := users()
	table.Columns["name.familyName"] = sqltable.Column{Name: "last_name", Label: "Last Name"}
	table.Columns["title"] = sqltable.Column{Name: "job", ReadOnly: true}
	h := newHandler(t, sqliteDatabase(t).seed(), table)
	entra, _ := mapping.FindIdP("entra")
	if _, err := mapping.NewGuide(entra, mapping.Host{Name: "Harbour", BaseURL: "https://harbour.example/scim", Fields: h.Fields()}); err == nil {
		t.Error("there is a guide before anybody knows what the columns hold")
	}
	newServer(t, h, nil)
	g, err := mapping.NewGuide(entra, mapping.Host{Name: "Harbour", BaseURL: "https://harbour.example/scim", Fields: h.Fields()})
	if err != nil {
		t.Fatal(err)
	}
	const number = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:employeeNumber"
	var got []string
	for _, a := range g.Attributes {
		got = append(got, a.Path+": "+a.Label)
	}
	if diff := cmp.Diff([]string{
		"userName: User name", "name.givenName: First name", "name.familyName: Last Name", `emails[type eq "work"].value: Work e-mail`,
		`phoneNumbers[type eq "work"].value: Work phone`, `phoneNumbers[type eq "mobile"].value: Mobile phone`,
		`phoneNumbers[type eq "fax"].value: Phone numbers (fax)`, "active: Active", "externalId: Id at the identity provider",
		number + ": Employee number",
	}, got); diff != "" {
		t.Errorf("attributes (-want +got):\n%s", diff)
	}
	if !slices.ContainsFunc(g.Remove, func(a mapping.GuideAttribute) bool { return a.Path == "title" && a.ReadOnly }) {
		t.Errorf("the read-only title is not to be removed: %+v", g.Remove)
	}
}
