package sqlplan

import (
	"github.com/musterhq/muster/scim/schema"
	"github.com/musterhq/muster/storage"
)

// statement is one statement being written: the condition of a query with the
// values of its parameters.
type statement struct {
	*Dialect
	query    *storage.Query
	complete func(schema.Path) bool
	args     []any
	// tenant and typ are the parameters of the same name.
	tenant, typ string
}

func (d *Dialect) statement(q *storage.Query, complete func(schema.Path) bool) *statement {
	s := &statement{Dialect: d, query: q, complete: complete}
	s.tenant, s.typ = s.param(q.Tenant), s.param(q.Type.Name())
	return s
}

// param adds a value and returns its parameter.
func (s *statement) param(v any) string {
	s.args = append(s.args, v)
	return s.Param(len(s.args))
}

// visible selects the records that the query may find whatever its filter is.
func (s *statement) visible() string {
	sql := "r.tenant = " + s.tenant + " AND r.type = " + s.typ
	switch {
	case s.query.OnlyHidden:
		sql += " AND r.hidden"
	case !s.query.Hidden:
		sql += " AND NOT r.hidden"
	}
	if s.query.Connection != "" {
		sql += " AND r.connection = " + s.param(s.query.Connection)
	}
	return sql
}
