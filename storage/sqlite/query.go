package sqlite

import (
	"context"
	"database/sql/driver"
	"iter"
	"strconv"
	"time"

	"github.com/musterhq/muster/internal/sqlplan"
	"github.com/musterhq/muster/scim/schema"
	"github.com/musterhq/muster/storage"
)

// dialect returns how SQLite spells what queries need. Keys are texts, which
// compare bytewise, and behind all texts and numbers stand blobs.
func dialect() *sqlplan.Dialect {
	return &sqlplan.Dialect{
		Records:   "muster_records",
		Entries:   "muster_entries",
		Links:     "muster_links",
		Param:     func(n int) string { return "?" + strconv.Itoa(n) },
		Key:       func(key string) any { return key },
		Time:      func(t time.Time) any { return t.UnixMicro() },
		NoKey:     "x''",
		NoTime:    "x''",
		LinksLead: true,
		Contains:  func(key, part string) string { return "instr(" + key + ", " + part + ") > 0" },
		EndsWith:  func(key, part string) string { return "substr(" + key + ", -length(" + part + ")) = " + part },
	}
}

// Query implements [storage.Store].
func (s *Store) Query(ctx context.Context, q *storage.Query) (page *storage.Page, err error) {
	err = s.view(ctx, func(c *conn) error {
		known, err := s.indexes.of(c, q.Type)
		if err != nil {
			return err
		}
		if known.missing {
			s.indexInBackground(q.Type)
		}
		page, err = dialect().Answer(q, func(p schema.Path) bool { return known.complete[p] }, &reader{s, ctx, c, q})
		return err
	})
	return page, err
}

// reader runs the statements of one query.
type reader struct {
	store *Store
	ctx   context.Context
	conn  *conn
	query *storage.Query
}

// Select implements [sqlplan.Reader].
func (r *reader) Select(sql string, args []any, flags int) iter.Seq2[sqlplan.Row, error] {
	return func(yield func(sqlplan.Row, error) bool) {
		out := sqlplan.Row{Flags: make([]bool, flags)}
		err := r.conn.query(r.ctx, sql, args, func(row []driver.Value) bool {
			out.Record = scanRecord(r.query.Type.Name(), row)
			for i := range out.Flags {
				out.Flags[i] = integer(row[recordColumns+i]) != 0
			}
			return yield(out, nil)
		})
		if err != nil {
			yield(sqlplan.Row{}, err)
		}
	}
}

// Count implements [sqlplan.Reader]. Nothing is counted that is known.
func (r *reader) Count(sql string, args []any) (int, error) {
	if r.query.Filter == nil {
		return r.population()
	}
	row, err := r.conn.first("SELECT last FROM muster_logs WHERE tenant = ?", r.query.Tenant)
	if err != nil {
		return 0, err
	}
	state := int64(0) // every effective write moves it
	if row != nil {
		state = integer(row[0])
	}
	if n, ok := r.store.totals.Get(sql, args, state); ok {
		return n, nil
	}
	n := 0
	err = r.conn.query(r.ctx, sql, args, func(row []driver.Value) bool {
		n = int(integer(row[0]))
		return true
	})
	if err != nil {
		return 0, err
	}
	r.store.totals.Keep(sql, args, state, n)
	return n, nil
}

// population is how many records a query without a filter finds.
func (r *reader) population() (int, error) {
	row, err := r.conn.first(`SELECT coalesce(sum(n), 0) FROM muster_populations
		WHERE tenant = ?1 AND type = ?2 AND ?3 IN ('', connection) AND hidden BETWEEN ?4 AND ?5`,
		r.query.Tenant, r.query.Type.Name(), r.query.Connection, flag(r.query.OnlyHidden), flag(r.query.Hidden || r.query.OnlyHidden))
	if err != nil {
		return 0, err
	}
	return int(integer(row[0])), nil
}
