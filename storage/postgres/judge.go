package postgres

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/musterhq/muster/storage"
)

const (
	// lock locks records and tells how they are. A statement locks in the order of
	// its rows.
	lockSQL = `
SELECT r.type, r.id, r.connection, r.version, r.created, r.modified, r.hidden
FROM {records} r, unnest($2::text[], $3::text[]) AS n(type, id)
WHERE r.tenant = $1 AND r.type = n.type AND r.id = n.id
ORDER BY r.type, r.id `
	lockToLinkSQL   = lockSQL + `FOR KEY SHARE OF r`
	lockToWriteSQL  = lockSQL + `FOR NO KEY UPDATE OF r`
	lockToRemoveSQL = lockSQL + `FOR UPDATE OF r` // holds off who links to them

	// owners are the owners of links to records.
	ownersSQL = `
SELECT DISTINCT l.owner_type, l.owner_id
FROM {links} l, unnest($2::text[], $3::text[]) AS n(type, id)
WHERE l.tenant = $1 AND l.target_type = n.type AND l.target_id = n.id`

	// holders are the records that hold unique keys.
	holdersSQL = `
SELECT u.type, u.attr, u.key, u.id
FROM {uniques} u, unnest($2::text[], $3::text[], $4::text[]) AS n(type, attr, key)
WHERE u.tenant = $1 AND u.type = n.type AND u.attr = n.attr AND u.key = n.key`

	// dropOutgoing removes the links of owners, noted under their tokens.
	dropOutgoingSQL = `
WITH gone AS (
	DELETE FROM {links} l
	USING unnest($2::text[], $3::text[], $4::uuid[]) AS n(type, id, token)
	WHERE l.tenant = $1 AND l.owner_type = n.type AND l.owner_id = n.id
	RETURNING n.token, l.relation, l.target_type, l.target_id
)` + noteDropped

	// dropIncoming removes the links to targets $2 and $3, noted under the tokens of
	// their owners $4 to $6.
	dropIncomingSQL = `
WITH gone AS (
	DELETE FROM {links} l
	USING unnest($2::text[], $3::text[]) AS n(type, id), unnest($4::text[], $5::text[], $6::uuid[]) AS o(type, id, token)
	WHERE l.tenant = $1 AND l.target_type = n.type AND l.target_id = n.id AND l.owner_type = o.type AND l.owner_id = o.id
	RETURNING o.token, l.relation, l.target_type, l.target_id
)` + noteDropped

	noteDropped = `
INSERT INTO {change_links} (token, relation, target_type, target_id, added)
SELECT g.token, g.relation, g.target_type, g.target_id, false FROM gone g`
)

// errOwners says that records got links from owners that are not locked. Locking
// them now could be a deadlock.
var errOwners = errors.New("postgres: more owners")

// step is what a batch does to one record.
type step struct {
	ref        storage.Ref
	before     *held // nil: it is new
	connection string
	version    int64
	hidden     bool
	time       time.Time
	change     storage.ChangeInfo
	token      *token

	put, deleted bool
	stepped      bool
}

// gone reports whether clients know of the record no more.
func (s *step) gone() bool { return s.deleted || s.hidden }

// held is a locked record.
type held struct {
	connection        string
	version           int64
	created, modified time.Time
	hidden            bool
}

// judgement is one batch on its way through a transaction.
type judgement struct {
	*storage.Batch
	ctx     context.Context
	store   *Store
	conn    *pgxpool.Conn
	owners  map[storage.Ref]bool // of links to what is deleted or hidden
	steps   map[storage.Ref]*step
	order   []*step // in the order of the batch, then owners
	holders map[uniqueName]storage.Ref

	generation int64 // of the list of indexes
}

type uniqueName struct{ typ, attr, key string }

// judged locks what the batch concerns, judges it, and writes it.
func (s *Store) judged(ctx context.Context, b *storage.Batch, owners map[storage.Ref]bool) (*storage.CommitResult, error) {
	generation, err := s.indexes.agree(ctx, b.Puts)
	if err != nil {
		return nil, err
	}
	conn, err := s.pool.Acquire(ctx)
	if err != nil {
		return nil, err
	}
	defer conn.Release()
	j := &judgement{Batch: b, ctx: ctx, store: s, conn: conn, owners: owners, generation: generation, steps: map[storage.Ref]*step{}, holders: map[uniqueName]storage.Ref{}}
	res, err := j.run()
	if err != nil {
		j.rollback()
		return nil, err
	}
	return res, nil
}

