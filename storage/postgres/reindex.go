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

	// index writes the columns of records that have others.
	indexSQL = `
UPDATE {records} r
SET user_name = n.user_name, external_id = n.external_id, display_name = n.display_name, active = n.active
FROM unnest($2::text[], $3::text[], $4::bytea[], $5::bytea[], $6::bytea[], $7::bytea[]) AS n(type, id, user_name, external_id, display_name, active)
WHERE r.tenant = $1 AND r.type = n.type AND r.id = n.id
	AND (r.user_name, r.external_id, r.display_name, r.active) <> (n.user_name, n.external_id, n.display_name, n.active)`

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
	found := map[string]*writes{} // by tenant
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
		w := found[lastTenant]
		if w == nil {
			w = &writes{}
			found[lastTenant] = w
		}
		w.add(write{Record: storage.NewRecord(res, old.Connection)})
		lastID = old.ID
		n++
	}
	if rows.Close(); rows.Err() != nil {
		return 0, tenant, id, rows.Err()
	}
	for of, w := range found {
		q := &queue{Batch: &pgx.Batch{}, names: s.names, tenant: of}
		q.add(s.names.sql(indexSQL), w.types, w.ids, w.columns[0], w.columns[1], w.columns[2], w.columns[3])
		e := &w.entries
		q.add(s.names.sql(dropEntriesSQL), w.types, w.ids, e.types, e.ids, e.ns, e.attrs, e.keys, e.qualifers)
		q.add(s.names.sql(addEntriesSQL), e.types, e.ids, e.ns, e.attrs, e.keys, e.qualifers)
		if err := tx.SendBatch(ctx, q.Batch).Close(); err != nil {
			return 0, tenant, id, err
		}
	}
	return n, lastTenant, lastID, nil
}
