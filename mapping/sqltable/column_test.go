package sqltable_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/musterhq/muster/mapping/sqltable"
	"github.com/musterhq/muster/scim"
	"github.com/musterhq/muster/scim/schema"
	"github.com/musterhq/muster/storage/memory"
)

// people makes a server of a table that is made of columns, in a single tenant, whose
// attribute "active" is kept in a column.
func people(t *testing.T, db *database, key, columns string, active sqltable.Column, more sqltable.Columns, deletion sqltable.Deletion) *scim.Server {
	t.Helper()
	db.run("CREATE TABLE people (id " + key + ", name text NOT NULL, " + columns + ");\nCREATE UNIQUE INDEX people_name ON people (lower(name))" + map[bool]string{true: " WHERE gone IS NULL"}[strings.Contains(columns, "gone")])
	table := sqltable.Table{Name: "people", Columns: sqltable.Columns{"userName": {Name: "name"}}, Unowned: sqltable.Adoptable, Delete: deletion, Clock: newClock().time}
	if active.Name != "" {
		table.Columns["active"] = active
	}
	for path, c := range more {
		table.Columns[path] = c
	}
	srv, err := scim.New(memory.New(), callers, scim.WithHandler(schema.User(), newHandler(t, db, table)))
	if err != nil {
		t.Fatal(err)
	}
	return srv
}

func serial(db *database) string {
	return map[string]string{"sqlite": "INTEGER PRIMARY KEY", "postgres": "serial PRIMARY KEY"}[db.name]
}

