package scim_test

import (
	"fmt"
	"net/url"
	"slices"
	"testing"

	"github.com/musterhq/muster/scim"
	"github.com/musterhq/muster/scim/schema"
	"github.com/musterhq/muster/storage/memory"
)

func linksTo(name string, m schema.Mutability) scim.Attribute {
	return scim.Attribute{Name: name, Type: schema.Complex, MultiValued: true, Mutability: m, SubAttributes: []scim.Attribute{
		{Name: "value"}, {Name: "$ref", Type: schema.Reference}, {Name: "type"}, {Name: "display"},
	}}
}

// projectTypes are a host's own: projects with people and leaders, rooms with
// guests, and users that show all three.
func projectTypes() []scim.Option {
	user := schema.User()
	user.Schema.Attributes = append(user.Schema.Attributes, linksTo("projects", schema.ReadOnly), linksTo("leads", schema.ReadOnly), linksTo("rooms", schema.ReadOnly))
	project := scim.ResourceType{
		Name: "Project", Endpoint: "/Projects", Label: "title",
		Schema: &scim.Schema{ID: "urn:example:2.0:Project", Name: "Project", Attributes: []scim.Attribute{
			{Name: "title", Required: true},
			{Name: "code", Uniqueness: schema.UniqueServer},
			{Name: "budgetLine"},
			{Name: "parent", Type: schema.Reference, ReferenceTypes: []string{"Project"}},
			linksTo("people", schema.ReadWrite), linksTo("leaders", schema.ReadWrite),
		}},
		Extensions: []schema.Extension{{Required: true, Schema: &scim.Schema{
			ID: "urn:example:2.0:Funding", Attributes: []scim.Attribute{{Name: "source", Required: true}},
		}}},
		Relations: []schema.Relation{
			{Attribute: "people", Targets: []string{"User", "Group"}, Inverse: "projects"},
			{Attribute: "leaders", Targets: []string{"User"}, Inverse: "leads"},
		},
		Indexed:             []string{"budgetLine"},
		UniquePerConnection: []string{"title"},
	}
	room := scim.ResourceType{
		Name: "Room", Endpoint: "/Rooms", Label: "name",
		Schema:    &scim.Schema{ID: "urn:example:2.0:Room", Attributes: []scim.Attribute{{Name: "name"}, linksTo("guests", schema.ReadWrite)}},
		Relations: []schema.Relation{{Attribute: "guests", Targets: []string{"User"}, Inverse: "rooms"}},
	}
	return []scim.Option{scim.WithResourceType(user), scim.WithResourceType(project), scim.WithResourceType(room)}
}

func projectBody(title, more string) string {
	return `{"schemas":["urn:example:2.0:Project","urn:example:2.0:Funding"],"title":"` + title + `","urn:example:2.0:Funding":{"source":"EU"}` + more + `}`
}

