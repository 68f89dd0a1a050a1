package sqltable

import (
	"context"
	"database/sql"
	"errors"
	"path/filepath"
	"slices"
	"testing"

	_ "modernc.org/sqlite"
)

func TestErrorsOfSQLiteAreSortedByItsWords(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text       string
		want       Trouble
		constraint string
		columns    []string
	}{
		{"constraint failed: UNIQUE constraint failed: users.org_id, users.login (2067)", NotUniqueRow, "", []string{"org_id", "login"}},
		{"UNIQUE constraint failed: users.login", NotUniqueRow, "", []string{"login"}},
		{"constraint failed: UNIQUE constraint failed: index 'users_login' (2067)", NotUniqueRow, "users_login", nil},
		{"sqlite3: constraint failed: UNIQUE constraint failed: users.login", NotUniqueRow, "", []string{"login"}},
		{"constraint failed: NOT NULL constraint failed: users.email (1299)", MissingValue, "", []string{"email"}},
		{"constraint failed: CHECK constraint failed: floor < 10 (275)", RefusedValue, "floor < 10", nil},
		{"FOREIGN KEY constraint failed", UnknownReference, "", nil},
		{"database is locked (5) (SQLITE_BUSY)", Unavailable, "", nil},
		{"unable to open database file: out of memory (14)", Unavailable, "", nil},
		{"SQL logic error: no such table: x (1)", Other, "", nil},
	} {
		var f *Failure
		if err := sqliteFailure(context.Background(), errors.New(c.text)); !errors.As(err, &f) {
			t.Errorf("%s: %v", c.text, err)
		} else if f.Trouble != c.want || f.Constraint != c.constraint || !slices.Equal(f.Columns, c.columns) {
			t.Errorf("%s: %+v", c.text, f)
		}
	}
}

func TestATransactionWaitsForOthersAndLeavesNothingOpen(t *testing.T) {
	t.Parallel()
	file := filepath.ToSlash(filepath.Join(t.TempDir(), "a.db"))
	open := func() Database {
		db, err := sql.Open("sqlite", "file:"+file) // without a busy timeout
		if err != nil {
			t.Fatal(err)
		}
		db.SetMaxOpenConns(1)
		t.Cleanup(func() { _ = db.Close() })
		return SQLite(db)
	}
	one, two := open(), open()
	run := func(tx Tx, statement string) error {
		_, err := tx.Exec(t.Context(), statement, nil)
		return err
	}
	if err := one.Write(t.Context(), func(tx Tx) error { return run(tx, "CREATE TABLE t (n int)") }); err != nil {
		t.Fatal(err)
	}
	done := make(chan error)
	err := one.Write(t.Context(), func(tx Tx) error {
		go func() {
			done <- two.Write(t.Context(), func(tx Tx) error { return run(tx, "INSERT INTO t VALUES (2)") })
		}()
		return run(tx, "INSERT INTO t VALUES (1)")
	})
	if err := errors.Join(err, <-done); err != nil {
		t.Error(err)
	}
	// The pool has a single connection: it is of use again after a refusal and a panic.
	mine := errors.New("mine")
	if err := one.Write(t.Context(), func(tx Tx) error { return errors.Join(run(tx, "INSERT INTO t VALUES (3)"), mine) }); !errors.Is(err, mine) {
		t.Error(err)
	}
	func() {
		defer func() { _ = recover() }()
		_ = one.Write(t.Context(), func(tx Tx) error {
			_ = run(tx, "INSERT INTO t VALUES (4)")
			panic("in the middle")
		})
	}()
	var n int64
	err = one.Read(t.Context(), func(tx Tx) error {
		return tx.Query(t.Context(), "SELECT count(*) FROM t", nil, func(v []any) error {
			n = intOf(v[0])
			return nil
		})
	})
	if err != nil || n != 2 {
		t.Errorf("%v, %d rows", err, n)
	}
}

func TestWhatAStatementOfSQLiteDeclaresIsFound(t *testing.T) {
	t.Parallel()
	collations := sqliteCollations("CREATE TABLE t (\n\tid INTEGER, name TEXT NOT NULL COLLATE NOCASE, \"other name\" VARCHAR(3) COLLATE \"rtrim\",\n\t[x] TEXT DEFAULT 'a', plain TEXT)")
	if collations["name"] != "NOCASE" || collations["other name"] != "RTRIM" || collations["x"] != "" || collations["plain"] != "" || collations["id"] != "" {
		t.Errorf("%v", collations)
	}
	keys, where := sqliteIndexSQL("CREATE UNIQUE INDEX i ON t (org_id, lower(coalesce(name, ''))) WHERE gone IS NULL")
	if !slices.Equal(keys, []string{"org_id", "lower(coalesce(name, ''))"}) || where != "gone IS NULL" {
		t.Errorf("%q %q", keys, where)
	}
	for declared, want := range map[string]kind{
		"INTEGER": kindInteger, "bigint": kindInteger, "VARCHAR(20)": kindText, "Timestamp": kindTime, "DATETIME": kindTime, "boolean": kindBoolean,
		"REAL": kindNumber, "DECIMAL(5,2)": kindNumber, "BLOB": kindOther, "": kindOther, "POINT": kindInteger, // as SQLite's own rule has it
	} {
		if got, _ := sqliteKind(declared); got != want {
			t.Errorf("%q is %v", declared, got)
		}
	}
}
