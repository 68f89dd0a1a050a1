package sqltable

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/musterhq/muster/scim"
	"github.com/musterhq/muster/scim/filter"
	"github.com/musterhq/muster/scim/resource"
	"github.com/musterhq/muster/scim/schema"
)

// readChildren reads the rows of a child table that belong to rows.
func (b *binding) readChildren(ctx context.Context, tx Tx, i int, rows []*row) error {
	k := &b.children[i]
	byKey := make(map[string]*row, len(rows))
	keys := make([]any, len(rows))
	for j, r := range rows {
		byKey[keyText(r.key)], keys[j] = r, r.key
	}
	q := b.statement()
	list := []string{b.read(k.owner, "c."), b.address()}
	for j := range k.cells {
		list = append(list, b.read(k.cells[j].info, "c."))
	}
	text := "SELECT " + strings.Join(list, ", ") + " FROM " + quoted(k.Name) + " AS c WHERE c." + quoteOne(k.Owner) +
		" IN (" + q.list(keys) + ") ORDER BY c." + quoteOne(k.Owner) + ", " + strings.TrimSuffix(b.address(), "::text")
	return tx.Query(ctx, text, q.args, func(v []any) error {
		r := byKey[keyText(plainValue(k.owner.kind, v[0]))]
		if r == nil {
			return nil
		}
		e := element{at: kept(v[1]), host: make([]any, len(k.cells)), values: make([]any, len(k.cells))}
		for j := range k.cells {
			e.host[j], e.values[j] = kept(v[2+j]), k.cells[j].scimValue(v[2+j])
		}
		r.children[i] = append(r.children[i], e)
		return nil
	})
}

// value is the attribute that rows of the child table make.
func (k *child) value(list []element) scim.Value {
	values := make([]scim.Value, 0, len(list))
	for i := range list {
		parts := make([]scim.Value, 0, len(k.subs))
		for j, v := range list[i].values {
			parts = append(parts, valueOf(k.subs[j], v))
		}
		values = append(values, resource.Object(k.path, parts...))
	}
	return resource.Array(k.path, values...)
}

// valueOf is a value of a cell as one of an attribute.
func valueOf(p schema.Path, v any) scim.Value {
	switch v := v.(type) {
	case string:
		return resource.Text(p, v)
	case bool:
		return resource.Boolean(p, v)
	case int64:
		return resource.Integer(p, v)
	case float64:
		return resource.Decimal(p, v)
	case time.Time:
		return resource.DateTime(p, v)
	}
	return scim.Value{}
}

// list are the rows that an attribute becomes.
func (k *child) list(v scim.Value) []element {
	var list []element
	for e := range v.Elements() {
		made := element{values: make([]any, len(k.subs))}
		for j, sub := range k.subs {
			made.values[j] = cellOf(e.Get(sub))
		}
		if slices.ContainsFunc(made.values, func(v any) bool { return v != nil }) {
			list = append(list, made)
		}
	}
	return list
}

// cellOf is a value of an attribute as a cell has it.
func cellOf(v scim.Value) any {
	switch v.Kind() {
	case resource.KindText:
		if t, ok := v.Time(); ok && v.Path().Attribute().Type == schema.DateTime {
			return t
		}
		if text := v.Text(); text != "" {
			return text
		}
	case resource.KindBool:
		return v.Bool()
	case resource.KindNumber:
		if i, ok := v.Int(); ok && v.Path().Attribute().Type == schema.Integer {
			return i
		}
		if f, ok := v.Float(); ok {
			return f
		}
	}
	return nil
}

// sameElements reports whether two lists of elements say the same in the same order.
func sameElements(a, b []element) bool {
	return slices.EqualFunc(a, b, func(a, b element) bool { return slices.EqualFunc(a.values, b.values, same) })
}

