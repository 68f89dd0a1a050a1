package storagetest

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/musterhq/muster/storage"
)

func changeLogRules() []rule {
	logged := func(name, says string, run func(c *check, l *changeLog)) rule {
		return rule{"changelog/" + name, says, func(c *check) {
			log, ok := storage.As[storage.ChangeLog](c.store)
			c.ability("ChangeLog", ok)
			run(c, &changeLog{check: c, log: log})
		}}
	}
	info := func(kind string, paths ...string) storage.ChangeInfo {
		return storage.ChangeInfo{Kind: kind, Paths: paths}
	}
	g1 := group("g1")
	return []rule{
		logged("one_change_for_each_effective_write", "One change is logged for each record that a batch takes effect on, with what the record is after the write.", func(c *check, l *changeLog) {
			b := storage.Batch{Time: c.now(), Puts: []storage.Put{{Record: of("entra", record(user("u1"))), Change: info("created", "userName", "name.givenName")}}}
			c.commit(b)
			l.next(storage.Change{Ref: user("u1"), Connection: "entra", ChangeInfo: info("created", "userName", "name.givenName"), Version: 1, Time: b.Time})
			b = storage.Batch{Time: c.now(), Puts: []storage.Put{{Record: hidden(record(user("u1"))), Change: info("deleted")}}}
			c.commit(b)
			l.next(storage.Change{Ref: user("u1"), Connection: "okta", ChangeInfo: info("deleted"), Version: 2, Hidden: true, Time: b.Time})
			b = storage.Batch{Time: c.now(), Deletes: []storage.Delete{{Ref: user("u1"), Change: info("erased")}}}
			c.commit(b)
			l.next(storage.Change{Ref: user("u1"), Connection: "okta", ChangeInfo: info("erased"), Version: 2, Hidden: true, Time: b.Time})
			b = storage.Batch{Time: c.now(), Puts: puts(records(user("u2"), g1)...)}
			c.commit(b)
			l.next(
				storage.Change{Ref: user("u2"), Connection: "okta", ChangeInfo: info("put"), Version: 1, Time: b.Time},
				storage.Change{Ref: g1, Connection: "okta", ChangeInfo: info("put"), Version: 1, Time: b.Time})
		}),
		logged("nothing_for_what_takes_no_effect", "What takes no effect is not logged, and neither is a batch that fails.", func(c *check, l *changeLog) {
			c.put(records(g1, user("u1"))...)
			c.edit(add(g1, user("u1")))
			n := c.changes()
			c.edit(add(g1, user("u1")))
			c.edit(remove(g1, user("u2")))
			c.edit(reset(g1, user("u1")))
			c.edit(add(g1, user("missing")))
			c.commit(storage.Batch{})
			c.refuse(storage.Batch{Puts: puts(record(user("u2"))), Deletes: deletes(user("u3"))}, storage.ErrNotFound, user("u3"))
			if now := c.changes(); now != n {
				c.broken("the log went from %d to %d changes; want none", n, now)
			}
		}),
		logged("link_edit", "A link edit that changes its set logs one change of the owner, described by the edit, with the links that are new and gone.", func(c *check, l *changeLog) {
			c.put(records(g1, user("u1"), user("u2"), user("u3"), group("g2"))...)
			c.edit(add(g1, users("u1", "u2")...))
			l.skip()
			b := storage.Batch{Time: c.now(), Links: edits(storage.LinkEdit{Owner: g1, Relation: "members", Add: append(users("u3", "u1", "missing"), group("g2")), Remove: users("u2", "u9"), Change: info("patched", "members")})}
			c.commit(b)
			change := l.next(storage.Change{Ref: g1, Connection: "okta", ChangeInfo: info("patched", "members"), Version: 3, Time: b.Time, LinksAdded: 2, LinksRemoved: 1})[0]
			l.deltas(change,
				storage.LinkDelta{Relation: "members", To: group("g2")},
				storage.LinkDelta{Relation: "members", To: user("u2"), Removed: true},
				storage.LinkDelta{Relation: "members", To: user("u3")})
		}),
		logged("put_and_edit_are_one_change", "A put and a link edit of one record are one change, described by the put.", func(c *check, l *changeLog) {
			c.put(records(g1, user("u1"))...)
			l.skip()
			e := add(g1, user("u1"))
			e.Change = info("ignored")
			b := storage.Batch{Time: c.now(), Puts: []storage.Put{{Record: record(g1), Change: info("replaced", "displayName", "members")}}, Links: edits(e)}
			c.commit(b)
			change := l.next(storage.Change{Ref: g1, Connection: "okta", ChangeInfo: info("replaced", "displayName", "members"), Version: 2, Time: b.Time, LinksAdded: 1})[0]
			l.deltas(change, storage.LinkDelta{Relation: "members", To: user("u1")})
		}),
		logged("edits_of_two_relations_are_one_change", "Edits of several relations of one owner are one change, described by the first that changes something.", func(c *check, l *changeLog) {
			c.put(records(g1, user("u1"), user("u2"))...)
			l.skip()
			b := storage.Batch{Time: c.now(), Links: edits(
				storage.LinkEdit{Owner: g1, Relation: "idle", Remove: users("u1"), Change: info("of idle")},
				storage.LinkEdit{Owner: g1, Relation: "owners", Add: users("u2"), Change: info("of owners")},
				storage.LinkEdit{Owner: g1, Relation: "members", Add: users("u2", "u1"), Change: info("of members")},
			)}
			c.commit(b)
			change := l.next(storage.Change{Ref: g1, Connection: "okta", ChangeInfo: info("of owners"), Version: 2, Time: b.Time, LinksAdded: 3})[0]
			l.deltas(change,
				storage.LinkDelta{Relation: "members", To: user("u1")},
				storage.LinkDelta{Relation: "members", To: user("u2")},
				storage.LinkDelta{Relation: "owners", To: user("u2")})
		}),
		logged("target_that_goes_is_a_change_of_its_owners", "An owner that loses links because their targets are deleted or hidden has one change, KindUnlinked unless the batch describes it.", func(c *check, l *changeLog) {
			c.put(records(g1, group("g2"), user("u1"), user("u2"), user("u3"))...)
			c.commit(storage.Batch{Links: edits(add(g1, users("u1", "u2", "u3")...), add(group("g2"), users("u1", "u2")...))})
			l.skip()
			e := add(group("g2"), user("u3"))
			e.Change = info("patched", "members")
			b := storage.Batch{Time: c.now(), Links: edits(e),
				Deletes: []storage.Delete{{Ref: user("u1"), Change: info("erased")}},
				Puts:    []storage.Put{{Record: hidden(record(user("u2"))), Change: info("deleted")}}}
			c.commit(b)
			gone := []storage.LinkDelta{{Relation: "members", To: user("u1"), Removed: true}, {Relation: "members", To: user("u2"), Removed: true}}
			for _, change := range l.next(
				storage.Change{Ref: g1, Connection: "okta", ChangeInfo: info(storage.KindUnlinked), Version: 3, Time: b.Time, LinksRemoved: 2},
				storage.Change{Ref: group("g2"), Connection: "okta", ChangeInfo: info("patched", "members"), Version: 3, Time: b.Time, LinksAdded: 1, LinksRemoved: 2},
				storage.Change{Ref: user("u1"), Connection: "okta", ChangeInfo: info("erased"), Version: 1, Time: b.Time},
				storage.Change{Ref: user("u2"), Connection: "okta", ChangeInfo: info("deleted"), Version: 2, Hidden: true, Time: b.Time},
			) {
				switch change.Ref {
				case g1:
					l.deltas(change, gone...)
				case group("g2"):
					l.deltas(change, append(slices.Clone(gone), storage.LinkDelta{Relation: "members", To: user("u3")})...)
				default:
					l.deltas(change)
				}
			}
		}),
		logged("owner_that_goes_tells_its_links", "The change of an owner that is deleted or hidden tells the links that went with it, those to targets of the same batch too.", func(c *check, l *changeLog) {
			c.put(records(g1, group("g2"), user("u1"), user("u2"))...)
			c.commit(storage.Batch{Links: edits(add(g1, users("u1", "u2")...), add(group("g2"), user("u1"), g1))})
			l.skip()
			b := storage.Batch{Time: c.now(), Deletes: deletes(g1, user("u1")), Puts: puts(hidden(record(group("g2"))))}
			c.commit(b)
			for _, change := range l.next(
				storage.Change{Ref: g1, Connection: "okta", ChangeInfo: info("deleted"), Version: 2, Time: b.Time, LinksRemoved: 2},
				storage.Change{Ref: user("u1"), Connection: "okta", ChangeInfo: info("deleted"), Version: 1, Time: b.Time},
				storage.Change{Ref: group("g2"), Connection: "okta", ChangeInfo: info("put"), Version: 3, Hidden: true, Time: b.Time, LinksRemoved: 2},
			) {
				switch change.Ref {
				case g1:
					l.deltas(change, storage.LinkDelta{Relation: "members", To: user("u1"), Removed: true}, storage.LinkDelta{Relation: "members", To: user("u2"), Removed: true})
				case group("g2"):
					l.deltas(change, storage.LinkDelta{Relation: "members", To: g1, Removed: true}, storage.LinkDelta{Relation: "members", To: user("u1"), Removed: true})
				default:
					l.deltas(change)
				}
			}
		}),
		logged("pages_are_dense_and_in_order", "Changes are numbered densely from 1, come in order behind a position, at most limit, the changes of one record as they were committed.", func(c *check, l *changeLog) {
			const n = 57
			for i := range n {
				c.put(named(user("u1"), fmt.Sprint(i)))
			}
			for _, limit := range []int{1, 10, n, n + 1} {
				var all []storage.Change
				for after := int64(0); ; {
					page := l.page(after, limit)
					if len(page) > limit {
						c.broken("%d changes with limit %d", len(page), limit)
					}
					if all = append(all, page...); len(page) == 0 || len(all) > n {
						break
					}
					after = page[len(page)-1].Seq
				}
				if len(all) != n {
					c.broken("pages of %d give %d changes; want %d", limit, len(all), n)
				}
				for i, change := range all {
					if change.Seq != int64(i+1) || change.Version != int64(i+1) {
						c.broken("change number %d of the log has Seq %d and version %d; want %d for both", i+1, change.Seq, change.Version, i+1)
					}
				}
			}
			if page := l.page(n+10, 5); len(page) != 0 {
				c.broken("behind the end there are %d changes", len(page))
			}
		}),
		logged("deltas_come_in_pages", "The links of a change come by relation and Compare of the target, behind a delta, at most limit.", func(c *check, l *changeLog) {
			c.put(record(g1))
			refs := c.many(150)
			c.edit(add(g1, refs[:100]...))
			l.skip()
			c.edit(reset(g1, refs[50:]...))
			change := l.page(l.pos, 1)[0]
			var want []storage.LinkDelta
			for i, ref := range refs {
				if i < 50 || i >= 100 {
					want = append(want, storage.LinkDelta{Relation: "members", To: ref, Removed: i < 50})
				}
			}
			for _, limit := range []int{1, 9, 100, 101} {
				l.deltaPages(change, limit, want)
			}
		}),
		logged("links_of_an_unknown_change_are_not_found", "ChangedLinks of a change that never was returns ErrNotFound.", func(c *check, l *changeLog) {
			c.put(record(user("u1")))
			for _, seq := range []int64{0, -1, 2, 1 << 40} {
				if _, err := l.log.ChangedLinks(c.ctx(), c.tenant, seq, storage.LinkDelta{}, 10); !errors.Is(err, storage.ErrNotFound) {
					c.broken("ChangedLinks of change %d: error %v; want ErrNotFound", seq, err)
				}
			}
			if _, err := l.log.ChangedLinks(c.ctx(), c.tenant+"2", 1, storage.LinkDelta{}, 10); !errors.Is(err, storage.ErrNotFound) {
				c.broken("ChangedLinks of another tenant's change: error %v; want ErrNotFound", err)
			}
		}),
		logged("trimming_forgets_the_oldest", "TrimChanges forgets the oldest changes, up to the first that is not before the time; positions stay valid and numbering goes on.", func(c *check, l *changeLog) {
			c.put(records(g1, user("u1"), user("u2"))...) // 1 to 3
			c.edit(add(g1, users("u1", "u2")...))         // 4
			at := c.now()
			c.commit(storage.Batch{Time: at, Links: edits(remove(g1, user("u1")))}) // 5
			c.put(record(user("u1")))                                               // 6
			trim := func(before time.Time, first int64) {
				c.Helper()
				if err := l.log.TrimChanges(c.ctx(), c.tenant, before); err != nil {
					c.broken("TrimChanges: %v", err)
				}
				c.did("TrimChanges(%v)", before)
				for after := range int64(7) {
					page := l.page(after, 10)
					want := max(after+1, first)
					if want <= 6 && (len(page) != int(7-want) || page[0].Seq != want) || want > 6 && len(page) > 0 {
						c.broken("behind %d there are %d changes; want those from %d to 6", after, len(page), want)
					}
				}
			}
			trim(day, 1)
			trim(at, 5)
			if _, err := l.log.ChangedLinks(c.ctx(), c.tenant, 4, storage.LinkDelta{}, 10); !errors.Is(err, storage.ErrNotFound) {
				c.broken("ChangedLinks of a forgotten change: error %v; want ErrNotFound", err)
			}
			l.deltas(l.page(4, 1)[0], storage.LinkDelta{Relation: "members", To: user("u1"), Removed: true})
			c.members(g1, user("u2"))
			trim(c.now(), 7)
			trim(c.now(), 7)
			c.put(record(user("u1")))
			if page := l.page(0, 10); len(page) != 1 || page[0].Seq != 7 || page[0].Version != 3 {
				c.broken("after everything was forgotten the next change is %+v; want one numbered 7", page)
			}
		}),
		logged("replayed_it_gives_the_members", "The links of all changes, replayed in order, are those that there are, whatever writers, deletions and followers came between each other.", comeAndGo),
		logged("none_is_skipped_under_load", "Every committed change appears exactly once to who follows the log, and the changes of a record in order, however commits overlap.", func(c *check, l *changeLog) {
			const writers, times = 16, 20
			done := make(chan struct{})
			var followed []storage.Change
			errs := make(chan error, 1)
			go func() {
				finished := false
				for after := int64(0); ; {
					page, err := l.log.Changes(c.ctx(), c.tenant, after, 7)
					if err != nil {
						errs <- err
						return
					}
					followed = append(followed, page...)
					if len(page) > 0 {
						after = page[len(page)-1].Seq
						continue
					}
					if finished {
						errs <- nil
						return
					}
					select {
					case <-done:
						finished = true
					case <-time.After(time.Millisecond):
					}
				}
			}()
			c.together(writers, func(i int) error {
				for n := range times {
					err := c.try(storage.Batch{Puts: puts(named(user(fmt.Sprint(i)), fmt.Sprint(i, "-", n)), named(user("all"), fmt.Sprint("all-", i, "-", n)))})
					if err != nil {
						return err
					}
				}
				return nil
			})
			close(done)
			if err := <-errs; err != nil {
				c.broken("Changes: %v", err)
			}
			c.did("%d writers committed %d batches of two puts each while one followed the log", writers, times)
			if len(followed) != 2*writers*times {
				c.broken("the follower saw %d changes; want %d", len(followed), 2*writers*times)
			}
			version := map[storage.Ref]int64{}
			for i, change := range followed {
				if version[change.Ref]++; change.Seq != int64(i+1) || change.Version != version[change.Ref] {
					c.broken("change %d has Seq %d and is version %d of %s; want Seq %d and version %d", i+1, change.Seq, change.Version, name(change.Ref), i+1, version[change.Ref])
				}
			}
		}),
	}
}

