package scim_test

import (
	"fmt"
	"testing"

	"github.com/musterhq/muster/scim"
	"github.com/musterhq/muster/storage/memory"
)

func TestADirectoryFindsAndCounts(t *testing.T) {
	t.Parallel()
	srv := newServer(t)
	d := srv.Directory()
	var ids []string
	for i := range 7 {
		active := fmt.Sprintf(`{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"u%d","active":%v}`, i, i%2 == 0)
		ids = append(ids, send(t, srv, "POST /Users", active).want(t, 201).id())
	}
	send(t, srv, "DELETE /Users/"+ids[0], "").want(t, 204)
	send(t, srv, "DELETE /Users/"+ids[1], "").want(t, 204)
	where := func(text string) *scim.Filter {
		f, err := srv.ParseFilter(scim.Principal{}, srv.Type("User"), text)
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	for _, c := range []struct {
		filter         string
		found, deleted int
	}{
		{"active eq true", 3, 0}, // u2, u4, u6; a tombstone is inactive
		{"active eq false", 2, 2},
		{`userName sw "u"`, 5, 2},
		{`userName eq "U0"`, 0, 1},
		{`userName eq "U3"`, 1, 0},
	} {
		for _, limit := range []int{1, 2, 100} {
			got := 0
			for after := ""; ; {
				page, err := d.Find(t.Context(), "", where(c.filter), after, limit)
				if err != nil {
					t.Fatal(err)
				}
				for _, e := range page {
					if e.Connection != "default" || e.Resource.ID() <= after {
						t.Errorf("%s: %+v behind %s", c.filter, e, after)
					}
					after = e.Resource.ID()
				}
				if got += len(page); len(page) < limit {
					break
				}
			}
			gone, err := d.FindDeleted(t.Context(), "", where(c.filter), limit)
			if got != c.found || len(gone) != min(c.deleted, limit) || err != nil {
				t.Errorf("%s: found %d, want %d, and %d deleted, want %d: %v", c.filter, got, c.found, len(gone), c.deleted, err)
			}
		}
		if n, err := d.Count(t.Context(), "", where(c.filter)); n != c.found || err != nil {
			t.Errorf("%s: counted %d: %v", c.filter, n, err)
		}
		if n, err := d.Count(t.Context(), "another tenant", where(c.filter)); n != 0 || err != nil {
			t.Errorf("%s: counted %d in another tenant: %v", c.filter, n, err)
		}
	}
}

func TestADirectoryKnowsWhatAConnectionIsShown(t *testing.T) {
	t.Parallel()
	srv := adopting(t, memory.New(), nil)
	ada := made(t, srv, "okta", "User", map[string]any{"userName": "ada"})
	gone := made(t, srv, "okta", "User", map[string]any{"userName": "gone"})
	send(t, srv, "DELETE /Users/"+gone, "").want(t, 204)
	sharing := adopting(t, srv.Directory().Store(), nil, scim.WithSharing(func(string) bool { return true }))
	for _, c := range []struct {
		srv                *scim.Server
		tenant, connection string
		ref                scim.Ref
		want               bool
	}{
		{srv, "acme", "okta", user(ada), true},
		{srv, "acme", "entra", user(ada), false},
		{srv, "acme", "", user(ada), false}, // "default"
		{srv, "other", "okta", user(ada), false},
		{srv, "acme", "okta", user(gone), false},
		{srv, "acme", "okta", user("unknown"), false},
		{srv, "acme", "okta", scim.Ref{Type: "Robot", ID: ada}, false},
		{sharing, "acme", "entra", user(ada), true},
		{sharing, "other", "entra", user(ada), false},
	} {
		if got, err := c.srv.Directory().Shows(t.Context(), c.tenant, c.connection, c.ref); got != c.want || err != nil {
			t.Errorf("%s to %q of %s: %v %v", c.ref, c.connection, c.tenant, got, err)
		}
	}
}
