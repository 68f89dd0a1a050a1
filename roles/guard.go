package roles

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/musterhq/muster/internal/kept"
	"github.com/musterhq/muster/storage"
)

// judged are the changes that the guards let through.
type judged struct {
	changes []Change
	held    []HoldKind
	guarded []Scope
	// count is written together with what is about to be done; nil when nothing
	// counts. counted are the kinds of holds that the user was counted for in it.
	count   *kept.State[guardState]
	counted []HoldKind
}

// exemption says which holds do not count for the users of a connection, since they
// were released.
type exemption struct {
	connection string
	kinds      []HoldKind
}

func (x exemption) covers(connection string, k HoldKind) bool {
	return x.connection == connection && slices.Contains(x.kinds, k)
}

// judge asks the guards about the changes of one user.
func (r *Reconciler) judge(ctx context.Context, tenant string, v *view, d *decision, st *userState, x exemption) (*judged, error) {
	j := &judged{changes: slices.Clone(d.changes)}
	if err := r.keepLast(ctx, tenant, v, d, st, j); err != nil {
		return nil, err
	}
	if r.limits == (Limits{}) || len(j.changes) == 0 {
		return j, nil
	}
	connection := d.person.connection
	for _, k := range []HoldKind{HoldDeactivating, HoldLosing, HoldGaining} {
		hits, limit := r.limited(v, d, j.changes, k)
		if limit == 0 || !hits || x.covers(connection, k) {
			continue
		}
		hold, err := r.kinds.holds.Get(ctx, r.store, tenant, holdID(connection, k))
		if err != nil {
			return nil, err
		}
		if hold.Version == 0 {
			if r.isCounted(st, k) {
				continue
			}
			if err := r.loadCount(ctx, tenant, j); err != nil {
				return nil, err
			}
			counts := &j.count.Value
			if counts.counted(connection, k, r.now(), r.limits.Window) < limit {
				counts.add(connection, k, r.now(), r.limits.Window)
				j.counted = append(j.counted, k)
				continue
			}
			if err := r.beginHold(ctx, tenant, connection, k); err != nil {
				return nil, err
			}
		}
		j.held = append(j.held, k)
		if k != HoldGaining {
			j.changes = nil // the user's roles stay as they are
			break
		}
		j.changes = slices.DeleteFunc(j.changes, v.gains)
	}
	return j, nil
}

// limited reports whether changes count for a kind of hold, and its limit.
func (r *Reconciler) limited(v *view, d *decision, changes []Change, k HoldKind) (bool, int) {
	switch k {
	case HoldDeactivating:
		return !d.person.Active, r.limits.Deactivating
	case HoldLosing:
		return d.person.Active && slices.ContainsFunc(changes, v.loses), r.limits.Losing
	default:
		return slices.ContainsFunc(changes, v.gains), r.limits.GainingHighest
	}
}

// keepLast takes out what would leave a role without a holder. Where it is in doubt
// whether the host still has that holder, the host is told so again.
func (r *Reconciler) keepLast(ctx context.Context, tenant string, v *view, d *decision, st *userState, j *judged) error {
	var left []Change
	for _, c := range j.changes {
		if c.From != "" && c.To != c.From && r.protects(v, c.Scope, c.From) {
			// Whoever takes the role from somebody else at this moment writes the counters
			// too, so one of the two has to look again.
			if err := r.loadCount(ctx, tenant, j); err != nil {
				return err
			}
			others, err := r.otherHolders(ctx, tenant, Assignment{User: c.User, Scope: c.Scope, Role: c.From})
			if err != nil {
				return err
			}
			if !others {
				j.guarded = append(j.guarded, c.Scope)
				if a := in(d.applied, c.Scope); a != nil && st.inDoubt(c.Scope) {
					left = append(left, Change{User: c.User, Scope: c.Scope, From: c.From, To: a.Role, Causes: a.Causes})
				}
				continue
			}
		}
		left = append(left, c)
	}
	j.changes = left
	return nil
}

// protects reports whether the last holder of a role keeps it.
func (r *Reconciler) protects(v *view, s Scope, role Role) bool {
	if !r.ownLast {
		return s.Kind == InOrganisation && role == v.rules.Highest(InOrganisation)
	}
	return slices.ContainsFunc(r.lastHolders, func(of Role) bool { return strings.EqualFold(string(of), string(role)) })
}

var errFound = errors.New("found")

// otherHolders reports whether somebody else has the role for certain. Of several who
// have it only because this guard kept it for them, all but the first lose it.
func (r *Reconciler) otherHolders(ctx context.Context, tenant string, a Assignment) (bool, error) {
	word := scopeWord(a.Scope) + "|" + strings.ToLower(string(a.Role))
	err := r.kinds.users.Each(ctx, r.store, tenant, func(k kept.State[userState]) error {
		other := in(k.Value.Applied, a.Scope)
		if k.ID != a.User && other != nil && other.Role == a.Role && !k.Value.inDoubt(a.Scope) &&
			(k.ID < a.User || !slices.Contains(k.Value.Guarded, a.Scope)) {
			return errFound
		}
		return nil
	}, word)
	if err == errFound {
		return true, nil
	}
	return false, err
}

// guarded changes the counters by themselves.
func (r *Reconciler) guarded(ctx context.Context, tenant string, f func(*guardState)) error {
	for range maxConflicts {
		g, err := r.kinds.guards.Get(ctx, r.store, tenant, only)
		if err != nil {
			return err
		}
		f(&g.Value)
		err = r.kinds.guards.Save(ctx, r.store, tenant, r.now(), &g)
		if !errors.Is(err, storage.ErrConflict) {
			return err
		}
	}
	return storage.ErrConflict
}
