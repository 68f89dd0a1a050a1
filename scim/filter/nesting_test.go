package filter_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/musterhq/muster/scim/filter"
	"github.com/musterhq/muster/scim/schema"
)

func TestNestingWidensQuestionsAboutGroups(t *testing.T) {
	t.Parallel()
	user := schema.MustCompile(schema.User(), schema.Group())
	group := schema.MustCompile(schema.Group(), schema.User())
	in := func(id string, n filter.Nesting) filter.Linked {
		return filter.Linked{Relation: "members", Owner: "Group", Inverse: true, ID: id, Nesting: n}
	}
	for _, c := range []struct {
		typ  *schema.Type
		in   string
		want filter.Node
	}{
		{user, `groups eq "G"`, in("G", filter.Nested)},
		{user, `groups.value ne "G"`, filter.Negate{X: in("G", filter.Nested)}},
		{user, `groups pr`, in("", filter.Nested)},
		{user, `groups.type eq "direct"`, in("", filter.Direct)},
		{user, `groups.type eq "Indirect"`, in("", filter.NestedOnly)},
		{user, `groups.type eq "other"`, filter.Const(false)},
		{user, `groups[value eq "G"]`, in("G", filter.Nested)},
		{user, `groups[value eq "G" and type eq "direct"]`, in("G", filter.Direct)},
		{user, `groups[type eq "indirect" and value eq "G"]`, in("G", filter.NestedOnly)},
		{user, `groups[type eq "indirect" and type eq "direct"]`, filter.Const(false)},
		{group, `members eq "U"`, filter.Linked{Relation: "members", Owner: "Group", ID: "U"}},
	} {
		p, err := compile(c.typ, c.in, filter.ParseOptions{}, filter.Options{Nesting: true})
		if err != nil {
			t.Errorf("%s: %v", c.in, err)
			continue
		}
		if d := cmp.Diff(c.want, p.Root()); d != "" {
			t.Errorf("%s: %s", c.in, d)
		}
	}
}

func TestExpandReplacesNesting(t *testing.T) {
	t.Parallel()
	user := schema.MustCompile(schema.User(), schema.Group())
	link := func(id string) filter.Node {
		return filter.Linked{Relation: "members", Owner: "Group", Inverse: true, ID: id}
	}
	twice := func(l filter.Linked) (filter.Node, error) {
		if l.Nesting == filter.Direct {
			return l, nil
		}
		if l.ID == "none" {
			return filter.AnyOf(), nil
		}
		return filter.AnyOf(link(l.ID), link(l.ID+"'")), nil
	}
	or := func(n ...filter.Node) filter.Node { return filter.Or{Nodes: n} }
	for _, c := range []struct {
		in   string
		want filter.Node
	}{
		{`groups eq "G"`, or(link("G"), link("G'"))},
		{`not (groups eq "G")`, filter.Negate{X: or(link("G"), link("G'"))}},
		{`groups eq "G" or groups eq "H"`, or(link("G"), link("G'"), link("H"), link("H'"))},
		{`groups eq "none" and groups eq "H"`, filter.Const(false)},
		{`groups eq "none" or groups eq "H"`, or(link("H"), link("H'"))},
		{`not (groups eq "none")`, filter.Const(true)},
	} {
		p, err := compile(user, c.in, filter.ParseOptions{}, filter.Options{Nesting: true})
		if err != nil {
			t.Fatal(err)
		}
		got, err := p.Expand(twice)
		if err != nil {
			t.Errorf("%s: %v", c.in, err)
			continue
		}
		if d := cmp.Diff(c.want, got.Root()); d != "" {
			t.Errorf("%s: %s", c.in, d)
		}
	}
	for _, text := range []string{`userName eq "a"`, `groups.type eq "direct"`} {
		p, err := compile(user, text, filter.ParseOptions{}, filter.Options{Nesting: true})
		if err != nil {
			t.Fatal(err)
		}
		if got, err := p.Expand(twice); got != p || err != nil {
			t.Errorf("%s: %v, %v: nothing is replaced", text, got, err)
		}
	}
	if got, err := (*filter.Plan)(nil).Expand(twice); got != nil || err != nil {
		t.Errorf("no plan: %v, %v", got, err)
	}
	broken := errors.New("broken")
	p, err := compile(user, `groups eq "G" and (groups eq "H" or userName pr)`, filter.ParseOptions{}, filter.Options{Nesting: true})
	if err != nil {
		t.Fatal(err)
	}
	calls := 0
	_, err = p.Expand(func(filter.Linked) (filter.Node, error) { calls++; return nil, broken })
	if !errors.Is(err, broken) || calls != 1 {
		t.Errorf("error %v after %d calls", err, calls)
	}
}
