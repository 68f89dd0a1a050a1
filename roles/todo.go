package roles

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/musterhq/muster/storage"
)

// Work that cannot be done at once is written down: what concerns a whole group or
// everybody, and what is tried again later. It is done page by page, between what
// happens meanwhile, and goes on where it was when the process ends.

// addTodo writes work down, or has it begin anew. What is there already keeps the
// earlier time.
func (r *Reconciler) addTodo(ctx context.Context, tenant string, t todo) error {
	return r.writeTodo(ctx, tenant, t, false)
}

// postpone is addTodo for work that failed: the new time counts.
func (r *Reconciler) postpone(ctx context.Context, tenant string, t todo) error {
	return r.writeTodo(ctx, tenant, t, true)
}

func (r *Reconciler) writeTodo(ctx context.Context, tenant string, t todo, later bool) error {
	defer r.wake.up(tenant)
	for range maxConflicts {
		k, err := r.kinds.todos.get(ctx, r.store, tenant, t.key())
		if err != nil {
			return err
		}
		if k.Version > 0 && !later && k.State.Due.Before(t.Due) {
			t.Due = k.State.Due
		}
		k.State = t
		err = r.kinds.todos.save(ctx, r.store, tenant, r.now(), &k)
		if !errors.Is(err, storage.ErrConflict) {
			return err
		}
	}
	return storage.ErrConflict
}

// dueTodos returns the work that may begin, a page at most, and when the next may.
func (r *Reconciler) dueTodos(ctx context.Context, tenant string) (due []kept[todo], next time.Time, err error) {
	now := r.now()
	err = r.kinds.todos.each(ctx, r.store, tenant, func(k kept[todo]) error {
		switch at := k.State.Due; {
		case !at.After(now):
			due = append(due, k)
			if len(due) == pageSize {
				return errFound
			}
		case next.IsZero() || at.Before(next):
			next = at
		}
		return nil
	})
	if err == errFound {
		err = nil
	}
	return due, next, err
}

// doTodo does one page of work, and notes how far it is.
func (r *Reconciler) doTodo(ctx context.Context, tenant string, k kept[todo]) error {
	done, err := r.page(ctx, tenant, &k.State)
	if err != nil {
		return err
	}
	if done {
		err = r.kinds.todos.drop(ctx, r.store, tenant, r.now(), k)
	} else {
		err = r.kinds.todos.save(ctx, r.store, tenant, r.now(), &k)
	}
	if errors.Is(err, storage.ErrConflict) {
		return nil // it was written down anew meanwhile
	}
	return err
}

// page does one page of t and moves it on. done is true behind the last one.
func (r *Reconciler) page(ctx context.Context, tenant string, t *todo) (done bool, err error) {
	var steps []step
	x := exemption{}
	switch t.Kind {
	case todoUser:
		return true, r.lookEach(ctx, tenant, []string{t.ID}, x)
	case todoScope:
		steps = []step{r.lookStates(t.ID)}
	case todoGroup, todoLater:
		group := t.ID
		steps = []step{
			func(ctx context.Context, tenant, _ string, x exemption) (string, error) {
				if err := r.lookGroup(ctx, tenant, group, false); err != nil {
					return "", err
				}
				return "", r.foresee(ctx, tenant, x, func(f func([]string) error) error { return r.eachTouched(ctx, tenant, group, f) })
			},
			r.lookMembers(group),
			r.lookStates(groupWord(group)),
		}
	default:
		if hold, ok := strings.CutPrefix(t.ID, "release:"); ok {
			h, err := r.kinds.holds.get(ctx, r.store, tenant, hold)
			if err != nil || h.Version == 0 {
				return true, err
			}
			x = exemption{h.State.Connection, []HoldKind{h.State.Kind}}
		}
		steps = r.everything()
	}
	if t.Phase < len(steps) {
		if t.After, err = steps[t.Phase](ctx, tenant, t.After, x); err != nil {
			return false, err
		}
		if t.After == "" {
			t.Phase++
		}
	}
	if t.Phase < len(steps) {
		return false, nil
	}
	if hold, ok := strings.CutPrefix(t.ID, "release:"); ok && t.Kind == todoAll {
		return true, r.endHold(ctx, tenant, hold)
	}
	return true, nil
}

// step does one page of something behind a place, and returns the place to go on
// from, "" behind the last page.
type step func(ctx context.Context, tenant, after string, x exemption) (next string, err error)

// everything looks at all groups, then at all users, then at those whom the host was
// told of and who are gone.
func (r *Reconciler) everything() []step {
	return []step{r.allGroups, r.goneGroups, r.foreseeAll, r.allUsers, r.lookStates("")}
}

func (r *Reconciler) allGroups(ctx context.Context, tenant, after string, _ exemption) (string, error) {
	page, err := r.dir.List(ctx, tenant, "Group", "", after, pageSize)
	if err != nil {
		return "", err
	}
	for _, e := range page {
		after = e.Resource.ID()
		if err := r.lookGroup(ctx, tenant, after, false); err != nil {
			return "", err
		}
	}
	return further(after, len(page)), nil
}