func (j *judgement) run() (*storage.CommitResult, error) {
	if err := j.findOwners(); err != nil {
		return nil, err
	}
	if err := j.lock(); err != nil {
		return nil, err
	}
	if err := j.judge(); err != nil {
		return nil, err
	}
	return j.write()
}

// rollback ends the transaction. Where the connection broke, there is none.
func (j *judgement) rollback() {
	if j.conn.Conn().IsClosed() || j.conn.Conn().PgConn().TxStatus() == 'I' {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(j.ctx), 5*time.Second)
	defer cancel()
	j.conn.Exec(ctx, "ROLLBACK") // the pool closes a connection that is still in a transaction
}

func (j *judgement) queue() *queue {
	return &queue{Batch: &pgx.Batch{}, names: j.store.names, tenant: j.Tenant}
}

func (j *judgement) send(q *queue) error { return j.conn.SendBatch(j.ctx, q.Batch).Close() }

// leaving are the records that the batch deletes or puts as hidden.
func (j *judgement) leaving() (r refs) {
	for _, d := range j.Deletes {
		r.add(d.Ref)
	}
	for _, p := range j.Puts {
		if p.Record.Hidden {
			r.add(p.Record.Ref)
		}
	}
	return r
}

func (j *judgement) queueOwners(q *queue, found func(storage.Ref)) {
	if r := j.leaving(); len(r.ids) > 0 {
		q.add(q.names.sql(ownersSQL), r.types, r.ids).Query(func(rows pgx.Rows) error {
			var owner storage.Ref
			_, err := pgx.ForEachRow(rows, []any{&owner.Type, &owner.ID}, func() error { found(owner); return nil })
			return err
		})
	}
}

// findOwners begins the transaction and finds who will lose links, so that all
// locks can be taken in order.
func (j *judgement) findOwners() error {
	q := j.queue()
	q.Queue("BEGIN")
	j.queueOwners(q, func(owner storage.Ref) { j.owners[owner] = true })
	if q.Len() == 1 {
		return nil // begun with the locks
	}
	return j.send(q)
}

// strength is how a record is locked.
type strength int

const (
	toLink strength = iota
	toWrite
	toRemove
)

var lockSQLs = [...]string{toLink: lockToLinkSQL, toWrite: lockToWriteSQL, toRemove: lockToRemoveSQL}

// lock locks all records that the batch concerns, in the order of their
// references, and reads who holds the unique keys.
func (j *judgement) lock() error {
	want := map[storage.Ref]strength{}
	for i := range j.Links {
		for _, to := range targetsBefore(&j.Links[i]) {
			want[to] = toLink
		}
	}
	for owner := range j.owners {
		want[owner] = toWrite
	}
	for _, e := range j.Links {
		want[e.Owner] = toWrite
	}
	for _, p := range j.Puts {
		want[p.Record.Ref] = toWrite
	}
	leaving := j.leaving()
	for i, id := range leaving.ids {
		want[storage.Ref{Type: leaving.types[i], ID: id}] = toRemove
	}
	q := j.queue()
	if j.conn.Conn().PgConn().TxStatus() == 'I' {
		q.Queue("BEGIN")
	}
	locked := map[storage.Ref]*held{}
	sorted := slices.SortedFunc(maps.Keys(want), storage.Ref.Compare)
	for len(sorted) > 0 {
		n := 1
		for n < len(sorted) && want[sorted[n]] == want[sorted[0]] {
			n++
		}
		j.queueLocks(q, sorted[:n], want[sorted[0]], locked)
		sorted = sorted[n:]
	}
	more := false
	j.queueOwners(q, func(owner storage.Ref) {
		if !j.owners[owner] {
			j.owners[owner], more = true, true
		}
	})
	j.queueHolders(q)
	if err := j.send(q); err != nil {
		return err
	}
	if more {
		return errOwners
	}
	for ref := range want {
		s := &step{ref: ref, before: locked[ref], time: j.Time}
		if b := s.before; b != nil {
			s.connection, s.version, s.hidden = b.connection, b.version, b.hidden
		}
		j.steps[ref] = s
	}
	return nil
}

