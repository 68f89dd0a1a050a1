package sqlite

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/musterhq/muster/scim/schema"
	"github.com/musterhq/muster/storage"
)

// oldData is what tables of each version held: a group and its member, and a user
// that is deleted for clients; from version 2 on their changes; and in version 3
// figures that ANALYZE found.
var oldData = []string{
	1: `
	INSERT INTO muster_records (tenant, type, id, connection, version, created, modified, hidden, label, user_name, external_id, display_name, active, keys, doc) VALUES
		('t', 'User', 'u1', 'okta', 3, 1000000, 2000000, 0, 'Ada', 'ada', x'', x'', x'', x'0000', CAST('{"userName":"Ada"}' AS BLOB)),
		('t', 'User', 'u2', 'okta', 2, 1000000, 2000000, 1, '', x'', x'', x'', x'', x'0000', CAST('{"userName":"Eve"}' AS BLOB)),
		('t', 'Group', 'g1', 'okta', 1, 1000000, 1000000, 0, 'Guides', x'', x'', 'guides', x'', x'0000', CAST('{"displayName":"Guides"}' AS BLOB));
	INSERT INTO muster_populations (tenant, type, connection, hidden, n) VALUES ('t', 'User', 'okta', 0, 1), ('t', 'User', 'okta', 1, 1), ('t', 'Group', 'okta', 0, 1);
	INSERT INTO muster_links (tenant, owner_type, owner_id, relation, target_type, target_id) VALUES ('t', 'Group', 'g1', 'members', 'User', 'u1');`,
	2: `
	INSERT INTO muster_logs (tenant, last) VALUES ('t', 7);
	INSERT INTO muster_changes (tenant, seq, type, id, connection, version, hidden, kind, paths, time, links_added, links_removed) VALUES
		('t', 7, 'User', 'u2', 'okta', 2, 1, 'deleted', '', 2000000, 0, 0);`,
	3: `ANALYZE;`,
}

// oldTables makes a file with the tables of a version, and what they held.
func oldTables(t *testing.T, version int) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "x.db")
	for v := 1; v <= version; v++ {
		run(t, path, migrations()[v-1].SQL+oldData[v])
	}
	return path
}

func TestOldTablesAreUpgradedWithTheirRecords(t *testing.T) {
	t.Parallel()
	if len(oldData) != len(migrations()) {
		t.Fatalf("there is data of %d versions for %d migrations; want it of all but the last", len(oldData)-1, len(migrations()))
	}
	for from := 1; from < len(oldData); from++ {
		t.Run(fmt.Sprint("version ", from), func(t *testing.T) {
			t.Parallel()
			path := oldTables(t, from)
			if _, err := Open(path, WithoutMigration()); err == nil || !strings.Contains(err.Error(), fmt.Sprint("of version ", from)) {
				t.Errorf("old tables are opened without a migration: error %v", err)
			}
			keepsOldData(t, openAt(t, path), from)
			openAt(t, path, WithoutMigration())
		})
	}
}

func keepsOldData(t *testing.T, s *Store, from int) {
	t.Helper()
	r, err := s.Get(t.Context(), "t", user("u1"))
	if err != nil || r.Version != 3 || string(r.Doc) != `{"userName":"Ada"}` {
		t.Fatalf("record %+v, error %v", r, err)
	}
	hidden := ask(t, s, schema.MustCompile(schema.User(), schema.Group()), "", func(q *storage.Query) { q.OnlyHidden = true })
	if len(hidden.Records) != 1 || hidden.Records[0].ID != "u2" || hidden.Total != 1 {
		t.Errorf("hidden: %+v; want u2 alone", hidden)
	}
	commitTo(t, s, &storage.Batch{Tenant: "t", Time: day, Deletes: []storage.Delete{{Ref: user("u1")}}})
	want := "1:User/u1 2:Group/g1"
	if from >= 2 {
		want = "7:User/u2 8:User/u1 9:Group/g1"
	}
	changes, err := s.Changes(t.Context(), "t", 0, 10)
	var got []string
	for _, c := range changes {
		got = append(got, fmt.Sprintf("%d:%s/%s", c.Seq, c.Type, c.ID))
	}
	if err != nil || strings.Join(got, " ") != want {
		t.Errorf("changes %v, error %v; want %s", got, err, want)
	}
}

