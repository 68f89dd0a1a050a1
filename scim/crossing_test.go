package scim_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/musterhq/muster/scim"
	"github.com/musterhq/muster/scim/schema"
	"github.com/musterhq/muster/storage"
)

// Users in the host's table, groups in the server's store.

// rename changes a row behind the server's back.
func (h *table) rename(id, attr, name string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.rows[id] = h.rows[id].Edit().Set(attr, name).Resource()
}

func (h *table) forget(id string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.rows, id)
}

func TestMembersAreShownByTheNameThatTheHostHasNow(t *testing.T) {
	t.Parallel()
	overStores(t, func(t *testing.T, store storage.Store) {
		users, groups := newTable(), newGroupTable()
		srv := newServerOver(t, store, scim.BearerToken("secret"),
			scim.WithHandler(schema.User(), named{users}), scim.WithHandler(schema.Group(), namedGroups{groups}))
		ada := newUser(t, srv, "ada")
		g := send(t, srv, "POST /Groups", groupWith("Staff", ada)).want(t, 201).id()
		if got := members(send(t, srv, "GET /Groups/"+g, ""), "members"); !slices.Equal(got, []string{ada}) {
			t.Errorf("a user without a name is shown as %v", got)
		}
		users.rename(ada, "displayName", "Ada L.")
		groups.rename(g, "displayName", "Crew")
		for _, path := range []string{"/Groups/" + g, "/Groups"} {
			a := send(t, srv, "GET "+path, "").want(t, 200)
			if list, ok := a.json["Resources"].([]any); ok {
				a.json = list[0].(map[string]any)
			}
			if got := members(a, "members"); !slices.Equal(got, []string{ada + "=Ada L."}) {
				t.Errorf("%s: %v", path, got)
			}
		}
		if got := members(send(t, srv, "GET /Users/"+ada, ""), "groups"); !slices.Equal(got, []string{g + "=Crew"}) {
			t.Errorf("groups %v", got)
		}
	})
}

// What the host deletes leaves links behind until it calls Unlink. Nobody stumbles
// over them.
func TestLinksToWhatIsGoneAreTolerated(t *testing.T) {
	t.Parallel()
	overStores(t, func(t *testing.T, store storage.Store) {
		users := newTable()
		srv := newServerOver(t, store, scim.BearerToken("secret"), scim.WithHandler(schema.User(), named{users}), scim.WithIndirectGroups(), scim.WithPatchNoContent())
		ada, bob := newUser(t, srv, "ada"), newUser(t, srv, "bob")
		g := send(t, srv, "POST /Groups", groupWith("G", ada, bob)).want(t, 201).id()
		outer := send(t, srv, "POST /Groups", `{"displayName":"Outer","members":[{"value":"`+g+`","type":"Group"}]}`).want(t, 201).id()
		users.forget(ada)
		total := func(path string, want float64) {
			t.Helper()
			if got := send(t, srv, "GET "+path, "").want(t, 200).get("totalResults"); got != want {
				t.Errorf("%s finds %v, want %v", path, got, want)
			}
		}
		if got := send(t, srv, "GET /Groups/"+g, "").want(t, 200).values("members"); len(got) != 2 {
			t.Errorf("members %v", got)
		}
		send(t, srv, "GET /Users/"+ada, "").wantError(t, 404, "")
		total("/Groups", 2)
		total(`/Groups?filter=members.value+eq+"`+ada+`"`, 1)
		total(`/Users?filter=groups.value+eq+"`+g+`"`, 1)
		total(`/Users?filter=groups.value+eq+"`+outer+`"`, 1)
		total("/?filter=displayName+pr", 2)
		if got, err := srv.Directory().Members(t.Context(), "", scim.Ref{Type: "Group", ID: g}, scim.Ref{}, 10); err != nil || len(got) != 2 {
			t.Errorf("members by the directory: %v, %v", got, err)
		}
		if _, err := srv.Skipped(t.Context(), "", "Group", g); err != nil {
			t.Error(err)
		}
		// It can be taken out, and does not come in again.
		send(t, srv, "PATCH /Groups/"+g, patchBody(`[{"op":"remove","path":"members[value eq \"`+ada+`\"]"}]`)).want(t, 200)
		after := send(t, srv, "PATCH /Groups/"+g, patchBody(`[{"op":"add","path":"members","value":[{"value":"`+ada+`"}]}]`)).want(t, 200)
		if got := after.values("members"); !slices.Equal(got, []string{bob}) {
			t.Errorf("members %v", got)
		}
		users.forget(bob)
		send(t, srv, "PUT /Groups/"+g, `{"displayName":"G2"}`).want(t, 200)
		if err := srv.Unlink(t.Context(), "", "User", bob); err != nil {
			t.Fatal(err)
		}
		if got := send(t, srv, "GET /Groups/"+g, "").want(t, 200).values("members"); len(got) != 0 {
			t.Errorf("members after Unlink: %v", got)
		}
		if err := srv.Unlink(t.Context(), "", "User", bob); err != nil {
			t.Errorf("a second Unlink: %v", err)
		}
	})
}

func TestUnlinkIsForAsManyGroupsAsThereAre(t *testing.T) {
	t.Parallel()
	users, h := newTable(), newTeams(nil)
	srv := newServer(t, scim.WithHandler(schema.User(), users), scim.WithHandler(schema.Group(), h))
	ada := newUser(t, srv, "ada")
	for i := range 2500 { // more than a page
		id := fmt.Sprint("g", i)
		h.rows[id] = scim.NewResource(srv.Type("Group")).Meta(scim.Meta{ID: id, Version: "1"}).Set("displayName", id).Resource()
		h.in[id] = map[storage.Ref]bool{{Type: "User", ID: ada}: true}
	}
	delete(h.rows, "g7") // the host forgot its members
	if err := srv.Unlink(t.Context(), "", "User", ada); err != nil {
		t.Fatal(err)
	}
	for id, in := range h.in {
		if len(in) > 0 && id != "g7" {
			t.Fatalf("still a member of %s", id)
		}
	}
}
