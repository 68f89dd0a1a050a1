// Command ownusers serves SCIM from the tables that an application has already: its
// users, its teams and who is in them.
//
//	go run ./examples/ownusers -seed                              # makes the application's tables
//	go run ./examples/ownusers
//	go run ./examples/ownusers -db postgres://localhost/app -seed # or in PostgreSQL
//
// The file tables.go is what a host writes.
package main

import (
	"context"
	"database/sql"
	"embed"
	"flag"
	"fmt"
	"log"
	"net/http"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	_ "modernc.org/sqlite"

	"github.com/musterhq/muster/mapping/sqltable"
	"github.com/musterhq/muster/mapping/sqltable/postgres"
	"github.com/musterhq/muster/scim"
)

//go:embed sqlite.sql postgres.sql
var scripts embed.FS

func main() {
	addr := flag.String("addr", "127.0.0.1:8080", "`address` to listen on")
	url := flag.String("db", "sqlite:ownusers.db", "`database` of the application: sqlite:FILE or postgres://…")
	fill := flag.Bool("seed", false, "make the application's tables first, with 100,000 users")
	flag.Parse()
	ctx := context.Background()

	db, err := open(ctx, *url)
	if err == nil && *fill {
		err = seed(ctx, db)
	}
	if err != nil {
		log.Fatal(err)
	}
	// A token stands for the customer whose identity provider has it.
	srv, err := serve(ctx, db, scim.BearerTokens(map[string]scim.Principal{
		"secret": {Tenant: "1", Connection: "okta"},
		"other":  {Tenant: "2", Connection: "entra"},
	}))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("try: curl -H 'Authorization: Bearer secret' 'http://%s/scim/v2/Users?count=3'\n", *addr)
	server := &http.Server{Addr: *addr, Handler: scim.Mount("/scim/v2", srv, nil), ReadHeaderTimeout: 10 * time.Second}
	log.Fatal(server.ListenAndServe())
}

// open opens the application's database.
func open(ctx context.Context, url string) (sqltable.Database, error) {
	if file, ok := strings.CutPrefix(url, "sqlite:"); ok {
		db, err := sql.Open("sqlite", "file:"+file+"?_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)&_pragma=foreign_keys(1)")
		return sqltable.SQLite(db), err
	}
	pool, err := pgxpool.New(ctx, url)
	return postgres.Database(pool), err
}

// seed runs the application's own script.
func seed(ctx context.Context, db sqltable.Database) error {
	name := "sqlite.sql"
	if db.Dialect() == sqltable.DialectPostgres {
		name = "postgres.sql"
	}
	script, err := scripts.ReadFile(name)
	if err != nil {
		return err
	}
	return db.Write(ctx, func(tx sqltable.Tx) error {
		for statement := range strings.SplitSeq(string(script), ";\n") {
			if strings.TrimSpace(statement) == "" {
				continue
			}
			if _, err := tx.Exec(ctx, statement, nil); err != nil {
				return err
			}
		}
		return nil
	})
}
