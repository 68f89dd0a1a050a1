package sqltable

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/musterhq/muster/scim/filter"
)

// SCIM compares texts folded by schema.Fold, and no database does. But a text of
// nothing except the characters from space to "~" folds as lower() has it, and to
// another such text. Other texts, wide ones here, may fold to anything: the Kelvin
// sign to "k", a full-width letter to a plain one. So the condition for a text is that
// lower() compares, or that the text is wide. In most tables there are few wide names;
// an index of those alone makes the second half as quick as the first.

// match is how the database finds a text without regard to case.
type match uint8

const (
	matchLower  match = iota // lower(column) = operand
	matchUpper               // upper(column) = operand
	matchFolded              // column = operand, which ignores case already
	matchNoCase              // column COLLATE NOCASE = operand
)

// text is a column as text.
func (q *statement) text(column string, info *columnInfo) string {
	if info.kind == kindText && len(info.labels) == 0 && !info.folds {
		return column
	}
	return "CAST(" + column + " AS text)"
}

// bytes makes a text one that compares bytewise.
func (q *statement) bytes(text string) string {
	if q.b.db.Dialect() == DialectPostgres {
		return "(" + text + `)::text COLLATE "C"`
	}
	return text + " COLLATE BINARY"
}

// lowered is a text with its ASCII letters in lower case, and others anyhow.
func (q *statement) lowered(text string) string {
	if q.b.db.Dialect() == DialectPostgres {
		return "lower(" + q.bytes(text) + ")"
	}
	return "lower(" + text + ")"
}

// exactText compares a text that is case exact.
func (q *statement) exactText(text string, n filter.Compare) cond {
	return cond{q.textOp(q.bytes(text), n.Op, n.Key), true}
}

// textOp compares texts bytewise. The empty text is no value.
func (q *statement) textOp(text string, op filter.Op, operand string) string {
	postgres := q.b.db.Dialect() == DialectPostgres
	if operand == "" {
		switch op {
		case filter.Eq, filter.Lt, filter.Le:
			return "false"
		}
		return text + " <> ''"
	}
	switch op {
	case filter.Eq:
		return text + " = " + q.arg(operand)
	case filter.Co:
		return q.contains(text, q.arg(operand))
	case filter.Sw:
		n := q.arg(int64(utf8.RuneCountInString(operand)))
		return "substr(" + text + ", 1, " + cast(postgres, n) + ") = " + q.arg(operand)
	case filter.Ew:
		n := q.arg(int64(utf8.RuneCountInString(operand)))
		if postgres {
			return "right(" + text + ", " + cast(postgres, n) + ") = " + q.arg(operand)
		}
		return "substr(" + text + ", -" + n + ") = " + q.arg(operand)
	}
	c := text + " " + orderSign(op) + " " + q.arg(operand)
	if op == filter.Lt || op == filter.Le {
		c = "(" + c + " AND " + text + " <> '')"
	}
	return c
}

func cast(postgres bool, arg string) string {
	if postgres {
		return arg + "::int4"
	}
	return arg
}

func orderSign(op filter.Op) string {
	switch op {
	case filter.Gt:
		return ">"
	case filter.Ge:
		return ">="
	case filter.Lt:
		return "<"
	case filter.Le:
		return "<="
	}
	return "="
}

// wide is the condition that a text has characters beyond those from space to "~".
// Planners know a column's statistics for it.
func wide(d Dialect, column string, info *columnInfo) string {
	if d == DialectPostgres {
		if info.folds || len(info.labels) > 0 {
			column += "::text"
		}
		return "(" + column + ` COLLATE "C") ~ '[^ -~]'`
	}
	return column + " GLOB '*[^ -~]*'"
}

