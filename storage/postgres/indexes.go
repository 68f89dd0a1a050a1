package postgres

import (
	"context"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/musterhq/muster/scim/schema"
	"github.com/musterhq/muster/storage"
)

// An index may be used when every record of the type has its keys of the
// attribute in the tables. The list of indexes says so: a process whose type
// indexes an attribute that is not listed, or makes other keys of it, lists it
// as incomplete before it writes, unless the type is new; one whose type does not
// index a listed attribute takes it from the list.
//
// Every change of the list moves its generation, which each write compares with
// the one that it was prepared for. Queries trust what they know of the list for
// a while; so who takes an attribute from it waits that long before it writes.

// trust is how long queries rely on what was read of the list.
const trust = 2 * time.Second

// registry is what a store knows of the list.
type registry struct {
	store *Store

	mu         sync.Mutex
	generation int64 // 0: not read yet
	agreed     map[*schema.Type]bool
	read       map[*schema.Type]known
	begun      map[*schema.Type]bool // to be indexed in the background
}

// known is what was read of the indexes of a type.
type known struct {
	until    time.Time
	complete map[schema.Path]bool
}

// maxTypes bounds the types that are remembered.
const maxTypes = 1000

// form is what keys of an attribute are made from. With another one they are
// other keys.
func form(p schema.Path) string {
	f := p.Attribute().Type.String()
	if p.Attribute().CaseExact {
		f += " exact"
	}
	return f
}

// indexed yields the attributes of a type whose keys are entries.
func indexed(t *schema.Type) (paths []schema.Path) {
	for _, p := range t.Indexed() {
		if p.InDocument() {
			paths = append(paths, p)
		}
	}
	return paths
}

const (
	listSQL       = `SELECT attr, form, complete FROM {indexes} WHERE type = $1`
	generationSQL = `SELECT generation FROM {generation}`
)

// listing is one row of the list.
type listing struct {
	form     string
	complete bool
}

func (r *registry) list(ctx context.Context, db querier, typ string) (map[string]listing, error) {
	rows, err := db.Query(ctx, r.store.names.sql(listSQL), typ)
	if err != nil {
		return nil, err
	}
	listed := map[string]listing{}
	var attr string
	var l listing
	_, err = pgx.ForEachRow(rows, []any{&attr, &l.form, &l.complete}, func() error {
		listed[attr] = l
		return nil
	})
	return listed, err
}

// complete tells which attributes of a type can be looked up, for queries.
func (r *registry) complete(ctx context.Context, db querier, t *schema.Type) (func(schema.Path) bool, error) {
	r.mu.Lock()
	k, ok := r.read[t]
	r.mu.Unlock()
	if !ok || time.Now().After(k.until) {
		var err error
		if k, err = r.readType(ctx, db, t); err != nil {
			return nil, err
		}
	}
	return func(p schema.Path) bool { return k.complete[p] }, nil
}

func (r *registry) readType(ctx context.Context, db querier, t *schema.Type) (known, error) {
	k := known{until: time.Now().Add(trust), complete: map[schema.Path]bool{}}
	listed, err := r.list(ctx, db, t.Name())
	if err != nil {
		return k, err
	}
	missing := false
	for _, p := range indexed(t) {
		l, ok := listed[p.String()]
		k.complete[p] = ok && l.complete && l.form == form(p)
		missing = missing || !k.complete[p]
	}
	if len(listed) == 0 { // never written, so there is nothing to be found
		return k, nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.read == nil || len(r.read) >= maxTypes {
		r.read = map[*schema.Type]known{}
	}
	r.read[t] = k
	if missing && !r.begun[t] {
		if r.begun == nil || len(r.begun) >= maxTypes {
			r.begun = map[*schema.Type]bool{}
		}
		r.begun[t] = r.store.inBackground(func(ctx context.Context) { r.store.index(ctx, t) })
	}
	return k, nil
}

// agree brings the list into agreement with the types of records that are about
// to be written, and returns the generation in which it is so. Nothing is known
// of records that storage.NewRecord did not make.
func (r *registry) agree(ctx context.Context, puts []storage.Put) (generation int64, err error) {
	r.mu.Lock()
	generation = r.generation
	var strange *schema.Type
	for _, p := range puts {
		if t := p.Record.IndexedFor(); t != nil && !r.agreed[t] {
			strange = t
			break
		}
	}
	r.mu.Unlock()
	switch {
	case strange != nil:
		if err := r.agreeOn(ctx, strange); err != nil {
			return 0, err
		}
		return r.agree(ctx, puts)
	case generation != 0:
		return generation, nil
	}
	return r.refresh(ctx)
}

// forget makes the next write look at the list again.
func (r *registry) forget() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.generation, r.agreed = 0, nil
}

