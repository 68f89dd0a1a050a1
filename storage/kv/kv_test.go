package kv_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/musterhq/muster/scim/filter"
	"github.com/musterhq/muster/scim/schema"
	"github.com/musterhq/muster/storage"
	"github.com/musterhq/muster/storage/kv"
	"github.com/musterhq/muster/storage/storagetest"
)

func TestContract(t *testing.T) {
	t.Parallel()
	storagetest.Run(t, func(*testing.T) storage.Store { return kv.New(&memoryDB{}) })
}

// Many databases run a transaction again when it met another one.
func TestContractWhenTransactionsRunAgain(t *testing.T) {
	t.Parallel()
	storagetest.Run(t, func(*testing.T) storage.Store { return kv.New(&againDB{memoryDB{}}) })
}

func BenchmarkStore(b *testing.B) {
	storagetest.Benchmark(b, func(*testing.B) storage.Store { return kv.New(&memoryDB{}) })
}

// againDB runs every transaction once in vain.
type againDB struct{ memoryDB }

func (db *againDB) View(ctx context.Context, f func(kv.Tx) error) error {
	_ = db.memoryDB.View(ctx, f)
	return db.memoryDB.View(ctx, f)
}

func (db *againDB) Update(ctx context.Context, f func(kv.Tx) error) error {
	_ = f(&memoryTx{db.snapshot()})
	return db.memoryDB.Update(ctx, f)
}

// errDatabase is what a database says that breaks down.
var errDatabase = errors.New("disk on fire")

// failingDB fails at the n-th call of a primitive.
type failingDB struct {
	memoryDB
	calls, failAt int
}

func (db *failingDB) View(ctx context.Context, f func(kv.Tx) error) error {
	return db.memoryDB.View(ctx, func(tx kv.Tx) error { return f(failingTx{tx, db}) })
}

func (db *failingDB) Update(ctx context.Context, f func(kv.Tx) error) error {
	return db.memoryDB.Update(ctx, func(tx kv.Tx) error { return f(failingTx{tx, db}) })
}

func (db *failingDB) call() error {
	if db.calls++; db.calls == db.failAt {
		return errDatabase
	}
	return nil
}

type failingTx struct {
	kv.Tx
	db *failingDB
}

func (tx failingTx) Get(key []byte) ([]byte, error) {
	if err := tx.db.call(); err != nil {
		return nil, err
	}
	return tx.Tx.Get(key)
}

func (tx failingTx) Put(key, value []byte) error {
	if err := tx.db.call(); err != nil {
		return err
	}
	return tx.Tx.Put(key, value)
}

func (tx failingTx) Delete(key []byte) error {
	if err := tx.db.call(); err != nil {
		return err
	}
	return tx.Tx.Delete(key)
}

// Scan fails at its end too, as databases do that read in pieces.
func (tx failingTx) Scan(prefix, after []byte, visit func(key, value []byte) bool) error {
	if err := tx.db.call(); err != nil {
		return err
	}
	stopped := false
	err := tx.Tx.Scan(prefix, after, func(k, v []byte) bool {
		stopped = !visit(k, v)
		return !stopped
	})
	if err == nil && !stopped {
		err = tx.db.call()
	}
	return err
}

