package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/musterhq/muster/internal/sqlplan"
	"github.com/musterhq/muster/storage"
)

const getSQL = `SELECT ` + sqlplan.RecordColumns + ` FROM {records} r WHERE r.tenant = $1 AND r.type = $2 AND r.id = $3`

// Get implements [storage.Store].
func (s *Store) Get(ctx context.Context, tenant string, ref storage.Ref) (*storage.Record, error) {
	var rec *storage.Record
	err := persist(ctx, again, func() (err error) {
		rec, err = s.get(ctx, s.pool, tenant, ref)
		return err
	})
	if err != nil {
		return nil, outward(ctx, err)
	}
	if rec == nil {
		return nil, storage.ErrNotFound
	}
	return rec, nil
}

// querier is a pool or a transaction.
type querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}

// get returns a record, or nil when there is none.
func (s *Store) get(ctx context.Context, db querier, tenant string, ref storage.Ref) (*storage.Record, error) {
	rows, err := db.Query(ctx, s.names.sql(getSQL), tenant, ref.Type, ref.ID)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	if !rows.Next() {
		return nil, rows.Err()
	}
	rec, err := scanRecord(rows, ref.Type)
	if err != nil {
		return nil, err
	}
	rows.Close()
	return rec, rows.Err()
}

// scanRecord reads a row that starts with [sqlplan.RecordColumns]; more are what
// follows.
func scanRecord(rows pgx.Rows, typ string, more ...any) (*storage.Record, error) {
	rec := &storage.Record{Ref: storage.Ref{Type: typ}}
	var created, modified instant
	to := make([]any, 0, 16)
	to = append(to, &rec.ID, &rec.Connection, &rec.Version, &created, &modified, &rec.Hidden, &rec.Label, &rec.Doc)
	if err := rows.Scan(append(to, more...)...); err != nil {
		return nil, err
	}
	rec.Created, rec.Modified = created.Time, modified.Time
	return rec, nil
}

// instant is a time in a column: infinity for the zero time, so that it comes
// last.
type instant struct{ time.Time }

// ScanTimestamptz implements pgtype.TimestamptzScanner.
func (t *instant) ScanTimestamptz(v pgtype.Timestamptz) error {
	t.Time = time.Time{}
	if v.InfinityModifier == pgtype.Finite {
		t.Time = v.Time.UTC()
	}
	return nil
}

// TimestamptzValue implements pgtype.TimestamptzValuer.
func (t instant) TimestamptzValue() (pgtype.Timestamptz, error) {
	if t.IsZero() {
		return pgtype.Timestamptz{InfinityModifier: pgtype.Infinity, Valid: true}, nil
	}
	return pgtype.Timestamptz{Time: t.Time, Valid: true}, nil
}