func TestActiveIsWhatTheColumnSays(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, column   string
		as             sqltable.Conversion
		yes, no, other string // as SQL has them; other is a value that counts as inactive and is kept
	}{
		{"a boolean", "state boolean", sqltable.Conversion{}, "true", "false", ""},
		{"a number", "state int", sqltable.Conversion{}, "1", "0", ""},
		{"a boolean that says the opposite", "state boolean", sqltable.Inverted(), "false", "true", ""},
		{"a number that says the opposite", "state int", sqltable.Inverted(), "0", "1", ""},
		{"words", "state text", sqltable.Words("on", "off"), "'on'", "'off'", "'locked'"},
		{"numbers", "state int", sqltable.Words(10, 20), "10", "20", "30"},
		{"a time", "state timestamp", sqltable.NullIsTrue(), "NULL", "'2026-01-01 08:00:00'", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			onEach(t, func(t *testing.T, db *database) {
				srv := people(t, db, serial(db), c.column, sqltable.Column{Name: "state", As: c.as}, nil, sqltable.RemoveRow())
				db.run("INSERT INTO people (name, state) VALUES ('yes', " + c.yes + ");\nINSERT INTO people (name, state) VALUES ('no', " + c.no + ")")
				names := func(filter string) string {
					plan, err := srv.ParseFilter(scim.Principal{}, srv.Type("User"), filter)
					if err != nil {
						t.Fatal(err)
					}
					res, err := srv.Do(t.Context(), scim.Principal{Tenant: "1"}, &scim.Operation{Method: scim.List, Type: srv.Type("User"), List: scim.ListOptions{Filter: plan, Count: 10}})
					if err != nil {
						t.Fatal(err)
					}
					var list []string
					for _, item := range res.Items {
						list = append(list, item.Resource.String("userName"))
					}
					return strings.Join(list, " ")
				}
				if on, off, not := names("active eq true"), names("active eq false"), names("not (active eq true)"); on != "yes" || off != "no" || not != "no" {
					t.Errorf("active %q, inactive %q, not active %q", on, off, not)
				}
				is := func(id, sql string) bool {
					return db.ask("SELECT count(*) FROM people WHERE id = "+id+" AND state IS NOT DISTINCT FROM "+sql) == int64(1)
				}
				if db.name == "sqlite" {
					is = func(id, sql string) bool {
						return db.ask("SELECT count(*) FROM people WHERE id = "+id+" AND state IS "+sql) == int64(1)
					}
				}
				id := expect(t, srv, "secret", "POST /Users", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"new"}`, 201).ID
				if !is(id, c.yes) {
					t.Error("a new user is not active")
				}
				if a := expect(t, srv, "secret", "PATCH /Users/"+id, deactivate, 200); a.Active == nil || *a.Active || is(id, c.yes) {
					t.Errorf("not deactivated: %+v", a)
				}
				if a := expect(t, srv, "secret", "PATCH /Users/"+id, strings.Replace(deactivate, "false", "true", 1), 200); !*a.Active || !is(id, c.yes) {
					t.Errorf("not activated: %+v", a)
				}
				if c.other == "" {
					return
				}
				db.run("UPDATE people SET state = " + c.other + " WHERE id = " + id)
				if a := expect(t, srv, "secret", "PATCH /Users/"+id, deactivate, 200); *a.Active || !is(id, c.other) {
					t.Errorf("the host's word is gone: %+v", a)
				}
			})
		})
	}
}

func TestKeysAreMadeByTheDatabaseOrByUs(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, sqlite, postgres string }{
		{"serial", "INTEGER PRIMARY KEY AUTOINCREMENT", "bigserial PRIMARY KEY"},
		{"identity", "INTEGER PRIMARY KEY", "int GENERATED ALWAYS AS IDENTITY PRIMARY KEY"},
		{"uuid", "CHAR(36) PRIMARY KEY", "uuid PRIMARY KEY"},
		{"uuid of the database", "TEXT PRIMARY KEY DEFAULT (lower(hex(randomblob(16))))", "uuid PRIMARY KEY DEFAULT gen_random_uuid()"},
		{"text", "TEXT NOT NULL UNIQUE", "text PRIMARY KEY"},
		{"text without case", "TEXT PRIMARY KEY COLLATE NOCASE", "varchar(40) PRIMARY KEY"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			onEach(t, func(t *testing.T, db *database) {
				key := c.sqlite
				if db.name == "postgres" {
					key = c.postgres
				}
				srv := people(t, db, key, "job text", sqltable.Column{}, sqltable.Columns{"title": {Name: "job"}}, sqltable.RemoveRow())
				var ids []string
				for _, name := range []string{"a", "b", "c"} {
					ids = append(ids, expect(t, srv, "secret", "POST /Users", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"`+name+`"}`, 201).ID)
				}
				expect(t, srv, "secret", "PATCH /Users/"+ids[1], patchTitle("Pilot"), 200)
				if a := expect(t, srv, "secret", "GET /Users/"+ids[1], "", 200); a.Title != "Pilot" || a.ID != ids[1] {
					t.Errorf("%+v", a)
				}
				if upper := strings.ToUpper(ids[1]); upper != ids[1] {
					expect(t, srv, "secret", "GET /Users/"+upper, "", 404)
				}
				expect(t, srv, "secret", "GET /Users/none", "", 404)
				// Cursors go through all of them in the order of the key.
				seen, line := 0, "GET /Users?count=1&cursor"
				for line != "" {
					w := request(t, srv, "secret", line, "")
					seen += strings.Count(w.Body.String(), `"userName"`)
					line = ""
					if _, rest, ok := strings.Cut(w.Body.String(), `"nextCursor":"`); ok {
						cursor, _, _ := strings.Cut(rest, `"`)
						line = "GET /Users?count=1&cursor=" + cursor
					}
				}
				if seen != 3 {
					t.Errorf("%d seen", seen)
				}
				expect(t, srv, "secret", "DELETE /Users/"+ids[1], "", 204)
				expect(t, srv, "secret", "GET /Users/"+ids[1], "", 404)
			})
		})
	}
}

func TestADeletedRowMayStay(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, db *database) {
		srv := people(t, db, serial(db), "gone timestamp", sqltable.Column{}, nil, sqltable.SetColumn("gone", sqltable.Now))
		create := `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada"}`
		id := expect(t, srv, "secret", "POST /Users", create, 201).ID
		expect(t, srv, "secret", "DELETE /Users/"+id, "", 204)
		expect(t, srv, "secret", "GET /Users/"+id, "", 404)
		expect(t, srv, "secret", "DELETE /Users/"+id, "", 404)
		if a := expect(t, srv, "secret", find("ada"), "", 200); a.TotalResults != 0 {
			t.Error("a deleted user is found")
		}
		if db.ask("SELECT count(*) FROM people WHERE gone IS NOT NULL") != int64(1) {
			t.Error("the row is not kept")
		}
		if again := expect(t, srv, "secret", "POST /Users", create, 201).ID; again == id {
			t.Error("a new user got the row of a deleted one")
		}
	})
}

