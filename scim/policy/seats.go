package policy

import (
	"cmp"
	"context"
	"net/http"
	"time"

	"github.com/musterhq/muster/internal/kept"
	"github.com/musterhq/muster/scim"
)

// Seats limits how many users of a tenant are active at the same time. A user takes
// a seat by being created active or by being reactivated, and gives it back when it
// is deactivated or deleted. Whoever has a seat keeps it when the limit is lowered;
// nobody gets one until there are seats again. Everything else passes.
//
// The limit is exact: of any number of creates at the same moment, in any number of
// processes, as many pass as there are seats. Users whom the host makes, deactivates
// or erases behind the server's back count too, but late: the store is asked how many
// are active when a tenant's first seat is taken, before somebody is refused (at most
// once a minute), and once an hour.
//
// Where a handler keeps users, a seat is taken before the handler is called. One that
// the handler did not use, and one that became free, is found when the store is asked
// again, a minute after the last activation at the earliest. The limit is exceeded
// only by a handler that takes more than a minute for a write.
type Seats struct {
	// Limit returns how many users of a tenant may be active; a negative number is no
	// limit. It is required and called for each activation, so it should be quick. A
	// host that has further users, who are not in the server, subtracts them.
	Limit func(ctx context.Context, tenant string) (int, error)
	// Advice completes the sentence "deactivate users who have left, or …" for the
	// administrator who meets the limit. Default "raise the number of seats in the
	// application".
	Advice string
}

// seats is the account of a tenant.
type seats struct {
	Used int `json:"used"`
	// Counted is when Used was last asked of the store.
	Counted time.Time `json:"counted"`
	// Taken is when a handler was last asked to keep an active user, and Freed whether
	// one was asked to let one go since Counted.
	Taken time.Time `json:"taken,omitzero"`
	Freed bool      `json:"freed,omitempty"`
	// Idle says that there was no limit, so that nobody kept account.
	Idle bool `json:"idle,omitempty"`
}

const (
	seatsID      = "seats"
	recountSoon  = time.Minute // before a refusal
	recountLater = time.Hour   // before an activation
)

func seatsKind() *kept.Kind[seats] { return kept.NewKind[seats]("MusterPolicySeats", nil) }

// Guard returns the rule for [scim.WithGuard]. It panics without Limit.
func (s Seats) Guard() scim.Guard {
	if s.Limit == nil {
		panic("policy: Seats needs a Limit")
	}
	kind := seatsKind()
	return func(ctx context.Context, p scim.Principal, effects []scim.Effect) error {
		taken, given := 0, 0
		for i := range effects {
			if effects[i].Type.Name() != userType {
				continue
			}
			if effects[i].Activates() {
				taken++
			}
			if effects[i].Deactivates() {
				given++
			}
		}
		if taken == 0 && given == 0 {
			return nil
		}
		limit, err := s.Limit(ctx, p.Tenant)
		if err != nil {
			return err
		}
		c, err := commitOf(ctx)
		if err != nil {
			return err
		}
		account, err := kind.Get(ctx, c.Directory().Store(), p.Tenant, seatsID)
		if err != nil {
			return err
		}
		a := &seatsAccount{kind, c, p.Tenant, account}
		if limit < 0 {
			return a.rest()
		}
		if taken > given {
			if err := a.take(ctx, taken-given, limit); err != nil {
				return s.explain(err)
			}
			return a.keep()
		}
		return a.give(given - taken)
	}
}

// errTaken says that there are not enough seats.
type errTaken struct{ limit int }

func (errTaken) Error() string { return "all seats are taken" }

// explain tells the administrator what to do.
func (s Seats) explain(err error) error {
	full, ok := err.(errTaken)
	if !ok {
		return err
	}
	return scim.Errorf(http.StatusForbidden, "",
		"all seats of this organisation are taken (%d), so nobody can be added or reactivated; deactivate users who have left, or %s; the change can then be sent again as it is",
		full.limit, cmp.Or(s.Advice, "raise the number of seats in the application"))
}

// seatsAccount is the account while a commit is judged.
type seatsAccount struct {
	kind   *kept.Kind[seats]
	commit *scim.Commit
	tenant string
	kept.State[seats]
}

// take takes seats, n at least one.
func (a *seatsAccount) take(ctx context.Context, n, limit int) error {
	now, v := a.commit.Time(), &a.Value
	counted := a.Version == 0 || v.Idle || passed(v.Counted, now, recountLater) && a.quiet()
	if counted {
		if err := a.count(ctx); err != nil {
			return err
		}
	}
	if !counted && v.Used+n > limit && (v.Freed || passed(v.Counted, now, recountSoon)) && a.quiet() {
		counted = true
		if err := a.count(ctx); err != nil {
			return err
		}
	}
	if v.Used+n > limit {
		if counted {
			a.note(ctx)
		}
		return errTaken{limit}
	}
	v.Used += n
	if a.commit.Handled() {
		v.Taken = now
	}
	return nil
}

// quiet reports whether the store can be asked: it does not know yet of users whom
// a handler is about to keep.
func (a *seatsAccount) quiet() bool {
	return a.Value.Taken.IsZero() || passed(a.Value.Taken, a.commit.Time(), inFlight)
}

// count asks the store. What is committed meanwhile changes the account, so that it
// is not written in vain.
func (a *seatsAccount) count(ctx context.Context) error {
	used, err := ActiveUsers(ctx, a.commit.Directory(), a.tenant)
	a.Value = seats{Used: used, Counted: a.commit.Time()}
	return err
}

// give gives seats back.
func (a *seatsAccount) give(n int) error {
	switch v := &a.Value; {
	case a.Version == 0 || v.Idle || n == 0:
		return nil
	case a.commit.Handled(): // whether it succeeds is not known yet
		if v.Freed {
			return nil
		}
		v.Freed = true
	default:
		v.Used = max(0, v.Used-n)
	}
	return a.keep()
}

// rest ends the account of a tenant without a limit: it would not be right any more
// when there is one again.
func (a *seatsAccount) rest() error {
	if a.Version == 0 || a.Value.Idle {
		return nil
	}
	a.Value = seats{Idle: true}
	return a.keep()
}

// keep writes the account together with what is committed.
func (a *seatsAccount) keep() error {
	put, err := a.kind.Put(a.State, a.commit.Time())
	if err != nil {
		return err
	}
	return a.commit.Keep(put)
}

// note writes the account of a tenant where somebody is about to be refused, so that
// the store is not asked again for each of the others. Others who write it know as
// much, and it is not worth another error.
func (a *seatsAccount) note(ctx context.Context) {
	if put, err := a.kind.Put(a.State, a.commit.Time()); err == nil {
		_ = commitAlone(ctx, a.commit, a.tenant, put)
	}
}
