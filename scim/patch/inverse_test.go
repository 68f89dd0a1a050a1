package patch_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/musterhq/muster/scim/patch"
	"github.com/musterhq/muster/scim/resource"
	"github.com/musterhq/muster/scim/schema"
)

// A user's groups are read-only, unless they are to be a relation like others.
func TestOperationsOnRelationsShownBackwards(t *testing.T) {
	t.Parallel()
	user := schema.MustCompile(schema.User(), schema.Group())
	member := func(ids ...string) (list []resource.Member) {
		for _, id := range ids {
			list = append(list, resource.Member{ID: id})
		}
		return list
	}
	for _, c := range []struct {
		ops  string
		want patch.LinkEdit
	}{
		{`{"op":"add","path":"groups","value":[{"value":"a"}]}`, patch.LinkEdit{Add: member("a")}},
		{`{"op":"replace","value":{"groups":[{"value":"a"}]}}`, patch.LinkEdit{Reset: true, Add: member("a")}},
		{`{"op":"remove","path":"groups[value eq \"a\" or value eq \"b\"]"}`, patch.LinkEdit{Remove: member("a", "b")}},
		{`{"op":"remove","path":"groups"}`, patch.LinkEdit{Reset: true}},
		{`{"op":"remove","path":"groups","value":[{"value":"a"}]},{"op":"add","path":"groups","value":[{"value":"b"}]}`, patch.LinkEdit{Add: member("b"), Remove: member("a")}},
	} {
		message := []byte(`{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[` + c.ops + `]}`)
		req, err := patch.Parse(user, message, patch.ParseOptions{Inverses: true})
		if err != nil {
			t.Errorf("%s: %v", c.ops, err)
			continue
		}
		if n := len(req.Document()); n != 0 {
			t.Errorf("%s: %d operations are on the document", c.ops, n)
		}
		got, err := patch.FoldLinks(req.Links()["groups"], nil)
		if diff := cmp.Diff(c.want, got); diff != "" || err != nil {
			t.Errorf("%s: %v (-want +got):\n%s", c.ops, err, diff)
		}
		var e *patch.Error
		if _, err := patch.Parse(user, message, patch.ParseOptions{}); !errors.As(err, &e) || e.ScimType != "mutability" {
			t.Errorf("%s, read-only: %v", c.ops, err)
		}
	}
}
