package postgres

import (
	"context"
	"math"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/musterhq/muster/storage"
)

// Writers append changes without a number, seq 0. A reader numbers them: under a
// lock of the tenant's row in logs it takes those that it can see, lowest id
// first. The changes of one record are seen in the order of their ids, since the
// writer of the later one waited for the earlier one to commit. So a number is
// never given behind one that a reader has passed, and none is missing.
const (
	ensureLogSQL = `INSERT INTO {logs} (tenant, last_seq) VALUES ($1, 0) ON CONFLICT (tenant) DO NOTHING`
	lockLogSQL   = `SELECT last_seq FROM {logs} WHERE tenant = $1 FOR UPDATE`

	// pending tells whether changes wait. It asks for the lowest number, which is in
	// the index whatever the database thinks of how many wait.
	pendingSQL = `SELECT coalesce(min(c.seq) = 0, false) FROM {changes} c WHERE c.tenant = $1`

	// number gives numbers to at most $2 changes and moves the tenant's last one. It
	// tells how many they are. It is ordered by a number that is 0 for all, so that the
	// index of those that wait is the only one in that order; that of ids alone would
	// lead through all that were numbered before. The update finds them by their ids
	// alone: by tenant and number, it would compare all that wait with each.
	numberSQL = `
WITH next AS MATERIALIZED (
	SELECT n.id, l.last_seq + row_number() OVER (ORDER BY n.id) AS seq
	FROM (SELECT c.id FROM {changes} c WHERE c.tenant = $1 AND c.seq < 1 ORDER BY c.seq, c.id LIMIT $2) n, {logs} l
	WHERE l.tenant = $1
), numbered AS (
	UPDATE {changes} c SET seq = n.seq FROM next n WHERE c.id = n.id RETURNING c.seq
), moved AS (
	UPDATE {logs} SET last_seq = (SELECT max(n.seq) FROM next n) WHERE tenant = $1 AND EXISTS (SELECT 1 FROM next)
)
SELECT count(*) FROM numbered`

	changesSQL = `
SELECT seq, type, record, connection, kind, paths, version, hidden, time, links_added, links_removed
FROM {changes}
WHERE tenant = $1 AND seq > greatest($2::bigint, 0)
ORDER BY seq
LIMIT $3`

	changedSQL = `SELECT coalesce(token::text, '') FROM {changes} WHERE tenant = $1 AND seq = $2 AND seq > 0`

	changedLinksSQL = `
SELECT relation, target_type, target_id, NOT added
FROM {change_links}
WHERE token = $1::uuid AND (NOT $2::boolean OR (relation, target_type, target_id, added) > ($3, $4, $5, $6))
ORDER BY relation, target_type, target_id, added
LIMIT $7`

	// tail is the oldest change that is to be kept.
	tailSQL = `
SELECT c.seq FROM {changes} c
WHERE c.tenant = $1 AND c.seq > 0 AND c.time >= $2
ORDER BY c.seq
LIMIT 1`

	// trim forgets at most $3 of the changes before $2, oldest first. Their links are
	// found by a list of tokens, in one walk through the index, however many links the
	// database expects of a token: one change may have a million, and most none.
	trimSQL = `
WITH old AS MATERIALIZED (
	SELECT c.id FROM {changes} c WHERE c.tenant = $1 AND c.seq > 0 AND c.seq < $2 ORDER BY c.seq LIMIT $3
), gone AS (
	DELETE FROM {changes} c USING old o WHERE c.id = o.id RETURNING c.token
), links AS (
	DELETE FROM {change_links} l WHERE l.token = ANY (ARRAY(SELECT g.token FROM gone g WHERE g.token IS NOT NULL))
)
SELECT count(*) FROM gone`
)

// chunk is how many changes are numbered or forgotten in one transaction.
const chunk = 1000

// stepwise lets the database take the rows of a chunk in the order of an index and
// look each up by its key. Left alone, it may read or sort the whole log for each
// chunk: its statistics cannot follow a log of which all waits for a number now and
// nothing a minute later. It holds for the transaction, where the database has such
// settings.
const stepwise = `
SELECT set_config(s, 'off', true)
FROM unnest(ARRAY['enable_seqscan', 'enable_bitmapscan', 'enable_hashjoin', 'enable_mergejoin']) AS s
WHERE current_setting(s, true) IS NOT NULL`

// Changes implements [storage.ChangeLog].
func (s *Store) Changes(ctx context.Context, tenant string, after int64, limit int) ([]storage.Change, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	var changes []storage.Change
	err := persist(ctx, again, func() error {
		var pending bool
		var err error
		changes, pending, err = s.readChanges(ctx, tenant, after, limit)
		for err == nil && pending && len(changes) < limit {
			// Two who number at once wait for each other, and the second finds less.
			if err = s.number(ctx, tenant); err == nil {
				changes, pending, err = s.readChanges(ctx, tenant, after, limit)
			}
		}
		return err
	})
	if err != nil {
		return nil, outward(ctx, err)
	}
	return changes, nil
}

