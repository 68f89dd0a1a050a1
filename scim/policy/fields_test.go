package policy_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/musterhq/muster/scim"
	"github.com/musterhq/muster/scim/patch"
	"github.com/musterhq/muster/scim/policy"
	"github.com/musterhq/muster/storage"
)

const enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"

// hosted is a server with fields of the host, and what it reported.
func hosted(t *testing.T, p *place, f policy.Fields) (s *server, reported func() []string) {
	t.Helper()
	var mu sync.Mutex
	var names []string
	s = p.server(t, scim.WithAmendment(f.Amendment()), scim.WithReport(func(_ context.Context, r scim.Report) {
		mu.Lock()
		defer mu.Unlock()
		names = append(names, r.Ignored...)
	}))
	return s, func() []string {
		mu.Lock()
		defer mu.Unlock()
		out := names
		names = nil
		return out
	}
}

// edit changes a user in process, as the host's own interface does.
func (s *server) edit(id, ops string) {
	s.t.Helper()
	req, err := patch.Parse(s.Type("User"), []byte(patchOf(ops)), patch.ParseOptions{})
	if err == nil {
		_, err = s.Do(s.t.Context(), scim.Principal{Tenant: "acme", Connection: "entra"}, &scim.Operation{Method: scim.Patch, Type: s.Type("User"), ID: id, Patch: req})
	}
	if err != nil {
		s.t.Fatal(err)
	}
}

func TestAttributesOfTheHostStayWhateverAClientSends(t *testing.T) {
	t.Parallel()
	fields := policy.Fields{Host: []string{"displayName", "name.givenName", enterprise + ":department", "phoneNumbers", "roles"}}
	everywhere(t, func(t *testing.T, p *place) {
		s, reported := hosted(t, p, fields)
		id := s.create("ada", `,"displayName":"from the IdP","name":{"givenName":"A","familyName":"L"},"title":"t"`)
		s.edit(id, `[{"op":"replace","path":"displayName","value":"Ada"},{"op":"replace","path":"name.givenName","value":"Augusta"},
			{"op":"replace","path":"`+enterprise+`:department","value":"Engines"},{"op":"replace","path":"phoneNumbers","value":[{"value":"1"}]}]`)
		if got := s.send("GET /Users/"+id, "").want(200); got.json["displayName"] != "Ada" {
			t.Fatalf("the host cannot set its own attributes: %s", got.body)
		}
		for _, c := range []struct{ request, body, ignored string }{
			{"PUT", user("ada", `,"displayName":"from the IdP","name":{"givenName":"A","familyName":"L"},"title":"new"`), "displayName,name.givenName"},
			{"PUT", user("ada", `,"title":"new"`), ""},
			{"PATCH", patchOf(`[{"op":"replace","path":"displayName","value":"from the IdP"},{"op":"replace","path":"title","value":"new"}]`), "displayName"},
			{"PATCH", patchOf(`[{"op":"replace","path":"displayName","value":"ADA"},{"op":"replace","path":"title","value":"new"}]`), "displayName"},
			{"PATCH", patchOf(`[{"op":"replace","value":{"displayName":"x","title":"new"}}]`), "displayName"},
			{"PATCH", patchOf(`[{"op":"remove","path":"name"},{"op":"add","path":"title","value":"new"}]`), "name.givenName"},
			{"PATCH", patchOf(`[{"op":"remove","path":"` + enterprise + `:department"},{"op":"add","path":"title","value":"new"}]`), enterprise + ":department"},
			{"PATCH", patchOf(`[{"op":"add","path":"phoneNumbers","value":[{"value":"2"}]},{"op":"replace","path":"title","value":"new"}]`), "phoneNumbers"},
			{"PATCH", patchOf(`[{"op":"add","path":"roles","value":[{"value":"owner"}]},{"op":"replace","path":"title","value":"new"}]`), "roles"},
		} {
			s.edit(id, `[{"op":"replace","path":"title","value":"old"},{"op":"replace","path":"name.familyName","value":"L"}]`)
			reported()
			a := s.send(c.request+" /Users/"+id, c.body).want(200)
			name, _ := a.json["name"].(map[string]any)
			ext, _ := a.json[enterprise].(map[string]any)
			if a.json["displayName"] != "Ada" || name["givenName"] != "Augusta" || ext["department"] != "Engines" || fmt.Sprint(a.json["phoneNumbers"]) != "[map[value:1]]" || a.json["roles"] != nil {
				t.Errorf("%s %s: %s", c.request, c.body, a.body)
			}
			if a.json["title"] != "new" {
				t.Errorf("%s %s: the rest was not done: %s", c.request, c.body, a.body)
			}
			if got := strings.Join(reported(), ","); got != c.ignored {
				t.Errorf("%s %s: reported %q, want %q", c.request, c.body, got, c.ignored)
			}
		}
		// With nothing else in it, a request changes nothing.
		before := s.send("GET /Users/"+id, "").body
		s.send("PATCH /Users/"+id, patchOf(`[{"op":"replace","path":"displayName","value":"x"}]`)).want(200)
		if after := s.send("GET /Users/"+id, "").body; after != before {
			t.Errorf("something changed:\n%s\n%s", before, after)
		}
	})
}

