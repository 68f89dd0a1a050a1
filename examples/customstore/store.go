package main

import (
	"bytes"
	"context"
	"fmt"

	"github.com/musterhq/muster/storage"
	"github.com/musterhq/muster/storage/kv"
	bolt "go.etcd.io/bbolt"
)

// database is a bbolt file as package kv wants to see it. This, the four methods
// of transaction and openStore are the whole adapter.
type database struct{ *bolt.DB }

// bucket is where all keys are.
var bucket = []byte("muster")

// openStore opens a store in a file. Closing the file closes the store.
func openStore(path string, opts *bolt.Options) (storage.Store, func() error, error) {
	db, err := bolt.Open(path, 0o600, opts)
	if err != nil {
		return nil, nil, err
	}
	err = db.Update(func(tx *bolt.Tx) error {
		_, err := tx.CreateBucketIfNotExists(bucket)
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	return kv.New(database{db}), db.Close, nil
}

// View runs f on one state of the database.
func (db database) View(_ context.Context, f func(kv.Tx) error) error {
	tx, err := db.Begin(false)
	if err != nil {
		return unavailable(err)
	}
	defer tx.Rollback() // it has nothing to keep
	return f(transaction{tx.Bucket(bucket)})
}

// Update runs f in a transaction. bbolt has one writer at a time, so that
// transactions are serialisable by nature.
func (db database) Update(ctx context.Context, f func(kv.Tx) error) error {
	tx, err := db.Begin(true)
	if err != nil {
		return unavailable(err)
	}
	defer tx.Rollback() // after Commit it does nothing
	if err := ctx.Err(); err != nil {
		return err // nobody waits any more
	}
	if err := f(transaction{tx.Bucket(bucket)}); err != nil {
		return err
	}
	if err := tx.Commit(); err != nil {
		return unavailable(err)
	}
	return nil
}

// unavailable marks an error of the database: the server answers 503, and the
// client tries again later.
func unavailable(err error) error { return fmt.Errorf("%w: %w", storage.ErrUnavailable, err) }

// transaction is the four primitives.
type transaction struct{ *bolt.Bucket }

// Get returns nil for a key that is not there, as bbolt does.
func (tx transaction) Get(key []byte) ([]byte, error) { return tx.Bucket.Get(key), nil }

// Scan walks from the later of prefix and after to the end of the prefix.
func (tx transaction) Scan(prefix, after []byte, visit func(key, value []byte) bool) error {
	c, from := tx.Cursor(), prefix
	if bytes.Compare(after, prefix) > 0 {
		from = after
	}
	for k, v := c.Seek(from); k != nil && bytes.HasPrefix(k, prefix); k, v = c.Next() {
		if !bytes.Equal(k, after) && !visit(k, v) {
			break
		}
	}
	return nil
}
