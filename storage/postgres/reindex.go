package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/musterhq/muster/internal/sqlplan"
	"github.com/musterhq/muster/scim/schema"
	"github.com/musterhq/muster/storage"
)

// Records that were written before their type indexed an attribute are indexed
// in the background, some at a time.

const (
	// reindexChunk is how many records are indexed in one transaction.
	reindexChunk = 200
	// reindexRetry is how long to wait after a failure.
	reindexRetry = 10 * time.Second
)

const (
	// stale locks the records of a type behind $2 and $3, in all tenants.
	staleSQL = `
SELECT ` + sqlplan.RecordColumns + `, r.tenant
FROM {records} r
WHERE r.tenant >= $2 AND (r.tenant, r.type, r.id) > ($2, $1, $3) AND r.type = $1
ORDER BY r.tenant, r.type, r.id
LIMIT $4
FOR NO KEY UPDATE OF r`

	// index writes the columns of a record.
	indexSQL = `
UPDATE {records}
SET user_name = $4, external_id = $5, display_name = $6, active = $7
WHERE tenant = $1 AND type = $2 AND id = $3 AND (user_name, external_id, display_name, active) <> ($4, $5, $6, $7)`

	completeSQL = `UPDATE {indexes} SET complete = true WHERE type = $1 AND form <> '' AND (SELECT generation FROM {generation}) = $2`
)

// index completes the indexes of a type. With two programs that index different
// attributes and write to one database, it gives up: the list is never complete.
func (s *Store) index(ctx context.Context, t *schema.Type) {
	for {
		err := s.reindex(ctx, t)
		if ctx.Err() != nil || err == nil || !away(err) && !errors.Is(err, errDisagreed) {
			return
		}
		if pause(ctx, reindexRetry) != nil {
			return
		}
	}
}

// errDisagreed says that the list of indexes changed meanwhile.
var errDisagreed = errors.New("postgres: the indexes of the type are not those of all who write")

// reindex writes the keys of all records of a type and marks its indexes as
// complete.
func (s *Store) reindex(ctx context.Context, t *schema.Type) error {
	if err := s.indexes.agreeOn(ctx, t, true); err != nil {
		return err
	}
	began, err := s.indexes.agree(ctx, nil)
	if err != nil {
		return err
	}
	for tenant, id := "", ""; ; {
		n := 0
		err := s.transaction(ctx, func(tx pgx.Tx) (err error) {
			n, tenant, id, err = s.reindexSome(ctx, tx, t, tenant, id)
			return err
		})
		if err != nil {
			return err
		}
		if n < reindexChunk {
			break
		}
	}
	tag, err := s.pool.Exec(ctx, s.names.sql(completeSQL), t.Name(), began)
	if err == nil && tag.RowsAffected() == 0 {
		return errDisagreed
	}
	return err
}

// reindexSome indexes the records behind one, and returns how many it looked at
// and the last of them.
func (s *Store) reindexSome(ctx context.Context, tx pgx.Tx, t *schema.Type, tenant, id string) (n int, lastTenant, lastID string, err error) {
	rows, err := tx.Query(ctx, s.names.sql(staleSQL), t.Name(), tenant, id, reindexChunk)
	if err != nil {
		return 0, tenant, id, err
	}
	defer rows.Close()
	type found struct {
		tenant string
		row    row
	}
	var list []found
	lastTenant, lastID = tenant, id
	for rows.Next() {
		old, err := scanRecord(rows, t.Name(), &lastTenant)
		if err != nil {
			return 0, tenant, id, err
		}
		res, err := old.Resource(t)
		if err != nil {
			return 0, tenant, id, err
		}
		list = append(list, found{lastTenant, rowOf(storage.NewRecord(res, old.Connection))})
		lastID = old.ID
	}
	if rows.Close(); rows.Err() != nil {
		return 0, tenant, id, rows.Err()
	}
	q := &queue{Batch: &pgx.Batch{}, names: s.names}
	for _, f := range list {
		q.tenant = f.tenant
		c := f.row.columns
		q.add(indexSQL, t.Name(), f.row.ID, c[0], c[1], c[2], c[3])
		q.dropEntries(f.row)
		var e entryRows
		e.add(f.row)
		q.addEntries(&e, addEntrySQL, addEntriesSQL)
	}
	return len(list), lastTenant, lastID, tx.SendBatch(ctx, q.Batch).Close()
}