// changeLog reads a log from a position that moves.
type changeLog struct {
	*check
	log storage.ChangeLog
	pos int64
}

func (l *changeLog) page(after int64, limit int) []storage.Change {
	l.Helper()
	changes, err := l.log.Changes(l.ctx(), l.tenant, after, limit)
	if err != nil {
		l.broken("Changes(after %d, limit %d): %v", after, limit, err)
	}
	return changes
}

// skip moves behind everything there is.
func (l *changeLog) skip() {
	l.Helper()
	for {
		page := l.page(l.pos, 1000)
		if len(page) == 0 {
			return
		}
		l.pos = page[len(page)-1].Seq
	}
}

// next demands the changes that follow, apart from the order between records,
// and moves behind them. It returns them with their numbers.
func (l *changeLog) next(want ...storage.Change) []storage.Change {
	l.Helper()
	page := l.page(l.pos, 1000)
	for i, change := range page {
		l.pos++
		if change.Seq != l.pos {
			l.broken("change %d of the page has Seq %d; want %d", i, change.Seq, l.pos)
		}
		n := slices.IndexFunc(want, func(w storage.Change) bool { return w.Ref == change.Ref })
		if n < 0 {
			l.broken("there is a change of %s: %+v; want none", name(change.Ref), change)
		}
		w := want[n]
		if w.Seq = change.Seq; !sameChange(change, w) {
			l.broken("the change of %s is\n         %+v\n  want = %+v", name(change.Ref), change, w)
		}
	}
	if len(page) != len(want) {
		l.broken("%d changes were logged; want %d", len(page), len(want))
	}
	return page
}

