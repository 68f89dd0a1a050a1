package roles_test

import (
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/musterhq/muster/roles"
	"github.com/musterhq/muster/scim/resource"
	"github.com/musterhq/muster/scim/schema"
)

func TestRoleTextIsTakenOutOfJSON(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]roles.RoleValue{
		`admin`:   {Value: "admin"},
		` Admin `: {Value: "Admin"},
		``:        {},
		`{"id":"1","value":"admin","displayName":"Owner"}`:  {Value: "admin", JSONText: true},
		` { "Value" : " admin " , "x" : [{"value":"y"}] } `: {Value: "admin", JSONText: true},
		`{"value":"\u0061dmin"}`:                            {Value: "admin", JSONText: true},
		`{"value":""}`:                                      {JSONText: true},
		`{"display":"admin"}`:                               {Value: `{"display":"admin"}`},
		`{"value":7}`:                                       {Value: `{"value":7}`},
		`{"value":{"value":"admin"}}`:                       {Value: `{"value":{"value":"admin"}}`},
		`{"value":"admin"`:                                  {Value: `{"value":"admin"`},
		`{"value":"admin"}{"value":"owner"}`:                {Value: `{"value":"admin"}{"value":"owner"}`},
		`{"value":"a","VALUE":"b"}`:                         {Value: `{"value":"a","VALUE":"b"}`},
		`{"value":"a","value":"b"}`:                         {Value: `{"value":"a","value":"b"}`},
		`["admin"]`:                                         {Value: `["admin"]`},
		`{`:                                                 {Value: `{`},
		`{"a":`:                                             {Value: `{"a":`},
	} {
		if got := roles.RoleText(text); got != want {
			t.Errorf("RoleText(%s) is %+v, want %+v", text, got, want)
		}
	}
}

// TestRoleValuesReadsWhatTheHostDeclared covers hosts whose users keep roles in
// another form than the core schema's, and servers whose dialect rules are off.
func TestRoleValuesReadsWhatTheHostDeclared(t *testing.T) {
	t.Parallel()
	declare := func(a ...schema.Attribute) *schema.Type {
		return schema.MustCompile(schema.ResourceType{Name: "User", Endpoint: "/Users", Schema: &schema.Schema{ID: "urn:example:User", Attributes: a}})
	}
	core := schema.MustCompile(schema.User())
	for _, c := range []struct {
		name string
		typ  *schema.Type
		json string
		want []roles.RoleValue
	}{
		{"core", core, `"userName":"u","roles":[{"value":"a"},{"display":"owner"},{"value":"{\"value\":\"b\"}"}]`,
			[]roles.RoleValue{{Value: "a"}, {}, {Value: "b", JSONText: true}}},
		{"none", core, `"userName":"u"`, nil},
		{"texts", declare(schema.Attribute{Name: "roles", MultiValued: true}), `"roles":["a","{\"value\":\"b\"}"]`,
			[]roles.RoleValue{{Value: "a"}, {Value: "b", JSONText: true}}},
		{"one text", declare(schema.Attribute{Name: "roles"}), `"roles":"a"`, []roles.RoleValue{{Value: "a"}}},
		{"objects without a value", declare(schema.Attribute{Name: "roles", Type: schema.Complex, MultiValued: true, SubAttributes: []schema.Attribute{{Name: "name"}}}),
			`"roles":[{"name":"a"}]`, nil},
		{"no attribute", declare(schema.Attribute{Name: "title"}), `"title":"admin"`, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			d, err := resource.Decode(c.typ, []byte("{"+c.json+"}"), resource.DecodeOptions{Partial: true})
			if err != nil {
				t.Fatal(err)
			}
			if diff := gocmp.Diff(c.want, roles.RoleValues(d.Resource)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestTheEmptyRoleIsAlwaysIgnored(t *testing.T) {
	t.Parallel()
	rules := mustRules(t, roles.Settings{Organisation: &roles.Organisation{Ignore: []string{"Everyone"}}})
	u := roles.User{ID: "u", Active: true, Roles: []roles.RoleValue{{}, roles.RoleText("everyone"), roles.RoleText("group")}}
	res := rules.Resolve(u, nil, roles.Workspaces{})
	if diff := gocmp.Diff([]string{"group"}, res.UnknownRoles); diff != "" {
		t.Errorf("unknown roles (-want +got):\n%s", diff)
	}
}
