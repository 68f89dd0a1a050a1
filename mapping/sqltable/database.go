package sqltable

import (
	"context"
	"fmt"
)

// Database is where the host's tables are: [SQLite] for a database/sql handle on
// SQLite, or that of package mapping/sqltable/postgres. Its methods are called
// concurrently. Errors of the database are [*Failure]s.
type Database interface {
	// Dialect says how the database spells what its SQL has of its own.
	Dialect() Dialect
	// Read runs f in a transaction that sees one state of the database and changes
	// nothing.
	Read(ctx context.Context, f func(Tx) error) error
	// Write runs f in a transaction that is committed when f returns nil, and undone
	// otherwise. Where the database asks for it, after a deadlock for instance, f runs
	// again.
	Write(ctx context.Context, f func(Tx) error) error
}

// Tx is a transaction. One goroutine uses it, one statement at a time.
type Tx interface {
	// Query calls row for each row that a statement gives. A value is nil, a bool, an
	// int64, a float64, a string, a []byte or a time.Time; the slice is used again for
	// the next row. The first error of row ends the query and is returned.
	Query(ctx context.Context, sql string, args []any, row func(values []any) error) error
	// Exec runs a statement and returns how many rows it changed.
	Exec(ctx context.Context, sql string, args []any) (int64, error)
}

// Dialect is a kind of database.
type Dialect uint8

// The databases that this package knows the SQL of.
const (
	DialectSQLite   Dialect = iota + 1 // SQLite 3.35 or later
	DialectPostgres                    // PostgreSQL 13 or later
)

// String returns the database's name.
func (d Dialect) String() string {
	switch d {
	case DialectSQLite:
		return "SQLite"
	case DialectPostgres:
		return "PostgreSQL"
	}
	return fmt.Sprintf("Dialect(%d)", uint8(d))
}

// Trouble is the kind of a [Failure].
type Trouble uint8

// What a database can refuse a statement for.
const (
	// Other is everything that has no name below.
	Other Trouble = iota
	// NotUniqueRow: a unique index holds the values already.
	NotUniqueRow
	// MissingValue: a column must not be null.
	MissingValue
	// UnknownReference: a foreign key leads nowhere, or something still leads to a
	// row that is to be deleted.
	UnknownReference
	// RefusedValue: a check or trigger of the table, or a column's type, does not accept
	// a value.
	RefusedValue
	// Unavailable: the database is not there, or has no room; trying again later may
	// help.
	Unavailable
)

// Failure is an error of the database, sorted.
type Failure struct {
	Trouble Trouble
	// Constraint is the index or constraint that refused, and Columns are the columns
	// it is about, as far as the database told.
	Constraint string
	Columns    []string
	// Err is the error of the driver. It may hold values, and is for logs only.
	Err error
}

// Error returns the text of the driver's error.
func (f *Failure) Error() string { return "sqltable: " + f.Err.Error() }

// Unwrap returns the driver's error.
func (f *Failure) Unwrap() error { return f.Err }
