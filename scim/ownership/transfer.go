package ownership

import (
	"context"
	"errors"
	"fmt"

	"github.com/musterhq/muster/scim"
	"github.com/musterhq/muster/scim/filter"
	"github.com/musterhq/muster/scim/schema"
	"github.com/musterhq/muster/storage"
)

// Report says what a transfer moves, or has moved.
type Report struct {
	// Resources counts what is moved, by resource type.
	Resources map[string]int
	// Conflicts are resources that stay where they are, at most [MaxConflicts];
	// ConflictCount is how many there are.
	Conflicts     []Conflict
	ConflictCount int
	// Fixed are the resource types of which nothing can change hands: their handler is
	// no [scim.Adopter].
	Fixed []string
}

// MaxConflicts bounds the conflicts that a [Report] lists.
const MaxConflicts = 1000

// Conflict is a resource that cannot be moved, since the connection that it would go to
// has one of the same name: rename, merge or delete one of them, and transfer again.
type Conflict struct {
	Resource scim.Ref
	Name     string
	// With is the one that the other connection has.
	With scim.Ref
}

func (r *Report) add(c Conflict) {
	if r.ConflictCount++; len(r.Conflicts) < MaxConflicts {
		r.Conflicts = append(r.Conflicts, c)
	}
}

// Preview says what [Ownership.Transfer] would move as things are. It changes nothing.
func (o *Ownership) Preview(ctx context.Context, tenant, from, to string) (*Report, error) {
	return o.over(ctx, tenant, named(from), named(to), func(page []scim.DirectoryEntry, r *Report) (int, error) {
		for _, e := range page {
			with, err := o.namesake(ctx, tenant, e.Resource, named(to))
			if err != nil {
				return 0, err
			}
			if with != "" {
				r.add(conflict(e.Resource, with))
				continue
			}
			r.Resources[e.Resource.Type().Name()]++
		}
		return 0, nil
	})
}

// Transfer moves everything that belongs to one connection of a tenant to another one:
// after a merger, or a move to another identity provider. Ids, links and times of
// creation stay, and so do roles. From then on the old connection sees nothing of it.
// Groups that have members come under [Review]. Tombstones stay.
//
// It works page by page, in memory of one page, while the server is in use; nothing
// that others change meanwhile is lost. When it ends early, by an error or because the
// process ends, running it again finishes it. End the credentials of the old
// connection first, or it makes new resources meanwhile. With an error the report
// says what was moved until then.
func (o *Ownership) Transfer(ctx context.Context, tenant, from, to string) (*Report, error) {
	from, to = named(from), named(to)
	if from == to {
		return nil, fmt.Errorf("ownership: the connection %q cannot take its own place", to)
	}
	return o.over(ctx, tenant, from, to, func(page []scim.DirectoryEntry, r *Report) (moved int, err error) {
		refs := make([]scim.Ref, len(page))
		for i, e := range page {
			refs[i] = refOf(e.Resource)
			if refs[i].Type == groupType {
				if err := o.kinds.begin(ctx, o.dir, tenant, refs[i].ID, from, to); err != nil {
					return 0, err
				}
			}
		}
		for i, failed := range o.srv.Transfer(ctx, tenant, from, to, refs...) {
			var refused *scim.Error
			switch {
			case failed == nil:
				r.Resources[refs[i].Type]++
				moved++
			case errors.Is(failed, scim.ErrNotFound): // deleted, or moved, by somebody else
			case errors.As(failed, &refused) && refused.ScimType == scim.Uniqueness:
				with, err := o.namesake(ctx, tenant, page[i].Resource, to)
				if err != nil {
					return moved, err
				}
				r.add(conflict(page[i].Resource, with))
			default:
				return moved, failed
			}
		}
		return moved, nil
	})
}