func TestCustomTypesOwnSeveralRelations(t *testing.T) {
	t.Parallel()
	srv := newServer(t, projectTypes()...)
	ada, bob := newUser(t, srv, "ada"), newUser(t, srv, "bob")
	crew := send(t, srv, "POST /Groups", groupWith("Crew", bob)).want(t, 201).id()
	p := send(t, srv, "POST /Projects", projectBody("Moon", `,"people":[{"value":"`+ada+`"},{"value":"`+crew+`"}],"leaders":[{"value":"`+bob+`"}]`)).want(t, 201)
	r := send(t, srv, "POST /Rooms", `{"name":"Blue","guests":[{"value":"`+ada+`"},{"value":"`+crew+`"}]}`).want(t, 201)
	if got := r.values("guests"); !slices.Equal(got, []string{ada}) {
		t.Errorf("a group cannot be a guest: %v", got)
	}
	kinds := map[any]any{}
	for _, m := range p.json["people"].([]any) {
		kinds[m.(map[string]any)["value"]] = m.(map[string]any)["type"]
	}
	if kinds[ada] != "User" || kinds[crew] != "Group" || len(p.values("leaders")) != 1 {
		t.Errorf("people %v, leaders %v", kinds, p.values("leaders"))
	}
	user := send(t, srv, "GET /Users/"+ada, "")
	if got := fmt.Sprint(user.values("projects"), user.values("leads"), user.values("rooms"), user.values("groups")); got != fmt.Sprintf("[%s] [] [%s] []", p.id(), r.id()) {
		t.Errorf("ada shows projects, leads, rooms, groups: %s", got)
	}
	display := user.json["projects"].([]any)[0].(map[string]any)
	if display["display"] != "Moon" || display["$ref"] != "http://scim.test/Projects/"+p.id() {
		t.Errorf("a project as it is shown: %v", display)
	}
	for _, c := range []struct {
		path, filter string
		want         []string
	}{
		{"/Users", `projects.value eq "` + p.id() + `"`, []string{ada}},
		{"/Users", `leads eq "` + p.id() + `"`, []string{bob}},
		{"/Users", `rooms pr and projects pr`, []string{ada}},
		{"/Projects", `people.value eq "` + crew + `"`, []string{p.id()}},
		{"/Projects", `people[value eq "` + crew + `" and type eq "User"]`, nil},
		{"/Projects", `leaders eq "` + ada + `"`, nil},
		{"/Rooms", `guests eq "` + ada + `"`, []string{r.id()}},
	} {
		var got []string
		for _, r := range send(t, srv, "GET "+c.path+"?filter="+url.QueryEscape(c.filter), "").want(t, 200).json["Resources"].([]any) {
			got = append(got, r.(map[string]any)["id"].(string))
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %s: %v, want %v", c.path, c.filter, got, c.want)
		}
	}
	// One relation is edited, the other is left alone.
	after := send(t, srv, "PATCH /Projects/"+p.id(), patchBody(`[{"op":"remove","path":"people[type eq \"Group\"]"},{"op":"add","path":"leaders","value":[{"value":"`+ada+`"}]}]`)).want(t, 200)
	if got := after.values("people"); !slices.Equal(got, []string{ada}) || len(after.values("leaders")) != 2 || etag(after) == etag(p) {
		t.Errorf("people %v, leaders %v, version %s", got, after.values("leaders"), etag(after))
	}
	send(t, srv, "PATCH /Users/"+ada, patchBody(`[{"op":"remove","path":"projects"}]`)).want(t, 400, "mutability")
	send(t, srv, "DELETE /Users/"+ada, "").want(t, 204)
	gone := send(t, srv, "GET /Projects/"+p.id(), "")
	if len(gone.values("people")) != 0 || len(gone.values("leaders")) != 1 {
		t.Errorf("after the user went: people %v, leaders %v", gone.values("people"), gone.values("leaders"))
	}
}

func TestCustomTypesHaveRulesOfTheirOwn(t *testing.T) {
	t.Parallel()
	srv := newServer(t, projectTypes()...)
	first := send(t, srv, "POST /Projects", projectBody("Moon", `,"code":"M1","budgetLine":"7","parent":"Projects/nowhere"`)).want(t, 201)
	if first.json["parent"] != "Projects/nowhere" {
		t.Errorf("a reference is kept as it is: %v", first.json["parent"])
	}
	if got := first.get("meta", "location"); got != "http://scim.test/Projects/"+first.id() {
		t.Errorf("location %v", got)
	}
	send(t, srv, "POST /Projects", projectBody("Mars", `,"code":"m1"`)).want(t, 409, "uniqueness")
	send(t, srv, "POST /Projects", projectBody("MOON", ``)).want(t, 409, "uniqueness")
	send(t, srv, "POST /Projects", `{"schemas":["urn:example:2.0:Project"],"title":"Mars"}`).want(t, 400, "invalidValue")
	send(t, srv, "PATCH /Projects/"+first.id(), patchBody(`[{"op":"remove","path":"urn:example:2.0:Funding:source"}]`)).want(t, 400)
	if got := send(t, srv, "GET /Projects?filter="+url.QueryEscape(`budgetLine eq "7"`), "").json["totalResults"]; got != 1.0 {
		t.Errorf("%v projects with the indexed value", got)
	}
	send(t, srv, "GET /Schemas/urn:example:2.0:Funding", "").want(t, 200)
	declared := send(t, srv, "GET /ResourceTypes/Project", "").want(t, 200)
	if ext := declared.json["schemaExtensions"].([]any)[0].(map[string]any); ext["required"] != true || declared.json["endpoint"] != "/Projects" {
		t.Errorf("%v", declared.json)
	}
	// The built-in schema says nothing of a relation; its definition shows the attribute.
	members := send(t, srv, "GET /Schemas/urn:example:2.0:Project", "").want(t, 200)
	var names []string
	for _, a := range members.json["attributes"].([]any) {
		names = append(names, a.(map[string]any)["name"].(string))
	}
	if !slices.Contains(names, "people") || !slices.Contains(names, "leaders") {
		t.Errorf("attributes: %v", names)
	}
}

func TestRelationsThatDoNotFitAreRefusedAtStart(t *testing.T) {
	t.Parallel()
	lonely := schema.Group()
	lonely.Relations[0].Targets = []string{"Robot"}
	if _, err := scim.New(memory.New(), scim.BearerToken("secret"), scim.WithResourceType(lonely)); err == nil {
		t.Error("a relation leads to a type that is not served")
	}
}