// Wherever the database breaks down, the caller is told, and a commit has no
// effect.
func TestErrorsOfTheDatabaseAreHandedOn(t *testing.T) {
	t.Parallel()
	user, group := schema.MustCompile(schema.User(), schema.Group()), schema.MustCompile(schema.Group(), schema.User())
	u1, u2, u3, g1, g2 := ref("User", "1"), ref("User", "2"), ref("User", "3"), ref("Group", "1"), ref("Group", "2")
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	setUp := &storage.Batch{
		Tenant: "t", Time: at, Puts: []storage.Put{{Record: record(u1)}, {Record: record(u2)}, {Record: record(g1)}, {Record: record(g2)}},
		Links: []storage.LinkEdit{{Owner: g1, Relation: "members", Add: []storage.Ref{u1, u2, g2}}, {Owner: g2, Relation: "members", Add: []storage.Ref{u1}}},
	}
	hidden := *record(g2)
	hidden.Hidden = true
	query := func(typ *schema.Type, text string) func(context.Context, storage.Store) error {
		e, err := filter.Parse(text, filter.ParseOptions{})
		if err != nil {
			t.Fatal(err)
		}
		plan, err := filter.Compile(typ, e, filter.Options{})
		if err != nil {
			t.Fatal(err)
		}
		return func(ctx context.Context, s storage.Store) error {
			_, err := s.Query(ctx, &storage.Query{Tenant: "t", Type: typ, Filter: plan, Limit: 10})
			return err
		}
	}
	for name, call := range map[string]func(context.Context, storage.Store) error{
		"Get": func(ctx context.Context, s storage.Store) error { _, err := s.Get(ctx, "t", u1); return err },
		"Commit": func(ctx context.Context, s storage.Store) error {
			_, err := s.Commit(ctx, &storage.Batch{
				Tenant: "t", Time: at, Puts: []storage.Put{{Record: &hidden}, {Record: record(u3)}}, Deletes: []storage.Delete{{Ref: u2}},
				Links: []storage.LinkEdit{{Owner: g1, Relation: "members", Reset: true, Add: []storage.Ref{u3}, IfConnection: "okta"}},
			})
			return err
		},
		"Links": func(ctx context.Context, s storage.Store) error {
			_, err := s.Links(ctx, &storage.LinkQuery{Tenant: "t", Relation: storage.Relation{Owner: "Group", Name: "members"}, Of: []storage.Ref{g1, g2}, Labels: true})
			return err
		},
		"Links with Other": func(ctx context.Context, s storage.Store) error {
			_, err := s.Links(ctx, &storage.LinkQuery{Tenant: "t", Relation: storage.Relation{Owner: "Group", Name: "members"}, Of: []storage.Ref{u1}, Inverse: true, Other: []storage.Ref{g1}})
			return err
		},
		"Query of all":               query(user, `title pr`),
		"Query by index":             query(user, `userName eq "1"`),
		"Query by id":                query(user, `id eq "1"`),
		"Query by members":           query(group, `members.value eq "1"`),
		"Query by groups":            query(user, `groups.value eq "1"`),
		"Query with links beside":    query(user, `title pr or groups pr or groups.value eq "2"`),
		"Query with links elsewhere": query(group, `displayName pr or members pr or members.type eq "User" or members.value eq "1"`),
		"Changes": func(ctx context.Context, s storage.Store) error {
			_, err := s.(storage.ChangeLog).Changes(ctx, "t", 0, 10)
			return err
		},
		"ChangedLinks": func(ctx context.Context, s storage.Store) error {
			_, err := s.(storage.ChangeLog).ChangedLinks(ctx, "t", 3, storage.LinkDelta{}, 10)
			return err
		},
		"TrimChanges": func(ctx context.Context, s storage.Store) error {
			return s.(storage.ChangeLog).TrimChanges(ctx, "t", at.Add(time.Hour))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := &failingDB{}
			s := kv.New(db)
			if _, err := s.Commit(t.Context(), setUp); err != nil {
				t.Fatal(err)
			}
			before := pairs(db)
			for db.failAt = 1; ; db.failAt++ {
				db.calls = 0
				err := call(t.Context(), s)
				if db.calls < db.failAt {
					if err != nil {
						t.Fatalf("without a failure: %v", err)
					}
					break
				}
				if !errors.Is(err, errDatabase) {
					t.Errorf("call %d of the database failed and the caller sees %v", db.failAt, err)
				}
				if !slices.Equal(pairs(db), before) {
					t.Fatalf("call %d of the database failed and something was written", db.failAt)
				}
			}
			if db.failAt < 2 {
				t.Error("the database was not called")
			}
		})
	}
}

func TestValuesOfOthersAreRefusedByName(t *testing.T) {
	t.Parallel()
	db := &memoryDB{}
	s := kv.New(db)
	if _, err := s.Commit(t.Context(), &storage.Batch{Tenant: "t", Time: time.Unix(0, 0), Puts: []storage.Put{{Record: record(ref("User", "1"))}}}); err != nil {
		t.Fatal(err)
	}
	if err := db.Update(t.Context(), func(tx kv.Tx) error { return tx.Put([]byte("rt\x00User\x001"), []byte("secret")) }); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Get(t.Context(), "t", ref("User", "1")); err == nil || err.Error() == "" || fmt.Sprint(err) == "secret" {
		t.Errorf("error %v; want one that names User/1", err)
	}
}

func ref(typ, id string) storage.Ref { return storage.Ref{Type: typ, ID: id} }

func record(r storage.Ref) *storage.Record {
	return &storage.Record{
		Ref: r, Connection: "okta", Doc: []byte(`{"userName":"` + r.ID + `"}`),
		Index: []storage.Entry{{Attr: "userName", Key: r.ID}}, Unique: []storage.UniqueKey{{Attr: "userName", Key: r.ID}},
	}
}

// pairs lists what a database holds.
func pairs(db *failingDB) (all []string) {
	db.snapshot().scan(nil, func(k, v []byte) bool {
		all = append(all, string(k)+"="+string(v))
		return true
	})
	return all
}