// What ANALYZE found of an old file is not replaced by what is to be expected of
// a new one.
func TestMigrationLeavesStatisticsAlone(t *testing.T) {
	t.Parallel()
	path := oldTables(t, 2)
	run(t, path, "ANALYZE")
	s := openAt(t, path)
	err := s.read(t.Context(), func(c *conn) error {
		row, err := c.first("SELECT group_concat(stat) FROM sqlite_stat1 WHERE idx = 'muster_records_user_name'")
		if err == nil && !strings.HasPrefix(text(row[0]), "3 ") || strings.Contains(text(row[0]), ",") {
			t.Errorf("figures %q; want those of 3 records", text(row[0]))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// A process is killed in the middle of a migration that another one waits for.
func TestMigrationOutlivesAProcessThatIsKilled(t *testing.T) {
	t.Parallel()
	path := oldTables(t, 1)
	first, lines := child(t, path, migrating, 0)
	if !lines.Scan() || lines.Text() != migrating {
		t.Fatalf("the process says %q", lines.Text())
	}
	opened := make(chan error, 1)
	go func() {
		s, err := Open(path)
		if err == nil {
			err = s.Close()
		}
		opened <- err
	}()
	select {
	case err := <-opened:
		t.Fatalf("a migration did not wait for the other: %v", err)
	case <-time.After(50 * time.Millisecond):
	}
	if err := first.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = first.Wait() // which says that it was killed
	if err := <-opened; err != nil {
		t.Fatalf("the process that waited: %v", err)
	}
	keepsOldData(t, openAt(t, path), 1)
}

// run runs statements on a file.
func run(t *testing.T, path, sql string) {
	t.Helper()
	c, err := connect(path, &config{prefix: DefaultPrefix})
	if err != nil {
		t.Fatal(err)
	}
	defer c.close()
	if err := c.script(sql); err != nil {
		t.Fatal(err)
	}
}

func TestMigrationsForAToolMakeTheTables(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "x.db")
	all, err := Migrations(WithTablePrefix("scim_"))
	if err != nil {
		t.Fatal(err)
	}
	for i, m := range all {
		if m.Version != i+1 || m.Name == "" {
			t.Errorf("migration %d is %d (%q)", i+1, m.Version, m.Name)
		}
		run(t, path, m.SQL)
	}
	s := openAt(t, path, WithTablePrefix("scim_"), WithoutMigration())
	commitTo(t, s, put(holding(user("u1"), "a")))
}

func TestFailedMigrationLeavesNothing(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "x.db")
	run(t, path, migrations()[0].SQL)
	s := openAt(t, path)
	later := append(migrations(), Migration{Version: 9, Name: "broken", SQL: "CREATE TABLE muster_half (x); SELECT * FROM muster_nothing"})
	if err := s.migrate(t.Context(), later); err == nil || !strings.Contains(err.Error(), "broken") {
		t.Errorf("error %v; want one that names the migration", err)
	}
	err := s.read(t.Context(), func(c *conn) error {
		row, err := c.first("SELECT count(*) FROM sqlite_schema WHERE name = 'muster_half'")
		if err == nil && integer(row[0]) != 0 {
			t.Error("half of the migration took effect")
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Migrate(t.Context()); err != nil {
		t.Errorf("migrating again: %v", err)
	}
}

func TestTablesOfALaterVersionAreRefused(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "x.db")
	openAt(t, path)
	run(t, path, "UPDATE muster_version SET version = 99")
	for _, opts := range [][]Option{nil, {WithoutMigration()}} {
		if _, err := Open(path, opts...); err == nil || !strings.Contains(err.Error(), "later version") {
			t.Errorf("error %v; want one that says that the tables are of a later version", err)
		}
	}
}

func TestMissingTablesAreToldOf(t *testing.T) {
	t.Parallel()
	if _, err := Open(filepath.Join(t.TempDir(), "x.db"), WithoutMigration()); err == nil || !strings.Contains(err.Error(), "Migrate") {
		t.Errorf("error %v; want one that says what to do", err)
	}
}

func TestPrefixesKeepStoresApart(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "x.db")
	one, two := openAt(t, path, WithTablePrefix("a_")), openAt(t, path, WithTablePrefix(""))
	typ := schema.MustCompile(schema.User())
	commitTo(t, one, put(record(t, typ, "u1", `{"userName":"a"}`)))
	commitTo(t, two, put(record(t, typ, "u1", `{"userName":"a","title":"two"}`), record(t, typ, "u2", `{"userName":"b"}`)))
	if page := ask(t, one, typ, `userName pr`); page.Total != 1 {
		t.Errorf("one store finds %d records; want its own", page.Total)
	}
	if page := ask(t, two, typ, `userName pr`); page.Total != 2 {
		t.Errorf("the other store finds %d records; want its own", page.Total)
	}
}

func TestOddOptionsAndPathsAreRefused(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "x.db")
	for _, prefix := range []string{"a-", "1a", "a b", `a"; DROP TABLE x; --`, "ä"} {
		if _, err := Open(path, WithTablePrefix(prefix)); err == nil {
			t.Errorf("the prefix %q is taken", prefix)
		}
		if _, err := Migrations(WithTablePrefix(prefix)); err == nil {
			t.Errorf("the prefix %q is taken for migrations", prefix)
		}
	}
	for _, path := range []string{"", ":memory:", filepath.Join(t.TempDir(), "no", "such", "directory.db"), t.TempDir()} {
		if s, err := Open(path); err == nil {
			_ = s.Close()
			t.Errorf("%q is opened", path)
		}
	}
}

func TestProcessesThatStartTogetherMigrateOnce(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "x.db")
	errs := make(chan error)
	for range 5 {
		go func() {
			s, err := Open(path)
			if err == nil {
				_, err = s.Commit(context.Background(), put(holding(user("u1"), "a")))
				_ = s.Close()
			}
			errs <- err
		}()
	}
	for range 5 {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
}

func TestFileIsForItsOwnerAlone(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("files have no such modes there")
	}
	path := filepath.Join(t.TempDir(), "x.db")
	openAt(t, path)
	for _, name := range []string{path, path + "-wal", path + "-shm"} {
		info, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		if mode := info.Mode().Perm(); mode != 0o600 {
			t.Errorf("%s has mode %o; want 600", filepath.Base(name), mode)
		}
	}
}
