package scim_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"testing"

	"github.com/musterhq/muster/scim"
	"github.com/musterhq/muster/scim/schema"
	"github.com/musterhq/muster/storage"
)

// groupTable is a host's own groups.
type groupTable struct{ *table }

func newGroupTable() *groupTable { return &groupTable{newTable()} }

func (h *groupTable) Create(_ context.Context, _ string, r *scim.Resource) (*scim.Resource, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.insert("g", r)
}

// memberTargets is Group with other targets.
func memberTargets(targets ...string) scim.ResourceType {
	g := schema.Group()
	g.Relations[0].Targets = targets
	return g
}

func newUser(t testing.TB, h http.Handler, name string, headers ...string) string {
	t.Helper()
	return send(t, h, "POST /Users", fmt.Sprintf(userBody, name), headers...).want(t, 201).id()
}

func groupWith(name string, members ...string) string {
	body := `{"displayName":"` + name + `","members":[`
	for i, id := range members {
		if i > 0 {
			body += ","
		}
		body += `{"value":"` + id + `"}`
	}
	return body + `]}`
}

func etag(a *answer) string { return a.Header().Get("ETag") }

func TestAHandlersGroupsHaveMembersInTheStore(t *testing.T) {
	t.Parallel()
	rows := newGroupTable()
	srv := newServer(t, scim.WithHandler(schema.Group(), rows), scim.WithPatchNoContent())
	ada, bob := newUser(t, srv, "ada"), newUser(t, srv, "bob")

	g := send(t, srv, "POST /Groups", groupWith("Staff", ada)).want(t, 201)
	if got := g.values("members"); !slices.Equal(got, []string{ada}) {
		t.Fatalf("created with members %v", got)
	}
	if got := rows.rows[g.id()].String("displayName"); got != "Staff" {
		t.Errorf("the handler has %q", got)
	}
	shown := send(t, srv, "GET /Groups/"+g.id(), "").want(t, 200)
	if etag(shown) != etag(g) || etag(shown) == "" || shown.get("meta", "version") != etag(shown) {
		t.Errorf("versions: created %s, read %s, meta %v", etag(g), etag(shown), shown.get("meta", "version"))
	}
	user := send(t, srv, "GET /Users/"+ada, "").want(t, 200)
	if got := user.json["groups"].([]any)[0].(map[string]any); got["value"] != g.id() || got["display"] != "Staff" || got["type"] != "direct" {
		t.Errorf("the user's group: %v", got)
	}

	added := send(t, srv, "PATCH /Groups/"+g.id(), patchBody(`[{"op":"add","path":"members","value":[{"value":"`+bob+`"}]}]`)).want(t, 200)
	if got := added.values("members"); len(got) != 2 {
		t.Errorf("members after add: %v", got)
	}
	if etag(added) == etag(g) {
		t.Error("the version does not cover the members")
	}
	if got := rows.rows[g.id()].Meta().Version; got != "1" {
		t.Errorf("the handler's document was written for a member: version %s", got)
	}
	again := send(t, srv, "PATCH /Groups/"+g.id(), patchBody(`[{"op":"add","path":"members","value":[{"value":"`+bob+`"}]}]`)).want(t, 200)
	if etag(again) != etag(added) {
		t.Errorf("a member that was there already moved the version: %s, %s", etag(added), etag(again))
	}
	send(t, srv, "PATCH /Groups/"+g.id(), patchBody(`[{"op":"remove","path":"members"}]`), "If-Match: "+etag(g)).want(t, 412)
	renamed := send(t, srv, "PATCH /Groups/"+g.id(), patchBody(`[{"op":"replace","path":"displayName","value":"Crew"},{"op":"remove","path":"members[value eq \"`+ada+`\"]"}]`),
		"If-Match: "+etag(added)).want(t, 200)
	if got := renamed.values("members"); !slices.Equal(got, []string{bob}) || renamed.json["displayName"] != "Crew" {
		t.Errorf("after both: %v, %v", got, renamed.json["displayName"])
	}
	if got := send(t, srv, "GET /Users/"+bob, "").json["groups"].([]any)[0].(map[string]any)["display"]; got != "Crew" {
		t.Errorf("the user's group is shown as %v", got)
	}

	kept := send(t, srv, "PUT /Groups/"+g.id(), `{"displayName":"Crew"}`).want(t, 200)
	if got := kept.values("members"); len(got) != 1 {
		t.Errorf("a PUT without members left %v", got)
	}
	if got := send(t, srv, "PUT /Groups/"+g.id(), `{"displayName":"Crew","members":[]}`).want(t, 200); len(got.values("members")) != 0 || etag(got) == etag(kept) {
		t.Errorf("a PUT with [] left %v, version %s", got.values("members"), etag(got))
	}
}

