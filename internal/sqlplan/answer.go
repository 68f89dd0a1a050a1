package sqlplan

import (
	"errors"
	"iter"
	"slices"

	"github.com/musterhq/muster/scim/filter"
	"github.com/musterhq/muster/scim/schema"
	"github.com/musterhq/muster/storage"
)

// Reader runs statements of one query, all on the same state of the database. It
// may be asked for several, one after the other.
type Reader interface {
	// Select yields the rows of a statement: the columns of [RecordColumns], then so
	// many flags, which are booleans. The consumer may stop at any row. An error is
	// the last thing yielded.
	Select(sql string, args []any, flags int) iter.Seq2[Row, error]
	// Count returns the one integer that a statement selects.
	Count(sql string, args []any) (int, error)
}

// Row is one row of a selection.
type Row struct {
	Record *storage.Record
	// Flags need to be valid until the next row only.
	Flags []bool
}

// Answer answers a query. complete reports whether every record of the type has
// its keys of an indexed attribute in the tables; where it has not, the
// attribute's index is not used.
//
// A query that SQL can answer wholly is one statement, and one more when its
// total is wanted and does not show from the page. Otherwise candidates stream
// through storage.Evaluate.
func (d *Dialect) Answer(q *storage.Query, complete func(schema.Path) bool, r Reader) (*storage.Page, error) {
	a := answer{Dialect: d, query: q, complete: complete, reader: r}
	page, err := a.inSQL()
	if errors.Is(err, errNotInSQL) {
		page, err = a.inOrder()
	}
	if errors.Is(err, errNotInSQL) {
		page, err = a.inProcess()
	}
	return page, err
}

// errNotInSQL says that a way to answer does not lead to the end.
var errNotInSQL = errors.New("sqlplan: SQL alone cannot answer this query")

type answer struct {
	*Dialect
	query    *storage.Query
	complete func(schema.Path) bool
	reader   Reader
}

// inSQL lets the database do everything.
func (a *answer) inSQL() (*storage.Page, error) {
	s := a.statement(a.query, a.complete)
	where := s.where(s.query.Filter.Root(), above)
	if !where.exact {
		return nil, errNotInSQL
	}
	page := &storage.Page{Total: storage.UnknownTotal}
	q := a.query
	if q.Limit > 0 {
		o, ok := s.order()
		if !ok {
			return nil, errNotInSQL
		}
		sql, flags := s.page(where, &o)
		for row, err := range a.reader.Select(sql, s.args, flags) {
			if err != nil {
				return nil, err
			}
			if o.long != "" && row.Flags[0] {
				return nil, errNotInSQL
			}
			page.Records = append(page.Records, row.Record)
		}
	}
	n := len(page.Records)
	switch {
	case q.Total == storage.TotalNever:
	case q.After == nil && n < q.Limit && (n > 0 || q.Offset == 0):
		page.Total = q.Offset + n
	case q.Total == storage.TotalExact || q.Limit == 0:
		var err error
		page.Total, err = a.count()
		return page, err
	}
	return page, nil
}

// count counts the matches of a condition that is exact.
func (a *answer) count() (int, error) {
	s := a.statement(a.query, a.complete)
	where := s.where(s.query.Filter.Root(), above)
	return a.reader.Count("SELECT count(*) FROM "+s.from()+and(where.sql), s.args)
}

// inOrder reads candidates in the order of the query and stops when the page is
// full.
func (a *answer) inOrder() (*storage.Page, error) {
	q := a.query
	if q.Total == storage.TotalExact || q.Limit == 0 {
		return nil, errNotInSQL
	}
	s := a.statement(q, a.complete)
	where := s.where(q.Filter.Root(), above)
	o, ok := s.order()
	if !ok {
		return nil, errNotInSQL
	}
	return a.evaluate(storage.EvaluateOrdered, s, where, &o)
}

// inProcess reads all candidates.
func (a *answer) inProcess() (*storage.Page, error) {
	s := a.statement(a.query, a.complete)
	return a.evaluate(storage.Evaluate, s, s.where(s.query.Filter.Root(), above), nil)
}

// evaluator is one of the ways of package storage to look at candidates.
type evaluator = func(*storage.Query, filter.LinkTest, iter.Seq2[*storage.Record, error]) (*storage.Page, error)

// evaluate streams candidates through an evaluator. What links a candidate has
// is selected with it, so that looking at one needs no other statement.
func (a *answer) evaluate(by evaluator, s *statement, where condition, o *order) (*storage.Page, error) {
	q := a.query
	var tests []filter.Linked
	if !where.exact {
		tests = linkTests(q.Filter)
	}
	sql, flags := s.selection(where, o, tests...)
	if q.MaxScan > 0 {
		sql += " LIMIT " + s.param(int64(q.MaxScan)+1) // one more tells that there are too many
	}
	var row Row
	candidates := func(yield func(*storage.Record, error) bool) {
		var err error
		for row, err = range a.reader.Select(sql, s.args, flags) {
			if err == nil && o != nil && o.long != "" && row.Flags[0] {
				err = errNotInSQL
			}
			if !yield(row.Record, err) || err != nil {
				return
			}
		}
	}
	linked := func(_ string, l filter.Linked) bool {
		return row.Flags[flags-len(tests)+slices.Index(tests, l)]
	}
	if where.exact {
		matched := *q
		matched.Filter = nil
		q = &matched
	}
	return by(q, linked, candidates)
}

// linkTests returns the tests on relations in a filter, each once.
func linkTests(p *filter.Plan) (tests []filter.Linked) {
	for n := range filter.Nodes(p.Root()) {
		if l, ok := n.(filter.Linked); ok && !slices.Contains(tests, l) {
			tests = append(tests, l)
		}
	}
	return tests
}

// selection selects the records that satisfy a condition. With an order, they
// come in it, and flag 0 tells those with a long key if there can be any; tests
// are the last flags.
func (s *statement) selection(where condition, o *order, tests ...filter.Linked) (sql string, flags int) {
	sql = "SELECT " + RecordColumns
	if o != nil && o.long != "" {
		sql += ", " + o.long
		flags++
	}
	for _, l := range tests {
		sql += ", " + s.linked(l)
		flags++
	}
	sql += " FROM " + s.from() + and(where.sql)
	if o != nil {
		sql += and(o.behind) + " ORDER BY " + o.by
	}
	return sql, flags
}

// page selects the records of the page, by a condition that is exact.
func (s *statement) page(where condition, o *order) (sql string, flags int) {
	q := s.query
	skips := s.SkipInIndex && q.Offset > 0 && s.byID()
	if skips {
		sql = "SELECT r.id FROM " + s.from() + and(where.sql) + and(o.behind) + " ORDER BY " + o.by
	} else {
		sql, flags = s.selection(where, o)
	}
	sql += " LIMIT " + s.param(int64(q.Limit))
	if q.Offset > 0 {
		sql += " OFFSET " + s.param(int64(q.Offset))
	}
	if skips {
		sql = "SELECT " + RecordColumns + " FROM " + s.Records + " r WHERE r.tenant = " + s.tenant + " AND r.type = " + s.typ +
			" AND r.id IN (" + sql + ") ORDER BY " + o.by
	}
	return sql, flags
}

// and adds a condition to others.
func and(sql string) string {
	if sql == "" || sql == "TRUE" {
		return ""
	}
	return " AND " + sql
}
