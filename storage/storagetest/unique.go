package storagetest

import (
	"strings"

	"github.com/musterhq/muster/storage"
)

func uniqueRules() []rule {
	return []rule{
		{"unique/second_holder_is_refused", "No two records of a type hold the same unique key: ErrNotUnique names the record, the attribute and the holder.", func(c *check) {
			c.put(named(user("u1"), "babs"))
			e := c.refuse(storage.Batch{Puts: puts(named(user("u2"), "babs"))}, storage.ErrNotUnique, user("u2"))
			c.holder(e, user("u1"), false)
			c.gone(user("u2"))
			c.put(named(user("u2"), "other"))
			was := c.get(user("u2"))
			e = c.refuse(storage.Batch{Puts: puts(named(user("u2"), "babs"))}, storage.ErrNotUnique, user("u2"))
			c.holder(e, user("u1"), false)
			c.unmoved(was)
			c.refuse(storage.Batch{Puts: puts(named(user("u1"), "other"))}, storage.ErrNotUnique, user("u1"))
		}},
		{"unique/record_keeps_its_own_key", "A record does not stand in its own way.", func(c *check) {
			for range 3 {
				c.put(named(user("u1"), "babs"))
			}
		}},
		{"unique/hidden_records_hold_their_keys", "Hidden records hold their unique keys, and the error's Holder tells that it is hidden.", func(c *check) {
			c.put(named(user("u1"), "babs"))
			c.put(hidden(named(user("u1"), "babs")))
			e := c.refuse(storage.Batch{Puts: puts(named(user("u2"), "babs"))}, storage.ErrNotUnique, user("u2"))
			c.holder(e, user("u1"), true)
			e = c.refuse(storage.Batch{Puts: puts(hidden(named(user("u2"), "babs")))}, storage.ErrNotUnique, user("u2"))
			c.holder(e, user("u1"), true)
			c.put(named(user("u1"), "babs")) // and it may come back
		}},
		{"unique/holder_is_as_before_the_batch", "The error's Holder is the record as it is before the batch.", func(c *check) {
			g := named(group("g1"), "admins")
			c.put(g, record(user("u1")))
			e := c.refuse(storage.Batch{Puts: puts(named(group("g2"), "admins")), Links: edits(add(group("g1"), user("u1")))}, storage.ErrNotUnique, group("g2"))
			c.holder(e, group("g1"), false)
			c.same(e.Holder, g)
			if e.Holder.Version != 1 {
				c.broken("the holder has version %d; want 1", e.Holder.Version)
			}
		}},
		{"unique/deletion_frees_the_keys", "Deleting a record frees its unique keys, hidden or not.", func(c *check) {
			c.put(named(user("u1"), "babs"))
			c.commit(storage.Batch{Deletes: deletes(user("u1"))})
			c.put(named(user("u2"), "babs"))
			c.put(hidden(named(user("u2"), "babs")))
			c.commit(storage.Batch{Deletes: deletes(user("u2"))})
			c.put(named(user("u3"), "babs"))
		}},
		{"unique/another_key_frees_the_old_one", "A put frees the keys that the record had and has no longer.", func(c *check) {
			c.put(named(user("u1"), "babs"))
			c.put(named(user("u1"), "barbara"))
			c.put(named(user("u2"), "babs"))
			without := record(user("u2"))
			without.Unique, without.Index = nil, nil
			c.put(without)
			c.put(named(user("u3"), "babs"))
			c.refuse(storage.Batch{Puts: puts(named(user("u4"), "barbara"))}, storage.ErrNotUnique, user("u4"))
		}},
		{"unique/two_records_may_swap", "Uniqueness is judged on the state after the whole batch: two records may swap their names.", func(c *check) {
			c.put(named(user("u1"), "a"), named(user("u2"), "b"), named(user("u3"), "c"))
			c.commit(storage.Batch{Puts: puts(named(user("u1"), "b"), named(user("u2"), "a"))})
			c.commit(storage.Batch{Puts: puts(named(user("u1"), "c"), named(user("u2"), "b"), named(user("u3"), "a"))})
			c.refuse(storage.Batch{Puts: puts(named(user("u4"), "b"))}, storage.ErrNotUnique, user("u4"))
			c.commit(storage.Batch{Puts: puts(named(user("u1"), "new"), named(user("u4"), "c"))})
		}},
		{"unique/key_may_be_handed_over", "A key that one write of a batch frees may be taken by another, in any order.", func(c *check) {
			c.put(named(user("u1"), "babs"))
			c.commit(storage.Batch{Puts: puts(named(user("u2"), "babs")), Deletes: deletes(user("u1"))})
			c.commit(storage.Batch{Puts: puts(named(user("u3"), "babs"), named(user("u2"), "other"))})
			e := c.refuse(storage.Batch{Puts: puts(named(user("u4"), "babs"))}, storage.ErrNotUnique, user("u4"))
			c.holder(e, user("u3"), false)
		}},
		{"unique/two_puts_of_a_batch_collide", "Two records put by one batch do not hold the same key either; then there is no Holder.", func(c *check) {
			c.put(named(user("u2"), "b"))
			for _, pair := range [][2]string{{"u1", "u3"}, {"u1", "u2"}, {"u2", "u1"}} {
				b := storage.Batch{Puts: puts(named(user(pair[0]), "x"), named(user(pair[1]), "x"))}
				c.collide(b, user(pair[0]), user(pair[1]))
			}
			c.collide(storage.Batch{Puts: puts(named(user("u1"), "b"), named(user("u2"), "b"))}, user("u1"), user("u2"))
			c.gone(user("u1"))
			c.version(user("u2"), 1)
		}},
		{"unique/keys_are_per_type", "A unique key counts among records of the same type.", func(c *check) {
			c.put(named(user("1"), "x"), named(group("2"), "x"))
			c.refuse(storage.Batch{Puts: puts(named(group("3"), "x"))}, storage.ErrNotUnique, group("3"))
		}},
		{"unique/keys_are_per_attribute", "A unique key counts among keys of the same attribute, and a record may hold several.", func(c *check) {
			two := func(id, a, b string) *storage.Record {
				r := record(user(id))
				r.Unique = []storage.UniqueKey{{Attr: "userName", Key: a}, {Attr: "urn:x:2.0:User:number", Key: b}}
				return r
			}
			c.put(two("u1", "x", "y"), two("u2", "y", "x"))
			e := c.refuse(storage.Batch{Puts: puts(two("u3", "z", "y"))}, storage.ErrNotUnique, user("u3"))
			if e.Attr != "urn:x:2.0:User:number" {
				c.broken("the error names attribute %q; want the one whose key is held", e.Attr)
			}
			c.put(two("u3", "z", "z"))
			c.commit(storage.Batch{Deletes: deletes(user("u1"))})
			c.put(two("u4", "x", "y"))
		}},
		{"unique/keys_compare_bytewise", "Keys compare bytewise: a store never folds, trims or collates.", func(c *check) {
			for i, s := range oddTexts {
				r := named(user(strings.Repeat("i", i+1)), s)
				c.put(r)
			}
			for i, s := range oddTexts {
				e := c.refuse(storage.Batch{Puts: puts(named(user("late"), s))}, storage.ErrNotUnique, user("late"))
				c.holder(e, user(strings.Repeat("i", i+1)), false)
			}
		}},
		{"unique/long_keys_count_to_the_last_byte", "A unique key may be MaxKeyLength + 1 bytes long, and all of them count.", func(c *check) {
			long := strings.Repeat("😀", storage.MaxKeyLength/4)
			c.put(named(user("u1"), long))
			c.put(named(user("u2"), long[:len(long)-4]+"\U0001f601"))
			c.refuse(storage.Batch{Puts: puts(named(user("u3"), long))}, storage.ErrNotUnique, user("u3"))
		}},
	}
}

// holder demands what an ErrNotUnique names.
func (c *check) holder(e *storage.CommitError, want storage.Ref, hidden bool) {
	c.Helper()
	switch {
	case e.Attr != "userName":
		c.broken("the error names attribute %q; want userName", e.Attr)
	case e.Holder == nil:
		c.broken("the error names no holder; want %s", name(want))
	case e.Holder.Ref != want:
		c.broken("the error names the holder %s; want %s", name(e.Holder.Ref), name(want))
	case e.Holder.Hidden != hidden:
		c.broken("the holder's Hidden is %v; want %v", e.Holder.Hidden, hidden)
	}
}

// collide commits a batch whose own puts collide, which may be told of either.
func (c *check) collide(b storage.Batch, either, or storage.Ref) {
	c.Helper()
	c.complete(&b)
	_, err := c.store.Commit(c.ctx(), &b)
	c.did("Commit(%s) = %v", describe(&b), err)
	e := c.commitError(err, storage.ErrNotUnique)
	if e.Ref != either && e.Ref != or {
		c.broken("the error names %s; want %s or %s", name(e.Ref), name(either), name(or))
	}
	if e.Holder != nil {
		c.broken("the error names a holder; want none, since the batch puts both")
	}
}
