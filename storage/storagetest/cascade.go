package storagetest

import "github.com/musterhq/muster/storage"

func cascadeRules() []rule {
	// away are the two ways in which a record goes.
	away := []struct {
		how   string
		batch func(refs ...storage.Ref) storage.Batch
	}{
		{"deleted", func(refs ...storage.Ref) storage.Batch { return storage.Batch{Deletes: deletes(refs...)} }},
		{"hidden", func(refs ...storage.Ref) storage.Batch {
			var b storage.Batch
			for _, ref := range refs {
				b.Puts = append(b.Puts, puts(hidden(record(ref)))...)
			}
			return b
		}},
	}
	var rules []rule
	for _, a := range away {
		rules = append(rules,
			rule{"cascade/" + a.how + "_target_leaves_its_groups", "When a target is " + a.how + " its links go in the same commit, and each owner that lost one steps once.", func(c *check) {
				c.put(records(group("g1"), group("g2"), group("g3"), user("u1"), user("u2"))...)
				for _, g := range []storage.Ref{group("g1"), group("g2")} {
					c.edit(add(g, users("u1", "u2")...))
				}
				c.edit(add(group("g3"), user("u2")))
				g1, g2, g3, u2 := c.get(group("g1")), c.get(group("g2")), c.get(group("g3")), c.get(user("u2"))
				b := a.batch(user("u1"))
				b.Time = c.now()
				c.commit(b)
				c.groups(user("u1"))
				c.members(group("g1"), user("u2"))
				c.members(group("g2"), user("u2"))
				c.moved(g1, b.Time)
				c.moved(g2, b.Time)
				c.unmoved(g3)
				c.unmoved(u2)
			}},
			rule{"cascade/" + a.how + "_owner_lets_its_members_go", "When an owner is " + a.how + " its links go in the same commit; its targets do not step.", func(c *check) {
				c.put(records(group("g1"), group("g2"), user("u1"), user("u2"))...)
				c.edit(add(group("g1"), users("u1", "u2")...))
				c.edit(add(group("g2"), user("u1")))
				u1, g2 := c.get(user("u1")), c.get(group("g2"))
				c.commit(a.batch(group("g1")))
				c.members(group("g1"))
				c.groups(user("u1"), group("g2"))
				c.groups(user("u2"))
				c.unmoved(u1)
				c.unmoved(g2)
			}},
			rule{"cascade/owner_of_many_" + a.how + "_targets_steps_once", "An owner that loses several links in one batch steps once.", func(c *check) {
				c.put(records(group("g1"), user("u1"), user("u2"), user("u3"))...)
				c.edit(add(group("g1"), users("u1", "u2", "u3")...))
				g := c.get(group("g1"))
				b := a.batch(users("u1", "u2", "u3")...)
				b.Time = c.now()
				c.commit(b)
				c.members(group("g1"))
				c.moved(g, b.Time)
			}},
			rule{"cascade/" + a.how + "_target_and_edit_of_its_owner_step_once", "An owner that loses a link and is put or edited in the same batch steps once.", func(c *check) {
				c.put(records(group("g1"), group("g2"), user("u1"), user("u2"))...)
				c.edit(add(group("g1"), user("u1")))
				c.edit(add(group("g2"), user("u1")))
				g1, g2 := c.get(group("g1")), c.get(group("g2"))
				b := a.batch(user("u1"))
				b.Time, b.Links = c.now(), edits(add(group("g1"), user("u2")))
				b.Puts = append(b.Puts, puts(record(group("g2")))...)
				res := c.commit(b)
				c.moved(g1, b.Time)
				c.moved(g2, b.Time)
				c.members(group("g1"), user("u2"))
				c.members(group("g2"))
				if res.Links[0].Version != g1.Version+1 || !res.Links[0].Modified.Equal(b.Time) {
					c.broken("the result says version %d of %v; want %d of %v", res.Links[0].Version, res.Links[0].Modified, g1.Version+1, b.Time)
				}
			}},
			rule{"cascade/" + a.how + "_owner_and_target_together", "A record may be " + a.how + " in the same batch as the owners and targets of its links.", func(c *check) {
				c.put(records(group("g1"), group("g2"), user("u1"))...)
				c.edit(add(group("g1"), user("u1"), group("g2")))
				c.edit(add(group("g2"), group("g1"), user("u1")))
				c.commit(a.batch(group("g1"), user("u1"), group("g2")))
				for _, ref := range []storage.Ref{group("g1"), group("g2"), user("u1")} {
					if a.how == "deleted" {
						c.gone(ref)
					}
					c.members(ref)
					c.groups(ref)
				}
				if a.how == "hidden" {
					c.version(group("g1"), 3)
					c.version(user("u1"), 2)
				}
			}},
			rule{"cascade/" + a.how + "_record_comes_back_without_links", "Links dropped when a record is " + a.how + " do not come back with it.", func(c *check) {
				c.put(records(group("g1"), user("u1"), user("u2"))...)
				c.edit(add(group("g1"), users("u1", "u2")...))
				c.commit(a.batch(user("u1"), group("g1")))
				c.put(records(group("g1"), user("u1"))...)
				c.groups(user("u1"))
				c.groups(user("u2"))
				c.members(group("g1"))
				c.edit(add(group("g1"), user("u2")))
				c.members(group("g1"), user("u2"))
			}},
			rule{"cascade/" + a.how + "_target_leaves_all_relations", "The links of every relation go, of owners of every type.", func(c *check) {
				team := storage.Ref{Type: "Team", ID: "t1"}
				c.put(records(group("g1"), team, user("u1"))...)
				c.commit(storage.Batch{Links: edits(
					add(group("g1"), user("u1")),
					storage.LinkEdit{Owner: group("g1"), Relation: "owners", Add: users("u1")},
					storage.LinkEdit{Owner: team, Relation: "leads", Add: users("u1")},
					storage.LinkEdit{Owner: team, Relation: "members", Add: []storage.Ref{group("g1")}},
				)})
				g, t := c.get(group("g1")), c.get(team)
				b := a.batch(user("u1"))
				b.Time = c.now()
				c.commit(b)
				c.moved(g, b.Time)
				c.moved(t, b.Time)
				for _, rel := range []storage.Relation{groupMembers, {Owner: "Group", Name: "owners"}, {Owner: "Team", Name: "leads"}} {
					c.readsAs(storage.LinkQuery{Relation: rel, Of: []storage.Ref{group("g1"), team}})
					c.readsAs(storage.LinkQuery{Relation: rel, Of: users("u1"), Inverse: true})
				}
				c.readsAs(storage.LinkQuery{Relation: storage.Relation{Owner: "Team", Name: "members"}, Of: []storage.Ref{team}}, storage.Link{Of: team, To: group("g1")})
			}},
			rule{"cascade/" + a.how + "_owner_of_many", "A record with thousands of links goes like any other.", func(c *check) {
				c.put(records(group("g1"), group("g2"))...)
				refs := c.many(2500)
				c.edit(add(group("g1"), refs...))
				c.edit(add(group("g2"), refs[0]))
				c.commit(a.batch(group("g1")))
				c.members(group("g1"))
				c.groups(refs[0], group("g2"))
				c.groups(refs[2499])
			}},
		)
	}
	return append(rules, rule{"cascade/link_to_a_target_kept_elsewhere_stays", "Links of MissingKeep to records that are not in the store are removed with their owner alone.", func(c *check) {
		c.put(records(group("g1"), user("u1"))...)
		e := add(group("g1"), users("elsewhere", "u1")...)
		e.Missing = storage.MissingKeep
		c.edit(e)
		c.commit(storage.Batch{Deletes: deletes(user("u1"))})
		c.members(group("g1"), user("elsewhere"))
		c.groups(user("elsewhere"), group("g1"))
		c.commit(storage.Batch{Deletes: deletes(group("g1"))})
		c.groups(user("elsewhere"))
	}})
}
