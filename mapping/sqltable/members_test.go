package sqltable_test

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/musterhq/muster/mapping/sqltable"
	"github.com/musterhq/muster/scim"
	"github.com/musterhq/muster/scim/schema"
	"github.com/musterhq/muster/storage"
	"github.com/musterhq/muster/storage/memory"
)

// crew makes a team of n users of the host's in tenant 1, and returns its id.
func crew(t *testing.T, db *database, n int) (srv *scim.Server, groups *sqltable.Groups, id string) {
	t.Helper()
	db.seed()
	for i := range n {
		db.run(fmt.Sprintf("INSERT INTO users (org_id, login, source) VALUES (1, 'u%d', 'host')", i+1))
	}
	people := newHandler(t, db, users())
	groups = newGroups(t, db, people)
	srv = newServer(t, people, groups)
	id = expect(t, srv, "secret", "POST /Groups", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"displayName":"Crew"}`, 201).ID
	db.run("INSERT INTO team_members SELECT '" + id + "', id, created_at FROM users")
	return srv, groups, id
}

func patchMembers(op, members string) string {
	return `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":"` + op + `","path":"members","value":[` + members + `]}]}`
}

func TestAnEditOfOneMemberCostsTheSameInALargeGroup(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, db *database) {
		srv, _, id := crew(t, db, 3)
		db.run("INSERT INTO users (org_id, login, source) VALUES (1, 'new', 'host')")
		user := fmt.Sprint(db.ask("SELECT id FROM users WHERE login = 'new'"))
		cost := func() (n int) {
			db.noted()
			expect(t, srv, "secret", "PATCH /Groups/"+id, patchMembers("add", `{"value":"`+user+`"}`), 204)
			expect(t, srv, "secret", "PATCH /Groups/"+id, patchMembers("remove", `{"value":"`+user+`"}`), 204)
			for _, s := range db.noted() {
				n++
				if strings.HasPrefix(s.text, "SELECT") && strings.Contains(s.text, `"team_members" AS m WHERE`) && !strings.Contains(s.text, "LIMIT") && !strings.Contains(s.text, " IN (") {
					t.Errorf("reads all members: %s", s.text)
				}
			}
			return n
		}
		small := cost()
		db.run("WITH RECURSIVE number (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM number WHERE i < 2000)\n" +
			"INSERT INTO users (org_id, login, source) SELECT 1, 'many' || i, 'host' FROM number")
		db.run("INSERT INTO team_members SELECT '" + id + "', id, created_at FROM users WHERE login LIKE 'many%'")
		if large := cost(); large != small {
			t.Errorf("%d statements in a group of 3, %d in one of 2,003", small, large)
		}
		if n := db.ask("SELECT count(*) FROM team_members"); n != int64(2003) {
			t.Errorf("%v members", n)
		}
	})
}

