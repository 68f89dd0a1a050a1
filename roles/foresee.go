package roles

import (
	"context"
	"errors"
)

// Before many users are looked at, the guards count whom they would hold, and open the
// hold before any of them is changed: what is one mistake at the identity provider is
// stopped as a whole.

// foreseen is how many users of a connection the guards would count for a kind of hold.
type foreseen struct {
	Connection string   `json:"connection"`
	Kind       HoldKind `json:"kind"`
	Users      int      `json:"users"`
}

// count counts one more user.
func (p *pass) count(connection string, k HoldKind) int {
	for i := range p.Foreseen {
		if f := &p.Foreseen[i]; f.Connection == connection && f.Kind == k {
			f.Users++
			return f.Users
		}
	}
	p.Foreseen = append(p.Foreseen, foreseen{connection, k, 1})
	return 1
}

// foresee counts among users that are about to be looked at, each of whom it is
// given once in a pass.
func (r *Reconciler) foresee(ctx context.Context, tenant string, p *pass, x exemption, users []string) error {
	if r.limits == (Limits{}) || len(users) == 0 {
		return nil
	}
	var windows judged
	if err := r.loadCount(ctx, tenant, &windows); err != nil {
		return err
	}
	v, err := r.view(ctx, tenant)
	if err != nil {
		return err
	}
	for _, id := range users {
		st, err := r.kinds.users.Get(ctx, r.store, tenant, id)
		if err != nil {
			return err
		}
		d, err := r.look(ctx, tenant, v, id, &st.Value)
		var host errApply
		if errors.As(err, &host) {
			continue // nothing is done for that user either
		}
		if err != nil {
			return err
		}
		for _, k := range []HoldKind{HoldDeactivating, HoldLosing, HoldGaining} {
			hits, limit := r.limited(v, d, d.changes, k)
			connection := d.person.connection
			if limit == 0 || !hits || x.covers(connection, k) || r.isCounted(&st.Value, k) {
				continue
			}
			if p.count(connection, k)+windows.count.Value.counted(connection, k, r.now(), r.limits.Window) > limit {
				if err := r.beginHold(ctx, tenant, connection, k); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// foreseeMembers counts among the members of a group. Who is in several groups of the
// pass counts in the first of them.
func (r *Reconciler) foreseeMembers(group string) step {
	return func(ctx context.Context, tenant string, p *pass, x exemption) (bool, error) {
		if r.limits == (Limits{}) {
			return true, nil
		}
		at := p.At
		users, done, err := r.memberPage(ctx, tenant, group, p)
		if err != nil {
			return false, err
		}
		if users, err = r.without(ctx, tenant, users, p.Groups[:at]); err != nil {
			return false, err
		}
		return done, r.foresee(ctx, tenant, p, x, users)
	}
}

// foreseeStates counts among those whom a word finds and who are no members of the
// groups of the pass.
func (r *Reconciler) foreseeStates(word string) step {
	return func(ctx context.Context, tenant string, p *pass, x exemption) (bool, error) {
		if r.limits == (Limits{}) {
			return true, nil
		}
		users, done, err := r.statePage(ctx, tenant, word, p)
		if err != nil {
			return false, err
		}
		if users, err = r.without(ctx, tenant, users, p.Groups); err != nil {
			return false, err
		}
		return done, r.foresee(ctx, tenant, p, x, users)
	}
}

func (r *Reconciler) foreseeUsers(ctx context.Context, tenant string, p *pass, x exemption) (bool, error) {
	if r.limits == (Limits{}) {
		return true, nil
	}
	users, done, err := r.userPage(ctx, tenant, p)
	if err != nil {
		return false, err
	}
	return done, r.foresee(ctx, tenant, p, x, users)
}

// foreseeGone counts among those whom the host was told of and who are gone.
func (r *Reconciler) foreseeGone(ctx context.Context, tenant string, p *pass, x exemption) (bool, error) {
	if r.limits == (Limits{}) {
		return true, nil
	}
	users, done, err := r.gonePage(ctx, tenant, p)
	if err != nil {
		return false, err
	}
	return done, r.foresee(ctx, tenant, p, x, users)
}
