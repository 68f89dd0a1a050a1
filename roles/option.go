package roles

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"
)

// Option adjusts [New].
type Option interface{ apply(*Reconciler) error }

type option func(*Reconciler) error

func (o option) apply(r *Reconciler) error { return o(r) }

// WithSettings sets the settings of tenants that have none of their own, see
// [Reconciler.SetSettings]. Without it they give no role to anybody. When they
// differ from those of an earlier run, all users are looked at again.
func WithSettings(s Settings) Option {
	return option(func(r *Reconciler) error {
		rules, err := NewRules(s)
		if err != nil {
			return err
		}
		r.rules = rules
		return nil
	})
}

// WithWorkspaces sets who turns names of workspaces into the host's ids. Without
// it every name of the convention is pending, listed by [Reconciler.Workspaces].
func WithWorkspaces(f WorkspaceFunc) Option {
	return option(func(r *Reconciler) error { r.workspaces = f; return nil })
}

// WithHeld sets who knows the roles that the host gave by itself. They are never
// changed. Without it every role that is granted is taken for ours.
func WithHeld(f HeldFunc) Option {
	return option(func(r *Reconciler) error { r.held = f; return nil })
}

// WithNesting counts members of groups that are members of a group, through at
// most depth groups in between. Without it only direct members count.
func WithNesting(depth int) Option {
	return option(func(r *Reconciler) error {
		if depth < 0 {
			return errors.New("WithNesting: the depth is negative")
		}
		r.nesting = depth
		return nil
	})
}

// WithSettling waits so long after a group was renamed before its new name gives
// roles and the old one no longer does; renamed again meanwhile, it waits anew. Without
// it a rename takes effect at once.
func WithSettling(d time.Duration) Option {
	return option(func(r *Reconciler) error { r.settling = d; return nil })
}

// WithLimits sets the guards. Without it there are none.
func WithLimits(l Limits) Option {
	return option(func(r *Reconciler) error {
		if l.Losing < 0 || l.GainingHighest < 0 || l.Deactivating < 0 || l.Window < 0 || l.Deadline < 0 || l.GainingDeadline < 0 {
			return errors.New("WithLimits: a limit is negative")
		}
		if l.Window == 0 {
			l.Window = time.Hour
		}
		if l.Deadline == 0 {
			l.Deadline = 24 * time.Hour
		}
		r.limits = l
		return nil
	})
}

// WithLastHolders never takes a role from the last user who has it in its scope:
// the assignment stays, even when that user is deactivated, until somebody else
// has the role. Ending the user's sessions is not delayed. Without it the
// organisation's highest role is guarded in this way, when organisation roles are
// managed; without roles nothing is.
func WithLastHolders(of ...Role) Option {
	return option(func(r *Reconciler) error { r.lastHolders, r.ownLast = of, true; return nil })
}

// WithSynchronous reconciles the users that a request concerns before it is
// answered, as far as they are no more than so many; the others follow in the
// background. Errors are retried in the background and never fail the request.
func WithSynchronous(users int) Option {
	return option(func(r *Reconciler) error { r.synchronous = users; return nil })
}

// WithObserver tells f what happened besides changes of roles: rows that found their
// group, workspaces that lost their last mapping, holds. It is called after the
// fact and should return soon.
func WithObserver(f func(context.Context, Event)) Option {
	return option(func(r *Reconciler) error { r.observer = f; return nil })
}

// WithLogger sets where events and errors are logged. The default is
// slog.Default(). Users and groups are named by id alone.
func WithLogger(l *slog.Logger) Option {
	return option(func(r *Reconciler) error {
		if l != nil {
			r.log = l
		}
		return nil
	})
}

// WithClock replaces the clock: for tests.
func WithClock(now func() time.Time) Option {
	return option(func(r *Reconciler) error {
		if now != nil {
			r.clock = now
		}
		return nil
	})
}

// WithLease sets how long an instance has a tenant's work for itself before
// another one may take over. The default is 30 seconds. An instance at work renews
// its lease; one that ended leaves the work lying for at most so long.
func WithLease(d time.Duration) Option {
	return option(func(r *Reconciler) error {
		if d < time.Second {
			return fmt.Errorf("WithLease: %v is less than a second", d)
		}
		r.lease = d
		return nil
	})
}

// WithApplyTimeout bounds a call of the Applier. The default is 30 seconds.
func WithApplyTimeout(d time.Duration) Option {
	return option(func(r *Reconciler) error {
		if d <= 0 {
			return errors.New("WithApplyTimeout: the time must be positive")
		}
		r.applyTimeout = d
		return nil
	})
}

// WithEvery sets how often a tenant is looked at when nothing seems to have
// happened. The default is every second, or 30 where the store tells of changes.
func WithEvery(d time.Duration) Option {
	return option(func(r *Reconciler) error { r.every = d; return nil })
}

// Limits are the guards against mistakes at the identity provider. They count
// users of one connection within a window of time, which may begin at any moment to a
// twelfth of its length; a user counts once in it. What goes beyond a limit is
// held: nothing more of the kind is done for that connection until a person
// releases the hold. A limit of 0 is none. Deactivations and deletions are never
// held unless Deactivating says so.
type Limits struct {
	// Losing is how many users may lose a role or get a lower one.
	Losing int
	// GainingHighest is how many users may get the highest role of workspaces or of
	// the organisation.
	GainingHighest int
	// Deactivating is how many users' roles may be revoked because they were
	// deactivated or deleted. Their sessions are the host's to end in any case.
	Deactivating int
	// Window is the time in which users count. 0 means an hour.
	Window time.Duration
	// Deadline is after how long a hold of losses or of deactivations ends by itself: as
	// if it was released then, what should change is worked out anew and done. 0 means a
	// day: access that the identity provider took away must not stay for ever.
	Deadline time.Duration
	// GainingDeadline is the same for holds of gains. 0 means that they wait for a
	// person, since nobody should become an administrator because nobody looked.
	GainingDeadline time.Duration
}
