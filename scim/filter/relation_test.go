package filter_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/musterhq/muster/scim/filter"
	"github.com/musterhq/muster/scim/resource"
	"github.com/musterhq/muster/scim/schema"
)

func TestRelationsBecomeLinks(t *testing.T) {
	t.Parallel()
	user := schema.MustCompile(schema.User(), schema.Group())
	group := schema.MustCompile(schema.Group(), schema.User())
	link := func(id, typ string) filter.Linked {
		return filter.Linked{Relation: "members", Owner: "Group", ID: id, Type: typ}
	}
	in := func(id string) filter.Linked {
		return filter.Linked{Relation: "members", Owner: "Group", Inverse: true, ID: id}
	}
	not := func(n filter.Node) filter.Node { return filter.Negate{X: n} }
	or := func(n ...filter.Node) filter.Node { return filter.Or{Nodes: n} }
	for _, c := range []struct {
		typ  *schema.Type
		in   string
		want filter.Node
	}{
		{group, `members eq "U"`, link("U", "")},
		{group, `MEMBERS.VALUE eq "U"`, link("U", "")},
		{group, `members ne "U"`, not(link("U", ""))},
		{group, `members pr`, link("", "")},
		{group, `members.value pr`, link("", "")},
		{group, `members.$ref pr`, link("", "")},
		{group, `members eq null`, not(link("", ""))},
		{group, `members ne null`, link("", "")},
		{group, `members.value eq null`, not(link("", ""))},
		{group, `members.type eq "group"`, link("", "Group")},
		{group, `members.type ne "User"`, not(link("", "User"))},
		{group, `members.type eq "Device"`, filter.Const(false)},
		{group, `members eq ""`, filter.Const(false)},
		{group, `members ne ""`, filter.Const(true)},
		{group, `members[value eq "U"]`, link("U", "")},
		{group, `members[value eq "U" and type eq "user"]`, link("U", "User")},
		{group, `members[type eq "Group" and (value eq "U" or value eq "V")]`, or(link("U", "Group"), link("V", "Group"))},
		{group, `members[value eq "U" or value eq "V" or value eq "U"]`, or(link("U", ""), link("V", ""))},
		{group, `members[value eq "U" and value eq "V"]`, filter.Const(false)},
		{group, `members[type eq "Group" and type eq "User"]`, filter.Const(false)},
		{group, `members[value eq "U" and value pr]`, link("U", "")},
		{group, `members[value eq "U" and nosuch eq "x"]`, filter.Const(false)},
		{group, `not (members[value eq "U"])`, not(link("U", ""))},
		{user, `groups eq "G"`, in("G")},
		{user, `groups.value eq "G"`, in("G")},
		{user, `groups[value eq "G"]`, in("G")},
		{user, `groups.type eq "direct"`, in("")},
		{user, `groups.type eq "indirect"`, filter.Const(false)},
		{user, `groups[value eq "G" and type eq "direct"]`, in("G")},
		{user, `groups pr`, in("")},
		{user, `members eq "U"`, filter.Const(false)},
		{user, `members ne "U"`, filter.Const(true)},
		{user, `members pr`, filter.Const(false)},
		{group, `groups.value eq "G"`, filter.Const(false)},
	} {
		p := mustCompile(t, c.typ, c.in)
		if d := cmp.Diff(c.want, p.Root()); d != "" {
			t.Errorf("%s on %s: %s", c.in, c.typ.Name(), d)
		}
		_, constant := c.want.(filter.Const)
		if p.UsesLinks() == constant {
			t.Errorf("%s on %s: UsesLinks is %v", c.in, c.typ.Name(), p.UsesLinks())
		}
	}
}