// goneGroups finds the groups that we know of, or that rows name, and that are gone.
func (r *Reconciler) goneGroups(ctx context.Context, tenant, _ string, _ exemption) (string, error) {
	gone := func(id string) error {
		if _, ok, err := r.present(ctx, tenant, id); ok || err != nil {
			return err
		}
		return r.groupGone(ctx, tenant, id)
	}
	err := r.kinds.groups.each(ctx, r.store, tenant, func(k kept[groupState]) error { return gone(k.ID) })
	if err != nil {
		return "", err
	}
	v, err := r.view(ctx, tenant)
	if err != nil {
		return "", err
	}
	for _, row := range v.rows {
		if row.Group != "" && row.Archived.IsZero() {
			if err := gone(row.Group); err != nil {
				return "", err
			}
		}
	}
	return "", nil
}

func (r *Reconciler) foreseeAll(ctx context.Context, tenant, _ string, x exemption) (string, error) {
	return "", r.foresee(ctx, tenant, x, func(f func([]string) error) error { return r.eachUser(ctx, tenant, f) })
}

// eachUser calls f for all users, and for those whom the host was told of and who are
// gone, page by page.
func (r *Reconciler) eachUser(ctx context.Context, tenant string, f func([]string) error) error {
	after := ""
	for {
		page, err := r.dir.List(ctx, tenant, "User", "", after, pageSize)
		if err != nil {
			return err
		}
		users := make([]string, len(page))
		for i, e := range page {
			users[i] = e.Resource.ID()
			after = users[i]
		}
		if err := f(users); err != nil {
			return err
		}
		if len(page) < pageSize {
			break
		}
	}
	return r.kinds.users.each(ctx, r.store, tenant, func(k kept[userState]) error {
		p, err := r.person(ctx, tenant, k.ID)
		if err != nil || !p.gone {
			return err
		}
		return f([]string{k.ID})
	})
}

func (r *Reconciler) allUsers(ctx context.Context, tenant, after string, x exemption) (string, error) {
	page, err := r.dir.List(ctx, tenant, "User", "", after, pageSize)
	if err != nil {
		return "", err
	}
	users := make([]string, len(page))
	for i, e := range page {
		users[i] = e.Resource.ID()
		after = users[i]
	}
	return further(after, len(page)), r.lookEach(ctx, tenant, users, x)
}

// lookMembers looks at the members of a group.
func (r *Reconciler) lookMembers(group string) step {
	return func(ctx context.Context, tenant, after string, x exemption) (string, error) {
		if r.nesting > 0 {
			return "", r.eachMember(ctx, tenant, group, func(users []string) error { return r.lookEach(ctx, tenant, users, x) })
		}
		var at storage.Ref
		if after != "" {
			at = userRef(after)
		}
		page, err := r.dir.Members(ctx, tenant, groupRef(group), at, pageSize)
		if err != nil {
			return "", err
		}
		var users []string
		for _, ref := range page {
			if ref.Type == "User" {
				users = append(users, ref.ID)
			}
		}
		if len(users) == 0 {
			return "", nil // groups come before users
		}
		return further(users[len(users)-1], len(page)), r.lookEach(ctx, tenant, users, x)
	}
}

// lookStates looks at the users whom a word finds, or all that there is a state of.
func (r *Reconciler) lookStates(word string) step {
	return func(ctx context.Context, tenant, after string, x exemption) (string, error) {
		var words []string
		if word != "" {
			words = []string{word}
		}
		page, err := r.kinds.users.list(ctx, r.store, tenant, after, pageSize, words...)
		if err != nil {
			return "", err
		}
		users := make([]string, len(page))
		for i, k := range page {
			users[i] = k.ID
			after = k.ID
		}
		return further(after, len(page)), r.lookEach(ctx, tenant, users, x)
	}
}

// eachTouched calls f for the members of a group, and for those who are none any more
// and have a role because of it; each user once.
func (r *Reconciler) eachTouched(ctx context.Context, tenant, group string, f func([]string) error) error {
	once := newOnce()
	each := func(users []string) error { return f(once.only(users)) }
	if err := r.eachMember(ctx, tenant, group, each); err != nil {
		return err
	}
	return r.kinds.users.each(ctx, r.store, tenant, func(k kept[userState]) error {
		return each([]string{k.ID})
	}, groupWord(group))
}

// once leaves out users that came before. It remembers so many and no more, so that
// memory is bounded; beyond that some are looked at twice, which does no harm.
type once struct{ seen map[string]struct{} }

const maxOnce = 20_000

func newOnce() *once { return &once{map[string]struct{}{}} }

func (o *once) only(users []string) (fresh []string) {
	for _, id := range users {
		if _, ok := o.seen[id]; ok {
			continue
		}
		if len(o.seen) < maxOnce {
			o.seen[id] = struct{}{}
		}
		fresh = append(fresh, id)
	}
	return fresh
}

// further is the place behind a page, "" when it was the last.
func further(after string, n int) string {
	if n < pageSize {
		return ""
	}
	return after
}

// lookEach looks at users. Errors of the host are recorded with the user and tried
// again; they do not keep others waiting.
func (r *Reconciler) lookEach(ctx context.Context, tenant string, users []string, x exemption) error {
	for _, id := range users {
		var host errApply
		if err := r.reconcileUser(ctx, tenant, id, x); err != nil && !errors.As(err, &host) {
			return fmt.Errorf("roles: user %s: %w", id, err)
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	return nil
}
