package sqltable_test

import (
	"context"
	"database/sql"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/musterhq/muster/internal/pgtest"
	"github.com/musterhq/muster/mapping/sqltable"
	"github.com/musterhq/muster/mapping/sqltable/postgres"
	"github.com/musterhq/muster/scim"
)

// What hosts have in and around their tables that nobody thinks of at first.

// withOneConnection runs a test over pools that have a single one.
func withOneConnection(t *testing.T, test func(t *testing.T, db *database)) {
	t.Helper()
	t.Run("SQLite", func(t *testing.T) {
		t.Parallel()
		handle, err := sql.Open("sqlite", "file:host?mode=memory&_pragma=foreign_keys(1)")
		if err != nil {
			t.Fatal(err)
		}
		handle.SetMaxOpenConns(1)
		t.Cleanup(func() { _ = handle.Close() })
		test(t, &database{Database: sqltable.SQLite(handle), t: t, name: "sqlite"})
	})
	t.Run("PostgreSQL", func(t *testing.T) {
		t.Parallel()
		config, err := pgxpool.ParseConfig(pgtest.URL(t))
		if err != nil {
			t.Fatal(err)
		}
		config.MaxConns = 1
		pool, err := pgxpool.NewWithConfig(t.Context(), config)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(pool.Close)
		test(t, &database{Database: postgres.Database(pool), t: t, name: "postgres"})
	})
}

// A list that asks for links while it reads would wait for a connection that it holds
// itself.
func TestAListThatAsksForLinksWaitsForNoSecondConnection(t *testing.T) {
	t.Parallel()
	withOneConnection(t, func(t *testing.T, db *database) {
		db.seed()
		users := newHandler(t, db, users())
		srv := newServer(t, users, newGroups(t, db, users))
		id := expect(t, srv, "secret", "POST /Users", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"Bj\u00F6rn"}`, 201).ID
		group := expect(t, srv, "secret", "POST /Groups", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"displayName":"Crew \u6A39","members":[{"value":"`+id+`"}]}`, 201).ID
		for line, want := range map[string]int{
			`Users?filter=` + url.QueryEscape(`groups.value eq "`+group+`" and userName co "\u00D6"`):                           1,
			`Users?sortBy=userName&filter=` + url.QueryEscape(`not (groups.value eq "`+group+`") and userName co "\u00D6"`):     0,
			`Groups?sortBy=displayName&filter=` + url.QueryEscape(`members.value eq "`+id+`" and displayName ew "\u6A39"`):      1,
			`Groups?filter=` + url.QueryEscape(`members.value eq "9" or displayName co "\u6A39" and members.value eq "`+id+`"`): 1,
		} {
			if a := expect(t, srv, "secret", "GET /"+line, "", 200); a.TotalResults != want {
				t.Errorf("%s finds %d", line, a.TotalResults)
			}
		}
	})
}

// A client that goes away in the middle leaves nothing half done, and no transaction
// open: the only connection serves the next one.
func TestACancelledRequestGivesItsConnectionBack(t *testing.T) {
	t.Parallel()
	withOneConnection(t, func(t *testing.T, db *database) {
		db.seed()
		newHandler(t, db, users())
		done := false
		for stop := 0; !done; stop++ { // in front of which statement
			ctx, cancel := context.WithCancel(t.Context())
			h, err := sqltable.New(t.Context(), &cancelling{db.Database, stop, cancel}, users())
			if err != nil {
				t.Fatal(err)
			}
			srv := newServer(t, h, nil)
			r, err := scim.NewResource(srv.Type("User")).Set("userName", "ada").Set("phoneNumbers", []map[string]any{{"value": "1"}}).Build()
			if err != nil {
				t.Fatal(err)
			}
			_, err = h.Create(ctx, "1", r)
			cancel()
			done = err == nil
			want := int64(0)
			if done {
				want = 1
			}
			if users, phones := db.ask("SELECT count(*) FROM users"), db.ask("SELECT count(*) FROM phones"); users != want || phones != want {
				t.Errorf("stopped at %d (%v): %v users and %v phones", stop, err, users, phones)
			}
		}
	})
}

// cancelling is a database whose writes are cancelled in front of a statement.
type cancelling struct {
	sqltable.Database
	left   int
	cancel func()
}

