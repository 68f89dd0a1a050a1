package roles

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"

	"github.com/musterhq/muster/scim"
	"github.com/musterhq/muster/scim/schema"
	"github.com/musterhq/muster/storage"
)

// AddRow adds a row to the table and returns it as it is kept. Of the row, Scope and
// Role count, and either Group or Connection and Name. A row by name is bound at
// once when the connection has such a group, and else waits until one of that name
// is created; a group that is given the name later does not get it. An empty
// Connection is "default", as it is for [scim.Principal]. Adding a row
// that is there returns the one that is there.
//
// Errors are those of [Rules.CheckRow], and [scim.ErrNotFound] for the id of a group
// that does not exist. Users are looked at in the background.
func (r *Reconciler) AddRow(ctx context.Context, tenant string, row Row) (Row, error) {
	row, err := r.findGroup(ctx, tenant, row)
	if err != nil {
		return Row{}, err
	}
	out, err := r.insertRow(ctx, tenant, row)
	if err != nil || !out.Waiting() {
		return out, err
	}
	// The group may have been created between the two.
	g, err := r.groupNamed(ctx, tenant, row.Connection, row.Name)
	if err != nil || g == "" {
		return out, err
	}
	bound := Group{ID: g, Name: row.Name, Connection: row.Connection}
	if err := r.bindRows(ctx, tenant, bound); err != nil {
		return out, err
	}
	out.Group = g
	return out, r.addTodo(ctx, tenant, todo{Kind: todoGroup, ID: g})
}

// findGroup fills in what a row does not say of its group. One by name keeps an empty
// group when there is none of that name yet.
func (r *Reconciler) findGroup(ctx context.Context, tenant string, row Row) (Row, error) {
	switch {
	case row.Group != "":
		g, ok, err := r.present(ctx, tenant, row.Group)
		if err == nil && !ok {
			err = fmt.Errorf("roles: the group of the row: %w", scim.ErrNotFound)
		}
		row.Name, row.Connection = g.Name, g.Connection
		return row, err
	case row.Name != "":
		if row.Connection == "" && r.dir.Logged("Group") {
			row.Connection = "default"
		}
		var err error
		row.Group, err = r.groupNamed(ctx, tenant, row.Connection, row.Name)
		return row, err
	}
	return row, nil // CheckRow says what is wrong with it
}

func (r *Reconciler) insertRow(ctx context.Context, tenant string, row Row) (out Row, err error) {
	err = r.edit(ctx, tenant, func(v *view, _ *control, b *storage.Batch) error {
		same, err := v.rules.CheckRow(row, v.rowsBeside(&row))
		if err != nil {
			return err
		}
		if same != nil {
			out = *same
			return nil
		}
		role, _ := v.rules.Role(row.Scope.Kind, string(row.Role))
		out = Row{
			ID: rand.Text(), Group: row.Group, Connection: row.Connection, Name: row.Name,
			Scope: row.Scope, Role: role, Created: b.Time,
		}
		return r.putRow(ctx, tenant, rowState{Row: out}, b)
	})
	if err == nil && out.Group != "" {
		err = r.addTodo(ctx, tenant, todo{Kind: todoGroup, ID: out.Group})
	}
	return out, err
}

// groupNamed returns the id of the connection's group of that name, "" when there is
// none.
func (r *Reconciler) groupNamed(ctx context.Context, tenant, connection, name string) (string, error) {
	after := ""
	for {
		page, err := r.dir.List(ctx, tenant, "Group", name, after, r.page)
		if err != nil {
			return "", err
		}
		for _, e := range page {
			if after = e.Resource.ID(); e.Connection == connection {
				return after, nil
			}
		}
		if len(page) < r.page {
			return "", nil
		}
	}
}

