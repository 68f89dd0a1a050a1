package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/musterhq/muster/storage"
	"github.com/musterhq/muster/storage/memory"
	"github.com/musterhq/muster/storage/postgres"
	"github.com/musterhq/muster/storage/sqlite"
)

// open opens the store that the flag names.
func open(ctx context.Context, where string) (_ storage.Store, end func() error, err error) {
	kind, file, _ := strings.Cut(where, ":")
	switch kind {
	case "memory":
		return memory.New(), func() error { return nil }, nil
	case "sqlite":
		s, err := sqlite.Open(file)
		if err != nil {
			return nil, nil, err
		}
		return s, s.Close, nil
	case "postgres", "postgresql":
		s, err := postgres.Open(ctx, where)
		if err != nil {
			return nil, nil, err
		}
		if err := s.Migrate(ctx); err != nil {
			return nil, nil, errors.Join(err, s.Close())
		}
		return s, s.Close, nil
	}
	return nil, nil, fmt.Errorf("unknown store %q; there are memory, sqlite:FILE and postgres://USER@HOST:PORT/DB", kind)
}