// over calls f for the resources of a connection, page by page, type by type, and
// again as long as a pass has moved something: others may have been made behind it.
func (o *Ownership) over(ctx context.Context, tenant, from, to string, f func([]scim.DirectoryEntry, *Report) (moved int, err error)) (*Report, error) {
	r := &Report{Resources: map[string]int{}}
	for _, t := range o.dir.Types() {
		if !o.dir.ChangesHands(t.Name()) {
			r.Fixed = append(r.Fixed, t.Name())
			continue
		}
		for {
			conflicts, count := r.Conflicts, r.ConflictCount
			moved, err := o.pass(ctx, tenant, from, t, func(page []scim.DirectoryEntry) (int, error) { return f(page, r) })
			if err != nil {
				return r, fmt.Errorf("ownership: from %q to %q: %w", from, to, err)
			}
			if moved == 0 {
				break
			}
			r.Conflicts, r.ConflictCount = conflicts, count // the next pass meets them again
		}
	}
	return r, nil
}

// pageSize is how many resources are held at once.
const pageSize = 500

// pass calls f for the resources of one type.
func (o *Ownership) pass(ctx context.Context, tenant, from string, t *scim.Type, f func([]scim.DirectoryEntry) (int, error)) (moved int, err error) {
	after := ""
	for {
		page, last, err := o.page(ctx, tenant, from, t, after)
		if err != nil {
			return moved, err
		}
		if len(page) > 0 {
			n, err := f(page)
			if moved += n; err != nil {
				return moved, err
			}
		}
		if last == "" {
			return moved, nil
		}
		after = last
	}
}

// page reads the resources of a connection behind an id. last is where the next page
// begins, "" when there is none.
func (o *Ownership) page(ctx context.Context, tenant, connection string, t *scim.Type, after string) (page []scim.DirectoryEntry, last string, err error) {
	if !o.dir.Logged(t.Name()) { // a handler's: what belongs to others is passed over
		all, err := o.dir.List(ctx, tenant, t.Name(), "", after, pageSize)
		for _, e := range all {
			if e.Connection == connection {
				page = append(page, e)
			}
		}
		if len(all) == pageSize {
			last = all[pageSize-1].Resource.ID()
		}
		return page, last, err
	}
	q := &storage.Query{Tenant: tenant, Connection: connection, Type: t, Limit: pageSize}
	if after != "" {
		q.After = &storage.Position{ID: after, Absent: true}
	}
	records, err := o.store.Query(ctx, q)
	if err != nil {
		return nil, "", err
	}
	for _, rec := range records.Records {
		r, err := rec.Resource(t)
		if err != nil {
			return nil, "", err
		}
		page = append(page, scim.DirectoryEntry{Resource: r, Connection: rec.Connection})
	}
	if len(page) == pageSize {
		last = page[pageSize-1].Resource.ID()
	}
	return page, last, nil
}

// namesake returns the id of the connection's resource that has the same value of an
// attribute that is unique in a connection, "" when there is none. What is unique in
// the tenant is so whatever connection it belongs to.
func (o *Ownership) namesake(ctx context.Context, tenant string, r *scim.Resource, connection string) (string, error) {
	for _, p := range r.Type().Unique() {
		v := r.Get(p)
		key, ok := filter.Key(v)
		if p.Unique() != schema.UniqueInConnection || !ok || key == "" {
			continue
		}
		where := filter.NewPlan(r.Type(), filter.Compare{Path: p, Op: filter.Eq, Operand: filter.Operand{Text: v.Text(), Key: key}})
		found, err := o.dir.Find(ctx, tenant, where, "", pageSize)
		if err != nil {
			return "", err
		}
		for _, e := range found {
			if e.Connection == connection {
				return e.Resource.ID(), nil
			}
		}
	}
	return "", nil
}

func conflict(r *scim.Resource, with string) Conflict {
	c := Conflict{Resource: refOf(r), With: scim.Ref{Type: r.Type().Name(), ID: with}}
	if label := r.Type().Label(); !label.IsZero() {
		c.Name = r.Get(label).Text()
	}
	return c
}

func refOf(r *scim.Resource) scim.Ref { return scim.Ref{Type: r.Type().Name(), ID: r.ID()} }
