package postgres_test

import (
	"testing"

	"github.com/musterhq/muster/internal/pgtest"
	"github.com/musterhq/muster/storage"
	"github.com/musterhq/muster/storage/postgres"
	"github.com/musterhq/muster/storage/storagetest"
)

// PgBouncer in transaction mode hands each transaction to another session. Before
// version 1.21 it knows nothing of prepared statements, which pgx then must not
// keep.
func TestStoreKeepsTheContractBehindPgBouncer(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{"cache_describe", "exec"} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			url := pgtest.URL(t)
			s := openAt(t, pgtest.Bouncer(t, url)+"&default_query_exec_mode="+mode, postgres.WithSchema(pgtest.Schema(t, url)))
			storagetest.Run(t, func(*testing.T) storage.Store { return s })
		})
	}
}
