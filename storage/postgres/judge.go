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
	// lock locks a record and tells how it is.
	lockSQL = `
SELECT connection, version, created, modified, hidden
FROM {records}
WHERE tenant = $1 AND type = $2 AND id = $3 `
	lockToLinkSQL   = lockSQL + `FOR KEY SHARE`
	lockToWriteSQL  = lockSQL + `FOR NO KEY UPDATE`
	lockToRemoveSQL = lockSQL + `FOR UPDATE` // holds off who links to it

	// owners are the owners of links to a record.
	ownersSQL = `SELECT DISTINCT owner_type, owner_id FROM {links} WHERE tenant = $1 AND target_type = $2 AND target_id = $3`

	// holder is the record that holds a unique key.
	holderSQL = `SELECT id FROM {uniques} WHERE tenant = $1 AND type = $2 AND attr = $3 AND key = $4`

	// dropOutgoing removes the links of an owner, noted under the token of its
	// change.
	dropOutgoingSQL = `
WITH gone AS (
	DELETE FROM {links} WHERE tenant = $1 AND owner_type = $2 AND owner_id = $3
	RETURNING relation, target_type, target_id
)
INSERT INTO {change_links} (token, relation, target_type, target_id, added)
SELECT $4::uuid, g.relation, g.target_type, g.target_id, false FROM gone g`

	// dropIncoming removes the links to a target, noted under the tokens of their
	// owners, which are all in $4 to $6.
	dropIncomingSQL = `
WITH gone AS (
	DELETE FROM {links} WHERE tenant = $1 AND target_type = $2 AND target_id = $3
	RETURNING owner_type, owner_id, relation, target_type, target_id
)
INSERT INTO {change_links} (token, relation, target_type, target_id, added)
SELECT o.token, g.relation, g.target_type, g.target_id, false
FROM gone g
JOIN unnest($4::text[], $5::text[], $6::uuid[]) AS o(type, id, token) ON o.type = g.owner_type AND o.id = g.owner_id`
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
func (j *judgement) leaving() (list []storage.Ref) {
	for _, d := range j.Deletes {
		list = append(list, d.Ref)
	}
	for _, p := range j.Puts {
		if p.Record.Hidden {
			list = append(list, p.Record.Ref)
		}
	}
	return list
}

func (j *judgement) queueOwners(q *queue, found func(storage.Ref)) {
	for _, ref := range j.leaving() {
		q.add(ownersSQL, ref.Type, ref.ID).Query(func(rows pgx.Rows) error {
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
	for _, ref := range j.leaving() {
		want[ref] = toRemove
	}
	q := j.queue()
	if j.conn.Conn().PgConn().TxStatus() == 'I' {
		q.Queue("BEGIN")
	}
	locked := map[storage.Ref]*held{}
	for _, ref := range slices.SortedFunc(maps.Keys(want), storage.Ref.Compare) {
		q.add(lockSQLs[want[ref]], ref.Type, ref.ID).Query(func(rows pgx.Rows) error {
			var h held
			var created, modified instant
			_, err := pgx.ForEachRow(rows, []any{&h.connection, &h.version, &created, &modified, &h.hidden}, func() error {
				h.created, h.modified = created.Time, modified.Time
				locked[ref] = &h
				return nil
			})
			return err
		})
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

func (j *judgement) queueHolders(q *queue) {
	for _, p := range j.Puts {
		for _, u := range p.Record.Unique {
			name := uniqueName{p.Record.Type, u.Attr, u.Key}
			q.add(holderSQL, name.typ, name.attr, name.key).Query(func(rows pgx.Rows) error {
				var id string
				_, err := pgx.ForEachRow(rows, []any{&id}, func() error {
					j.holders[name] = storage.Ref{Type: name.typ, ID: id}
					return nil
				})
				return err
			})
		}
	}
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
	for _, d := range j.Deletes {
		q.remove(d.Ref)
	}
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
		if isLongReset(e) {
			if err := j.send(q); err != nil {
				return nil, err
			}
			q = j.queue()
			var err error
			if e, err = j.reset(e, &res.Links[i]); err != nil {
				return nil, err
			}
		}
		q.edit(e, j.token(e.Owner), false, &res.Links[i])
	}
	j.queueBump(q)
	if err := j.send(q); err != nil {
		return nil, err
	}
	for i, e := range j.Links {
		r := &res.Links[i]
		if isLongReset(&e) && len(r.Dropped) > 0 {
			c := columnsOf(r.Dropped)
			r.Dropped = inOrderOf(e.Add, c.types, c.ids)
		}
		if missing := r.Dropped; e.Missing == storage.MissingReject && len(missing) > 0 {
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
	var owners refs
	var tokens []*token
	for owner := range j.owners {
		owners.add(owner)
		tokens = append(tokens, j.token(owner))
	}
	leaving := j.leaving()
	for _, ref := range leaving {
		q.add(dropOutgoingSQL, ref.Type, ref.ID, j.token(ref))
	}
	for _, ref := range leaving {
		if len(tokens) > 0 {
			q.add(dropIncomingSQL, ref.Type, ref.ID, owners.types, owners.ids, tokens)
		}
	}
}

// queueBump lets the records step that are not put and whose links changed.
func (j *judgement) queueBump(q *queue) {
	for _, ref := range slices.SortedFunc(maps.Keys(j.steps), storage.Ref.Compare) {
		s := j.steps[ref]
		if s.token == nil || s.put || s.deleted {
			continue
		}
		q.add(bumpSQL, ref.Type, ref.ID, s.token, instant{j.Time}).Query(func(rows pgx.Rows) error {
			_, err := pgx.ForEachRow(rows, []any{&s.version}, func() error {
				s.change = storage.ChangeInfo{Kind: storage.KindUnlinked} // unless an edit describes it
				j.step(s)
				return nil
			})
			return err
		})
	}
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
