package postgres

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/musterhq/muster/internal/sqlplan"
	"github.com/musterhq/muster/internal/turns"
	"github.com/musterhq/muster/storage"
)

// Store keeps records in PostgreSQL. Make one with [Open]. It is safe for
// concurrent use.
type Store struct {
	pool    *pgxpool.Pool
	reads   *pgxpool.Pool // for queries; the same or a replica's
	names   *names
	plan    sqlplan.Dialect
	turns   turns.Turns
	indexes *registry
	totals  totals

	notifier   *notifier
	background background
}

var (
	_ storage.Store         = (*Store)(nil)
	_ storage.ChangeLog     = (*Store)(nil)
	_ storage.Locker        = (*Store)(nil)
	_ storage.BulkCommitter = (*Store)(nil)
)

// Open makes a store of the database that a connection URL or a keyword/value
// string names. It returns an error for what can never work, such as a malformed
// URL, and connects when the store is first used: a database that is away now
// may come back.
//
// The URL may hold parameters of the pool, such as pool_max_conns, and settings
// for each session, such as search_path. [Store.Close] ends the connections.
func Open(ctx context.Context, url string, opts ...Option) (*Store, error) {
	o := options{prefix: DefaultTablePrefix, timeout: DefaultStatementTimeout}
	for _, opt := range opts {
		opt.apply(&o)
	}
	n, err := newNames(o.schema, o.prefix)
	if err != nil {
		return nil, err
	}
	s := &Store{names: n, plan: newDialect(n)}
	if s.pool, err = newPool(ctx, url, o); err != nil {
		return nil, err
	}
	s.reads = s.pool
	if o.replica != "" {
		if s.reads, err = newPool(ctx, o.replica, o); err != nil {
			s.pool.Close()
			return nil, err
		}
	}
	s.indexes = &registry{store: s}
	s.notifier = newNotifier(s)
	s.background.start(context.WithoutCancel(ctx))
	return s, nil
}

func newPool(ctx context.Context, url string, o options) (*pgxpool.Pool, error) {
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, fmt.Errorf("postgres: the connection URL cannot be used: %w", err) // pgx leaves the password out
	}
	session := config.ConnConfig.RuntimeParams
	setDefault(session, "application_name", "muster")
	setDefault(session, "default_transaction_isolation", "read committed")
	if o.timeout > 0 {
		setDefault(session, "statement_timeout", strconv.FormatInt(max(1, o.timeout.Milliseconds()), 10))
	}
	if config.ConnConfig.ConnectTimeout == 0 {
		config.ConnConfig.ConnectTimeout = connectTimeout
	}
	config.AfterConnect = func(_ context.Context, c *pgx.Conn) error {
		// For modes of execution that do not ask the database for the types of parameters.
		for name, value := range map[string]any{"timestamptz": instant{}, "_timestamptz": []instant{}, "uuid": &token{}, "_uuid": []*token{}} {
			c.TypeMap().RegisterDefaultPgType(value, name)
		}
		return nil
	}
	pool, err := pgxpool.NewWithConfig(context.WithoutCancel(ctx), config)
	if err != nil {
		return nil, fmt.Errorf("postgres: %w", err)
	}
	return pool, nil
}

// connectTimeout bounds making a connection where the URL does not.
const connectTimeout = 5 * time.Second

func setDefault(session map[string]string, name, value string) {
	if _, set := session[name]; !set {
		session[name] = value
	}
}

// Close ends all connections, waiting for calls under way.
func (s *Store) Close() error {
	s.background.end()
	s.pool.Close()
	if s.reads != s.pool {
		s.reads.Close()
	}
	return nil
}