func (c *cancelling) Write(ctx context.Context, f func(sqltable.Tx) error) error {
	return c.Database.Write(ctx, func(tx sqltable.Tx) error { return f(&cancelled{tx, c}) })
}

type cancelled struct {
	sqltable.Tx
	c *cancelling
}

func (d *cancelled) step() {
	if d.c.left--; d.c.left < 0 {
		d.c.cancel()
	}
}

func (d *cancelled) Query(ctx context.Context, sql string, args []any, row func([]any) error) error {
	d.step()
	return d.Tx.Query(ctx, sql, args, row)
}

func (d *cancelled) Exec(ctx context.Context, sql string, args []any) (int64, error) {
	d.step()
	return d.Tx.Exec(ctx, sql, args)
}

func TestBooleansThatHostsWriteInWords(t *testing.T) {
	t.Parallel()
	db := sqliteDatabase(t)
	db.run("CREATE TABLE u (id INTEGER PRIMARY KEY, login TEXT NOT NULL, enabled BOOLEAN, off BOOLEAN, state TEXT COLLATE NOCASE);\nCREATE UNIQUE INDEX u_login ON u (lower(login))")
	db.run("INSERT INTO u (login, enabled, off, state) VALUES ('a', 't', 'f', 'OK'), ('b', 1, 0, 'ok'), ('c', 'true', 'TRUE', 'off'), ('d', 0, 't', NULL), ('e', 'f', NULL, '')")
	for _, c := range []struct {
		column           sqltable.Column
		active, inactive int
	}{
		{sqltable.Column{Name: "enabled"}, 3, 2},
		{sqltable.Column{Name: "off", As: sqltable.Inverted()}, 3, 2},
		{sqltable.Column{Name: "state", As: sqltable.Words("ok", "off")}, 1, 4},
	} {
		h := newHandler(t, db, sqltable.Table{Name: "u", Columns: sqltable.Columns{"userName": {Name: "login"}, "active": c.column}, Unowned: sqltable.Adoptable})
		srv := newServerOf(t, h, "1")
		for filter, want := range map[string]int{"active eq true": c.active, "active eq false": c.inactive, "not (active eq true)": c.inactive} {
			a := expect(t, srv, "secret", "GET /Users?filter="+url.QueryEscape(filter), "", 200)
			if a.TotalResults != want {
				t.Errorf("%s: %s finds %d, want %d", c.column.Name, filter, a.TotalResults, want)
			}
		}
	}
}

func TestProcessesThatStartTogetherMakeOneSideTable(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, db *database) {
		db.seed()
		var all sync.WaitGroup
		for range 6 {
			all.Go(func() {
				h, err := sqltable.New(t.Context(), db, users())
				if err == nil {
					err = h.Migrate(t.Context())
				}
				if err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
	})
}

func TestATriggerOfTheHostRefuses(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, db *database) {
		db.seed()
		if db.name == "postgres" {
			for _, event := range []string{"INSERT", "DELETE"} {
				name := strings.ToLower(event) + "_refused"
				if err := db.Database.Write(t.Context(), func(tx sqltable.Tx) error {
					_, err := tx.Exec(t.Context(), "CREATE FUNCTION "+name+"() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'words of the host'; END $$", nil)
					return err
				}); err != nil {
					t.Fatal(err)
				}
				db.run("CREATE TRIGGER " + name + " BEFORE " + event + " ON phones FOR EACH ROW EXECUTE FUNCTION " + name + "()")
			}
			db.run("CREATE TRIGGER user_refused BEFORE DELETE ON users FOR EACH ROW EXECUTE FUNCTION delete_refused()")
		} else {
			db.run("CREATE TRIGGER no_phone BEFORE INSERT ON phones BEGIN SELECT RAISE(ABORT, 'words of the host'); END")
			db.run("CREATE TRIGGER no_delete BEFORE DELETE ON users BEGIN SELECT RAISE(ABORT, 'words of the host'); END")
		}
		srv := newServer(t, newHandler(t, db, users()), nil)
		post := `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada"`
		a := expect(t, srv, "secret", "POST /Users", post+`,"phoneNumbers":[{"value":"1"}]}`, 400)
		if strings.Contains(a.Detail, "words") || a.ScimType != "invalidValue" {
			t.Errorf("%+v", a)
		}
		id := expect(t, srv, "secret", "POST /Users", post+"}", 201).ID
		if a := expect(t, srv, "secret", "DELETE /Users/"+id, "", 409); strings.Contains(a.Detail, "words") {
			t.Errorf("%+v", a)
		}
		expect(t, srv, "secret", "GET /Users/"+id, "", 200)
	})
}

