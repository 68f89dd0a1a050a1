package policy

import (
	"context"
	"net/http"
	"time"

	"github.com/musterhq/muster/internal/kept"
	"github.com/musterhq/muster/scim"
	"github.com/musterhq/muster/storage"
)

// Fuse stops a mistake at an identity provider, such as a group that was taken off
// the application, before it has deactivated everybody. When one connection
// deactivates and deletes more active users within a window than Limit and Share
// say, the fuse blows: from then on the connection's deactivations and deletions are
// refused, and everything else passes. The host is told once.
//
// The host then looks at it and calls [Fuse.LetPass], when it is meant, or has it
// corrected at the identity provider and calls [Fuse.Reset]. The identity provider
// sends what was refused again in its next cycles. Until somebody does, a person who
// really left keeps the access that the host gives: end that in the host. After
// Deadline the fuse lets all pass by itself, since a safety device must not keep
// people in for ever.
//
// The count is kept for each connection of each tenant, shared by all processes, and
// exact. Where a handler keeps users, a deactivation that the handler failed at counts
// as well.
type Fuse struct {
	// Limit is how many users a connection may deactivate within the window in any
	// case. It is required, and at least 1.
	Limit int
	// Share is which part of the tenant's active users that may be as well, such as
	// 0.05: the fuse blows when a connection is over both. 0 means that Limit alone
	// counts.
	Share float64
	// Window is the time within which is counted. It begins with a deactivation.
	// Default one hour.
	Window time.Duration
	// Deadline is the time after which a fuse that has blown lets all pass. Default 24
	// hours.
	Deadline time.Duration
	// Blown is told that a fuse has blown, before the identity provider gets its
	// answer, and in one process only. It must be quick. nil tells nobody; [Fuse.State]
	// knows all the same.
	Blown func(ctx context.Context, tenant, connection string, s FuseState)
}

// FuseState is what a fuse is doing.
type FuseState struct {
	// Since is when the present window began; zero when nobody was deactivated yet.
	Since time.Time `json:"since,omitzero"`
	// Left is how many users were deactivated or deleted in the window, and Most how
	// many may be.
	Left int `json:"left"`
	Most int `json:"most"`
	// Blown is when the fuse blew; zero when it has not.
	Blown time.Time `json:"blown,omitzero"`
	// Passing is when a user was last let pass, or the permission given, after
	// [Fuse.LetPass] or the deadline; zero when the fuse counts. It counts again after a
	// window without a deactivation.
	Passing time.Time `json:"passing,omitzero"`
}

func fuseKind() *kept.Kind[FuseState] { return kept.NewKind[FuseState]("MusterPolicyFuse", nil) }

func (f Fuse) complete() Fuse {
	if f.Limit < 1 || f.Share < 0 || f.Share > 1 || f.Window < 0 || f.Deadline < 0 {
		panic("policy: Fuse needs a Limit of at least 1, a Share from 0 to 1, and no negative times")
	}
	if f.Window == 0 {
		f.Window = time.Hour
	}
	if f.Deadline == 0 {
		f.Deadline = 24 * time.Hour
	}
	return f
}

// Guard returns the rule for [scim.WithGuard]. It panics when a field makes no sense.
func (f Fuse) Guard() scim.Guard {
	f = f.complete()
	kind := fuseKind()
	return func(ctx context.Context, p scim.Principal, effects []scim.Effect) error {
		leaving := 0
		for i := range effects {
			if effects[i].Type.Name() == userType && effects[i].Deactivates() {
				leaving++
			}
		}
		if leaving == 0 {
			return nil
		}
		c, err := commitOf(ctx)
		if err != nil {
			return err
		}
		s, err := kind.Get(ctx, c.Directory().Store(), p.Tenant, fuseID(p.Connection))
		if err != nil {
			return err
		}
		now, v := c.Time(), &s.Value
		if err := f.advance(ctx, c, p.Tenant, v); err != nil {
			return err
		}
		switch {
		case !v.Passing.IsZero():
			v.Passing = now
		case !v.Blown.IsZero():
			return f.refusal(v, now)
		case v.Left+leaving > v.Most:
			v.Blown = now
			put, err := kind.Put(s, now)
			if err == nil {
				err = commitAlone(ctx, c, p.Tenant, put) // one process wins
			}
			if err != nil {
				return err
			}
			if f.Blown != nil {
				f.Blown(ctx, p.Tenant, p.Connection, *v)
			}
			return f.refusal(v, now)
		default:
			v.Left += leaving
		}
		put, err := kind.Put(s, now)
		if err != nil {
			return err
		}
		return c.Keep(put)
	}
}

