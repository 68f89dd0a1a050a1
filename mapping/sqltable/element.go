package sqltable

import (
	"slices"
	"strings"

	"github.com/musterhq/muster/scim/filter"
	"github.com/musterhq/muster/scim/schema"
)

// The elements of a multi-valued attribute are rows of a child table, or are made of
// columns with a fixed type, and of what the side document has beyond those.

// element names the element that the cell is a part of: cells with the same name
// share one.
func (c *cell) element() string {
	if c.target.Element.IsZero() {
		return ""
	}
	var terms []string
	for _, t := range c.target.Terms {
		terms = append(terms, t.Path.String()+"\x00"+t.Key)
	}
	slices.Sort(terms)
	return c.target.Element.String() + "\x01" + strings.Join(terms, "\x01")
}

// columned are the multi-valued attributes with elements in columns.
func (b *binding) columned() []schema.Path {
	var list []schema.Path
	for i := range b.cells {
		if p := b.cells[i].target.Element; !p.IsZero() && !slices.Contains(list, p) {
			list = append(list, p)
		}
	}
	return list
}

// any translates a value path. The value of a single-valued attribute counts as one
// element.
func (q *statement) any(n filter.Any, upper bool) cond {
	if n.Path.MultiValued() == n.Path {
		return q.settled(q.elements(n.Path, n.X, upper))
	}
	if upper {
		return q.settled(q.presentPath(n.Path, true))
	}
	return unlikely
}

// elements is the condition that one element of p satisfies x.
func (q *statement) elements(p schema.Path, x filter.Node, upper bool) cond {
	for i := range q.b.children {
		if k := &q.b.children[i]; k.path == p {
			return q.inChild(k, x, upper)
		}
	}
	if !upper {
		return unlikely
	}
	groups := map[string][]*cell{}
	var order []string
	for i := range q.b.cells {
		if c := &q.b.cells[i]; c.target.Element == p {
			name := c.element()
			if groups[name] == nil {
				order = append(order, name)
			}
			groups[name] = append(groups[name], c)
		}
	}
	if len(order) == 0 {
		return q.inDocument(p, true)
	}
	var terms []string
	for _, name := range order {
		e := &inColumns{q, groups[name]}
		c := e.where(x, true)
		if c.sql == "true" {
			c.sql = e.exists()
		}
		if c.sql != "false" {
			terms = append(terms, c.sql)
		}
	}
	terms = append(terms, q.contains("s.elsewhere", q.arg(","+p.String()+",")))
	return cond{"(" + strings.Join(terms, " OR ") + ")", false}
}

// inColumns is an element that columns make.
type inColumns struct {
	q     *statement
	cells []*cell
}

// exists is the condition that the element is there.
func (e *inColumns) exists() string {
	var terms []string
	for _, c := range e.cells {
		terms = append(terms, e.q.present(c, column(c.info)))
	}
	return "(" + strings.Join(terms, " OR ") + ")"
}

// where translates what is asked of the element.
func (e *inColumns) where(n filter.Node, upper bool) cond {
	switch n := n.(type) {
	case filter.And:
		return e.q.join(n.Nodes, false, func(n filter.Node) cond { return e.where(n, upper) })
	case filter.Or:
		return e.q.join(n.Nodes, true, func(n filter.Node) cond { return e.where(n, upper) })
	case filter.Const:
		return constant(bool(n))
	case filter.Compare:
		for _, c := range e.cells {
			if c.target.Attr == n.Path {
				return e.q.cell(c, column(c.info), n, upper)
			}
		}
		for _, t := range e.cells[0].target.Terms {
			if t.Path == n.Path && n.Op == filter.Eq {
				return cond{constant(t.Key == n.Key).sql, false}
			}
		}
	}
	return unknown(upper)
}

// inChild is the condition that a row of a child table satisfies x.
func (q *statement) inChild(k *child, x filter.Node, upper bool) cond {
	e := &inRow{q, k}
	c := e.where(x, upper)
	if c.sql == "false" {
		return c
	}
	return cond{"EXISTS (SELECT 1 FROM " + quoted(k.Name) + " AS c WHERE c." + quoteOne(k.Owner) + " = " + column(q.b.key) +
		" AND " + e.any() + " AND " + c.sql + ")", c.exact}
}

// inRow is an element that is a row of a child table.
type inRow struct {
	q *statement
	k *child
}

// any is the condition that the row makes an element at all.
func (e *inRow) any() string {
	var terms []string
	for i := range e.k.cells {
		terms = append(terms, e.q.present(&e.k.cells[i], e.column(i)))
	}
	return "(" + strings.Join(terms, " OR ") + ")"
}

func (e *inRow) column(i int) string { return "c." + quoteOne(e.k.cells[i].info.name) }

func (e *inRow) where(n filter.Node, upper bool) cond {
	q := e.q
	switch n := n.(type) {
	case filter.And:
		return e.q.join(n.Nodes, false, func(n filter.Node) cond { return e.where(n, upper) })
	case filter.Or:
		return e.q.join(n.Nodes, true, func(n filter.Node) cond { return e.where(n, upper) })
	case filter.Negate:
		return q.negate(n.X, upper, e.where)
	case filter.Const:
		return constant(bool(n))
	case filter.Compare:
		if i := slices.Index(e.k.subs, n.Path); i >= 0 {
			return q.settled(q.cell(&e.k.cells[i], e.column(i), n, upper))
		}
		return never
	case filter.Present:
		if n.Path == e.k.path {
			return unknown(upper) // empty parts do not count
		}
		if i := slices.Index(e.k.subs, n.Path); i >= 0 {
			if c := &e.k.cells[i]; c.As.isZero() || c.As.isTrue != nil {
				return q.settled(cond{q.present(c, e.column(i)), true})
			}
			return unknown(upper)
		}
		return never
	}
	return unknown(upper)
}
