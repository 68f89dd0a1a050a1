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
// attribute in the tables. The list of indexes says so. A store that meets a type
// for the first time lists the attributes that the type indexes, as incomplete
// unless the type is new; and nobody writes before what the record's type does
// not index, or makes other keys of, is off the list.
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
	met        map[*schema.Type]bool // with all of its attributes listed, once
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
	met := false
	for _, p := range puts {
		if t := p.Record.IndexedFor(); t != nil && !r.agreed[t] {
			strange, met = t, r.met[t]
			break
		}
	}
	r.mu.Unlock()
	switch {
	case strange != nil:
		if err := r.agreeOn(ctx, strange, !met); err != nil {
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
		if r.met == nil || len(r.met) >= maxTypes {
			r.met = map[*schema.Type]bool{}
		}
		r.met[agreed] = true
	}
}

const (
	// lockRecords waits for all who write, and holds them off: what they prepared is
	// for the old generation.
	lockRecordsSQL    = `LOCK TABLE {records} IN SHARE MODE`
	lockGenerationSQL = `SELECT generation FROM {generation} FOR UPDATE`
	moveSQL           = `UPDATE {generation} SET generation = $1`
	enlistSQL         = `INSERT INTO {indexes} (type, attr, form, complete) VALUES ($1, $2, $3, $4)`
	delistSQL         = `DELETE FROM {indexes} WHERE type = $1 AND attr = $2`
)

// agreeOn brings the list into agreement with a type. With enlist, all that the
// type indexes is listed then; without, the list holds nothing else.
func (r *registry) agreeOn(ctx context.Context, t *schema.Type, enlist bool) error {
	var generation int64
	distrust := false
	err := r.store.transaction(ctx, func(tx pgx.Tx) error {
		distrust = false
		// The generation first: if the list moves before it is read, what agrees with it
		// is taken for less than it is.
		if err := tx.QueryRow(ctx, r.store.names.sql(generationSQL)).Scan(&generation); err != nil {
			return err
		}
		listed, err := r.list(ctx, tx, t.Name())
		if err != nil {
			return err
		}
		if add, remove := disagreement(listed, t, enlist); len(add)+len(remove) == 0 {
			return nil
		}
		if _, err := tx.Exec(ctx, r.store.names.sql(lockRecordsSQL)); err != nil {
			return err
		}
		if err := tx.QueryRow(ctx, r.store.names.sql(lockGenerationSQL)).Scan(&generation); err != nil {
			return err
		}
		if listed, err = r.list(ctx, tx, t.Name()); err != nil {
			return err
		}
		add, remove := disagreement(listed, t, enlist)
		for _, attr := range remove {
			distrust = distrust || listed[attr].complete
			if _, err := tx.Exec(ctx, r.store.names.sql(delistSQL), t.Name(), attr); err != nil {
				return err
			}
		}
		isNew := len(listed) == 0
		for attr, form := range add {
			if _, err := tx.Exec(ctx, r.store.names.sql(enlistSQL), t.Name(), attr, form, isNew); err != nil {
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

// disagreement compares the list with a type. What is to be added comes with its
// form, "" among it for a type that is new.
func disagreement(listed map[string]listing, t *schema.Type, enlist bool) (add map[string]string, remove []string) {
	forms := map[string]string{"": ""}
	for _, p := range indexed(t) {
		forms[p.String()] = form(p)
	}
	for attr, l := range listed {
		if f, ok := forms[attr]; !ok || f != l.form {
			remove = append(remove, attr)
		} else {
			delete(forms, attr)
		}
	}
	if enlist {
		add = forms
	}
	return add, remove
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
