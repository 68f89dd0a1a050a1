package sqltable

import (
	"context"
	"strings"
	"time"
)

// The side table has a row for each resource that a connection has created or taken
// over, with what the host's table has no column for. It goes when the host's row
// goes, whoever deletes that: the database sees to it. A key that is given to
// somebody else must not come with the rights of the one who had it before.

// sideColumns are the columns of the side table behind its key.
const sideColumns = "connection, external_id, version, created, modified, elsewhere, document"

// Statements returns the SQL that makes the side table and its indexes, for hosts
// that keep their schema with a tool of their own. They do nothing where the things
// are there already. A Handler whose side table is missing does not start.
func (h *Handler) Statements() []string {
	name := func(suffix string) string {
		_, side := split(h.table.Side)
		return quoteOne(side + suffix)
	}
	key, tenant := h.host.column(h.table.Key), h.host.column(h.table.Tenant)
	text := "text"
	if h.db.Dialect() == DialectPostgres {
		text = `text COLLATE "C"`
	}
	var columns, primary, others []string
	if tenant != nil {
		columns = append(columns, "tenant "+sideType(tenant)+" NOT NULL")
		primary, others = append(primary, "tenant"), append(others, quoteOne(tenant.name))
	}
	columns = append(columns, "id "+sideType(key)+" NOT NULL")
	primary, others = append(primary, "id"), append(others, quoteOne(key.name))
	columns = append(columns, "connection "+text+" NOT NULL", "external_id "+text, "version bigint NOT NULL",
		"created bigint NOT NULL", "modified bigint NOT NULL", "elsewhere text NOT NULL", "document text",
		"PRIMARY KEY ("+strings.Join(primary, ", ")+")")
	if h.db.Dialect() == DialectPostgres {
		if h.keyAlone() {
			columns = append(columns, "FOREIGN KEY (id) REFERENCES "+quoted(h.table.Name)+" ("+quoteOne(key.name)+") ON DELETE CASCADE")
		} else {
			columns = append(columns, "FOREIGN KEY ("+strings.Join(primary, ", ")+") REFERENCES "+quoted(h.table.Name)+" ("+strings.Join(others, ", ")+") ON DELETE CASCADE")
		}
	}
	index := "external_id"
	if tenant != nil {
		index = "tenant, external_id"
	}
	statements := []string{
		"CREATE TABLE IF NOT EXISTS " + quoted(h.table.Side) + " (\n\t" + strings.Join(columns, ",\n\t") + "\n)",
		"CREATE INDEX IF NOT EXISTS " + h.indexName("_external") + " ON " + h.indexed(h.table.Side) + " (" + index + ") WHERE external_id IS NOT NULL",
	}
	if h.db.Dialect() == DialectSQLite {
		// A foreign key would ask the host to switch them on, for every connection.
		same := `id = OLD.` + quoteOne(key.name)
		if tenant != nil {
			same += " AND tenant = OLD." + quoteOne(tenant.name)
		}
		schema, _ := split(h.table.Side)
		trigger := name("_follow")
		if schema != "" {
			trigger = quoteOne(schema) + "." + trigger
		}
		_, host := split(h.table.Name)
		_, side := split(h.table.Side)
		statements = append(statements, "CREATE TRIGGER IF NOT EXISTS "+trigger+" AFTER DELETE ON "+quoteOne(host)+
			" BEGIN DELETE FROM "+quoteOne(side)+" WHERE "+same+"; END")
	}
	if wide := h.wideIndex(); wide != "" {
		statements = append(statements, wide)
	}
	return statements
}

// wideIndex is the statement that makes the index of the few rows whose name SQL
// cannot compare as SCIM does, see where.go; "" when no name has a column.
func (h *Handler) wideIndex() string {
	for _, attr := range []string{"userName", "displayName"} {
		for path, column := range h.table.Columns {
			if strings.EqualFold(path, attr) {
				info := h.host.column(column.Name)
				if info == nil || info.kind != kindText {
					return ""
				}
				leading := quoteOne(h.table.Key)
				if h.table.Tenant != "" {
					leading = quoteOne(h.table.Tenant)
				}
				return "CREATE INDEX IF NOT EXISTS " + h.indexName("_wide") + " ON " + h.indexed(h.table.Name) +
					" (" + leading + ") WHERE " + wide(h.db.Dialect(), quoteOne(info.name), info)
			}
		}
	}
	return ""
}

