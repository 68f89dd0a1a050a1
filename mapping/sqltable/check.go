package sqltable

import (
	"fmt"
	"slices"
	"strings"

	"github.com/musterhq/muster/scim/schema"
)

// check looks whether a table fits its resource type, and binds the two.
type check struct {
	*binding
	found []finding
}

type finding struct {
	Finding
	fatal bool
}

func (c *check) fatal(fix, format string, args ...any) {
	c.found = append(c.found, finding{Finding{fmt.Sprintf(format, args...), fix}, true})
}

func (c *check) warn(fix, format string, args ...any) {
	c.found = append(c.found, finding{Finding{fmt.Sprintf(format, args...), fix}, false})
}

func (c *check) missing(info *tableInfo, column, path string) {
	c.fatal("", "table %s has no column %q for %s; its columns are %s", info.name, column, path, strings.Join(columnNames(info), ", "))
}

func (c *check) failed() bool {
	return slices.ContainsFunc(c.found, func(f finding) bool { return f.fatal })
}

func (c *check) sort() (fatal, warnings []Finding) {
	for _, f := range c.found {
		if f.fatal {
			fatal = append(fatal, f.Finding)
		} else {
			warnings = append(warnings, f.Finding)
		}
	}
	return fatal, warnings
}

func (c *check) run() {
	c.keyAndTenant()
	c.deletionColumn()
	c.columnsOf()
	c.findUniques()
	c.mustBeGiven(c.host, c.table.Insert, slices.Concat(names(c.cells), c.given()))
	c.mayBeRefused()
	c.sideTable()
}

// given are the columns that this package writes beside those of attributes.
func (c *check) given() []string {
	list := []string{c.table.Key, c.table.Tenant}
	for _, info := range []*columnInfo{c.created, c.modified, c.version} {
		if info != nil {
			list = append(list, info.name)
		}
	}
	return list
}

func (c *check) keyAndTenant() {
	b := c.binding
	b.key, b.tenant = b.host.column(b.table.Key), b.host.column(b.table.Tenant)
	usable := []kind{kindInteger, kindUUID, kindText}
	if !slices.Contains(usable, b.key.kind) {
		c.fatal("", "column %s is %s (%s); a key is an integer, a UUID or text", b.key.name, b.key.kind, b.key.declared)
	}
	if b.tenant != nil && !slices.Contains(usable, b.tenant.kind) {
		c.fatal("", "column %s is %s (%s); a tenant's column is an integer, a UUID or text", b.tenant.name, b.tenant.kind, b.tenant.declared)
	}
	if b.key.kind == kindInteger && !b.key.made {
		c.fatal("", "column %s (%s) is not given a value by the database: it needs to be a serial or identity column, or in SQLite an INTEGER PRIMARY KEY", b.key.name, b.key.declared)
	}
	if !b.keyAlone() && (b.tenant == nil || !hasUnique(b.host, b.key.name, b.tenant.name)) {
		c.fatal(c.index("UNIQUE INDEX", b.table.Name, b.key.name),
			"no unique index is on column %s, so that two resources could have one id", b.key.name)
	}
}

func (c *check) deletionColumn() {
	name := c.table.Delete.column
	if name == "" {
		c.deletable()
		return
	}
	info := c.host.column(name)
	switch {
	case info == nil:
		c.missing(c.host, name, "Table.Delete")
	case c.table.Delete.value == Now && info.kind != kindTime && !(info.kind == kindInteger && c.db.Dialect() == DialectSQLite):
		c.fatal("", "column %s is %s (%s), and Table.Delete writes a time into it", name, info.kind, info.declared)
	case c.table.Delete.value == nil:
		c.fatal("", "Table.Delete writes NULL into column %s, which tells no row from another", name)
	}
	c.deletion = info
}

// deletable looks for tables of the host whose foreign keys stand in the way of
// deleting a row. Those of this package's own are emptied first.
func (c *check) deletable() {
	emptied := func(table string) bool {
		last := func(name string) string { _, name = split(name); return name }
		return slices.ContainsFunc(c.table.Children, func(k Child) bool { return last(k.Name) == table }) ||
			slices.ContainsFunc(c.groups, func(g *Groups) bool { return last(g.members.Name) == table }) ||
			c.relation != nil && last(c.relation.Name) == table
	}
	holders := slices.DeleteFunc(slices.Clone(c.host.holders), emptied)
	if len(holders) > 0 {
		c.warn("", "foreign keys of %s lead to table %s and do not cascade: what they lead to cannot be deleted (409); Table.Delete can keep the row instead", strings.Join(holders, ", "), c.host.name)
	}
}

// findUniques finds the attributes that must be unique, and how they are looked up.
func (c *check) findUniques() {
	for _, p := range c.typ.Unique() {
		for i := range c.cells {
			cell := &c.cells[i]
			if cell.target.Attr != p || !cell.target.Element.IsZero() {
				continue
			}
			c.uniques = append(c.uniques, unique{path: p, cell: i, scope: p.Unique()})
			c.lookUp(p, cell)
		}
	}
}

