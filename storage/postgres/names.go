package postgres

import (
	"fmt"
	"regexp"
	"strings"
	"sync"

	"github.com/jackc/pgx/v5"
)

// tables and indexes are the names that statements hold in braces. Prefix and
// schema are put before them.
var (
	tables  = [...]string{"records", "uniques", "entries", "links", "changes", "change_links", "logs", "indexes", "generation", "migrations"}
	indexes = [...]string{
		"records_user_name", "records_external_id", "records_display_name", "records_active", "records_created", "records_modified",
		"records_hidden", "uniques_id", "entries_value", "links_target", "changes_seq", "records_key", "uniques_key", "entries_key", "links_key",
	}
)

// names turns the names in statements into those of a database.
type names struct {
	replacer *strings.Replacer
	texts    sync.Map // statements with names in them, by those without
	prefix   string
	// scope tells apart stores in one database where names have no schema, such as
	// channels.
	scope string
}

var plainName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,39}$`)

func newNames(schema, prefix string) (*names, error) {
	if schema != "" && !plainName.MatchString(schema) {
		return nil, fmt.Errorf("postgres: WithSchema: %q is not a plain name of up to 40 letters, digits and underscores", schema)
	}
	if prefix != "" && !plainName.MatchString(prefix) {
		return nil, fmt.Errorf("postgres: WithTablePrefix: %q is not a plain name of up to 40 letters, digits and underscores", prefix)
	}
	n := &names{prefix: prefix, scope: schema + "." + prefix}
	var pairs []string
	for _, t := range tables {
		id := pgx.Identifier{prefix + t}
		if schema != "" {
			id = pgx.Identifier{schema, prefix + t}
		}
		pairs = append(pairs, "{"+t+"}", id.Sanitize())
	}
	for _, i := range indexes { // an index is in the schema of its table
		pairs = append(pairs, "{"+i+"}", pgx.Identifier{prefix + i}.Sanitize())
	}
	n.replacer = strings.NewReplacer(pairs...)
	return n, nil
}

// sql puts the names into a statement, one of the constants of this package.
func (n *names) sql(text string) string {
	if done, ok := n.texts.Load(text); ok {
		return done.(string)
	}
	done := n.replacer.Replace(text)
	n.texts.Store(text, done)
	return done
}
