package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"time"

	"github.com/musterhq/muster/scim/schema"
	"github.com/musterhq/muster/storage"
)

// Records that were written before their type indexed an attribute are indexed
// in the background, some at a time.

const (
	// reindexChunk is how many records are indexed in one transaction.
	reindexChunk = 200
	// reindexPause is how long others have the writer's place in between.
	reindexPause = 5 * time.Millisecond
	// reindexRetry is how long to wait after a failure.
	reindexRetry = 10 * time.Second
)

// inBackground runs f until the store is closed. It returns false when it is.
func (s *Store) inBackground(f func(context.Context)) bool {
	s.background.Lock()
	defer s.background.Unlock()
	if s.closing.Err() != nil {
		return false
	}
	s.tasks.Go(func() { f(s.closing) })
	return true
}

// indexInBackground completes the indexes of a type, once for each store: with
// two programs that index different attributes and write to one file, it would
// not come to an end.
func (s *Store) indexInBackground(t *schema.Type) {
	x := &s.indexes
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.begun[t] {
		return
	}
	if x.begun == nil || len(x.begun) >= maxTypes {
		x.begun = map[*schema.Type]bool{}
	}
	x.begun[t] = s.inBackground(func(ctx context.Context) {
		for {
			err := s.reindex(ctx, t)
			if !errors.Is(err, storage.ErrUnavailable) && !errors.Is(err, errDisagreed) {
				return
			}
			if pause(ctx, reindexRetry) != nil {
				return
			}
		}
	})
}

// errDisagreed says that the list of indexes changed meanwhile.
var errDisagreed = errors.New("sqlite: the indexes of the type are not those of all who write")

// reindex writes the keys of all records of a type and marks its indexes as
// complete.
func (s *Store) reindex(ctx context.Context, t *schema.Type) error {
	var began int64
	var tenants []string
	err := s.write(ctx, func(ctx context.Context, c *conn) (err error) {
		if began, err = generation(c); err != nil {
			return err
		}
		if began, err = agree(c, t, began); err != nil {
			return err
		}
		tenants = nil
		return c.query(quiet{ctx}, "SELECT DISTINCT tenant FROM muster_populations WHERE type = ? AND n > 0", []any{t.Name()}, func(row []driver.Value) bool {
			tenants = append(tenants, text(row[0]))
			return true
		})
	})
	if err != nil {
		return err
	}
	for _, tenant := range tenants {
		if err := s.reindexTenant(ctx, tenant, t); err != nil {
			return err
		}
	}
	return s.write(ctx, func(_ context.Context, c *conn) error {
		now, err := generation(c)
		if err != nil {
			return err
		}
		if now != began {
			return errDisagreed
		}
		if _, err := c.exec("UPDATE muster_indexes SET complete = 1 WHERE type = ?", t.Name()); err != nil {
			return err
		}
		_, err = nextGeneration(c)
		return err
	})
}

func (s *Store) reindexTenant(ctx context.Context, tenant string, t *schema.Type) error {
	after := ""
	for {
		var stale []staleRecord
		next := after
		err := s.write(ctx, func(ctx context.Context, c *conn) (err error) {
			if stale, err = readStale(ctx, c, tenant, t, after); err != nil {
				return err
			}
			for _, r := range stale {
				if err := r.reindex(c, tenant, t); err != nil {
					return err
				}
				next = r.ID
			}
			return nil
		})
		if err != nil || len(stale) < reindexChunk {
			return err
		}
		after = next
		if err := pause(ctx, reindexPause); err != nil {
			return err
		}
	}
}

// staleRecord is a record with its keys as they were written.
type staleRecord struct {
	*storage.Record
	keys []byte
}

func readStale(ctx context.Context, c *conn, tenant string, t *schema.Type, after string) (stale []staleRecord, err error) {
	err = c.query(quiet{ctx}, `SELECT id, connection, version, created, modified, hidden, label, doc, keys
		FROM muster_records WHERE tenant = ? AND type = ? AND id > ? ORDER BY id LIMIT ?`,
		[]any{tenant, t.Name(), after, int64(reindexChunk)}, func(row []driver.Value) bool {
			stale = append(stale, staleRecord{scanRecord(t.Name(), row), blob(row[recordColumns])})
			return true
		})
	return stale, err
}

// reindex writes the record's keys anew. What it claims as unique stays.
func (r staleRecord) reindex(c *conn, tenant string, t *schema.Type) error {
	res, err := r.Resource(t)
	if err != nil {
		return err
	}
	old, err := decodeKeys(r.keys)
	if err != nil {
		return err
	}
	keys, cols := keysOf(storage.NewRecord(res, r.Connection))
	keys.unique = old.unique
	if err := deleteEntries(c, tenant, r.Ref, old.without(keys).entries); err != nil {
		return err
	}
	if err := insertEntries(c, tenant, r.Ref, keys.without(old).entries); err != nil {
		return err
	}
	_, err = c.exec(`UPDATE muster_records SET user_name = coalesce(?, x''), external_id = coalesce(?, x''), display_name = coalesce(?, x''),
		active = coalesce(?, x''), keys = ? WHERE tenant = ? AND type = ? AND id = ?`,
		cols.userName, cols.externalID, cols.displayName, cols.active, keys.encode(), tenant, r.Type, r.ID)
	return err
}

func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