// RemoveRow archives a row. how says what becomes of those who have a role only
// through it. Removing a row that is archived changes nothing; [scim.ErrNotFound]
// when there is no such row.
func (r *Reconciler) RemoveRow(ctx context.Context, tenant, row string, how Removal) error {
	var removed Row
	last := false
	err := r.edit(ctx, tenant, func(v *view, _ *control, b *storage.Batch) error {
		removed, last = Row{}, false
		i := slices.IndexFunc(v.rows, func(s rowState) bool { return s.ID == row })
		if i < 0 {
			return scim.ErrNotFound
		}
		s := v.rows[i]
		if !s.Archived.IsZero() {
			return nil
		}
		s.Archived, s.Because, s.Kept = b.Time, RowRemoved, how == Keep
		removed = s.Row
		left := &view{rows: slices.Clone(v.rows)}
		left.rows[i] = s
		last = !left.mapped(s.Scope)
		return r.putRow(ctx, tenant, s, b)
	})
	if err != nil || removed.ID == "" {
		return err
	}
	if last {
		r.observe(ctx, Event{Kind: LastMappingLost, Tenant: tenant, Group: removed.Group, Scope: removed.Scope, Rows: []Row{removed}})
	}
	if removed.Group == "" {
		return nil
	}
	return r.addTodo(ctx, tenant, todo{Kind: todoGroup, ID: removed.Group})
}

// RestoreRows gives a group the rows of a deleted group that had its name, see
// [RowsOffered], and returns them. Without any it is [scim.ErrNotFound].
func (r *Reconciler) RestoreRows(ctx context.Context, tenant, group string) ([]Row, error) {
	g, ok, err := r.present(ctx, tenant, group)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, scim.ErrNotFound
	}
	v, err := r.view(ctx, tenant)
	if err != nil {
		return nil, err
	}
	offers := slices.Clone(v.table.Offers(g))
	if len(offers) == 0 {
		return nil, scim.ErrNotFound
	}
	var rows []Row
	for _, offer := range offers {
		offer.Group, offer.Name, offer.Connection = group, g.Name, g.Connection
		row, err := r.insertRow(ctx, tenant, offer)
		if err != nil {
			return rows, err
		}
		rows = append(rows, row)
	}
	return rows, nil
}

// RowQuery says which rows to list. What is empty does not restrict.
type RowQuery struct {
	// Group is the id of a group, Name a display name.
	Group, Name string
	Scope       Scope
	Role        Role
	// Archived asks for archived rows instead of those in force.
	Archived bool
	// After is the id of the last row of the page before, Limit how many rows a page
	// has at most; 0 means 100.
	After string
	Limit int
}

// Rows lists rows of the table by id.
func (r *Reconciler) Rows(ctx context.Context, tenant string, q RowQuery) ([]Row, error) {
	v, err := r.view(ctx, tenant)
	if err != nil {
		return nil, err
	}
	if q.Limit <= 0 {
		q.Limit = 100
	}
	role := func(row *Row) bool {
		asked, ok := v.rules.Role(row.Scope.Kind, string(q.Role))
		return ok && asked == row.Role || q.Role == row.Role
	}
	var out []Row
	for i := range v.rows { // in the order of ids
		row := &v.rows[i].Row
		switch {
		case row.ID <= q.After, row.Archived.IsZero() == q.Archived:
		case q.Group != "" && row.Group != q.Group:
		case q.Name != "" && schema.Fold(row.Name) != schema.Fold(q.Name):
		case q.Scope != (Scope{}) && row.Scope != q.Scope:
		case q.Role != "" && !role(row):
		default:
			if out = append(out, *row); len(out) == q.Limit {
				return out, nil
			}
		}
	}
	return out, nil
}

// Settings returns the settings of a tenant, with defaults filled in.
func (r *Reconciler) Settings(ctx context.Context, tenant string) (Settings, error) {
	v, err := r.view(ctx, tenant)
	if err != nil {
		return Settings{}, err
	}
	return v.rules.Settings(), nil
}

// SetSettings gives a tenant settings of its own; nil takes them away, so that those
// of [WithSettings] count. All users are looked at again in the background.
// [Reconciler.Preview] says what that will change.
func (r *Reconciler) SetSettings(ctx context.Context, tenant string, s *Settings) error {
	if s != nil {
		if _, err := NewRules(*s); err != nil {
			return err
		}
	}
	err := r.edit(ctx, tenant, func(_ *view, c *control, _ *storage.Batch) error {
		c.Settings = s
		return nil
	})
	r.wake.up(tenant)
	return err
}

var errStop = errors.New("roles: stopped")
