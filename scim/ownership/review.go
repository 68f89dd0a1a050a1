package ownership

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/musterhq/muster/internal/kept"
	"github.com/musterhq/muster/scim"
	"github.com/musterhq/muster/scim/patch"
	"github.com/musterhq/muster/storage"
)

// Review is a group that came from another connection and has members whom its
// connection may not know of. They stay members, and keep the roles that the group
// gives, until the host decides. A member is confirmed when the connection sends it, in
// whatever form, whether or not it is a member already.
type Review struct {
	Group string
	// From is the connection that the group came from, To the one that owns it.
	From, To string
	// Since is when the group came.
	Since time.Time
}

// Reviews returns the groups of a tenant under review, in the order of their ids,
// behind the group after, at most limit. Fewer than limit are the last ones. A group
// stays on the list until [Ownership.Keep] or [Ownership.Revoke] ends the review.
func (o *Ownership) Reviews(ctx context.Context, tenant, after string, limit int) ([]Review, error) {
	var found []Review
	for len(found) < limit {
		want := limit - len(found)
		page, err := o.kinds.reviews.List(ctx, o.store, tenant, after, want)
		if err != nil {
			return nil, fmt.Errorf("ownership: reviews: %w", err)
		}
		for _, k := range page {
			after = k.ID
			switch of, err := o.current(ctx, tenant, k); {
			case err != nil:
				return nil, err
			case of:
				found = append(found, Review{Group: k.ID, From: k.Value.From, To: k.Value.To, Since: k.Value.Since})
			}
		}
		if len(page) < want {
			break
		}
	}
	return found, nil
}

// current reports whether a review is of a group as it is: one that is about to come
// has its review before, and one that is gone needs none any more.
func (o *Ownership) current(ctx context.Context, tenant string, k kept.State[review]) (bool, error) {
	group, err := o.dir.Get(ctx, tenant, groupRef(k.ID))
	if errors.Is(err, scim.ErrNotFound) {
		err = o.kinds.reviews.Drop(ctx, o.store, tenant, o.dir.Now(), k)
		if err == nil || errors.Is(err, storage.ErrConflict) {
			return false, nil
		}
	}
	if err != nil {
		return false, fmt.Errorf("ownership: reviews: %w", err)
	}
	return group.Connection == k.Value.To, nil
}

// under returns the review of a group; version 0 when it is under none.
func (o *Ownership) under(ctx context.Context, tenant, group string) (kept.State[review], error) {
	k, err := o.kinds.reviews.Get(ctx, o.store, tenant, group)
	if err != nil || k.Version == 0 {
		return k, err
	}
	of, err := o.current(ctx, tenant, k)
	if err != nil || !of {
		return kept.State[review]{ID: group}, err
	}
	return k, nil
}

// Unconfirmed returns the members of a group that its connection has not sent since
// the group came to it, in the order of storage.Ref, behind the member after, at
// most limit. Fewer than limit are the last ones. There are none of a group that is not
// under review.
func (o *Ownership) Unconfirmed(ctx context.Context, tenant, group string, after scim.Ref, limit int) ([]scim.Ref, error) {
	k, err := o.under(ctx, tenant, group)
	if err != nil || k.Version == 0 {
		return nil, err
	}
	var found []scim.Ref
	for len(found) < limit {
		page, err := o.dir.Members(ctx, tenant, groupRef(group), after, linkBatch)
		if err != nil {
			return nil, fmt.Errorf("ownership: unconfirmed members: %w", err)
		}
		left, err := o.kinds.unconfirmed(ctx, o.dir, tenant, group, page)
		if err != nil {
			return nil, fmt.Errorf("ownership: unconfirmed members: %w", err)
		}
		found = append(found, left...)
		if len(page) < linkBatch {
			break
		}
		after = page[linkBatch-1]
	}
	return found[:min(len(found), limit)], nil
}

// Keep confirms members in the place of the connection; they stay as if it had sent
// them. Without members it keeps all of them and ends the review.
func (o *Ownership) Keep(ctx context.Context, tenant, group string, members ...scim.Ref) error {
	if len(members) > 0 {
		if err := o.kinds.confirm(ctx, o.dir, tenant, group, members); err != nil {
			return fmt.Errorf("ownership: keep: %w", err)
		}
		return nil
	}
	return o.end(ctx, tenant, group)
}

