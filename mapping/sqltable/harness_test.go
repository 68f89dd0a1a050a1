package sqltable_test

import (
	"context"
	"database/sql"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	_ "modernc.org/sqlite"

	"github.com/musterhq/muster/internal/pgtest"
	"github.com/musterhq/muster/mapping/sqltable"
	"github.com/musterhq/muster/mapping/sqltable/postgres"
	"github.com/musterhq/muster/scim"
	"github.com/musterhq/muster/scim/schema"
	"github.com/musterhq/muster/storage/memory"
)

// database is the host's database of a test.
type database struct {
	sqltable.Database
	t    testing.TB
	name string // of its kind
	url  string // PostgreSQL's

	mu         sync.Mutex
	statements []statement // that were run through the Database
}

// statement is one that was run.
type statement struct {
	text string
	args []any
}

// onEach runs a test over an empty database of each kind.
func onEach(t *testing.T, test func(t *testing.T, db *database)) {
	t.Helper()
	t.Run("SQLite", func(t *testing.T) {
		t.Parallel()
		test(t, sqliteDatabase(t))
	})
	t.Run("PostgreSQL", func(t *testing.T) {
		t.Parallel()
		test(t, postgresDatabase(t))
	})
}

func sqliteDatabase(t testing.TB) *database {
	file := filepath.Join(t.TempDir(), "host.db")
	db, err := sql.Open("sqlite", "file:"+filepath.ToSlash(file)+"?_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)&_pragma=foreign_keys(1)&_pragma=synchronous(OFF)")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return &database{Database: sqltable.SQLite(db), t: t, name: "sqlite"}
}

func postgresDatabase(t testing.TB) *database {
	url := pgtest.URL(t)
	pool, err := pgxpool.New(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	return &database{Database: postgres.Database(pool), t: t, name: "postgres", url: url}
}

// Read and Write note the statements that go through.
func (d *database) Read(ctx context.Context, f func(sqltable.Tx) error) error {
	return d.Database.Read(ctx, func(tx sqltable.Tx) error { return f(&noted{tx, d}) })
}

func (d *database) Write(ctx context.Context, f func(sqltable.Tx) error) error {
	return d.Database.Write(ctx, func(tx sqltable.Tx) error { return f(&noted{tx, d}) })
}

type noted struct {
	sqltable.Tx
	d *database
}

func (n *noted) Query(ctx context.Context, sql string, args []any, row func([]any) error) error {
	n.note(sql, args)
	return n.Tx.Query(ctx, sql, args, row)
}

func (n *noted) Exec(ctx context.Context, sql string, args []any) (int64, error) {
	n.note(sql, args)
	return n.Tx.Exec(ctx, sql, args)
}

func (n *noted) note(sql string, args []any) {
	n.d.mu.Lock()
	defer n.d.mu.Unlock()
	n.d.statements = append(n.d.statements, statement{sql, slices.Clone(args)})
}

// noted takes the statements that were noted so far.
func (d *database) noted() []statement {
	d.mu.Lock()
	defer d.mu.Unlock()
	list := d.statements
	d.statements = nil
	return list
}

// run runs statements of the host's own, one after the other.
func (d *database) run(script string) {
	d.t.Helper()
	if err := d.try(script); err != nil {
		d.t.Fatal(err)
	}
}

func (d *database) try(script string) error {
	for statement := range strings.SplitSeq(script, ";\n") {
		if statement = strings.TrimSuffix(strings.TrimSpace(statement), ";"); statement == "" {
			continue
		}
		err := d.Database.Write(context.Background(), func(tx sqltable.Tx) error {
			_, err := tx.Exec(context.Background(), statement, nil)
			return err
		})
		if err != nil {
			return errors.Join(err, errors.New(statement))
		}
	}
	return nil
}

// ask returns the first value that a query of the host's gives, nil without one.
func (d *database) ask(query string, args ...any) (v any) {
	d.t.Helper()
	err := d.Database.Read(context.Background(), func(tx sqltable.Tx) error {
		return tx.Query(context.Background(), query, args, func(values []any) error {
			if v == nil {
				v = values[0]
			}
			return nil
		})
	})
	if err != nil {
		d.t.Fatal(err)
	}
	return v
}

// seed makes the host's tables.
func (d *database) seed() *database {
	d.t.Helper()
	script, err := os.ReadFile(filepath.Join("testdata", d.name+".sql"))
	if err != nil {
		d.t.Fatal(err)
	}
	d.run(string(script))
	return d
}

// clock moves on with every look at it, so that no two writes are of one time.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: time.Date(2026, 1, 31, 8, 0, 0, 0, time.UTC)} }

func (c *clock) time() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(time.Millisecond)
	return c.now
}

