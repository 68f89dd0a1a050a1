package sqlite

import (
	"fmt"
	"strings"
)

// Option adjusts [Open].
type Option interface{ apply(*config) }

type option func(*config)

func (o option) apply(c *config) { o(c) }

type config struct {
	prefix    string
	noMigrate bool
}

// DefaultPrefix begins the names of all tables without [WithTablePrefix].
const DefaultPrefix = "muster_"

// WithTablePrefix begins the names of all tables and indexes with another
// prefix than [DefaultPrefix], so that several stores, or tables of the host's,
// are in one file. It consists of ASCII letters, digits and underscores, does
// not begin with a digit, and may be empty.
func WithTablePrefix(prefix string) Option {
	return option(func(c *config) { c.prefix = prefix })
}

// WithoutMigration leaves the tables as they are. Without the option, [Open]
// makes those that are missing. A store with tables that are not up to date
// cannot be opened.
func WithoutMigration() Option {
	return option(func(c *config) { c.noMigrate = true })
}

func newConfig(opts []Option) (config, error) {
	c := config{prefix: DefaultPrefix}
	for _, o := range opts {
		o.apply(&c)
	}
	return c, c.check()
}

// sql gives the tables of a statement their names. Statements are written with
// [DefaultPrefix], and contain nothing of a caller's.
func (c *config) sql(text string) string { return strings.ReplaceAll(text, DefaultPrefix, c.prefix) }

func (c *config) check() error {
	for i, r := range c.prefix {
		switch {
		case r == '_', 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', i > 0 && '0' <= r && r <= '9':
		default:
			return fmt.Errorf("sqlite: the table prefix %q may consist of letters, digits and underscores only", c.prefix)
		}
	}
	return nil
}