// writeChildren makes the rows of a child table those of next: what is the same stays
// as it is, the others that are left over on both sides are paired and updated, and
// what then remains is deleted or inserted. It reports whether anything was written.
func (w *write) writeChildren(i int, owner any, cur, next []element) (wrote bool, err error) {
	k := &w.binding.children[i]
	cur = slices.Clone(cur)
	var added []element
	for _, e := range next {
		if at := slices.IndexFunc(cur, func(o element) bool { return slices.EqualFunc(o.values, e.values, same) }); at >= 0 {
			cur = slices.Delete(cur, at, at+1)
		} else {
			added = append(added, e)
		}
	}
	// A row that keeps its value, or else its type, is the same one to the host.
	pairs := make([]int, len(cur)) // indexes into added, -1 without
	for j := range pairs {
		pairs[j] = -1
	}
	for _, name := range []string{"value", "type"} {
		sub := slices.IndexFunc(k.subs, func(p schema.Path) bool { return p.Name() == name })
		if sub < 0 {
			continue
		}
		for j := range cur {
			if pairs[j] >= 0 {
				continue
			}
			pairs[j] = slices.IndexFunc(added, func(e element) bool {
				return cur[j].values[sub] != nil && same(cur[j].values[sub], e.values[sub])
			})
			if n := pairs[j]; n >= 0 && slices.Index(pairs, n) != j {
				pairs[j] = -1
			}
		}
	}
	for j, o := range cur {
		if pairs[j] >= 0 {
			continue
		}
		q := w.statement()
		if err := w.execOne("DELETE FROM "+quoted(k.Name)+" AS c WHERE "+w.place(q, k, owner, o.at), q); err != nil {
			return false, err
		}
		wrote = true
	}
	for j, o := range cur {
		if pairs[j] < 0 {
			continue
		}
		updated, err := w.updateChild(k, owner, o, added[pairs[j]])
		if err != nil {
			return false, err
		}
		wrote = wrote || updated
	}
	for n, e := range added {
		if slices.Contains(pairs, n) {
			continue
		}
		if err := w.insertChild(k, owner, e); err != nil {
			return false, err
		}
		wrote = true
	}
	return wrote, nil
}

// place is the condition of a row of a child table.
func (w *write) place(q *statement, k *child, owner, at any) string {
	where := "c." + quoteOne(k.Owner) + " = " + q.arg(owner)
	if w.db.Dialect() == DialectPostgres {
		return where + " AND c.ctid = " + q.arg(at) + "::text::tid"
	}
	return where + " AND c.rowid = " + q.arg(at)
}

func (w *write) exec(text string, q *statement) error {
	_, err := w.tx.Exec(w.ctx, text, q.args)
	return err
}

// execOne runs a statement about a row that was read in the same transaction. The lock
// is on the row that it belongs to: if the host has changed or moved it meanwhile, it
// has to be read again.
func (w *write) execOne(text string, q *statement) error {
	n, err := w.tx.Exec(w.ctx, text, q.args)
	if err == nil && n == 0 {
		return scim.ErrConflict
	}
	return err
}

// updateChild writes the columns that differ, and reports whether there are any.
func (w *write) updateChild(k *child, owner any, o, e element) (bool, error) {
	q := w.statement()
	var set []string
	err := w.each(k.cells, o.values, e.values, o.host, func(c *cell, v any) { set = append(set, quoteOne(c.info.name)+" = "+q.arg(v)) })
	if err != nil || len(set) == 0 {
		return false, err
	}
	return true, w.execOne("UPDATE "+quoted(k.Name)+" AS c SET "+strings.Join(set, ", ")+" WHERE "+w.place(q, k, owner, o.at), q)
}

func (w *write) insertChild(k *child, owner any, e element) error {
	columns := map[string]any{k.Owner: owner}
	for name, v := range k.Insert {
		columns[name] = w.literal(k.info, name, v)
	}
	if err := w.each(k.cells, nil, e.values, nil, func(c *cell, v any) { columns[c.info.name] = v }); err != nil {
		return err
	}
	q := w.statement()
	return w.exec("INSERT INTO "+quoted(k.Name)+insertion(q, columns), q)
}

// equals is the comparison of an attribute with a key.
func equals(p schema.Path, key string) filter.Compare {
	return filter.Compare{Path: p, Op: filter.Eq, Operand: filter.Operand{Text: key, Key: key}}
}

// timeOf is a value as a time.
func timeOf(v any) (time.Time, bool) {
	t, ok := v.(time.Time)
	return t, ok
}
