package pgtest_test

import (
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/musterhq/muster/internal/pgtest"
)

func TestSchemasAreApart(t *testing.T) {
	t.Parallel()
	for range 2 {
		conn, err := pgx.Connect(t.Context(), pgtest.URL(t))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close(t.Context())
		if _, err := conn.Exec(t.Context(), `CREATE TABLE t (x int)`); err != nil {
			t.Fatal(err)
		}
	}
}

func TestServerKeepsItsDataWhileItIsDown(t *testing.T) {
	t.Parallel()
	s := pgtest.Start(t, "synchronous_commit=on")
	url := s.URL(t)
	query := func(sql string) error {
		conn, err := pgx.Connect(t.Context(), url)
		if err != nil {
			return err
		}
		defer conn.Close(t.Context())
		_, err = conn.Exec(t.Context(), sql)
		return err
	}
	if err := query(`CREATE TABLE t AS SELECT 1`); err != nil {
		t.Fatal(err)
	}
	for name, end := range map[string]func(){"Down": s.Down, "Crash": s.Crash} {
		end()
		if query(`SELECT * FROM t`) == nil {
			t.Errorf("after %s the server answers", name)
		}
		if err := s.Up(); err != nil {
			t.Fatal(err)
		}
		if err := query(`SELECT * FROM t`); err != nil {
			t.Errorf("after %s: %v", name, err)
		}
	}
}
