package sqltable_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/musterhq/muster/internal/pgtest"
	"github.com/musterhq/muster/mapping/sqltable"
	"github.com/musterhq/muster/mapping/sqltable/postgres"
	"github.com/musterhq/muster/scim"

	"github.com/jackc/pgx/v5/pgxpool"
)

func TestAVersionCoversWhatTheHostChanges(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, db *database) {
		db.seed()
		srv := newServer(t, newHandler(t, db, users()), nil)
		id := expect(t, srv, "secret", "POST /Users", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"bob","phoneNumbers":[{"type":"work","value":"1"}]}`, 201).ID
		version := func() string { return expect(t, srv, "secret", "GET /Users/"+id, "", 200).Meta.Version }
		for _, c := range []struct {
			statement string
			changes   bool
		}{
			{"UPDATE users SET job = 'Pilot' WHERE id = " + id, true},
			{"UPDATE users SET lock_version = lock_version + 1 WHERE id = " + id, true},
			{"UPDATE phones SET number = '2' WHERE user_id = " + id, true},
			{"INSERT INTO phones VALUES (" + id + ", 'home', '3', NULL)", true},
			{"DELETE FROM phones WHERE user_id = " + id, true},
			{"UPDATE users SET job = 'Pilot' WHERE id = " + id, false},
			{"UPDATE users SET source = 'else' WHERE id = " + id, false},
		} {
			before := version()
			db.run(c.statement)
			if after := version(); (after != before) != c.changes {
				t.Errorf("%s: version %s, then %s", c.statement, before, after)
			}
		}
		// A version that a client has seen before is not enough to write.
		before := version()
		db.run("UPDATE users SET job = 'Captain' WHERE id = " + id)
		r := newRequest(t, "PATCH", "/Users/"+id, patchTitle("Deckhand"))
		r.Header.Set("If-Match", before)
		if w := serve(srv, r); w.Code != http.StatusPreconditionFailed {
			t.Errorf("%d %s", w.Code, w.Body)
		}
		if job := db.ask("SELECT job FROM users WHERE id = " + id); job != "Captain" {
			t.Errorf("job %v", job)
		}
	})
}

func TestAWriteTellsTheHostsOwnCode(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, db *database) {
		db.seed().run(hostsAda)
		srv := newServer(t, newHandler(t, db, users()), nil)
		lock := func() any { return db.ask("SELECT lock_version FROM users WHERE id = 1") }
		expect(t, srv, "secret", "PATCH /Users/1", patchTitle("Captain"), 200)
		if lock() != int64(1) {
			t.Errorf("lock_version %v", lock())
		}
		// An attribute of the side table, and a child table, are changes as well.
		expect(t, srv, "secret", "PATCH /Users/1", strings.ReplaceAll(patchTitle("A"), "title", "nickName"), 200)
		expect(t, srv, "secret", "PATCH /Users/1", `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":"add","path":"phoneNumbers","value":[{"value":"7"}]}]}`, 200)
		if lock() != int64(3) {
			t.Errorf("lock_version %v", lock())
		}
		db.noted()
		expect(t, srv, "secret", "PATCH /Users/1", patchTitle("Captain"), 200)
		if lock() != int64(3) {
			t.Errorf("lock_version %v after a write that changes nothing", lock())
		}
		for _, s := range db.noted() {
			if strings.HasPrefix(s.text, "UPDATE") || strings.HasPrefix(s.text, "INSERT") {
				t.Errorf("a write that changes nothing: %s", s.text)
			}
		}
	})
}

func TestRowsOfChildTablesThatStayTheSameAreLeftAlone(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, db *database) {
		db.seed()
		srv := newServer(t, newHandler(t, db, users()), nil)
		body := func(phones string) string {
			return `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"bob","phoneNumbers":[` + phones + `]}`
		}
		id := expect(t, srv, "secret", "POST /Users", body(`{"type":"work","value":"1"},{"type":"home","value":"2"},{"type":"fax","value":"3"}`), 201).ID
		db.noted()
		expect(t, srv, "secret", "PUT /Users/"+id, body(`{"type":"work","value":"1"},{"type":"home","value":"22"},{"type":"mobile","value":"4"}`), 200)
		var done []string
		for _, s := range db.noted() {
			if verb, _, _ := strings.Cut(s.text, " "); verb != "SELECT" && strings.Contains(s.text, "phones") {
				done = append(done, verb)
			}
		}
		if got := strings.Join(done, " "); got != "DELETE UPDATE INSERT" {
			t.Errorf("done: %s", got)
		}
		if n := db.ask("SELECT count(*) FROM phones WHERE number IN ('1', '22', '4')"); n != int64(3) {
			t.Errorf("%v rows", n)
		}
	})
}

