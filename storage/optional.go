package storage

import "context"

// Locker is an optional ability: holding others off while one record is read,
// changed and written. Without it the core repeats conditional writes blindly,
// which starves under load. It is about fairness only; a store is right without
// it.
type Locker interface {
	// WithLock runs f while no other WithLock of the same record runs. f must use
	// the store and context that it is given. Commits outside of WithLock are not
	// held off.
	WithLock(ctx context.Context, tenant string, ref Ref, f func(context.Context, Store) error) error
}

// BulkCommitter is an optional ability: many batches in one go, each atomic on
// its own. Results and errors are parallel to the batches. Without it the core
// commits one after the other.
type BulkCommitter interface {
	CommitEach(ctx context.Context, batches []*Batch) ([]*CommitResult, []error)
}

// Unwrapper is implemented by stores that wrap another one.
type Unwrapper interface{ Unwrap() Store }

// As finds an optional ability T in a store or in the stores that it wraps.
func As[T any](s Store) (T, bool) {
	for s != nil {
		if t, ok := s.(T); ok {
			return t, true
		}
		u, ok := s.(Unwrapper)
		if !ok {
			break
		}
		s = u.Unwrap()
	}
	var zero T
	return zero, false
}
