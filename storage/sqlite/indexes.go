package sqlite

import (
	"context"
	"database/sql/driver"
	"math/rand/v2"
	"sync"

	"github.com/musterhq/muster/internal/sqlplan"
	"github.com/musterhq/muster/scim/schema"
	"github.com/musterhq/muster/storage"
)

// An index may be used when every record of the type has its keys of the
// attribute in the tables. The table of indexes says so: a write whose type
// indexes an attribute that is not listed, or makes other keys of it, lists it
// as incomplete, unless there are no records yet, and one whose type does not
// index a listed attribute takes it from the list. Since all of it happens in
// the transaction of the write, the list is never wrong.

// indexes is what a store remembers of the list. It is right as long as the
// generation of the list, which every change of it moves, is the same.
type indexes struct {
	mu    sync.Mutex
	read  map[*schema.Type]known // by queries
	wrote map[*schema.Type]int64 // generation in which a write agreed with the list
	begun map[*schema.Type]bool  // to be indexed in the background
}

// known is what is known of the indexes of a type.
type known struct {
	generation int64
	complete   map[schema.Path]bool
	missing    bool // some are not complete
}

// maxTypes bounds the types remembered.
const maxTypes = 1000

func generation(c *conn) (int64, error) {
	row, err := c.first("SELECT generation FROM muster_index_generation")
	if err != nil || row == nil {
		return 0, err
	}
	return integer(row[0]), nil
}

// of returns what is known of a type in the state that c reads.
func (x *indexes) of(c *conn, t *schema.Type) (known, error) {
	g, err := generation(c)
	if err != nil {
		return known{}, err
	}
	x.mu.Lock()
	k, ok := x.read[t]
	x.mu.Unlock()
	if ok && k.generation == g {
		return k, nil
	}
	listed, err := list(c, t)
	if err != nil {
		return known{}, err
	}
	usable, all := sqlplan.Usable(t, listed)
	k = known{generation: g, complete: usable, missing: !all}
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.read == nil || len(x.read) >= maxTypes {
		x.read = map[*schema.Type]known{}
	}
	x.read[t] = k
	return k, nil
}

func list(c *conn, t *schema.Type) (map[string]sqlplan.Listing, error) {
	listed := map[string]sqlplan.Listing{}
	err := c.query(context.Background(), "SELECT attr, form, complete FROM muster_indexes WHERE type = ?", []any{t.Name()}, func(row []driver.Value) bool {
		listed[text(row[0])] = sqlplan.Listing{Form: text(row[1]), Complete: integer(row[2]) != 0}
		return true
	})
	return listed, err
}

// agree brings the list into agreement with a record that is about to be
// written. Nothing is known of a record that storage.NewRecord did not make.
func (x *indexes) agree(c *conn, r *storage.Record) error {
	t := r.IndexedFor()
	if t == nil {
		return nil
	}
	g, err := generation(c)
	if err != nil {
		return err
	}
	x.mu.Lock()
	agreed, ok := x.wrote[t]
	x.mu.Unlock()
	if ok && agreed == g {
		return nil
	}
	if g, err = agree(c, t, g); err != nil {
		return err
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.wrote == nil || len(x.wrote) >= maxTypes {
		x.wrote = map[*schema.Type]int64{}
	}
	x.wrote[t] = g
	return nil
}

// agree brings the list into agreement with a type and returns its generation.
func agree(c *conn, t *schema.Type, generation int64) (int64, error) {
	listed, err := list(c, t)
	if err != nil {
		return 0, err
	}
	row, err := c.first("SELECT NOT EXISTS (SELECT 1 FROM muster_populations WHERE type = ? AND n > 0)", t.Name())
	if err != nil {
		return 0, err
	}
	empty, changed := integer(row[0]), false
	for _, p := range sqlplan.Keyed(t) {
		attr := p.String()
		if i, ok := listed[attr]; !ok || i.Form != sqlplan.KeyForm(p) {
			if _, err := c.exec("INSERT INTO muster_indexes (type, attr, form, complete) VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET form = excluded.form, complete = excluded.complete",
				t.Name(), attr, sqlplan.KeyForm(p), empty); err != nil {
				return 0, err
			}
			changed = true
		}
		delete(listed, attr)
	}
	for attr := range listed {
		if _, err := c.exec("DELETE FROM muster_indexes WHERE type = ? AND attr = ?", t.Name(), attr); err != nil {
			return 0, err
		}
		changed = true
	}
	if !changed {
		return generation, nil
	}
	return nextGeneration(c)
}

// nextGeneration moves the generation of the list. It is chosen at random: a
// number that goes up would come again after a rollback.
func nextGeneration(c *conn) (int64, error) {
	g := rand.Int64()
	_, err := c.exec("UPDATE muster_index_generation SET generation = ?", g)
	return g, err
}
