package scim

import (
	"context"
	"fmt"
	"time"

	"github.com/musterhq/muster/storage"
)

// Commit is the commit that a [Guard] is asked about, for guards that keep account
// of something: how many seats are taken, how many users left within the hour.
// [CommitFromContext] finds it. It is the guard's while it runs and no longer.
type Commit struct {
	s       *Server
	batch   *storage.Batch // where Keep puts records
	handled bool
}

// CommitFromContext returns the commit that a guard is asked about, from the
// guard's context. ok is false outside of a guard.
func CommitFromContext(ctx context.Context) (c *Commit, ok bool) {
	c, ok = ctx.Value(commitKey{}).(*Commit)
	return c, ok
}

type commitKey struct{}

// Directory reads what the server has, without what is about to be committed.
func (c *Commit) Directory() *Directory { return &Directory{c.s} }

// Time is the time of the commit, by the server's clock.
func (c *Commit) Time() time.Time { return c.batch.Time }

// Handled reports whether a [ResourceHandler] keeps what is about to be committed,
// see [Commit.Keep].
func (c *Commit) Handled() bool { return c.handled }

// Keep writes a record of the guard's own, of a private type that no endpoint
// serves, together with what is committed: both or neither. The put should have
// IfVersion or IfAbsent, so that it is made only if the record is still as the
// guard read it; else the operation is repeated and the guard asked again. So a
// guard that counts in such a record is exact, whatever else is committed at the
// same moment and in how many processes. A commit can keep a record once.
//
// What a [ResourceHandler] keeps cannot be part of a commit: then the record is
// written first and stays when the handler fails. A guard has to count such that
// this does no harm.
func (c *Commit) Keep(p storage.Put) error {
	for _, other := range c.batch.Puts {
		if other.Record.Ref == p.Record.Ref {
			return fmt.Errorf("scim: two guards want to keep the record %s/%s", p.Record.Type, p.Record.ID)
		}
	}
	c.batch.Puts = append(c.batch.Puts, p)
	return nil
}

// ask asks the guards about a write. What they want kept goes into batch.
func (s *Server) ask(ctx context.Context, p Principal, effects []Effect, batch *storage.Batch, handled bool) error {
	if len(s.guards) == 0 {
		return nil
	}
	ctx = context.WithValue(ctx, commitKey{}, &Commit{s: s, batch: batch, handled: handled})
	for _, guard := range s.guards {
		if err := guard(ctx, p, effects); err != nil {
			if err = s.lifted(ctx, p, effects, err); err != nil {
				return err
			}
		}
	}
	return nil
}

// askHandled asks the guards about a write of a handler and commits what they want
// kept, again as long as somebody else changes that.
func (s *Server) askHandled(ctx context.Context, op *Operation, effect *Effect) error {
	if len(s.guards) == 0 {
		return nil
	}
	return s.repeat(ctx, func(ctx context.Context) error {
		return whileConflict(ctx, func() error {
			batch := &storage.Batch{Tenant: op.Principal.Tenant, Time: s.now()}
			err := s.ask(ctx, op.Principal, []Effect{*effect}, batch, true)
			if err == nil && len(batch.Puts) > 0 {
				_, err = s.store.Commit(ctx, batch)
			}
			return err
		})
	})
}
