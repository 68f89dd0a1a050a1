package storagetest

import (
	"slices"

	"github.com/musterhq/muster/storage"
)

func linkRules() []rule {
	counts := func(c *check, e storage.LinkEdit, added, removed int, dropped ...storage.Ref) {
		c.Helper()
		res := c.edit(e)
		if res.Added != added || res.Removed != removed {
			c.broken("the result counts %d added and %d removed; want %d and %d", res.Added, res.Removed, added, removed)
		}
		if !slices.Equal(res.Dropped, dropped) {
			c.broken("dropped: %s; want %s", names(res.Dropped), names(dropped))
		}
	}
	refuseOwner := func(c *check, b storage.Batch, owner storage.Ref) {
		c.Helper()
		c.refuse(b, storage.ErrNotFound, owner)
	}
	return []rule{
		{"link/edit_is_old_without_remove_plus_add", "Without Reset the set becomes (old − Remove) + Add; what is so already is not counted.", func(c *check) {
			c.put(records(group("g1"), user("u1"), user("u2"), user("u3"), user("u4"))...)
			g := group("g1")
			counts(c, add(g, users("u2", "u1")...), 2, 0)
			c.members(g, users("u1", "u2")...)
			counts(c, add(g, users("u3", "u1")...), 1, 0)
			c.members(g, users("u1", "u2", "u3")...)
			counts(c, remove(g, users("u4", "u2")...), 0, 1)
			c.members(g, users("u1", "u3")...)
			counts(c, storage.LinkEdit{Owner: g, Relation: "members", Add: users("u4", "u3"), Remove: users("u1", "u2")}, 1, 1)
			c.members(g, users("u3", "u4")...)
			c.groups(user("u1"))
		}},
		{"link/reset_is_exactly_add", "With Reset the set becomes exactly Add; links that are in both are not counted.", func(c *check) {
			c.put(records(group("g1"), user("u1"), user("u2"), user("u3"))...)
			g := group("g1")
			counts(c, reset(g, users("u1", "u2")...), 2, 0)
			c.members(g, users("u1", "u2")...)
			counts(c, reset(g, users("u3", "u2")...), 1, 1)
			c.members(g, users("u2", "u3")...)
			counts(c, reset(g, users("u3", "u2")...), 0, 0)
			e := reset(g, user("u1"))
			e.Remove = users("u2")
			counts(c, e, 1, 2)
			c.members(g, user("u1"))
			counts(c, reset(g), 0, 1)
			c.members(g)
			counts(c, reset(g), 0, 0)
			c.groups(user("u1"))
		}},
		{"link/odd_ids", "Owners, targets and relations may have any name.", func(c *check) {
			var targets []storage.Ref
			for _, id := range oddTexts {
				targets = append(targets, user(id))
			}
			c.put(records(targets...)...)
			for _, id := range oddTexts {
				c.put(record(group(id)))
			}
			for i, id := range oddTexts {
				c.edit(add(group(id), targets[i], targets[(i+1)%len(targets)]))
			}
			for i, id := range oddTexts {
				c.members(group(id), targets[i], targets[(i+1)%len(targets)])
			}
			c.edit(reset(group("a"), targets...))
			c.members(group("a"), targets...)
			c.edit(remove(group("a"), targets...))
			c.members(group("a"))
			c.members(group("A"), user("A"), user("a "))
		}},
		{"link/targets_of_different_types", "A link names type and id: equal ids of two types are two targets.", func(c *check) {
			c.put(records(group("g1"), user("42"), group("42"))...)
			c.edit(add(group("g1"), user("42"), group("42")))
			c.members(group("g1"), user("42"), group("42"))
			c.edit(remove(group("g1"), group("42")))
			c.members(group("g1"), user("42"))
			c.groups(group("42"))
		}},
		{"link/relations_are_apart", "Links of one relation are no links of another, of the same owner or of another type's owner.", func(c *check) {
			team := storage.Ref{Type: "Team", ID: "g1"}
			c.put(records(group("g1"), team, user("u1"), user("u2"), user("u3"))...)
			c.edit(add(group("g1"), user("u1")))
			c.edit(storage.LinkEdit{Owner: group("g1"), Relation: "owners", Add: users("u2")})
			c.edit(storage.LinkEdit{Owner: team, Relation: "members", Add: users("u3", "u1")})
			c.members(group("g1"), user("u1"))
			c.groups(user("u1"), group("g1"))
			c.groups(user("u2"))
			c.groups(user("u3"))
			c.readsAs(storage.LinkQuery{Relation: storage.Relation{Owner: "Team", Name: "members"}, Of: users("u1"), Inverse: true}, storage.Link{Of: user("u1"), To: team})
			c.readsAs(storage.LinkQuery{Relation: storage.Relation{Owner: "Group", Name: "owners"}, Of: []storage.Ref{group("g1")}}, storage.Link{Of: group("g1"), To: user("u2")})
			c.edit(storage.LinkEdit{Owner: group("g1"), Relation: "owners", Reset: true})
			c.members(group("g1"), user("u1"))
		}},
		{"link/record_may_be_linked_with_itself", "A record may be a target of its own relation.", func(c *check) {
			g := group("g1")
			c.put(record(g))
			c.edit(add(g, g))
			c.members(g, g)
			c.version(g, 2)
			c.put(hidden(record(g)))
			c.members(g)
			c.version(g, 3)
			c.put(record(g))
			c.members(g)
			c.edit(add(g, g))
			c.commit(storage.Batch{Deletes: deletes(g)})
			c.gone(g)
			c.members(g)
		}},
		{"link/owner_must_be_visible", "The owner of an edit must exist and be visible after the batch's puts and deletes; else ErrNotFound, even when the edit would change nothing.", func(c *check) {
			c.put(records(group("g1"), user("u1"))...)
			c.put(hidden(record(group("g2"))))
			for _, e := range []storage.LinkEdit{add(group("g9"), user("u1")), add(group("g9")), reset(group("g9")), remove(group("g9"), user("u1"))} {
				refuseOwner(c, storage.Batch{Links: edits(e)}, group("g9"))
			}
			refuseOwner(c, storage.Batch{Links: edits(add(group("g2"), user("u1")))}, group("g2"))
			refuseOwner(c, storage.Batch{Links: edits(add(group("g1"), user("u1"))), Deletes: deletes(group("g1"))}, group("g1"))
			refuseOwner(c, storage.Batch{Links: edits(add(group("g1"), user("u1"))), Puts: puts(hidden(record(group("g1"))))}, group("g1"))
			c.commit(storage.Batch{Links: edits(add(group("g2"), user("u1"))), Puts: puts(record(group("g2")))})
			c.members(group("g2"), user("u1"))
		}},
		{"link/owner_must_be_of_the_connection", "With IfConnection the owner must belong to that connection; else ErrNotFound.", func(c *check) {
			c.put(record(group("g1")), of("", record(group("g2"))), record(user("u1")))
			for _, owner := range []storage.Ref{group("g1"), group("g2")} {
				e := add(owner, user("u1"))
				e.IfConnection = "entra"
				refuseOwner(c, storage.Batch{Links: edits(e)}, owner)
				c.members(owner)
			}
			e := add(group("g1"), user("u1"))
			e.IfConnection = "okta"
			c.edit(e)
			e.IfConnection = "entra"
			c.commit(storage.Batch{Puts: puts(of("entra", record(group("g1")))), Links: edits(e)})
			c.members(group("g1"), user("u1"))
		}},
		{"link/group_and_members_in_one_batch", "A group may be created together with its members, and circles of groups too.", func(c *check) {
			res := c.commit(storage.Batch{
				Puts:  puts(records(group("g1"), user("u1"), group("g2"))...),
				Links: edits(reset(group("g1"), user("u1"), group("g2")), add(group("g2"), group("g1"))),
			})
			c.members(group("g1"), group("g2"), user("u1"))
			c.members(group("g2"), group("g1"))
			if len(res.Links[0].Dropped)+len(res.Links[1].Dropped) > 0 {
				c.broken("links were dropped: %+v", res.Links)
			}
		}},
		{"link/put_of_an_owner_leaves_its_links", "Relations are not in documents: a put of a visible record leaves its links in both directions alone.", func(c *check) {
			c.put(records(group("g1"), user("u1"), user("u2"))...)
			c.edit(add(group("g1"), users("u1", "u2")...))
			c.put(named(group("g1"), "other"), named(user("u1"), "other"))
			c.members(group("g1"), users("u1", "u2")...)
			c.version(group("g1"), 3)
		}},
		{"link/large_sets", "A set of links has no bound.", func(c *check) {
			c.put(record(group("g1")))
			refs := c.many(2500)
			c.edit(reset(group("g1"), refs...))
			c.members(group("g1"), refs...)
			res := c.edit(reset(group("g1"), refs[1000:]...))
			if res.Added != 0 || res.Removed != 1000 {
				c.broken("the result counts %d added and %d removed; want 0 and 1000", res.Added, res.Removed)
			}
			c.members(group("g1"), refs[1000:]...)
		}},
	}
}
