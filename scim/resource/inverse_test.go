package resource_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/musterhq/muster/scim/resource"
	"github.com/musterhq/muster/scim/schema"
)

// A user's groups are read-only, and so skipped, unless they are asked for.
func TestRelationsShownBackwardsAreReadWhenAskedFor(t *testing.T) {
	t.Parallel()
	user := schema.MustCompile(schema.User(), schema.Group())
	for _, c := range []struct {
		groups string
		want   resource.Relations // nil: refused
	}{
		{`[{"value":"g1","type":"direct","display":"A"},{"value":"g2"}]`, resource.Relations{"groups": {{ID: "g1", Type: "direct", Display: "A"}, {ID: "g2"}}}},
		{`[]`, resource.Relations{"groups": {}}},
		{`null`, resource.Relations{"groups": {}}},
		{`[{"display":"A"}]`, nil},
		{`{}`, nil},
	} {
		body := []byte(`{"schemas":["` + schema.UserURN + `"],"userName":"ada","groups":` + c.groups + `}`)
		d, err := resource.Decode(user, body, resource.DecodeOptions{Inverses: true})
		switch {
		case (err != nil) != (c.want == nil):
			t.Errorf("%s: %v", c.groups, err)
		case err == nil:
			if diff := cmp.Diff(c.want, d.Relations); diff != "" {
				t.Errorf("%s (-want +got):\n%s", c.groups, diff)
			}
		}
		if d, err = resource.Decode(user, body, resource.DecodeOptions{}); err != nil || d.Relations != nil {
			t.Errorf("%s, not asked for: %v, %v", c.groups, d, err)
		}
	}
}