// refresh reads the generation. What was agreed in another one is agreed on no
// more.
func (r *registry) refresh(ctx context.Context) (generation int64, err error) {
	if err := r.store.pool.QueryRow(ctx, r.store.names.sql(generationSQL)).Scan(&generation); err != nil {
		return 0, err
	}
	r.learn(generation, nil)
	return generation, nil
}

func (r *registry) learn(generation int64, agreed *schema.Type) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.generation != generation || r.agreed == nil || len(r.agreed) >= maxTypes {
		r.generation, r.agreed = generation, map[*schema.Type]bool{}
	}
	if agreed != nil {
		r.agreed[agreed] = true
	}
}

const (
	// lockRecords waits for all who write, and holds them off: what they prepared is
	// for the old generation.
	lockRecordsSQL    = `LOCK TABLE {records} IN SHARE MODE`
	lockGenerationSQL = `SELECT generation FROM {generation} FOR UPDATE`
	moveSQL           = `UPDATE {generation} SET generation = $1`
	enlistSQL         = `INSERT INTO {indexes} (type, attr, form, complete) VALUES ($1, $2, $3, $4)
ON CONFLICT (type, attr) DO UPDATE SET form = excluded.form, complete = excluded.complete`
	delistSQL = `DELETE FROM {indexes} WHERE type = $1 AND attr = $2`
)

// agreeOn brings the list into agreement with a type.
func (r *registry) agreeOn(ctx context.Context, t *schema.Type) error {
	var generation int64
	distrust := false
	err := r.store.transaction(ctx, func(tx pgx.Tx) error {
		distrust = false
		if err := tx.QueryRow(ctx, r.store.names.sql(generationSQL)).Scan(&generation); err != nil {
			return err
		}
		if agrees, err := r.agrees(ctx, tx, t); agrees || err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, r.store.names.sql(lockRecordsSQL)); err != nil {
			return err
		}
		if err := tx.QueryRow(ctx, r.store.names.sql(lockGenerationSQL)).Scan(&generation); err != nil {
			return err
		}
		listed, err := r.list(ctx, tx, t.Name())
		if err != nil {
			return err
		}
		isNew := len(listed) == 0
		if isNew {
			if _, err := tx.Exec(ctx, r.store.names.sql(enlistSQL), t.Name(), "", "", true); err != nil {
				return err
			}
		}
		delete(listed, "")
		for _, p := range indexed(t) {
			l, ok := listed[p.String()]
			delete(listed, p.String())
			if ok && l.form == form(p) {
				continue
			}
			distrust = distrust || ok
			if _, err := tx.Exec(ctx, r.store.names.sql(enlistSQL), t.Name(), p.String(), form(p), isNew); err != nil {
				return err
			}
		}
		for attr := range listed {
			distrust = true
			if _, err := tx.Exec(ctx, r.store.names.sql(delistSQL), t.Name(), attr); err != nil {
				return err
			}
		}
		generation++
		_, err = tx.Exec(ctx, r.store.names.sql(moveSQL), generation)
		return err
	})
	if err != nil {
		return err
	}
	if distrust {
		if err := pause(ctx, 2*trust); err != nil {
			return err
		}
	}
	r.learn(generation, t)
	return nil
}

// agrees reports whether the list has what a type indexes and nothing else.
func (r *registry) agrees(ctx context.Context, db querier, t *schema.Type) (bool, error) {
	listed, err := r.list(ctx, db, t.Name())
	if err != nil {
		return false, err
	}
	paths := indexed(t)
	for _, p := range paths {
		if l, ok := listed[p.String()]; !ok || l.form != form(p) {
			return false, nil
		}
	}
	return len(listed) == len(paths)+1, nil // with the row of the type
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
