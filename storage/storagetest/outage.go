package storagetest

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/musterhq/muster/storage"
)

// Outage holds a store to what the contract says of one that cannot be reached for
// a while: every call fails with [storage.ErrUnavailable], none takes a record for
// missing or a list for empty, and when the store is back all works again by
// itself and has what was committed before. It is for stores whose database can be
// away; away takes it away, so that no call reaches it, and back brings it back.
func Outage(t *testing.T, s storage.Store, away, back func()) {
	t.Helper()
	outage(newCheck(t, rule{name: "outage", says: "A store that cannot be reached says ErrUnavailable, and goes on by itself when it can."}, s), away, back)
}

// recovery is how long a store may take to notice that its database is back.
const recovery = 20 * time.Second

func outage(c *check, away, back func()) {
	c.Helper()
	d := newDirectory(c)
	d.addUser("u1", `{"userName":"babs"}`)
	d.add(d.record(group("g1"), `{"displayName":"Guides"}`))
	d.link(group("g1"), user("u1"))
	was := c.get(group("g1"))

	away()
	for name, call := range d.calls(c.ctx()) {
		err := call()
		c.did("%s while the store is away = %v", name, err)
		var commit *storage.CommitError
		if !errors.Is(err, storage.ErrUnavailable) || errors.Is(err, storage.ErrNotFound) || errors.As(err, &commit) {
			c.broken("error %v; want ErrUnavailable and no verdict about records", err)
		}
	}
	canceled, cancel := context.WithCancel(c.ctx())
	cancel()
	if _, err := c.store.Get(canceled, c.tenant, user("u1")); !errors.Is(err, context.Canceled) {
		c.broken("Get with a context that is done: error %v; want the context's, since it says more", err)
	}

	back()
	for end := time.Now().Add(recovery); ; time.Sleep(10 * time.Millisecond) {
		_, err := c.store.Get(c.ctx(), c.tenant, user("u1"))
		if err == nil {
			break
		}
		if !errors.Is(err, storage.ErrUnavailable) || time.Now().After(end) {
			c.did("Get after the store came back")
			c.broken("error %v; want the record, or ErrUnavailable for at most %v", err, recovery)
		}
	}
	c.did("the store came back")
	c.unmoved(was)
	c.members(group("g1"), user("u1"))
	d.finds(question{typ: d.user}, "u1")
	c.gone(user("u2")) // of a batch that failed
	for name, call := range d.calls(c.ctx()) {
		err := call()
		c.did("%s after the store came back = %v", name, err)
		if err != nil && !errors.Is(err, storage.ErrNotFound) { // of a change that there is not
			c.broken("error %v; want none", err)
		}
	}
	c.members(group("g1"), user("u1"), user("u2"))
}

// calls are one call of each method, of the abilities that the store has too.
func (d *directory) calls(ctx context.Context) map[string]func() error {
	c := d.check
	batch := func() *storage.Batch {
		return &storage.Batch{Tenant: c.tenant, Time: c.now(), Puts: puts(d.record(user("u2"), `{"userName":"carl"}`)), Links: edits(add(group("g1"), user("u2")))}
	}
	calls := map[string]func() error{
		"Get": func() error { _, err := c.store.Get(ctx, c.tenant, user("u1")); return err },
		"Query": func() error {
			_, err := c.store.Query(ctx, d.query(question{typ: d.user, filter: `userName eq "babs"`, total: storage.TotalExact}))
			return err
		},
		"Links": func() error {
			_, err := c.store.Links(ctx, &storage.LinkQuery{Tenant: c.tenant, Relation: groupMembers, Of: []storage.Ref{group("g1")}})
			return err
		},
		"Commit": func() error { _, err := c.store.Commit(ctx, batch()); return err },
		"Commit of a new record": func() error {
			_, err := c.store.Commit(ctx, &storage.Batch{Tenant: c.tenant, Time: c.now(), Puts: puts(d.record(user("u2"), `{"userName":"carl"}`))})
			return err
		},
	}
	if bulk, ok := storage.As[storage.BulkCommitter](c.store); ok {
		calls["CommitEach"] = func() error {
			_, errs := bulk.CommitEach(ctx, []*storage.Batch{batch()})
			return errs[0]
		}
	}
	if locker, ok := storage.As[storage.Locker](c.store); ok {
		calls["WithLock"] = func() error {
			return locker.WithLock(ctx, c.tenant, user("u1"), func(ctx context.Context, s storage.Store) error {
				_, err := s.Get(ctx, c.tenant, user("u1"))
				return err
			})
		}
	}
	if log, ok := storage.As[storage.ChangeLog](c.store); ok {
		calls["Changes"] = func() error { _, err := log.Changes(ctx, c.tenant, 0, 10); return err }
		calls["ChangedLinks"] = func() error {
			_, err := log.ChangedLinks(ctx, c.tenant, 1, storage.LinkDelta{}, 10)
			return err
		}
		calls["TrimChanges"] = func() error { return log.TrimChanges(ctx, c.tenant, day) }
	}
	return calls
}
