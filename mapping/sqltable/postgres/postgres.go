// Package postgres connects mapping/sqltable to PostgreSQL 13 or later through
// pgx.
//
//	pool, err := pgxpool.New(ctx, url)
//	…
//	users, err := sqltable.New(ctx, postgres.Database(pool), sqltable.Table{…})
//
// It is a package of its own so that hosts with another database do not compile
// the driver.
package postgres

import (
	"context"
	"errors"
	"net"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/musterhq/muster/mapping/sqltable"
)

// Database is the database of a pool, which stays the host's: its settings are
// left as they are, and it is not closed.
//
// Readers run in REPEATABLE READ, so that a list is of one moment; writers in READ
// COMMITTED, where rows that are judged are locked first. A transaction that
// PostgreSQL breaks off, because of a deadlock for instance, is done again, ten
// times at the most.
func Database(pool *pgxpool.Pool) sqltable.Database { return &database{pool} }

type database struct{ pool *pgxpool.Pool }

// attempts bounds how often a transaction is done again.
const attempts = 10

func (d *database) Dialect() sqltable.Dialect { return sqltable.DialectPostgres }

func (d *database) Read(ctx context.Context, f func(sqltable.Tx) error) error {
	return d.transact(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}, f)
}

func (d *database) Write(ctx context.Context, f func(sqltable.Tx) error) error {
	return d.transact(ctx, pgx.TxOptions{IsoLevel: pgx.ReadCommitted, AccessMode: pgx.ReadWrite}, f)
}

func (d *database) transact(ctx context.Context, o pgx.TxOptions, f func(sqltable.Tx) error) error {
	for try := 1; ; try++ {
		err := pgx.BeginTxFunc(ctx, d.pool, o, func(tx pgx.Tx) error { return f(&transaction{tx}) })
		if err = failure(ctx, err); err == nil || !again(err) || try == attempts {
			return err
		}
	}
}

type transaction struct{ tx pgx.Tx }

func (t *transaction) Query(ctx context.Context, sql string, args []any, row func([]any) error) error {
	rows, err := t.tx.Query(ctx, sql, args...)
	if err != nil {
		return failure(ctx, err)
	}
	defer rows.Close()
	for rows.Next() {
		values, err := rows.Values()
		if err != nil {
			return failure(ctx, err)
		}
		for i := range values {
			values[i] = plain(values[i])
		}
		if err := row(values); err != nil {
			return err
		}
	}
	return failure(ctx, rows.Err())
}

func (t *transaction) Exec(ctx context.Context, sql string, args []any) (int64, error) {
	tag, err := t.tx.Exec(ctx, sql, args...)
	return tag.RowsAffected(), failure(ctx, err)
}

// plain is a value in one of the types that [sqltable.Tx] promises. An infinite
// time is none.
func plain(v any) any {
	switch v := v.(type) {
	case int16:
		return int64(v)
	case int32:
		return int64(v)
	case float32:
		return float64(v)
	case pgtype.InfinityModifier:
		return nil
	}
	return v
}

// conditions are PostgreSQL's codes (appendix A of its manual) of what a host's
// schema can refuse.
var conditions = map[string]sqltable.Trouble{
	"23505": sqltable.NotUniqueRow,
	"23P01": sqltable.NotUniqueRow, // an exclusion constraint
	"23502": sqltable.MissingValue,
	"23503": sqltable.UnknownReference,
	"23001": sqltable.UnknownReference, // ON DELETE RESTRICT
	"23514": sqltable.RefusedValue,
	"22001": sqltable.RefusedValue, // too long
	"22003": sqltable.RefusedValue, // out of range
	"22007": sqltable.RefusedValue, // no such time
	"22008": sqltable.RefusedValue, // time out of range
	"22021": sqltable.RefusedValue, // not representable in the database's encoding
	"22P02": sqltable.RefusedValue, // no such value of an enum, or the like
	"P0001": sqltable.RefusedValue, // RAISE EXCEPTION in a trigger of the host's
	"22P05": sqltable.RefusedValue, // untranslatable character
	"44000": sqltable.RefusedValue, // with check option of a view
}

// failure sorts an error of the driver. Others are left alone.
func failure(ctx context.Context, err error) error {
	var sorted *sqltable.Failure
	var said *pgconn.PgError
	switch {
	case err == nil || errors.As(err, &sorted):
		return err
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.As(err, &said):
		f := &sqltable.Failure{Trouble: conditions[said.Code], Constraint: said.ConstraintName, Err: err}
		if said.ColumnName != "" {
			f.Columns = []string{said.ColumnName}
		}
		if unavailable(said.Code) {
			f.Trouble = sqltable.Unavailable
		}
		return f
	case unreachable(err):
		return &sqltable.Failure{Trouble: sqltable.Unavailable, Err: err}
	}
	return err
}

// again reports whether PostgreSQL asks to do a transaction again, or would take it
// now: a prepared statement is void after the host has changed the type of a column,
// and the driver has forgotten it by then.
func again(err error) bool {
	var e *pgconn.PgError
	if !errors.As(err, &e) {
		return false
	}
	return e.Code == "40001" || e.Code == "40P01" || e.Code == "0A000" && strings.Contains(e.Routine, "RevalidateCachedQuery")
}

// unavailable reports whether a condition passes by itself, or once somebody made
// room: broken connections, no resources, shutdown and start, a standby that was
// asked to write, statements and locks that took too long, transactions that were
// broken off again and again.
func unavailable(code string) bool {
	switch code[:2] {
	case "08", "53", "40":
		return true
	}
	return strings.HasPrefix(code, "57P") || code == "57014" || code == "55P03" || code == "25006"
}

// unreachable reports whether the server could not be asked, or did not answer.
func unreachable(err error) bool {
	var connect *pgconn.ConnectError
	var network net.Error
	if errors.As(err, &connect) || errors.As(err, &network) || pgconn.SafeToRetry(err) {
		return true
	}
	// pgconn names these in words only.
	for _, words := range []string{"EOF", "conn closed", "closed pool", "connection reset", "broken pipe"} {
		if strings.Contains(err.Error(), words) {
			return true
		}
	}
	return false
}
