package postgres

import (
	"context"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/musterhq/muster/internal/sqlplan"
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

const (
	listSQL       = `SELECT attr, form, complete FROM {indexes} WHERE type = $1`
	generationSQL = `SELECT generation FROM {generation}`
)

func (r *registry) list(ctx context.Context, db querier, typ string) (map[string]sqlplan.Listing, error) {
	rows, err := db.Query(ctx, r.store.names.sql(listSQL), typ)
	if err != nil {
		return nil, err
	}
	listed := map[string]sqlplan.Listing{}
	var attr string
	var l sqlplan.Listing
	_, err = pgx.ForEachRow(rows, []any{&attr, &l.Form, &l.Complete}, func() error {
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
	k := known{until: time.Now().Add(trust)}
	listed, err := r.list(ctx, db, t.Name())
	if err != nil {
		return k, err
	}
	var all bool
	k.complete, all = sqlplan.Usable(t, listed)
	if len(listed) == 0 { // never written, so there is nothing to be found
		return k, nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.read == nil || len(r.read) >= maxTypes {
		r.read = map[*schema.Type]known{}
	}
	r.read[t] = k
	if !all && !r.begun[t] {
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
	lockRecordsSQL = `LOCK TABLE {records} IN SHARE MODE`
	moveSQL        = `UPDATE {generation} SET generation = generation + 1 RETURNING generation`
	contestSQL     = `UPDATE {indexes} SET form = '', complete = false WHERE type = $1 AND attr = ANY ($2::text[])`
	delistSQL      = `DELETE FROM {indexes} WHERE type = $1 AND attr = ANY ($2::text[]) AND form = ''`
	enlistSQL      = `INSERT INTO {indexes} (type, attr, form, complete) VALUES ($1, $2, $3, $4) ON CONFLICT (type, attr) DO NOTHING`
)

// agreeOn brings the list into agreement with a type. With enlist, all that the
// type indexes is listed then; without, the list holds nothing else.
//
// What goes is marked first, so that nobody completes it, and goes when no query
// trusts it any more.
func (r *registry) agreeOn(ctx context.Context, t *schema.Type, enlist bool) error {
	generation, add, remove, err := r.compare(ctx, t, enlist)
	if err != nil {
		return err
	}
	if len(remove) > 0 {
		if generation, err = r.change(ctx, r.store.names.sql(contestSQL), t.Name(), remove); err != nil {
			return err
		}
		if err := pause(ctx, 2*trust); err != nil {
			return err
		}
	}
	if len(add)+len(remove) > 0 {
		if generation, err = r.replace(ctx, t, enlist); err != nil {
			return err
		}
	}
	r.learn(generation, t)
	return nil
}

// compare compares the list with a type, and returns the generation in which it
// was so.
func (r *registry) compare(ctx context.Context, t *schema.Type, enlist bool) (generation int64, add map[string]string, remove []string, err error) {
	// The generation first: if the list moves before it is read, a write finds that
	// its generation is an old one.
	if err := r.store.pool.QueryRow(ctx, r.store.names.sql(generationSQL)).Scan(&generation); err != nil {
		return 0, nil, nil, err
	}
	listed, err := r.list(ctx, r.store.pool, t.Name())
	if err != nil {
		return 0, nil, nil, err
	}
	add, remove = disagreement(listed, t, enlist)
	return generation, add, remove, nil
}

// replace removes what is marked and not the type's, and adds what is missing.
func (r *registry) replace(ctx context.Context, t *schema.Type, enlist bool) (generation int64, err error) {
	err = r.moving(ctx, &generation, func(tx pgx.Tx) error {
		listed, err := r.list(ctx, tx, t.Name())
		if err != nil {
			return err
		}
		add, remove := disagreement(listed, t, enlist)
		if _, err := tx.Exec(ctx, r.store.names.sql(delistSQL), t.Name(), remove); err != nil {
			return err
		}
		isNew := len(listed) == 0
		for attr, form := range add {
			// What came onto the list meanwhile unmarked is a matter of the next write.
			if _, err := tx.Exec(ctx, r.store.names.sql(enlistSQL), t.Name(), attr, form, isNew); err != nil {
				return err
			}
		}
		return nil
	})
	return generation, err
}

func (r *registry) change(ctx context.Context, sql string, args ...any) (generation int64, err error) {
	err = r.moving(ctx, &generation, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, sql, args...)
		return err
	})
	return generation, err
}

// moving changes the list in a transaction that moves its generation.
func (r *registry) moving(ctx context.Context, generation *int64, f func(pgx.Tx) error) error {
	return r.store.transaction(ctx, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, r.store.names.sql(lockRecordsSQL)); err != nil {
			return err
		}
		// Moving the generation first makes others who change the list wait.
		if err := tx.QueryRow(ctx, r.store.names.sql(moveSQL)).Scan(generation); err != nil {
			return err
		}
		return f(tx)
	})
}

// disagreement compares the list with a type. What is to be added comes with its
// form, "" among it for a type that is new.
func disagreement(listed map[string]sqlplan.Listing, t *schema.Type, enlist bool) (add map[string]string, remove []string) {
	forms := map[string]string{"": ""}
	for _, p := range sqlplan.Keyed(t) {
		forms[p.String()] = sqlplan.KeyForm(p)
	}
	for attr, l := range listed {
		if f, ok := forms[attr]; !ok || f != l.Form {
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
