package main

import (
	"path/filepath"
	"testing"

	"github.com/musterhq/muster/internal/pgtest"
)

func TestProcessesOnOneStoreLoseNothingOfEachOther(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name          string
		nodes, rounds int
		store         func(*testing.T) string
	}{
		{"postgres", 3, 25, func(t *testing.T) string { return pgtest.URL(t) }},
		{"sqlite", 2, 15, newFile},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			l := newLoad(t, c.store(t), c.nodes)
			l.run(c.rounds, nil)
			l.verify()
		})
	}
}

// newFile is the flag for a new file of SQLite's.
func newFile(t *testing.T) string { return "sqlite:" + filepath.Join(t.TempDir(), "directory.db") }
