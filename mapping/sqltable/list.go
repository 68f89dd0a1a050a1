package sqltable

import (
	"context"
	"iter"
	"strconv"
	"time"

	"github.com/musterhq/muster/scim"
	"github.com/musterhq/muster/scim/filter"
	"github.com/musterhq/muster/scim/schema"
)

// List implements [scim.ResourceHandler]. Without a sort attribute the order is that
// of the key.
//
// Where SQL can say exactly what is asked, the database filters, sorts, counts and
// pages. Where it cannot, it narrows down, and the rest is found out row by row, in
// as much time as the context leaves.
func (h *Handler) List(ctx context.Context, req *scim.ListRequest) (page *scim.ListPage, err error) {
	b := h.b
	a, ok := b.access(req.Tenant, req.Scope)
	if !ok {
		return &scim.ListPage{Keyset: true}, nil
	}
	l := &listing{binding: b, ctx: ctx, access: a, ListRequest: req}
	err = b.db.Read(ctx, func(tx Tx) error {
		l.tx = tx
		exact, err := l.exact()
		switch {
		case err != nil:
		case exact:
			page, err = l.bySQL()
		case !req.Filter.UsesLinks():
			page, err = l.byMatching()
		}
		return err
	})
	if err == nil && page == nil {
		l.tx = nil
		page, err = l.byMatching()
	}
	return page, b.failure(err)
}

// listing is a list in the making.
type listing struct {
	*binding
	ctx context.Context
	// tx is nil while a filter asks for links: these are read from elsewhere or on
	// another connection, and a list that kept one of its own while it waits for another
	// would wait for itself when the pool has no more.
	tx Tx
	access
	*scim.ListRequest
	ascii map[*columnInfo]bool
}

// byMatching compares in process what SQL has narrowed down.
func (l *listing) byMatching() (*scim.ListPage, error) {
	if l.Sort.Path.IsZero() {
		return l.inOrder()
	}
	return scim.Page(l.ListRequest, l.candidates("", nil))
}

// some reads some candidates, in a transaction of their own where there is none.
func (l *listing) some(q *statement, terms []string, p part) (rows []*row, err error) {
	if l.tx != nil {
		return l.rows(l.ctx, l.tx, q, terms, p)
	}
	err = l.db.Read(l.ctx, func(tx Tx) error {
		rows, err = l.rows(l.ctx, tx, q, terms, p)
		return err
	})
	return rows, err
}

// exact reports whether SQL answers the request wholly. Texts of nothing but ASCII
// it can compare, so whether there are others is asked first, unless the filter looks
// a single name up, where the answer is small anyway.
func (l *listing) exact() (bool, error) {
	if l.isExact() {
		return true, nil
	}
	texts := l.texts()
	if texts == nil {
		return false, nil
	}
	l.ascii = texts
	if !l.isExact() { // it would not help
		l.ascii = nil
		return false, nil
	}
	for info := range texts {
		q := l.statement()
		terms := append(l.own(q, l.access), q.wide(column(info), info))
		found := false
		err := l.tx.Query(l.ctx, "SELECT 1 FROM "+quoted(l.table.Name)+" AS t WHERE "+all(terms)+" LIMIT 1", q.args, func([]any) error {
			found = true
			return nil
		})
		if err != nil || found {
			l.ascii = nil
			return false, err
		}
	}
	return true, nil
}

// isExact reports whether the request is exact by what is known of columns.
func (l *listing) isExact() bool {
	q := l.query()
	if _, ok := q.sortKey(l.Sort.Path); !ok {
		return false
	}
	return l.Filter.Root() == nil || q.where(l.Filter.Root(), true).exact
}

// query starts a statement.
func (l *listing) query() *statement {
	q := l.statement()
	q.ascii = l.ascii
	return q
}

// texts are the columns of texts that the request compares, nil when a single value
// is looked up.
func (l *listing) texts() map[*columnInfo]bool {
	texts := map[*columnInfo]bool{}
	add := func(p schema.Path) {
		if p.IsZero() {
			return
		}
		if c := l.cellOf(p); c != nil && c.info.kind == kindText {
			texts[c.info] = true
		}
	}
	for i := range l.uniques {
		if _, ok := l.Filter.Equal(l.uniques[i].path.String()); ok {
			return nil
		}
	}
	if l.Filter != nil {
		for n := range filter.Nodes(l.Filter.Root()) {
			if c, ok := n.(filter.Compare); ok {
				add(c.Path)
			}
		}
	}
	add(l.Sort.Path)
	return texts
}

