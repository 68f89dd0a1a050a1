package roles

import (
	"context"
	"encoding/json"
	"errors"
	"sync"

	"github.com/musterhq/muster/internal/kept"
	"github.com/musterhq/muster/scim/schema"
	"github.com/musterhq/muster/storage"
)

// view is what users of a tenant are judged by, as of one moment.
type view struct {
	control kept.State[control]
	rules   *Rules
	table   *Table
	rows    []rowState
	spaces  Workspaces
}

// views keeps the last view of each tenant.
type views struct {
	mu   sync.Mutex
	last map[string]*view
}

func (v *views) get(tenant string) *view {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.last[tenant]
}

func (v *views) set(tenant string, w *view) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.last == nil {
		v.last = map[string]*view{}
	}
	v.last[tenant] = w
}

// view returns what is true now. One read tells whether the last view still is.
func (r *Reconciler) view(ctx context.Context, tenant string) (*view, error) {
	for {
		c, err := r.kinds.control.Get(ctx, r.store, tenant, only)
		if err != nil {
			return nil, err
		}
		if v := r.views.get(tenant); v != nil && v.control.Version == c.Version {
			return v, nil
		}
		v, err := r.load(ctx, tenant, c)
		if err != nil {
			return nil, err
		}
		again, err := r.kinds.control.Get(ctx, r.store, tenant, only)
		if err != nil {
			return nil, err
		}
		if again.Version == c.Version {
			r.views.set(tenant, v)
			return v, nil
		}
	}
}

func (r *Reconciler) load(ctx context.Context, tenant string, c kept.State[control]) (*view, error) {
	v := &view{control: c, rules: r.rules, spaces: Workspaces{
		Bound: map[string]string{}, Refused: map[string]bool{}, Gone: map[string]bool{},
	}}
	if s := c.Value.Settings; s != nil {
		rules, err := NewRules(*s)
		if err != nil {
			return nil, err
		}
		v.rules = rules
	}
	err := r.kinds.rows.Each(ctx, r.store, tenant, func(k kept.State[rowState]) error {
		v.rows = append(v.rows, k.Value)
		return nil
	})
	if err != nil {
		return nil, err
	}
	v.table = tableOf(v.rows)
	err = r.kinds.workspaces.Each(ctx, r.store, tenant, func(k kept.State[workspaceState]) error {
		switch w := k.Value; {
		case w.Gone:
			v.spaces.Gone[w.ID] = true
		case w.ID == "" && w.Unasked && r.workspaces != nil: // there is somebody now
		case w.ID == "":
			v.spaces.Refused[w.Key] = true
		default:
			v.spaces.Bound[w.Key] = w.ID
		}
		return nil
	})
	return v, err
}

func tableOf(rows []rowState) *Table {
	list := make([]Row, len(rows))
	for i := range rows {
		list[i] = rows[i].Row
	}
	return NewTable(list)
}

// keptRow reports whether the row was removed with [Keep].
func (v *view) keptRow(id string) bool {
	for i := range v.rows {
		if v.rows[i].ID == id {
			return v.rows[i].Kept
		}
	}
	return false
}

// rowsBeside returns the rows of the group of a row, or those that wait for the same one.
func (v *view) rowsBeside(row *Row) (rows []Row) {
	for i := range v.rows {
		other := &v.rows[i].Row
		if other.Group == row.Group && (row.Group != "" || other.Connection == row.Connection && schema.Fold(other.Name) == schema.Fold(row.Name)) {
			rows = append(rows, *other)
		}
	}
	return rows
}

// mapped reports whether a row in force leads to the scope.
func (v *view) mapped(s Scope) bool {
	for i := range v.rows {
		if v.rows[i].Scope == s && v.rows[i].Archived.IsZero() {
			return true
		}
	}
	return false
}

// settingsText tells settings apart.
func settingsText(r *Rules) string {
	b, err := json.Marshal(r.Settings())
	if err != nil { // settings are plain data
		panic(err)
	}
	return string(b)
}

// maxConflicts is how often a write that others came before is tried again.
const maxConflicts = 20

// edit changes what views are made of. f adds to the batch what it wants to write,
// as the view has it; nothing means that there is nothing to do. It is called again
// when somebody else's edit came between.
func (r *Reconciler) edit(ctx context.Context, tenant string, f func(*view, *control, *storage.Batch) error) error {
	for range maxConflicts {
		v, err := r.view(ctx, tenant)
		if err != nil {
			return err
		}
		c := v.control
		b := &storage.Batch{Tenant: tenant, Time: r.now()}
		before := c.Value
		if err := f(v, &c.Value, b); err != nil {
			return err
		}
		if len(b.Puts)+len(b.Deletes) == 0 && c.Value == before {
			return nil
		}
		put, err := r.kinds.control.Put(c, b.Time)
		if err != nil {
			return err
		}
		b.Puts = append(b.Puts, put)
		if _, err = r.store.Commit(ctx, b); err == nil || !errors.Is(err, storage.ErrConflict) {
			return err
		}
	}
	return storage.ErrConflict
}
