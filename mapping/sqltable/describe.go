package sqltable

import (
	"context"
	"slices"
	"strings"
)

// kind is what a column holds, as far as this package minds.
type kind uint8

const (
	kindOther kind = iota // read as text, and not compared by the database
	kindText
	kindInteger
	kindNumber
	kindBoolean
	kindTime
	kindUUID
)

// String names the kind for people.
func (k kind) String() string {
	return [...]string{"of another kind", "text", "an integer", "a number", "a boolean", "a time", "a UUID"}[k]
}

// columnInfo describes a column as the database has it.
type columnInfo struct {
	name     string
	declared string // the type in the database's words
	kind     kind
	bits     int // of an integer: 16, 32 or 64
	max      int // characters of a text; 0: no bound
	required bool
	// made says that the database gives a value when none is written.
	made      bool
	generated bool // cannot be written
	// folds says that the database compares the column without regard to case.
	folds bool
	// loose says that its "=" may hold for texts that differ, in case for instance.
	loose  bool
	lowers bool     // lower() maps A to Z as ASCII does, and upper() back
	labels []string // of an enumeration
}

// indexInfo describes an index.
type indexInfo struct {
	name   string
	unique bool
	// partial is the condition that rows must meet to be in it; "" for all rows.
	partial string
	keys    []indexKey
}

// indexKey is one key of an index: a column, or an expression.
type indexKey struct {
	column string // "" for an expression
	expr   string // of an expression, in the database's words
	folds  bool   // compares without regard to case
}

// tableInfo describes a table.
type tableInfo struct {
	name    string
	view    bool
	rows    bool // has an address for each row (SQLite's rowid, PostgreSQL's ctid)
	columns []columnInfo
	indexes []indexInfo
	// holders are the tables whose rows keep a row of this one from being deleted.
	holders []string
	// constraints are the columns that named constraints and indexes are about.
	constraints map[string][]string
}

func (t *tableInfo) column(name string) *columnInfo {
	i := slices.IndexFunc(t.columns, func(c columnInfo) bool { return c.name == name })
	if i < 0 {
		return nil
	}
	return &t.columns[i]
}

// describe asks the database about a table; nil when there is none of that name.
func describe(ctx context.Context, db Database, table string) (info *tableInfo, err error) {
	err = db.Read(ctx, func(tx Tx) (err error) {
		if db.Dialect() == DialectPostgres {
			info, err = describePostgres(ctx, tx, table)
		} else {
			info, err = describeSQLite(ctx, tx, table)
		}
		return err
	})
	return info, err
}

// split divides a table's name at the dot behind its schema.
func split(table string) (schema, name string) {
	if schema, name, ok := strings.Cut(table, "."); ok {
		return schema, name
	}
	return "", table
}

// quoted is a name, or one behind its schema, as an identifier.
func quoted(name string) string {
	schema, last := split(name)
	if schema != "" {
		return quoteOne(schema) + "." + quoteOne(last)
	}
	return quoteOne(last)
}

func quoteOne(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

// Values as a Tx gives them.

func textOf(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case []byte:
		return string(v)
	}
	return ""
}

func intOf(v any) int64 {
	i, _ := v.(int64)
	return i
}

func boolOf(v any) bool {
	switch v := v.(type) {
	case bool:
		return v
	case int64:
		return v != 0
	}
	return false
}
