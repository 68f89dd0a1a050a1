package sqltable

import (
	"context"
	"regexp"
	"strconv"
	"strings"
)

func describeSQLite(ctx context.Context, tx Tx, table string) (*tableInfo, error) {
	schema, name := split(table)
	if schema == "" {
		schema = "main"
	}
	info := &tableInfo{name: table, constraints: map[string][]string{}}
	found := ""
	err := tx.Query(ctx, "SELECT type, sql FROM "+quoteOne(schema)+".sqlite_master WHERE name = ?1 COLLATE NOCASE AND type IN ('table', 'view')",
		[]any{name}, func(v []any) error {
			info.view, found = textOf(v[0]) == "view", textOf(v[1])
			return nil
		})
	if err != nil || found == "" {
		return nil, err
	}
	upper := strings.ToUpper(found)
	info.rows = !info.view && !strings.Contains(upper, "WITHOUT ROWID")
	collations := sqliteCollations(found)
	keys := 0
	err = tx.Query(ctx, `SELECT name, type, "notnull", dflt_value, pk, hidden FROM pragma_table_xinfo(?1, ?2) ORDER BY cid`, []any{name, schema},
		func(v []any) error {
			c := columnInfo{name: textOf(v[0]), declared: textOf(v[1]), required: boolOf(v[2]), made: v[3] != nil, lowers: true}
			c.kind, c.max = sqliteKind(c.declared)
			c.bits = 64
			if intOf(v[4]) > 0 {
				keys++
				c.made = c.made || strings.EqualFold(c.declared, "INTEGER")
				c.required = true
			}
			c.generated = intOf(v[5]) > 1
			if collation := collations[strings.ToLower(c.name)]; collation != "" && collation != "BINARY" {
				c.folds, c.loose = collation == "NOCASE", true
			}
			info.columns = append(info.columns, c)
			return nil
		})
	if err != nil {
		return nil, err
	}
	if keys > 1 || !info.rows { // then no integer is the row's number
		for i := range info.columns {
			if c := &info.columns[i]; c.kind == kindInteger && c.required {
				c.made = false
			}
		}
	}
	err = tx.Query(ctx, `SELECT DISTINCT m.name FROM `+quoteOne(schema)+`.sqlite_master AS m, pragma_foreign_key_list(m.name, ?2) AS f
		WHERE m.type = 'table' AND f."table" = ?1 COLLATE NOCASE AND f.on_delete IN ('NO ACTION', 'RESTRICT') ORDER BY m.name`, []any{name, schema},
		func(v []any) error {
			info.holders = append(info.holders, textOf(v[0]))
			return nil
		})
	if err != nil {
		return nil, err
	}
	return info, describeSQLiteIndexes(ctx, tx, schema, name, info)
}

func describeSQLiteIndexes(ctx context.Context, tx Tx, schema, table string, info *tableInfo) error {
	var expressions [][]string
	err := tx.Query(ctx, `SELECT l.name, l."unique", l.partial, coalesce(m.sql, '')
		FROM pragma_index_list(?1, ?2) AS l LEFT JOIN `+quoteOne(schema)+`.sqlite_master AS m ON m.type = 'index' AND m.name = l.name`,
		[]any{table, schema}, func(v []any) error {
			index := indexInfo{name: textOf(v[0]), unique: boolOf(v[1])}
			keys, where := sqliteIndexSQL(textOf(v[3]))
			if boolOf(v[2]) {
				index.partial = where
			}
			expressions = append(expressions, keys)
			info.indexes = append(info.indexes, index)
			return nil
		})
	if err != nil {
		return err
	}
	for i := range info.indexes {
		index := &info.indexes[i]
		err := tx.Query(ctx, `SELECT seqno, name, coll FROM pragma_index_xinfo(?1, ?2) WHERE "key" ORDER BY seqno`, []any{index.name, schema},
			func(v []any) error {
				key := indexKey{column: textOf(v[1]), folds: strings.EqualFold(textOf(v[2]), "NOCASE")}
				if n := int(intOf(v[0])); key.column == "" && n < len(expressions[i]) {
					key.expr = expressions[i][n]
				}
				index.keys = append(index.keys, key)
				info.constraints[index.name] = append(info.constraints[index.name], keyColumns(key, info)...)
				return nil
			})
		if err != nil {
			return err
		}
	}
	// What the table's own declaration calls its key has no index when it is the
	// row's number.
	return tx.Query(ctx, `SELECT name FROM pragma_table_info(?1, ?2) WHERE pk = 1 AND NOT EXISTS (
		SELECT 1 FROM pragma_index_list(?1, ?2) WHERE origin = 'pk') AND (SELECT count(*) FROM pragma_table_info(?1, ?2) WHERE pk > 0) = 1`,
		[]any{table, schema}, func(v []any) error {
			info.indexes = append(info.indexes, indexInfo{name: "the row's number", unique: true, keys: []indexKey{{column: textOf(v[0])}}})
			return nil
		})
}

