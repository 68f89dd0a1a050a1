package storagetest

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/musterhq/muster/storage"
)

func abilityRules() []rule {
	locker := func(name, says string, run func(c *check, l storage.Locker)) rule {
		return rule{"lock/" + name, says, func(c *check) {
			l, ok := storage.As[storage.Locker](c.store)
			c.ability("Locker", ok)
			run(c, l)
		}}
	}
	return []rule{
		locker("one_at_a_time", "While one WithLock of a record runs, no other of the same record does.", func(c *check, l storage.Locker) {
			c.put(record(user("u1")))
			var inside, worst counter
			c.together(20, func(int) error {
				return l.WithLock(c.ctx(), c.tenant, user("u1"), func(ctx context.Context, s storage.Store) error {
					inside.add(1)
					defer inside.add(-1)
					time.Sleep(moment)
					inside.mu.Lock()
					n := inside.n
					inside.mu.Unlock()
					worst.mu.Lock()
					worst.n = max(worst.n, n)
					worst.mu.Unlock()
					_, err := s.Get(ctx, c.tenant, user("u1"))
					return err
				})
			})
			if worst.n != 1 {
				c.broken("%d were inside at once; want 1", worst.n)
			}
		}),
		locker("read_change_write_never_conflicts", "A writer that reads and writes inside WithLock meets no conflict with others that do.", func(c *check, l storage.Locker) {
			r := record(user("u1"))
			r.Label = ""
			c.put(r)
			c.together(20, func(i int) error {
				return l.WithLock(c.ctx(), c.tenant, user("u1"), func(ctx context.Context, s storage.Store) error {
					old, err := s.Get(ctx, c.tenant, user("u1"))
					if err != nil {
						return err
					}
					time.Sleep(moment)
					r := record(user("u1"))
					r.Label = old.Label + "x"
					_, err = s.Commit(ctx, &storage.Batch{Tenant: c.tenant, Time: c.now(), Puts: []storage.Put{{Record: r, IfVersion: old.Version}}})
					return err
				})
			})
			if got := c.get(user("u1")); len(got.Label) != 20 || got.Version != 21 {
				c.broken("the label has %d letters and the record version %d; want 20 and 21", len(got.Label), got.Version)
			}
		}),
		locker("error_is_handed_on", "WithLock returns the error of its function and lets go of the lock.", func(c *check, l storage.Locker) {
			c.put(record(user("u1")))
			want := errors.New("of the function")
			for range 2 {
				if err := l.WithLock(c.ctx(), c.tenant, user("u1"), func(context.Context, storage.Store) error { return want }); !errors.Is(err, want) {
					c.broken("WithLock returned %v; want %v", err, want)
				}
			}
		}),
		{"bulk/each_batch_on_its_own", "CommitEach commits many batches, each atomic on its own, with results and errors parallel to them.", func(c *check) {
			bulk, ok := storage.As[storage.BulkCommitter](c.store)
			c.ability("BulkCommitter", ok)
			c.put(record(group("g1")))
			batches := []*storage.Batch{
				{Puts: puts(named(user("u1"), "a"))},
				{Puts: puts(named(user("u2"), "b"), named(user("u3"), "a"))},
				{Puts: puts(named(user("u4"), "b")), Links: edits(add(group("g1"), users("u1", "u2", "u4")...))},
				{Deletes: deletes(user("u5"))},
				{},
				{Puts: puts(named(user("u1"), "c")), Links: edits(add(group("g1"), user("u1")))},
			}
			for _, b := range batches {
				c.complete(b)
			}
			results, errs := bulk.CommitEach(c.ctx(), batches)
			c.did("CommitEach of %d batches = %v", len(batches), errs)
			if len(results) != len(batches) || len(errs) != len(batches) {
				c.broken("%d results and %d errors; want %d of each", len(results), len(errs), len(batches))
			}
			for i, want := range []error{nil, storage.ErrNotUnique, nil, storage.ErrNotFound, nil, nil} {
				if !errors.Is(errs[i], want) || (errs[i] == nil) != (want == nil) || (results[i] == nil) != (want != nil) {
					c.broken("batch %d: result %+v, error %v; want error %v", i, results[i], errs[i], want)
				}
			}
			if r := results[2].Links[0]; r.Version != 2 || r.Added != 2 || !slices.Equal(r.Dropped, users("u2")) {
				c.broken("batch 2: the edit's result is %+v; want version 2, 2 added, u2 dropped", r)
			}
			if v := results[5].Puts[0]; v != 2 {
				c.broken("batch 5: the put's version is %d; want 2", v)
			}
			c.gone(user("u2"))
			c.members(group("g1"), users("u1", "u4")...)
		}},
	}
}
