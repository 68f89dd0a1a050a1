package sqltable_test

import (
	"strings"
	"testing"

	"github.com/musterhq/muster/mapping/sqltable"
	"github.com/musterhq/muster/scim"
	"github.com/musterhq/muster/scim/schema"
	"github.com/musterhq/muster/storage/memory"
)

// start makes a server with one handler and returns New's error.
func start(h scim.ResourceHandler) error {
	_, err := scim.New(memory.New(), callers, scim.WithHandler(schema.User(), h))
	return err
}

func TestEverythingThatDoesNotFitIsSaidAtOnceWithItsRemedy(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, db *database) {
		db.run("CREATE TABLE people (id int NOT NULL, name text, born timestamp NOT NULL, age int, photo text, badge varchar(4) NOT NULL)")
		h, err := sqltable.New(t.Context(), db, sqltable.Table{
			Name: "people",
			Columns: sqltable.Columns{
				"userName": {Name: "name"}, "nickName": {Name: "nick"}, "active": {Name: "photo"}, "title": {Name: "born"}, "titel": {Name: "photo"},
				"emails": {Name: "photo"}, "name": {Name: "photo"}, "members": {Name: "photo"}, "meta.version": {Name: "photo"}, "meta.location": {Name: "photo"},
				"userType": {Name: "age", As: sqltable.Words("a", "b")},
			},
			Insert:   map[string]any{"colour": "red"},
			Children: []sqltable.Child{{Attr: "title", Name: "people"}, {Attr: "roles", Name: "parts", Owner: "id"}, {Attr: "phoneNumbers", Name: "people", Owner: "person", Columns: sqltable.Columns{"value": {Name: "tel"}, "kind": {Name: "name"}}}},
			Delete:   sqltable.SetColumn("gone", sqltable.Now),
		})
		if err != nil {
			t.Fatal(err)
		}
		err = start(h)
		if err == nil {
			t.Fatal("the server started")
		}
		for _, text := range []string{
			"no unique index is on column id", `ON "people" ("id")`, "column id (", "is not given a value by the database",
			`no column "nick" for nickName`, "its columns are id, name, born, age, photo, badge",
			"active is boolean, and column photo is text", "title is string, and column born is a time", "titel: ", "emails has several values", "name has parts",
			"a version is an integer that goes up by one", "of the metadata only meta.created", "the conversion of column age is not one for string",
			"column born of table people must not be null", "column badge of table people must not be null", `no column "colour" for Insert`, `no column "gone" for Table.Delete`,
			"child table people: title is no attribute", "child table parts of roles does not exist", `no column "person" for phoneNumbers`, `no column "tel"`, `phoneNumbers has no sub-attribute "kind"`,
			"the side table scim_people does not exist: call Handler.Migrate", `CREATE TABLE IF NOT EXISTS "scim_people"`,
			"no unique index is on column name, so that two users could have one userName", "CREATE UNIQUE INDEX", `("name")`, "resource type User: table people",
		} {
			if !strings.Contains(err.Error(), text) {
				t.Errorf("nothing says %q:\n%v", text, err)
			}
		}
	})
}

func TestATableThatIsNotThereIsSaid(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, db *database) {
		db.seed().run("CREATE VIEW everybody AS SELECT * FROM users")
		for _, c := range []struct {
			table sqltable.Table
			want  string
		}{
			{sqltable.Table{}, "Table.Name is empty"},
			{sqltable.Table{Name: "user"}, "table user does not exist"},
			{sqltable.Table{Name: "everybody"}, "everybody is a view"},
			{sqltable.Table{Name: "users", Key: "uid"}, `no column "uid"`},
			{sqltable.Table{Name: "users", Tenant: "org"}, `no column "org"`},
			{sqltable.Table{Name: `u"; DROP TABLE users; --`}, "does not exist"},
		} {
			if _, err := sqltable.New(t.Context(), db, c.table); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%+v: %v", c.table, err)
			}
		}
		if db.ask("SELECT count(*) FROM users") != int64(0) {
			t.Error("the table is gone")
		}
	})
}

