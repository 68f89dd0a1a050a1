package postgres_test

import (
	"context"
	"crypto/rand"
	"net/url"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/musterhq/muster/internal/pgtest"
	"github.com/musterhq/muster/storage"
	"github.com/musterhq/muster/storage/postgres"
	"github.com/musterhq/muster/storage/storagetest"
)

// Who owns a schema can make the tables, and who may read and write them can
// serve them: neither is an administrator.
func TestNoRightsOfAnAdministratorAreNeeded(t *testing.T) {
	t.Parallel()
	admin := pgtest.Start(t).URL(t)
	password := rand.Text()
	execute(t, admin, `
CREATE ROLE maker LOGIN PASSWORD '`+password+`';
CREATE ROLE app LOGIN PASSWORD '`+password+`';
CREATE SCHEMA theirs AUTHORIZATION maker;
GRANT USAGE ON SCHEMA theirs TO app`)
	as := func(role string) string {
		u, err := url.Parse(admin)
		if err != nil {
			t.Fatal(err)
		}
		u.User = url.UserPassword(role, password)
		return u.String()
	}
	openAt(t, as("maker"), postgres.WithSchema("theirs"))
	execute(t, as("maker"), `GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA theirs TO app`)
	s := openAt(t, as("app"), postgres.WithSchema("theirs"))
	storagetest.Run(t, func(*testing.T) storage.Store { return s })
}

// Who numbers changes holds the lock of the tenant's log, for as long as it takes.
func TestWritersDoNotWaitForReadersOfTheLog(t *testing.T) {
	t.Parallel()
	url := pgtest.URL(t)
	s := openAt(t, url)
	if _, err := s.Commit(t.Context(), put(record("User", "u1"))); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Changes(t.Context(), "acme", 0, 1); err != nil {
		t.Fatal(err)
	}
	reader, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close(context.Background())
	if _, err := reader.Exec(t.Context(), "BEGIN; SELECT last_seq FROM muster_logs WHERE tenant = 'acme' FOR UPDATE"); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if _, err := s.Commit(ctx, put(record("User", "u2"))); err != nil {
		t.Errorf("a commit while somebody numbers: %v", err)
	}
	if _, err := reader.Exec(t.Context(), "COMMIT"); err != nil {
		t.Fatal(err)
	}
	if changes, err := s.Changes(ctx, "acme", 1, 10); err != nil || len(changes) != 1 || changes[0].ID != "u2" {
		t.Errorf("changes %+v, %v; want that of u2", changes, err)
	}
}
