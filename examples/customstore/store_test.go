package main

import (
	"path/filepath"
	"testing"

	"github.com/musterhq/muster/storage"
	"github.com/musterhq/muster/storage/storagetest"
	bolt "go.etcd.io/bbolt"
)

func TestContract(t *testing.T) {
	t.Parallel()
	storagetest.Run(t, func(t *testing.T) storage.Store {
		opts := *bolt.DefaultOptions
		opts.NoSync = true // no test pulls the plug
		store, closeFile, err := openStore(filepath.Join(t.TempDir(), "test.bolt"), &opts)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := closeFile(); err != nil {
				t.Error(err)
			}
		})
		return store
	})
}
