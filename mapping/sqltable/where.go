package sqltable

import (
	"strconv"
	"strings"
	"time"

	"github.com/musterhq/muster/scim/filter"
	"github.com/musterhq/muster/scim/schema"
)

// A filter becomes a condition that finds at least every match. What SQL cannot
// tell is taken for true, and below a negation for false; a condition knows whether
// it is exact, and what it finds beyond the matches is sorted out by filter.Match.

// cond is a condition. Its text is "true" or "false" where that is all there is to
// say.
type cond struct {
	sql   string
	exact bool
}

var (
	always    = cond{"true", true}
	never     = cond{"false", true}
	whichever = cond{"true", false}
	unlikely  = cond{"false", false}
)

// constant is a condition that holds always or never.
func constant(holds bool) cond {
	if holds {
		return always
	}
	return never
}

// where translates a node. upper asks for a condition that holds for every match,
// otherwise for one that holds for matches alone.
func (q *statement) where(n filter.Node, upper bool) cond {
	switch n := n.(type) {
	case filter.And:
		return q.join(n.Nodes, false, func(n filter.Node) cond { return q.where(n, upper) })
	case filter.Or:
		return q.join(n.Nodes, true, func(n filter.Node) cond { return q.where(n, upper) })
	case filter.Negate:
		return q.negate(n.X, upper, q.where)
	case filter.Const:
		return constant(bool(n))
	case filter.Compare:
		return q.settled(q.compare(n, upper))
	case filter.Present:
		return q.settled(q.presentPath(n.Path, upper))
	case filter.Any:
		return q.any(n, upper)
	case filter.Linked:
		return q.linked(n, upper)
	}
	return unknown(upper)
}

// unknown is the condition of what SQL cannot tell.
func unknown(upper bool) cond {
	if upper {
		return whichever
	}
	return unlikely
}

// join joins the conditions of nodes by "and", or by "or".
func (q *statement) join(nodes []filter.Node, or bool, where func(filter.Node) cond) cond {
	absorbing, neutral, word := never, always, " AND "
	if or {
		absorbing, neutral, word = always, never, " OR "
	}
	var list []string
	exact, mark := true, len(q.args)
	for _, n := range nodes {
		c := where(n)
		exact = exact && c.exact
		switch c.sql {
		case absorbing.sql:
			q.args = q.args[:mark] // a statement has no arguments that it does not use
			return c
		case neutral.sql:
			continue
		}
		list = append(list, c.sql)
	}
	switch len(list) {
	case 0:
		return cond{neutral.sql, exact}
	case 1:
		return cond{list[0], exact}
	}
	return cond{"(" + strings.Join(list, word) + ")", exact}
}

// negate is the condition that x does not hold; where translates what stands below.
func (q *statement) negate(x filter.Node, upper bool, where func(filter.Node, bool) cond) cond {
	was := q.negated
	q.negated = true
	c := where(x, !upper)
	q.negated = was
	switch c.sql {
	case "true":
		return cond{"false", c.exact}
	case "false":
		return cond{"true", c.exact}
	}
	return cond{"NOT (" + c.sql + ")", c.exact}
}

// settled makes a condition false where it would be null, below a negation.
func (q *statement) settled(c cond) cond {
	if q.negated && c.sql != "true" && c.sql != "false" {
		c.sql = "coalesce(" + c.sql + ", false)"
	}
	return c
}

// compare translates a comparison outside of value paths.
func (q *statement) compare(n filter.Compare, upper bool) cond {
	b := q.b
	common := b.typ.Common()
	switch n.Path {
	case common.ID:
		return q.compareKey(n)
	case common.Created:
		return q.moment(n, b.created, "created", upper)
	case common.LastModified:
		return q.moment(n, b.modified, "modified", upper)
	case common.ExternalID:
		if b.externalID {
			return q.exactText("s.external_id", n)
		}
	}
	if n.Path.IsCommon() && n.Path != common.ExternalID {
		return unknown(upper)
	}
	if many := n.Path.MultiValued(); !many.IsZero() {
		return q.elements(many, n, upper)
	}
	if c := b.cellOf(n.Path); c != nil {
		return q.cell(c, column(c.info), n, upper)
	}
	return q.inDocument(n.Path, upper)
}