func TestAHandlersGroupsAreFoundByMembers(t *testing.T) {
	t.Parallel()
	srv := newServer(t, scim.WithHandler(schema.Group(), newGroupTable()))
	ada, bob := newUser(t, srv, "ada"), newUser(t, srv, "bob")
	both := send(t, srv, "POST /Groups", groupWith("Both", ada, bob)).want(t, 201)
	one := send(t, srv, "POST /Groups", groupWith("One", ada)).want(t, 201)
	none := send(t, srv, "POST /Groups", groupWith("None")).want(t, 201)
	for _, c := range []struct {
		path string
		want []string
	}{
		{`/Groups?filter=members.value+eq+"` + ada + `"`, []string{both.id(), one.id()}},
		{`/Groups?filter=members[value+eq+"` + bob + `"]`, []string{both.id()}},
		{`/Groups?filter=not+(members+pr)`, []string{none.id()}},
		{`/Users?filter=groups.value+eq+"` + one.id() + `"`, []string{ada}},
	} {
		var got []string
		for _, r := range send(t, srv, "GET "+c.path, "").want(t, 200).json["Resources"].([]any) {
			got = append(got, r.(map[string]any)["id"].(string))
		}
		if slices.Sort(got); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", c.path, got, c.want)
		}
	}
	for _, r := range send(t, srv, "GET /Groups", "").json["Resources"].([]any) {
		g := r.(map[string]any)
		single := send(t, srv, "GET /Groups/"+g["id"].(string), "")
		if got := g["meta"].(map[string]any)["version"]; got != etag(single) {
			t.Errorf("%v: version %v in the list, %s alone", g["displayName"], got, etag(single))
		}
	}
	if got := etag(none); got != `W/"1"` {
		t.Errorf("a group that never had members has the version %s, not the handler's", got)
	}
}

func TestDeletingAHandlersGroupUnlinksIt(t *testing.T) {
	t.Parallel()
	rows := newGroupTable()
	srv := newServer(t, scim.WithHandler(schema.Group(), rows))
	ada := newUser(t, srv, "ada")
	g := send(t, srv, "POST /Groups", groupWith("G", ada)).want(t, 201).id()
	behind := send(t, srv, "POST /Groups", groupWith("H", ada)).want(t, 201).id()
	send(t, srv, "DELETE /Groups/"+g, "").want(t, 204)
	delete(rows.rows, behind) // by the host, behind the server's back
	if err := srv.Unlink(t.Context(), "", "Group", behind); err != nil {
		t.Fatal(err)
	}
	if got := send(t, srv, "GET /Users/"+ada, "").values("groups"); len(got) != 0 {
		t.Errorf("the user is still in %v", got)
	}
	rows.next = 0 // the host gives the same id again
	again := send(t, srv, "POST /Groups", groupWith("New")).want(t, 201)
	if again.id() != g {
		t.Fatal("the test wants the same id")
	}
	if got := send(t, srv, "GET /Groups/"+g, "").values("members"); len(got) != 0 {
		t.Errorf("the new group has the members of the old one: %v", got)
	}
}

