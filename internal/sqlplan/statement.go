package sqlplan

import (
	"github.com/musterhq/muster/scim/filter"
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
	// lead is a test on a relation from whose links the statement starts, so that it
	// holds for every row; nil when it starts from the records. leads selects them.
	lead  *filter.Linked
	leads string
}

func (d *Dialect) statement(q *storage.Query, complete func(schema.Path) bool) *statement {
	s := &statement{Dialect: d, query: q, complete: complete}
	s.tenant, s.typ = s.param(q.Tenant), s.param(q.Type.Name())
	if l, ok := memberOf(q.Filter.Root()); ok && d.LinksLead && s.byID() && (l.Type == "" || l.Type == l.Owner) {
		s.lead, s.leads = &l, s.linksTo(l)+" AND l.owner_id = "+s.param(l.ID)
	}
	return s
}

// memberOf returns a link from a known record that every match must have.
func memberOf(n filter.Node) (filter.Linked, bool) {
	for _, term := range conjuncts(n) {
		if l, ok := term.(filter.Linked); ok && l.Inverse && l.ID != "" {
			return l, true
		}
	}
	return filter.Linked{}, false
}

// from is where rows come from. A cross join is made in the order in which it is
// written.
func (s *statement) from() string {
	if s.lead == nil {
		return s.Records + " r WHERE " + s.visible()
	}
	return s.Links + " l CROSS JOIN " + s.Records + " r WHERE " + s.leads + " AND r.id = l.target_id AND " + s.visible()
}

// id is the id of a row, as the table has it that rows come from.
func (s *statement) id() string {
	if s.lead == nil {
		return "r.id"
	}
	return "l.target_id"
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
