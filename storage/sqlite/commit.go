package sqlite

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"github.com/musterhq/muster/storage"
)

// Commit implements [storage.Store].
func (s *Store) Commit(ctx context.Context, b *storage.Batch) (res *storage.CommitResult, err error) {
	c := &commit{Batch: b, store: s}
	if err := s.write(ctx, c.run); err != nil {
		return nil, err
	}
	if len(c.order) > 0 {
		s.watch.wake(b.Tenant)
	}
	return c.result, nil
}

// CommitEach implements [storage.BulkCommitter]: the batches are one write to
// disk.
func (s *Store) CommitEach(ctx context.Context, batches []*storage.Batch) ([]*storage.CommitResult, []error) {
	results, errs := make([]*storage.CommitResult, len(batches)), make([]error, len(batches))
	commits := make([]*commit, len(batches))
	err := s.write(ctx, func(ctx context.Context, conn *conn) error {
		for i, b := range batches {
			c := &commit{Batch: b, store: s}
			commits[i] = c
			if _, err := conn.exec("SAVEPOINT batch"); err != nil {
				return err
			}
			if errs[i] = c.run(ctx, conn); errs[i] != nil {
				if !ofTheJob(&job{ctx: ctx}, errs[i]) {
					return errs[i]
				}
				if _, err := conn.exec("ROLLBACK TO batch"); err != nil {
					return err
				}
			}
			if _, err := conn.exec("RELEASE batch"); err != nil {
				return err
			}
		}
		return nil
	})
	for i, c := range commits {
		switch {
		case err != nil:
			errs[i] = err
		case errs[i] == nil:
			results[i] = c.result
			if len(c.order) > 0 {
				s.watch.wake(c.Tenant)
			}
		}
	}
	return results, errs
}

// commit is one batch on its way through a transaction. Its rules are those of
// package kv, in the same order, except that records are written before the
// links: so what links ask of the database is the state after all puts and
// deletes.
type commit struct {
	*storage.Batch
	store *Store
	ctx   context.Context
	conn  *conn

	steps  map[storage.Ref]*step
	order  []*step   // of the change log
	last   int64     // number of the last change before the batch
	time   time.Time // of the batch, as it is kept
	births population
	result *storage.CommitResult
}

// step is the one write that a batch makes of one record, however many reasons
// it has.
type step struct {
	before *head // nil: it is new
	after  head  // with its new version; of a deleted record, as it was
	change storage.Change

	put, deleted bool
	described    bool // the change's description comes from the caller
}

// head is what writes need to know of a record.
type head struct {
	connection string
	version    int64
	hidden     bool
	created    any
	modified   time.Time
}

// population counts records that came and went.
type population map[crowd]int

// crowd is what records are counted by.
type crowd struct {
	typ, connection string
	hidden          bool
}

func (c *commit) run(ctx context.Context, conn *conn) error {
	c.ctx, c.conn = ctx, conn
	c.time = c.Time.UTC().Truncate(time.Microsecond)
	c.steps, c.order, c.births = map[storage.Ref]*step{}, nil, population{}
	c.result = &storage.CommitResult{}
	row, err := conn.first("SELECT last FROM muster_logs WHERE tenant = ?", c.Tenant)
	if err != nil {
		return err
	}
	c.last = 0
	if row != nil {
		c.last = integer(row[0])
	}
	for _, rule := range []func() error{c.writeRecords, c.dropLinks, c.editLinks, c.log, c.count} {
		if err := rule(); err != nil {
			return err
		}
	}
	return nil
}

// change is a record to be written, with its keys.
type change struct {
	*step
	ref      storage.Ref
	record   *storage.Record // nil: deleted
	old, new keySet
	columns  columns
	keys     []byte // encoded; nil: as before
}

// writeRecords: records that are deleted and put are as the batch expects, and
// take effect with their keys.
func (c *commit) writeRecords() error {
	changes := make([]change, 0, len(c.Deletes)+len(c.Puts))
	for _, d := range c.Deletes {
		ch, err := c.delete(d)
		if err != nil {
			return err
		}
		changes = append(changes, ch)
	}
	for _, p := range c.Puts {
		ch, err := c.put(p)
		if err != nil {
			return err
		}
		changes = append(changes, ch)
	}
	for i := range changes { // all keys are freed before any is taken, so that records may swap them
		if err := c.freeKeys(&changes[i]); err != nil {
			return err
		}
	}
	for i := range changes {
		if err := c.takeKeys(&changes[i]); err != nil {
			return err
		}
		if err := c.writeRow(&changes[i]); err != nil {
			return err
		}
	}
	return nil
}

// delete: the record exists, and has the version asked for.
func (c *commit) delete(d storage.Delete) (ch change, err error) {
	before, keys, err := c.load(d.Ref)
	switch {
	case err != nil:
		return ch, err
	case before == nil:
		return ch, &storage.CommitError{Err: storage.ErrNotFound, Ref: d.Ref}
	case d.IfVersion != 0 && d.IfVersion != before.version:
		return ch, &storage.CommitError{Err: storage.ErrConflict, Ref: d.Ref}
	}
	ch = change{step: &step{before: before, after: *before, deleted: true, described: true}, ref: d.Ref}
	ch.old, err = decodeKeys(keys)
	c.addStep(d.Ref, ch.step, d.Change)
	c.births[crowd{d.Type, before.connection, before.hidden}]--
	return ch, err
}

