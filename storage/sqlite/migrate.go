package sqlite

import (
	"context"
	"embed"
	"fmt"
	"strings"
)

//go:embed migrations
var migrationFiles embed.FS

// Migration is one step from a version of the tables to the next.
type Migration struct {
	Version int    // from 1
	Name    string // in words
	SQL     string // statements, separated by semicolons; to be run in a transaction
}

// Migrations returns all migrations in order, with the names that the options
// make, for hosts that run them with a tool of their own; they open the store
// with [WithoutMigration]. The last statements of each note its version in a
// table.
func Migrations(opts ...Option) ([]Migration, error) {
	c, err := newConfig(opts)
	if err != nil {
		return nil, err
	}
	all := migrations()
	for i := range all {
		all[i].SQL = c.sql(all[i].SQL)
	}
	return all, nil
}

// versionTable holds the version of the tables, in one row.
const versionTable = "CREATE TABLE IF NOT EXISTS muster_version (version INTEGER NOT NULL) STRICT;\n"

// migrations reads the files, whose names are a number and a name.
func migrations() (all []Migration) {
	files, err := migrationFiles.ReadDir("migrations") // sorted by name
	if err != nil {
		panic(err) // they are part of the program
	}
	for i, f := range files {
		sql, err := migrationFiles.ReadFile("migrations/" + f.Name())
		if err != nil {
			panic(err)
		}
		_, name, _ := strings.Cut(strings.TrimSuffix(f.Name(), ".sql"), "_")
		m := Migration{Version: i + 1, Name: name}
		if i == 0 {
			m.SQL = versionTable
		}
		m.SQL += string(sql) + fmt.Sprintf("\nDELETE FROM muster_version;\nINSERT INTO muster_version (version) VALUES (%d);\n", m.Version)
		all = append(all, m)
	}
	return all
}

// Migrate brings the tables to the version that this package needs, keeping what
// is in them. Either all of it takes effect or nothing, and while one process
// migrates, others wait. [Open] calls it, unless told otherwise.
func (s *Store) Migrate(ctx context.Context) error {
	return s.migrate(ctx, migrations())
}

func (s *Store) migrate(ctx context.Context, all []Migration) error {
	return s.write(ctx, func(_ context.Context, c *conn) error {
		version, err := versionOf(c)
		if err != nil {
			return err
		}
		if version > len(all) {
			return newer(version)
		}
		for _, m := range all[version:] {
			if err := c.script(m.SQL); err != nil {
				return fmt.Errorf("sqlite: migration %d (%s): %w", m.Version, m.Name, err)
			}
		}
		return nil
	})
}

// checkVersion reports tables that are missing or of another version.
func (s *Store) checkVersion(ctx context.Context) error {
	return s.read(ctx, func(c *conn) error {
		version, err := versionOf(c)
		if err != nil {
			return err
		}
		switch want := len(migrations()); {
		case version > want:
			return newer(version)
		case version < want:
			return fmt.Errorf("sqlite: the tables are of version %d and need to be of %d: call Migrate, or open the store without WithoutMigration", version, want)
		}
		return nil
	})
}

func newer(version int) error {
	return fmt.Errorf("sqlite: the tables are of version %d, made by a later version of this package", version)
}

// versionOf returns the version of the tables, 0 when there are none.
func versionOf(c *conn) (int, error) {
	row, err := c.first("SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = 'muster_version'")
	if err != nil || integer(row[0]) == 0 {
		return 0, err
	}
	row, err = c.first("SELECT max(version) FROM muster_version")
	if err != nil {
		return 0, err
	}
	return int(integer(row[0])), nil
}
