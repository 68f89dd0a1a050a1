package postgres

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/musterhq/muster/internal/pgtest"
	"github.com/musterhq/muster/mapping/sqltable"
)

func TestErrorsOfPostgreSQLAreSorted(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		code string
		want sqltable.Trouble
	}{
		{"23505", sqltable.NotUniqueRow}, {"23P01", sqltable.NotUniqueRow}, {"23502", sqltable.MissingValue}, {"23503", sqltable.UnknownReference},
		{"23001", sqltable.UnknownReference}, {"23514", sqltable.RefusedValue}, {"22001", sqltable.RefusedValue}, {"22P02", sqltable.RefusedValue},
		{"08006", sqltable.Unavailable}, {"53300", sqltable.Unavailable}, {"57P01", sqltable.Unavailable}, {"57014", sqltable.Unavailable},
		{"40001", sqltable.Unavailable}, {"40P01", sqltable.Unavailable}, {"25006", sqltable.Unavailable}, {"42P01", sqltable.Other}, {"42501", sqltable.Other},
	} {
		said := &pgconn.PgError{Code: c.code, ConstraintName: "k", ColumnName: "login"}
		var f *sqltable.Failure
		err := failure(context.Background(), fmt.Errorf("in the middle of something: %w", said))
		if !errors.As(err, &f) || f.Trouble != c.want || f.Constraint != "k" || len(f.Columns) != 1 || !errors.Is(err, said) {
			t.Errorf("%s: %#v", c.code, err)
		}
	}
	for _, words := range []string{"unexpected EOF", "conn closed", "closed pool", "write: broken pipe"} {
		var f *sqltable.Failure
		if err := failure(context.Background(), errors.New(words)); !errors.As(err, &f) || f.Trouble != sqltable.Unavailable {
			t.Errorf("%s: %v", words, err)
		}
	}
	// What a transaction's own code returns is its own affair.
	mine := errors.New("mine")
	if err := failure(context.Background(), mine); err != mine {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := failure(ctx, errors.New("conn closed")); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestATransactionThatTheDatabaseBreaksOffIsDoneAgain(t *testing.T) {
	t.Parallel()
	pool, err := pgxpool.New(t.Context(), pgtest.URL(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	db := Database(pool)
	times := 0
	err = db.Write(t.Context(), func(sqltable.Tx) error {
		if times++; times < 3 {
			return &pgconn.PgError{Code: "40P01"}
		}
		return nil
	})
	if err != nil || times != 3 {
		t.Errorf("%v after %d times", err, times)
	}
	times = 0
	err = db.Write(t.Context(), func(sqltable.Tx) error {
		times++
		return &pgconn.PgError{Code: "40001"}
	})
	var f *sqltable.Failure
	if !errors.As(err, &f) || f.Trouble != sqltable.Unavailable || times != attempts {
		t.Errorf("%v after %d times", err, times)
	}
}

func TestReadersSeeOneMomentAndWriteNothing(t *testing.T) {
	t.Parallel()
	pool, err := pgxpool.New(t.Context(), pgtest.URL(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	if _, err := pool.Exec(t.Context(), "CREATE TABLE t (n int)"); err != nil {
		t.Fatal(err)
	}
	db := Database(pool)
	count := func(tx sqltable.Tx) (n int64) {
		if err := tx.Query(t.Context(), "SELECT count(*) FROM t", nil, func(v []any) error {
			n = v[0].(int64)
			return nil
		}); err != nil {
			t.Error(err)
		}
		return n
	}
	err = db.Read(t.Context(), func(tx sqltable.Tx) error {
		before := count(tx)
		if _, err := pool.Exec(t.Context(), "INSERT INTO t VALUES (1)"); err != nil {
			return err
		}
		if after := count(tx); after != before {
			t.Errorf("%d rows, then %d", before, after)
		}
		_, err := tx.Exec(t.Context(), "INSERT INTO t VALUES (2)", nil)
		return err
	})
	if err == nil {
		t.Error("a reader has written")
	}
}

func TestAPreparedStatementThatTheHostMadeVoidIsDoneAgain(t *testing.T) {
	t.Parallel()
	pool, err := pgxpool.New(t.Context(), pgtest.URL(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	host := func(statement string) {
		if _, err := pool.Exec(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	host("CREATE TABLE t (v varchar(10))")
	host("INSERT INTO t VALUES ('a')")
	db := Database(pool)
	for _, change := range []string{"SELECT 1", "ALTER TABLE t ALTER v TYPE varchar(20)", "ALTER TABLE t ALTER v TYPE text"} {
		host(change)
		for name, transact := range map[string]func(context.Context, func(sqltable.Tx) error) error{"Read": db.Read, "Write": db.Write} {
			err := transact(t.Context(), func(tx sqltable.Tx) error {
				return tx.Query(t.Context(), "SELECT v FROM t", nil, func([]any) error { return nil })
			})
			if err != nil {
				t.Errorf("%s after %s: %v", name, change, err)
			}
		}
	}
}