// advance lets time pass.
func (f Fuse) advance(ctx context.Context, c *scim.Commit, tenant string, v *FuseState) error {
	now := c.Time()
	switch {
	case !v.Passing.IsZero():
		if !passed(v.Passing, now, f.Window) {
			return nil
		}
	case !v.Blown.IsZero():
		if passed(v.Blown, now, f.Deadline) {
			v.Blown, v.Passing = time.Time{}, now
		}
		return nil
	case !v.Since.IsZero() && !passed(v.Since, now, f.Window):
		return nil
	}
	*v = FuseState{Since: now, Most: f.Limit}
	if f.Share == 0 {
		return nil
	}
	active, err := ActiveUsers(ctx, c.Directory(), tenant)
	v.Most = max(f.Limit, int(f.Share*float64(active)))
	return err
}

// refusal tells the administrator that somebody has to look at it.
func (f Fuse) refusal(v *FuseState, now time.Time) error {
	wait := v.Blown.Add(f.Deadline).Sub(now)
	err := scim.Errorf(http.StatusForbidden, "",
		"more than %d users were deactivated or deleted within %v, which looks like a mistake, so that no more are; check who is assigned to the application; if it is meant, let an administrator of the application confirm it; the change can then be sent again as it is, and is accepted without that after %v",
		v.Most, f.Window, wait.Round(time.Minute))
	err.RetryAfter = max(wait, time.Second)
	return err
}

// State returns what the fuse of a connection is doing. What time alone has changed
// since the last deactivation is not in it.
func (f Fuse) State(ctx context.Context, d *scim.Directory, tenant, connection string) (FuseState, error) {
	s, err := fuseKind().Get(ctx, d.Store(), tenant, fuseID(connection))
	return s.Value, err
}

// Reset mends a fuse that has blown: counting begins anew, with nobody.
func (f Fuse) Reset(ctx context.Context, d *scim.Directory, tenant, connection string) error {
	return f.set(ctx, d, tenant, connection, FuseState{})
}

// LetPass lets a connection deactivate as many users as it likes, until it has
// deactivated none for the length of a window: the administrator has confirmed that
// it is meant. It may be called before there is anything to confirm.
func (f Fuse) LetPass(ctx context.Context, d *scim.Directory, tenant, connection string) error {
	return f.set(ctx, d, tenant, connection, FuseState{Passing: d.Now()})
}

func (f Fuse) set(ctx context.Context, d *scim.Directory, tenant, connection string, to FuseState) error {
	return fuseKind().Edit(ctx, d.Store(), tenant, fuseID(connection), d.Now(), func(s *kept.State[FuseState]) (bool, error) {
		s.Value = to
		return true, nil
	})
}

// fuseID is the id of a connection's record. A principal without a connection has
// the one named "default".
func fuseID(connection string) string {
	if connection == "" {
		connection = "default"
	}
	return connection
}

// commitAlone writes a record of a guard's own now, whatever becomes of what it is
// asked about.
func commitAlone(ctx context.Context, c *scim.Commit, tenant string, p storage.Put) error {
	_, err := c.Directory().Store().Commit(ctx, &storage.Batch{Tenant: tenant, Time: c.Time(), Puts: []storage.Put{p}})
	return err
}
