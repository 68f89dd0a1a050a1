package docs

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/musterhq/muster/internal/pgtest"
	"github.com/musterhq/muster/scim"
	"github.com/musterhq/muster/storage"
	"github.com/musterhq/muster/storage/postgres"
	"github.com/musterhq/muster/storage/sqlite"
	_ "modernc.org/sqlite"
)

// service answers requests over a store.
func service(t *testing.T, store storage.Store) func(request, body string) string {
	t.Helper()
	srv, err := scim.New(store, scim.BearerToken("secret"), scim.WithBaseURL("http://scim.test"))
	if err != nil {
		t.Fatal(err)
	}
	return func(request, body string) string {
		t.Helper()
		method, target, _ := strings.Cut(request, " ")
		w, r := httptest.NewRecorder(), httptest.NewRequest(method, target, strings.NewReader(body))
		r.Header.Set("Authorization", "Bearer secret")
		srv.ServeHTTP(w, r)
		if w.Code >= 300 {
			t.Fatalf("%s: %d %s", request, w.Code, w.Body)
		}
		return w.Body.String()
	}
}

// fill puts users and a group into a service.
func fill(t *testing.T, ask func(request, body string) string) {
	t.Helper()
	for i := range 20 {
		ask("POST /Users", fmt.Sprintf(`{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"user%02d","displayName":"User %d"}`, i, i))
	}
	found := ask(`GET /Users?filter=userName+eq+"user07"&attributes=id`, "")
	_, id, _ := strings.Cut(found, `"id":"`)
	id, _, _ = strings.Cut(id, `"`)
	ask("POST /Groups", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"displayName":"Sales","members":[{"value":"`+id+`"}]}`)
}

// everything is what a service shows.
func everything(ask func(request, body string) string) string {
	return ask("GET /Users?count=100", "") + ask("GET /Groups", "") + ask(`GET /Users?filter=groups+pr`, "")
}

// What docs/operations.md says of backups of a SQLite file.
func TestABackupOfAFileInUseIsWhole(t *testing.T) {
	t.Parallel()
	file, backup := filepath.Join(t.TempDir(), "directory.db"), filepath.Join(t.TempDir(), "backup.db")
	store, err := sqlite.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	ask := service(t, store)
	fill(t, ask)
	before := everything(ask)
	db, err := sql.Open("sqlite", file)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec("VACUUM INTO ?", backup); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	ask("POST /Users", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"late"}`)
	restored, err := sqlite.Open(backup)
	if err != nil {
		t.Fatal(err)
	}
	defer restored.Close()
	if after := everything(service(t, restored)); after != before {
		t.Errorf("the restored directory shows\n%s\nand the one before\n%s", after, before)
	}
}

// What docs/operations.md says of backups of a PostgreSQL database.
func TestADumpOfTheDatabaseIsWhole(t *testing.T) {
	t.Parallel()
	database := pgtest.URL(t)
	programs := clientPrograms(t)
	open := func() *postgres.Store {
		store, err := postgres.Open(t.Context(), database)
		if err == nil {
			err = store.Migrate(t.Context())
		}
		if err != nil {
			t.Fatal(err)
		}
		return store
	}
	store := open()
	ask := service(t, store)
	fill(t, ask)
	before := everything(ask)
	at, err := url.Parse(database)
	if err != nil {
		t.Fatal(err)
	}
	at.RawQuery = "" // libpq does not know pgx's parameters
	schema := pgtest.Schema(t, database)
	dump := run(t, nil, filepath.Join(programs, "pg_dump"), "--schema", schema, "--dbname", at.String())
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	psql := filepath.Join(programs, "psql")
	run(t, []byte(`DROP SCHEMA "`+schema+`" CASCADE`), psql, "--quiet", "--set", "ON_ERROR_STOP=1", "--dbname", at.String())
	run(t, dump, psql, "--quiet", "--set", "ON_ERROR_STOP=1", "--dbname", at.String())
	restored := open()
	defer restored.Close()
	ask = service(t, restored)
	if after := everything(ask); after != before {
		t.Errorf("the restored directory shows\n%s\nand the one before\n%s", after, before)
	}
	ask("POST /Users", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"new"}`)
}

// clientPrograms is the directory of pg_dump and psql. Where the server is
// somebody else's they may be missing.
func clientPrograms(t *testing.T) string {
	t.Helper()
	if found, err := exec.LookPath("pg_dump"); err == nil {
		return filepath.Dir(found)
	}
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/pg_dump")
	if len(found) == 0 {
		if os.Getenv("CI") != "" && os.Getenv(pgtest.Variable) == "" {
			t.Fatal("there is no pg_dump")
		}
		t.Skip("there is no pg_dump: a dump is not tried")
	}
	return filepath.Dir(found[len(found)-1])
}

// run runs a program and returns what it prints.
func run(t *testing.T, stdin []byte, name string, args ...string) []byte {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	var stderr bytes.Buffer
	cmd.Stdin, cmd.Stderr = bytes.NewReader(stdin), &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s", filepath.Base(name), err, stderr.String())
	}
	return out
}
