package postgres_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/musterhq/muster/internal/pgtest"
	"github.com/musterhq/muster/scim/schema"
	"github.com/musterhq/muster/storage"
	"github.com/musterhq/muster/storage/postgres"
	"github.com/musterhq/muster/storage/storagetest"
)

// open returns a store in a schema of its own.
func open(t testing.TB, opts ...postgres.Option) *postgres.Store {
	t.Helper()
	return openAt(t, pgtest.URL(t), opts...)
}

func openAt(t testing.TB, url string, opts ...postgres.Option) *postgres.Store {
	t.Helper()
	s, err := postgres.Open(t.Context(), url, opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s
}

func TestStoreKeepsTheContract(t *testing.T) {
	t.Parallel()
	s := open(t)
	storagetest.Run(t, func(*testing.T) storage.Store { return s })
}

func TestStoreKeepsTheContractWhenSerializable(t *testing.T) {
	t.Parallel()
	s := openAt(t, pgtest.URL(t)+"&default_transaction_isolation=serializable")
	storagetest.Run(t, func(*testing.T) storage.Store { return s })
}

func BenchmarkStore(b *testing.B) {
	server := pgtest.Start(b, "fsync=on", "synchronous_commit=on", "full_page_writes=on")
	storagetest.Benchmark(b, func(b *testing.B) storage.Store { return openAt(b, server.URL(b)) })
}

func TestStoresWithOtherNamesShareNothing(t *testing.T) {
	t.Parallel()
	url := pgtest.URL(t)
	schema := "Muster_" + strings.ToLower(rand.Text()[:10])
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	if _, err := conn.Exec(t.Context(), `CREATE SCHEMA "`+schema+`"`); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		conn, err := pgx.Connect(context.Background(), url)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close(context.Background())
		if _, err := conn.Exec(context.Background(), `DROP SCHEMA "`+schema+`" CASCADE`); err != nil {
			t.Error(err)
		}
	})
	stores := []*postgres.Store{
		openAt(t, url),
		openAt(t, url, postgres.WithTablePrefix("Other_")),
		openAt(t, url, postgres.WithTablePrefix("")),
		openAt(t, url, postgres.WithSchema(schema)),
	}
	for i, s := range stores {
		if _, err := s.Commit(t.Context(), put(record("User", "u1"))); err != nil {
			t.Errorf("store %d: %v", i, err)
		}
		if changes, err := s.Changes(t.Context(), "acme", 0, 10); err != nil || len(changes) != 1 {
			t.Errorf("store %d: changes %v, %v; want one", i, changes, err)
		}
	}
	for _, name := range []string{`a"b`, "a b", "ä", "1a", strings.Repeat("x", 41), "a;"} {
		if _, err := postgres.Open(t.Context(), url, postgres.WithSchema(name)); err == nil {
			t.Errorf("schema %q was accepted", name)
		}
		if _, err := postgres.Open(t.Context(), url, postgres.WithTablePrefix(name)); err == nil {
			t.Errorf("prefix %q was accepted", name)
		}
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
	for from := 1; from < len(oldData); from++ {
		t.Run(fmt.Sprint("version ", from), func(t *testing.T) {
			t.Parallel()
			url := pgtest.URL(t)
			conn, err := pgx.Connect(t.Context(), url)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close(t.Context())
			list, err := postgres.Migrations()
			if err != nil {
				t.Fatal(err)
			}
			for v := 1; v <= from; v++ {
				for _, sql := range []string{list[v-1].SQL, oldData[v]} {
					if _, err := conn.Exec(t.Context(), sql); err != nil {
						t.Fatal(err)
					}
				}
			}
			var wg sync.WaitGroup
			for range 4 { // processes that start together
				wg.Go(func() {
					s, err := postgres.Open(t.Context(), url)
					if err != nil {
						t.Error(err)
						return
					}
					defer s.Close()
					if err := s.Migrate(t.Context()); err != nil {
						t.Error(err)
					}
				})
			}
			wg.Wait()
			s := openAt(t, url)
			keepsOldData(t, s, from)
			if _, err := conn.Exec(t.Context(), `INSERT INTO muster_migrations (version) VALUES (1000)`); err != nil {
				t.Fatal(err)
			}
			if err := s.Migrate(t.Context()); err == nil || !strings.Contains(err.Error(), "1000") {
				t.Errorf("tables of a later version: %v; want an error that names it", err)
			}
		})
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
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	list, err := postgres.Migrations(postgres.WithTablePrefix("x_"))
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range list {
		if _, err := conn.Exec(t.Context(), m.SQL); err != nil {
			t.Fatalf("migration %d, %s: %v", m.Version, m.Name, err)
		}
	}
	s := openAt(t, url, postgres.WithTablePrefix("x_")) // which finds nothing to do
	if _, err := s.Commit(t.Context(), put(record("User", "u1"))); err != nil {
		t.Error(err)
	}
}

func TestFollowersAreWokenByOtherStores(t *testing.T) {
	t.Parallel()
	url := pgtest.URL(t)
	here, there := openAt(t, url), openAt(t, url)
	ctx, stop := context.WithTimeout(t.Context(), 20*time.Second)
	defer stop()
	seen := make(chan string, 10)
	go storage.Follow(ctx, here, storage.Following{Tenant: "acme", Every: time.Hour, Handle: func(_ context.Context, changes []storage.Change) error {
		for _, c := range changes {
			seen <- c.ID
		}
		return nil
	}})
	for _, id := range []string{"u1", "u2", "u3"} {
		if _, err := there.Commit(ctx, put(record("User", id))); err != nil {
			t.Fatal(err)
		}
		select {
		case got := <-seen:
			if got != id {
				t.Fatalf("change of %s; want %s", got, id)
			}
		case <-ctx.Done():
			t.Fatalf("nobody told of %s", id)
		}
	}
}

// A replica is a store that reads only: here the primary itself, on connections
// that may not write.
func TestReplicaIsReadOnly(t *testing.T) {
	t.Parallel()
	url := pgtest.URL(t)
	s := openAt(t, url, postgres.WithReplica(url+"&default_transaction_read_only=on"))
	storagetest.Run(t, func(*testing.T) storage.Store { return s })
}
