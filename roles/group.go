package roles

import (
	"context"
	"errors"
	"slices"

	"github.com/musterhq/muster/internal/kept"
	"github.com/musterhq/muster/scim"
	"github.com/musterhq/muster/storage"
)

// lookGroup brings what is known of a group up to date: why it gives nothing, which
// workspace it names, and that it is gone. created says that the group is new
// and has the name that it was created with, so that rows may have waited for it.
func (r *Reconciler) lookGroup(ctx context.Context, tenant, id string, created bool) error {
	g, ok, err := r.present(ctx, tenant, id)
	if err != nil {
		return err
	}
	if !ok {
		return r.groupGone(ctx, tenant, id)
	}
	if created {
		if err := r.bindRows(ctx, tenant, g); err != nil {
			return err
		}
	}
	k, err := r.kinds.groups.Get(ctx, r.store, tenant, id)
	if err != nil {
		return err
	}
	st := groupState{Group: g}
	if st.Group.Name = r.nameThatCounts(&k, g.Name); st.Group.Name != g.Name {
		if st.Next, st.Settles = g.Name, k.Value.Settles; st.Settles.IsZero() || k.Value.Next != g.Name {
			st.Settles = r.now().Add(r.settling)
		}
		if err := r.postpone(ctx, tenant, todo{Kind: todoLater, ID: id, Due: st.Settles}); err != nil {
			return err
		}
	}
	var res Resolution
	var v *view
	for range maxConflicts {
		if v, err = r.view(ctx, tenant); err != nil {
			return err
		}
		res = v.rules.Group(st.Group, v.table, v.spaces)
		asked, err := r.askWorkspaces(ctx, tenant, res.Pending)
		var host errApply
		if err != nil && !errors.As(err, &host) {
			return err
		}
		if host.error != nil {
			r.log.WarnContext(ctx, "roles: the host failed", "tenant", tenant, "group", id, "error", host.Error())
			due := r.now().Add(firstRetry)
			if err := r.postpone(ctx, tenant, todo{Kind: todoLater, ID: id, Due: due}); err != nil {
				return err
			}
		}
		if !asked {
			break
		}
	}
	st.Unmatched = res.Unmatched
	if v.rules.Settings().Convention != nil {
		if m := v.rules.Match(st.Group.Name); m.Reason == "" {
			st.Key = m.Key
		}
	}
	if len(st.Unmatched) > 0 && (k.Version == 0 || !slices.Equal(st.Unmatched, k.Value.Unmatched)) {
		r.count(&r.stats.unmatched)
		r.log.InfoContext(ctx, "roles: a group gives nothing", "tenant", tenant, "group", id, "reason", st.Unmatched[0].Reason)
	}
	if created && slices.ContainsFunc(st.Unmatched, func(u Unmatched) bool { return u.Reason == RestoreOffered }) {
		r.observe(ctx, Event{Kind: RowsOffered, Tenant: tenant, Group: id, Rows: slices.Clone(v.table.Offers(st.Group))})
	}
	if k.Version > 0 && k.Value.Group == st.Group && k.Value.Next == st.Next && k.Value.Settles.Equal(st.Settles) && k.Value.Key == st.Key && slices.Equal(k.Value.Unmatched, st.Unmatched) {
		return nil
	}
	k.Value = st
	return r.kinds.groups.Save(ctx, r.store, tenant, r.now(), &k)
}

// nameThatCounts is the name that a group gives roles by: its present one, or while that
// settles the one before. A name that nobody noticed yet has yet to settle.
func (r *Reconciler) nameThatCounts(k *kept.State[groupState], present string) string {
	st := &k.Value
	settled := st.Next == present && !st.Settles.IsZero() && !st.Settles.After(r.now())
	if r.settling <= 0 || k.Version == 0 || settled {
		return present
	}
	return st.Group.Name
}

// present reads a group as it is, with the name that it has now.
func (r *Reconciler) present(ctx context.Context, tenant, id string) (Group, bool, error) {
	e, err := r.dir.Get(ctx, tenant, groupRef(id))
	if errors.Is(err, scim.ErrNotFound) {
		return Group{}, false, nil
	}
	if err != nil {
		return Group{}, false, err
	}
	return Group{ID: id, Name: e.Resource.String("displayName"), Connection: e.Connection}, true, nil
}

// groupGone archives the rows of a group that was deleted.
func (r *Reconciler) groupGone(ctx context.Context, tenant, id string) error {
	k, err := r.kinds.groups.Get(ctx, r.store, tenant, id)
	if err != nil {
		return err
	}
	var archived []Row
	var lost []Scope
	err = r.edit(ctx, tenant, func(v *view, _ *control, b *storage.Batch) error {
		archived, lost = nil, nil
		left := &view{rows: slices.Clone(v.rows)}
		for i := range left.rows {
			s := &left.rows[i]
			if s.Group != id || !s.Archived.IsZero() {
				continue
			}
			s.Archived, s.Because = b.Time, GroupDeleted
			if k.Version > 0 {
				s.Name, s.Connection = k.Value.Group.Name, k.Value.Group.Connection
			}
			if err := r.putRow(ctx, tenant, *s, b); err != nil {
				return err
			}
			archived = append(archived, s.Row)
		}
		for _, row := range archived {
			if !left.mapped(row.Scope) && !slices.Contains(lost, row.Scope) {
				lost = append(lost, row.Scope)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	if len(archived) > 0 {
		r.observe(ctx, Event{Kind: RowsArchived, Tenant: tenant, Group: id, Rows: archived})
	}
	for _, s := range lost {
		r.observe(ctx, Event{Kind: LastMappingLost, Tenant: tenant, Group: id, Scope: s})
	}
	return r.kinds.groups.Drop(ctx, r.store, tenant, r.now(), k)
}

// bindRows binds the rows that wait for a group of that name.
func (r *Reconciler) bindRows(ctx context.Context, tenant string, g Group) error {
	var bound []Row
	err := r.edit(ctx, tenant, func(v *view, _ *control, b *storage.Batch) error {
		bound = nil
		for _, row := range v.table.Waiting(g.Connection, g.Name) {
			row.Group = g.ID
			var other *OtherRoleError
			if _, err := v.rules.CheckRow(row, v.rowsBeside(&row)); errors.As(err, &other) {
				r.log.WarnContext(ctx, "roles: a row that waited does not fit its group", "tenant", tenant, "group", g.ID, "row", row.ID, "error", err.Error())
				continue // somebody gave the group another role before it was looked at
			}
			if err := r.putRow(ctx, tenant, rowState{Row: row}, b); err != nil {
				return err
			}
			bound = append(bound, row)
		}
		return nil
	})
	if err == nil && len(bound) > 0 {
		r.observe(ctx, Event{Kind: RowBound, Tenant: tenant, Group: g.ID, Rows: bound})
	}
	return err
}

// putRow adds the write of a row, new or not.
func (r *Reconciler) putRow(ctx context.Context, tenant string, s rowState, b *storage.Batch) error {
	k, err := r.kinds.rows.Get(ctx, r.store, tenant, s.ID)
	if err != nil {
		return err
	}
	k.Value = s
	put, err := r.kinds.rows.Put(k, b.Time)
	b.Puts = append(b.Puts, put)
	return err
}