func TestMembersAreThoseThatTheHostHas(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, db *database) {
		srv, _, id := crew(t, db, 3)
		db.run("INSERT INTO users (org_id, login, source) VALUES (2, 'other', 'host')")
		foreign := fmt.Sprint(db.ask("SELECT id FROM users WHERE login = 'other'"))
		body := func() string { return request(t, srv, "secret", "GET /Groups/"+id, "").Body.String() }
		if got := strings.Count(body(), `"value"`); got != 3 {
			t.Errorf("%d members: %s", got, body())
		}
		db.run("DELETE FROM team_members WHERE user_id = 2")
		if strings.Contains(body(), `"value":"2"`) {
			t.Errorf("the host took user 2 out: %s", body())
		}
		// Users of another tenant, and what is no user, are left out.
		expect(t, srv, "secret", "PATCH /Groups/"+id, patchMembers("add", `{"value":"`+foreign+`"},{"value":"x"},{"value":"02"},{"value":"2"}`), 204)
		if got := strings.Count(body(), `"value"`); got != 3 || strings.Contains(body(), `"value":"`+foreign+`"`) {
			t.Errorf("members %s", body())
		}
		for filter, want := range map[string]int{`members.value eq "2"`: 1, `members.value eq "` + foreign + `"`: 0, `members eq "x"`: 0, `not (members.value eq "2")`: 0, `members pr`: 1} {
			if a := expect(t, srv, "secret", "GET /Groups?filter="+url.QueryEscape(filter), "", 200); a.TotalResults != want {
				t.Errorf("%s: %d", filter, a.TotalResults)
			}
		}
		db.noted()
		if a := expect(t, srv, "secret", "GET /Users?filter="+url.QueryEscape(`groups.value eq "`+id+`"`), "", 200); a.TotalResults != 3 {
			t.Errorf("%d users in the group", a.TotalResults)
		}
		for _, s := range db.noted() {
			if strings.Contains(s.text, `FROM "users" AS t LEFT`) && strings.Contains(s.text, "LIMIT") && !strings.Contains(s.text, `FROM "team_members" AS m`) {
				t.Errorf("the database is not asked for the group: %s", s.text)
			}
		}
		if a := expect(t, srv, "other", "GET /Users?filter="+url.QueryEscape(`groups.value eq "`+id+`"`), "", 200); a.TotalResults != 0 {
			t.Error("users of another tenant are in the group")
		}
		for filter, want := range map[string]int{`groups.value eq "x"`: 0, `not (groups.value eq "` + id + `")`: 0, `groups pr`: 3} {
			if a := expect(t, srv, "secret", "GET /Users?filter="+url.QueryEscape(filter), "", 200); a.TotalResults != want {
				t.Errorf("%s: %d", filter, a.TotalResults)
			}
		}
		if user := request(t, srv, "secret", "GET /Users/2", "").Body.String(); !strings.Contains(user, `"display":"Crew"`) {
			t.Errorf("a user does not show the group: %s", user)
		}
		// Another tenant reaches neither the group nor its members.
		expect(t, srv, "other", "GET /Groups/"+id, "", 404)
		expect(t, srv, "other", "PATCH /Groups/"+id, patchMembers("add", `{"value":"`+foreign+`"}`), 404)
		if n := db.ask("SELECT count(*) FROM team_members WHERE user_id = " + foreign); n != int64(0) {
			t.Error("a user of another tenant is a member")
		}
	})
}

func TestAGroupOfTheHostsIsFoundAndNotMadeAgain(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, db *database) {
		srv, _, _ := crew(t, db, 1)
		const id = "00000000-0000-4000-8000-000000000007"
		db.run("INSERT INTO teams VALUES ('" + id + "', 1, 'Bridge')")
		create := `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"displayName":"BRIDGE"}`
		if a := expect(t, srv, "secret", "POST /Groups", create, 409); a.ScimType != "uniqueness" {
			t.Errorf("%+v", a)
		}
		if a := expect(t, srv, "secret", "GET /Groups?filter="+url.QueryEscape(`displayName eq "bridge"`), "", 200); a.TotalResults != 1 || a.Resources[0].ID != id {
			t.Errorf("%+v", a)
		}
		expect(t, srv, "secret", "PATCH /Groups/"+id, patchMembers("add", `{"value":"1"}`), 204)
		// It is the first connection's now, and another one may have a group of that name.
		expect(t, srv, "second", "GET /Groups/"+id, "", 404)
		expect(t, srv, "second", "POST /Groups", create, 201)
		expect(t, srv, "second", "POST /Groups", create, 409)
	})
}

func TestAUserWhoIsDeletedLeavesTheGroups(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, db *database) {
		srv, _, id := crew(t, db, 3)
		expect(t, srv, "secret", "PATCH /Users/2", patchTitle("x"), 200)
		version := expect(t, srv, "secret", "GET /Groups/"+id, "", 200).Meta.Version
		expect(t, srv, "second", "DELETE /Users/2", "", 404)
		if n := db.ask("SELECT count(*) FROM team_members"); n != int64(3) {
			t.Errorf("%v members after a refused deletion", n)
		}
		expect(t, srv, "secret", "DELETE /Users/2", "", 204)
		if n := db.ask("SELECT count(*) FROM team_members"); n != int64(2) {
			t.Errorf("%v members", n)
		}
		if after := expect(t, srv, "secret", "GET /Groups/"+id, "", 200).Meta.Version; after == version {
			t.Error("the group has the version that it had before")
		}
	})
}

