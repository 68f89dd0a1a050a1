package storagetest

import "github.com/musterhq/muster/storage"

func preconditionRules() []rule {
	put := func(r *storage.Record, version int64) storage.Batch {
		return storage.Batch{Puts: []storage.Put{{Record: r, IfVersion: version}}}
	}
	absent := func(r *storage.Record) storage.Batch {
		return storage.Batch{Puts: []storage.Put{{Record: r, IfAbsent: true}}}
	}
	del := func(ref storage.Ref, version int64) storage.Batch {
		return storage.Batch{Deletes: []storage.Delete{{Ref: ref, IfVersion: version}}}
	}
	edit := func(e storage.LinkEdit, version int64) storage.Batch {
		e.IfVersion = version
		return storage.Batch{Links: edits(e)}
	}
	return []rule{
		{"precondition/put_if_version", "IfVersion of a put is the version that the record must have; else ErrConflict.", func(c *check) {
			r := record(user("u1"))
			c.put(r)
			c.refuse(put(r, 2), storage.ErrConflict, r.Ref)
			c.commit(put(r, 1))
			c.refuse(put(r, 1), storage.ErrConflict, r.Ref)
			c.commit(put(r, 2))
			c.version(r.Ref, 3)
		}},
		{"precondition/put_if_version_of_an_absent_record", "IfVersion of a put is not met by a record that does not exist: ErrConflict.", func(c *check) {
			c.refuse(put(record(user("u1")), 1), storage.ErrConflict, user("u1"))
			c.gone(user("u1"))
		}},
		{"precondition/put_if_version_of_a_hidden_record", "Hidden records have versions like others.", func(c *check) {
			r := record(user("u1"))
			c.put(hidden(r))
			c.refuse(put(r, 2), storage.ErrConflict, r.Ref)
			c.commit(put(r, 1))
			c.version(r.Ref, 2)
		}},
		{"precondition/put_if_absent", "IfAbsent demands that the record does not exist, not even hidden; else ErrConflict.", func(c *check) {
			r := record(user("u1"))
			c.commit(absent(r))
			c.refuse(absent(r), storage.ErrConflict, r.Ref)
			c.refuse(absent(named(r.Ref, "other")), storage.ErrConflict, r.Ref)
			c.put(hidden(r))
			c.refuse(absent(r), storage.ErrConflict, r.Ref)
			c.version(r.Ref, 2)
			c.commit(storage.Batch{Deletes: deletes(r.Ref)})
			c.commit(absent(r))
		}},
		{"precondition/delete_if_version", "IfVersion of a delete is the version that the record must have; else ErrConflict.", func(c *check) {
			c.put(record(user("u1")), hidden(record(user("u2"))))
			for _, ref := range users("u1", "u2") {
				c.refuse(del(ref, 2), storage.ErrConflict, ref)
				c.version(ref, 1)
				c.commit(del(ref, 1))
				c.gone(ref)
			}
		}},
		{"precondition/delete_of_an_absent_record", "A delete of a record that does not exist is ErrNotFound, whatever its IfVersion.", func(c *check) {
			c.refuse(del(user("u1"), 0), storage.ErrNotFound, user("u1"))
			c.refuse(del(user("u1"), 1), storage.ErrNotFound, user("u1"))
			c.put(record(user("u1")))
			c.commit(del(user("u1"), 0))
			c.refuse(del(user("u1"), 0), storage.ErrNotFound, user("u1"))
		}},
		{"precondition/edit_if_version", "IfVersion of a link edit is the version that the owner must have; else ErrConflict.", func(c *check) {
			c.put(records(group("g1"), user("u1"), user("u2"))...)
			c.refuse(edit(add(group("g1"), user("u1")), 2), storage.ErrConflict, group("g1"))
			c.members(group("g1"))
			c.commit(edit(add(group("g1"), user("u1")), 1))
			c.refuse(edit(add(group("g1"), user("u2")), 1), storage.ErrConflict, group("g1"))
			c.commit(edit(add(group("g1"), user("u2")), 2))
			c.members(group("g1"), users("u1", "u2")...)
		}},
		{"precondition/edit_if_version_counts_without_effect", "IfVersion of a link edit is judged even when the edit would change nothing.", func(c *check) {
			c.put(records(group("g1"), user("u1"))...)
			c.edit(add(group("g1"), user("u1")))
			c.refuse(edit(add(group("g1"), user("u1")), 1), storage.ErrConflict, group("g1"))
			c.refuse(edit(remove(group("g1"), user("u9")), 3), storage.ErrConflict, group("g1"))
			c.commit(edit(add(group("g1"), user("u1")), 2))
			c.version(group("g1"), 2)
		}},
		{"precondition/compares_with_the_state_before_the_batch", "Preconditions compare with the state before the batch.", func(c *check) {
			c.put(records(group("g1"), user("u1"))...)
			g := record(group("g1"))
			e := add(group("g1"), user("u1"))
			e.IfVersion = 1
			c.commit(storage.Batch{Puts: []storage.Put{{Record: g, IfVersion: 1}}, Links: edits(e)})
			c.version(group("g1"), 2)
			c.refuse(storage.Batch{Puts: puts(g), Links: edits(e)}, storage.ErrConflict, group("g1"))
			e.IfVersion = 3
			c.refuse(storage.Batch{Puts: puts(g), Links: edits(e)}, storage.ErrConflict, group("g1"))
		}},
		{"precondition/edit_if_version_of_an_owner_made_by_the_batch", "IfVersion of a link edit is not met by an owner that the batch creates.", func(c *check) {
			e := add(group("g1"))
			e.IfVersion = 1
			c.refuse(storage.Batch{Puts: puts(record(group("g1"))), Links: edits(e)}, storage.ErrConflict, group("g1"))
			c.gone(group("g1"))
		}},
		{"precondition/not_found_goes_before_conflict", "For one record ErrNotFound goes before ErrConflict: who may not know of it does not learn its version.", func(c *check) {
			c.put(records(group("g1"), user("u1"))...)
			e := add(group("g1"), user("u1"))
			e.IfVersion, e.IfConnection = 7, "entra"
			c.refuse(storage.Batch{Links: edits(e)}, storage.ErrNotFound, group("g1"))
			c.refuse(edit(add(group("g2"), user("u1")), 7), storage.ErrNotFound, group("g2"))
		}},
	}
}
