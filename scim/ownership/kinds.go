package ownership

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/musterhq/muster/internal/kept"
	"github.com/musterhq/muster/scim"
	"github.com/musterhq/muster/storage"
)

// kinds are what is kept in the server's store.
type kinds struct {
	// replacements are by the connection that takes the place of others.
	replacements *kept.Kind[replacement]
	// reviews are by the id of the group.
	reviews *kept.Kind[review]
	// unjudged has one record.
	unjudged *kept.Kind[unjudged]
}

func newKinds() *kinds {
	return &kinds{
		replacements: kept.NewKind[replacement]("muster:replacement", nil),
		reviews:      kept.NewKind[review]("muster:review", nil),
		unjudged:     kept.NewKind[unjudged]("muster:unjudged", nil),
	}
}

// replacement says which connections one takes the place of.
type replacement struct{ Old []string }

func (k *kinds) replacedBy(ctx context.Context, s storage.Store, tenant, connection string) ([]string, error) {
	r, err := k.replacements.Get(ctx, s, tenant, connection)
	return r.Value.Old, err
}

// review is the state of a [Review]. The members that the new connection has sent are
// links of its record, so that each costs the same in a group of any size, and goes
// when the member is deleted.
type review struct {
	From, To string
	Since    time.Time
	// Revoking are members that are being removed just now: some may have been sent
	// again meanwhile.
	Revoking []storage.Ref `json:",omitempty"`
}

// confirmed is the relation between a review and the members that were sent.
const confirmed = "confirmed"

// linkBatch is how many links are read or written at a time.
const linkBatch = 500

// begin starts the review of a group that goes from one connection to another. One
// that has begun goes on, so that an attempt may be repeated. An empty group needs
// none.
func (k *kinds) begin(ctx context.Context, d *scim.Directory, tenant, group, from, to string) error {
	members, err := d.Members(ctx, tenant, groupRef(group), storage.Ref{}, 1)
	if err != nil || len(members) == 0 {
		return err
	}
	for {
		r, err := k.reviews.Get(ctx, d.Store(), tenant, group)
		if err != nil || r.Version > 0 && r.Value.To == to {
			return err
		}
		// An earlier one, with what was sent to another connection, is over.
		if err := k.reviews.Drop(ctx, d.Store(), tenant, d.Now(), r); err != nil {
			if errors.Is(err, storage.ErrConflict) {
				continue
			}
			return err
		}
		return k.reviews.Edit(ctx, d.Store(), tenant, group, d.Now(), func(r *kept.State[review]) (bool, error) {
			if r.Version > 0 {
				return false, nil
			}
			r.Value = review{From: from, To: to, Since: d.Now()}
			return true, nil
		})
	}
}

// confirm notes that members were sent, before they are linked: an attempt that fails
// was one all the same.
func (k *kinds) confirm(ctx context.Context, d *scim.Directory, tenant, group string, members []storage.Ref) error {
	missing := storage.MissingDrop
	if slices.ContainsFunc(members, func(m storage.Ref) bool { return !d.Logged(m.Type) }) {
		missing = storage.MissingKeep // the store does not know them
	}
	for page := range slices.Chunk(members, linkBatch) {
		_, err := d.Store().Commit(ctx, &storage.Batch{Tenant: tenant, Time: d.Now(), Links: []storage.LinkEdit{{
			Owner: k.reviews.Ref(group), Relation: confirmed, Add: page, Missing: missing,
			Change: storage.ChangeInfo{Kind: "kept"},
		}}})
		if errors.Is(err, storage.ErrNotFound) {
			return nil // the review has ended
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// unconfirmed are those of the members that were not sent.
func (k *kinds) unconfirmed(ctx context.Context, d *scim.Directory, tenant, group string, members []storage.Ref) ([]storage.Ref, error) {
	if len(members) == 0 {
		return nil, nil
	}
	owner := k.reviews.Ref(group)
	links, err := d.Store().Links(ctx, &storage.LinkQuery{
		Tenant: tenant, Relation: storage.Relation{Owner: owner.Type, Name: confirmed}, Of: []storage.Ref{owner}, Other: members,
	})
	if err != nil {
		return nil, err
	}
	sent := make(map[storage.Ref]bool, len(links))
	for _, l := range links {
		sent[l.To] = true
	}
	return slices.DeleteFunc(slices.Clone(members), func(m storage.Ref) bool { return sent[m] }), nil
}

// review is the guard that starts reviews and notes what is sent of groups under
// review.
func (k *kinds) review(ctx context.Context, p scim.Principal, effects []scim.Effect) error {
	commit, ok := scim.CommitFromContext(ctx)
	if !ok {
		return nil
	}
	d := commit.Directory()
	for i := range effects {
		e := &effects[i]
		if e.Type.Name() != groupType || e.Before == nil || e.After == nil {
			continue
		}
		if e.Owner != nil {
			if err := k.begin(ctx, d, p.Tenant, e.ID, e.Owner.From, e.Owner.To); err != nil {
				return err
			}
		}
		sent := sentMembers(d, e)
		if len(sent) == 0 {
			continue
		}
		r, err := k.reviews.Get(ctx, d.Store(), p.Tenant, e.ID)
		if err != nil {
			return err
		}
		if r.Version == 0 || r.Value.To != p.Connection {
			continue
		}
		if err := k.confirm(ctx, d, p.Tenant, e.ID, sent); err != nil {
			return err
		}
	}
	return nil
}

// sentMembers are the members that an effect adds or sets. Where the client left the
// type of a member out it is an assumption, and where ids are the store's, the id alone
// says who is meant; then it is taken for each type.
func sentMembers(d *scim.Directory, e *scim.Effect) (members []storage.Ref) {
	for _, l := range e.Links {
		if l.Relation != membership {
			continue
		}
		for _, ref := range l.Add {
			members = append(members, ref)
			for _, t := range memberTypes(e.Type) {
				if t != ref.Type && d.Logged(t) && d.Logged(ref.Type) {
					members = append(members, storage.Ref{Type: t, ID: ref.ID})
				}
			}
		}
	}
	slices.SortFunc(members, storage.Ref.Compare)
	return slices.Compact(members)
}

func memberTypes(t *scim.Type) []string {
	for _, r := range t.Relations() {
		if r.Attribute == membership {
			return r.Targets
		}
	}
	return nil
}

// Groups and their members have these names (RFC 7643 section 4.2).
const (
	groupType  = "Group"
	membership = "members"
)

func groupRef(id string) storage.Ref { return storage.Ref{Type: groupType, ID: id} }
