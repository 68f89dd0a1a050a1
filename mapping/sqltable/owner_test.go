package sqltable_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/url"
	"strings"
	"testing"

	"github.com/musterhq/muster/mapping/sqltable"
	"github.com/musterhq/muster/scim"
	"github.com/musterhq/muster/scim/ownership"
)

// answered is what of an answer tests look at.
type answered struct {
	ID           string `json:"id"`
	UserName     string `json:"userName"`
	Title        string `json:"title"`
	ScimType     string `json:"scimType"`
	Detail       string `json:"detail"`
	TotalResults int    `json:"totalResults"`
	Active       *bool  `json:"active"`
	Meta         struct {
		Version string `json:"version"`
	} `json:"meta"`
	Resources []struct {
		ID string `json:"id"`
	} `json:"Resources"`
}

// expect sends a request and checks the status of the answer.
func expect(t *testing.T, srv *scim.Server, token, line, body string, status int) (a answered) {
	t.Helper()
	w := request(t, srv, token, line, body)
	if w.Code != status {
		t.Fatalf("%s %s: %d, want %d: %s", line, body, w.Code, status, w.Body)
	}
	if w.Body.Len() > 0 {
		if err := json.Unmarshal(w.Body.Bytes(), &a); err != nil {
			t.Fatal(err)
		}
	}
	return a
}

func find(userName string) string {
	return "GET /Users?filter=" + url.QueryEscape(`userName eq "`+userName+`"`)
}

const (
	hostsAda   = "INSERT INTO users (org_id, login, first_name, job, source) VALUES (1, 'ada@harbour.example', 'Ada', 'Pilot', 'host')"
	createAda  = `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"Ada@harbour.example","externalId":"a1"}`
	deactivate = `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":"replace","path":"active","value":false}]}`
)

func patchTitle(title string) string {
	return `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":"replace","path":"title","value":"` + title + `"}]}`
}

func TestPrivateRowsAreNotThereForConnections(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, db *database) {
		db.seed().run(hostsAda)
		table := users()
		table.Unowned = sqltable.Private
		h := newHandler(t, db, table)
		srv := newServer(t, h, nil)
		if a := expect(t, srv, "secret", find("ada@harbour.example"), "", 200); a.TotalResults != 0 {
			t.Errorf("%d found", a.TotalResults)
		}
		expect(t, srv, "secret", "GET /Users/1", "", 404)
		expect(t, srv, "secret", "PATCH /Users/1", deactivate, 404)
		expect(t, srv, "secret", "DELETE /Users/1", "", 404)
		if a := expect(t, srv, "secret", "POST /Users", createAda, 409); a.ScimType != "uniqueness" {
			t.Errorf("%+v", a)
		}
		if db.ask("SELECT status FROM users WHERE id = 1") != "enabled" || db.ask("SELECT count(*) FROM users") != int64(1) {
			t.Error("the row was changed")
		}
		// The host itself sees everybody.
		if r, err := srv.Directory().List(t.Context(), "1", "User", "", "", 10); err != nil || len(r) != 1 || r[0].Connection != "" {
			t.Errorf("%v %v", r, err)
		}
	})
}

func TestAPrivateRowIsAdoptedWhereTheHostSaysSo(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, db *database) {
		db.seed().run(hostsAda)
		table := users()
		table.Unowned = sqltable.Private
		srv := newServer(t, newHandler(t, db, table), nil, scim.WithAdoption(scim.Adopting{
			Decide: func(context.Context, *scim.Claim) (scim.Adoption, error) { return scim.Adopt, nil },
		}))
		if a := expect(t, srv, "secret", "POST /Users", createAda, 201); a.ID != "1" || a.Title != "Pilot" {
			t.Errorf("%+v", a)
		}
		if a := expect(t, srv, "secret", find("ada@harbour.example"), "", 200); a.TotalResults != 1 {
			t.Errorf("%d found", a.TotalResults)
		}
		// What one connection has, another one does not get.
		expect(t, srv, "second", "POST /Users", createAda, 409)
		expect(t, srv, "second", "GET /Users/1", "", 404)
		if r, err := srv.Directory().List(t.Context(), "1", "User", "", "", 10); err != nil || len(r) != 1 || r[0].Connection != "okta" {
			t.Errorf("%v %v", r, err)
		}
	})
}