// mails is a table of addresses in which everything has to be said.
func mails(db *database) sqltable.Table {
	db.run("CREATE TABLE mails (user_id int NOT NULL REFERENCES users (id) ON DELETE CASCADE, address text NOT NULL, label text NOT NULL CHECK (label IN ('work', 'other')), main boolean NOT NULL DEFAULT false);\nCREATE INDEX mails_user ON mails (user_id)")
	table := users()
	delete(table.Columns, "emails[type eq 'work'].value")
	table.Children = append(table.Children, sqltable.Child{
		Attr: "emails", Name: "mails", Owner: "user_id",
		Columns: sqltable.Columns{"value": {Name: "address"}, "type": {Name: "label", Default: "other"}, "primary": {Name: "main"}},
	})
	table.Columns["locale"] = sqltable.Column{Name: "first_name", Default: "en"}
	delete(table.Columns, "name.givenName")
	return table
}

func TestWhatAClientLeavesOutIsTheDefaultAndNoChange(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, db *database) {
		srv := newServer(t, newHandler(t, db.seed(), mails(db)), nil)
		put := `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada","emails":[{"value":"a@x"},{"value":"b@x","type":"work"}]}`
		created := expect(t, srv, "secret", "POST /Users", put, 201)
		db.noted()
		for range 2 {
			if again := expect(t, srv, "secret", "PUT /Users/"+created.ID, put, 200); again.Meta != created.Meta {
				t.Errorf("%+v, then %+v", created.Meta, again.Meta)
			}
		}
		for _, s := range db.noted() {
			if strings.HasPrefix(s.text, "UPDATE") || strings.HasPrefix(s.text, "INSERT") {
				t.Errorf("a write that changes nothing: %s", s.text)
			}
		}
		// A column that must not be null and is true becomes false.
		primary := strings.Replace(put, `{"value":"a@x"}`, `{"value":"a@x","primary":true}`, 1)
		expect(t, srv, "secret", "PUT /Users/"+created.ID, primary, 200)
		expect(t, srv, "secret", "PUT /Users/"+created.ID, put, 200)
		if n := db.ask("SELECT count(*) FROM mails WHERE main"); n != int64(0) {
			t.Errorf("%v are primary", n)
		}
		if a := expect(t, srv, "secret", "PUT /Users/"+created.ID, strings.Replace(put, `"work"`, `"pager"`, 1), 400); !strings.Contains(a.Detail, "emails") {
			t.Errorf("%+v", a)
		}
	})
}

// The host changes a row of a child table between our look at it and our write: the
// lock that we hold is on the user's row alone.
func TestRowsOfChildTablesThatTheHostChangesMeanwhile(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, by, put, want string }{
		{"updated", "UPDATE phones SET kind = 'home'", `{"value":"1","type":"work","primary":true}`, "1 work true"},
		{"moved", "UPDATE phones SET number = '2'", `{"value":"1","type":"work","primary":true}`, "1 work true"},
		{"deleted", "DELETE FROM phones", `{"value":"1","type":"work","primary":true}`, "1 work true"},
		{"updated and to be deleted", "UPDATE phones SET kind = 'home'", "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			db := postgresDatabase(t)
			db.seed()
			host := &database{Database: db.Database, t: t, name: db.name}
			between := &meddling{Database: db.Database, meddle: sync.OnceFunc(func() { host.run(c.by) })}
			srv := newServer(t, newHandler(t, between, users()), nil)
			post := `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada","phoneNumbers":[{"value":"1","type":"work"}]}`
			id := expect(t, srv, "secret", "POST /Users", post, 201).ID
			expect(t, srv, "secret", "PUT /Users/"+id, strings.Replace(post, `{"value":"1","type":"work"}`, c.put, 1), 200)
			if got := db.ask("SELECT coalesce(string_agg(concat_ws(' ', number, kind, CASE WHEN main THEN 'true' ELSE 'false' END), ','), '') FROM phones"); got != c.want {
				t.Errorf("%v, want %s", got, c.want)
			}
		})
	}
}

