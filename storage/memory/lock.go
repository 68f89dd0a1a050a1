package memory

import (
	"context"

	"github.com/musterhq/muster/storage"
)

// WithLock implements [storage.Locker]. Waiting ends with the context.
func (s *Store) WithLock(ctx context.Context, tenant string, ref storage.Ref, f func(context.Context, storage.Store) error) error {
	return s.turns.Take(ctx, tenant, ref, func() error { return f(ctx, s) })
}