func TestADeletedRowMaySayItInAWord(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, db *database) {
		srv := people(t, db, serial(db), "state text", sqltable.Column{Name: "state", As: sqltable.Words("on", "off")}, nil, sqltable.SetColumn("state", "deleted"))
		id := expect(t, srv, "secret", "POST /Users", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada"}`, 201).ID
		db.run("INSERT INTO people (name, state) VALUES ('bob', NULL)") // neither active nor deleted
		expect(t, srv, "secret", "DELETE /Users/"+id, "", 204)
		expect(t, srv, "secret", "GET /Users/"+id, "", 404)
		if a := expect(t, srv, "secret", "GET /Users?filter="+url.QueryEscape("active eq false"), "", 200); a.TotalResults != 1 || a.Resources[0].ID == id {
			t.Errorf("%+v", a)
		}
		if db.ask("SELECT count(*) FROM people WHERE state = 'deleted'") != int64(1) {
			t.Error("the word is not written")
		}
	})
}

func TestColumnsThatClientsMayNotChange(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, db *database) {
		srv := people(t, db, serial(db), "job text, kind text NOT NULL DEFAULT 'E', locale text, zone text NOT NULL", sqltable.Column{}, sqltable.Columns{
			"title": {Name: "job", ReadOnly: true}, "locale": {Name: "locale", WriteOnce: true}, "timezone": {Name: "zone", Default: "UTC"},
			"userType": {Name: "kind", As: sqltable.OneOf("Employee", "E", "Contractor", "C"), Default: "E"},
		}, sqltable.RemoveRow())
		post := `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada","title":"Pilot","locale":"en-GB","userType":"contractor"}`
		id := expect(t, srv, "secret", "POST /Users", post, 201).ID
		for query, want := range map[string]any{"job": nil, "kind": "C", "locale": "en-GB", "zone": "UTC"} {
			if got := db.ask("SELECT " + query + " FROM people"); got != want {
				t.Errorf("%s is %v, want %v", query, got, want)
			}
		}
		db.run("UPDATE people SET job = 'Captain', kind = '?'")
		if a := expect(t, srv, "secret", "PUT /Users/"+id, strings.Replace(post, "contractor", "EMPLOYEE", 1), 200); a.Title != "Captain" {
			t.Errorf("%+v", a)
		}
		if a := expect(t, srv, "secret", "PUT /Users/"+id, strings.Replace(post, "en-GB", "fr-FR", 1), 400); a.ScimType != "mutability" {
			t.Errorf("%+v", a)
		}
		if a := expect(t, srv, "secret", "PUT /Users/"+id, strings.Replace(post, "contractor", "robot", 1), 400); a.ScimType != "invalidValue" || !strings.Contains(a.Detail, "userType") || strings.Contains(a.Detail, "robot") {
			t.Errorf("%+v", a)
		}
		if db.ask("SELECT kind FROM people") != "E" {
			t.Error("the kind was not written")
		}
	})
}

func TestALogInNameMayBeTheEMailAddressToo(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, db *database) {
		srv := people(t, db, serial(db), "job text", sqltable.Column{}, sqltable.Columns{"emails[type eq 'work'].value": {Name: "name", ReadOnly: true}}, sqltable.RemoveRow())
		post := `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada@harbour.example","emails":[{"type":"work","value":"else@harbour.example","primary":true}]}`
		id := expect(t, srv, "secret", "POST /Users", post, 201).ID
		if body := request(t, srv, "secret", "GET /Users/"+id, "").Body.String(); !strings.Contains(body, `"value":"ada@harbour.example"`) || strings.Contains(body, "else") {
			t.Error(body)
		}
		if a := expect(t, srv, "secret", "GET /Users?filter="+url.QueryEscape(`emails.value eq "ADA@harbour.example"`), "", 200); a.TotalResults != 1 {
			t.Errorf("%d found", a.TotalResults)
		}
		h := newHandler(t, db, sqltable.Table{Name: "people", Columns: sqltable.Columns{"userName": {Name: "name"}, "displayName": {Name: "name"}}})
		if err := start(h); err == nil || !strings.Contains(err.Error(), "column name is given to both displayName and userName") {
			t.Error(err)
		}
	})
}