// lookUp says what is wrong with the indexes of an attribute that is looked up.
func (c *check) lookUp(p schema.Path, cell *cell) {
	info := cell.info
	if info.kind != kindText {
		return
	}
	plain, folded, free := false, false, true
	for _, index := range c.host.indexes {
		if !index.unique {
			continue
		}
		about, ignoresCase, others := false, false, false
		for _, key := range index.keys {
			switch {
			case key.column == info.name:
				about, ignoresCase = true, key.folds || info.folds && c.db.Dialect() == DialectPostgres
			case key.isCall("lower", info.name), key.isCall("upper", info.name):
				about, ignoresCase = true, true
			case c.tenant != nil && key.column == c.tenant.name:
			default:
				others = true
			}
		}
		if about && !others {
			plain, folded = true, folded || ignoresCase
			if c.deletion != nil && !mentions(index.partial, c.deletion.name) {
				free = false
			}
		}
	}
	name := quoteOne(info.name)
	keys := []string{"lower(" + name + ")"}
	if c.tenant != nil {
		keys = []string{c.tenant.name, keys[0]}
	}
	partial := ""
	if c.deletion != nil && c.table.Delete.value == Now {
		partial = " WHERE " + quoteOne(c.deletion.name) + " IS NULL"
	}
	fix, plainFix := c.index("UNIQUE INDEX", c.table.Name, keys...)+partial, c.index("INDEX", c.table.Name, keys...)+partial
	unique := p.Unique() == schema.UniqueInTenant
	switch {
	case unique && !plain:
		c.fatal(fix, "no unique index is on column %s, so that two users could have one %s", info.name, p)
	case unique && !folded:
		c.warn(fix, "%s ignores case, and the unique index on column %s does not: every look-up reads the whole table, and the host itself could make two users whose %s differs in case alone", p, info.name, p)
	case !unique && !folded && !hasFoldedIndex(c.host, info.name):
		c.warn(plainFix, "no index on column %s ignores case: every look-up by %s reads the whole table", info.name, p)
	}
	if !free {
		c.warn(fix, "the unique index on column %s holds deleted rows too: the %s of somebody who was deleted cannot be given again (409)", info.name, p)
	}
	if !info.lowers {
		c.warn("", "under the collation of column %s, lower() does not do with ASCII letters what SCIM does: every look-up by %s reads the whole table; give the column another collation", info.name, p)
	}
}

// index is the statement that makes an index of columns, or of expressions in
// parentheses. SQLite wants a name for it.
func (c *check) index(what, table string, keys ...string) string {
	schema, name := split(table)
	on, list := quoted(table), make([]string, len(keys))
	for i, key := range keys {
		if list[i] = key; !strings.HasSuffix(key, ")") {
			list[i] = quoteOne(key)
		}
	}
	if c.db.Dialect() == DialectSQLite {
		index := strings.NewReplacer("(", "_", ")", "", `"`, "").Replace(name + "_" + strings.Join(keys, "_"))
		if index = quoteOne(index); schema != "" {
			index = quoteOne(schema) + "." + index
		}
		what, on = what+" "+index, quoteOne(name)
	}
	return "CREATE " + what + " ON " + on + " (" + strings.Join(list, ", ") + ")"
}

func hasFoldedIndex(info *tableInfo, column string) bool {
	return slices.ContainsFunc(info.indexes, func(i indexInfo) bool {
		return slices.ContainsFunc(i.keys, func(k indexKey) bool {
			return k.column == column && k.folds || k.isCall("lower", column) || k.isCall("upper", column)
		})
	})
}

// mustBeGiven finds columns that a new row needs and nobody gives.
func (c *check) mustBeGiven(info *tableInfo, insert map[string]any, given []string) {
	for name := range insert {
		if info.column(name) == nil {
			c.missing(info, name, "Insert")
		}
	}
	for i := range info.columns {
		column := &info.columns[i]
		if _, ok := insert[column.name]; ok || !column.required || column.made || column.generated || slices.Contains(given, column.name) {
			continue
		}
		c.fatal("",
			"column %s of table %s must not be null and has no default: map it, name it in Insert, or give it a default", column.name, info.name)
	}
}

// mayBeRefused finds attributes that a client may leave out and the table will not do
// without.
func (c *check) mayBeRefused() {
	for i := range c.cells {
		cell := &c.cells[i]
		_, err := cell.unassigned(c.db.Dialect(), true, c.table.Clock())
		if err != nil && !cell.attr.Required && !cell.ReadOnly && !cell.info.generated && cell.As.isTrue == nil && cell.attr.Name != "active" {
			c.warn("", "column %s must not be null: users without %s are refused (400); a Default in its Column helps, where one makes sense", cell.info.name, cell.path)
		}
	}
}

// sideTable looks for what Migrate makes.
func (c *check) sideTable() {
	statements := c.Statements()
	if c.side == nil {
		c.fatal(strings.Join(statements, "; "), "the side table %s does not exist: call Handler.Migrate, or run the statements of Handler.Statements", c.table.Side)
		return
	}
	for _, name := range append([]string{"id"}, strings.Split(sideColumns, ", ")...) {
		if c.side.column(name) == nil {
			c.fatal("", "table %s has no column %s: it is not a side table of this package; name another one in Table.Side", c.table.Side, name)
		}
	}
	if c.tenant != nil && c.side.column("tenant") == nil {
		c.fatal("", "table %s was made without a tenant column; name another one in Table.Side", c.table.Side)
	}
	if wide := c.wideIndex(); wide != "" &&
		!slices.ContainsFunc(c.host.indexes, func(i indexInfo) bool { return strings.Contains(i.partial, "[^ -~]") }) {
		c.warn(wide, "the index of names beyond ASCII is missing: look-ups read the whole table; Handler.Migrate makes it")
	}
}