// isPlain reports whether a text is not wide.
func isPlain(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

// folded compares texts without regard to case.
func (q *statement) folded(c *cell, name string, n filter.Compare, upper bool) cond {
	info := c.info
	ascii := q.ascii[info]
	plain := isPlain(n.Key)
	if !plain && !n.Op.IsOrder() && ascii {
		return never
	}
	if !plain && !n.Op.IsOrder() {
		if upper {
			return cond{q.wide(name, info), false}
		}
		return unlikely
	}
	compared := ""
	if n.Op == filter.Eq && n.Key != "" {
		if upper && !ascii && name == column(info) && q.b.isUnique(c) {
			return cond{q.lookUp(c, n.Key), false}
		}
		compared = q.equal(c, name, n.Key)
	} else {
		compared = q.textOp(q.lowered(q.text(name, info)), n.Op, n.Key)
	}
	switch {
	case ascii:
		return cond{compared, true}
	case upper:
		return cond{"(" + compared + " OR " + q.wide(name, info) + ")", false}
	}
	return cond{"(" + compared + " AND NOT " + q.wide(name, info) + ")", false}
}

func (q *statement) wide(name string, info *columnInfo) string {
	return wide(q.b.db.Dialect(), name, info)
}

// lookUp is the condition that a text which should have an index is a key, but for
// case, or wide. Each half is a statement of its own with the index for it: of an OR
// in a larger condition, planners make a walk through the tenant.
func (q *statement) lookUp(c *cell, key string) string {
	b, name := q.b, "u."+quoteOne(c.info.name)
	from := "SELECT u." + quoteOne(b.key.name) + " FROM " + quoted(b.table.Name) + " AS u WHERE "
	if b.tenant != nil {
		from += "u." + quoteOne(b.tenant.name) + " = " + q.arg(q.tenantKey) + " AND "
	}
	if b.deletion != nil { // for an index that leaves deleted rows out
		from += b.undeleted(q, "u.") + " AND "
	}
	return column(b.key) + " IN (" + from + q.equal(c, name, key) + " UNION ALL " + from + q.wide(name, c.info) + ")"
}

// isUnique reports whether the cell is one that is looked up.
func (b *binding) isUnique(c *cell) bool {
	return slices.ContainsFunc(b.uniques, func(u unique) bool { return &b.cells[u.cell] == c })
}

// equal is the condition that a text that is not wide is the operand but for case, in
// the form that the column's index has.
func (q *statement) equal(c *cell, name, key string) string {
	switch q.b.match(c) {
	case matchFolded:
		return name + " = " + q.arg(key)
	case matchNoCase:
		return name + " = " + q.arg(key) + " COLLATE NOCASE"
	case matchUpper:
		return "upper(" + name + ") = " + q.arg(strings.ToUpper(key))
	}
	if !c.info.lowers || len(c.info.labels) > 0 {
		return q.lowered(q.text(name, c.info)) + " = " + q.arg(key)
	}
	return "lower(" + name + ") = " + q.arg(key)
}

// match is how to find a text by an index that there is.
func (b *binding) match(c *cell) match {
	if b.db.Dialect() == DialectPostgres && c.info.folds {
		return matchFolded
	}
	for _, index := range b.host.indexes {
		for _, key := range index.keys {
			switch {
			case key.column == c.info.name && key.folds:
				return matchNoCase
			case !c.info.lowers:
			case key.isCall("lower", c.info.name):
				return matchLower
			case key.isCall("upper", c.info.name):
				return matchUpper
			}
		}
	}
	if b.db.Dialect() == DialectSQLite && c.info.folds {
		return matchNoCase
	}
	return matchLower
}

// isCall reports whether an index key is a function of a column, whatever the
// database has put around it.
func (k *indexKey) isCall(function, column string) bool {
	return k.column == "" && bare(k.expr) == bare(function+column)
}

// bare is an expression without quotes, casts of texts, parentheses and spaces.
func bare(expr string) string {
	return noise.Replace(strings.ReplaceAll(strings.ToLower(expr), " ", ""))
}

var noise = strings.NewReplacer(`"`, "", "`", "", "[", "", "]", "", "::text", "", "::charactervarying", "", "(", "", ")", "")