// terms are the conditions of the list.
func (l *listing) terms(q *statement) []string {
	terms := l.visible(q, l.access)
	if root := l.Filter.Root(); root != nil {
		if c := q.where(root, true); c.sql != "true" {
			terms = append(terms, c.sql)
		}
	}
	return terms
}

// bySQL lets the database answer.
func (l *listing) bySQL() (*scim.ListPage, error) {
	page := &scim.ListPage{Keyset: true, Total: scim.UnknownTotal}
	if l.Limit > 0 {
		q := l.query()
		terms := l.terms(q)
		key, _ := q.sortKey(l.Sort.Path)
		if l.After != nil {
			behind, ok := key.behind(q, l.After, l.Sort.Descending)
			if !ok {
				behind = "false"
			}
			terms = append(terms, behind)
		}
		rows, err := l.rows(l.ctx, l.tx, q, terms, part{key.order(l.Sort.Descending), l.Limit, l.Offset})
		if err != nil {
			return nil, err
		}
		for _, r := range rows {
			res, err := l.resource(r)
			if err != nil {
				return nil, err
			}
			page.Resources = append(page.Resources, res)
		}
		if n := len(rows); l.After == nil && n < l.Limit && (n > 0 || l.Offset == 0) {
			page.Total = l.Offset + n
		}
	}
	if page.Total != scim.UnknownTotal || l.After != nil {
		return page, nil
	}
	var err error
	page.Total, err = l.total()
	return page, err
}

// total counts the matches. Of all rows that a connection may see, it is cheaper to
// count those of the tenant, and those of other connections, than to look each of them
// up in the side table.
func (l *listing) total() (int, error) {
	if l.Filter.Root() != nil || l.scope != "" && l.table.Unowned != Adoptable {
		q := l.query()
		return l.count(q, l.from(), l.terms(q))
	}
	q := l.query()
	n, err := l.count(q, quoted(l.table.Name)+" AS t", l.own(q, l.access))
	if err != nil || l.scope == "" {
		return n, err
	}
	q = l.query()
	others, err := l.count(q, l.from(), append(l.own(q, l.access), "s.connection <> ''", "s.connection <> "+q.arg(l.scope)))
	return n - others, err
}

func (l *listing) count(q *statement, from string, terms []string) (n int, err error) {
	err = l.tx.Query(l.ctx, "SELECT count(*) FROM "+from+" WHERE "+all(terms), q.args, func(v []any) error {
		n = int(intOf(v[0]))
		return nil
	})
	return n, err
}

// inOrder goes through the candidates in the order of the key.
func (l *listing) inOrder() (*scim.ListPage, error) {
	page := &scim.ListPage{Keyset: true}
	var after any
	if l.After != nil {
		key, ok := keyValue(l.key, l.After.ID)
		if !ok {
			return page, nil
		}
		after, page.Total = key, scim.UnknownTotal
	}
	order := " ASC"
	if l.Sort.Descending {
		order = " DESC"
	}
	matches := 0
	for res, err := range l.candidates(order, after) {
		if err != nil {
			return nil, err
		}
		if !l.Filter.Match(res, l.Links) {
			continue
		}
		matches++
		if matches > l.Offset && len(page.Resources) < l.Limit {
			page.Resources = append(page.Resources, res)
		}
		if l.After != nil && len(page.Resources) == l.Limit {
			return page, nil
		}
	}
	if l.After == nil {
		page.Total = matches
	}
	return page, nil
}

// candidates reads what SQL has narrowed down, in pieces, in the order of the key.
func (l *listing) candidates(order string, after any) iter.Seq2[*scim.Resource, error] {
	sign := " > "
	if order == " DESC" {
		sign = " < "
	}
	return func(yield func(*scim.Resource, error) bool) {
		for {
			q := l.query()
			terms := l.terms(q)
			if after != nil {
				terms = append(terms, column(l.key)+sign+q.arg(after))
			}
			rows, err := l.some(q, terms, part{order: column(l.key) + order, limit: chunk})
			if err != nil {
				yield(nil, err)
				return
			}
			for _, r := range rows {
				res, err := l.resource(r)
				if !yield(res, err) || err != nil {
					return
				}
			}
			if len(rows) < chunk {
				return
			}
			after = rows[len(rows)-1].key
		}
	}
}