// put: the state before is as asked for; the version steps once, and Created
// stays.
func (c *commit) put(p storage.Put) (ch change, err error) {
	r := p.Record
	before, keys, err := c.load(r.Ref)
	if err != nil {
		return ch, err
	}
	if p.IfAbsent && before != nil || p.IfVersion != 0 && (before == nil || before.version != p.IfVersion) {
		return ch, &storage.CommitError{Err: storage.ErrConflict, Ref: r.Ref}
	}
	if err := c.store.indexes.agree(c.conn, r); err != nil {
		return ch, err
	}
	after := head{connection: r.Connection, version: 1, hidden: r.Hidden, created: micros(r.Created), modified: c.time}
	if before != nil {
		after.version, after.created = before.version+1, before.created
		c.births[crowd{r.Type, before.connection, before.hidden}]--
	}
	c.births[crowd{r.Type, r.Connection, r.Hidden}]++
	ch = change{step: &step{before: before, after: after, put: true, described: true}, ref: r.Ref, record: r}
	ch.new, ch.columns = keysOf(r)
	if before != nil && len(r.Index) == 0 && r.IndexedFor() == nil {
		if err := c.keepIndex(&ch, keys); err != nil {
			return ch, err
		}
	}
	if encoded := ch.new.encode(); before == nil || !bytes.Equal(encoded, keys) {
		ch.keys = encoded
		if before != nil {
			ch.old, err = decodeKeys(keys)
		}
	}
	c.addStep(r.Ref, ch.step, p.Change)
	c.result.Puts = append(c.result.Puts, after.version)
	return ch, err
}

// keepIndex leaves the index of a record alone that was read from a store and
// is put back, which has none: it follows from the document, which is the same.
func (c *commit) keepIndex(ch *change, keys []byte) error {
	row, err := c.conn.first(`SELECT user_name, external_id, display_name, active
		FROM muster_records WHERE tenant = ? AND type = ? AND id = ? AND doc = ?`, c.Tenant, ch.ref.Type, ch.ref.ID, ch.record.Doc)
	if err != nil || row == nil {
		return err
	}
	old, err := decodeKeys(keys)
	if err != nil {
		return err
	}
	ch.new.entries = old.entries
	for i, column := range []*any{&ch.columns.userName, &ch.columns.externalID, &ch.columns.displayName, &ch.columns.active} {
		if key, ok := row[i].(string); ok {
			*column = key
		}
	}
	return nil
}

// load reads what a write needs to know of a record, nil when there is none, and
// its keys.
func (c *commit) load(ref storage.Ref) (*head, []byte, error) {
	row, err := c.conn.first(`SELECT connection, version, hidden, created, modified, keys
		FROM muster_records WHERE tenant = ? AND type = ? AND id = ?`, c.Tenant, ref.Type, ref.ID)
	if err != nil || row == nil {
		return nil, nil, err
	}
	h := &head{connection: text(row[0]), version: integer(row[1]), hidden: integer(row[2]) != 0, modified: moment(row[4])}
	if us, ok := row[3].(int64); ok {
		h.created = us
	}
	return h, blob(row[5]), nil
}

func (c *commit) addStep(ref storage.Ref, s *step, info storage.ChangeInfo) {
	c.steps[ref] = s
	c.order = append(c.order, s)
	s.change = storage.Change{Seq: c.last + int64(len(c.order)), Ref: ref, ChangeInfo: info, Time: c.Time}
}

func (c *commit) freeKeys(ch *change) error {
	if ch.put && ch.keys == nil {
		return nil
	}
	gone := ch.old.without(ch.new)
	for _, u := range gone.unique {
		if _, err := c.conn.exec("DELETE FROM muster_unique_keys WHERE tenant = ? AND type = ? AND attr = ? AND key = ?",
			c.Tenant, ch.ref.Type, u.Attr, u.Key); err != nil {
			return err
		}
	}
	return deleteEntries(c.conn, c.Tenant, ch.ref, gone.entries)
}

// takeKeys: no two records of a type hold the same unique key, hidden or not.
func (c *commit) takeKeys(ch *change) error {
	if ch.keys == nil {
		return nil
	}
	taken := ch.new.without(ch.old)
	for _, u := range taken.unique {
		n, err := c.conn.exec("INSERT INTO muster_unique_keys (tenant, type, attr, key, id) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
			c.Tenant, ch.ref.Type, u.Attr, u.Key, ch.ref.ID)
		if err != nil {
			return err
		}
		if n == 0 {
			return c.notUnique(ch.ref, u)
		}
	}
	return insertEntries(c.conn, c.Tenant, ch.ref, taken.entries)
}

