package sqlite

import (
	"context"
	"embed"
	"fmt"
	"strings"
)

//go:embed migrations
var migrations embed.FS

// migration is one step from one version of the tables to the next.
type migration struct{ name, sql string }

// steps are the migrations in order: the first one leads to version 1.
func steps() []migration {
	files, err := migrations.ReadDir("migrations") // sorted by name
	if err != nil {
		panic(err) // they are part of the program
	}
	var all []migration
	for _, f := range files {
		sql, err := migrations.ReadFile("migrations/" + f.Name())
		if err != nil {
			panic(err)
		}
		all = append(all, migration{strings.TrimSuffix(f.Name(), ".sql"), string(sql)})
	}
	return all
}

// versionTable holds the version of the tables, in one row.
const versionTable = `CREATE TABLE IF NOT EXISTS muster_version (version INTEGER NOT NULL) STRICT`

// Schema returns the SQL that makes all tables, with their names beginning with
// a prefix, for hosts that run migrations with a tool of their own. It is to be
// run once, in a transaction, on a file that has none of the tables; open the
// store with [WithoutMigration] then. Later versions of the package that need
// other tables say so in the changelog.
func Schema(prefix string) string {
	var b strings.Builder
	b.WriteString(versionTable + ";\n")
	for _, m := range steps() {
		fmt.Fprintf(&b, "\n-- %s\n%s", m.name, m.sql)
	}
	fmt.Fprintf(&b, "\nINSERT INTO muster_version (version) VALUES (%d);\n", len(steps()))
	return strings.ReplaceAll(b.String(), DefaultPrefix, prefix)
}

// Migrate brings the tables to the version that this package needs, keeping what
// is in them. Either all of it takes effect or nothing, and while one process
// migrates, others wait. [Open] calls it, unless told otherwise.
func (s *Store) Migrate(ctx context.Context) error {
	return s.migrate(ctx, steps())
}

func (s *Store) migrate(ctx context.Context, steps []migration) error {
	return s.write(ctx, func(_ context.Context, c *conn) error {
		if err := c.script(versionTable); err != nil {
			return err
		}
		version, err := versionOf(c)
		if err != nil {
			return err
		}
		if version > len(steps) {
			return newer(version)
		}
		for _, m := range steps[version:] {
			if err := c.script(m.sql); err != nil {
				return fmt.Errorf("sqlite: migration %s: %w", m.name, err)
			}
		}
		if version == len(steps) {
			return nil
		}
		return c.script(fmt.Sprintf("DELETE FROM muster_version; INSERT INTO muster_version (version) VALUES (%d)", len(steps)))
	})
}

// checkVersion reports tables that are missing or of another version.
func (s *Store) checkVersion(ctx context.Context) error {
	return s.read(ctx, func(c *conn) error {
		row, err := c.first("SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = ?", s.prefix+"version")
		if err != nil {
			return err
		}
		version := 0
		if integer(row[0]) > 0 {
			if version, err = versionOf(c); err != nil {
				return err
			}
		}
		switch want := len(steps()); {
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

func versionOf(c *conn) (int, error) {
	row, err := c.first("SELECT max(version) FROM muster_version")
	if err != nil || row == nil {
		return 0, err
	}
	return int(integer(row[0])), nil
}
