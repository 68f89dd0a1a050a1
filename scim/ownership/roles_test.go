package ownership_test

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/musterhq/muster/roles"
	"github.com/musterhq/muster/scim/ownership"
	"github.com/musterhq/muster/storage"
)

func TestRolesStayWhenUsersAndGroupsChangeHands(t *testing.T) {
	t.Parallel()
	overStores(t, func(t *testing.T, store storage.Store) {
		b := newBed(t, store, ownership.Rule{Domains: domains("acme.example"), Verified: ownName})
		var told []string
		rec, err := roles.New(b.Directory(), roles.ApplierFunc(func(_ context.Context, _ string, changes []roles.Change) error {
			for _, c := range changes {
				told = append(told, fmt.Sprintf("%s in %s: %q to %q", c.User, c.Scope.ID, c.From, c.To))
			}
			return nil
		}), roles.WithSettings(roles.Settings{Table: true}))
		if err != nil {
			t.Fatal(err)
		}
		b.Subscribe(rec.Handle)
		sync := func(when string, want ...string) {
			t.Helper()
			told = nil
			if err := rec.Sync(t.Context(), acme); err != nil {
				t.Fatal(err)
			}
			if slices.Sort(told); !slices.Equal(told, sorted(want...)) {
				t.Errorf("%s: the host is told %q, want %q", when, told, want)
			}
		}
		ada := b.account("ada@acme.example")
		bea, _ := b.want(201, "okta", "POST /Users", `{"userName":"bea@acme.example"}`)
		b.want(201, "okta", "POST /Users", `{"userName":"ada@acme.example","externalId":"1"}`)
		sales, _ := b.want(201, "okta", "POST /Groups", `{"displayName":"Sales","members":`+members(ada, bea)+`}`)
		if _, err := rec.AddRow(t.Context(), acme, roles.Row{Group: sales, Scope: roles.Workspace("w"), Role: "admin"}); err != nil {
			t.Fatal(err)
		}
		sync("at first", ada+` in w: "" to "admin"`, bea+` in w: "" to "admin"`)
		before, err := rec.Assignments(t.Context(), acme, roles.UserQuery{})
		if err != nil {
			t.Fatal(err)
		}

		if err := b.own.Replace(t.Context(), acme, "okta", "okta2"); err != nil {
			t.Fatal(err)
		}
		b.want(201, "okta2", "POST /Users", `{"userName":"ada@acme.example","externalId":"2"}`)
		b.want(201, "okta2", "POST /Groups", `{"displayName":"Sales","members":`+members(ada)+`}`)
		sync("a user and a group were adopted")
		if _, err := b.own.Transfer(t.Context(), acme, "okta", "okta2"); err != nil {
			t.Fatal(err)
		}
		sync("the rest was transferred")
		if _, err := b.own.Transfer(t.Context(), acme, "okta2", "entra"); err != nil {
			t.Fatal(err)
		}
		sync("everything was transferred")
		if err := rec.ReconcileAll(t.Context(), acme); err != nil {
			t.Fatal(err)
		}
		sync("everybody was looked at again")
		after, err := rec.Assignments(t.Context(), acme, roles.UserQuery{})
		if err != nil || fmt.Sprint(after) != fmt.Sprint(before) {
			t.Errorf("assignments\n%v\nwere\n%v\n%v", after, before, err)
		}
		// What is not confirmed keeps its role until the host decides.
		b.want(204, "entra", "PATCH /Groups/"+sales, patchBody("add", "members", members(ada)))
		if err := b.own.Revoke(t.Context(), acme, sales); err != nil {
			t.Fatal(err)
		}
		sync("one was revoked", bea+` in w: "admin" to ""`)
	})
}
