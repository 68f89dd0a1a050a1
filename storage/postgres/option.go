package postgres

import "time"

// Option adjusts [Open].
type Option interface{ apply(*options) }

type options struct {
	schema, prefix string
	replica        string
	timeout        time.Duration
}

type optionFunc func(*options)

func (f optionFunc) apply(o *options) { f(o) }

// Defaults of options.
const (
	DefaultTablePrefix      = "muster_"
	DefaultStatementTimeout = 30 * time.Second
)

// WithSchema names the schema of the tables. It must exist when [Store.Migrate]
// is called. Without the option, or with "", tables are found by the search path
// of the session, which the connection URL can set. Names consist of up to 40
// letters, digits and underscores.
func WithSchema(name string) Option {
	return optionFunc(func(o *options) { o.schema = name })
}

// WithTablePrefix sets what the names of all tables begin with, of up to 40
// letters, digits and underscores, or "". Without the option it is
// [DefaultTablePrefix]. Stores with different prefixes share nothing.
func WithTablePrefix(prefix string) Option {
	return optionFunc(func(o *options) { o.prefix = prefix })
}

// WithReplica names a read replica as a connection URL. Lists and searches go
// there ([storage.Store.Query], and [storage.Store.Links] for relations seen
// backwards) and lag as the replica does. What a commit will rest on is never
// read there: Get, Links of owners, the change log, and whatever runs inside
// [Store.WithLock]. Without the option everything is read from the primary.
//
// A host that uses it accepts that a client does not find at once what it has
// just written.
func WithReplica(url string) Option {
	return optionFunc(func(o *options) { o.replica = url })
}

// WithStatementTimeout bounds the time of one statement, in the database itself,
// beside the deadline of the context. Without the option it is
// [DefaultStatementTimeout]; 0 or less leaves what the database or the
// connection URL says. [Store.Migrate] is not bounded.
func WithStatementTimeout(d time.Duration) Option {
	return optionFunc(func(o *options) { o.timeout = d })
}
