package postgres

import (
	"context"
	"iter"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/musterhq/muster/internal/sqlplan"
	"github.com/musterhq/muster/scim/schema"
	"github.com/musterhq/muster/storage"
)

// reader runs the statements of one query on one connection. A single statement
// runs by itself. Where there can be more, all of them run in a transaction that
// sees one state, which begins in the round trip of the first.
type reader struct {
	ctx   context.Context
	store *Store
	conn  *pgxpool.Conn
	query *storage.Query
	begun bool
	open  bool      // a cursor
	state *logState // of the snapshot; nil: not read
}

const (
	// freshPlans lets the database plan a statement for the values that it gets. One
	// plan for a tenant of ten and for one of a million would be bad for one of them.
	// It holds for the transaction, where the database has such a setting.
	freshPlans = `SELECT CASE WHEN current_setting('plan_cache_mode', true) IS NOT NULL THEN set_config('plan_cache_mode', 'force_custom_plan', true) END`

	beginSnapshot = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"

	// firstFetch is how many candidates a cursor brings at first, and nextFetch from
	// then on.
	firstFetch = 200
	nextFetch  = 5000
)

// close gives the connection back. A transaction ends beside the call: nothing
// hangs on it.
func (r *reader) close() {
	if !r.begun || r.conn.Conn().IsClosed() || !r.store.inBackground(r.end) {
		r.conn.Release() // which closes it when it is in a transaction
	}
}

func (r *reader) end(ctx context.Context) {
	defer r.conn.Release()
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	_, _ = r.conn.Exec(ctx, "ROLLBACK") // a connection that fails here is not used again
}

// batch starts a round trip.
func (r *reader) batch(snapshot bool) *pgx.Batch {
	b := &pgx.Batch{}
	plan := !r.begun && !r.isLookUp()
	if snapshot && !r.begun {
		b.Queue(beginSnapshot)
		r.begun = true
	}
	if plan {
		b.Queue(freshPlans)
	}
	if r.open {
		b.Queue("CLOSE candidates")
		r.open = false
	}
	return b
}

// wantsTotal reports whether a page may be followed by a count.
func (r *reader) wantsTotal() bool { return r.query.Total != storage.TotalNever && r.query.Limit > 0 }

// isLookUp reports whether the filter names the one value, or nearly so, that an
// index finds: then one plan is good for all.
func (r *reader) isLookUp() bool {
	t := r.query.Type
	for _, p := range append([]schema.Path{t.Common().ID}, t.Indexed()...) {
		if p.Attribute().Type == schema.Boolean {
			continue
		}
		if _, ok := r.query.Filter.Equal(p.String()); ok {
			return true
		}
	}
	return false
}

// isPage reports whether a statement selects no more than the page: then all of
// its rows are wanted. Others select candidates, of which few may be.
func (r *reader) isPage(args []any) bool {
	q := r.query
	n := len(args) - 1
	if q.Offset > 0 {
		n--
	}
	return q.Limit > 0 && n >= 0 && args[n] == any(int64(q.Limit))
}

// Select implements [sqlplan.Reader].
func (r *reader) Select(sql string, args []any, flags int) iter.Seq2[sqlplan.Row, error] {
	return func(yield func(sqlplan.Row, error) bool) {
		row := sqlplan.Row{Flags: make([]bool, flags)}
		more := make([]any, flags)
		for i := range more {
			more[i] = &row.Flags[i]
		}
		s := selection{reader: r, typ: r.query.Type.Name(), row: row, more: more, yield: yield}
		var err error
		if r.isPage(args) {
			err = s.page(sql, args)
		} else {
			err = s.candidates(sql, args)
		}
		if err != nil {
			yield(sqlplan.Row{}, err)
		}
	}
}

// selection hands rows on until nobody wants more.
type selection struct {
	*reader
	typ     string
	row     sqlplan.Row
	more    []any
	yield   func(sqlplan.Row, error) bool
	stopped bool
}

// page selects rows that are all wanted.
func (s *selection) page(sql string, args []any) error {
	b := s.batch(s.wantsTotal())
	if s.wantsTotal() && s.state == nil {
		s.queueState(b) // it costs less here than a round trip later
	}
	b.Queue(sql, args...)
	_, err := s.send(b)
	return err
}

// candidates selects rows through a cursor, so that those that nobody wants stay
// where they are.
func (s *selection) candidates(sql string, args []any) error {
	b := s.batch(true)
	b.Queue("DECLARE candidates NO SCROLL CURSOR FOR "+sql, args...)
	fetch := firstFetch
	for {
		b.Queue("FETCH " + strconv.Itoa(fetch) + " FROM candidates")
		s.open = true
		n, err := s.send(b)
		if err != nil || s.stopped || n < fetch {
			return err
		}
		b, fetch = &pgx.Batch{}, nextFetch
	}
}

// send runs a batch and hands on the rows of its last statement. It returns how
// many they were.
func (s *selection) send(b *pgx.Batch) (n int, err error) {
	results := s.conn.SendBatch(s.ctx, b)
	defer results.Close()
	for _, q := range b.QueuedQueries[:b.Len()-1] {
		if q.Fn == nil {
			_, err = results.Exec()
		} else {
			err = q.Fn(results)
		}
		if err != nil {
			return 0, err
		}
	}
	rows, err := results.Query()
	if err != nil {
		return 0, err
	}
	for rows.Next() {
		n++
		if s.row.Record, err = scanRecord(rows, s.typ, s.more...); err != nil {
			return n, err
		}
		if !s.yield(s.row, nil) {
			s.stopped = true
			break
		}
	}
	rows.Close()
	if err := rows.Err(); err != nil {
		return n, err
	}
	return n, results.Close()
}

// queueState reads which state of the tenant the snapshot is.
func (r *reader) queueState(b *pgx.Batch) {
	r.state = &logState{}
	b.Queue(r.store.names.sql(stateSQL), r.query.Tenant).QueryRow(func(row pgx.Row) error {
		return row.Scan(&r.state.last, &r.state.pending)
	})
}

// Count implements [sqlplan.Reader]. Nothing is counted that is known.
func (r *reader) Count(sql string, args []any) (n int, err error) {
	if b := r.batch(true); r.state == nil || b.Len() > 0 {
		r.queueState(b)
		if err := r.conn.SendBatch(r.ctx, b).Close(); err != nil {
			return 0, err
		}
	}
	counted := &r.store.totals.counted
	if n, ok := counted.Get(sql, args, r.state.last); ok && !r.state.pending {
		return n, nil
	}
	if err := r.conn.QueryRow(r.ctx, sql, args...).Scan(&n); err != nil {
		return 0, err
	}
	if r.state.pending {
		r.store.numberSoon(r.query.Tenant)
	} else {
		counted.Keep(sql, args, r.state.last, n)
	}
	return n, nil
}
