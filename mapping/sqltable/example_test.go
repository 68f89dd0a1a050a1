package sqltable_test

import (
	"context"
	"database/sql"
	"fmt"
	"log"

	_ "modernc.org/sqlite"

	"github.com/musterhq/muster/mapping/sqltable"
	"github.com/musterhq/muster/scim"
	"github.com/musterhq/muster/scim/schema"
	"github.com/musterhq/muster/storage/memory"
)

// A host has users in a table. An identity provider finds one by name and deactivates
// it, and the host's own column says so.
func Example() {
	ctx := context.Background()
	db, err := sql.Open("sqlite", ":memory:")
	if err != nil {
		log.Fatal(err)
	}
	db.SetMaxOpenConns(1) // each connection would have a database of its own
	for _, statement := range []string{
		`CREATE TABLE users (id INTEGER PRIMARY KEY, login TEXT NOT NULL, email TEXT, deactivated_at TIMESTAMP)`,
		`CREATE UNIQUE INDEX users_login ON users (lower(login))`,
		`INSERT INTO users (login, email) VALUES ('ada', 'ada@harbour.example'), ('bob', NULL)`,
	} {
		if _, err := db.ExecContext(ctx, statement); err != nil {
			log.Fatal(err)
		}
	}

	users, err := sqltable.New(ctx, sqltable.SQLite(db), sqltable.Table{
		Name: "users",
		Columns: sqltable.Columns{
			"userName":                     {Name: "login"},
			"emails[type eq 'work'].value": {Name: "email"},
			"active":                       {Name: "deactivated_at", As: sqltable.NullIsTrue()},
		},
		Unowned: sqltable.Adoptable,
	})
	if err != nil {
		log.Fatal(err)
	}
	if err := users.Migrate(ctx); err != nil {
		log.Fatal(err)
	}
	srv, err := scim.New(memory.New(), scim.BearerToken("secret"), scim.WithHandler(schema.User(), users))
	if err != nil {
		log.Fatal(err)
	}

	idp := scim.Principal{Connection: "okta"}
	filter, err := srv.ParseFilter(idp, srv.Type("User"), `userName eq "ADA"`)
	if err != nil {
		log.Fatal(err)
	}
	found, err := srv.Do(ctx, idp, &scim.Operation{Method: scim.List, Type: srv.Type("User"), List: scim.ListOptions{Filter: filter, Count: 1}})
	if err != nil {
		log.Fatal(err)
	}
	ada := found.Items[0].Resource
	fmt.Println(ada.ID(), ada.BestEmail(), ada.Active())

	_, err = srv.Do(ctx, idp, &scim.Operation{
		Method: scim.Replace, Type: srv.Type("User"), ID: ada.ID(), Resource: ada.Edit().Set("active", false).Resource(),
	})
	if err != nil {
		log.Fatal(err)
	}
	var inactive int
	if err := db.QueryRowContext(ctx, "SELECT count(*) FROM users WHERE login = 'ada' AND deactivated_at IS NOT NULL").Scan(&inactive); err != nil {
		log.Fatal(err)
	}
	fmt.Println("deactivated:", inactive)
	// Output:
	// 1 ada@harbour.example true
	// deactivated: 1
}
