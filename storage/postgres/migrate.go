package postgres

import (
	"context"
	"embed"
	"fmt"
	"io/fs"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
)

//go:embed migrations/*.sql
var migrationFiles embed.FS

// Migration is one step from a version of the tables to the next.
type Migration struct {
	Version int    // from 1
	Name    string // in words
	SQL     string // statements, to be sent whole and run in a transaction
}

// Migrations returns all migrations in order, with the names that the options
// make, for hosts that run them with a tool of their own. What the tool has run
// it notes in the table of migrations itself; the last statement of each does
// that.
func Migrations(opts ...Option) ([]Migration, error) {
	o := options{prefix: DefaultTablePrefix}
	for _, opt := range opts {
		opt.apply(&o)
	}
	n, err := newNames(o.schema, o.prefix)
	if err != nil {
		return nil, err
	}
	return migrations(n)
}

// makeVersionsSQL makes the table of migrations.
const makeVersionsSQL = `CREATE TABLE IF NOT EXISTS {migrations} (version integer PRIMARY KEY, applied timestamptz NOT NULL DEFAULT now());`

func migrations(n *names) ([]Migration, error) {
	entries, err := fs.ReadDir(migrationFiles, "migrations") // sorted by name
	if err != nil {
		return nil, err
	}
	var list []Migration
	for _, e := range entries {
		number, name, _ := strings.Cut(strings.TrimSuffix(e.Name(), ".sql"), "_")
		version, err := strconv.Atoi(number)
		if err != nil {
			return nil, err
		}
		text, err := migrationFiles.ReadFile("migrations/" + e.Name())
		if err != nil {
			return nil, err
		}
		sql := string(text) + fmt.Sprintf("\nINSERT INTO {migrations} (version) VALUES (%d);\n", version)
		if version == 1 {
			sql = makeVersionsSQL + "\n\n" + sql
		}
		list = append(list, Migration{version, strings.ReplaceAll(name, "_", " "), n.sql(sql)})
	}
	return list, nil
}

// Migrate brings the tables to the version that this package needs, making them
// if need be. It does nothing when they are there already. Processes that start
// together may all call it: one works, the others wait.
//
// Tables of a later version than this package knows are an error: an older
// program must not work on them.
func (s *Store) Migrate(ctx context.Context) error {
	if err := s.migrate(ctx); err != nil {
		return outward(ctx, fmt.Errorf("migrating the tables: %w", err))
	}
	return nil
}

func (s *Store) migrate(ctx context.Context) error {
	list, err := migrations(s.names)
	if err != nil {
		return err
	}
	have, err := s.version(ctx)
	if err != nil {
		return err
	}
	if todo, err := missing(list, have); err != nil || len(todo) == 0 {
		return err // with nothing to do, the right to read is enough
	}
	if have == 0 {
		if err := s.makeVersions(ctx); err != nil {
			return err
		}
	}
	return s.transaction(ctx, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "SET LOCAL statement_timeout = 0"); err != nil {
			return err
		}
		// The lock is of a kind that only others who migrate wait for. It comes before
		// the first look at a table, which then sees what they did, whatever the
		// isolation level is.
		if _, err := tx.Exec(ctx, s.names.sql("LOCK TABLE {migrations} IN SHARE ROW EXCLUSIVE MODE")); err != nil {
			return err
		}
		if err := tx.QueryRow(ctx, s.names.sql(versionSQL)).Scan(&have); err != nil {
			return err
		}
		todo, err := missing(list, have)
		if err != nil {
			return err
		}
		for _, m := range todo {
			if _, err := tx.Conn().PgConn().Exec(ctx, m.SQL).ReadAll(); err != nil {
				return fmt.Errorf("version %d: %w", m.Version, err)
			}
		}
		return nil
	})
}

// missing returns the migrations that bring tables of a version to the last one.
func missing(list []Migration, have int) ([]Migration, error) {
	if last := list[len(list)-1].Version; have > last {
		return nil, fmt.Errorf("the tables have version %d and this program knows %d: use a newer one", have, last)
	}
	for len(list) > 0 && list[0].Version <= have {
		list = list[1:]
	}
	return list, nil
}

// versionSQL tells the version of the tables.
const versionSQL = `SELECT coalesce(max(version), 0) FROM {migrations}`

// version returns the version of the tables, 0 when there are none.
func (s *Store) version(ctx context.Context) (have int, err error) {
	err = s.pool.QueryRow(ctx, s.names.sql(versionSQL)).Scan(&have)
	if code(err) == undefinedTable {
		return 0, nil
	}
	return have, err
}

// makeVersions makes the table of migrations. Where others do so at the same
// moment, PostgreSQL tells all but one, in various ways, that something of that name
// is there.
func (s *Store) makeVersions(ctx context.Context) error {
	_, err := s.pool.Exec(ctx, s.names.sql(makeVersionsSQL))
	if err != nil && s.pool.QueryRow(ctx, s.names.sql(versionSQL)).Scan(new(int)) == nil {
		return nil
	}
	return err
}