func deleteEntries(conn *conn, tenant string, ref storage.Ref, entries []entry) error {
	for _, e := range entries {
		if _, err := conn.exec("DELETE FROM muster_entries WHERE tenant = ? AND type = ? AND attr = ? AND key = ? AND qualifier = ? AND id = ?",
			tenant, ref.Type, e.attr, e.key, e.qualifier, ref.ID); err != nil {
			return err
		}
	}
	return nil
}

func insertEntries(conn *conn, tenant string, ref storage.Ref, entries []entry) error {
	for _, e := range entries {
		if _, err := conn.exec("INSERT INTO muster_entries (tenant, type, attr, key, qualifier, id) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
			tenant, ref.Type, e.attr, e.key, e.qualifier, ref.ID); err != nil {
			return err
		}
	}
	return nil
}

// notUnique names the holder of a key, unless the same batch puts it.
func (c *commit) notUnique(ref storage.Ref, u storage.UniqueKey) error {
	row, err := c.conn.first("SELECT id FROM muster_unique_keys WHERE tenant = ? AND type = ? AND attr = ? AND key = ?", c.Tenant, ref.Type, u.Attr, u.Key)
	if err != nil {
		return err
	}
	e := &storage.CommitError{Err: storage.ErrNotUnique, Ref: ref, Attr: u.Attr}
	if holder := (storage.Ref{Type: ref.Type, ID: text(row[0])}); c.steps[holder] == nil {
		if e.Holder, err = get(c.conn, c.Tenant, holder); err != nil {
			return err
		}
	}
	return e
}

// writeRow writes the row of a record. Keys that are as before are left alone.
func (c *commit) writeRow(ch *change) error {
	ref, r, a, cols := ch.ref, ch.record, &ch.after, &ch.columns
	var err error
	switch {
	case ch.deleted:
		_, err = c.conn.exec("DELETE FROM muster_records WHERE tenant = ? AND type = ? AND id = ?", c.Tenant, ref.Type, ref.ID)
	case ch.before == nil:
		_, err = c.conn.exec(`INSERT INTO muster_records (tenant, type, id, connection, version, created, modified, hidden, label,
			user_name, external_id, display_name, active, keys, doc)
			VALUES (?, ?, ?, ?, ?, coalesce(?, x''), coalesce(?, x''), ?, ?, coalesce(?, x''), coalesce(?, x''), coalesce(?, x''), coalesce(?, x''), ?, ?)`,
			c.Tenant, ref.Type, ref.ID, a.connection, a.version, a.created, micros(a.modified), flag(a.hidden), r.Label,
			cols.userName, cols.externalID, cols.displayName, cols.active, ch.keys, r.Doc)
	default:
		_, err = c.conn.exec(`UPDATE muster_records SET connection = ?, version = ?, modified = coalesce(?, x''), hidden = ?, label = ?,
			user_name = coalesce(?, x''), external_id = coalesce(?, x''), display_name = coalesce(?, x''), active = coalesce(?, x''),
			keys = coalesce(?, keys), doc = ? WHERE tenant = ? AND type = ? AND id = ?`,
			a.connection, a.version, micros(a.modified), flag(a.hidden), r.Label,
			cols.userName, cols.externalID, cols.displayName, cols.active, nilBlob(ch.keys), r.Doc, c.Tenant, ref.Type, ref.ID)
	}
	return err
}

// nilBlob makes no bytes a null.
func nilBlob(b []byte) any {
	if b == nil {
		return nil
	}
	return b
}

// touch is the step of a record that a change of its links takes effect on. A
// record that the batch writes anyway has its step already.
func (c *commit) touch(ref storage.Ref) (*step, error) {
	if s := c.steps[ref]; s != nil {
		return s, nil
	}
	row, err := c.conn.first(`UPDATE muster_records SET version = version + 1, modified = coalesce(?, x'')
		WHERE tenant = ? AND type = ? AND id = ? RETURNING connection, version, hidden`, micros(c.time), c.Tenant, ref.Type, ref.ID)
	if err != nil {
		return nil, err
	}
	if row == nil { // links of a record go with it, so somebody wrote to the tables
		return nil, fmt.Errorf("sqlite: %s/%s has links and does not exist", ref.Type, ref.ID)
	}
	s := &step{}
	s.after = head{connection: text(row[0]), version: integer(row[1]), hidden: integer(row[2]) != 0, modified: c.time}
	before := s.after
	before.version--
	s.before = &before
	c.addStep(ref, s, storage.ChangeInfo{Kind: storage.KindUnlinked})
	return s, nil
}

// count keeps the populations.
func (c *commit) count() error {
	for k, n := range c.births {
		if n == 0 {
			continue
		}
		if _, err := c.conn.exec(`INSERT INTO muster_populations (tenant, type, connection, hidden, n) VALUES (?, ?, ?, ?, ?)
			ON CONFLICT DO UPDATE SET n = n + excluded.n`, c.Tenant, k.typ, k.connection, flag(k.hidden), int64(n)); err != nil {
			return err
		}
	}
	return nil
}