func TestChangesOfTheHostsAttributesAreRefusedByChoice(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, p *place) {
		s, _ := hosted(t, p, policy.Fields{Host: []string{"displayName"}, Refuse: true})
		id := s.create("ada", `,"displayName":"Ada"`)
		a := s.send("PATCH /Users/"+id, patchOf(`[{"op":"replace","path":"displayName","value":"x"},{"op":"replace","path":"title","value":"new"}]`)).want(400)
		if a.json["scimType"] != "mutability" || !strings.Contains(a.detail(), `"displayName"`) {
			t.Error(a.body)
		}
		if got := s.send("GET /Users/"+id, "").json["title"]; got != nil {
			t.Error("a part of the request was done")
		}
		s.send("PUT /Users/"+id, user("ada", `,"displayName":"x"`)).want(400)
		s.send("PUT /Users/"+id, user("ada", `,"displayName":"Ada","title":"new"`)).want(200)
		if a := s.send("PUT /Users/"+id, user("ada")).want(200); a.json["displayName"] != "Ada" {
			t.Error(a.body)
		}
	})
}

func TestPeopleMayChangeTheHostsAttributesOfTheirAccount(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, p *place) {
		var id string
		s := p.server(t, scim.WithAmendment(policy.Fields{Host: []string{"displayName"}}.Amendment()),
			scim.WithMe(func(context.Context, scim.Principal) (string, string, error) { return "User", id, nil }))
		id = s.create("ada", `,"displayName":"Ada","title":"Countess"`)
		s.send("PATCH /Me", patchOf(`[{"op":"replace","path":"displayName","value":"Augusta"}]`), "me").want(200)
		s.send("PATCH /Me", patchOf(`[{"op":"replace","path":"displayName","value":"A"},{"op":"replace","path":"title","value":"Queen"}]`), "me").want(403)
		s.send("PUT /Me", user("ada", `,"displayName":"A"`), "me").want(403)
		a := s.send("GET /Users/"+id, "").want(200)
		if a.json["displayName"] != "Augusta" || a.json["title"] != "Countess" {
			t.Error(a.body)
		}
	})
}

func TestEditableSaysWhatTheHostMayLetPeopleChange(t *testing.T) {
	t.Parallel()
	f := policy.Fields{Host: []string{"displayName", "name.givenName", "name.familyName", enterprise, "emails"}, Own: []string{"app"}}
	s := places()[0].server(t)
	id := s.create("ada")
	entry, err := s.Directory().Get(t.Context(), "acme", storage.Ref{Type: "User", ID: id})
	if err != nil {
		t.Fatal(err)
	}
	own := entry
	own.Connection = "app"
	for _, c := range []struct {
		name string
		want bool
	}{
		{"displayName", true}, {"DISPLAYNAME", true}, {"name.givenName", true}, {"name", false}, {"name.middleName", false},
		{"title", false}, {"active", false}, {"userName", false},
		{enterprise + ":department", true}, {enterprise + ":manager", true}, {enterprise + ":manager.value", true},
		{"emails", true}, {"emails.value", true}, {"phoneNumbers", false},
	} {
		if got := f.Editable(entry, c.name); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
		if !f.Editable(own, c.name) {
			t.Errorf("%s of a user of the host's own is not editable", c.name)
		}
	}
	if f.Editable(own, "nosuch") || f.Editable(entry, "nosuch") {
		t.Error("an attribute that is not there is editable")
	}
}

func TestFieldsThatCannotBeTheHostsFailEveryWrite(t *testing.T) {
	t.Parallel()
	for _, name := range []string{
		"nosuch", "active", "ACTIVE", "userName", "externalId", "password", "id", "groups", "emails.value", "meta",
		"urn:ietf:params:scim:schemas:core:2.0:User:active",
	} {
		s, _ := hosted(t, places()[0], policy.Fields{Host: []string{name}})
		id := s.create("ada")
		if a := s.send("PATCH /Users/"+id, patchOf(`[{"op":"replace","path":"title","value":"x"}]`)); a.status != 500 {
			t.Errorf("%s: %d", name, a.status)
		}
	}
}

func TestTheOwnerOfFieldsIsKeptInBulkToo(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, p *place) {
		s, reported := hosted(t, p, policy.Fields{Host: []string{"displayName"}})
		id := s.create("ada", `,"displayName":"Ada"`)
		reported()
		s.send("POST /Bulk", `{"schemas":["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],"Operations":[{"method":"PATCH","path":"/Users/`+id+`","data":`+
			patchOf(`[{"op":"replace","path":"displayName","value":"x"},{"op":"replace","path":"title","value":"new"}]`)+`}]}`).want(200)
		a := s.send("GET /Users/"+id, "").want(200)
		if a.json["displayName"] != "Ada" || a.json["title"] != "new" || !slices.Equal(reported(), []string{"displayName"}) {
			t.Error(a.body)
		}
	})
}