func TestWhatTheHostsSchemaRefusesIsAnAnswerThatNamesTheAttribute(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, db *database) {
		db.seed()
		db.run("CREATE UNIQUE INDEX users_email ON users (org_id, email);\nCREATE TABLE grades (code text PRIMARY KEY);\nINSERT INTO grades VALUES ('A')")
		db.run(map[string]string{
			"sqlite": "ALTER TABLE users ADD COLUMN grade TEXT REFERENCES grades (code);\nALTER TABLE users ADD COLUMN floor INTEGER CHECK (floor < 10)",
			"postgres": "ALTER TABLE users ADD COLUMN grade text REFERENCES grades (code);\nALTER TABLE users ADD COLUMN floor smallint CHECK (floor < 10);\n" +
				"CREATE TYPE mood AS ENUM ('good', 'bad');\nALTER TABLE users ADD COLUMN mood mood",
		}[db.name])
		table := users()
		table.Columns["userType"] = sqltable.Column{Name: "grade"}
		table.Columns["urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:division"] = sqltable.Column{Name: "floor"}
		if db.name == "postgres" {
			table.Columns["locale"] = sqltable.Column{Name: "mood"}
		}
		srv := newServer(t, newHandler(t, db, table), nil)
		post := func(userName, attributes string) string {
			return `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"` + userName + `",` + attributes + `}`
		}
		division := `"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"division":"%s"}`
		id := expect(t, srv, "secret", "POST /Users", post("ada", `"emails":[{"type":"work","value":"a@b"}]`), 201).ID
		cases := []struct {
			name, attributes, path, scimType string
			status                           int
		}{
			{"too long", `"title":"` + strings.Repeat("x", 101) + `"`, "title", "invalidValue", 400},
			{"not unique", `"emails":[{"type":"work","value":"a@b"}]`, "emails", "uniqueness", 409},
			{"a foreign key", `"userType":"Z"`, "userType", "", 400},
			{"a check", fmt.Sprintf(division, "11"), "division", "invalidValue", 400},
			{"out of range", fmt.Sprintf(division, "99999999999999999999"), "division", "invalidValue", 400},
			{"not a number", fmt.Sprintf(division, "first"), "division", "invalidValue", 400},
		}
		if db.name == "postgres" {
			cases = append(cases, struct {
				name, attributes, path, scimType string
				status                           int
			}{"no such word", `"locale":"meh"`, "locale", "invalidValue", 400})
		}
		for _, c := range cases {
			if db.name == "sqlite" && c.name == "a foreign key" {
				c.status, c.path = 409, "" // SQLite does not say which
			}
			for _, line := range []string{"POST /Users", "PUT /Users/" + id} {
				userName := "ada"
				if line == "POST /Users" {
					userName = "bob"
				} else if c.name == "not unique" {
					continue
				}
				a := expect(t, srv, "secret", line, post(userName, c.attributes), c.status)
				if !strings.Contains(a.Detail, c.path) || c.scimType != "" && a.ScimType != c.scimType {
					t.Errorf("%s, %s: %+v", c.name, line, a)
				}
				for _, internal := range []string{"users_email", "users", "constraint", "grade", "column", "SQLSTATE", "floor", "mood"} {
					if strings.Contains(a.Detail, internal) {
						t.Errorf("%s: the client reads %q", c.name, a.Detail)
					}
				}
			}
		}
		if n := db.ask("SELECT count(*) FROM users"); n != int64(1) {
			t.Errorf("%v users are left of what was refused", n)
		}
	})
}

func TestARefusedWriteLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, db *database) {
		db.seed().run("CREATE UNIQUE INDEX phones_number ON phones (number)")
		srv := newServer(t, newHandler(t, db, users()), nil)
		body := `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"%s","title":"%s","phoneNumbers":[{"value":"%s"}]}`
		expect(t, srv, "secret", "POST /Users", fmt.Sprintf(body, "ada", "Pilot", "1"), 201)
		id := expect(t, srv, "secret", "POST /Users", fmt.Sprintf(body, "bob", "Pilot", "2"), 201).ID
		if a := expect(t, srv, "secret", "POST /Users", fmt.Sprintf(body, "eve", "Pilot", "1"), 409); !strings.Contains(a.Detail, "phoneNumbers") {
			t.Errorf("%+v", a)
		}
		expect(t, srv, "secret", "PUT /Users/"+id, fmt.Sprintf(body, "bob", "Captain", "1"), 409)
		if n, job := db.ask("SELECT count(*) FROM users"), db.ask("SELECT job FROM users WHERE id = "+id); n != int64(2) || job != "Pilot" {
			t.Errorf("%v users, job %v", n, job)
		}
		if n := db.ask("SELECT count(*) FROM scim_users"); n != int64(2) {
			t.Errorf("%v rows in the side table", n)
		}
	})
}

