package postgres

import (
	"context"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/musterhq/muster/internal/sqlplan"
	"github.com/musterhq/muster/storage"
)

// noKey stands in a column for a record that has no value. No text in UTF-8 has
// this byte, and it is greater than all of them.
const noKey = "\xff"

func newDialect(n *names) sqlplan.Dialect {
	return sqlplan.Dialect{
		Records:     n.sql("{records}"),
		Entries:     n.sql("{entries}"),
		Links:       n.sql("{links}"),
		Param:       func(i int) string { return "$" + strconv.Itoa(i) },
		Key:         func(key string) any { return []byte(key) },
		Time:        func(t time.Time) any { return t },
		NoKey:       `'\xff'::bytea`,
		NoTime:      `'infinity'::timestamptz`,
		SkipInIndex: true,
		Contains:    func(key, part string) string { return "position(" + part + "::bytea IN " + key + ") > 0" },
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

func (s *Store) query(ctx context.Context, pool *pgxpool.Pool, q *storage.Query) (page *storage.Page, err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	err = persist(ctx, again, func() error {
		page, err = s.queryOnce(ctx, pool, q)
		return err
	})
	if err != nil {
		return nil, outward(ctx, err)
	}
	return page, nil
}

func (s *Store) queryOnce(ctx context.Context, pool *pgxpool.Pool, q *storage.Query) (*storage.Page, error) {
	complete, err := s.indexes.complete(ctx, pool, q.Type)
	if err != nil {
		return nil, err
	}
	conn, err := pool.Acquire(ctx)
	if err != nil {
		return nil, err
	}
	r := &reader{ctx: ctx, store: s, conn: conn, query: q}
	defer r.close()
	return s.plan.Answer(q, complete, r)
}

// primary reads everything from the primary, for what a commit will rest on.
type primary struct{ *Store }

func (p primary) Query(ctx context.Context, q *storage.Query) (*storage.Page, error) {
	return p.query(ctx, p.pool, q)
}

func (p primary) Links(ctx context.Context, q *storage.LinkQuery) ([]storage.Link, error) {
	return p.links(ctx, p.pool, q)
}
