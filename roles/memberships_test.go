package roles_test

import (
	"log/slog"
	"path/filepath"
	"testing"

	"github.com/musterhq/muster/internal/pgtest"
	"github.com/musterhq/muster/roles"
	"github.com/musterhq/muster/scim"
	"github.com/musterhq/muster/storage"
	"github.com/musterhq/muster/storage/memory"
	"github.com/musterhq/muster/storage/postgres"
	"github.com/musterhq/muster/storage/sqlite"
)

// An identity provider that cannot push members sends them with its users, over HTTP;
// members that it sends with groups do not count, those of another connection do.
func TestRolesFollowTheGroupsThatUsersBring(t *testing.T) {
	t.Parallel()
	for name, open := range map[string]func(*testing.T) storage.Store{
		"memory": func(*testing.T) storage.Store { return memory.New() },
		"plain":  func(*testing.T) storage.Store { return plain{memory.New()} }, // no change log
		"sqlite": func(t *testing.T) storage.Store {
			s, err := sqlite.Open(filepath.Join(t.TempDir(), "directory.db"))
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { s.Close() })
			return s
		},
		"postgres": func(t *testing.T) storage.Store {
			s, err := postgres.Open(t.Context(), pgtest.URL(t))
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { s.Close() })
			if err := s.Migrate(t.Context()); err != nil {
				t.Fatal(err)
			}
			return s
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := &host{t: t, store: open(t), roles: map[string]map[roles.Scope]roles.Role{}}
			var err error
			h.srv, err = scim.New(h.store, scim.BearerTokens(map[string]scim.Principal{
				"t":     {Tenant: tenant, Connection: "by users"},
				"other": {Tenant: tenant, Connection: "by groups"},
			}), scim.WithLogger(slog.New(slog.DiscardHandler)),
				scim.WithMembershipsOfUsers(func(p scim.Principal) bool { return p.Connection == "by users" }))
			if err != nil {
				t.Fatal(err)
			}
			h.rec = h.reconciler(both(), byNames())
			t.Cleanup(h.srv.Subscribe(h.rec.Handle))

			const user, group, operations = `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":`,
				`{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"displayName":`,
				`{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[`
			sales := send(t, h.srv, "POST", "/Groups", group+`"ws-Sales-role-admin"}`)
			ops := send(t, h.srv, "POST", "/Groups", group+`"ws-Ops-role-member"}`)
			ada := send(t, h.srv, "POST", "/Users", user+`"ada","groups":[{"value":"`+sales+`"},{"value":"unknown"}]}`)
			step := func(what, want string) {
				t.Helper()
				h.sync()
				if got := h.has(ada); got != want {
					t.Errorf("%s: ada has %q, want %q", what, got, want)
				}
			}
			step("created with a group", "Sales:admin")
			send(t, h.srv, "PATCH", "/Users/"+ada, operations+`{"op":"add","path":"groups","value":[{"value":"`+ops+`"}]}]}`)
			step("added to another", "Ops:member Sales:admin")
			send(t, h.srv, "PATCH", "/Users/"+ada, operations+`{"op":"remove","path":"groups[value eq \"`+sales+`\"]"}]}`)
			step("removed from the first", "Ops:member")
			send(t, h.srv, "PUT", "/Users/"+ada, user+`"ada","groups":[{"value":"`+sales+`"}]}`)
			step("replaced", "Sales:admin")
			send(t, h.srv, "PUT", "/Users/"+ada, user+`"ada","displayName":"Ada"}`)
			step("replaced without groups", "Sales:admin")
			send(t, h.srv, "PATCH", "/Groups/"+sales, operations+`{"op":"remove","path":"members"}]}`)
			send(t, h.srv, "PATCH", "/Groups/"+ops, operations+`{"op":"add","path":"members","value":[{"value":"`+ada+`"}]}]}`)
			step("members sent with groups", "Sales:admin")
			send(t, h.srv, "PATCH", "/Users/"+ada, operations+`{"op":"replace","value":{"active":false,"groups":[{"value":"`+ops+`"}]}}]}`)
			step("deactivated", "")
			send(t, h.srv, "PATCH", "/Users/"+ada, operations+`{"op":"replace","value":{"active":true}}]}`)
			step("reactivated", "Ops:member")
		})
	}
}
