package storagetest

import "github.com/musterhq/muster/storage"

func versionRules() []rule {
	return []rule{
		{"version/starts_at_one", "A put of a new record starts at version 1, whatever the record says.", func(c *check) {
			r := record(user("u1"))
			r.Version = 41
			if res := c.commit(storage.Batch{Puts: puts(r)}); res.Puts[0] != 1 {
				c.broken("the result says version %d; want 1", res.Puts[0])
			}
			c.version(r.Ref, 1)
		}},
		{"version/put_steps_once", "A put adds 1 to the version and sets Modified to the batch's time, even when nothing differs.", func(c *check) {
			r := record(user("u1"))
			c.put(r)
			for range 3 {
				was, at := c.get(r.Ref), c.now()
				res := c.commit(storage.Batch{Time: at, Puts: puts(r)})
				c.moved(was, at)
				if res.Puts[0] != was.Version+1 {
					c.broken("the result says version %d; want %d", res.Puts[0], was.Version+1)
				}
			}
		}},
		{"version/modified_may_go_back", "Modified is the time of the batch, whatever it was before.", func(c *check) {
			r := record(user("u1"))
			c.put(r)
			was := c.get(r.Ref)
			c.commit(storage.Batch{Time: day, Puts: puts(r)})
			c.moved(was, day)
		}},
		{"version/results_are_parallel_to_the_batch", "The results are parallel to Puts and Links.", func(c *check) {
			c.put(records(user("u1"), group("g1"))...)
			c.put(record(user("u1")))
			res := c.commit(storage.Batch{Puts: puts(records(user("u3"), user("u1"), user("u2"), group("g2"))...), Links: edits(add(group("g2"), user("u1")), add(group("g1"), users("u1", "u2")...))})
			if v := res.Puts; v[0] != 1 || v[1] != 3 || v[2] != 1 || v[3] != 1 {
				c.broken("versions of the puts are %v; want [1 3 1 1]", v)
			}
			if l := res.Links; l[0].Version != 1 || l[0].Added != 1 || l[1].Version != 2 || l[1].Added != 2 {
				c.broken("outcomes of the edits are %+v; want versions 1 and 2, 1 and 2 links added", l)
			}
		}},
		{"version/edit_that_changes_something_steps_once", "A link edit that changes its set of links steps the owner once, and its targets not at all.", func(c *check) {
			c.put(records(group("g1"), user("u1"), user("u2"), user("u3"))...)
			u := c.get(user("u1"))
			for _, e := range []storage.LinkEdit{
				add(group("g1"), user("u1")),
				add(group("g1"), users("u1", "u2", "u3")...),
				remove(group("g1"), users("u1", "u2")...),
				{Owner: group("g1"), Relation: "members", Add: users("u1"), Remove: users("u3")},
				reset(group("g1"), users("u2", "u3")...),
				reset(group("g1")),
			} {
				was, at := c.get(group("g1")), c.now()
				res := c.commit(storage.Batch{Time: at, Links: edits(e)}).Links[0]
				c.moved(was, at)
				c.unmoved(u)
				if res.Version != was.Version+1 || !res.Modified.Equal(at) {
					c.broken("the result says version %d of %v; want %d of %v", res.Version, res.Modified, was.Version+1, at)
				}
			}
		}},
		{"version/edit_that_changes_nothing_moves_nothing", "What takes no effect moves nothing; the result tells version and Modified all the same.", func(c *check) {
			c.put(records(group("g1"), user("u1"), user("u2"))...)
			c.edit(add(group("g1"), user("u1")))
			was := c.get(group("g1"))
			for _, e := range []storage.LinkEdit{
				add(group("g1")),
				add(group("g1"), user("u1")),
				remove(group("g1"), user("u2")),
				add(group("g1"), user("missing")),
				reset(group("g1"), user("u1")),
				reset(group("g1"), users("u1", "missing")...),
				{Owner: group("g1"), Relation: "members", Add: users("u1"), Remove: users("u2", "missing")},
			} {
				res := c.edit(e)
				c.unmoved(was)
				if res.Version != was.Version || !res.Modified.Equal(was.Modified) || res.Added != 0 || res.Removed != 0 {
					c.broken("the result is %+v; want version %d of %v and no links added or removed", res, was.Version, was.Modified)
				}
			}
			c.members(group("g1"), user("u1"))
		}},
		{"version/put_and_edit_of_one_record_step_once", "A put and a link edit of one record in one batch are one write.", func(c *check) {
			c.put(records(group("g1"), user("u1"))...)
			was, at := c.get(group("g1")), c.now()
			res := c.commit(storage.Batch{Time: at, Puts: puts(record(group("g1"))), Links: edits(add(group("g1"), user("u1")))})
			c.moved(was, at)
			if res.Puts[0] != 2 || res.Links[0].Version != 2 || !res.Links[0].Modified.Equal(at) {
				c.broken("the results are %+v; want version 2 of %v in both", *res, at)
			}
			res = c.commit(storage.Batch{Puts: puts(record(group("g2"))), Links: edits(add(group("g2"), user("u1")))})
			c.version(group("g2"), 1)
			if res.Puts[0] != 1 || res.Links[0].Version != 1 {
				c.broken("the results for a new record are %+v; want version 1 in both", *res)
			}
		}},
		{"version/put_with_an_edit_without_effect_steps_once", "A put takes effect whether or not a link edit beside it does.", func(c *check) {
			c.put(records(group("g1"), user("u1"))...)
			c.edit(add(group("g1"), user("u1")))
			was, at := c.get(group("g1")), c.now()
			res := c.commit(storage.Batch{Time: at, Puts: puts(record(group("g1"))), Links: edits(add(group("g1"), user("u1")))})
			c.moved(was, at)
			if res.Links[0].Version != 3 || res.Links[0].Added != 0 {
				c.broken("the result of the edit is %+v; want version 3 and no link added", res.Links[0])
			}
		}},
		{"version/edits_of_two_relations_step_once", "However many relations of an owner a batch changes, it steps once; each result tells the version after all.", func(c *check) {
			c.put(records(group("g1"), user("u1"))...)
			c.edit(storage.LinkEdit{Owner: group("g1"), Relation: "owners", Add: users("u1")})
			was, at := c.get(group("g1")), c.now()
			res := c.commit(storage.Batch{Time: at, Links: edits(
				storage.LinkEdit{Owner: group("g1"), Relation: "owners", Add: users("u1")},
				add(group("g1"), user("u1")),
				storage.LinkEdit{Owner: group("g1"), Relation: "guests", Add: users("u1")},
			)})
			c.moved(was, at)
			for _, l := range res.Links {
				if l.Version != was.Version+1 || !l.Modified.Equal(at) {
					c.broken("a result says version %d of %v; want %d of %v", l.Version, l.Modified, was.Version+1, at)
				}
			}
		}},
		{"version/empty_batch_does_nothing", "A batch without writes succeeds.", func(c *check) {
			c.put(record(user("u1")))
			was := c.get(user("u1"))
			c.commit(storage.Batch{})
			c.unmoved(was)
		}},
	}
}
