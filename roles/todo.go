package roles

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/musterhq/muster/internal/kept"
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
		k, err := r.kinds.todos.Get(ctx, r.store, tenant, t.key())
		if err != nil {
			return err
		}
		if k.Version > 0 && !later && k.Value.Due.Before(t.Due) {
			t.Due = k.Value.Due
		}
		k.Value = t
		err = r.kinds.todos.Save(ctx, r.store, tenant, r.now(), &k)
		if !errors.Is(err, storage.ErrConflict) {
			return err
		}
	}
	return storage.ErrConflict
}

// dueTodos returns the work that may begin, a page at most, and when the next may.
func (r *Reconciler) dueTodos(ctx context.Context, tenant string) (due []kept.State[todo], next time.Time, err error) {
	now := r.now()
	err = r.kinds.todos.Each(ctx, r.store, tenant, func(k kept.State[todo]) error {
		switch at := k.Value.Due; {
		case !at.After(now):
			due = append(due, k)
			if len(due) == r.page {
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
func (r *Reconciler) doTodo(ctx context.Context, tenant string, k kept.State[todo]) error {
	done, err := r.turn(ctx, tenant, &k.Value)
	if err != nil {
		return err
	}
	if done {
		err = r.kinds.todos.Drop(ctx, r.store, tenant, r.now(), k)
	} else {
		err = r.kinds.todos.Save(ctx, r.store, tenant, r.now(), &k)
	}
	if errors.Is(err, storage.ErrConflict) {
		return nil // it was written down anew meanwhile
	}
	return err
}

// turn does one page of t and moves it on. done is true behind the last one.
func (r *Reconciler) turn(ctx context.Context, tenant string, t *todo) (done bool, err error) {
	var steps []step
	x := exemption{}
	switch t.Kind {
	case todoUser:
		return true, r.lookEach(ctx, tenant, []string{t.ID}, x)
	case todoStates:
		steps = []step{r.lookStates(t.ID)}
	case todoGroup, todoLater:
		steps = r.wholeGroup(t.ID)
	case todoChange:
		steps = r.largeChange(t.ID, t.Change)
	default:
		steps = r.everything()
		if hold, ok := strings.CutPrefix(t.ID, releaseID); ok {
			if steps, x, err = r.released(ctx, tenant, hold); err != nil {
				return false, err
			}
		}
	}
	if t.Phase < len(steps) {
		behind, err := steps[t.Phase](ctx, tenant, &t.pass, x)
		if err != nil {
			return false, err
		}
		if behind {
			t.Phase++
			t.After, t.At, t.Delta = "", 0, storage.LinkDelta{}
		}
	}
	return t.Phase >= len(steps), nil
}

// relookGuarded looks again at those who kept a role because nobody else had it.
var relookGuarded = todo{Kind: todoStates, ID: "guarded"}
