package ownership_test

import (
	"database/sql"
	"path/filepath"
	"slices"
	"testing"

	"github.com/musterhq/muster/mapping/sqltable"
	"github.com/musterhq/muster/scim"
	"github.com/musterhq/muster/scim/ownership"
	"github.com/musterhq/muster/scim/schema"
	"github.com/musterhq/muster/storage/memory"
)

func TestUsersInTablesOfTheHostChangeHandsToo(t *testing.T) {
	t.Parallel()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(t.TempDir(), "app.db")+"?_pragma=busy_timeout(5000)")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	for _, statement := range []string{
		`CREATE TABLE users (id INTEGER PRIMARY KEY, org TEXT NOT NULL, login TEXT NOT NULL COLLATE NOCASE, email TEXT, enabled BOOLEAN NOT NULL DEFAULT 1, UNIQUE (org, login), UNIQUE (org, email))`,
		`INSERT INTO users (id, org, login, email) VALUES (7, 'acme', 'ada', 'ada@acme.example'), (8, 'acme', 'bea', 'bea@acme.example'), (9, 'other', 'ada', 'ada@acme.example')`,
	} {
		if _, err := db.ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	users, err := sqltable.New(t.Context(), sqltable.SQLite(db), sqltable.Table{
		Name: "users", Key: "id", Tenant: "org",
		Columns: sqltable.Columns{
			"userName": {Name: "login"}, "emails[type eq 'work'].value": {Name: "email"}, "active": {Name: "enabled"},
		},
	})
	if err == nil {
		err = users.Migrate(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	rule := ownership.Rule{Domains: domains("acme.example"), Verified: verified("ada@acme.example"), Otherwise: scim.Queue}
	b := newBed(t, memory.New(), rule, scim.WithHandler(schema.User(), users))

	ada, _ := b.want(201, "okta", "POST /Users", `{"userName":"ADA","externalId":"1","emails":[{"type":"work","value":"ada@acme.example"}]}`)
	if ada != "7" || b.owner("User", ada) != "okta" {
		t.Errorf("the row %s, which belongs to %q", ada, b.owner("User", ada))
	}
	b.want(409, "okta", "POST /Users", `{"userName":"bea","externalId":"2","emails":[{"type":"work","value":"bea@acme.example"}]}`)
	if list := b.approvals(); len(list) != 1 || list[0].Ref.ID != "8" {
		t.Fatalf("%+v", list)
	} else if err := b.Approve(t.Context(), acme, list[0].ID); err != nil {
		t.Fatal(err)
	}
	bea, _ := b.want(201, "okta", "POST /Users", `{"userName":"bea","externalId":"2","emails":[{"type":"work","value":"bea@acme.example"}]}`)
	b.want(403, "okta", "PATCH /Users/"+ada, patchBody("replace", "userName", `"ada@evil.example"`))
	// Nobody is kept in by an address, which is judged on the way back.
	b.want(200, "okta", "PUT /Users/"+ada, `{"userName":"ada@evil.example","active":false,"externalId":"1"}`)
	b.want(403, "okta", "PATCH /Users/"+ada, patchBody("replace", "active", "true"))
	b.want(200, "okta", "PUT /Users/"+ada, `{"userName":"ada","active":true,"externalId":"1","emails":[{"type":"work","value":"ada@acme.example"}]}`)
	sales, _ := b.want(201, "okta", "POST /Groups", `{"displayName":"Sales","members":`+members(ada, bea)+`}`)

	preview, err := b.own.Preview(t.Context(), acme, "okta", "entra")
	if err != nil || preview.Resources["User"] != 2 || preview.Resources["Group"] != 1 {
		t.Errorf("%+v, %v", preview, err)
	}
	for turn := range 2 {
		report, err := b.own.Transfer(t.Context(), acme, "okta", "entra")
		if want := 2 - 2*turn; err != nil || report.Resources["User"] != want {
			t.Errorf("%+v, %v", report, err)
		}
	}
	b.want(404, "okta", "GET /Users/"+ada, "")
	b.want(200, "entra", "GET /Users/"+ada, "")
	if got := b.unconfirmed(sales); !slices.Equal(got, []string{ada, bea}) {
		t.Errorf("unconfirmed %v", got)
	}
	b.want(204, "entra", "PATCH /Groups/"+sales, patchBody("add", "members", members(ada)))
	if err := b.own.Revoke(t.Context(), acme, sales); err != nil {
		t.Fatal(err)
	}
	if got := b.membersOf(sales); !slices.Equal(got, []string{ada}) {
		t.Errorf("members %v", got)
	}
	if n := b.owner("User", "7") + b.owner("User", "8"); n != "entraentra" {
		t.Error(n)
	}
}