func (j *judgement) queueLocks(q *queue, list []storage.Ref, how strength, locked map[storage.Ref]*held) {
	c := columnsOf(list)
	q.add(q.names.sql(lockSQLs[how]), c.types, c.ids).Query(func(rows pgx.Rows) error {
		for rows.Next() {
			var ref storage.Ref
			var h held
			var created, modified instant
			if err := rows.Scan(&ref.Type, &ref.ID, &h.connection, &h.version, &created, &modified, &h.hidden); err != nil {
				return err
			}
			h.created, h.modified = created.Time, modified.Time
			locked[ref] = &h
		}
		return rows.Err()
	})
}

func (j *judgement) queueHolders(q *queue) {
	var types, attrs, keys []string
	for _, p := range j.Puts {
		for _, u := range p.Record.Unique {
			types, attrs, keys = append(types, p.Record.Type), append(attrs, u.Attr), append(keys, u.Key)
		}
	}
	if len(keys) == 0 {
		return
	}
	q.add(q.names.sql(holdersSQL), types, attrs, keys).Query(func(rows pgx.Rows) error {
		var u uniqueName
		var id string
		_, err := pgx.ForEachRow(rows, []any{&u.typ, &u.attr, &u.key, &id}, func() error {
			j.holders[u] = storage.Ref{Type: u.typ, ID: id}
			return nil
		})
		return err
	})
}

// judge looks at every demand of the batch that does not hang on links.
func (j *judgement) judge() error {
	for _, d := range j.Deletes {
		s := j.steps[d.Ref]
		switch {
		case s.before == nil:
			return &storage.CommitError{Err: storage.ErrNotFound, Ref: d.Ref}
		case d.IfVersion != 0 && d.IfVersion != s.before.version:
			return &storage.CommitError{Err: storage.ErrConflict, Ref: d.Ref}
		}
		s.deleted, s.change = true, d.Change
		j.step(s)
	}
	for _, p := range j.Puts {
		s := j.steps[p.Record.Ref]
		if p.IfAbsent && s.before != nil || p.IfVersion != 0 && (s.before == nil || s.before.version != p.IfVersion) {
			return &storage.CommitError{Err: storage.ErrConflict, Ref: s.ref}
		}
		s.put, s.change = true, p.Change
		s.connection, s.hidden = p.Record.Connection, p.Record.Hidden
		s.version++
		j.step(s)
	}
	if err := j.judgeKeys(); err != nil {
		return err
	}
	for _, e := range j.Links {
		s := j.steps[e.Owner]
		switch {
		case s.gone() || s.before == nil && !s.put || e.IfConnection != "" && s.connection != e.IfConnection:
			return &storage.CommitError{Err: storage.ErrNotFound, Ref: e.Owner}
		case e.IfVersion != 0 && (s.before == nil || s.before.version != e.IfVersion):
			return &storage.CommitError{Err: storage.ErrConflict, Ref: e.Owner}
		}
	}
	return nil
}

// step notes that the batch takes effect on a record.
func (j *judgement) step(s *step) {
	if !s.stepped {
		s.stepped = true
		j.order = append(j.order, s)
	}
}

// judgeKeys finds a record that holds a key which is to be another's, after the
// batch.
func (j *judgement) judgeKeys() error {
	taken := map[uniqueName]bool{}
	for _, p := range j.Puts {
		ref := p.Record.Ref
		for _, u := range p.Record.Unique {
			name := uniqueName{ref.Type, u.Attr, u.Key}
			if taken[name] {
				return &storage.CommitError{Err: storage.ErrNotUnique, Ref: ref, Attr: u.Attr}
			}
			taken[name] = true
			holder, held := j.holders[name]
			if s := j.steps[holder]; !held || s != nil && (s.put || s.deleted) {
				continue // it gives the key up, or has it twice
			}
			rec, err := j.store.get(j.ctx, j.conn, j.Tenant, holder)
			if err != nil {
				return err
			}
			return &storage.CommitError{Err: storage.ErrNotUnique, Ref: ref, Attr: u.Attr, Holder: rec}
		}
	}
	return nil
}

