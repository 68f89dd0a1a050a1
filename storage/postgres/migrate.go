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
	SQL     string // statements, to be sent whole and run in a transaction; a block among them has semicolons too
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

// makeVersions makes the table of migrations.
const makeVersions = `CREATE TABLE IF NOT EXISTS {migrations} (version integer PRIMARY KEY, applied timestamptz NOT NULL DEFAULT now());`

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
			sql = makeVersions + "\n\n" + sql
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
	last := list[len(list)-1].Version
	return s.transaction(ctx, func(tx pgx.Tx) error {
		var exists bool
		table := s.names.sql("{migrations}")
		if err := tx.QueryRow(ctx, "SELECT to_regclass($1) IS NOT NULL", table).Scan(&exists); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, "SET LOCAL statement_timeout = 0"); err != nil {
			return err
		}
		if !exists {
			if _, err := tx.Exec(ctx, s.names.sql(makeVersions)); err != nil {
				return err
			}
		}
		// The lock is of a kind that only others who migrate wait for.
		if _, err := tx.Exec(ctx, "LOCK TABLE "+table+" IN SHARE ROW EXCLUSIVE MODE"); err != nil {
			return err
		}
		var have int
		if err := tx.QueryRow(ctx, "SELECT coalesce(max(version), 0) FROM "+table).Scan(&have); err != nil {
			return err
		}
		if have > last {
			return fmt.Errorf("the tables have version %d and this program knows %d: use a newer one", have, last)
		}
		for _, m := range list[have:] {
			if _, err := tx.Conn().PgConn().Exec(ctx, m.SQL).ReadAll(); err != nil {
				return fmt.Errorf("version %d: %w", m.Version, err)
			}
		}
		return nil
	})
}