func TestIDsAndTenantsOfAnyShapeAreNotFound(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, db *database) {
		db.seed().run(hostsAda)
		people := newHandler(t, db, users())
		groups := newGroups(t, db, people)
		srv := newServer(t, people, groups)
		for _, id := range []string{"01", "+1", "1.0", "1 ", " 1", "0x1", "-1", "99999999999999999999", "x", "\u0661", "'", "1;--", "00000000-0000-0000-0000-000000000000", "NULL", "%00", "1%00"} {
			for _, h := range []scim.ResourceHandler{people, groups} {
				if r, err := h.Get(t.Context(), "1", id); err == nil || err != scim.ErrNotFound && !strings.Contains(err.Error(), "not found") {
					t.Errorf("id %q: %v %v", id, r, err)
				}
			}
		}
		for _, tenant := range []string{"", "x", "01", "99999999999999999999", "1 OR 1=1"} {
			if _, err := people.Get(t.Context(), tenant, "1"); err != scim.ErrNotFound {
				t.Errorf("tenant %q: %v", tenant, err)
			}
			if page, err := people.List(t.Context(), &scim.ListRequest{Tenant: tenant, Type: srv.Type("User"), Limit: 10}); err != nil || page.Total != 0 {
				t.Errorf("tenant %q: %v %v", tenant, page, err)
			}
		}
	})
}

func TestADatabaseThatIsAwayIs503(t *testing.T) {
	t.Parallel()
	server := pgtest.Start(t)
	pool, err := pgxpool.New(t.Context(), server.URL(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	db := &database{Database: postgres.Database(pool), t: t, name: "postgres"}
	srv := newServer(t, newHandler(t, db.seed(), users()), nil)
	id := expect(t, srv, "secret", "POST /Users", createAda, 201).ID
	server.Down()
	for _, line := range []string{"GET /Users/" + id, "GET /Users", "POST /Users", "DELETE /Users/" + id} {
		w := request(t, srv, "secret", line, createAda)
		if w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" || strings.Contains(w.Body.String(), "127.0.0.1") {
			t.Errorf("%s: %d %v %s", line, w.Code, w.Header(), w.Body)
		}
	}
	if err := server.Up(); err != nil {
		t.Fatal(err)
	}
	expect(t, srv, "secret", "GET /Users/"+id, "", 200)
}

func TestNothingIsLostBetweenClientsAndTheHost(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, db *database) {
		db.seed().run(hostsAda)
		db.run("ALTER TABLE users ADD COLUMN counter int NOT NULL DEFAULT 0;\nUPDATE users SET first_name = '0', last_name = '0'")
		table := users()
		table.Columns["urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:costCenter"] = sqltable.Column{Name: "counter"}
		h := newHandler(t, db, table)
		srv := newServer(t, h, nil)
		const rounds = 15
		var wg sync.WaitGroup
		fail := make(chan error, 100)
		for _, column := range []string{"first_name", "counter"} { // the host counts in columns that clients see
			wg.Go(func() {
				for range rounds {
					if err := db.try(fmt.Sprintf("UPDATE users SET %s = CAST(CAST(%s AS int) + 1 AS %s) WHERE id = 1", column, column, map[string]string{"first_name": "text", "counter": "int"}[column])); err != nil {
						fail <- err
					}
				}
			})
		}
		for client := range 3 { // and each client changes an attribute of its own
			wg.Go(func() {
				for n := range rounds {
					path := []string{"title", "nickName", "name.familyName"}[client]
					body := strings.ReplaceAll(patchTitle(fmt.Sprint(n+1)), `"title"`, `"`+path+`"`)
					if w := request(t, srv, "secret", "PATCH /Users/1", body); w.Code != http.StatusOK {
						fail <- fmt.Errorf("%d %s", w.Code, w.Body)
					}
				}
			})
		}
		wg.Wait()
		close(fail)
		for err := range fail {
			t.Error(err)
		}
		r, err := h.Get(t.Context(), "1", "1")
		if err != nil {
			t.Fatal(err)
		}
		want := fmt.Sprint(rounds)
		for _, path := range []string{"title", "nickName", "name.familyName", "name.givenName", "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:costCenter"} {
			if got := r.String(path); got != want {
				t.Errorf("%s is %q, want %q", path, got, want)
			}
		}
	})
}

func TestOneOfManyThatCreateAUserWins(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, db *database) {
		db.seed()
		srv := newServer(t, newHandler(t, db, users()), nil)
		// The index of the host does not know that these are one name: the Kelvin sign.
		names := []string{"kim", "KIM", "\u212Aim", "\uFF4Bim", "kiM", "Kim"}
		codes := make([]int, len(names))
		var wg sync.WaitGroup
		for i, name := range names {
			wg.Go(func() {
				codes[i] = request(t, srv, "secret", "POST /Users", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"`+name+`"}`).Code
			})
		}
		wg.Wait()
		created := 0
		for _, code := range codes {
			if code == 201 {
				created++
			} else if code != 409 {
				t.Errorf("answered %d", code)
			}
		}
		if n := db.ask("SELECT count(*) FROM users"); created != 1 || n != int64(1) {
			t.Errorf("%d were created, %v are there", created, n)
		}
	})
}
