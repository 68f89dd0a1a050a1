package patch_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/musterhq/muster/scim/patch"
	"github.com/musterhq/muster/scim/resource"
	"github.com/musterhq/muster/scim/schema"
)

// What is built is what the same request as JSON is parsed into.
func TestABuiltRequestIsTheOneInJSON(t *testing.T) {
	t.Parallel()
	user, group := schema.MustCompile(schema.User()), schema.MustCompile(schema.Group(), schema.User(), schema.Group())
	for _, c := range []struct {
		built *patch.Builder
		json  string
	}{
		{patch.NewRequest(user).Replace("active", false), `{"op":"replace","path":"active","value":false}`},
		{patch.NewRequest(user).Remove("title"), `{"op":"remove","path":"title"}`},
		{patch.NewRequest(user).Replace("title", nil), `{"op":"replace","path":"title","value":null}`},
		{
			patch.NewRequest(user).Add("emails", map[string]any{"value": "a@b.c", "type": "work"}).Replace(`emails[type eq "work"].value`, "\"x\"@b.c").Remove(`emails[type eq "home"]`),
			`{"op":"add","path":"emails","value":{"type":"work","value":"a@b.c"}},{"op":"replace","path":"emails[type eq \"work\"].value","value":"\"x\"@b.c"},{"op":"remove","path":"emails[type eq \"home\"]"}`,
		},
		{
			patch.NewRequest(group).Add("members", resource.Member{ID: "1", Type: "User"}).RemoveValues("members", []resource.Member{{ID: "2"}, {ID: "3"}}),
			`{"op":"add","path":"members","value":{"value":"1","type":"User"}},{"op":"remove","path":"members","value":[{"value":"2"},{"value":"3"}]}`,
		},
		{patch.NewRequest(group).RemoveValues("members", []resource.Member(nil)), `{"op":"remove","path":"members","value":[]}`},
		{patch.NewRequest(group).RemoveValues("members", nil), `{"op":"remove","path":"members","value":[]}`},
	} {
		typ := user
		if strings.Contains(c.json, "members") {
			typ = group
		}
		want, err := patch.Parse(typ, fmt.Appendf(nil, `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[%s]}`, c.json), patch.ParseOptions{})
		if err != nil {
			t.Fatal(err)
		}
		got, err := c.built.Request()
		if err != nil {
			t.Errorf("%s: %v", c.json, err)
			continue
		}
		if d := cmp.Diff(describe(want), describe(got)); d != "" {
			t.Errorf("%s: %s", c.json, d)
		}
	}
}

func describe(r *patch.Request) (lines []string) {
	for _, op := range r.Operations {
		lines = append(lines, fmt.Sprint(op.Op, " ", op.Target, " ", op.Target.Where, " ", string(op.Value.JSON()), " ", op.Given, op.Cleared, op.Members, op.Index))
	}
	return append(lines, r.Ignored...)
}

func TestABuiltRequestSaysWhichOperationIsWrong(t *testing.T) {
	t.Parallel()
	user := schema.MustCompile(schema.User())
	for _, c := range []struct {
		name  string
		built *patch.Builder
		index int
		path  string
	}{
		{"no such attribute", patch.NewRequest(user).Replace("active", true).Replace("nmae", "x"), 1, "nmae"},
		{"another type", patch.NewRequest(user).Replace("active", "no"), 0, "active"},
		{"no SCIM form", patch.NewRequest(user).Replace("title", "x").Add("title", make(chan int)).Remove("nmae"), 1, "title"},
		{"not UTF-8", patch.NewRequest(user).Replace("title", "\xff"), 0, "title"},
		{"a path that is not UTF-8", patch.NewRequest(user).Remove("\xff"), 0, ""},
		{"read-only", patch.NewRequest(user).Replace("id", "x"), 0, "id"},
		{"nothing to do", patch.NewRequest(user), -1, ""},
		{"a time that is none", patch.NewRequest(user).Replace("active", time.Now()), 0, "active"},
	} {
		_, err := c.built.Request()
		var wrong *patch.Error
		if !errors.As(err, &wrong) || wrong.Index != c.index || c.path != "" && wrong.Path != c.path {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}
