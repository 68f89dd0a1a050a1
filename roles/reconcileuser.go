package roles

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/musterhq/muster/internal/kept"
	"github.com/musterhq/muster/storage"
)

// look reads a user and works out what is to be done.
func (r *Reconciler) look(ctx context.Context, tenant string, v *view, id string, st *userState) (*decision, error) {
	p, err := r.person(ctx, tenant, id)
	if err != nil {
		return nil, err
	}
	if p.gone || p.connection == "" {
		p.connection = st.Connection
	}
	return r.decide(ctx, tenant, v, p, st)
}

// ReconcileUser looks at one user at once: what should change is told to the
// [Applier], whose error it returns.
func (r *Reconciler) ReconcileUser(ctx context.Context, tenant, user string) error {
	return r.reconcileUser(ctx, tenant, user, exemption{})
}

// errApply wraps an error of the host's code, which is recorded with the user.
type errApply struct{ error }

func (e errApply) Unwrap() error { return e.error }

// reconcileUser looks at one user. When the host's code fails, that is recorded, a
// later attempt is planned, and the error is an errApply.
func (r *Reconciler) reconcileUser(ctx context.Context, tenant, id string, x exemption) error {
	release, err := r.users.take(ctx, tenant, id)
	if err != nil {
		return err
	}
	defer release()
	r.count(&r.stats.looked)
	var lost []doubt // outcomes that somebody else's write came before
	for range maxConflicts {
		if lost, err = r.attempt(ctx, tenant, id, x, lost); !errors.Is(err, storage.ErrConflict) {
			return err
		}
	}
	return err
}

// attempt is one attempt of reconcileUser. On a conflict it returns the changes that
// the Applier was called with and that could not be noted.
func (r *Reconciler) attempt(ctx context.Context, tenant, id string, x exemption, lost []doubt) ([]doubt, error) {
	k, err := r.kinds.users.Get(ctx, r.store, tenant, id)
	if err != nil {
		return lost, err
	}
	before := k.Value
	st := &k.Value
	st.Doubts = append(slices.Clone(st.Doubts), lost...)
	v, d, err := r.lookAsking(ctx, tenant, id, st)
	if err != nil {
		var host errApply
		if errors.As(err, &host) {
			return lost, r.failed(ctx, tenant, &k, host)
		}
		return lost, err
	}
	j, err := r.judge(ctx, tenant, v, d, st, x)
	if err != nil {
		return lost, err
	}
	now := r.now()
	left, until := d.leftInDoubt(st.Doubts, j.changes, r.name, now)
	st.User, st.Connection = id, d.person.connection
	st.Applied, st.Handed = d.after(nil), d.handed
	st.Conflicts, st.Guarded, st.Held = d.result.Conflicts, j.guarded, j.held
	st.UnknownRoles = someOf(d.result.UnknownRoles)
	if len(st.Conflicts) > 0 && len(before.Conflicts) == 0 {
		r.count(&r.stats.conflicts)
		r.log.InfoContext(ctx, "roles: groups conflict", "tenant", tenant, "user", id, "scope", st.Conflicts[0].Scope.ID)
	}
	if len(j.guarded) > 0 && len(before.Guarded) == 0 {
		r.count(&r.stats.kept)
		r.observe(ctx, Event{Kind: LastHolderKept, Tenant: tenant, User: id, Scope: j.guarded[0]})
	}
	st.Doubts = left
	if len(j.changes) == 0 {
		st.Error, st.Failures = "", 0
		return lost, r.keepUser(ctx, tenant, &k, &before, j)
	}
	var mine []doubt
	for _, c := range j.changes {
		mine = append(mine, doubt{Change: c, By: r.name, Until: now.Add(r.applyTimeout)})
	}
	st.Doubts, st.Counted = slices.Concat(left, mine), r.countedNow(st.Counted, j.counted, now)
	if err := r.saveUser(ctx, tenant, &k, j); err != nil {
		return lost, err
	}
	if err := r.tell(ctx, tenant, j.changes); err != nil {
		return mine, r.failed(ctx, tenant, &k, errApply{err})
	}
	st.Applied, st.Doubts, st.Error, st.Failures = d.after(j.changes), left, "", 0
	if err := r.finishUser(ctx, tenant, &k, r.newHolder(v, j.changes)); err != nil {
		return mine, err
	}
	r.told(ctx, tenant, j.changes)
	if !until.IsZero() {
		// Another instance may still be telling the host something older.
		return nil, r.addTodo(ctx, tenant, todo{Kind: todoUser, ID: id, Due: until})
	}
	return nil, nil
}

// newHolder reports whether changes give somebody a role that a last holder may have
// kept.
func (r *Reconciler) newHolder(v *view, changes []Change) bool {
	return slices.ContainsFunc(changes, func(c Change) bool { return c.To != "" && r.protects(v, c.Scope, c.To) })
}

// lookAsking is look, and asks the host about workspaces that it was not asked about.
func (r *Reconciler) lookAsking(ctx context.Context, tenant, id string, st *userState) (v *view, d *decision, err error) {
	for range maxConflicts {
		if v, err = r.view(ctx, tenant); err != nil {
			return nil, nil, err
		}
		if d, err = r.look(ctx, tenant, v, id, st); err != nil {
			return nil, nil, err
		}
		asked, err := r.askWorkspaces(ctx, tenant, d.result.Pending)
		if err != nil {
			return nil, nil, err
		}
		if !asked {
			break
		}
	}
	return v, d, nil
}

