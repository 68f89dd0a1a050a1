package storagetest

import (
	"slices"

	"github.com/musterhq/muster/storage"
)

func linkReadRules() []rule {
	g1, g2, g3 := group("g1"), group("g2"), group("g3")
	link := func(of, to storage.Ref) storage.Link { return storage.Link{Of: of, To: to} }
	labelled := func(of, to storage.Ref, label string) storage.Link {
		return storage.Link{Of: of, To: to, Label: label}
	}
	// setUp makes g1 {u1 u2 u3 g3}, g2 {u2}, g3 {}.
	setUp := func(c *check) {
		c.put(records(g1, g2, g3, user("u1"), user("u2"), user("u3"))...)
		c.commit(storage.Batch{Links: edits(add(g1, g3, user("u2"), user("u3"), user("u1")), add(g2, user("u2")))})
	}
	return []rule{
		{"linkread/in_the_order_asked_for", "Links come for each reference of Of in that order, by Compare of the other end, type first.", func(c *check) {
			setUp(c)
			c.readsAs(storage.LinkQuery{Relation: groupMembers, Of: []storage.Ref{g2, g3, g1}},
				link(g2, user("u2")), link(g1, g3), link(g1, user("u1")), link(g1, user("u2")), link(g1, user("u3")))
			c.readsAs(storage.LinkQuery{Relation: groupMembers, Of: append(users("u3", "u2"), g3), Inverse: true},
				link(user("u3"), g1), link(user("u2"), g1), link(user("u2"), g2), link(g3, g1))
		}},
		{"linkread/order_is_bytewise", "References compare bytewise, whatever the language.", func(c *check) {
			var all, groups []storage.Ref
			for _, id := range oddTexts {
				all, groups = append(all, user(id)), append(groups, group(id))
			}
			c.put(records(all...)...)
			c.put(records(groups...)...)
			c.edit(add(group("a"), all...))
			for _, g := range groups[1:] {
				c.edit(add(g, user("a")))
			}
			c.members(group("a"), all...)
			slices.SortFunc(groups, storage.Ref.Compare)
			c.groups(user("a"), groups...)
		}},
		{"linkread/unknown_references_have_no_links", "Unknown references, unknown relations and references of another type than the owner's have no links.", func(c *check) {
			setUp(c)
			c.readsAs(storage.LinkQuery{Relation: groupMembers, Of: []storage.Ref{group("g9"), user("u1"), user("g1")}})
			c.readsAs(storage.LinkQuery{Relation: groupMembers, Of: []storage.Ref{user("u9"), g1, user("g1")}, Inverse: true})
			c.readsAs(storage.LinkQuery{Relation: storage.Relation{Owner: "Group", Name: "member"}, Of: []storage.Ref{g1}})
			c.readsAs(storage.LinkQuery{Relation: storage.Relation{Owner: "User", Name: "members"}, Of: []storage.Ref{g1}})
			c.readsAs(storage.LinkQuery{Relation: storage.Relation{Owner: "User", Name: "members"}, Of: users("u1"), Inverse: true})
			c.readsAs(storage.LinkQuery{Relation: groupMembers})
		}},
		{"linkread/other_restricts", "Other restricts to links whose other end is one of these.", func(c *check) {
			setUp(c)
			c.readsAs(storage.LinkQuery{Relation: groupMembers, Of: []storage.Ref{g1, g2, g3}, Other: append(users("u2", "u9", "u1"), group("u3"))},
				link(g1, user("u1")), link(g1, user("u2")), link(g2, user("u2")))
			c.readsAs(storage.LinkQuery{Relation: groupMembers, Of: users("u1", "u2"), Inverse: true, Other: []storage.Ref{g2, user("g1"), g3}},
				link(user("u2"), g2))
			c.readsAs(storage.LinkQuery{Relation: groupMembers, Of: []storage.Ref{g1}, Other: users("u9")})
		}},
		{"linkread/limit_is_for_each_record", "Limit bounds the links returned for each record.", func(c *check) {
			setUp(c)
			c.readsAs(storage.LinkQuery{Relation: groupMembers, Of: []storage.Ref{g1, g3, g2}, Limit: 2},
				link(g1, g3), link(g1, user("u1")), link(g2, user("u2")))
			c.readsAs(storage.LinkQuery{Relation: groupMembers, Of: users("u2", "u1"), Inverse: true, Limit: 1},
				link(user("u2"), g1), link(user("u1"), g1))
			c.readsAs(storage.LinkQuery{Relation: groupMembers, Of: []storage.Ref{g1}, Other: users("u3", "u2", "u1"), Limit: 2},
				link(g1, user("u1")), link(g1, user("u2")))
		}},
		{"linkread/after_continues", "After continues the links of a record behind that other end, which need not be linked.", func(c *check) {
			setUp(c)
			members := func(after storage.Ref, want ...storage.Link) {
				c.Helper()
				c.readsAs(storage.LinkQuery{Relation: groupMembers, Of: []storage.Ref{g1}, After: after}, want...)
			}
			members(g3, link(g1, user("u1")), link(g1, user("u2")), link(g1, user("u3")))
			members(user("u1"), link(g1, user("u2")), link(g1, user("u3")))
			members(user("u10"), link(g1, user("u2")), link(g1, user("u3")))
			members(user("u3"))
			members(storage.Ref{Type: "Zebra", ID: "a"})
			members(storage.Ref{Type: "Alpaca", ID: "z"}, link(g1, g3), link(g1, user("u1")), link(g1, user("u2")), link(g1, user("u3")))
			members(storage.Ref{Type: "H", ID: ""}, link(g1, user("u1")), link(g1, user("u2")), link(g1, user("u3")))
			groups := func(after storage.Ref, want ...storage.Link) {
				c.Helper()
				c.readsAs(storage.LinkQuery{Relation: groupMembers, Of: users("u2"), Inverse: true, After: after}, want...)
			}
			groups(g1, link(user("u2"), g2))
			groups(group("g10"), link(user("u2"), g2))
			groups(g2)
			groups(user("a"))
			groups(storage.Ref{Type: "Alpaca", ID: "z"}, link(user("u2"), g1), link(user("u2"), g2))
			c.readsAs(storage.LinkQuery{Relation: groupMembers, Of: []storage.Ref{g1}, After: user("u1"), Other: users("u1", "u3"), Limit: 5}, link(g1, user("u3")))
		}},
		{"linkread/pages_join_to_the_whole", "Pages of After and Limit give every link once, in order, however the set is cut.", func(c *check) {
			c.put(record(g1))
			refs := c.many(230)
			c.edit(add(g1, refs...))
			for _, limit := range []int{1, 7, 100, 230, 231} {
				var got []storage.Ref
				q := storage.LinkQuery{Relation: groupMembers, Of: []storage.Ref{g1}, Limit: limit}
				for {
					page := c.read(q)
					if len(page) > limit {
						c.broken("a page of %d links with Limit %d", len(page), limit)
					}
					for _, l := range page {
						got = append(got, l.To)
					}
					if len(page) < limit || len(got) > len(refs) {
						break
					}
					q.After = page[len(page)-1].To
				}
				if !slices.Equal(got, refs) {
					c.broken("pages of %d give %d links: %s; want all %d in order", limit, len(got), names(got), len(refs))
				}
			}
		}},
		{"linkread/pages_stand_still_while_links_change", "Pages behind a reference neither repeat nor skip links that stay, whatever is added or removed meanwhile.", func(c *check) {
			c.put(record(g1))
			refs := c.many(100)
			var even, odd []storage.Ref
			for i, ref := range refs {
				if i%2 == 0 {
					even = append(even, ref)
				} else {
					odd = append(odd, ref)
				}
			}
			c.edit(add(g1, even...))
			var got []storage.Ref
			q := storage.LinkQuery{Relation: groupMembers, Of: []storage.Ref{g1}, Limit: 10}
			for i := 0; ; i++ {
				page := c.read(q)
				for _, l := range page {
					if slices.Contains(even, l.To) {
						got = append(got, l.To)
					}
				}
				if len(page) < q.Limit {
					break
				}
				q.After = page[len(page)-1].To
				e := add(g1, odd[i*5:min(i*5+5, len(odd))]...)
				if i%2 == 1 {
					e = remove(g1, odd...)
				}
				c.edit(e)
			}
			if !slices.Equal(got, even) {
				c.broken("of the links that stayed came %s; want each of the %d once", names(got), len(even))
			}
		}},
		{"linkread/labels_are_the_other_ends", "Label is the other end's label when it is asked for, in both directions.", func(c *check) {
			setUp(c)
			c.readsAs(storage.LinkQuery{Relation: groupMembers, Of: []storage.Ref{g1}, Labels: true},
				labelled(g1, g3, "label of g3"), labelled(g1, user("u1"), "label of u1"), labelled(g1, user("u2"), "label of u2"), labelled(g1, user("u3"), "label of u3"))
			c.readsAs(storage.LinkQuery{Relation: groupMembers, Of: users("u2"), Inverse: true, Labels: true},
				labelled(user("u2"), g1, "label of g1"), labelled(user("u2"), g2, "label of g2"))
			c.readsAs(storage.LinkQuery{Relation: groupMembers, Of: []storage.Ref{g2}, Labels: true, Other: users("u2")}, labelled(g2, user("u2"), "label of u2"))
			c.readsAs(storage.LinkQuery{Relation: groupMembers, Of: []storage.Ref{g2}}, link(g2, user("u2")))
		}},
		{"linkread/labels_follow_a_rename", "A label is a field of its record: a rename shows in every link at once and moves no owner.", func(c *check) {
			setUp(c)
			was := c.get(g2)
			r := record(user("u2"))
			r.Label = "😀 new"
			c.put(r)
			c.readsAs(storage.LinkQuery{Relation: groupMembers, Of: []storage.Ref{g2}, Labels: true}, labelled(g2, user("u2"), "😀 new"))
			c.unmoved(was)
			r.Label = ""
			c.put(r)
			c.readsAs(storage.LinkQuery{Relation: groupMembers, Of: []storage.Ref{g2}, Labels: true}, link(g2, user("u2")))
		}},
		{"linkread/no_label_for_targets_kept_elsewhere", "A target that is not in the store has no label, and its link is read all the same.", func(c *check) {
			setUp(c)
			e := add(g3, users("elsewhere", "u1")...)
			e.Missing = storage.MissingKeep
			c.edit(e)
			c.readsAs(storage.LinkQuery{Relation: groupMembers, Of: []storage.Ref{g3}, Labels: true}, link(g3, user("elsewhere")), labelled(g3, user("u1"), "label of u1"))
		}},
	}
}
