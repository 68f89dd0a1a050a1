package postgres_test

import (
	"testing"

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