func TestARowIsAdoptedFromItsOwnerAlone(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, db *database) {
		db.seed().run(hostsAda)
		table := users()
		table.Unowned = sqltable.Private
		h := newHandler(t, db, table)
		srv := newServer(t, h, nil)
		for _, c := range []struct {
			from, to string
			want     error
		}{{"okta", "second", scim.ErrConflict}, {"", "okta", nil}, {"", "second", scim.ErrConflict}, {"okta", "second", nil}} {
			r, err := srv.Directory().Get(t.Context(), "1", scim.Ref{Type: "User", ID: "1"})
			if err != nil {
				t.Fatal(err)
			}
			before := r.Connection
			// Without a version nothing but the owner can tell that somebody was faster.
			m := r.Resource.Meta()
			m.Version = ""
			if _, err := h.Adopt(t.Context(), "1", r.Resource.WithMeta(m), c.from, c.to); !errors.Is(err, c.want) {
				t.Errorf("from %q to %q: %v, want %v", c.from, c.to, err, c.want)
			}
			if c.want == nil {
				before = c.to
			}
			if owners, err := h.Owners(t.Context(), "1", []string{"1"}); err != nil || owners["1"] != before {
				t.Errorf("from %q to %q: the row is %q's, %v, want %q", c.from, c.to, owners["1"], err, before)
			}
		}
	})
}

func TestAdoptableRowsBelongToTheFirstThatWrites(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, db *database) {
		db.seed().run(hostsAda)
		srv := newServer(t, newHandler(t, db, users()), nil)
		for _, token := range []string{"secret", "second"} {
			if a := expect(t, srv, token, find("ADA@harbour.example"), "", 200); a.TotalResults != 1 || a.Resources[0].ID != "1" {
				t.Errorf("%s: %+v", token, a)
			}
		}
		if a := expect(t, srv, "other", find("ada@harbour.example"), "", 200); a.TotalResults != 0 {
			t.Error("another tenant finds the row")
		}
		expect(t, srv, "other", "GET /Users/1", "", 404)
		expect(t, srv, "other", "PATCH /Users/1", deactivate, 404)
		expect(t, srv, "other", "DELETE /Users/1", "", 404)
		expect(t, srv, "secret", "PATCH /Users/1", deactivate, 200)
		expect(t, srv, "second", "GET /Users/1", "", 404)
		expect(t, srv, "second", "PATCH /Users/1", deactivate, 404)
		if a := expect(t, srv, "secret", "GET /Users/1", "", 200); a.Active == nil || *a.Active || a.Title != "Pilot" {
			t.Errorf("%+v", a)
		}
	})
}

func TestAKeyThatIsGivenAgainComesWithoutTheRightsOfTheFormer(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, db *database) {
		db.seed()
		srv := newServer(t, newHandler(t, db, users()), nil)
		id := expect(t, srv, "secret", "POST /Users", createAda, 201).ID
		db.run("DELETE FROM users WHERE id = " + id)
		if n := db.ask("SELECT count(*) FROM scim_users"); n != int64(0) {
			t.Errorf("%d rows are left in the side table", n)
		}
		overriding := map[string]string{"sqlite": "", "postgres": "OVERRIDING SYSTEM VALUE "}[db.name]
		db.run("INSERT INTO users (id, org_id, login, source) " + overriding + "VALUES (" + id + ", 1, 'bob', 'host')")
		if a := expect(t, srv, "second", "GET /Users/"+id, "", 200); a.UserName != "bob" {
			t.Errorf("%+v", a)
		}
	})
}

