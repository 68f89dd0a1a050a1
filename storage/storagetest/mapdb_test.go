package storagetest

import (
	"bytes"
	"context"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/musterhq/muster/storage/kv"
)

// mapDB is a small kv.DB that can be told to go wrong.
type mapDB struct {
	dbFaults
	mu    sync.Mutex
	pairs map[string]string
}

type dbFaults struct {
	forgetDelete byte // the kind of key whose deletions are lost
	forgetPut    byte // the kind of key whose writes are lost
	keepFailed   bool // transactions that fail are kept
	unordered    bool // transactions are not serialisable
}

func (db *mapDB) View(_ context.Context, f func(kv.Tx) error) error {
	db.mu.Lock()
	tx := &mapTx{db, db.pairs}
	db.mu.Unlock()
	return f(tx)
}

func (db *mapDB) Update(_ context.Context, f func(kv.Tx) error) error {
	db.mu.Lock()
	defer db.mu.Unlock()
	tx := &mapTx{db, maps.Clone(db.pairs)}
	if tx.pairs == nil {
		tx.pairs = map[string]string{}
	}
	if db.unordered {
		db.mu.Unlock()
	}
	err := f(tx)
	if db.unordered {
		time.Sleep(50 * time.Microsecond)
		db.mu.Lock()
	}
	if err == nil || db.keepFailed {
		db.pairs = tx.pairs
	}
	return err
}

type mapTx struct {
	db    *mapDB
	pairs map[string]string
}

func (tx *mapTx) Get(key []byte) ([]byte, error) {
	if v, ok := tx.pairs[string(key)]; ok {
		return []byte(v), nil
	}
	return nil, nil
}

func (tx *mapTx) Put(key, value []byte) error {
	if key[0] != tx.db.forgetPut {
		tx.pairs[string(key)] = string(value)
	}
	return nil
}

func (tx *mapTx) Delete(key []byte) error {
	if key[0] != tx.db.forgetDelete {
		delete(tx.pairs, string(key))
	}
	return nil
}

func (tx *mapTx) Scan(prefix, after []byte, visit func(key, value []byte) bool) error {
	var keys []string
	for k := range tx.pairs {
		if strings.HasPrefix(k, string(prefix)) && bytes.Compare([]byte(k), after) > 0 {
			keys = append(keys, k)
		}
	}
	slices.Sort(keys)
	for _, k := range keys {
		if !visit([]byte(k), []byte(tx.pairs[k])) {
			break
		}
	}
	return nil
}