// meddling is a database in which somebody else writes in front of the first change of
// phone numbers.
type meddling struct {
	sqltable.Database
	meddle func()
}

func (m *meddling) Write(ctx context.Context, f func(sqltable.Tx) error) error {
	return m.Database.Write(ctx, func(tx sqltable.Tx) error { return f(&meddled{tx, m}) })
}

type meddled struct {
	sqltable.Tx
	m *meddling
}

func (d *meddled) Exec(ctx context.Context, sql string, args []any) (int64, error) {
	if strings.HasPrefix(sql, `UPDATE "phones"`) || strings.HasPrefix(sql, `DELETE FROM "phones"`) {
		d.m.meddle()
	}
	return d.Tx.Exec(ctx, sql, args)
}

func TestNamesThatHaveToBeQuoted(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, db *database) {
		db.run(`CREATE TABLE "sel""ect user" ("order" ` + serial(db) + `, "Log In" varchar(100) NOT NULL, "gro""up" text, "where" timestamp)`)
		db.run(`CREATE UNIQUE INDEX "by name" ON "sel""ect user" (lower("Log In"))`)
		h := newHandler(t, db, sqltable.Table{
			Name: `sel"ect user`, Key: "order", Unowned: sqltable.Adoptable, Delete: sqltable.SetColumn("where", sqltable.Now),
			Columns: sqltable.Columns{"userName": {Name: "Log In"}, "title": {Name: `gro"up`}},
		})
		srv := newServerOf(t, h, "1")
		id := expect(t, srv, "secret", "POST /Users", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"Ada","title":"'; DROP TABLE x; --"}`, 201).ID
		db.noted()
		if a := expect(t, srv, "secret", find("ADA"), "", 200); a.TotalResults != 1 {
			t.Errorf("%+v", a)
		}
		for _, s := range db.noted() {
			if strings.HasPrefix(s.text, "SELECT t.") && scans(db.plan(s)) {
				t.Errorf("not by an index: %s", db.plan(s))
			}
		}
		expect(t, srv, "secret", "PATCH /Users/"+id, patchTitle("Captain"), 200)
		expect(t, srv, "secret", "DELETE /Users/"+id, "", 204)
		expect(t, srv, "secret", "GET /Users/"+id, "", 404)
	})
}

// Each connection counts its own rows and those that nobody owns, the server all.
func TestTotalsAreOfWhatAConnectionSees(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, db *database) {
		for _, c := range []struct {
			unowned                        sqltable.Unowned
			first, second, other, everyone int
		}{{sqltable.Adoptable, 4, 5, 1, 6}, {sqltable.Private, 1, 2, 1, 6}} {
			db := db
			if c.unowned == sqltable.Private {
				db = map[string]func(testing.TB) *database{"sqlite": sqliteDatabase, "postgres": postgresDatabase}[db.name](t)
			}
			table := users()
			table.Unowned = c.unowned
			h := newHandler(t, db.seed(), table)
			srv := newServer(t, h, nil)
			db.run("INSERT INTO users (org_id, login, source) VALUES (1, 'a', 'host'), (1, 'b', 'host'), (1, 'c', 'host'), (1, '', 'nobody')")
			for name, token := range map[string]string{"d": "secret", "e": "second", "f": "second", "g": "other"} {
				expect(t, srv, token, "POST /Users", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"`+name+`"}`, 201)
			}
			for token, want := range map[string]int{"secret": c.first, "second": c.second, "other": c.other} {
				for _, line := range []string{"GET /Users?count=0", "GET /Users?count=1", "GET /Users?startIndex=90", "GET /Users?count=1&filter=" + url.QueryEscape("userName pr")} {
					if a := expect(t, srv, token, line, "", 200); a.TotalResults != want {
						t.Errorf("%s: %s finds %d, want %d", token, line, a.TotalResults, want)
					}
				}
			}
			page, err := h.List(t.Context(), &scim.ListRequest{Tenant: "1", Type: srv.Type("User")})
			if err != nil || page.Total != c.everyone {
				t.Errorf("%v: %d, want %d", err, page.Total, c.everyone)
			}
		}
	})
}
