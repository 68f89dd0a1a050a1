package sqlite_test

import (
	"path/filepath"
	"testing"

	"github.com/musterhq/muster/storage"
	"github.com/musterhq/muster/storage/sqlite"
	"github.com/musterhq/muster/storage/storagetest"
)

// open opens a store in a file of its own.
func open(tb testing.TB, opts ...sqlite.Option) *sqlite.Store {
	tb.Helper()
	return reopen(tb, filepath.Join(tb.TempDir(), "muster test?%.db"), opts...)
}

func reopen(tb testing.TB, path string, opts ...sqlite.Option) *sqlite.Store {
	tb.Helper()
	s, err := sqlite.Open(path, opts...)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := s.Close(); err != nil {
			tb.Error(err)
		}
	})
	return s
}

func TestContract(t *testing.T) {
	t.Parallel()
	storagetest.Run(t, func(t *testing.T) storage.Store { return open(t) })
}

func BenchmarkStore(b *testing.B) {
	storagetest.Benchmark(b, func(b *testing.B) storage.Store { return open(b) })
}
