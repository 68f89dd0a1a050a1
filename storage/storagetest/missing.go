package storagetest

import (
	"slices"

	"github.com/musterhq/muster/storage"
)

func missingRules() []rule {
	with := func(m storage.Missing, e storage.LinkEdit) storage.LinkEdit {
		e.Missing = m
		return e
	}
	connected := func(e storage.LinkEdit) storage.LinkEdit {
		e.IfConnection = "okta"
		return e
	}
	// setUp makes a group, a user u1 that is there, and others that are missing each
	// for a reason of its own.
	setUp := func(c *check) (missing []storage.Ref) {
		c.put(record(group("g1")), record(user("u1")), hidden(record(user("hidden"))), of("entra", record(user("foreign"))), of("", record(user("nobody's"))))
		return users("nobody's", "absent", "hidden", "foreign")
	}
	dropped := func(c *check, res storage.LinkResult, want ...storage.Ref) {
		c.Helper()
		if !slices.Equal(res.Dropped, want) {
			c.broken("dropped: %s; want %s", names(res.Dropped), names(want))
		}
	}
	return []rule{
		{"missing/drop_leaves_out_and_reports", "MissingDrop leaves links to missing targets out and reports them in the order of Add.", func(c *check) {
			missing := setUp(c)
			res := c.edit(connected(add(group("g1"), slices.Insert(slices.Clone(missing), 2, user("u1"))...)))
			dropped(c, res, missing...)
			if res.Added != 1 {
				c.broken("%d links were added; want 1", res.Added)
			}
			c.members(group("g1"), user("u1"))
			res = c.edit(connected(reset(group("g1"), missing...)))
			dropped(c, res, missing...)
			c.members(group("g1"))
		}},
		{"missing/without_a_connection_any_will_do", "Without IfConnection a target may be of any connection.", func(c *check) {
			setUp(c)
			dropped(c, c.edit(add(group("g1"), users("foreign", "nobody's", "hidden")...)), user("hidden"))
			c.members(group("g1"), users("foreign", "nobody's")...)
		}},
		{"missing/reject_fails_the_batch", "MissingReject fails the batch with ErrMissingTarget, which names the target.", func(c *check) {
			for _, ref := range setUp(c) {
				e := with(storage.MissingReject, connected(add(group("g1"), user("u1"), ref)))
				c.refuse(storage.Batch{Links: edits(e)}, storage.ErrMissingTarget, ref)
				c.members(group("g1"))
			}
			c.edit(with(storage.MissingReject, connected(add(group("g1"), user("u1")))))
			c.members(group("g1"), user("u1"))
		}},
		{"missing/keep_does_not_look", "MissingKeep makes the link without looking at the target.", func(c *check) {
			missing := setUp(c)
			res := c.edit(with(storage.MissingKeep, connected(add(group("g1"), missing...))))
			dropped(c, res)
			if res.Added != len(missing) {
				c.broken("%d links were added; want %d", res.Added, len(missing))
			}
			c.members(group("g1"), missing...)
			c.version(group("g1"), 2)
		}},
		{"missing/existing_links_are_left_alone", "A link that exists already is left alone whatever its target is, and is no reason to reject.", func(c *check) {
			missing := setUp(c)
			c.edit(with(storage.MissingKeep, add(group("g1"), missing...)))
			for _, m := range []storage.Missing{storage.MissingDrop, storage.MissingReject, storage.MissingKeep} {
				dropped(c, c.edit(with(m, connected(add(group("g1"), missing...)))))
				dropped(c, c.edit(with(m, connected(reset(group("g1"), missing...)))))
				c.members(group("g1"), missing...)
				c.version(group("g1"), 2)
			}
		}},
		{"missing/links_to_missing_targets_can_be_removed", "A link whose target is gone can always be removed.", func(c *check) {
			missing := setUp(c)
			c.edit(with(storage.MissingKeep, add(group("g1"), missing...)))
			res := c.edit(with(storage.MissingReject, connected(remove(group("g1"), missing[:2]...))))
			if res.Removed != 2 {
				c.broken("%d links were removed; want 2", res.Removed)
			}
			c.edit(with(storage.MissingReject, connected(reset(group("g1")))))
			c.members(group("g1"))
		}},
		{"missing/judged_after_the_whole_batch", "Targets are judged on the state after the whole batch: those it creates are there, those it deletes or hides are missing.", func(c *check) {
			setUp(c)
			c.put(record(user("u2")))
			for _, m := range []storage.Missing{storage.MissingDrop, storage.MissingReject} {
				e := with(m, connected(add(group("g1"), users("absent", "hidden", "foreign")...)))
				res := c.commit(storage.Batch{Puts: puts(records(users("absent", "hidden", "foreign")...)...), Links: edits(e)})
				dropped(c, res.Links[0])
				c.members(group("g1"), e.Add...)
				c.commit(storage.Batch{Deletes: deletes(user("absent")), Puts: puts(hidden(record(user("hidden"))), of("entra", record(user("foreign")))), Links: edits(reset(group("g1")))})
			}
			e := with(storage.MissingReject, connected(add(group("g1"), user("u1"))))
			gone := storage.Batch{Deletes: deletes(user("u1")), Links: edits(e)}
			c.refuse(gone, storage.ErrMissingTarget, user("u1"))
			hide := storage.Batch{Puts: puts(hidden(record(user("u1")))), Links: edits(e)}
			c.refuse(hide, storage.ErrMissingTarget, user("u1"))
			leave := storage.Batch{Puts: puts(of("entra", record(user("u1")))), Links: edits(e)}
			c.refuse(leave, storage.ErrMissingTarget, user("u1"))
			gone.Links = edits(add(group("g1"), user("u1")))
			dropped(c, c.commit(gone).Links[0], user("u1"))
			hide.Puts, hide.Links = puts(hidden(record(user("u2")))), edits(add(group("g1"), user("u2")))
			dropped(c, c.commit(hide).Links[0], user("u2"))
			c.members(group("g1"))
		}},
		{"missing/link_removed_by_the_batch_exists_no_longer", "A link whose target the batch deletes or hides no longer exists for its edits: Add finds the target missing, and Remove counts nothing.", func(c *check) {
			c.put(records(group("g1"), user("u1"), user("u2"), user("u3"))...)
			c.edit(add(group("g1"), users("u1", "u2", "u3")...))
			res := c.commit(storage.Batch{Deletes: deletes(user("u1")), Links: edits(add(group("g1"), users("u1", "u2")...))}).Links[0]
			dropped(c, res, user("u1"))
			if res.Added != 0 || res.Removed != 0 || res.Version != 3 {
				c.broken("the result is %+v; want version 3 and no links added or removed by the edit", res)
			}
			res = c.commit(storage.Batch{Puts: puts(hidden(record(user("u2")))), Links: edits(remove(group("g1"), user("u2")))}).Links[0]
			if res.Removed != 0 || res.Version != 4 {
				c.broken("the result is %+v; want version 4 and no links removed by the edit", res)
			}
			c.members(group("g1"), user("u3"))
		}},
	}
}
