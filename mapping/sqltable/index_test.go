package sqltable_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/musterhq/muster/mapping/sqltable"
	"github.com/musterhq/muster/scim"
)

// crowd fills the users' table with 100,000 rows, as somebody would who has never
// heard of SCIM.
func crowd(db *database) {
	db.t.Helper()
	columns := "INSERT INTO users (org_id, login, first_name, last_name, email, job, status, source)"
	row := "SELECT 1 + i % 2, 'person' || i || '@example.com', 'Person', 'Number ' || i, 'person' || i || '@example.com', 'Pilot', 'enabled', 'import' FROM "
	if db.name == "sqlite" {
		db.run("WITH RECURSIVE number (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM number WHERE i < 100000)\n" + columns + " " + row + "number;\nANALYZE")
		return
	}
	db.run(columns + " " + row + "generate_series(1, 100000) AS number (i);\nANALYZE users")
}

// plan is what the database says of how it will run a statement.
func (d *database) plan(s statement) string {
	d.t.Helper()
	explain := "EXPLAIN QUERY PLAN "
	if d.name == "postgres" {
		explain = "EXPLAIN "
	}
	var lines []string
	err := d.Database.Read(context.Background(), func(tx sqltable.Tx) error {
		return tx.Query(context.Background(), explain+s.text, s.args, func(values []any) error {
			lines = append(lines, fmt.Sprint(values[len(values)-1]))
			return nil
		})
	})
	if err != nil {
		d.t.Fatalf("%v: %s", err, s.text)
	}
	return strings.Join(lines, "\n")
}

// scans reports whether a plan reads the table of users, or a tenant's part of it,
// from end to end.
func scans(plan string) bool {
	byName := false // the next condition is one of the index of names
	for line := range strings.Lines(plan) {
		switch {
		case strings.Contains(line, "Seq Scan on users"),
			strings.Contains(line, "SCAN t") && !strings.Contains(line, "INDEX"),
			strings.Contains(line, "users_login (org_id=?)"):
			return true
		case strings.Contains(line, "Index Cond:"):
			if byName && !strings.Contains(line, "lower(") {
				return true
			}
			byName = false
		case strings.Contains(line, "users_login"):
			byName = true
		}
	}
	return byName && !strings.Contains(plan, "<expr>=?")
}

func TestLookUpsUseIndexesOnAHundredThousandUsers(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, db *database) {
		db.seed()
		crowd(db)
		for _, unowned := range []sqltable.Unowned{sqltable.Adoptable, sqltable.Private} {
			table := users()
			table.Unowned = unowned
			table.Side = fmt.Sprint("side", unowned)
			h := newHandler(t, db, table)
			srv := newServer(t, h, nil)
			if w := h.Warnings(); len(w) > 0 {
				t.Errorf("warnings: %v", w)
			}
			for _, filter := range []string{
				`userName eq "Person4711@Example.COM"`, `userName eq "p\u00E9rson4711@example.com"`,
				`userName eq "person4711@example.com" and active eq true`, `id eq "4711"`,
			} {
				plan, err := srv.ParseFilter(scim.Principal{}, srv.Type("User"), filter)
				if err != nil {
					t.Fatal(err)
				}
				db.noted()
				page, err := h.List(t.Context(), &scim.ListRequest{Tenant: "2", Scope: "okta", Type: srv.Type("User"), Filter: plan, Limit: 100})
				if err != nil {
					t.Fatal(err)
				}
				if unowned == sqltable.Adoptable && !strings.Contains(filter, `\u`) && page.Total != 1 {
					t.Errorf("%s finds %d", filter, page.Total)
				}
				for _, s := range db.noted() {
					if plan := db.plan(s); scans(plan) {
						t.Errorf("%s reads the whole table:\n%s\n%s", filter, s.text, plan)
					}
				}
			}
		}
	})
}

