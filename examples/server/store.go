package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/musterhq/muster/storage"
	"github.com/musterhq/muster/storage/memory"
	"github.com/musterhq/muster/storage/postgres"
	"github.com/musterhq/muster/storage/sqlite"
)

// closer is a store that holds something that must be closed.
type closer interface {
	storage.Store
	io.Closer
}

// openStore opens the store that the flag names. A connection URL is handed on
// as it is.
func openStore(ctx context.Context, where string, migrate bool) (closer, error) {
	scheme, rest, _ := strings.Cut(where, ":")
	switch scheme {
	case "memory":
		return forgetful{memory.New()}, nil
	case "sqlite":
		var opts []sqlite.Option
		if !migrate {
			opts = append(opts, sqlite.WithoutMigration())
		}
		return sqlite.Open(rest, opts...)
	case "postgres", "postgresql":
		s, err := postgres.Open(ctx, where)
		if err != nil || !migrate {
			return s, err
		}
		if err := s.Migrate(ctx); err != nil {
			return nil, errors.Join(err, s.Close())
		}
		return s, nil
	}
	return nil, fmt.Errorf("unknown store %q; there are memory, sqlite:FILE and postgres://USER@HOST:PORT/DB", scheme)
}

// forgetful is a store with nothing to close.
type forgetful struct{ *memory.Store }

func (forgetful) Close() error { return nil }