// sortKey is what a list is ordered by.
type sortKey struct {
	// expr is the key, null when absent; "" to order by the resource's key alone.
	expr func() string
	// id is the resource's id as SCIM compares it.
	id string
	// operand is a key of package filter as the expression has it.
	operand func(key string) (any, bool)
	native  *columnInfo // of the key
}

// sortKey finds the expression whose order is that of filter.SortKey. ok is false
// when there is none.
func (q *statement) sortKey(p schema.Path) (k sortKey, ok bool) {
	b := q.b
	common := b.typ.Common()
	k.id, k.native = q.bytes(q.text(column(b.key), b.key)), b.key
	asText := func(key string) (any, bool) { return key, true }
	switch {
	case p.IsZero():
		return k, true
	case p == common.ID:
		k.expr, k.operand = func() string { return k.id }, asText
		return k, true
	case p == common.ExternalID && b.externalID:
		k.expr, k.operand = func() string { return q.bytes("s.external_id") }, asText
		return k, true
	case p == common.Created && b.created == nil:
		k.expr, k.operand = func() string { return "s.created" }, microsOf
		return k, true
	case p == common.LastModified && b.modified == nil:
		k.expr, k.operand = func() string { return "s.modified" }, microsOf
		return k, true
	}
	c := b.cellOf(p)
	if c == nil || !c.As.isZero() && c.As.isTrue == nil {
		return k, false
	}
	name := column(c.info)
	switch c.attr.Type {
	case schema.Boolean:
		k.expr = func() string {
			is := q.truth(c, name, filter.Compare{Path: p, Op: filter.Eq, Operand: filter.Operand{Bool: true}})
			if c.As.isTrue != nil {
				return "CASE WHEN " + is.sql + " THEN 1 ELSE 0 END"
			}
			return "CASE WHEN " + name + " IS NULL THEN NULL WHEN " + is.sql + " THEN 1 ELSE 0 END"
		}
		k.operand = func(key string) (any, bool) { i, err := strconv.ParseInt(key, 10, 64); return i, err == nil }
		return k, true
	case schema.DateTime:
		k.expr = func() string { return name }
		k.operand = func(key string) (any, bool) { t, err := time.Parse(time.RFC3339Nano, key); return t, err == nil }
		return k, b.db.Dialect() == DialectPostgres && c.info.declared != "date"
	case schema.Integer, schema.Decimal:
		return k, false
	}
	k.operand = asText
	switch {
	case c.info.kind != kindText || c.attr.CaseExact:
		k.expr = func() string { return "nullif(" + q.bytes(q.text(name, c.info)) + ", '')" }
		return k, true
	case q.ascii[c.info]:
		k.expr = func() string { return "nullif(" + q.lowered(q.text(name, c.info)) + ", '')" }
		return k, true
	}
	return k, false
}

// microsOf is the key of an instant as the side table has it.
func microsOf(key string) (any, bool) {
	t, err := time.Parse(time.RFC3339Nano, key)
	return t.UnixMicro(), err == nil
}

func (k *sortKey) order(descending bool) string {
	way := ""
	if descending {
		way = " DESC"
	}
	if k.expr == nil {
		return column(k.native) + way
	}
	e := k.expr()
	return "(" + e + ") IS NULL" + way + ", " + e + way + ", " + k.id + way
}

// behind is the condition of what lies behind a position. ok is false when nothing
// does.
func (k *sortKey) behind(q *statement, at *scim.Position, descending bool) (sql string, ok bool) {
	sign := " > "
	if descending {
		sign = " < "
	}
	if k.expr == nil {
		key, ok := keyValue(k.native, at.ID)
		return column(k.native) + sign + q.arg(key), ok
	}
	e := k.expr
	later := k.id + sign + q.arg(at.ID)
	if at.Absent {
		absent := "((" + e() + ") IS NULL AND " + later + ")"
		if descending {
			absent = "(" + absent + " OR (" + e() + ") IS NOT NULL)"
		}
		return absent, true
	}
	operand, ok := k.operand(at.Key)
	if !ok {
		return "", false
	}
	sql = "((" + e() + ")" + sign + q.arg(operand) + " OR ((" + e() + ") = " + q.arg(operand) + " AND " + later + ")"
	if !descending {
		sql += " OR (" + e() + ") IS NULL"
	}
	return sql + ")", true
}
