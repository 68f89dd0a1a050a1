package sqltable_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/musterhq/muster/mapping/sqltable"
)

// What only PostgreSQL has in columns.

func TestTypesOfPostgreSQL(t *testing.T) {
	t.Parallel()
	db := postgresDatabase(t)
	db.run("CREATE TYPE state AS ENUM ('on', 'off, for now');\nCREATE DOMAIN short AS varchar(5) NOT NULL DEFAULT 'x';\nCREATE SCHEMA app")
	db.run(`CREATE TABLE app."People of ours" ("Id" uuid PRIMARY KEY DEFAULT gen_random_uuid(), tenant uuid NOT NULL, name varchar(100) NOT NULL,
		state state NOT NULL DEFAULT 'on', nick short, badge uuid, born date, seen timestamptz DEFAULT 'infinity')`)
	t.Cleanup(func() { db.run("DROP SCHEMA app CASCADE") })
	db.run(`CREATE UNIQUE INDEX ON app."People of ours" (tenant, upper(name))`)
	tenant := "6ba7b810-9dad-41d1-80b4-00c04fd430c8"
	h := newHandler(t, db, sqltable.Table{
		Name: "app.People of ours", Key: "Id", Tenant: "tenant",
		Columns: sqltable.Columns{
			"userName": {Name: "name"}, "active": {Name: "state", As: sqltable.Words("on", "off, for now")}, "nickName": {Name: "nick"},
			"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:employeeNumber": {Name: "badge"}, "meta.lastModified": {Name: "seen"},
		},
		Clock: newClock().time,
	})
	srv := newServerOf(t, h, tenant)
	if w := h.Warnings(); len(w) > 0 {
		t.Errorf("%v", w)
	}
	post := `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"Ada","nickName":"ad","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"employeeNumber":"6ba7b810-9dad-41d1-80b4-00c04fd430c9"}}`
	id := expect(t, srv, "secret", "POST /Users", post, 201).ID
	if a := expect(t, srv, "secret", "POST /Users", strings.Replace(strings.Replace(post, "Ada", "Bob", 1), `"ad"`, `"longer"`, 1), 400); !strings.Contains(a.Detail, "nickName") {
		t.Errorf("%+v", a)
	}
	if a := expect(t, srv, "secret", "POST /Users", strings.Replace(strings.Replace(post, "Ada", "Bob", 1), "430c9", "430C9", 1), 400); !strings.Contains(a.Detail, "employeeNumber") {
		t.Errorf("%+v", a)
	}
	expect(t, srv, "secret", "PATCH /Users/"+id, deactivate, 200)
	if state := db.ask(`SELECT state::text FROM app."People of ours"`); state != "off, for now" {
		t.Errorf("state %v", state)
	}
	for filter, want := range map[string]int{
		`userName eq "ADA"`: 1, `active eq false`: 1, `active eq true`: 0, `nickName sw "A"`: 1, `id eq "` + id + `"`: 1, `id sw "zz"`: 0,
		`urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:employeeNumber eq "6BA7B810-9dad-41d1-80b4-00c04fd430c9"`: 1,
		`urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:employeeNumber eq "x"`:                                    0,
		`urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:employeeNumber co "9DAD"`:                                 1,
	} {
		if a := expect(t, srv, "secret", "GET /Users?filter="+url.QueryEscape(filter), "", 200); a.TotalResults != want {
			t.Errorf("%s finds %d", filter, a.TotalResults)
		}
	}
	for _, line := range []string{"GET /Users?sortBy=userName", "GET /Users?sortBy=active&sortOrder=descending", "GET /Users?sortBy=meta.lastModified", "GET /Users?sortBy=id"} {
		expect(t, srv, "secret", line, "", 200)
	}
	expect(t, srv, "secret", "DELETE /Users/"+id, "", 204)
}

// A collation may see letters otherwise than SCIM does, and lose matches in an index.
func TestCollationsThatSeeLettersOtherwise(t *testing.T) {
	t.Parallel()
	db := postgresDatabase(t)
	db.run("CREATE COLLATION turkish (provider = icu, locale = 'tr-TR');\nCREATE COLLATION loose (provider = icu, locale = 'und-u-ks-level1', deterministic = false)")
	for _, collation := range []string{"turkish", "loose"} {
		db.run("CREATE TABLE " + collation + "_people (id bigserial PRIMARY KEY, name text COLLATE " + collation + " NOT NULL)")
		db.run("CREATE UNIQUE INDEX ON " + collation + "_people (lower(name))")
		h := newHandler(t, db, sqltable.Table{Name: collation + "_people", Columns: sqltable.Columns{"userName": {Name: "name"}}, Unowned: sqltable.Adoptable})
		srv := newServerOf(t, h, "1")
		db.run("INSERT INTO " + collation + "_people (name) VALUES ('INDIGO');\nINSERT INTO " + collation + "_people (name) VALUES ('r\u00E9sum\u00E9')")
		for filter, want := range map[string]int{
			`userName eq "indigo"`: 1, `userName eq "INDIGO"`: 1, `userName sw "in"`: 1, `userName eq "resume"`: 0, `userName eq "R\u00C9SUM\u00C9"`: 1,
			`userName co "sum"`: 1, `not (userName eq "indigo")`: 1, `userName gt "a" and userName lt "j"`: 1,
		} {
			if a := expect(t, srv, "secret", "GET /Users?filter="+url.QueryEscape(filter), "", 200); a.TotalResults != want {
				t.Errorf("%s: %s finds %d, want %d", collation, filter, a.TotalResults, want)
			}
		}
		if collation == "turkish" && !strings.Contains(h.Warnings()[0].Text, "lower() does not do with ASCII letters") {
			t.Errorf("%v", h.Warnings())
		}
		expect(t, srv, "secret", "POST /Users", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"Indigo"}`, 409)
	}
}
