package sqlite

import (
	"context"
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"time"

	"github.com/musterhq/muster/storage"
)

// log writes the changes of a batch, and the number of the last.
func (c *commit) log() error {
	for _, s := range c.order {
		ch := &s.change
		paths, err := encodePaths(ch.Paths)
		if err != nil {
			return err
		}
		if _, err := c.conn.exec(`INSERT INTO muster_changes
			(tenant, seq, type, id, connection, version, hidden, kind, paths, time, links_added, links_removed)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			c.Tenant, ch.Seq, ch.Type, ch.ID, s.after.connection, s.after.version, flag(s.after.hidden), ch.Kind, paths,
			ch.Time.UnixMicro(), int64(ch.LinksAdded), int64(ch.LinksRemoved)); err != nil {
			return err
		}
	}
	if len(c.order) == 0 {
		return nil
	}
	_, err := c.conn.exec("INSERT INTO muster_logs (tenant, last) VALUES (?, ?) ON CONFLICT DO UPDATE SET last = excluded.last",
		c.Tenant, c.last+int64(len(c.order)))
	return err
}

// logDelta writes one link of a change.
func (c *commit) logDelta(s *step, l link, added int64) error {
	_, err := c.conn.exec("INSERT INTO muster_change_links (tenant, seq, relation, target_type, target_id, added) VALUES (?, ?, ?, ?, ?, ?)",
		c.Tenant, s.change.Seq, l.relation, l.target.Type, l.target.ID, added)
	return err
}

func encodePaths(paths []string) (string, error) {
	if len(paths) == 0 {
		return "", nil
	}
	b, err := json.Marshal(paths)
	return string(b), err
}

func decodePaths(s string) (paths []string, err error) {
	if s == "" {
		return nil, nil
	}
	if err := json.Unmarshal([]byte(s), &paths); err != nil {
		return nil, fmt.Errorf("sqlite: the paths of a change are not what this package wrote: %w", err)
	}
	return paths, nil
}

// Changes implements [storage.ChangeLog].
func (s *Store) Changes(ctx context.Context, tenant string, after int64, limit int) (changes []storage.Change, err error) {
	err = s.read(ctx, func(c *conn) error {
		var bad error
		err := c.query(quiet{ctx}, `SELECT seq, type, id, connection, version, hidden, kind, paths, time, links_added, links_removed
			FROM muster_changes WHERE tenant = ? AND seq > ? ORDER BY seq LIMIT ?`, []any{tenant, after, int64(limit)},
			func(row []driver.Value) bool {
				ch := storage.Change{
					Seq: integer(row[0]), Ref: storage.Ref{Type: text(row[1]), ID: text(row[2])}, Connection: text(row[3]),
					Version: integer(row[4]), Hidden: integer(row[5]) != 0, Time: moment(row[8]),
					LinksAdded: int(integer(row[9])), LinksRemoved: int(integer(row[10])),
				}
				ch.Kind = text(row[6])
				ch.Paths, bad = decodePaths(text(row[7]))
				changes = append(changes, ch)
				return bad == nil
			})
		if err == nil {
			err = bad
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return changes, nil
}

// ChangedLinks implements [storage.ChangeLog].
func (s *Store) ChangedLinks(ctx context.Context, tenant string, seq int64, after storage.LinkDelta, limit int) (deltas []storage.LinkDelta, err error) {
	err = s.view(ctx, func(c *conn) error {
		change, err := c.first("SELECT 1 FROM muster_changes WHERE tenant = ? AND seq = ?", tenant, seq)
		if err != nil {
			return err
		}
		if change == nil {
			return storage.ErrNotFound
		}
		return c.query(quiet{ctx}, `SELECT relation, target_type, target_id, added FROM muster_change_links
			WHERE tenant = ? AND seq = ? AND (relation, target_type, target_id, added) > (?, ?, ?, ?)
			ORDER BY relation, target_type, target_id, added LIMIT ?`,
			[]any{tenant, seq, after.Relation, after.To.Type, after.To.ID, flag(!after.Removed), int64(limit)},
			func(row []driver.Value) bool {
				deltas = append(deltas, storage.LinkDelta{
					Relation: text(row[0]), To: storage.Ref{Type: text(row[1]), ID: text(row[2])}, Removed: integer(row[3]) == 0,
				})
				return true
			})
	})
	if err != nil {
		return nil, err
	}
	return deltas, nil
}

// TrimChanges implements [storage.ChangeLog]. It works in transactions of a
// bounded number of changes, so that it does not hold writers off for long.
func (s *Store) TrimChanges(ctx context.Context, tenant string, before time.Time) error {
	for {
		trimmed := 0
		err := s.write(ctx, func(ctx context.Context, c *conn) (err error) {
			trimmed, err = trim(ctx, c, tenant, before.Add(time.Microsecond-1).UnixMicro())
			return err
		})
		if err != nil || trimmed < chunk {
			return err
		}
	}
}

// trim forgets at most a chunk of changes. It returns how many.
func trim(ctx context.Context, c *conn, tenant string, before int64) (n int, err error) {
	var last int64
	err = c.query(quiet{ctx}, "SELECT seq, time FROM muster_changes WHERE tenant = ? ORDER BY seq LIMIT ?", []any{tenant, int64(chunk)},
		func(row []driver.Value) bool {
			if integer(row[1]) >= before {
				return false
			}
			last = integer(row[0])
			n++
			return true
		})
	if err != nil || n == 0 {
		return 0, err
	}
	if _, err := c.exec("DELETE FROM muster_change_links WHERE tenant = ? AND seq <= ?", tenant, last); err != nil {
		return 0, err
	}
	_, err = c.exec("DELETE FROM muster_changes WHERE tenant = ? AND seq <= ?", tenant, last)
	return n, err
}