func TestWarningsComeWithStatementsThatPutThemRight(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, db *database) {
		key := map[string]string{"sqlite": "INTEGER PRIMARY KEY", "postgres": "bigserial PRIMARY KEY"}[db.name]
		db.run("CREATE TABLE people (id " + key + ", name text NOT NULL UNIQUE, email varchar(50) NOT NULL UNIQUE, age int NOT NULL, gone timestamp);\nCREATE TABLE phones (person bigint, tel text)")
		table := sqltable.Table{
			Name: "people",
			Columns: sqltable.Columns{
				"userName": {Name: "name"}, "emails[type eq 'work'].value": {Name: "email"},
				"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:division": {Name: "age"},
			},
			Children: []sqltable.Child{{Attr: "phoneNumbers", Name: "phones", Owner: "person", Columns: sqltable.Columns{"value": {Name: "tel"}}}},
			Delete:   sqltable.SetColumn("gone", sqltable.Now),
		}
		h := newHandler(t, db, table)
		if err := start(h); err != nil {
			t.Fatal(err)
		}
		wanted := []string{
			"the unique index on column name does not: every look-up reads the whole table", "the unique index on column name holds deleted rows too",
			"users without emails[type eq 'work'].value are refused", "users without urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:division are refused",
			"child table phones has no index that begins with person",
		}
		found := ""
		for _, w := range h.Warnings() {
			found += w.String() + "\n"
		}
		for _, text := range wanted {
			if !strings.Contains(found, text) {
				t.Errorf("no warning says %q:\n%s", text, found)
			}
		}
		// What is written there helps.
		for _, w := range h.Warnings() {
			if w.Fix != "" {
				if err := db.try(w.Fix); err != nil && !strings.Contains(err.Error(), "already exists") {
					t.Errorf("%s: %v", w.Fix, err)
				}
			}
		}
		h = newHandler(t, db, table)
		if err := start(h); err != nil {
			t.Fatal(err)
		}
		for _, w := range h.Warnings() {
			if strings.Contains(w.Text, "reads the whole table") || strings.Contains(w.Text, "child table") {
				t.Errorf("still said: %s", w.String())
			}
		}
	})
}

func TestWhatStandsInTheWayOfADeletionIsSaidAndAnswered(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, db *database) {
		db.seed().run("CREATE TABLE orders (buyer bigint NOT NULL REFERENCES users (id));\nCREATE TABLE notes (about bigint REFERENCES users (id) ON DELETE SET NULL)")
		h := newHandler(t, db, users())
		srv := newServer(t, h, nil)
		if w := h.Warnings(); len(w) != 1 || !strings.HasPrefix(w[0].Text, "foreign keys of orders lead to table users and do not cascade") {
			t.Errorf("%v", w)
		}
		id := expect(t, srv, "secret", "POST /Users", createAda, 201).ID
		db.run("INSERT INTO orders VALUES (" + id + ")")
		if a := expect(t, srv, "secret", "DELETE /Users/"+id, "", 409); strings.Contains(a.Detail, "orders") {
			t.Errorf("%+v", a)
		}
		expect(t, srv, "secret", "GET /Users/"+id, "", 200)
		db.run("DELETE FROM orders;\nINSERT INTO notes VALUES (" + id + ")")
		expect(t, srv, "secret", "DELETE /Users/"+id, "", 204)
	})
}

func TestMigratingTwiceDoesNothing(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, db *database) {
		db.seed()
		h := newHandler(t, db, users())
		srv := newServer(t, h, nil)
		id := expect(t, srv, "secret", "POST /Users", createAda, 201).ID
		if err := h.Migrate(t.Context()); err != nil {
			t.Fatal(err)
		}
		expect(t, srv, "secret", "GET /Users/"+id, "", 200)
	})
}
