package main

import (
	"bytes"
	"crypto/rand"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/musterhq/muster/internal/pgtest"
)

// testdata/life.txt is what a reader of the settings and of the requests expects.
func TestLifeOfWorkspacesIsTheSameOverEachStore(t *testing.T) {
	t.Parallel()
	want, err := os.ReadFile("testdata/life.txt")
	if err != nil {
		t.Fatal(err)
	}
	for name, where := range map[string]func() string{
		"memory":   func() string { return "memory" },
		"sqlite":   func() string { return "sqlite:" + filepath.Join(t.TempDir(), "directory.db") },
		"postgres": func() string { return pgtest.URL(t) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			store, end, err := open(t.Context(), where())
			if err != nil {
				t.Fatal(err)
			}
			defer end()
			var out bytes.Buffer
			if err := play(t.Context(), store, rand.Text(), &out); err != nil {
				t.Fatalf("%v, after\n%s", err, &out)
			}
			if diff := cmp.Diff(string(want), out.String()); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}
