package memory

import (
	"context"
	"sync"

	"github.com/musterhq/muster/internal/turns"
	"github.com/musterhq/muster/storage"
)

// Store keeps records in memory. Make one with [New]. It is safe for concurrent
// use, and besides [storage.Store] it is a [storage.ChangeLog], a
// [storage.Locker] and a [storage.BulkCommitter].
type Store struct {
	maxLog  int
	tenants sync.Map // name → *tenant; made by the first commit
	turns   turns.Turns
}

var (
	_ storage.Store         = (*Store)(nil)
	_ storage.ChangeLog     = (*Store)(nil)
	_ storage.Locker        = (*Store)(nil)
	_ storage.BulkCommitter = (*Store)(nil)
)

// Option adjusts [New].
type Option interface{ apply(*Store) }

type option func(*Store)

func (o option) apply(s *Store) { o(s) }

// DefaultChangeLog is the size of a tenant's change log without
// [WithChangeLog].
const DefaultChangeLog = 100_000

// WithChangeLog bounds the change log of each tenant, counted in changes and in
// links that they added or removed. When it is full, the oldest changes are
// forgotten; the newest is always kept whole. A reader that fell behind notices:
// numbers are dense, and the first change that it gets is not the next one.
//
// Without the option the bound is [DefaultChangeLog], some 20 MB. With 0 or less
// there is none, and only TrimChanges forgets.
func WithChangeLog(max int) Option {
	return option(func(s *Store) { s.maxLog = max })
}

// New makes an empty store.
func New(opts ...Option) *Store {
	s := &Store{maxLog: DefaultChangeLog}
	for _, o := range opts {
		o.apply(s)
	}
	return s
}

// state returns the present state of a tenant, nil when nothing was ever
// committed to it, or the context's error.
func (s *Store) state(ctx context.Context, name string) (*state, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	t := s.tenant(name)
	if t == nil {
		return nil, nil
	}
	return t.read(ctx)
}

func (s *Store) tenant(name string) *tenant {
	t, _ := s.tenants.Load(name)
	found, _ := t.(*tenant)
	return found
}

// Get implements [storage.Store]. It allocates nothing.
func (s *Store) Get(ctx context.Context, tenant string, ref storage.Ref) (*storage.Record, error) {
	st, err := s.state(ctx, tenant)
	if err != nil {
		return nil, err
	}
	if st != nil {
		if rec := st.record(ref); rec != nil {
			return rec, nil
		}
	}
	return nil, storage.ErrNotFound
}

// Commit implements [storage.Store].
func (s *Store) Commit(ctx context.Context, b *storage.Batch) (*storage.CommitResult, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	t := s.tenant(b.Tenant)
	if t == nil {
		made, _ := s.tenants.LoadOrStore(b.Tenant, newTenant(s.maxLog))
		t = made.(*tenant)
	}
	return t.commit(ctx, b)
}

// CommitEach implements [storage.BulkCommitter].
func (s *Store) CommitEach(ctx context.Context, batches []*storage.Batch) ([]*storage.CommitResult, []error) {
	results, errs := make([]*storage.CommitResult, len(batches)), make([]error, len(batches))
	for i, b := range batches {
		results[i], errs[i] = s.Commit(ctx, b)
	}
	return results, errs
}