func sameChange(a, b storage.Change) bool {
	return a.Seq == b.Seq && a.Ref == b.Ref && a.Connection == b.Connection && a.Kind == b.Kind && slices.Equal(a.Paths, b.Paths) &&
		a.Version == b.Version && a.Hidden == b.Hidden && a.Time.Equal(b.Time) && a.LinksAdded == b.LinksAdded && a.LinksRemoved == b.LinksRemoved
}

// deltas demands the links of a change.
func (l *changeLog) deltas(change storage.Change, want ...storage.LinkDelta) {
	l.Helper()
	l.deltaPages(change, 100, want)
}

func (l *changeLog) deltaPages(change storage.Change, limit int, want []storage.LinkDelta) {
	l.Helper()
	var got []storage.LinkDelta
	for after := (storage.LinkDelta{}); len(got) <= len(want); {
		page, err := l.log.ChangedLinks(l.ctx(), l.tenant, change.Seq, after, limit)
		if err != nil {
			l.broken("ChangedLinks of the change of %s: %v", name(change.Ref), err)
		}
		if len(page) > limit {
			l.broken("%d links with limit %d", len(page), limit)
		}
		if len(page) == 0 {
			break
		}
		got = append(got, page...)
		after = page[len(page)-1]
	}
	if !slices.Equal(got, want) {
		l.broken("the links of the change of %s, in pages of %d, are\n         %+v\n  want = %+v", name(change.Ref), limit, got, want)
	}
}
