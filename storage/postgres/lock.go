package postgres

import (
	"context"

	"github.com/musterhq/muster/storage"
)

// WithLock implements [storage.Locker] among the users of this store, which is
// what fairness needs: each process has one writer of a record at a time, and
// those few compare and swap. It costs the database nothing. Waiting ends with
// the context.
func (s *Store) WithLock(ctx context.Context, tenant string, ref storage.Ref, f func(context.Context, storage.Store) error) error {
	return s.turns.Take(ctx, tenant, ref, func() error { return f(ctx, primary{s}) })
}
