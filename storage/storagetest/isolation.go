package storagetest

import (
	"errors"

	"github.com/musterhq/muster/storage"
)

func isolationRules() []rule {
	return []rule{
		{"tenant/records_are_apart", "Everything is inside one tenant: nothing of one is read, found or changed in another.", func(c *check) {
			for _, other := range []string{c.tenant + "2", c.tenant[:len(c.tenant)-1], c.tenant + "/", c.tenant + " ", c.tenant + "%"} {
				_, err := c.store.Get(c.ctx(), other, user("u1"))
				if !errors.Is(err, storage.ErrNotFound) {
					c.broken("tenant %q: Get = %v; want ErrNotFound", other, err)
				}
				r := named(user("u1"), "name in "+other)
				r.Label = other
				c.commit(storage.Batch{Tenant: other, Puts: []storage.Put{{Record: r, IfAbsent: true}}})
			}
			c.gone(user("u1"))
			c.put(record(user("u1")))
			c.same(c.get(user("u1")), record(user("u1")))
			c.commit(storage.Batch{Deletes: deletes(user("u1"))})
			for _, other := range []string{c.tenant + "2", c.tenant[:len(c.tenant)-1], c.tenant + "/", c.tenant + " ", c.tenant + "%"} {
				r, err := c.store.Get(c.ctx(), other, user("u1"))
				if err != nil || r.Label != other || r.Version != 1 {
					c.broken("tenant %q: Get = %+v, %v; want its own record at version 1", other, r, err)
				}
			}
		}},
		{"tenant/unique_keys_are_apart", "A unique key counts inside a tenant.", func(c *check) {
			c.put(named(user("u1"), "babs"))
			c.commit(storage.Batch{Tenant: c.tenant + "2", Puts: puts(named(user("u2"), "babs"))})
			c.commit(storage.Batch{Tenant: c.tenant + "2", Deletes: deletes(user("u2"))})
			c.refuse(storage.Batch{Puts: puts(named(user("u3"), "babs"))}, storage.ErrNotUnique, user("u3"))
		}},
		{"tenant/links_are_apart", "Links end inside their tenant, and are read and removed there only.", func(c *check) {
			other := c.tenant + "2"
			c.put(records(group("g1"), user("u1"), user("u2"))...)
			c.commit(storage.Batch{Tenant: other, Puts: puts(records(group("g1"), user("u1"), user("u3"))...)})
			c.edit(add(group("g1"), users("u1", "u2")...))
			if res := c.edit(add(group("g1"), user("u3"))); len(res.Dropped) != 1 {
				c.broken("a target of another tenant was linked")
			}
			c.refuse(storage.Batch{Tenant: c.tenant + "3", Links: edits(add(group("g1"), user("u1")))}, storage.ErrNotFound, group("g1"))
			c.readsAs(storage.LinkQuery{Tenant: other, Relation: groupMembers, Of: []storage.Ref{group("g1")}})
			c.readsAs(storage.LinkQuery{Tenant: other, Relation: groupMembers, Of: users("u1"), Inverse: true})
			c.commit(storage.Batch{Tenant: other, Links: edits(reset(group("g1"), user("u1")))})
			c.members(group("g1"), users("u1", "u2")...)
			c.commit(storage.Batch{Tenant: other, Deletes: deletes(user("u1"), group("g1"))})
			c.members(group("g1"), users("u1", "u2")...)
			c.version(group("g1"), 2)
		}},
		{"tenant/labels_are_apart", "A link's label is that of the record in the same tenant.", func(c *check) {
			other := c.tenant + "2"
			c.put(records(group("g1"), user("u1"))...)
			r := record(user("u1"))
			r.Label = "label of the other tenant"
			c.commit(storage.Batch{Tenant: other, Puts: puts(r)})
			c.edit(add(group("g1"), user("u1")))
			c.readsAs(storage.LinkQuery{Relation: groupMembers, Of: []storage.Ref{group("g1")}, Labels: true}, storage.Link{Of: group("g1"), To: user("u1"), Label: "label of u1"})
		}},
		{"tenant/change_logs_are_apart", "Changes are numbered and read by tenant.", func(c *check) {
			log, ok := storage.As[storage.ChangeLog](c.store)
			c.ability("ChangeLog", ok)
			other := c.tenant + "2"
			c.put(record(user("u1")))
			c.commit(storage.Batch{Tenant: other, Puts: puts(record(user("u2")))})
			c.put(record(user("u3")))
			for tenant, want := range map[string]int{c.tenant: 2, other: 1, c.tenant + "3": 0} {
				changes, err := log.Changes(c.ctx(), tenant, 0, 10)
				if err != nil || len(changes) != want || want > 0 && changes[want-1].Seq != int64(want) {
					c.broken("the log of tenant %q is %+v, %v; want %d changes numbered from 1", tenant, changes, err, want)
				}
			}
			if err := log.TrimChanges(c.ctx(), other, day.AddDate(10, 0, 0)); err != nil {
				c.broken("TrimChanges: %v", err)
			}
			if n := c.changes(); n != 2 {
				c.broken("trimming the log of another tenant left %d changes; want 2", n)
			}
		}},
	}
}