// users is the table of users as a host declares it.
func users() sqltable.Table {
	return sqltable.Table{
		Name:   "users",
		Tenant: "org_id",
		Columns: sqltable.Columns{
			"userName":                     {Name: "login"},
			"name.givenName":               {Name: "first_name"},
			"name.familyName":              {Name: "last_name"},
			"emails[type eq 'work'].value": {Name: "email"},
			"title":                        {Name: "job"},
			"active":                       {Name: "status", As: sqltable.Words("enabled", "disabled")},
			"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:employeeNumber": {Name: "staff_no"},
			"meta.created":      {Name: "created_at"},
			"meta.lastModified": {Name: "updated_at"},
			"meta.version":      {Name: "lock_version"},
		},
		Children: []sqltable.Child{{
			Attr: "phoneNumbers", Name: "phones", Owner: "user_id",
			Columns: sqltable.Columns{"value": {Name: "number"}, "type": {Name: "kind"}, "primary": {Name: "main"}},
		}},
		Insert:  map[string]any{"source": "scim"},
		Unowned: sqltable.Adoptable,
		Clock:   newClock().time,
	}
}

func teams() sqltable.Table {
	return sqltable.Table{
		Name: "teams", Tenant: "org_id",
		Columns: sqltable.Columns{"displayName": {Name: "name"}},
		Unowned: sqltable.Adoptable,
		Clock:   newClock().time,
	}
}

// newHandler makes a handler with its side table.
func newHandler(t testing.TB, db sqltable.Database, table sqltable.Table) *sqltable.Handler {
	t.Helper()
	h, err := sqltable.New(t.Context(), db, table)
	if err == nil {
		err = h.Migrate(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// newGroups makes the handler of the teams.
func newGroups(t testing.TB, db sqltable.Database, users *sqltable.Handler) *sqltable.Groups {
	t.Helper()
	g, err := sqltable.NewGroups(t.Context(), db, teams(), sqltable.Memberships{
		Name: "team_members", Owner: "team_id", Member: "user_id", Users: users,
		Insert: map[string]any{"since": sqltable.Now},
	})
	if err == nil {
		err = g.Migrate(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// callers are the tokens of two tenants, the first of which has two connections.
var callers = scim.BearerTokens(map[string]scim.Principal{
	"secret": {Tenant: "1", Connection: "okta"},
	"second": {Tenant: "1", Connection: "entra"},
	"other":  {Tenant: "2", Connection: "okta"},
})

// newServer makes a server with users, and with groups if there are any, in tables.
func newServer(t testing.TB, users *sqltable.Handler, groups *sqltable.Groups, opts ...scim.Option) *scim.Server {
	t.Helper()
	opts = append(opts, scim.WithHandler(schema.User(), users))
	if groups != nil {
		opts = append(opts, scim.WithHandler(schema.Group(), groups))
	}
	srv, err := scim.New(memory.New(), callers, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return srv
}

// request sends a request as a connection.
func request(t testing.TB, h http.Handler, token, line, body string) *httptest.ResponseRecorder {
	t.Helper()
	method, path, _ := strings.Cut(line, " ")
	r := newRequest(t, method, path, body)
	r.Header.Set("Authorization", "Bearer "+token)
	return serve(h, r)
}

// newRequest makes a request of the first connection.
func newRequest(t testing.TB, method, path, body string) *http.Request {
	r := httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer secret")
	r.Header.Set("Content-Type", "application/scim+json")
	return r
}

func serve(h http.Handler, r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// newServerOf makes a server of users in a table for one tenant.
func newServerOf(t testing.TB, users *sqltable.Handler, tenant string) *scim.Server {
	t.Helper()
	auth := scim.BearerTokens(map[string]scim.Principal{"secret": {Tenant: tenant, Connection: "okta"}})
	srv, err := scim.New(memory.New(), auth, scim.WithHandler(schema.User(), users))
	if err != nil {
		t.Fatal(err)
	}
	return srv
}