// cellOf is the cell of a single-valued attribute.
func (b *binding) cellOf(p schema.Path) *cell {
	for i := range b.cells {
		if c := &b.cells[i]; c.target.Attr == p && c.target.Element.IsZero() {
			return c
		}
	}
	return nil
}

// inDocument is the condition of something that only the side document can have: that
// the name of its attribute is in there.
func (q *statement) inDocument(p schema.Path, upper bool) cond {
	if !upper {
		return unlikely
	}
	return cond{q.contains("s.document", q.arg(`"`+p.Top().String()+`"`)), false}
}

// contains is the condition that a text contains another.
func (q *statement) contains(text, part string) string {
	if q.b.db.Dialect() == DialectPostgres {
		return "strpos(" + text + ", " + part + ") > 0"
	}
	return "instr(" + text + ", " + part + ") > 0"
}

// compareKey compares the id, which is the key's text.
func (q *statement) compareKey(n filter.Compare) cond {
	key := q.b.key
	if n.Op == filter.Eq {
		v, ok := keyValue(key, n.Text)
		if !ok {
			return never
		}
		c := cond{column(key) + " = " + q.arg(v), true}
		if key.loose {
			c.sql += " AND " + q.bytes(column(key)) + " = " + q.arg(n.Text)
		}
		return c
	}
	return q.exactText(q.text(column(key), key), n)
}

// cell compares a column. name is the column in the statement.
func (q *statement) cell(c *cell, name string, n filter.Compare, upper bool) cond {
	if !c.As.isZero() && c.As.isTrue == nil {
		return unknown(upper)
	}
	switch c.attr.Type {
	case schema.Boolean:
		return q.truth(c, name, n)
	case schema.Integer, schema.Decimal:
		return q.number(name, n, upper)
	case schema.DateTime:
		return q.time(c.info, name, n, upper)
	}
	switch c.info.kind {
	case kindInteger, kindUUID:
		return q.digits(c, name, n)
	}
	if c.attr.CaseExact {
		equal := q.exactText(q.text(name, c.info), n)
		if n.Op == filter.Eq && n.Key != "" && len(c.info.labels) == 0 {
			equal.sql = "(" + name + " = " + q.arg(n.Key) + " AND " + equal.sql + ")" // for an index
		}
		return equal
	}
	return q.folded(c, name, n, upper)
}

// digits compares a column of integers or UUIDs that an attribute shows as text.
func (q *statement) digits(c *cell, name string, n filter.Compare) cond {
	if n.Op == filter.Eq {
		v, ok := keyValue(c.info, n.Key)
		if !ok {
			return never
		}
		return cond{name + " = " + q.arg(v), true}
	}
	return q.exactText(q.text(name, c.info), n)
}

// truth compares a boolean.
func (q *statement) truth(c *cell, name string, n filter.Compare) cond {
	if n.Op != filter.Eq {
		return never
	}
	is := ""
	switch {
	case c.info.kind == kindBoolean && q.b.db.Dialect() == DialectSQLite:
		// Some hosts write words there, which are all false to SQLite.
		name = "CASE WHEN typeof(" + name + ") = 'text' THEN lower(" + name + ") IN ('true', 't', '1') ELSE " + name + " END"
	case c.info.loose:
		name = q.bytes(name)
	}
	switch {
	case c.As.isTrue != nil:
		is = c.As.isTrue(name, c.info.kind, q.arg)
		if !n.Bool {
			return cond{"NOT coalesce(" + is + ", false)", true}
		}
		return cond{is, true}
	case c.info.kind == kindInteger:
		is = "(" + name + " <> 0)"
	default:
		is = "(" + name + ")"
	}
	if !n.Bool {
		is = "NOT " + is
	}
	return cond{is, true}
}

