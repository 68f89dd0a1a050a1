package postgres

import (
	"context"
	"iter"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/musterhq/muster/internal/sqlplan"
	"github.com/musterhq/muster/storage"
)

// noKey stands in a column for a record that has no value. No text in UTF-8 has
// this byte, and it is greater than all of them.
const noKey = "\xff"

func newDialect(n *names) sqlplan.Dialect {
	return sqlplan.Dialect{
		Records:  n.sql("{records}"),
		Entries:  n.sql("{entries}"),
		Links:    n.sql("{links}"),
		Param:    func(i int) string { return "$" + strconv.Itoa(i) },
		Key:      func(key string) any { return []byte(key) },
		Time:     func(t time.Time) any { return t },
		NoKey:    `'\xff'::bytea`,
		NoTime:   `'infinity'::timestamptz`,
		Contains: func(key, part string) string { return "position(" + part + "::bytea IN " + key + ") > 0" },
		EndsWith: func(key, part string) string {
			// A start before the first byte does no harm: the lengths differ then.
			return "substring(" + key + " FROM greatest(1, length(" + key + ") - length(" + part + "::bytea) + 1)) = " + part
		},
	}
}

// Query implements [storage.Store].
func (s *Store) Query(ctx context.Context, q *storage.Query) (*storage.Page, error) {
	return s.query(ctx, s.reads, q)
}

func (s *Store) query(ctx context.Context, pool *pgxpool.Pool, q *storage.Query) (*storage.Page, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	complete, err := s.indexes.complete(ctx, q.Type)
	if err != nil {
		return nil, outward(ctx, err)
	}
	r := &reader{ctx: ctx, pool: pool, query: q}
	defer r.close()
	page, err := s.plan.Answer(q, complete, r)
	if err != nil {
		return nil, outward(ctx, err)
	}
	return page, nil
}

// reader runs the statements of one query. The first runs by itself, since most
// queries have but one; where there can be more, all of them run in a
// transaction that sees one state.
type reader struct {
	ctx   context.Context
	pool  *pgxpool.Pool
	query *storage.Query
	tx    pgx.Tx
}

func (r *reader) close() {
	if r.tx != nil {
		r.tx.Rollback(r.ctx) // nothing was written; the pool drops a connection that fails here
	}
}

// db returns where to run the next statement.
func (r *reader) db() (querier, error) {
	q := r.query
	if q.Total == storage.TotalNever && q.Limit > 0 || q.Limit == 0 {
		return r.pool, nil // a single statement
	}
	if r.tx == nil {
		tx, err := r.pool.BeginTx(r.ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly})
		if err != nil {
			return nil, err
		}
		r.tx = tx
	}
	return r.tx, nil
}

// Select implements [sqlplan.Reader].
func (r *reader) Select(sql string, args []any, flags int) iter.Seq2[sqlplan.Row, error] {
	return func(yield func(sqlplan.Row, error) bool) {
		ctx, cancel := context.WithCancel(r.ctx)
		defer cancel()
		db, err := r.db()
		if err != nil {
			yield(sqlplan.Row{}, err)
			return
		}
		rows, err := db.Query(ctx, sql, args...)
		if err != nil {
			yield(sqlplan.Row{}, err)
			return
		}
		defer rows.Close()
		row := sqlplan.Row{Flags: make([]bool, flags)}
		more := make([]any, flags)
		for i := range more {
			more[i] = &row.Flags[i]
		}
		for rows.Next() {
			if row.Record, err = scanRecord(rows, r.query.Type.Name(), more...); err != nil {
				break
			}
			if !yield(row, nil) {
				return
			}
		}
		if rows.Close(); err == nil {
			err = rows.Err()
		}
		if err != nil {
			yield(sqlplan.Row{}, err)
		}
	}
}

// Count implements [sqlplan.Reader].
func (r *reader) Count(sql string, args []any) (n int, err error) {
	db, err := r.db()
	if err != nil {
		return 0, err
	}
	rows, err := db.Query(r.ctx, sql, args...)
	if err != nil {
		return 0, err
	}
	_, err = pgx.ForEachRow(rows, []any{&n}, func() error { return nil })
	return n, err
}

// primary reads everything from the primary, for what a commit will rest on.
type primary struct{ *Store }

func (p primary) Query(ctx context.Context, q *storage.Query) (*storage.Page, error) {
	return p.query(ctx, p.pool, q)
}

func (p primary) Links(ctx context.Context, q *storage.LinkQuery) ([]storage.Link, error) {
	return p.links(ctx, p.pool, q)
}