func (o *Ownership) end(ctx context.Context, tenant, group string) error {
	for {
		k, err := o.kinds.reviews.Get(ctx, o.store, tenant, group)
		if err == nil {
			err = o.kinds.reviews.Drop(ctx, o.store, tenant, o.dir.Now(), k)
		}
		switch {
		case errors.Is(err, storage.ErrConflict):
			continue
		case err != nil:
			return fmt.Errorf("ownership: the review could not be ended: %w", err)
		}
		return nil
	}
}

// Revoke removes members that are not confirmed from the group, those that are named,
// or without any named all of them; then it ends the review. Guards and subscribers
// see it as a change by the connection that owns the group. It works page by page, in
// memory of one page; when it ends early, running it again finishes it.
//
// A member that the connection sends at the same moment stays.
func (o *Ownership) Revoke(ctx context.Context, tenant, group string, members ...scim.Ref) error {
	k, err := o.under(ctx, tenant, group)
	if err != nil || k.Version == 0 {
		return err
	}
	if err := o.restore(ctx, tenant, k); err != nil {
		return err
	}
	if len(members) > 0 {
		for page := range slices.Chunk(members, linkBatch) {
			left, err := o.kinds.unconfirmed(ctx, o.dir, tenant, group, page)
			if err != nil {
				return fmt.Errorf("ownership: revoke: %w", err)
			}
			if err := o.revoke(ctx, tenant, k, left); err != nil {
				return err
			}
		}
		return nil
	}
	for after := (scim.Ref{}); ; {
		page, err := o.Unconfirmed(ctx, tenant, group, after, linkBatch)
		if err != nil {
			return err
		}
		if err := o.revoke(ctx, tenant, k, page); err != nil {
			return err
		}
		if len(page) < linkBatch {
			return o.end(ctx, tenant, group)
		}
		after = page[linkBatch-1]
	}
}

// revoke removes members. That they are being removed is written down before, since
// the connection may send one of them in between: then it was confirmed, found to be a
// member, and must be put back.
func (o *Ownership) revoke(ctx context.Context, tenant string, k kept.State[review], members []scim.Ref) error {
	if len(members) == 0 {
		return nil
	}
	if err := o.note(ctx, tenant, k.ID, members); err != nil {
		return err
	}
	if err := o.change(ctx, tenant, k, "remove", members); err != nil {
		return err
	}
	k.Value.Revoking = members
	return o.restore(ctx, tenant, k)
}

// restore puts those back that were removed and confirmed at the same moment.
func (o *Ownership) restore(ctx context.Context, tenant string, k kept.State[review]) error {
	removed := k.Value.Revoking
	if len(removed) == 0 {
		return nil
	}
	left, err := o.kinds.unconfirmed(ctx, o.dir, tenant, k.ID, removed)
	if err != nil {
		return fmt.Errorf("ownership: revoke: %w", err)
	}
	back := slices.DeleteFunc(slices.Clone(removed), func(m scim.Ref) bool { return slices.Contains(left, m) })
	if len(back) > 0 {
		if err := o.change(ctx, tenant, k, "add", back); err != nil {
			return err
		}
	}
	return o.note(ctx, tenant, k.ID, nil)
}

func (o *Ownership) note(ctx context.Context, tenant, group string, revoking []scim.Ref) error {
	err := o.kinds.reviews.Edit(ctx, o.store, tenant, group, o.dir.Now(), func(k *kept.State[review]) (bool, error) {
		k.Value.Revoking = revoking
		return k.Version > 0, nil
	})
	if err != nil {
		return fmt.Errorf("ownership: revoke: %w", err)
	}
	return nil
}

// change adds members to a group or removes them, as its connection would.
func (o *Ownership) change(ctx context.Context, tenant string, k kept.State[review], op string, members []scim.Ref) error {
	type value struct {
		Value string `json:"value"`
		Type  string `json:"type"`
	}
	values := make([]value, len(members))
	for i, m := range members {
		values[i] = value{m.ID, m.Type}
	}
	body, err := json.Marshal(map[string]any{
		"schemas":    []string{"urn:ietf:params:scim:api:messages:2.0:PatchOp"},
		"Operations": []any{map[string]any{"op": op, "path": membership, "value": values}},
	})
	if err != nil {
		return err
	}
	t := o.dir.Type(groupType)
	req, err := patch.Parse(t, body, patch.ParseOptions{})
	if err != nil {
		return err
	}
	_, err = o.srv.Do(ctx, scim.Principal{Tenant: tenant, Connection: k.Value.To, Subject: "ownership"}, &scim.Operation{
		Method: scim.Patch, Type: t, ID: k.ID, Patch: req, NoContent: true,
	})
	if errors.Is(err, scim.ErrNotFound) {
		return nil // the group is gone
	}
	return err
}