// keyColumns are the columns that an index key is about.
func keyColumns(key indexKey, info *tableInfo) []string {
	if key.column != "" {
		return []string{key.column}
	}
	var names []string
	for _, c := range info.columns {
		if mentions(key.expr, c.name) {
			names = append(names, c.name)
		}
	}
	return names
}

// mentions reports whether an expression names a column.
func mentions(expr, column string) bool {
	return regexp.MustCompile(`(?i)(^|[^\w$])` + regexp.QuoteMeta(column) + `($|[^\w$])`).MatchString(expr)
}

// sqliteKind is what a column holds by its declared type. SQLite itself minds the
// declaration little; what hosts keep in a column follows it.
func sqliteKind(declared string) (k kind, characters int) {
	d := strings.ToUpper(declared)
	for _, rule := range []struct {
		words string
		kind  kind
	}{
		{"BOOL", kindBoolean}, {"DATE", kindTime}, {"TIME", kindTime}, {"UUID", kindText}, {"INT", kindInteger},
		{"CHAR", kindText}, {"CLOB", kindText}, {"TEXT", kindText},
		{"REAL", kindNumber}, {"FLOA", kindNumber}, {"DOUB", kindNumber}, {"NUMERIC", kindNumber}, {"DECIMAL", kindNumber},
	} {
		if strings.Contains(d, rule.words) {
			if rule.kind == kindText {
				if open, end := strings.IndexByte(d, '('), strings.IndexByte(d, ')'); open >= 0 && end > open {
					characters, _ = strconv.Atoi(strings.TrimSpace(d[open+1 : end]))
				}
			}
			return rule.kind, characters
		}
	}
	return kindOther, 0
}

// sqliteColumn finds the columns of a CREATE TABLE that name a collation, which no
// pragma tells. It does not parse the statement: a column begins behind a
// parenthesis or a comma and ends in front of the next.
var sqliteColumn = regexp.MustCompile(`(?is)[(,]\s*(?:"([^"]+)"|\[([^\]]+)\]|` + "`([^`]+)`" + `|(\w+))\s[^,]*?\bCOLLATE\s+["'` + "`" + `\[]?(\w+)`)

func sqliteCollations(create string) map[string]string {
	found := map[string]string{}
	for _, m := range sqliteColumn.FindAllStringSubmatch(create, -1) {
		found[strings.ToLower(m[1]+m[2]+m[3]+m[4])] = strings.ToUpper(m[5])
	}
	return found
}

// sqliteIndexSQL takes the keys and the condition out of a CREATE INDEX.
func sqliteIndexSQL(create string) (keys []string, where string) {
	_, rest, ok := strings.Cut(create, "(")
	if !ok {
		return nil, ""
	}
	depth, from := 0, 0
	for i := range len(rest) {
		switch c := rest[i]; {
		case c == '(':
			depth++
		case c == ',' && depth == 0:
			keys = append(keys, strings.TrimSpace(rest[from:i]))
			from = i + 1
		case c == ')' && depth == 0:
			keys = append(keys, strings.TrimSpace(rest[from:i]))
			if _, after, ok := cutFold(rest[i+1:], "where"); ok {
				where = strings.TrimSpace(after)
			}
			return keys, where
		case c == ')':
			depth--
		}
	}
	return keys, ""
}

// cutFold is strings.Cut without regard to the case of ASCII letters.
func cutFold(s, sep string) (before, after string, found bool) {
	if i := strings.Index(strings.ToLower(s), sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return s, "", false
}