// tell calls the Applier. Its panic is an error: the user's roles are in doubt, and
// the others' work goes on.
func (r *Reconciler) tell(ctx context.Context, tenant string, changes []Change) error {
	ctx, cancel := context.WithTimeout(ctx, r.applyTimeout)
	defer cancel()
	return calling(func() error { return r.applier.Apply(ctx, tenant, slices.Clone(changes)) })
}

// told counts and logs what the Applier made.
func (r *Reconciler) told(ctx context.Context, tenant string, changes []Change) {
	for _, c := range changes {
		what := "granted"
		switch c.Kind() {
		case Granted:
			r.count(&r.stats.granted)
		case Changed:
			what = "changed"
			r.count(&r.stats.changed)
		case Revoked:
			what = "revoked"
			r.count(&r.stats.revoked)
		}
		r.log.InfoContext(ctx, "roles: "+what, "tenant", tenant, "user", c.User, "scope", c.Scope.ID, "from", c.From, "to", c.To)
	}
}

// Times between attempts after errors of the host.
const (
	firstRetry = time.Second
	lastRetry  = 10 * time.Minute
)

// failed records an error of the host's code and plans another attempt.
func (r *Reconciler) failed(ctx context.Context, tenant string, k *kept.State[userState], host errApply) error {
	ctx = context.WithoutCancel(ctx)
	r.count(&r.stats.failed)
	now := r.now()
	st := &k.Value
	for i := range st.Doubts {
		if st.Doubts[i].By == r.name {
			st.Doubts[i].Until = now // the call is over
		}
	}
	st.User, st.Error, st.Failures = k.ID, short(host.Error()), st.Failures+1
	r.log.WarnContext(ctx, "roles: the host failed", "tenant", tenant, "user", k.ID, "failures", st.Failures, "error", host.Error())
	wait := lastRetry
	if n := st.Failures - 1; n < 10 {
		wait = min(wait, firstRetry<<n)
	}
	if err := r.saveUser(ctx, tenant, k, &judged{}); err != nil {
		return err
	}
	if err := r.postpone(ctx, tenant, todo{Kind: todoUser, ID: k.ID, Due: now.Add(wait)}); err != nil {
		return err
	}
	r.observe(ctx, Event{Kind: UserFailed, Tenant: tenant, User: k.ID})
	return host
}

// someOf bounds what is kept of values that a client sent.
func someOf(values []string) (some []string) {
	for _, v := range values[:min(len(values), 20)] {
		some = append(some, short(v))
	}
	return some
}

// short bounds what is kept of a text.
func short(s string) string {
	const most = 300
	if len(s) > most {
		s = s[:most]
	}
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
}

// keepUser writes a user's state if it differs.
func (r *Reconciler) keepUser(ctx context.Context, tenant string, k *kept.State[userState], before *userState, j *judged) error {
	switch {
	case k.Value.empty() && k.Version == 0 || k.Version > 0 && sameState(&k.Value, before):
		return nil
	case len(j.guarded) > 0:
		// Somebody may have become a holder since: the counters tell, see finishUser.
		return r.saveUser(ctx, tenant, k, j)
	default:
		return r.finishUser(ctx, tenant, k, false)
	}
}

// sameState compares by what is kept, where an empty list is none.
func sameState(a, b *userState) bool {
	x, errX := json.Marshal(a)
	y, errY := json.Marshal(b)
	return errX == nil && errY == nil && bytes.Equal(x, y)
}

// finishUser writes a user's state, or removes it when there is nothing to remember.
// It is done even when the caller is gone: the host has been told. A new holder of a
// role that a last holder may have kept has those looked at again, and touches the
// counters, so that whoever is about to become a last holder looks again too.
func (r *Reconciler) finishUser(ctx context.Context, tenant string, k *kept.State[userState], holder bool) error {
	ctx = context.WithoutCancel(ctx)
	switch {
	case k.Value.empty():
		return r.kinds.users.Drop(ctx, r.store, tenant, r.now(), *k)
	case !holder:
		return r.saveUser(ctx, tenant, k, &judged{})
	}
	var touched judged
	if err := r.loadCount(ctx, tenant, &touched); err != nil {
		return err
	}
	again, err := r.kinds.todos.Get(ctx, r.store, tenant, relookGuarded.key())
	if err != nil {
		return err
	}
	again.Value = relookGuarded
	put, err := r.kinds.todos.Put(again, r.now())
	if err != nil {
		return err
	}
	defer r.wake.up(tenant)
	return r.saveUser(ctx, tenant, k, &touched, put)
}

// saveUser writes a user's state, together with the counters of the guards and with
// other records.
func (r *Reconciler) saveUser(ctx context.Context, tenant string, k *kept.State[userState], j *judged, others ...storage.Put) error {
	now := r.now()
	put, err := r.kinds.users.Put(*k, now)
	if err != nil {
		return err
	}
	b := &storage.Batch{Tenant: tenant, Time: now, Puts: append([]storage.Put{put}, others...)}
	if j.count != nil {
		put, err := r.kinds.guards.Put(*j.count, now)
		if err != nil {
			return err
		}
		b.Puts = append(b.Puts, put)
	}
	res, err := r.store.Commit(ctx, b)
	if err != nil {
		return err
	}
	k.Version = res.Puts[0]
	return nil
}
