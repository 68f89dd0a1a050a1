package sqlite

import (
	"context"

	"github.com/musterhq/muster/storage"
)

// WithLock implements [storage.Locker]. It holds off the callers of this store,
// not those of other processes. Waiting ends with the context.
func (s *Store) WithLock(ctx context.Context, tenant string, ref storage.Ref, f func(context.Context, storage.Store) error) error {
	return s.turns.Take(ctx, tenant, ref, func() error { return f(ctx, s) })
}
