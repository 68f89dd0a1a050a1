package sqltable

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/musterhq/muster/mapping"
	"github.com/musterhq/muster/scim"
	"github.com/musterhq/muster/scim/schema"
)

// binding is a table together with the resource type that it serves: all that a
// request needs. It is immutable.
type binding struct {
	*Handler
	typ      *scim.Type
	mapping  *mapping.Mapping[row]
	cells    []cell
	children []child

	key, tenant                *columnInfo // tenant nil: there is a single one
	created, modified, version *columnInfo // nil: the table has none
	deletion                   *columnInfo // nil: rows are removed
	externalID                 bool        // the side table keeps it
	uniques                    []unique
	relation                   *relation // nil: the server's store keeps relations
}

// unique is an attribute whose value is kept unique.
type unique struct {
	path  schema.Path
	cell  int
	scope schema.UniqueScope
}

// child is a child table together with its attribute.
type child struct {
	Child
	path  schema.Path
	info  *tableInfo
	owner *columnInfo
	subs  []schema.Path // of the cells
	cells []cell
}

// Bind implements [scim.Binder]: it looks whether the table fits the type. The
// error lists everything that does not, each with what would put it right.
func (h *Handler) Bind(t *scim.Type) error {
	return h.bind(&check{binding: &binding{Handler: h, typ: t}})
}

func (h *Handler) bind(c *check) error {
	c.run()
	fatal, warnings := c.sort()
	h.warnings = warnings
	if len(fatal) > 0 {
		errs := make([]error, len(fatal))
		for i := range fatal {
			errs[i] = &fatal[i]
		}
		return fmt.Errorf("table %s cannot serve resource type %s: %w", h.table.Name, c.typ.Name(), errors.Join(errs...))
	}
	h.b = c.binding
	return nil
}

// columnsOf resolves what the table declares.
func (c *check) columnsOf() {
	b := c.binding
	var fields []mapping.Field[row]
	for _, path := range slices.Sorted(maps.Keys(b.table.Columns)) {
		column := b.table.Columns[path]
		info := b.host.column(column.Name)
		if info == nil {
			c.missing(b.host, column.Name, path)
			continue
		}
		if strings.HasPrefix(strings.ToLower(path), "meta.") {
			c.meta(path, info)
			continue
		}
		target, err := mapping.ParsePath(b.typ, path)
		if err != nil {
			c.fatal("", "%s: %v", path, err)
			continue
		}
		if !c.fits(path, target.Attr, column, info) {
			continue
		}
		made := cell{Column: column, path: path, target: target, attr: target.Attr.Attribute(), info: info}
		made.unique = slices.ContainsFunc(b.host.indexes, func(i indexInfo) bool {
			return i.unique && slices.ContainsFunc(i.keys, func(k indexKey) bool { return slices.Contains(keyColumns(k, b.host), info.name) })
		})
		for i := range b.cells {
			if other := &b.cells[i]; other.info == info && !other.ReadOnly && !column.ReadOnly {
				c.fatal("", "column %s is given to both %s and %s, which clients may set to different values: make one of them ReadOnly", info.name, other.path, path)
			}
		}
		b.cells = append(b.cells, made)
		if b.typ.Common().ExternalID == target.Attr {
			b.externalID = true
		}
	}
	b.externalID = !b.externalID
	for i := range b.table.Children {
		c.child(&b.table.Children[i])
	}
	for i := range b.cells {
		fields = append(fields, fieldOf(&b.cells[i], i))
	}
	for i := range b.children {
		fields = append(fields, b.children[i].elements(i))
	}
	if b.externalID {
		fields = append(fields, externalID())
	}
	fields = append(fields, mapping.Side(func(r *row) *[]byte { return &r.side.document }))
	if c.failed() {
		return // what is missing would be told twice
	}
	m, err := mapping.Of(b.typ, fields...)
	if err != nil {
		c.fatal("", "%v", err)
	}
	b.mapping = m
}

// meta takes a column of the metadata.
func (c *check) meta(path string, info *columnInfo) {
	b := c.binding
	isTime := info.kind == kindTime || b.db.Dialect() == DialectSQLite && info.kind == kindInteger
	switch p, _ := b.typ.Resolve(path); p {
	case b.typ.Common().Created:
		b.created = info
	case b.typ.Common().LastModified:
		b.modified = info
	case b.typ.Common().Version:
		b.version, isTime = info, true
		if info.kind != kindInteger {
			c.fatal("", "%s: column %s is %s (%s); a version is an integer that goes up by one; leave it out to do without", path, info.name, info.kind, info.declared)
		}
	default:
		c.fatal("", "%s: of the metadata only meta.created, meta.lastModified and meta.version have columns", path)
		return
	}
	if !isTime {
		c.fatal("", "%s: column %s is %s (%s) and not a time", path, info.name, info.kind, info.declared)
	}
}

