package storagetest

import "github.com/musterhq/muster/storage"

func atomicRules() []rule {
	return []rule{
		{"atomic/failed_batch_leaves_nothing", "A batch takes effect wholly or not at all, also when only its last write fails.", func(c *check) {
			c.put(records(user("u1"), user("u2"), user("u3"), group("g1"), group("g2"))...)
			c.edit(add(group("g1"), users("u1", "u2")...))
			c.edit(add(group("g2"), users("u3")...))
			changes := c.changes()
			was := []*storage.Record{c.get(user("u1")), c.get(user("u2")), c.get(user("u3")), c.get(group("g1")), c.get(group("g2"))}
			whole := func() storage.Batch {
				return storage.Batch{
					Puts:    puts(named(user("u9"), "n9"), named(user("u1"), "other"), named(group("g1"), "other"), hidden(record(user("u2")))),
					Deletes: deletes(user("u3")),
					Links:   edits(reset(group("g1"), user("u9")), add(group("g2"), user("u9"))),
				}
			}
			last := map[string]func(b *storage.Batch){
				"missing target": func(b *storage.Batch) {
					e := add(group("g2"), user("u1"), user("missing"))
					e.Missing = storage.MissingReject
					b.Links[1] = e
				},
				"missing owner":    func(b *storage.Batch) { b.Links[1] = add(group("missing"), user("u1")) },
				"stale edit":       func(b *storage.Batch) { b.Links[1].IfVersion = 1 },
				"other connection": func(b *storage.Batch) { b.Links[1].IfConnection = "entra" },
				"missing record":   func(b *storage.Batch) { b.Deletes = append(b.Deletes, deletes(user("missing"))...) },
				"stale delete":     func(b *storage.Batch) { b.Deletes[0].IfVersion = 7 },
				"stale put":        func(b *storage.Batch) { b.Puts[3].IfVersion = 7 },
				"not absent":       func(b *storage.Batch) { b.Puts[3].IfAbsent = true },
				"not unique":       func(b *storage.Batch) { b.Puts = append(b.Puts, puts(named(group("g9"), "g2"))...) },
			}
			for what, spoil := range last {
				b := whole()
				spoil(&b)
				c.complete(&b)
				_, err := c.store.Commit(c.ctx(), &b)
				c.did("Commit(%s) = %v (%s)", describe(&b), err, what)
				if err == nil {
					c.broken("it succeeded; want an error for the %s", what)
				}
				for _, r := range was {
					c.unmoved(r)
					c.same(c.get(r.Ref), r)
				}
				c.gone(user("u9"))
				c.gone(group("g9"))
				c.members(group("g1"), users("u1", "u2")...)
				c.members(group("g2"), users("u3")...)
				if now := c.changes(); now != changes {
					c.broken("the change log went from %d to %d changes; want none of a batch that failed", changes, now)
				}
				// Nor did it free or take a key.
				c.refuse(storage.Batch{Puts: puts(named(user("u8"), "u1"))}, storage.ErrNotUnique, user("u8"))
				c.refuse(storage.Batch{Puts: puts(named(user("u8"), "u3"))}, storage.ErrNotUnique, user("u8"))
				c.commit(storage.Batch{Puts: puts(named(user("u8"), "other"), named(user("u7"), "n9"))})
				c.commit(storage.Batch{Deletes: deletes(users("u7", "u8")...)})
				changes = c.changes()
			}
			c.commit(whole()) // there was nothing else wrong with it
		}},
	}
}

// changes counts the changes in the log, 0 when the store has none.
func (c *check) changes() int {
	c.Helper()
	log, ok := storage.As[storage.ChangeLog](c.store)
	if !ok {
		return 0
	}
	changes, err := log.Changes(c.ctx(), c.tenant, 0, 10_000)
	if err != nil {
		c.broken("Changes: %v", err)
	}
	return len(changes)
}