func TestConnectionsShareAHandlersGroup(t *testing.T) {
	t.Parallel()
	srv := newServerFor(t, scim.BearerTokens(map[string]scim.Principal{
		"a": {Connection: "a"}, "b": {Connection: "b"},
	}), scim.WithHandler(schema.Group(), newGroupTable()), scim.WithPatchNoContent())
	const a, b = "Authorization: Bearer a", "Authorization: Bearer b"
	ada, bob := newUser(t, srv, "ada", a), newUser(t, srv, "bob", b)
	g := send(t, srv, "POST /Groups", groupWith("G", ada, bob), a).want(t, 201)
	if got := g.values("members"); !slices.Equal(got, []string{ada}) {
		t.Errorf("one connection made another one's user a member: %v", got)
	}
	send(t, srv, "PATCH /Groups/"+g.id(), patchBody(`[{"op":"add","path":"members","value":[{"value":"`+bob+`"}]}]`), b).want(t, 200)
	if got := send(t, srv, "GET /Groups/"+g.id(), "", a).values("members"); len(got) != 2 {
		t.Errorf("members of both connections: %v", got)
	}
}

func TestMembersOfManyKindsInAHandlersGroup(t *testing.T) {
	t.Parallel()
	srv := newServer(t, scim.WithHandler(schema.Group(), newGroupTable()), scim.WithIndirectGroups())
	ada := newUser(t, srv, "ada")
	inner := send(t, srv, "POST /Groups", groupWith("Inner", ada)).want(t, 201).id()
	// No type is named: one is a user of the store, the other a group of the handler.
	outer := send(t, srv, "POST /Groups", groupWith("Outer", ada, inner)).want(t, 201)
	kinds := map[any]any{}
	for _, m := range outer.json["members"].([]any) {
		kinds[m.(map[string]any)["value"]] = m.(map[string]any)["type"]
	}
	if kinds[ada] != "User" || kinds[inner] != "Group" {
		t.Errorf("types of the members: %v", kinds)
	}
	send(t, srv, "PATCH /Groups/"+outer.id(), patchBody(`[{"op":"remove","path":"members[value eq \"`+ada+`\"]"}]`)).want(t, 204)
	groups := map[any]any{}
	for _, g := range send(t, srv, "GET /Users/"+ada, "").json["groups"].([]any) {
		groups[g.(map[string]any)["value"]] = g.(map[string]any)["type"]
	}
	if groups[inner] != "direct" || groups[outer.id()] != "indirect" {
		t.Errorf("groups of the user: %v", groups)
	}
}

func TestUnknownMembersOfAHandlersGroup(t *testing.T) {
	t.Parallel()
	rows := newGroupTable()
	srv := newServer(t, scim.WithHandler(memberTargets("User"), rows))
	ada := newUser(t, srv, "ada")
	g := send(t, srv, "POST /Groups", groupWith("G", "nobody", ada)).want(t, 201)
	if got := g.values("members"); !slices.Equal(got, []string{ada}) {
		t.Errorf("members %v", got)
	}
	if got, err := srv.Skipped(t.Context(), "", "Group", g.id()); err != nil || !slices.Equal(got, []string{"nobody"}) {
		t.Errorf("skipped: %v, %v", got, err)
	}

	strict := newServer(t, scim.WithHandler(memberTargets("User"), newGroupTable()), scim.WithUnknownMembers(scim.RejectUnknown))
	send(t, strict, "POST /Groups", groupWith("G", "nobody")).want(t, 400, "invalidValue")
	if n := send(t, strict, "GET /Groups", "").json["totalResults"]; n != 0.0 {
		t.Errorf("%v groups are there after a create that failed", n)
	}
	id := send(t, strict, "POST /Groups", groupWith("G")).want(t, 201).id()
	send(t, strict, "PATCH /Groups/"+id, patchBody(`[{"op":"replace","value":{"displayName":"H","members":[{"value":"nobody"}]}}]`)).want(t, 400, "invalidValue")
	if got := send(t, strict, "GET /Groups/"+id, "").json["displayName"]; got != "G" {
		t.Errorf("a refused write changed the document: %v", got)
	}
}