// indexName is the name of an index of ours. In SQLite the schema stands in front of
// it, in PostgreSQL in front of the table.
func (h *Handler) indexName(suffix string) string {
	schema, side := split(h.table.Side)
	if schema != "" && h.db.Dialect() == DialectSQLite {
		return quoteOne(schema) + "." + quoteOne(side+suffix)
	}
	return quoteOne(side + suffix)
}

func (h *Handler) indexed(table string) string {
	if h.db.Dialect() == DialectSQLite {
		_, name := split(table)
		return quoteOne(name)
	}
	return quoted(table)
}

// sideType is the type in which the side table keeps a column of the host's.
func sideType(c *columnInfo) string {
	declared := c.declared
	if c.kind == kindInteger && declared == "" {
		declared = "integer"
	}
	if c.loose && !c.folds {
		return "text"
	}
	return declared
}

// keyAlone reports whether the key is unique by itself, and not within a tenant
// only.
func (h *Handler) keyAlone() bool { return hasUnique(h.host, h.table.Key) }

// hasUnique reports whether a unique index of all rows is on exactly these columns.
func hasUnique(info *tableInfo, columns ...string) bool {
	for _, index := range info.indexes {
		if !index.unique || index.partial != "" || len(index.keys) != len(columns) {
			continue
		}
		found := 0
		for _, column := range columns {
			for _, key := range index.keys {
				if key.column == column {
					found++
					break
				}
			}
		}
		if found == len(columns) {
			return true
		}
	}
	return false
}

// keep writes the side row of r.
func (b *binding) keep(ctx context.Context, tx Tx, tenant any, r *row) error {
	q := b.statement()
	columns, values := "id, ", q.arg(r.key)
	conflict := "id"
	if b.tenant != nil {
		columns, values, conflict = "tenant, id, ", q.arg(tenant)+", "+values, "tenant, id"
	}
	s := &r.side
	var external, document any
	if s.externalID != "" {
		external = s.externalID
	}
	if len(s.document) > 0 {
		document = string(s.document)
	}
	elsewhere, err := b.elsewhere(r)
	if err != nil {
		return err
	}
	for _, v := range []any{s.connection, external, s.version, s.created.UnixMicro(), s.modified.UnixMicro(), elsewhere, document} {
		values += ", " + q.arg(v)
	}
	_, err = tx.Exec(ctx, "INSERT INTO "+quoted(b.table.Side)+" ("+columns+sideColumns+") VALUES ("+values+
		") ON CONFLICT ("+conflict+") DO UPDATE SET connection = excluded.connection, external_id = excluded.external_id, version = excluded.version,"+
		" created = excluded.created, modified = excluded.modified, elsewhere = excluded.elsewhere, document = excluded.document", q.args)
	return err
}

// elsewhere names the multi-valued attributes of which the side document has
// elements beyond those that columns make, between commas: a filter looks for values
// there only then.
func (b *binding) elsewhere(r *row) (string, error) {
	if len(r.side.document) == 0 {
		return "", nil
	}
	res, err := b.mapping.Resource(r)
	if err != nil {
		return "", err
	}
	list := ""
	for _, p := range b.columned() {
		made := map[string]bool{}
		for i := range b.cells {
			if c := &b.cells[i]; c.target.Element == p && r.values[i] != nil {
				made[c.element()] = true
			}
		}
		if res.Get(p).Len() > len(made) {
			list += "," + p.String()
		}
	}
	if list != "" {
		list += ","
	}
	return list, nil
}

// forget removes the side row of r.
func (b *binding) forget(ctx context.Context, tx Tx, tenant any, r *row) error {
	q := b.statement()
	where := "id = " + q.arg(r.key)
	if b.tenant != nil {
		where += " AND tenant = " + q.arg(tenant)
	}
	_, err := tx.Exec(ctx, "DELETE FROM "+quoted(b.table.Side)+" WHERE "+where, q.args)
	return err
}

// micros is the time of a column of the side table.
func micros(v any) time.Time {
	if v == nil {
		return time.Time{}
	}
	return time.UnixMicro(intOf(v)).UTC()
}