func TestLinksAreReadInPagesBothWays(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, db *database) {
		_, groups, id := crew(t, db, 25)
		relation := storage.Relation{Owner: "Group", Name: "members"}
		var got []string
		q := &storage.LinkQuery{Tenant: "1", Relation: relation, Of: []storage.Ref{{Type: "Group", ID: id}}, Limit: 4}
		for {
			links, err := groups.Links(t.Context(), q)
			if err != nil {
				t.Fatal(err)
			}
			for _, l := range links {
				got = append(got, l.To.ID)
			}
			if len(links) < q.Limit {
				break
			}
			q.After = links[len(links)-1].To
		}
		if len(got) != 25 || got[0] != "1" || got[1] != "10" { // in the order of texts
			t.Errorf("%v", got)
		}
		both := []storage.Ref{{Type: "User", ID: "7"}, {Type: "User", ID: "x"}, {Type: "Group", ID: id}, {Type: "User", ID: "3"}}
		links, err := groups.Links(t.Context(), &storage.LinkQuery{Tenant: "1", Relation: relation, Of: both, Inverse: true, Limit: 5})
		want := []storage.Link{{Of: both[0], To: both[2]}, {Of: both[3], To: both[2]}}
		if err != nil || fmt.Sprint(links) != fmt.Sprint(want) {
			t.Errorf("%v %v", links, err)
		}
		for _, q := range []storage.LinkQuery{
			{Tenant: "2", Of: both[2:3]}, {Tenant: "x", Of: both[2:3]}, {Tenant: "1", Of: both[2:3], Other: []storage.Ref{{Type: "User", ID: "x"}}},
			{Tenant: "1", Of: both[2:3], After: storage.Ref{Type: "Users"}},
		} {
			q.Relation = relation
			if links, err := groups.Links(t.Context(), &q); err != nil || len(links) != 0 {
				t.Errorf("%+v: %v %v", q, links, err)
			}
		}
	})
}

func TestATableOfMembersThatDoesNotFitIsRefused(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, db *database) {
		people := newHandler(t, db.seed(), users())
		members := sqltable.Memberships{Name: "phones", Owner: "team_id", Member: "user_id", Users: people}
		g, err := sqltable.NewGroups(t.Context(), db, teams(), members)
		if err != nil {
			t.Fatal(err)
		}
		_, err = scim.New(memory.New(), callers, scim.WithHandler(schema.User(), people), scim.WithHandler(schema.Group(), g))
		for _, text := range []string{`table phones has no column "team_id" for Memberships.Owner`, "no unique index is on columns team_id and user_id", "column number of table phones must not be null"} {
			if err == nil || !strings.Contains(err.Error(), text) {
				t.Errorf("nothing says %q: %v", text, err)
			}
		}
		members.Users = nil
		if _, err := sqltable.NewGroups(t.Context(), db, teams(), members); err == nil {
			t.Error("without a handler of the users")
		}
		members.Users, members.Name = people, "nothing"
		if _, err := sqltable.NewGroups(t.Context(), db, teams(), members); err == nil || !strings.Contains(err.Error(), "table nothing does not exist") {
			t.Error(err)
		}
	})
}

func TestMembersComeAndGoWhileUsersAreDeleted(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, db *database) {
		srv, _, one := crew(t, db, 12)
		two := expect(t, srv, "secret", "POST /Groups", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"displayName":"Bridge"}`, 201).ID
		var everybody []string
		for i := range 12 {
			everybody = append(everybody, fmt.Sprintf(`{"value":"%d"}`, i+1))
		}
		var wg sync.WaitGroup
		send := func(line, body string, expected ...int) {
			if w := request(t, srv, "secret", line, body); !slices.Contains(expected, w.Code) {
				t.Errorf("%s: %d %s", line, w.Code, w.Body)
			}
		}
		for _, group := range []string{one, two} {
			wg.Go(func() {
				for range 5 {
					send("PATCH /Groups/"+group, patchMembers("add", strings.Join(everybody, ",")), 204)
					send("PATCH /Groups/"+group, patchMembers("remove", everybody[0]+","+everybody[11]), 204)
				}
			})
		}
		for first := range 2 {
			wg.Go(func() {
				for i := first; i < 12; i += 3 {
					send(fmt.Sprint("DELETE /Users/", i+1), "", 204)
				}
			})
		}
		wg.Wait()
		if n := db.ask("SELECT count(*) FROM users"); n != int64(4) {
			t.Errorf("%v users are left", n)
		}
		if n := db.ask("SELECT count(*) FROM team_members WHERE user_id NOT IN (SELECT id FROM users)"); n != int64(0) {
			t.Errorf("%v members are nobody", n)
		}
	})
}