func TestGuardsAndSubscribersSeeTheLinksOfAHandlersGroup(t *testing.T) {
	t.Parallel()
	refuse := errors.New("no")
	var asked []string
	guard := func(_ context.Context, _ scim.Principal, effects []scim.Effect) error {
		for _, e := range effects {
			for _, l := range e.Links {
				asked = append(asked, fmt.Sprint(e.Kind, " ", l.Relation, " ", len(l.Add)))
				if slices.ContainsFunc(l.Add, func(r storage.Ref) bool { return r.ID == "forbidden" }) {
					return &scim.Error{Status: 403, Detail: "no", Err: refuse}
				}
			}
		}
		return nil
	}
	srv := newServer(t, scim.WithHandler(schema.Group(), newGroupTable()), scim.WithGuard(guard))
	var heard []string
	srv.Subscribe(func(_ context.Context, e scim.Event) {
		if e.Type.Name() == "Group" {
			heard = append(heard, fmt.Sprint(e.Kind, e.Links))
		}
	})
	ada := newUser(t, srv, "ada")
	g := send(t, srv, "POST /Groups", groupWith("G", ada)).want(t, 201).id()
	send(t, srv, "PATCH /Groups/"+g, patchBody(`[{"op":"add","path":"members","value":[{"value":"forbidden","type":"Group"}]}]`)).want(t, 403)
	send(t, srv, "PATCH /Groups/"+g, patchBody(`[{"op":"add","path":"members","value":[{"value":"`+ada+`"}]}]`)).want(t, 204)
	send(t, srv, "PATCH /Groups/"+g, patchBody(`[{"op":"remove","path":"members"}]`)).want(t, 204)
	if want := []string{"create members 1", "patch members 1", "patch members 1", "patch members 0"}; !slices.Equal(asked, want) {
		t.Errorf("the guard was asked %q", asked)
	}
	if want := []string{"create[{members 1 0}]", "patch[{members 0 1}]"}; !slices.Equal(heard, want) {
		t.Errorf("the subscriber heard %q", heard)
	}
}

func TestLinksComeFirstAndAFailedDocumentIsTold(t *testing.T) {
	t.Parallel()
	rows := newGroupTable()
	srv := newServer(t, scim.WithHandler(schema.Group(), rows), scim.WithPatchNoContent())
	ada := newUser(t, srv, "ada")
	g := send(t, srv, "POST /Groups", groupWith("G")).want(t, 201).id()
	var heard []string
	srv.Subscribe(func(_ context.Context, e scim.Event) {
		heard = append(heard, fmt.Sprintf("%s%v%d", e.Kind, e.Links, len(e.Changes)))
	})
	both := patchBody(`[{"op":"replace","value":{"displayName":"H","members":[{"value":"` + ada + `"}]}}]`)
	// Somebody else writes the document in between: the change is made all the same,
	// and told once.
	rows.between = func() {
		rows.rows[g] = rows.rows[g].WithMeta(scim.Meta{ID: g, Version: "7"})
	}
	send(t, srv, "PATCH /Groups/"+g, both).want(t, 200)
	if want := []string{"patch[{members 1 0}]1"}; !slices.Equal(heard, want) {
		t.Errorf("heard %q, want %q", heard, want)
	}
	// The document vanishes in between: the links were changed, and that is told.
	heard = nil
	rows.between = func() { delete(rows.rows, g) }
	send(t, srv, "PATCH /Groups/"+g, patchBody(`[{"op":"replace","value":{"displayName":"I","members":[]}}]`)).want(t, 404)
	if want := []string{"patch[{members 0 1}]0"}; !slices.Equal(heard, want) {
		t.Errorf("heard %q, want %q", heard, want)
	}
}
