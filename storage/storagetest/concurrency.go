package storagetest

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/musterhq/muster/storage"
)

func concurrencyRules() []rule {
	return []rule{
		{"concurrency/one_of_many_gets_the_key", "Of writers that race for one unique key, one wins and all others are told ErrNotUnique.", func(c *check) {
			const n = 100
			var won, lost counter
			c.together(n, func(i int) error {
				err := c.try(storage.Batch{Puts: puts(named(user(fmt.Sprint(i)), "babs"))})
				return tally(err, storage.ErrNotUnique, &won, &lost)
			})
			c.did("%d writers put records with the same unique key", n)
			if won.n != 1 || lost.n != n-1 {
				c.broken("%d won and %d were told ErrNotUnique; want 1 and %d", won.n, lost.n, n-1)
			}
		}},
		{"concurrency/one_of_many_creates_the_record", "Of writers that race with IfAbsent for one record, one wins and all others are told ErrConflict.", func(c *check) {
			const n = 50
			var won, lost counter
			c.together(n, func(i int) error {
				err := c.try(storage.Batch{Puts: []storage.Put{{Record: named(user("u1"), fmt.Sprint(i)), IfAbsent: true}}})
				return tally(err, storage.ErrConflict, &won, &lost)
			})
			c.did("%d writers put one record with IfAbsent", n)
			if won.n != 1 || lost.n != n-1 {
				c.broken("%d won and %d were told ErrConflict; want 1 and %d", won.n, lost.n, n-1)
			}
			c.version(user("u1"), 1)
		}},
		{"concurrency/of_one_version_one_writer_goes_on", "IfVersion is judged inside the commit: of writers that read the same version, one wins.", func(c *check) {
			const n = 50
			c.put(record(user("u1")))
			var won, lost counter
			c.together(n, func(i int) error {
				err := c.try(storage.Batch{Puts: []storage.Put{{Record: record(user("u1")), IfVersion: 1}}})
				return tally(err, storage.ErrConflict, &won, &lost)
			})
			c.did("%d writers put one record with IfVersion 1", n)
			if won.n != 1 || lost.n != n-1 {
				c.broken("%d won and %d were told ErrConflict; want 1 and %d", won.n, lost.n, n-1)
			}
			c.version(user("u1"), 2)
		}},
		{"concurrency/compare_and_swap_loses_nothing", "Writers that read, change and write one record with IfVersion, and again on ErrConflict, lose no change.", func(c *check) {
			const writers, times = 8, 10
			r := record(user("u1"))
			r.Label = ""
			c.put(r)
			c.together(writers, func(i int) error {
				for range times {
					if err := c.appendToLabel(user("u1"), string(rune('a'+i))); err != nil {
						return err
					}
				}
				return nil
			})
			c.did("%d writers appended %d letters each to one label", writers, times)
			got := c.get(user("u1"))
			if len(got.Label) != writers*times || got.Version != writers*times+1 {
				c.broken("the label has %d letters and the record version %d; want %d and %d", len(got.Label), got.Version, writers*times, writers*times+1)
			}
		}},
		{"concurrency/parallel_member_adds_lose_none", "Links added to one group by many writers at once are all there, and the version counts them.", func(c *check) {
			const n, writers = 1000, 50
			c.put(record(group("g1")))
			refs := c.many(n)
			c.together(writers, func(w int) error {
				for i := w; i < n; i += writers {
					if err := c.try(storage.Batch{Links: edits(add(group("g1"), refs[i]))}); err != nil {
						return err
					}
				}
				return nil
			})
			c.did("%d writers added %d members to one group", writers, n)
			c.members(group("g1"), refs...)
			c.version(group("g1"), n+1)
		}},
		{"concurrency/the_same_link_is_added_once", "Of writers that add the same link at once, one adds it and the others change nothing.", func(c *check) {
			c.put(records(group("g1"), user("u1"))...)
			var added, moved counter
			c.together(30, func(int) error {
				b := storage.Batch{Links: edits(add(group("g1"), user("u1")))}
				c.complete(&b)
				res, err := c.store.Commit(c.ctx(), &b)
				if err == nil {
					added.add(res.Links[0].Added)
					moved.add(int(res.Links[0].Version) - 2)
				}
				return err
			})
			c.did("30 writers added one link")
			if added.n != 1 || moved.n != 0 {
				c.broken("%d say that they added it, and versions are %d above 2 in all; want 1 and 0", added.n, moved.n)
			}
			c.version(group("g1"), 2)
		}},
		{"concurrency/no_link_to_a_record_that_goes", "A link added while its target is deleted is either removed by the deletion or finds the target missing.", func(c *check) {
			for round := range 20 {
				u := user(fmt.Sprint("u", round))
				c.put(records(group("g1"), u)...)
				c.together(4, func(i int) error {
					b := storage.Batch{Links: edits(add(group("g1"), u))}
					if i == 3 {
						b = storage.Batch{Deletes: deletes(u)}
						if round%2 == 1 {
							b = storage.Batch{Puts: puts(hidden(record(u)))}
						}
					}
					return c.try(b)
				})
				c.did("3 writers added %s to a group while one deleted it", name(u))
				c.members(group("g1"))
				c.groups(u)
			}
		}},
		{"concurrency/no_link_from_a_record_that_goes", "A link added while its owner is deleted is either removed by the deletion or finds no owner.", func(c *check) {
			for round := range 20 {
				g := group(fmt.Sprint("g", round))
				c.put(records(g, user("u1"))...)
				c.together(4, func(i int) error {
					b := storage.Batch{Links: edits(add(g, user("u1")))}
					if i == 3 {
						b = storage.Batch{Deletes: deletes(g)}
					}
					if err := c.try(b); !errors.Is(err, storage.ErrNotFound) {
						return err
					}
					return nil
				})
				c.did("3 writers added a member to %s while one deleted it", name(g))
				c.members(g)
				c.groups(user("u1"))
				c.gone(g)
			}
		}},
		{"concurrency/crossing_batches_both_finish", "Batches over the same records in opposite order do not lock each other out for good.", func(c *check) {
			c.put(records(group("g1"), group("g2"), user("u1"), user("u2"))...)
			c.together(8, func(i int) error {
				for range 10 {
					b := storage.Batch{Puts: puts(records(user("u1"), user("u2"))...), Links: edits(reset(group("g1"), users("u1")...), reset(group("g2"), users("u2")...))}
					if i%2 == 1 {
						b = storage.Batch{Puts: puts(records(user("u2"), user("u1"))...), Links: edits(reset(group("g2"), users("u1", "u2")...), reset(group("g1")))}
					}
					if err := c.try(b); err != nil {
						return err
					}
				}
				return nil
			})
			c.did("8 writers committed 10 batches each over the same four records")
			c.version(user("u1"), 81)
			c.version(user("u2"), 81)
		}},
		{"concurrency/a_commit_is_seen_whole", "What was committed is seen by every call that starts after Commit returns, and nobody sees half of a record.", func(c *check) {
			c.put(named(user("u1"), "0"))
			c.together(4, func(i int) error {
				for n := range 25 {
					if i == 0 {
						r := named(user("u1"), fmt.Sprint(n))
						r.Label = fmt.Sprint(n)
						if err := c.try(storage.Batch{Puts: puts(r)}); err != nil {
							return err
						}
						if got, err := c.store.Get(c.ctx(), c.tenant, r.Ref); err != nil || got.Label != r.Label {
							return fmt.Errorf("after its commit Get returns %v, %v; want label %q", got, err, r.Label)
						}
						continue
					}
					got, err := c.store.Get(c.ctx(), c.tenant, user("u1"))
					if err != nil {
						return err
					}
					if want := named(user("u1"), got.Label); got.Version > 1 && string(got.Doc) != string(want.Doc) {
						return fmt.Errorf("a record has label %q and document %s", got.Label, got.Doc)
					}
				}
				return nil
			})
		}},
	}
}

