package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/musterhq/muster/internal/pgtest"
	"github.com/musterhq/muster/scim/schema"
	"github.com/musterhq/muster/storage"
	"github.com/musterhq/muster/storage/postgres"
)

// migrating names the database that another process is to migrate, which is this
// program run again.
const migrating = "MUSTER_TEST_POSTGRES_MIGRATING"

func TestMain(m *testing.M) {
	if url := os.Getenv(migrating); url != "" {
		if err := migrate(context.Background(), url); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

func migrate(ctx context.Context, url string) error {
	s, err := postgres.Open(ctx, url)
	if err != nil {
		return err
	}
	defer s.Close()
	return s.Migrate(ctx)
}

// migrateTogether migrates as processes do that start together.
func migrateTogether(t *testing.T, url string) {
	t.Helper()
	var wg sync.WaitGroup
	for range 6 {
		wg.Go(func() {
			if err := migrate(t.Context(), url); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

// oldTables makes the tables of a version, with what they held.
func oldTables(t *testing.T, url string, version int) {
	t.Helper()
	list, err := postgres.Migrations()
	if err != nil {
		t.Fatal(err)
	}
	for v := 1; v <= version; v++ {
		execute(t, url, list[v-1].SQL)
		if v < len(oldData) {
			execute(t, url, oldData[v])
		}
	}
}

func execute(t *testing.T, url, sql string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	if _, err := conn.Exec(t.Context(), sql); err != nil {
		t.Fatal(err)
	}
}

// oldData is what tables of each version held: a user that is there and one that
// is deleted for clients, and from version 2 on their changes, of which one has no
// number yet.
var oldData = []string{
	1: `
INSERT INTO muster_records VALUES
	('acme', 'User', 'u1', 'okta', 3, '2026-01-01', '2026-01-02', false, 'Babs', '{"userName":"babs"}', 'babs', '\xff', '\xff', '\xff'),
	('acme', 'User', 'u2', 'okta', 2, '2026-01-01', '2026-01-02', true, '', '{"userName":"eve"}', 'eve', '\xff', '\xff', '\xff');
INSERT INTO muster_uniques VALUES ('acme', 'User', 'userName', '=babs', 'u1');`,
	2: `
INSERT INTO muster_logs VALUES ('acme', 7);
INSERT INTO muster_changes (tenant, seq, type, record, connection, kind, paths, version, hidden, time) VALUES
	('acme', 7, 'User', 'u1', 'okta', 'updated', '', 3, false, '2026-01-02'),
	('acme', 0, 'User', 'u2', 'okta', 'deleted', '', 2, true, '2026-01-02');`,
}

func TestMigrationKeepsWhatIsThere(t *testing.T) {
	t.Parallel()
	list, err := postgres.Migrations()
	if err != nil {
		t.Fatal(err)
	}
	for from := range len(list) + 1 {
		for _, level := range []string{"read committed", "serializable"} {
			t.Run(fmt.Sprint("version ", from, ", ", level), func(t *testing.T) {
				t.Parallel()
				url := pgtest.URL(t) + "&default_transaction_isolation=" + strings.ReplaceAll(level, " ", "%20")
				oldTables(t, url, from)
				migrateTogether(t, url)
				s := openAt(t, url)
				if from == 0 {
					empty(t, url)
				} else {
					keepsOldData(t, s, from)
				}
				execute(t, url, `INSERT INTO muster_migrations (version) VALUES (1000)`)
				if err := s.Migrate(t.Context()); err == nil || !strings.Contains(err.Error(), "1000") {
					t.Errorf("tables of a later version: %v; want an error that names it", err)
				}
			})
		}
	}
}

// empty demands that nothing is left in new tables of what taught the planner.
func empty(t *testing.T, url string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	for _, table := range []string{"records", "uniques", "entries", "links", "changes", "change_links", "logs"} {
		var rows, bytes int
		err := conn.QueryRow(t.Context(), `SELECT (SELECT count(*) FROM muster_`+table+`), pg_relation_size('muster_`+table+`')`).Scan(&rows, &bytes)
		if err != nil || rows != 0 || bytes != 0 {
			t.Errorf("%s: %d rows in %d bytes, %v; want none", table, rows, bytes, err)
		}
	}
}

// A process is killed while it migrates, and another one waits for it.
func TestMigrationOutlivesAProcessThatIsKilled(t *testing.T) {
	t.Parallel()
	url := pgtest.URL(t)
	oldTables(t, url, 2)
	reader, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close(context.Background())
	// While somebody reads the records, a migration that changes their table waits.
	if _, err := reader.Exec(t.Context(), "BEGIN; SELECT count(*) FROM muster_records"); err != nil {
		t.Fatal(err)
	}
	first := exec.Command(os.Args[0])
	first.Env = append(os.Environ(), migrating+"="+url)
	if err := first.Start(); err != nil {
		t.Fatal(err)
	}
	waiting(t, url, "muster_records")
	second := make(chan error, 1)
	go func() { second <- migrate(t.Context(), url) }()
	waiting(t, url, "muster_migrations")
	if err := first.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = first.Wait() // which says that it was killed
	if _, err := reader.Exec(t.Context(), "COMMIT"); err != nil {
		t.Fatal(err)
	}
	if err := <-second; err != nil {
		t.Fatalf("the process that waited: %v", err)
	}
	keepsOldData(t, openAt(t, url), 2)
}

// waiting waits until somebody waits for the lock of a table.
func waiting(t *testing.T, url, table string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		var waits bool
		err := conn.QueryRow(t.Context(), `SELECT EXISTS (SELECT 1 FROM pg_locks WHERE relation = to_regclass($1) AND NOT granted)`, table).Scan(&waits)
		switch {
		case err != nil:
			t.Fatal(err)
		case waits:
			return
		case time.Now().After(end):
			t.Fatalf("nobody waits for %s", table)
		}
	}
}

// Who finds the tables made needs no right to make them, nor to write.
func TestMigrateOnlyLooksAtTablesThatAreThere(t *testing.T) {
	t.Parallel()
	url := pgtest.URL(t)
	if err := migrate(t.Context(), url); err != nil {
		t.Fatal(err)
	}
	if err := migrate(t.Context(), url+"&default_transaction_read_only=on"); err != nil {
		t.Errorf("the tables are there: %v", err)
	}
}

func keepsOldData(t *testing.T, s *postgres.Store, from int) {
	t.Helper()
	r, err := s.Get(t.Context(), "acme", storage.Ref{Type: "User", ID: "u1"})
	if err != nil || r.Version != 3 || string(r.Doc) != `{"userName":"babs"}` || r.Label != "Babs" {
		t.Errorf("the record is %+v, %v", r, err)
	}
	user := schema.MustCompile(schema.User(), schema.Group())
	hidden, err := s.Query(t.Context(), &storage.Query{Tenant: "acme", Type: user, OnlyHidden: true, Limit: 10})
	if err != nil || len(hidden.Records) != 1 || hidden.Records[0].ID != "u2" {
		t.Errorf("hidden: %+v, %v; want u2 alone", hidden, err)
	}
	if from >= 2 {
		changes, err := s.Changes(t.Context(), "acme", 0, 10)
		if err != nil || len(changes) != 2 || changes[0].Seq != 7 || changes[0].ID != "u1" || changes[1].Seq != 8 || changes[1].ID != "u2" {
			t.Errorf("changes %+v, %v; want 7 of u1 and 8 of u2", changes, err)
		}
	}
	var unique *storage.CommitError
	other := record("User", "u3")
	other.Unique[0].Key = "=babs"
	if _, err := s.Commit(t.Context(), put(other)); !errors.As(err, &unique) || unique.Holder == nil || unique.Holder.ID != "u1" {
		t.Errorf("the same name again: %v; want that u1 holds it", err)
	}
}

func TestMigrationsRunByAHostAreEnough(t *testing.T) {
	t.Parallel()
	url := pgtest.URL(t)
	list, err := postgres.Migrations(postgres.WithTablePrefix("x_"))
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range list {
		execute(t, url, m.SQL)
	}
	s := openAt(t, url, postgres.WithTablePrefix("x_")) // which finds nothing to do
	if _, err := s.Commit(t.Context(), put(record("User", "u1"))); err != nil {
		t.Error(err)
	}
}
