package postgres

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/musterhq/muster/storage"
)

// Conditions that the store acts upon (appendix A of PostgreSQL's manual).
const (
	uniqueViolation      = "23505"
	undefinedTable       = "42P01"
	divisionByZero       = "22012" // how a statement says that a guard does not hold
	serializationFailure = "40001"
	deadlockDetected     = "40P01"
	queryCanceled        = "57014" // by statement_timeout or lock_timeout
)

func code(err error) string {
	var e *pgconn.PgError
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

// again reports whether the database asks to do a transaction again.
func again(err error) bool {
	c := code(err)
	return c == serializationFailure || c == deadlockDetected
}

// outward turns an error of the driver into one of the contract.
func outward(ctx context.Context, err error) error {
	switch {
	case err == nil, isContract(err):
		return err
	case ctx.Err() != nil:
		return ctx.Err()
	case away(err):
		return fmt.Errorf("%w: %w", storage.ErrUnavailable, err)
	}
	return fmt.Errorf("postgres: %w", err)
}

func isContract(err error) bool {
	var c *storage.CommitError
	return errors.As(err, &c) || errors.Is(err, storage.ErrNotFound) || errors.Is(err, storage.ErrTooMany) ||
		errors.Is(err, storage.ErrUnsupported) || errors.Is(err, storage.ErrUnavailable)
}

// away reports whether the database is not there for now, or has no room.
func away(err error) bool {
	if c := code(err); c != "" {
		switch c[:2] {
		case "08", // connection exceptions
			"53": // insufficient resources: disk, memory, connections
			return true
		}
		// Shutdown, crash, starting up, a database that is being dropped; a standby
		// that was asked to write; and statements that took too long.
		return c == queryCanceled || strings.HasPrefix(c, "57P") || c == "25006" || again(err)
	}
	var connect *pgconn.ConnectError
	var network net.Error
	return errors.As(err, &connect) || errors.As(err, &network) || pgconn.SafeToRetry(err) || broken(err)
}

// broken reports whether a connection ended under a statement. pgconn names this
// in words only.
func broken(err error) bool {
	for _, words := range []string{"unexpected EOF", "EOF", "conn closed", "closed pool", "connection reset", "broken pipe"} {
		if strings.Contains(err.Error(), words) {
			return true
		}
	}
	return false
}