func TestAPageOfUsersIsReadInTheOrderOfTheKey(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, db *database) {
		db.seed()
		crowd(db)
		h := newHandler(t, db, users())
		srv := newServer(t, h, nil)
		db.noted()
		page, err := h.List(t.Context(), &scim.ListRequest{
			Tenant: "2", Scope: "okta", Type: srv.Type("User"), Limit: 100, After: &scim.Position{ID: "50001"},
		})
		if err != nil || len(page.Resources) != 100 || page.Resources[0].ID() != "50003" {
			t.Fatalf("%v %v", page, err)
		}
		for _, s := range db.noted() {
			if strings.Contains(s.text, "phones") {
				continue // an empty table
			}
			if plan := db.plan(s); scans(plan) || strings.Contains(plan, "Sort Key: t.id") || strings.Contains(plan, "TEMP B-TREE") {
				t.Errorf("%s\n%s", s.text, plan)
			}
		}
	})
}

func TestLookUpsUseWhateverIndexIgnoresCase(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, column, index, in string }{
		{"lower", "text", "(lower(login))", ""},
		{"upper", "varchar(200)", "(upper(login))", ""},
		{"lower by tenant", "text", "(org, lower(login))", ""},
		{"lower in front of the tenant", "text", "(lower(login), org)", ""},
		{"of rows that are not deleted", "text", "(org, lower(login)) WHERE gone IS NULL", ""},
		{"a column that ignores case", "TEXT COLLATE NOCASE", "(org, login)", "sqlite"},
		{"an index that ignores case", "TEXT", "(org, login COLLATE NOCASE)", "sqlite"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			onEach(t, func(t *testing.T, db *database) {
				if c.in != "" && c.in != db.name {
					return // there is no such thing in the other one
				}
				db.run("CREATE TABLE people (id " + serial(db) + ", org int NOT NULL DEFAULT 0, login " + c.column + " NOT NULL, gone timestamp);\nCREATE UNIQUE INDEX people_login ON people " + c.index)
				numbers := map[string]string{
					"sqlite": "WITH RECURSIVE number (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM number WHERE i < 20000)\n", "postgres": "WITH number (i) AS (SELECT generate_series(1, 20000))\n",
				}[db.name]
				db.run(numbers + "INSERT INTO people (org, login) SELECT 1 + i % 2, 'Person' || i FROM number;\nANALYZE")
				table := sqltable.Table{Name: "people", Columns: sqltable.Columns{"userName": {Name: "login"}}, Unowned: sqltable.Adoptable}
				if strings.Contains(c.index, "org") {
					table.Tenant = "org"
				}
				if strings.Contains(c.index, "gone") {
					table.Delete = sqltable.SetColumn("gone", sqltable.Now)
				}
				h := newHandler(t, db, table)
				srv := newServerOf(t, h, "2")
				if w := h.Warnings(); len(w) > 0 {
					t.Errorf("%v", w)
				}
				plan, err := srv.ParseFilter(scim.Principal{}, srv.Type("User"), `userName eq "PERSON4711"`)
				if err != nil {
					t.Fatal(err)
				}
				db.noted()
				page, err := h.List(t.Context(), &scim.ListRequest{Tenant: "2", Scope: "okta", Type: srv.Type("User"), Filter: plan, Limit: 10})
				if err != nil || page.Total != 1 {
					t.Fatalf("%v %v", page, err)
				}
				for _, s := range db.noted() {
					plan := db.plan(s)
					for line := range strings.Lines(plan) {
						if strings.Contains(line, "Seq Scan on people") || strings.Contains(line, "SCAN") && !strings.Contains(line, "wide") || strings.Contains(line, "people_login (org=?)") {
							t.Errorf("%s\n%s", s.text, plan)
							break
						}
					}
					if !strings.Contains(plan, "people_login") {
						t.Errorf("the index is not used:\n%s\n%s", s.text, plan)
					}
				}
			})
		})
	}
}
