package kv_test

import (
	"bytes"
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/musterhq/muster/storage"
	"github.com/musterhq/muster/storage/kv"
)

// memoryDB is a whole adapter: an ordered map whose states are immutable, so
// that readers take one and writers make the next.
type memoryDB struct {
	writing sync.Mutex
	mu      sync.Mutex // guards state
	state   *ordered
}

func (db *memoryDB) snapshot() *ordered {
	db.mu.Lock()
	defer db.mu.Unlock()
	return db.state
}

func (db *memoryDB) View(_ context.Context, f func(kv.Tx) error) error {
	return f(&memoryTx{db.snapshot()})
}

func (db *memoryDB) Update(_ context.Context, f func(kv.Tx) error) error {
	db.writing.Lock()
	defer db.writing.Unlock()
	tx := &memoryTx{db.snapshot()}
	if err := f(tx); err != nil {
		return err
	}
	db.mu.Lock()
	defer db.mu.Unlock()
	db.state = tx.state
	return nil
}

type memoryTx struct{ state *ordered }

func (tx *memoryTx) Get(key []byte) ([]byte, error) {
	value, _ := tx.state.get(key)
	return value, nil
}

func (tx *memoryTx) Put(key, value []byte) error {
	tx.state = tx.state.put(key, value)
	return nil
}

func (tx *memoryTx) Delete(key []byte) error {
	tx.state = tx.state.delete(key)
	return nil
}

func (tx *memoryTx) Scan(prefix, after []byte, visit func(key, value []byte) bool) error {
	if bytes.Compare(after, prefix) < 0 {
		after = prefix // no key is a prefix alone
	}
	tx.state.scan(after, func(key, value []byte) bool {
		return bytes.HasPrefix(key, prefix) && visit(key, value)
	})
	return nil
}

// An adapter for another database is these two types.
func Example() {
	store := kv.New(&memoryDB{})
	ctx := context.Background()

	group, user := storage.Ref{Type: "Group", ID: "g1"}, storage.Ref{Type: "User", ID: "u1"}
	result, err := store.Commit(ctx, &storage.Batch{
		Tenant: "acme",
		Time:   time.Now().UTC(),
		Puts: []storage.Put{
			{Record: &storage.Record{Ref: user, Label: "Babs Jensen", Doc: []byte(`{"userName":"bjensen"}`)}},
			{Record: &storage.Record{Ref: group, Label: "Guides", Doc: []byte(`{"displayName":"Guides"}`)}},
		},
		Links: []storage.LinkEdit{{Owner: group, Relation: "members", Add: []storage.Ref{user, {Type: "User", ID: "u2"}}}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("added:", result.Links[0].Added, "dropped:", result.Links[0].Dropped)

	links, err := store.Links(ctx, &storage.LinkQuery{
		Tenant: "acme", Relation: storage.Relation{Owner: "Group", Name: "members"}, Of: []storage.Ref{group}, Labels: true,
	})
	fmt.Println(links[0].To, links[0].Label, err)
	// Output:
	// added: 1 dropped: [{User u2}]
	// {User u1} Babs Jensen <nil>
}
