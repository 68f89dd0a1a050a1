package schema_test

import (
	"strings"
	"testing"

	"github.com/musterhq/muster/scim/schema"
)

// owner declares a type with one relation, whose attribute has the given
// sub-attributes beside value.
func owner(r schema.Relation, parts ...schema.Attribute) schema.ResourceType {
	return schema.ResourceType{
		Name: "Team", Endpoint: "/Teams",
		Schema: &schema.Schema{ID: "urn:example:team", Attributes: []schema.Attribute{
			{Name: r.Attribute, Type: schema.Complex, MultiValued: true, SubAttributes: append([]schema.Attribute{{Name: "value"}}, parts...)},
		}},
		Relations: []schema.Relation{r},
	}
}

func TestRelationsHoldNothingThatALinkCannot(t *testing.T) {
	t.Parallel()
	people := schema.Relation{Attribute: "people", Targets: []string{"User"}}
	for _, c := range []struct {
		name string
		d    schema.ResourceType
		want string
	}{
		{"all that links have", owner(people, schema.Attribute{Name: "$ref", Type: schema.Reference}, schema.Attribute{Name: "type"}, schema.Attribute{Name: "display"}), ``},
		{"a role in the team", owner(people, schema.Attribute{Name: "role"}), `"people.role" cannot be kept`},
		{"primary", owner(people, schema.Attribute{Name: "primary", Type: schema.Boolean}), `"people.primary" cannot be kept`},
		{"a number as type", owner(people, schema.Attribute{Name: "type", Type: schema.Integer}), `"people.type" of a relation must be a single text`},
		{"many displays", owner(people, schema.Attribute{Name: "display", MultiValued: true}), `"people.display" of a relation must be a single text`},
		{"a target twice", owner(schema.Relation{Attribute: "people", Targets: []string{"User", "Group", "User"}}), `names the target "User" twice`},
	} {
		_, err := schema.Compile(c.d)
		switch {
		case c.want == "" && err != nil:
			t.Errorf("%s: %v", c.name, err)
		case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%s: error %v, want one with %q", c.name, err, c.want)
		}
	}
}

func TestRelationsOfOneServerFitTogether(t *testing.T) {
	t.Parallel()
	team := owner(schema.Relation{Attribute: "people", Targets: []string{"User", "Team"}, Inverse: "groups"})
	for _, c := range []struct {
		name  string
		types []schema.ResourceType
		want  []string
	}{
		{"built-in types", []schema.ResourceType{schema.User(), schema.Group()}, nil},
		{"no relations", []schema.ResourceType{schema.User()}, nil},
		{"one of two targets shows it", []schema.ResourceType{schema.User(), team}, nil},
		{"a target is not served", []schema.ResourceType{schema.Group()}, []string{`Group: relation "members" leads to "User"`}},
		{"letter case of a target", []schema.ResourceType{schema.User(), owner(schema.Relation{Attribute: "people", Targets: []string{"user"}})}, []string{`leads to "user"`}},
		{"nobody shows it", []schema.ResourceType{schema.User(), owner(schema.Relation{Attribute: "people", Targets: []string{"User"}, Inverse: "teams"})}, []string{`is to be shown as "teams"`}},
		{"all problems", []schema.ResourceType{schema.Group(), owner(schema.Relation{Attribute: "people", Targets: []string{"Robot"}})}, []string{`leads to "User"`, `leads to "Robot"`}},
	} {
		err := schema.CheckRelations(c.types...)
		if len(c.want) == 0 && err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		for _, want := range c.want {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: error %v, want one with %q", c.name, err, want)
			}
		}
	}
}