// fits reports whether a column can hold an attribute.
func (c *check) fits(path string, p schema.Path, column Column, info *columnInfo) bool {
	a := p.Attribute()
	switch {
	case a.Type == schema.Complex && p.MultiValued() == p:
		c.fatal("", "%s has several values, each with parts: name one element, such as %s[type eq 'work'].value, or declare a child table", path, path)
		return false
	case a.Type == schema.Complex:
		c.fatal("", "%s has parts: give each of them a column, such as %s.%s", path, path, p.Child(0).Name())
		return false
	case a.MultiValued:
		c.fatal("", "%s has several values: declare a child table", path)
		return false
	case a.Type == schema.Binary:
		c.fatal("", "%s is binary, which cannot have a column; without one it is kept in the side table", path)
		return false
	}
	kinds := column.As.kinds
	if column.As.isZero() {
		switch a.Type {
		case schema.Boolean:
			kinds = []kind{kindBoolean, kindInteger}
		case schema.Integer:
			kinds = []kind{kindInteger}
		case schema.Decimal:
			kinds = []kind{kindNumber, kindInteger}
		case schema.DateTime:
			kinds = []kind{kindTime}
			if c.db.Dialect() == DialectSQLite {
				kinds = append(kinds, kindInteger)
			}
		default:
			kinds = []kind{kindText, kindInteger, kindUUID}
		}
	} else if (column.As.isTrue != nil) != (a.Type == schema.Boolean) {
		c.fatal("", "%s: the conversion of column %s is not one for %s", path, info.name, a.Type)
		return false
	}
	if !slices.Contains(kinds, info.kind) {
		c.fatal("", "%s is %s, and column %s is %s (%s): a conversion (Column.As) or another column is needed", path, a.Type, info.name, info.kind, info.declared)
		return false
	}
	return true
}

// child takes a child table.
func (c *check) child(declared *Child) {
	b := c.binding
	p, err := b.typ.Resolve(declared.Attr)
	switch {
	case err != nil:
		c.fatal("", "child table %s: %v", declared.Name, err)
		return
	case p.MultiValued() != p || !p.InDocument() || p.Attribute().Type != schema.Complex:
		c.fatal("", "child table %s: %s is no attribute with several values that have parts", declared.Name, declared.Attr)
		return
	}
	info := b.about[declared.Name]
	if info == nil {
		c.fatal("", "child table %s of %s does not exist", declared.Name, declared.Attr)
		return
	}
	k := child{Child: *declared, path: p, info: info, owner: info.column(declared.Owner)}
	if k.owner == nil {
		c.missing(info, declared.Owner, declared.Attr)
	}
	if !info.rows {
		c.fatal("", "child table %s: its rows have no address of their own; a plain table is needed, with rowids in SQLite, not partitioned in PostgreSQL", declared.Name)
	}
	for _, name := range slices.Sorted(maps.Keys(declared.Columns)) {
		column := declared.Columns[name]
		sub, ok := p.Lookup(name)
		path := declared.Attr + "." + name
		if !ok {
			c.fatal("", "child table %s: %s has no sub-attribute %q", declared.Name, declared.Attr, name)
			continue
		}
		at := info.column(column.Name)
		if at == nil {
			c.missing(info, column.Name, path)
			continue
		}
		if c.fits(path, sub, column, at) {
			k.cells = append(k.cells, cell{Column: column, path: path, target: mapping.Target{Attr: sub}, attr: sub.Attribute(), info: at})
			k.subs = append(k.subs, sub)
		}
	}
	if len(k.cells) == 0 {
		c.fatal("", "child table %s: no column is declared", declared.Name)
	}
	c.mustBeGiven(info, declared.Insert, append(names(k.cells), declared.Owner))
	if k.owner != nil && !hasIndexOn(info, declared.Owner) {
		c.warn(c.index("INDEX", info.name, declared.Owner),
			"child table %s has no index that begins with %s: every read of a resource looks at all of its rows", declared.Name, declared.Owner)
	}
	b.children = append(b.children, k)
}

func names(cells []cell) []string {
	var list []string
	for i := range cells {
		list = append(list, cells[i].info.name)
	}
	return list
}

func hasIndexOn(info *tableInfo, column string) bool {
	return slices.ContainsFunc(info.indexes, func(i indexInfo) bool {
		return i.partial == "" && len(i.keys) > 0 && i.keys[0].column == column
	})
}
