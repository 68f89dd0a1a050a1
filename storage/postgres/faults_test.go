package postgres_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/musterhq/muster/internal/pgtest"
	"github.com/musterhq/muster/storage"
	"github.com/musterhq/muster/storage/postgres"
	"github.com/musterhq/muster/storage/storagetest"
)

func record(typ, id string) *storage.Record {
	return &storage.Record{
		Ref: storage.Ref{Type: typ, ID: id}, Label: id, Doc: []byte(`{"userName":"` + id + `"}`), Created: time.Now(),
		Index:  []storage.Entry{{Attr: "userName", Key: id}},
		Unique: []storage.UniqueKey{{Attr: "userName", Key: "=" + id}},
	}
}

func put(rs ...*storage.Record) *storage.Batch {
	b := &storage.Batch{Tenant: "acme", Time: time.Now()}
	for _, r := range rs {
		b.Puts = append(b.Puts, storage.Put{Record: r, IfAbsent: true, Change: storage.ChangeInfo{Kind: "created"}})
	}
	return b
}

func TestServerThatIsAwayIsUnavailable(t *testing.T) {
	t.Parallel()
	for name, away := range map[string]func(*pgtest.Server){"stopped": (*pgtest.Server).Down, "crashed": (*pgtest.Server).Crash} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := pgtest.Start(t, "synchronous_commit=on") // else a crash may lose what was acknowledged
			storagetest.Outage(t, openAt(t, server.URL(t)), func() { away(server) }, func() {
				if err := server.Up(); err != nil {
					t.Fatal(err)
				}
			})
		})
	}
}

func TestStoreIsUnavailableWithoutAServer(t *testing.T) {
	t.Parallel()
	s, err := postgres.Open(t.Context(), "postgres://nobody@127.0.0.1:1/none")
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if _, err := s.Get(t.Context(), "acme", storage.Ref{Type: "User", ID: "u1"}); !errors.Is(err, storage.ErrUnavailable) {
		t.Errorf("Get = %v; want ErrUnavailable", err)
	}
	if err := s.Migrate(t.Context()); !errors.Is(err, storage.ErrUnavailable) {
		t.Errorf("Migrate = %v; want ErrUnavailable", err)
	}
}

func TestStatementsAreBounded(t *testing.T) {
	t.Parallel()
	url := pgtest.URL(t)
	openAt(t, url)
	s := openAt(t, url, postgres.WithStatementTimeout(200*time.Millisecond))
	if _, err := s.Commit(t.Context(), put(record("User", "u1"))); err != nil {
		t.Fatal(err)
	}
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	if _, err := conn.Exec(t.Context(), `BEGIN; LOCK TABLE muster_records`); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Get(t.Context(), "acme", storage.Ref{Type: "User", ID: "u1"}); !errors.Is(err, storage.ErrUnavailable) {
		t.Errorf("Get = %v; want ErrUnavailable", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := s.Get(ctx, "acme", storage.Ref{Type: "User", ID: "u1"}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Get with a deadline = %v; want the context's error", err)
	}
}
