package sqltable

import (
	"context"
	"strconv"
	"strings"

	"github.com/musterhq/muster/scim"
)

// statement is a statement in the making: its arguments. Values get into a statement
// as arguments alone, and names as identifiers of the host's declaration, so that no
// part of a request becomes part of its text.
type statement struct {
	b    *binding
	args []any
	// ascii are the columns that are known to hold nothing but printable ASCII, as far
	// as the statement can see.
	ascii map[*columnInfo]bool
	// negated says that the condition in the making stands below a NOT, where null is
	// not as good as false.
	negated bool
	// tenantKey is that of the rows that the statement is about.
	tenantKey any
}

func (b *binding) statement() *statement { return &statement{b: b} }

// arg adds an argument and returns what stands for it.
func (q *statement) arg(v any) string {
	q.args = append(q.args, v)
	if q.b.db.Dialect() == DialectPostgres {
		return "$" + strconv.Itoa(len(q.args))
	}
	return "?" + strconv.Itoa(len(q.args))
}

// access says whose rows a call is about.
type access struct {
	tenantKey any // the tenant as its column has it
	// scope is the connection that the call is confined to; "" for none.
	scope string
}

// access finds out whose rows a call is about. ok is false when no row can have
// that tenant.
func (b *binding) access(tenant, scope string) (a access, ok bool) {
	a.scope = scope
	if b.tenant == nil {
		return a, true
	}
	a.tenantKey, ok = keyValue(b.tenant, tenant)
	return a, ok
}

// column is a column of the host's row in a statement.
func column(info *columnInfo) string { return "t." + quoteOne(info.name) }

// from is the host's table with its side table.
func (b *binding) from() string {
	on := "s.id = " + column(b.key)
	if b.tenant != nil {
		on += " AND s.tenant = " + column(b.tenant)
	}
	return quoted(b.table.Name) + " AS t LEFT JOIN " + quoted(b.table.Side) + " AS s ON " + on
}

// own is the condition of all rows of the tenant that are users at all: not deleted,
// and with what the schema demands. It stands in every statement about rows.
func (b *binding) own(q *statement, a access) []string {
	var terms []string
	q.tenantKey = a.tenantKey
	if b.tenant != nil {
		terms = append(terms, column(b.tenant)+" = "+q.arg(a.tenantKey))
	}
	if b.deletion != nil {
		terms = append(terms, b.undeleted(q, "t."))
	}
	for i := range b.cells {
		if c := &b.cells[i]; c.attr.Required && c.target.Element.IsZero() && c.target.Attr.Parent().IsZero() {
			terms = append(terms, q.present(c, column(c.info)))
		}
	}
	return terms
}

// undeleted is the condition of a row that is not a deleted one.
func (b *binding) undeleted(q *statement, from string) string {
	d := from + quoteOne(b.deletion.name)
	if b.table.Delete.value == Now {
		return d + " IS NULL"
	}
	return "coalesce(" + d + " <> " + q.arg(encode(b.db.Dialect(), b.deletion, b.table.Delete.value, b.table.Clock())) + ", true)"
}

// visible is the condition of the rows that a call may see.
func (b *binding) visible(q *statement, a access) []string {
	terms := b.own(q, a)
	if a.scope != "" {
		terms = append(terms, b.belongs(q, a.scope))
	}
	return terms
}

// belongs is the condition of the rows that a connection owns or may take over.
func (b *binding) belongs(q *statement, connection string) string {
	if b.table.Unowned == Adoptable {
		return "(s.connection IS NULL OR s.connection = '' OR s.connection = " + q.arg(connection) + ")"
	}
	return "s.connection = " + q.arg(connection)
}

// read is the expression that reads a column: in a form that a Tx can hand out.
func (b *binding) read(info *columnInfo, from string) string {
	name := from + quoteOne(info.name)
	if b.db.Dialect() == DialectSQLite {
		return "+" + name // an expression, of which drivers have no ideas of their own
	}
	switch {
	case info.kind == kindText && (info.folds || len(info.labels) > 0), info.kind == kindUUID, info.kind == kindOther,
		info.kind == kindNumber:
		return name + "::text"
	}
	return name
}

// address is the expression for the place of a row of a child table, which does not
// change while the resource's row is locked.
func (b *binding) address() string {
	if b.db.Dialect() == DialectPostgres {
		return "c.ctid::text"
	}
	return "c.rowid"
}

// chunk bounds the rows that are read at once.
const chunk = 500

// part is which of the rows that meet a condition to read. The zero part is all of
// them, in any order.
type part struct {
	order         string
	limit, offset int
}

// rows reads rows with everything that belongs to them.
func (b *binding) rows(ctx context.Context, tx Tx, q *statement, terms []string, p part) ([]*row, error) {
	list := []string{b.read(b.key, "t.")}
	for i := range b.cells {
		list = append(list, b.read(b.cells[i].info, "t."))
	}
	for _, info := range []*columnInfo{b.created, b.modified, b.version} {
		if info != nil {
			list = append(list, b.read(info, "t."))
		}
	}
	list = append(list, "s.connection", "s.external_id", "s.version", "s.created", "s.modified", "s.document")
	text := "SELECT " + strings.Join(list, ", ") + " FROM " + b.from() + " WHERE " + all(terms)
	if p.order != "" {
		text += " ORDER BY " + p.order
	}
	if p.limit > 0 {
		text += " LIMIT " + q.arg(int64(p.limit)) + " OFFSET " + q.arg(int64(p.offset))
	}
	var rows []*row
	err := tx.Query(ctx, text, q.args, func(v []any) error {
		rows = append(rows, b.scan(v))
		return nil
	})
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	for i := range b.children {
		if err := b.readChildren(ctx, tx, i, rows); err != nil {
			return nil, err
		}
	}
	return rows, nil
}

// scan takes the values of a row.
func (b *binding) scan(v []any) *row {
	r := &row{key: plainValue(b.key.kind, v[0]), children: make([][]element, len(b.children))}
	v = v[1:]
	r.host, r.values = make([]any, len(b.cells)), make([]any, len(b.cells))
	for i := range b.cells {
		r.host[i] = kept(v[i])
		r.values[i] = b.cells[i].scimValue(v[i])
	}
	v = v[len(b.cells):]
	for _, at := range []struct {
		info *columnInfo
		to   *any
	}{{b.created, &r.created}, {b.modified, &r.modified}, {b.version, &r.version}} {
		if at.info == nil {
			continue
		}
		*at.to = plainValue(at.info.kind, kept(v[0]))
		if i, ok := (*at.to).(int64); ok && at.info != b.version {
			*at.to = plainValue(kindTime, i)
		}
		v = v[1:]
	}
	r.side = side{
		there: v[0] != nil, connection: textOf(v[0]), externalID: textOf(v[1]), version: intOf(v[2]),
		created: micros(v[3]), modified: micros(v[4]),
	}
	if doc := textOf(v[5]); doc != "" {
		r.side.document = []byte(doc)
	}
	return r
}

// kept is a value that outlives the row it was read from.
func kept(v any) any {
	if b, ok := v.([]byte); ok {
		return string(b)
	}
	return v
}

// all joins conditions that must all hold.
func all(terms []string) string {
	if len(terms) == 0 {
		return "true"
	}
	return strings.Join(terms, " AND ")
}

// resource makes the resource of a row.
func (b *binding) resource(r *row) (*scim.Resource, error) {
	res, err := b.mapping.Resource(r)
	if err != nil {
		return nil, err
	}
	return res.WithMeta(r.meta()), nil
}
