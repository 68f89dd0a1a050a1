package scim_test

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/musterhq/muster/scim"
	"github.com/musterhq/muster/scim/schema"
)

// nested makes a server with groups in groups, and users in them: by name, who is
// in what.
func nested(t *testing.T, members map[string][]string, opts ...scim.Option) (srv *scim.Server, id map[string]string) {
	t.Helper()
	srv = newServer(t, opts...)
	id = map[string]string{}
	all := map[string]bool{}
	for group, list := range members {
		id[group] = send(t, srv, "POST /Groups", fmt.Sprintf(groupBody, group)).want(t, 201).id()
		for _, m := range list {
			all[m] = true
		}
	}
	for name := range all {
		if id[name] == "" {
			id[name] = newUser(t, srv, name)
		}
	}
	for group, list := range members {
		var values []string
		for _, m := range list {
			values = append(values, `{"value":"`+id[m]+`"}`)
		}
		send(t, srv, "PATCH /Groups/"+id[group], patchBody(`[{"op":"add","path":"members","value":[`+strings.Join(values, ",")+`]}]`)).want(t, 204)
	}
	return srv, id
}

// memberships are the groups that a resource shows, as "Name type".
func memberships(t *testing.T, r any) (out []string) {
	t.Helper()
	list, _ := r.(map[string]any)["groups"].([]any)
	for _, g := range list {
		g := g.(map[string]any)
		out = append(out, fmt.Sprint(g["display"], " ", g["type"]))
	}
	slices.Sort(out)
	return out
}

// Holds: R-023
func TestIndirectGroupsAreShown(t *testing.T) {
	t.Parallel()
	members := map[string][]string{
		"Staff": {"Dev", "Ops", "eve"}, "Dev": {"ada", "Backend"}, "Backend": {"bob", "ada"}, "Ops": {"bob"},
		"Left": {"Right", "cyd"}, "Right": {"Left"}, // a circle
		"Self": {"Self", "dan"},
	}
	want := map[string][]string{
		"ada": {"Backend direct", "Dev direct", "Staff indirect"},
		"bob": {"Backend direct", "Dev indirect", "Ops direct", "Staff indirect"},
		"cyd": {"Left direct", "Right indirect"},
		"dan": {"Self direct"},
		"eve": {"Staff direct"},
	}
	srv, id := nested(t, members, scim.WithIndirectGroups())
	for name, groups := range want {
		if got := memberships(t, send(t, srv, "GET /Users/"+id[name], "").json); !slices.Equal(got, groups) {
			t.Errorf("%s: %q, want %q", name, got, groups)
		}
	}
	for _, r := range send(t, srv, "GET /Users", "").json["Resources"].([]any) {
		name := r.(map[string]any)["userName"].(string)
		if got := memberships(t, r); !slices.Equal(got, want[name]) {
			t.Errorf("%s in a list: %q, want %q", name, got, want[name])
		}
	}
	if got := send(t, srv, "GET /Groups/"+id["Staff"], "").values("members"); len(got) != 3 {
		t.Errorf("members stay direct: %v", got)
	}

	plain, id := nested(t, members)
	if got := memberships(t, send(t, plain, "GET /Users/"+id["ada"], "").json); !slices.Equal(got, []string{"Backend direct", "Dev direct"}) {
		t.Errorf("without the option: %q", got)
	}
}

func TestFiltersFindIndirectGroups(t *testing.T) {
	t.Parallel()
	srv, id := nested(t, map[string][]string{
		"Staff": {"Dev", "eve"}, "Dev": {"ada", "Backend"}, "Backend": {"bob", "ada"}, "Left": {"Right", "cyd"}, "Right": {"Left"}, "Both": {"Dev", "ada"},
	}, scim.WithIndirectGroups())
	for _, c := range []struct{ filter, want string }{
		{`groups.value eq "Staff"`, "ada bob eve"},
		{`groups eq "Dev"`, "ada bob"},
		{`groups[value eq "Staff" and type eq "direct"]`, "eve"},
		{`groups[value eq "Dev" and type eq "indirect"]`, "bob"},
		{`groups[value eq "Both" and type eq "indirect"]`, "bob"},
		{`groups.value eq "Right"`, "cyd"},
		{`groups.value ne "Staff"`, "cyd"},
		{`groups pr`, "ada bob cyd eve"},
		{`groups.type eq "direct"`, "ada bob cyd eve"},
		{`groups.value eq "nosuch"`, ""},
	} {
		text := c.filter
		for name, value := range id {
			text = strings.ReplaceAll(text, `"`+name+`"`, `"`+value+`"`)
		}
		var names []string
		for _, path := range []string{"/Users?sortBy=userName&filter=", "/Users?sortBy=userName&cursor=&count=50&filter="} {
			names = names[:0]
			for _, r := range send(t, srv, "GET "+path+url.QueryEscape(text), "").want(t, 200).json["Resources"].([]any) {
				names = append(names, r.(map[string]any)["userName"].(string))
			}
			if got := strings.Join(names, " "); got != c.want {
				t.Errorf("%s at %s: %q, want %q", c.filter, path, got, c.want)
			}
		}
	}
	send(t, srv, "GET /Users?filter="+url.QueryEscape(`groups.type eq "indirect"`), "").want(t, 400, "invalidFilter")
}

