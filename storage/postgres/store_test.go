package postgres_test

import (
	"context"
	"crypto/rand"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/musterhq/muster/internal/pgtest"
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
