package roles

import (
	"context"
	"errors"
	"slices"

	"github.com/musterhq/muster/scim"
	"github.com/musterhq/muster/storage"
)

// happened works off changes of the log: they say whom to look at.
func (r *Reconciler) happened(ctx context.Context, tenant string, changes []storage.Change) error {
	for _, c := range changes {
		if c.Type != "Group" {
			continue
		}
		if err := r.groupChanged(ctx, tenant, c); err != nil {
			return err
		}
	}
	if r.limits != (Limits{}) {
		var p pass
		once := newOnce()
		for _, c := range changes {
			err := r.eachChanged(ctx, tenant, c, func(users []string) error {
				return r.foresee(ctx, tenant, &p, exemption{}, once.only(users))
			})
			if err != nil {
				return err
			}
		}
	}
	once := newOnce()
	for _, c := range changes {
		err := r.eachChanged(ctx, tenant, c, func(users []string) error {
			return r.lookEach(ctx, tenant, once.only(users), exemption{})
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// groupChanged brings what is known of a group up to date.
func (r *Reconciler) groupChanged(ctx context.Context, tenant string, c storage.Change) error {
	switch {
	case c.Kind == "created" || c.Kind == "revived":
		renamed, err := r.renamedSince(ctx, tenant, c)
		if err != nil {
			return err
		}
		return r.lookGroup(ctx, tenant, c.ID, !renamed)
	case deleted(c):
		if err := r.lookGroup(ctx, tenant, c.ID, false); err != nil {
			return err
		}
		// Users whom the log does not name may have a role because of it: those of
		// groups that were nested in it.
		return r.addTodo(ctx, tenant, todo{Kind: todoGroup, ID: c.ID})
	case c.Kind == "transferred":
		return r.lookGroup(ctx, tenant, c.ID, false)
	case slices.Contains(c.Paths, "displayName"):
		return r.addTodo(ctx, tenant, todo{Kind: todoGroup, ID: c.ID})
	}
	return nil
}

// deleted reports whether a change took a resource away from clients.
func deleted(c storage.Change) bool {
	return c.Kind == "deleted" || c.Kind == "purged" || c.Kind == "erased" || c.Hidden
}

// renamedSince reports whether a group was renamed after a change: then it does not
// have the name any more that it was created with.
func (r *Reconciler) renamedSince(ctx context.Context, tenant string, c storage.Change) (bool, error) {
	g, ok, err := r.present(ctx, tenant, c.ID)
	if err != nil || !ok {
		return false, err
	}
	v, err := r.view(ctx, tenant)
	if err != nil || len(v.table.Waiting(g.Connection, g.Name)) == 0 {
		return false, err // it does not matter
	}
	after := c.Seq
	for {
		changes, err := r.changes.Changes(ctx, tenant, after, logPage)
		if err != nil {
			return false, err
		}
		for _, other := range changes {
			if other.Ref == c.Ref && slices.Contains(other.Paths, "displayName") {
				return true, nil
			}
			after = other.Seq
		}
		if len(changes) < logPage {
			return false, nil
		}
	}
}

// eachChanged calls f for the users whom a change concerns. What is more than a page
// is written down, to be worked off page by page.
func (r *Reconciler) eachChanged(ctx context.Context, tenant string, c storage.Change, f func([]string) error) error {
	switch n := c.LinksAdded + c.LinksRemoved; {
	case c.Type == "User":
		return f([]string{c.ID})
	case n == 0:
		return nil
	case n > r.page && deleted(c):
		return nil // groupChanged has written it down
	case n > r.page:
		return r.addTodo(ctx, tenant, todo{Kind: todoChange, ID: c.ID, Change: c.Seq})
	}
	var p pass
	for done := false; !done; {
		var users []string
		var err error
		if users, done, err = r.deltaPage(ctx, tenant, c.ID, c.Seq, &p); err != nil {
			return err
		}
		if err := f(users); err != nil {
			return err
		}
	}
	return nil
}

// deltaPage reads a page of the users who were added to a group or removed from it by
// one change.
func (r *Reconciler) deltaPage(ctx context.Context, tenant, group string, change int64, p *pass) (users []string, done bool, err error) {
	page, err := r.changes.ChangedLinks(ctx, tenant, change, p.Delta, r.page)
	if errors.Is(err, storage.ErrNotFound) { // it is forgotten
		return nil, true, r.addTodo(ctx, tenant, todo{Kind: todoGroup, ID: group})
	}
	if err != nil {
		return nil, false, err
	}
	for _, d := range page {
		p.Delta = d
		switch {
		case d.Relation != "members":
		case d.To.Type == "User":
			users = append(users, d.To.ID)
		case r.nesting > 0:
			if err := r.addTodo(ctx, tenant, todo{Kind: todoGroup, ID: d.To.ID}); err != nil {
				return nil, false, err
			}
		}
	}
	return users, len(page) < r.page, nil
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

// Handle is a [scim.Subscriber]. Roles of users who are deactivated or deleted are
// revoked before it returns, so that the identity provider is not told before. What
// else happened is worked off in the background by [Reconciler.Run]: from the change
// log where there is one, else from what Handle writes down.
func (r *Reconciler) Handle(ctx context.Context, e scim.Event) {
	tenant, now := e.Principal.Tenant, false
	logged := r.changes != nil && r.dir.Logged(e.Type.Name())
	var err error
	switch e.Type.Name() {
	case "User":
		if now = e.Deactivates() || r.synchronous > 0; now {
			err = r.reconcileUser(ctx, tenant, e.ID, exemption{})
		}
		if (!now || err != nil) && !logged {
			err = errors.Join(err, r.addTodo(ctx, tenant, todo{Kind: todoUser, ID: e.ID}))
		}
	case "Group":
		err = r.handleGroup(ctx, tenant, &e, logged)
	}
	if err != nil {
		r.log.ErrorContext(ctx, "roles: an event could not be handled at once", "tenant", tenant, "type", e.Type.Name(), "id", e.ID, "error", err.Error())
	}
	r.wake.up(tenant)
}

func (r *Reconciler) handleGroup(ctx context.Context, tenant string, e *scim.Event, logged bool) error {
	_, renamed := e.Changed("displayName")
	whole := renamed || e.Kind == scim.Delete
	var users []string
	removed := 0
	for ref, gone := range e.LinksAsked("members") {
		if gone {
			removed++
		}
		switch {
		case ref.Type != "User":
			whole = whole || r.nesting > 0
		case len(users) == max(r.page, r.synchronous):
			whole = true
		default:
			users = append(users, ref.ID)
		}
	}
	for _, c := range e.Links {
		whole = whole || c.Relation == "members" && c.Removed > removed // a relation was set anew
	}
	if e.Kind == scim.Create && !logged || r.synchronous > 0 {
		if err := r.lookGroup(ctx, tenant, e.ID, e.Kind == scim.Create); err != nil {
			return err
		}
	}
	if r.synchronous > 0 && !whole && len(users) <= r.synchronous {
		return r.lookEach(ctx, tenant, users, exemption{})
	}
	if logged {
		return nil
	}
	if whole {
		return r.addTodo(ctx, tenant, todo{Kind: todoGroup, ID: e.ID})
	}
	for _, id := range users {
		if err := r.addTodo(ctx, tenant, todo{Kind: todoUser, ID: id}); err != nil {
			return err
		}
	}
	return nil
}