func TestRelationsRefuseWhatLinksCannotAnswer(t *testing.T) {
	t.Parallel()
	user := schema.MustCompile(schema.User(), schema.Group())
	group := schema.MustCompile(schema.Group(), schema.User())
	for _, c := range []struct {
		typ    *schema.Type
		in     string
		offset int
		detail string
	}{
		{group, `members co "U"`, 0, "eq, ne and pr only"},
		{group, `members.value gt "U"`, 0, "eq, ne and pr only"},
		{group, `displayName pr and members.display eq "x"`, 19, `compare "members.value"`},
		{group, `members.display pr`, 0, "cannot be filtered on"},
		{group, `members.$ref eq "x"`, 0, "cannot be filtered on"},
		{group, `members eq 5`, 11, "double quotes"},
		{group, `members eq true`, 11, "double quotes"},
		{group, `members sw null`, 11, "null"},
		{group, `members[value ne "U"]`, 8, "brackets of a relation"},
		{group, `members[value eq null]`, 8, "brackets of a relation"},
		{group, `members[type eq "User" and not (value eq "U")]`, 32, "brackets of a relation"},
		{group, `members[display eq "x"]`, 8, "cannot be filtered on"},
		{group, `members.value[type eq "x"]`, 0, "no elements"},
		{user, `groups.display eq "x"`, 0, "cannot be filtered on"},
		{user, `groups co "G"`, 0, "eq, ne and pr only"},
		{user, `groups.value[type eq "x"]`, 0, "no elements"},
	} {
		_, err := compile(c.typ, c.in, filter.ParseOptions{}, filter.Options{})
		var e *filter.Error
		if !errors.As(err, &e) || e.Offset != c.offset || !strings.Contains(e.Detail, c.detail) {
			t.Errorf("%s: error %+v, want %q at %d", c.in, err, c.detail, c.offset)
		}
	}
}

func TestLinksAreAskedWithTheIDOfTheResource(t *testing.T) {
	t.Parallel()
	group := schema.MustCompile(schema.Group(), schema.User())
	d, err := resource.Decode(group, []byte(`{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"displayName":"Staff"}`), resource.DecodeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	g := d.Resource.WithMeta(resource.Meta{ID: "G1"})
	asked := 0
	test := func(id string, l filter.Linked) bool {
		asked++
		if id != "G1" {
			t.Errorf("asked about %q", id)
		}
		return l.ID == "U1"
	}
	for _, c := range []struct {
		in    string
		want  bool
		asked int
	}{
		{`members eq "U1"`, true, 1},
		{`members eq "U2"`, false, 1},
		{`members ne "U2" and displayName eq "staff"`, true, 1},
		{`displayName eq "other" and members eq "U1"`, false, 0},
		{`members[value eq "U2" or value eq "U1"]`, true, 2},
	} {
		asked = 0
		if got := mustCompile(t, group, c.in).Match(g, test); got != c.want || asked != c.asked {
			t.Errorf("%s: %v after %d link tests, want %v after %d", c.in, got, asked, c.want, c.asked)
		}
	}
}

// PATCH asks about members in memory, so its filters stay comparisons.
func TestPathFiltersOnRelationsMatchElements(t *testing.T) {
	t.Parallel()
	group := schema.MustCompile(schema.Group(), schema.User())
	members := group.MustResolve("members")
	value, typ := group.MustResolve("members.value"), group.MustResolve("members.type")
	member := resource.Object(members, resource.Text(value, "U1"), resource.Text(typ, "User"))
	for _, c := range []struct {
		path string
		want bool
	}{
		{`members[value eq "U1"]`, true},
		{`members[value eq "U2"]`, false},
		{`members[type eq "user" and not (value eq "U2")]`, true},
		{`members[value sw "U"]`, true},
	} {
		parsed, err := filter.ParsePath(c.path, filter.ParseOptions{})
		if err != nil {
			t.Fatal(err)
		}
		p, err := filter.CompileElement(members, parsed.Filter, filter.Options{})
		if err != nil {
			t.Errorf("%s: %v", c.path, err)
			continue
		}
		if p.UsesLinks() {
			t.Errorf("%s needs links", c.path)
		}
		if got := p.MatchElement(member); got != c.want {
			t.Errorf("%s: %v, want %v", c.path, got, c.want)
		}
	}
}