// write makes the changes. The log comes in a second round trip, since what it
// says hangs on what the first one did.
func (j *judgement) write() (*storage.CommitResult, error) {
	res := &storage.CommitResult{Links: make([]storage.LinkResult, len(j.Links))}
	q := j.queue()
	var gone refs
	for _, d := range j.Deletes {
		gone.add(d.Ref)
	}
	q.remove(gone)
	records := make([]write, len(j.Puts))
	for i, p := range j.Puts {
		records[i] = write{Record: p.Record, at: j.Time}
		if b := j.steps[p.Record.Ref].before; b != nil {
			records[i].version = b.version
		}
	}
	q.put(records, j.generation)
	j.queueDrops(q)
	for i := range j.Links {
		e := &j.Links[i]
		q.edit(e, j.token(e.Owner), false, &res.Links[i])
	}
	j.queueBump(q)
	if err := j.send(q); err != nil {
		return nil, err
	}
	for i, e := range j.Links {
		if missing := res.Links[i].Dropped; e.Missing == storage.MissingReject && len(missing) > 0 {
			return nil, &storage.CommitError{Err: storage.ErrMissingTarget, Ref: missing[0]}
		}
	}
	j.describe(res)

	q = j.queue()
	q.log(j.order)
	q.Queue("COMMIT")
	if err := j.send(q); err != nil {
		return nil, err
	}
	return j.tell(res), nil
}

// token returns the token of a record's change.
func (j *judgement) token(ref storage.Ref) *token {
	s := j.steps[ref]
	if s.token == nil {
		t := newToken()
		s.token = &t
	}
	return s.token
}

// queueDrops removes the links of records that are deleted or hidden.
func (j *judgement) queueDrops(q *queue) {
	leaving := j.leaving()
	if len(leaving.ids) == 0 {
		return
	}
	tokens := make([]*token, len(leaving.ids))
	for i, id := range leaving.ids {
		tokens[i] = j.token(storage.Ref{Type: leaving.types[i], ID: id})
	}
	q.add(q.names.sql(dropOutgoingSQL), leaving.types, leaving.ids, tokens)
	if len(j.owners) > 0 {
		var owners refs
		tokens = nil
		for owner := range j.owners {
			owners.add(owner)
			tokens = append(tokens, j.token(owner))
		}
		q.add(q.names.sql(dropIncomingSQL), leaving.types, leaving.ids, owners.types, owners.ids, tokens)
	}
}

// queueBump lets the records step that are not put and whose links changed.
func (j *judgement) queueBump(q *queue) {
	var owners refs
	var tokens []*token
	var times []instant
	for _, ref := range slices.SortedFunc(maps.Keys(j.steps), storage.Ref.Compare) {
		if s := j.steps[ref]; s.token != nil && !s.put && !s.deleted {
			owners.add(ref)
			tokens, times = append(tokens, s.token), append(times, instant{j.Time})
		}
	}
	if len(tokens) == 0 {
		return
	}
	q.add(q.names.sql(bumpSQL), owners.types, owners.ids, tokens, times).Query(func(rows pgx.Rows) error {
		for rows.Next() {
			var ref storage.Ref
			var version int64
			if err := rows.Scan(&ref.Type, &ref.ID, &version); err != nil {
				return err
			}
			s := j.steps[ref]
			s.version = version
			s.change = storage.ChangeInfo{Kind: storage.KindUnlinked} // unless an edit describes it
			j.step(s)
		}
		return rows.Err()
	})
}

// describe lets the first edit of an owner that changed something describe its
// change.
func (j *judgement) describe(res *storage.CommitResult) {
	described := map[storage.Ref]bool{}
	for i, e := range j.Links {
		r, s := &res.Links[i], j.steps[e.Owner]
		if r.Added+r.Removed > 0 && !s.put && !described[e.Owner] {
			described[e.Owner] = true
			s.change = e.Change
		}
	}
}

// tell completes the result.
func (j *judgement) tell(res *storage.CommitResult) *storage.CommitResult {
	for _, p := range j.Puts {
		res.Puts = append(res.Puts, j.steps[p.Record.Ref].version)
	}
	for i, e := range j.Links {
		s := j.steps[e.Owner]
		r := &res.Links[i]
		r.Version, r.Modified = s.version, j.Time.UTC().Truncate(time.Microsecond)
		if !s.stepped {
			r.Modified = s.before.modified
		}
	}
	if len(res.Links) == 0 {
		res.Links = nil
	}
	return res
}