func TestNestingIsBounded(t *testing.T) {
	t.Parallel()
	chain := map[string][]string{"g0": {"ada"}}
	for i := range 8 {
		chain[fmt.Sprint("g", i+1)] = []string{fmt.Sprint("g", i)}
	}
	srv, id := nested(t, chain, scim.WithIndirectGroups(), scim.WithLimits(scim.Limits{NestingDepth: 3}))
	got := memberships(t, send(t, srv, "GET /Users/"+id["ada"], "").want(t, 200).json)
	if want := []string{"g0 direct", "g1 indirect", "g2 indirect", "g3 indirect"}; !slices.Equal(got, want) {
		t.Errorf("three levels: %q", got)
	}
	send(t, srv, "GET /Users?filter="+url.QueryEscape(`groups eq "`+id["g3"]+`"`), "").want(t, 200)
	send(t, srv, "GET /Users?filter="+url.QueryEscape(`groups eq "`+id["g8"]+`"`), "").want(t, 400, "tooMany")

	wide := map[string][]string{"top": nil}
	for i := range 20 {
		name := fmt.Sprint("w", i)
		wide[name] = []string{"ada"}
		wide["top"] = append(wide["top"], name)
	}
	srv, id = nested(t, wide, scim.WithIndirectGroups(), scim.WithLimits(scim.Limits{NestedGroups: 10}))
	send(t, srv, "GET /Users?filter="+url.QueryEscape(`groups eq "`+id["top"]+`"`), "").want(t, 400, "tooMany")
	send(t, srv, "GET /Users/"+id["ada"], "").want(t, 200)
}

// A relation of a host's own nests as members does, and shows on its owners too.
func TestAnyRelationMayNest(t *testing.T) {
	t.Parallel()
	where := scim.Attribute{Name: "within", Type: schema.Complex, MultiValued: true, Mutability: schema.ReadOnly, SubAttributes: []scim.Attribute{
		{Name: "value"}, {Name: "display"}, {Name: "type", CanonicalValues: []string{"direct", "indirect"}},
	}}
	place := scim.ResourceType{
		Name: "Place", Endpoint: "/Places", Label: "title",
		Schema: &scim.Schema{ID: "urn:example:place", Name: "Place", Attributes: []scim.Attribute{
			{Name: "title", Required: true}, where,
			{Name: "contains", Type: schema.Complex, MultiValued: true, SubAttributes: []scim.Attribute{{Name: "value"}, {Name: "type"}}},
		}},
		Relations: []schema.Relation{{Attribute: "contains", Targets: []string{"Place"}, Inverse: "within"}},
	}
	srv := newServer(t, scim.WithResourceType(place), scim.WithIndirectGroups())
	id := map[string]string{}
	for _, p := range []string{"desk", "room", "house", "town"} {
		id[p] = send(t, srv, "POST /Places", `{"title":"`+p+`"}`).want(t, 201).id()
	}
	for _, pair := range [][2]string{{"town", "house"}, {"house", "room"}, {"room", "desk"}} {
		send(t, srv, "PATCH /Places/"+id[pair[0]], patchBody(`[{"op":"add","path":"contains","value":[{"value":"`+id[pair[1]]+`"}]}]`)).want(t, 200)
	}
	got := map[string]string{}
	for _, w := range send(t, srv, "GET /Places/"+id["desk"], "").json["within"].([]any) {
		w := w.(map[string]any)
		got[w["display"].(string)] = w["type"].(string)
	}
	if want := map[string]string{"room": "direct", "house": "indirect", "town": "indirect"}; !maps.Equal(got, want) {
		t.Errorf("the desk is within %v", got)
	}
	found := send(t, srv, "GET /Places?filter="+url.QueryEscape(`within.value eq "`+id["house"]+`"`), "").want(t, 200)
	if found.json["totalResults"] != 2.0 {
		t.Errorf("within the house: %v", found.json["Resources"])
	}
}
