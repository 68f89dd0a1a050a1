package roles

import (
	"context"
	"slices"
	"time"
)

// decision is what is to be done for one user.
type decision struct {
	person person
	result Resolution
	// changes are what the Applier is to be told, before the guards look at it, and
	// wanted what the user should have.
	changes []Change
	wanted  []Assignment
	// applied is what the host was told of and still counts, handed what was left
	// to it, held what it gave by itself.
	applied, handed, held []Assignment
}

// decide works out what is to be done for a user. It changes nothing.
func (r *Reconciler) decide(ctx context.Context, tenant string, v *view, p person, st *userState) (*decision, error) {
	d := &decision{person: p, result: v.rules.Resolve(p.User, v.table, v.spaces)}
	d.wanted = d.result.Assignments
	d.settleApplied(v, st)
	if err := r.findHeld(ctx, tenant, d, st); err != nil {
		return nil, err
	}
	d.changes = Diff(d.applied, d.wanted, d.held)
	d.resolveDoubts(v, st)
	return d, nil
}

// settleApplied takes out what is no longer ours: roles in workspaces that are gone,
// and those whose rows were removed and the role left to the host.
func (d *decision) settleApplied(v *view, st *userState) {
	for _, a := range st.Applied {
		switch w := in(d.wanted, a.Scope); {
		case !v.manages(a.Scope):
		case (w == nil || w.Role != a.Role) && d.leftToHost(v, a):
			d.handed = append(d.handed, a)
		default:
			d.applied = append(d.applied, a)
		}
	}
	for _, a := range st.Handed {
		if !v.gone(a.Scope) && !d.person.gone && in(d.applied, a.Scope) == nil {
			d.handed = append(d.handed, a)
		}
	}
}

// gone reports whether a scope is a workspace that the host deleted.
func (v *view) gone(s Scope) bool { return s.Kind == InWorkspace && v.spaces.Gone[s.ID] }

// manages reports whether roles in a scope are ours to change. When the management of
// organisation roles was turned off they are the host's from then on.
func (v *view) manages(s Scope) bool {
	return !v.gone(s) && (s.Kind != InOrganisation || v.rules.settings.Organisation != nil)
}

// leftToHost reports whether an assignment came only from rows that were removed
// with [Keep]. Who is not active has no roles, of whatever origin.
func (d *decision) leftToHost(v *view, a Assignment) bool {
	rows := 0
	for _, c := range a.Causes {
		if c.Role != a.Role {
			continue
		}
		if c.Way != ByTable || !v.keptRow(c.Row) {
			return false
		}
		rows++
	}
	return rows > 0 && d.person.Active
}

// findHeld asks the host which roles it gave by itself in the scopes where nothing
// of ours is.
func (r *Reconciler) findHeld(ctx context.Context, tenant string, d *decision, st *userState) error {
	if r.held == nil {
		d.held = d.handed
		return nil
	}
	var ask []Scope
	for _, list := range [][]Assignment{d.wanted, d.handed} {
		for _, a := range list {
			if in(d.applied, a.Scope) == nil && !st.inDoubt(a.Scope) && !slices.Contains(ask, a.Scope) {
				ask = append(ask, a.Scope)
			}
		}
	}
	if len(ask) == 0 {
		return nil
	}
	held, err := r.askHeld(ctx, tenant, d.person.ID, ask)
	if err != nil {
		return err
	}
	for _, h := range held {
		if h.Role != "" && slices.Contains(ask, h.Scope) {
			d.held = append(d.held, h)
		}
	}
	d.handed = slices.DeleteFunc(d.handed, func(a Assignment) bool { return in(d.held, a.Scope) == nil })
	return nil
}

// askHeld asks the host. What fails is the host's code for this user, and nobody
// else's business.
func (r *Reconciler) askHeld(ctx context.Context, tenant, user string, scopes []Scope) (held []Assignment, err error) {
	err = calling(func() (err error) { held, err = r.held(ctx, tenant, user, scopes); return err })
	if err != nil {
		return nil, errApply{err}
	}
	return held, nil
}

// resolveDoubts makes sure that the host is told what holds in every scope where
// the outcome of an earlier call is not known.
func (d *decision) resolveDoubts(v *view, st *userState) {
	for _, x := range st.Doubts {
		s := x.Change.Scope
		if !v.manages(s) || touches(d.changes, s) {
			continue
		}
		c := Change{User: d.person.ID, Scope: s, From: x.Change.To, Causes: x.Change.Causes}
		if c.From == "" {
			c.From = x.Change.From
		}
		if a := in(d.applied, s); a != nil {
			c.To, c.Causes = a.Role, a.Causes
		}
		if c.From != "" || c.To != "" {
			d.changes = append(d.changes, c)
		}
	}
	slices.SortStableFunc(d.changes, func(a, b Change) int { return compareScopes(a.Scope, b.Scope) })
}

// after returns what the host has once it made the changes, with the causes as they
// are now.
func (d *decision) after(changes []Change) (list []Assignment) {
	changed := map[Scope]bool{}
	for _, c := range changes {
		changed[c.Scope] = true
		if c.To != "" {
			list = append(list, Assignment{User: d.person.ID, Scope: c.Scope, Role: c.To, Causes: c.Causes})
		}
	}
	for _, a := range d.applied {
		if changed[a.Scope] {
			continue
		}
		if w := in(d.wanted, a.Scope); w != nil && (w.Role == a.Role || a.Scope.Kind == AsGroup) {
			a = *w // with the present causes; a group may have another name
		}
		list = append(list, a)
	}
	slices.SortFunc(list, func(a, b Assignment) int { return compareScopes(a.Scope, b.Scope) })
	return list
}

// in returns the assignment in a scope, or nil.
func in(list []Assignment, s Scope) *Assignment {
	if i := slices.IndexFunc(list, func(a Assignment) bool { return a.Scope == s }); i >= 0 {
		return &list[i]
	}
	return nil
}

// loses reports whether a change takes something away, and gains whether it gives
// the highest role of its scope.
func (v *view) loses(c Change) bool {
	return c.To == "" || c.From != "" && c.Scope.Kind != AsGroup && v.rules.Compare(c.Scope.Kind, c.To, c.From) < 0
}

func (v *view) gains(c Change) bool {
	return c.To != "" && c.From != c.To && c.To == v.rules.Highest(c.Scope.Kind)
}

// touches reports whether one of the changes is in a scope.
func touches(list []Change, s Scope) bool {
	return slices.ContainsFunc(list, func(c Change) bool { return c.Scope == s })
}

// leftInDoubt returns the doubts that stay although the host is told of changes: those
// about scopes where a guard stopped what should be done, and those of other instances
// that may still be at it; until is when the last of these has given up.
func (d *decision) leftInDoubt(list []doubt, told []Change, me string, now time.Time) (left []doubt, until time.Time) {
	for _, x := range list {
		s := x.Change.Scope
		open := x.By != me && x.Until.After(now) && touches(d.changes, s)
		if open && x.Until.After(until) {
			until = x.Until
		}
		if open || touches(d.changes, s) && !touches(told, s) {
			left = append(left, x)
		}
	}
	return left, until
}
