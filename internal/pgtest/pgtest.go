// Package pgtest finds a PostgreSQL for tests: the one that the environment
// variable MUSTER_TEST_POSTGRES names as a connection URL, else a private server
// made of the machine's binaries, in a temporary directory and on the loopback
// interface. The private server ends with the process that started it, however
// that ends, and its directory with it.
//
// Without either, tests that need PostgreSQL are skipped with a line that says
// how to get it. Under CI=true that is a failure, so that a green run has run
// them.
package pgtest

import (
	"context"
	"crypto/rand"
	"errors"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// Variable is the environment variable that names a PostgreSQL for tests. Its
// user needs the right to create schemas in the database.
const Variable = "MUSTER_TEST_POSTGRES"

const help = "install PostgreSQL (Debian: apt-get install postgresql), or set " + Variable + " to a connection URL"

// errNone says that the machine has no PostgreSQL.
var errNone = errors.New("pgtest: no PostgreSQL found: " + help)

// shared is the server of this process, started when first asked for. It lives as
// long as it is referred to.
var shared = sync.OnceValues(func() (*Server, error) {
	if named := os.Getenv(Variable); named != "" {
		return &Server{url: named}, nil
	}
	return start()
})

// URL returns the connection URL of an empty schema, which is the only one in its
// search path. The schema goes when the test ends.
func URL(t testing.TB) string {
	t.Helper()
	server, err := shared()
	check(t, err)
	return server.URL(t)
}

// check ends the test without a server.
func check(t testing.TB, err error) {
	t.Helper()
	switch {
	case errors.Is(err, errNone) && os.Getenv("CI") != "true":
		t.Skip(err)
	case err != nil:
		t.Fatal(err)
	}
}

// schema makes a schema and returns its URL.
func schema(t testing.TB, server string) string {
	t.Helper()
	u, err := url.Parse(server)
	if err != nil {
		t.Fatal("pgtest: " + Variable + " is not a URL") // which may hold a password
	}
	name := "muster_test_" + strings.ToLower(rand.Text())
	execute(t, server, `CREATE SCHEMA `+name)
	t.Cleanup(func() { execute(t, server, `DROP SCHEMA IF EXISTS `+name+` CASCADE`) })
	q := u.Query()
	q.Set("search_path", name)
	u.RawQuery = q.Encode()
	return u.String()
}

func execute(t testing.TB, server, sql string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), time.Minute)
	defer cancel()
	conn, err := pgx.Connect(ctx, server)
	if err != nil {
		t.Errorf("pgtest: %v", err)
		return
	}
	defer conn.Close(ctx)
	if _, err := conn.Exec(ctx, sql); err != nil {
		t.Errorf("pgtest: %v", err)
	}
}