// exactNumber is the size below which a float64 tells integers apart.
const exactNumber = 1 << 53

// number compares a number. The operand is known to the precision of a float64 only.
func (q *statement) number(name string, n filter.Compare, upper bool) cond {
	if !upper || n.Number <= -exactNumber || n.Number >= exactNumber {
		return unknown(upper)
	}
	sign := map[filter.Op]string{filter.Eq: "=", filter.Gt: ">=", filter.Ge: ">=", filter.Lt: "<=", filter.Le: "<="}[n.Op]
	if sign == "" {
		return unknown(upper)
	}
	operand := "CAST(" + q.arg(strconv.FormatFloat(n.Number, 'g', -1, 64)) + " AS "
	if q.b.db.Dialect() == DialectPostgres {
		// A nearest float64 may lie on either side of the number.
		return cond{name + "::float8 " + sign + " " + operand + "text)::float8", false}
	}
	return cond{name + " " + sign + " " + operand + "real)", false}
}

// time compares a column of times. SQLite has texts in several forms there.
func (q *statement) time(info *columnInfo, name string, n filter.Compare, upper bool) cond {
	if q.b.db.Dialect() == DialectSQLite {
		return unknown(upper)
	}
	if info.declared == "date" || !whole(n.Time) || n.Time.Year() >= 9999 || n.Time.Year() <= 0 {
		return unknown(upper)
	}
	return cond{name + " " + orderSign(n.Op) + " " + q.arg(n.Time.UTC()), true}
}

// whole reports whether a time is one that databases keep.
func whole(t time.Time) bool { return t.Nanosecond()%1000 == 0 }

// moment compares a time of the metadata: a column of the host's, or else of the side
// table, where a row without one has none.
func (q *statement) moment(n filter.Compare, info *columnInfo, side string, upper bool) cond {
	if info != nil {
		return unknown(upper) // where the column is null, the side table's counts
	}
	if !whole(n.Time) {
		return unknown(upper)
	}
	return cond{"s." + side + " " + orderSign(n.Op) + " " + q.arg(n.Time.UnixMicro()), true}
}

// present is the condition that a column has a value.
func (q *statement) present(c *cell, name string) string {
	switch {
	case c.As.isTrue != nil:
		return "true"
	case c.info.kind == kindText && len(c.info.labels) == 0:
		return name + " <> ''"
	}
	return name + " IS NOT NULL"
}

// presentPath translates "pr".
func (q *statement) presentPath(p schema.Path, upper bool) cond {
	common := q.b.typ.Common()
	switch {
	case p == common.ID:
		return always
	case p == common.ExternalID && q.b.externalID:
		return cond{"s.external_id IS NOT NULL", true}
	case p == common.ExternalID:
	case p.IsCommon():
		return unknown(upper)
	}
	if many := p.MultiValued(); !many.IsZero() {
		return q.elements(many, filter.Present{Path: p}, upper)
	}
	if c := q.b.cellOf(p); c != nil {
		if !c.As.isZero() && c.As.isTrue == nil {
			return unknown(upper)
		}
		return cond{q.present(c, column(c.info)), true}
	}
	if !upper {
		return unlikely
	}
	terms := []string{q.inDocument(p, true).sql}
	for i := range q.b.cells {
		if c := &q.b.cells[i]; within(c.target.Attr, p) {
			terms = append(terms, q.present(c, column(c.info)))
		}
	}
	for i := range q.b.children {
		if within(q.b.children[i].path, p) {
			return whichever
		}
	}
	return cond{"(" + strings.Join(terms, " OR ") + ")", false}
}

// within reports whether p lies in around.
func within(p, around schema.Path) bool {
	for ; !p.IsZero(); p = p.Parent() {
		if p == around {
			return true
		}
	}
	return false
}
