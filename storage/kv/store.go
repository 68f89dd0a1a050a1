package kv

import (
	"context"

	"github.com/musterhq/muster/storage"
)

// New makes a store of a database. The store is a [storage.ChangeLog] too. It
// keeps nothing outside the database, so any number of stores, in any number of
// processes, may share one.
func New(db DB) storage.Store { return &store{db} }

type store struct{ db DB }

var (
	_ storage.Store     = (*store)(nil)
	_ storage.ChangeLog = (*store)(nil)
)

// view reads, unless the context is done.
func (s *store) view(ctx context.Context, f func(Tx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return s.db.View(ctx, f)
}

// update writes, unless the context is done.
func (s *store) update(ctx context.Context, f func(Tx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return s.db.Update(ctx, f)
}

// Get implements [storage.Store].
func (s *store) Get(ctx context.Context, tenant string, ref storage.Ref) (rec *storage.Record, err error) {
	err = s.view(ctx, func(tx Tx) error {
		rec, err = load(tx, tenant, ref)
		if err == nil && rec == nil {
			err = storage.ErrNotFound
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return rec, nil
}
