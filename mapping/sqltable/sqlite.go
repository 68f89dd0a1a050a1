package sqltable

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"regexp"
	"strings"
	"time"
)

// SQLite is a database that db has open with a driver of SQLite, whichever it is.
// The handle stays the host's: its settings are left as they are, and it is not
// closed. A database in memory needs a pool of one connection
// ([sql.DB.SetMaxOpenConns]).
//
// Writers of SQLite wait for each other. A transaction that finds the database
// locked is tried again for five seconds, beyond the busy timeout of the handle.
func SQLite(db *sql.DB) Database { return &sqliteDatabase{db} }

type sqliteDatabase struct{ db *sql.DB }

// sqlitePatience bounds how long a transaction is tried again while others have the
// database locked.
const sqlitePatience = 5 * time.Second

func (d *sqliteDatabase) Dialect() Dialect { return DialectSQLite }

func (d *sqliteDatabase) Read(ctx context.Context, f func(Tx) error) error {
	return d.transact(ctx, "BEGIN", f)
}

// Write takes the lock of writers at the beginning, so that what was read is still
// so when it is written.
func (d *sqliteDatabase) Write(ctx context.Context, f func(Tx) error) error {
	return d.transact(ctx, "BEGIN IMMEDIATE", f)
}

func (d *sqliteDatabase) transact(ctx context.Context, begin string, f func(Tx) error) error {
	wait := time.Millisecond
	for deadline := time.Now().Add(sqlitePatience); ; wait = min(2*wait, 50*time.Millisecond) {
		err := d.attempt(ctx, begin, f)
		if !sqliteBusy(err) || time.Now().After(deadline) {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(wait):
		}
	}
}

// attempt runs one transaction. database/sql has no word for BEGIN IMMEDIATE, so
// that the statements are sent by hand, on one connection.
func (d *sqliteDatabase) attempt(ctx context.Context, begin string, f func(Tx) error) (err error) {
	conn, err := d.db.Conn(ctx)
	if err != nil {
		return sqliteFailure(ctx, err)
	}
	defer func() { _ = conn.Close() }()
	if _, err := conn.ExecContext(ctx, begin); err != nil {
		return sqliteFailure(ctx, err)
	}
	done := false
	defer func() {
		if done {
			return
		}
		// The host's pool must not get a connection back that is inside a transaction.
		if _, err := conn.ExecContext(context.WithoutCancel(ctx), "ROLLBACK"); err != nil {
			_ = conn.Raw(func(any) error { return driver.ErrBadConn })
		}
	}()
	if err := f(&sqliteTx{conn}); err != nil {
		return err
	}
	if _, err := conn.ExecContext(ctx, "COMMIT"); err != nil {
		return sqliteFailure(ctx, err)
	}
	done = true
	return nil
}

type sqliteTx struct{ conn *sql.Conn }

func (t *sqliteTx) Query(ctx context.Context, query string, args []any, row func([]any) error) (err error) {
	rows, err := t.conn.QueryContext(ctx, query, args...)
	if err != nil {
		return sqliteFailure(ctx, err)
	}
	defer func() {
		if failed := rows.Close(); err == nil && failed != nil {
			err = sqliteFailure(ctx, failed)
		}
	}()
	columns, err := rows.Columns()
	if err != nil {
		return sqliteFailure(ctx, err)
	}
	values, into := make([]any, len(columns)), make([]any, len(columns))
	for i := range values {
		into[i] = &values[i]
	}
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return sqliteFailure(ctx, err)
		}
		if err := row(values); err != nil {
			return err
		}
	}
	return sqliteFailure(ctx, rows.Err())
}

func (t *sqliteTx) Exec(ctx context.Context, query string, args []any) (int64, error) {
	res, err := t.conn.ExecContext(ctx, query, args...)
	if err != nil {
		return 0, sqliteFailure(ctx, err)
	}
	n, err := res.RowsAffected()
	return n, sqliteFailure(ctx, err)
}

// sqliteRefusal reads what SQLite says of a violated constraint. The words are
// SQLite's own, whatever the driver puts around them.
var sqliteRefusal = regexp.MustCompile(`(UNIQUE|NOT NULL|CHECK|FOREIGN KEY) constraint failed(?:: (.*?))?(?: \(\d+\))?$`)

// sqliteTrigger is the result code of RAISE in a trigger, whose words are the host's. A
// driver that does not tell codes leaves it among other errors.
const sqliteTrigger = 1811

// sqliteAway are the beginnings of SQLite's words for what goes away by itself or
// once somebody made room.
var sqliteAway = []string{
	"database is locked", "database table is locked", "database or disk is full", "disk I/O error",
	"unable to open database file", "attempt to write a readonly database", "out of memory", "locking protocol",
	"sql: database is closed", "driver: bad connection",
}

// sqliteFailure sorts an error of any driver of SQLite by SQLite's words.
func sqliteFailure(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	f := &Failure{Err: err}
	text := err.Error()
	if m := sqliteRefusal.FindStringSubmatch(text); m != nil {
		f.Trouble = map[string]Trouble{
			"UNIQUE": NotUniqueRow, "NOT NULL": MissingValue, "CHECK": RefusedValue, "FOREIGN KEY": UnknownReference,
		}[m[1]]
		if name, ok := strings.CutPrefix(m[2], "index '"); ok || m[1] == "CHECK" {
			f.Constraint = strings.TrimSuffix(name, "'")
			return f
		}
		for column := range strings.SplitSeq(m[2], ", ") {
			if _, name, ok := strings.Cut(column, "."); ok {
				f.Columns = append(f.Columns, name)
			}
		}
		return f
	}
	if coded := (interface{ Code() int })(nil); errors.As(err, &coded) && coded.Code() == sqliteTrigger {
		f.Trouble = RefusedValue
		return f
	}
	for _, words := range sqliteAway {
		if strings.Contains(text, words) {
			f.Trouble = Unavailable
		}
	}
	if errors.Is(err, driver.ErrBadConn) || errors.Is(err, sql.ErrConnDone) {
		f.Trouble = Unavailable
	}
	return f
}

// sqliteBusy reports whether others had the database locked.
func sqliteBusy(err error) bool {
	var f *Failure
	return errors.As(err, &f) && f.Trouble == Unavailable && strings.Contains(f.Err.Error(), "is locked")
}