func TestEveryStatementNamesTheTenant(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, db *database) {
		db.seed().run(hostsAda)
		people := newHandler(t, db, users())
		groups := newGroups(t, db, people)
		srv := newServer(t, people, groups)
		db.noted()
		id := expect(t, srv, "secret", "POST /Users", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"bob","nickName":"B","phoneNumbers":[{"type":"work","value":"1"}]}`, 201).ID
		group := expect(t, srv, "secret", "POST /Groups", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"displayName":"Crew","members":[{"value":"`+id+`"},{"value":"1"}]}`, 201).ID
		for _, line := range []string{
			find("bob"), find("z\u00E9"), "GET /Users/" + id, "GET /Groups/" + group, "GET /Users?sortBy=title&count=1", "GET /Users?sortBy=emails&filter=" + url.QueryEscape(`title co "p" or phoneNumbers[value sw "1"] or nickName pr`),
			"GET /Groups?filter=" + url.QueryEscape(`members.value eq "1" or displayName eq "crew"`), "GET /Users?count=1&startIndex=2", "GET /Users?filter=" + url.QueryEscape(`groups.value eq "`+group+`"`),
		} {
			expect(t, srv, "secret", line, "", 200)
		}
		expect(t, srv, "secret", "PATCH /Users/1", patchTitle("Captain"), 200)
		expect(t, srv, "secret", "PATCH /Groups/"+group, `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":"remove","path":"members[value eq \"1\"]"},{"op":"replace","path":"displayName","value":"All"}]}`, 204)
		expect(t, srv, "secret", "DELETE /Users/"+id, "", 204)
		expect(t, srv, "secret", "DELETE /Groups/"+group, "", 204)
		for _, s := range db.noted() {
			for table, tenant := range map[string]string{`"users"`: `"org_id"`, `"teams"`: `"org_id"`, `"scim_users"`: "tenant", `"scim_teams"`: "tenant"} {
				if strings.Contains(s.text, table) && !strings.Contains(s.text, tenant) {
					t.Errorf("nothing says whose rows of %s: %s", table, s.text)
				}
			}
			for _, value := range []string{"bob", "Captain", "Crew", "crew", "okta"} {
				if strings.Contains(s.text, value) {
					t.Errorf("a value is part of the statement: %s", s.text)
				}
			}
		}
	})
}

func TestWhatAConnectionOwnsMovesToAnotherOne(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, db *database) {
		db.seed().run(hostsAda)
		table := users()
		table.Unowned = sqltable.Private
		people := newHandler(t, db, table)
		srv := newServer(t, people, newGroups(t, db, people))
		id := expect(t, srv, "secret", "POST /Users", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"bob","nickName":"B"}`, 201).ID
		group := expect(t, srv, "secret", "POST /Groups", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"displayName":"Crew","members":[{"value":"`+id+`"}]}`, 201).ID
		report, err := ownership.New(srv).Transfer(t.Context(), "1", "okta", "entra")
		if err != nil || report.Resources["User"] != 1 || report.Resources["Group"] != 1 || report.ConflictCount != 0 || len(report.Fixed) != 0 {
			t.Fatalf("%+v %v", report, err)
		}
		for line, want := range map[string]int{find("bob"): 1, "GET /Groups?filter=" + url.QueryEscape(`members.value eq "`+id+`"`): 1, find("ada@harbour.example"): 0} {
			if a := expect(t, srv, "second", line, "", 200); a.TotalResults != want {
				t.Errorf("%s finds %d", line, a.TotalResults)
			}
			if a := expect(t, srv, "secret", line, "", 200); a.TotalResults != 0 {
				t.Errorf("the former owner: %s finds %d", line, a.TotalResults)
			}
		}
		expect(t, srv, "secret", "PATCH /Users/"+id, deactivate, 404)
		expect(t, srv, "second", "PATCH /Users/"+id, deactivate, 200)
		expect(t, srv, "second", "DELETE /Groups/"+group, "", 204)
		if ada := db.ask("SELECT count(*) FROM users WHERE status = 'enabled'"); ada != int64(1) {
			t.Errorf("%v users are enabled", ada)
		}
	})
}
