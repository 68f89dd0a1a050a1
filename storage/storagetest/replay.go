package storagetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/musterhq/muster/storage"
)

// comeAndGo lets many writers add members to one group while others delete and
// hide some of them, and followers of the log give up in the middle of a read.
// Then the log, replayed, must lead to the members that there are.
func comeAndGo(c *check, l *changeLog) {
	const writers, times = 16, 12
	g := group("g1")
	c.put(record(g))
	member := func(writer, n int) storage.Ref { return user(fmt.Sprintf("u%d-%d", writer%writers, n)) }
	done := make(chan struct{})
	followed := make(chan error, 2)
	for i := range cap(followed) {
		go func() { followed <- c.giveUpReading(l.log, time.Duration(i+1)*300*time.Microsecond, done) }()
	}
	c.together(writers, func(i int) error {
		for n := range times {
			mine, other := member(i, n), member(i+1, n)
			for _, b := range []storage.Batch{
				{Puts: puts(record(mine))},
				{Links: edits(add(g, mine))},
				{Links: edits(add(g, other, member(i+2, n)))}, // there, not yet, or no more
				{Links: edits(remove(g, other))},
			} {
				if err := c.try(b); err != nil {
					return err
				}
			}
			var err error
			switch n % 3 {
			case 1:
				err = c.try(storage.Batch{Deletes: deletes(mine)})
			case 2:
				err = c.try(storage.Batch{Puts: puts(hidden(record(mine)))})
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
	close(done)
	for range cap(followed) {
		if err := <-followed; err != nil {
			c.broken("a follower: %v", err)
		}
	}
	c.did("%d writers added %d members each to one group, and took some of them away, deleted or hid them", writers, times)
	members, version := l.replay(g)
	c.version(g, version)
	c.members(g, members...)
	for _, m := range members {
		if r := c.get(m); r.Hidden {
			c.broken("%s is hidden and a member", name(m))
		}
	}
}

// giveUpReading reads a log again and again with less time than it may need.
func (c *check) giveUpReading(log storage.ChangeLog, within time.Duration, done <-chan struct{}) error {
	for {
		select {
		case <-done:
			return nil
		default:
		}
		ctx, cancel := context.WithTimeout(c.ctx(), within)
		_, err := log.Changes(ctx, c.tenant, 0, 1000)
		cancel()
		if err != nil && !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, storage.ErrUnavailable) {
			return err
		}
	}
}

// replay makes the members of a group from the log alone, and its version.
func (l *changeLog) replay(g storage.Ref) (members []storage.Ref, version int64) {
	l.Helper()
	links := map[storage.Ref]bool{}
	for page := l.page(l.pos, 100); len(page) > 0; page = l.page(l.pos, 100) {
		for _, change := range page {
			if l.pos++; change.Seq != l.pos {
				l.broken("a change has Seq %d; want %d", change.Seq, l.pos)
			}
			if change.Ref != g {
				continue
			}
			if version++; change.Version != version {
				l.broken("change %d of the group is to version %d; want %d", change.Seq, change.Version, version)
			}
			deltas, err := l.log.ChangedLinks(l.ctx(), l.tenant, change.Seq, storage.LinkDelta{}, 100)
			if err != nil || len(deltas) != change.LinksAdded+change.LinksRemoved {
				l.broken("change %d has the links %+v, error %v; want %d added and %d removed", change.Seq, deltas, err, change.LinksAdded, change.LinksRemoved)
			}
			for _, d := range deltas {
				if links[d.To] != d.Removed {
					l.broken("change %d says that %s was removed: %t; that it was a member: %t", change.Seq, name(d.To), d.Removed, links[d.To])
				}
				if links[d.To] = true; d.Removed {
					delete(links, d.To)
				}
			}
		}
	}
	for ref := range links {
		members = append(members, ref)
	}
	slices.SortFunc(members, storage.Ref.Compare)
	return members, version
}
