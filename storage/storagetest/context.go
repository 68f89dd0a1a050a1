package storagetest

import (
	"context"
	"errors"
	"time"

	"github.com/musterhq/muster/storage"
)

func contextRules() []rule {
	return []rule{
		{"context/done_before_the_call", "A call whose context is done returns the context's error and has no effect.", func(c *check) {
			c.put(records(group("g1"), user("u1"))...)
			was := c.get(group("g1"))
			canceled, cancel := context.WithCancel(c.ctx())
			cancel()
			late, cancelLate := context.WithDeadline(c.ctx(), time.Now().Add(-time.Second))
			defer cancelLate()
			for ctx, want := range map[context.Context]error{canceled: context.Canceled, late: context.DeadlineExceeded} {
				calls := map[string]func() error{
					"Get": func() error { _, err := c.store.Get(ctx, c.tenant, group("g1")); return err },
					"Links": func() error {
						_, err := c.store.Links(ctx, &storage.LinkQuery{Tenant: c.tenant, Relation: groupMembers, Of: []storage.Ref{group("g1")}})
						return err
					},
					"Commit": func() error {
						_, err := c.store.Commit(ctx, &storage.Batch{Tenant: c.tenant, Time: c.now(), Puts: puts(record(group("g1"))), Links: edits(add(group("g1"), user("u1")))})
						return err
					},
				}
				for call, f := range calls {
					err := f()
					c.did("%s with a context that is done = %v", call, err)
					if !errors.Is(err, want) {
						c.broken("error %v; want one that wraps %q", err, want)
					}
				}
			}
			c.unmoved(was)
			c.members(group("g1"))
		}},
	}
}