type counter struct {
	mu sync.Mutex
	n  int
}

func (c *counter) add(n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.n += n
}

// tally counts who won and who lost for the reason expected.
func tally(err, want error, won, lost *counter) error {
	switch {
	case err == nil:
		won.add(1)
	case errors.Is(err, want):
		lost.add(1)
	default:
		return err
	}
	return nil
}

// together runs f n times at once. An error is one that f did not expect.
func (c *check) together(n int, f func(i int) error) {
	c.Helper()
	errs := make([]error, n)
	start := make(chan struct{})
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			<-start
			errs[i] = f(i)
		})
	}
	close(start)
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		c.broken("in %d goroutines at once: %v", n, err)
	}
}

// try commits a batch, again while the store says that it is overloaded.
func (c *check) try(b storage.Batch) error {
	c.complete(&b)
	for wait := time.Millisecond; ; wait *= 2 {
		_, err := c.store.Commit(c.ctx(), &b)
		if !errors.Is(err, storage.ErrUnavailable) || wait > 5*time.Second {
			return err
		}
		time.Sleep(wait)
	}
}

// moment is long enough for others to come between a read and a write.
const moment = 100 * time.Microsecond

// appendToLabel is how a careful caller changes a record.
func (c *check) appendToLabel(ref storage.Ref, letter string) error {
	for {
		old, err := c.store.Get(c.ctx(), c.tenant, ref)
		if err != nil {
			return err
		}
		time.Sleep(moment)
		r := record(ref)
		r.Label = old.Label + letter
		err = c.try(storage.Batch{Puts: []storage.Put{{Record: r, IfVersion: old.Version}}})
		if !errors.Is(err, storage.ErrConflict) {
			return err
		}
	}
}
