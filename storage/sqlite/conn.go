package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net/url"
	"path/filepath"

	"github.com/musterhq/muster/storage"

	"modernc.org/sqlite"
)

// conn is one connection to the file. It speaks to the driver itself, since the
// pool of database/sql costs as much as a look-up does. One goroutine uses it at
// a time.
type conn struct {
	*config
	c     driver.Conn
	stmts map[string]stmt
}

// stmt is what the driver's statements can do.
type stmt interface {
	driver.Stmt
	driver.StmtExecContext
	driver.StmtQueryContext
}

// maxStatements bounds the prepared statements of a connection. This package has
// some fifty; the others are shapes of filters.
const maxStatements = 200

// busyTimeout is how long a connection waits for other processes, in
// milliseconds.
const busyTimeout = 10_000

// connect opens a connection. The driver takes a URI and runs the pragmas in it.
func connect(path string, cfg *config) (*conn, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	pragmas := url.Values{"_pragma": {
		fmt.Sprintf("busy_timeout(%d)", busyTimeout),
		"synchronous(FULL)",
		"cache_size(-16384)", // KiB
		"temp_store(MEMORY)",
		"journal_size_limit(67108864)", // of the -wal file, once it is empty
		"trusted_schema(0)",
	}}
	uri := url.URL{Scheme: "file", Path: filepath.ToSlash(path), RawQuery: pragmas.Encode()}
	c, err := new(sqlite.Driver).Open(uri.String())
	if err != nil {
		return nil, failure(err)
	}
	return &conn{config: cfg, c: c, stmts: map[string]stmt{}}, nil
}

// close closes the connection and its statements.
func (c *conn) close() error { return errors.Join(c.forget(), c.c.Close()) }

// keep returns the connection, or nil when an error may have left it unusable.
// It is closed then, and the next user opens another.
func (c *conn) keep(err error) *conn {
	if !errors.Is(err, storage.ErrUnavailable) {
		return c
	}
	_ = c.close()
	return nil
}

// forget closes all statements.
func (c *conn) forget() (err error) {
	for _, s := range c.stmts {
		err = errors.Join(err, s.Close())
	}
	clear(c.stmts)
	return err
}

// prepare returns a statement, which is kept for the next time.
func (c *conn) prepare(sql string) (stmt, error) {
	if s := c.stmts[sql]; s != nil {
		return s, nil
	}
	if len(c.stmts) == maxStatements {
		if err := c.forget(); err != nil {
			return nil, failure(err)
		}
	}
	made, err := c.c.Prepare(c.sql(sql))
	if err != nil {
		return nil, failure(err)
	}
	s := made.(stmt)
	c.stmts[sql] = s
	return s, nil
}

// exec runs a statement and returns how many rows it changed. It does not watch
// a context: single statements of a commit are short.
func (c *conn) exec(sql string, args ...any) (int, error) {
	s, err := c.prepare(sql)
	if err != nil {
		return 0, err
	}
	res, err := s.ExecContext(context.Background(), named(args))
	if err != nil {
		return 0, failure(err)
	}
	n, err := res.RowsAffected()
	return int(n), failure(err)
}

// script runs several statements, which are not kept.
func (c *conn) script(sql string) error {
	s, err := c.c.Prepare(c.sql(sql))
	if err != nil {
		return failure(err)
	}
	_, err = s.(stmt).ExecContext(context.Background(), nil)
	return errors.Join(failure(err), s.Close())
}

// query runs a statement and lets scan see each row until it returns false. The
// values of a row are scan's to keep, the slice is not.
func (c *conn) query(ctx context.Context, sql string, args []any, scan func(row []driver.Value) bool) (err error) {
	s, err := c.prepare(sql)
	if err != nil {
		return err
	}
	rows, err := s.QueryContext(ctx, named(args))
	if err != nil {
		return failure(err)
	}
	defer func() {
		if closed := rows.Close(); err == nil {
			err = failure(closed)
		}
	}()
	row := make([]driver.Value, len(rows.Columns()))
	for n := 1; ; n++ {
		if n%patience == 0 {
			if err := ctx.Err(); err != nil {
				return err
			}
		}
		switch err := rows.Next(row); {
		case err == io.EOF:
			return nil
		case err != nil:
			return failure(err)
		}
		if !scan(row) {
			return nil
		}
	}
}

// quiet is a context for statements that do little before their first row: the
// driver need not watch it, which costs a goroutine. What reads the rows does.
type quiet struct{ context.Context }

// Done returns nil: nothing can be waited for.
func (quiet) Done() <-chan struct{} { return nil }

// patience is after how many rows a reader asks whether anybody still waits.
const patience = 256

// first returns the first row of a short statement, nil when there is none.
func (c *conn) first(sql string, args ...any) (first []driver.Value, err error) {
	err = c.query(context.Background(), sql, args, func(row []driver.Value) bool {
		first = row
		return false
	})
	return first, err
}

func named(args []any) []driver.NamedValue {
	values := make([]driver.NamedValue, len(args))
	for i, a := range args {
		values[i] = driver.NamedValue{Ordinal: i + 1, Value: a}
	}
	return values
}

func integer(v driver.Value) int64 { i, _ := v.(int64); return i }
func text(v driver.Value) string   { s, _ := v.(string); return s }
func blob(v driver.Value) []byte   { b, _ := v.([]byte); return b }