// readChanges reads what is numbered and tells whether anything is not.
func (s *Store) readChanges(ctx context.Context, tenant string, after int64, limit int) (changes []storage.Change, pending bool, err error) {
	q := &queue{Batch: &pgx.Batch{}, names: s.names, tenant: tenant}
	// What is committed between the two statements is a matter of the next call.
	q.add(pendingSQL).QueryRow(func(row pgx.Row) error { return row.Scan(&pending) })
	q.add(changesSQL, after, limit).Query(func(rows pgx.Rows) error {
		for rows.Next() {
			var c storage.Change
			var paths string
			var at instant
			err := rows.Scan(&c.Seq, &c.Type, &c.ID, &c.Connection, &c.Kind, &paths, &c.Version, &c.Hidden, &at, &c.LinksAdded, &c.LinksRemoved)
			if err != nil {
				return err
			}
			if c.Paths, err = decodePaths(paths); err != nil {
				return err
			}
			c.Time = at.Time
			changes = append(changes, c)
		}
		return rows.Err()
	})
	err = s.pool.SendBatch(ctx, q.Batch).Close()
	return changes, pending, err
}

// number numbers a chunk of the changes that are committed.
func (s *Store) number(ctx context.Context, tenant string) error {
	return s.transaction(ctx, func(tx pgx.Tx) error {
		q := &queue{Batch: &pgx.Batch{}, names: s.names, tenant: tenant}
		q.Queue(stepwise)
		q.add(ensureLogSQL)
		q.add(lockLogSQL)
		q.add(numberSQL, chunk)
		return tx.SendBatch(ctx, q.Batch).Close()
	})
}

// transaction runs f in a transaction, again when the database asks for it.
func (s *Store) transaction(ctx context.Context, f func(pgx.Tx) error) error {
	return persist(ctx, again, func() error { return pgx.BeginFunc(ctx, s.pool, f) })
}

// ChangedLinks implements [storage.ChangeLog].
func (s *Store) ChangedLinks(ctx context.Context, tenant string, seq int64, after storage.LinkDelta, limit int) ([]storage.LinkDelta, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	var deltas []storage.LinkDelta
	err := persist(ctx, again, func() (err error) {
		deltas, err = s.changedLinks(ctx, tenant, seq, after, limit)
		return err
	})
	if err != nil {
		return nil, outward(ctx, err)
	}
	return deltas, nil
}

func (s *Store) changedLinks(ctx context.Context, tenant string, seq int64, after storage.LinkDelta, limit int) ([]storage.LinkDelta, error) {
	var token string
	rows, err := s.pool.Query(ctx, s.names.sql(changedSQL), tenant, seq)
	if err != nil {
		return nil, err
	}
	found, err := pgx.ForEachRow(rows, []any{&token}, func() error { return nil })
	switch {
	case err != nil:
		return nil, err
	case found.RowsAffected() == 0:
		return nil, storage.ErrNotFound
	case token == "":
		return nil, nil
	}
	rows, err = s.pool.Query(ctx, s.names.sql(changedLinksSQL), token, after != storage.LinkDelta{}, after.Relation, after.To.Type, after.To.ID, !after.Removed, limit)
	if err != nil {
		return nil, err
	}
	var deltas []storage.LinkDelta
	var d storage.LinkDelta
	_, err = pgx.ForEachRow(rows, []any{&d.Relation, &d.To.Type, &d.To.ID, &d.Removed}, func() error {
		deltas = append(deltas, d)
		return nil
	})
	return deltas, err
}

// TrimChanges implements [storage.ChangeLog]. It works in transactions of a
// bounded number of changes.
func (s *Store) TrimChanges(ctx context.Context, tenant string, before time.Time) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return outward(ctx, persist(ctx, again, func() error { return s.trimChanges(ctx, tenant, before) }))
}

func (s *Store) trimChanges(ctx context.Context, tenant string, before time.Time) error {
	// What is not numbered yet may be old too.
	for pending := true; pending; {
		var err error
		if _, pending, err = s.readChanges(ctx, tenant, 0, 0); err == nil && pending {
			err = s.number(ctx, tenant)
		}
		if err != nil {
			return err
		}
	}
	keep := int64(math.MaxInt64)
	rows, err := s.pool.Query(ctx, s.names.sql(tailSQL), tenant, instant{before})
	if err != nil {
		return err
	}
	if _, err := pgx.ForEachRow(rows, []any{&keep}, func() error { return nil }); err != nil {
		return err
	}
	for n := chunk; n == chunk; {
		err := s.transaction(ctx, func(tx pgx.Tx) error {
			q := &queue{Batch: &pgx.Batch{}, names: s.names, tenant: tenant}
			q.Queue(stepwise)
			q.add(trimSQL, keep, chunk).QueryRow(func(row pgx.Row) error { return row.Scan(&n) })
			return tx.SendBatch(ctx, q.Batch).Close()
		})
		if err != nil {
			return err
		}
	}
	return nil
}
