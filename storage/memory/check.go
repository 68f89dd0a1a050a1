package memory

import (
	"context"
	"slices"

	"github.com/musterhq/muster/storage"
)

// checks judges a batch against the state before it, without changing anything:
// what passes cannot fail afterwards.
type checks struct {
	*state
	*storage.Batch
	after map[storage.Ref]*storage.Record // what the batch puts, nil for what it deletes; made when first asked
}

func check(ctx context.Context, s *state, b *storage.Batch) error {
	c := &checks{state: s, Batch: b}
	for i := range b.Deletes {
		if err := c.delete(&b.Deletes[i]); err != nil {
			return err
		}
	}
	for i := range b.Puts {
		if err := c.put(&b.Puts[i]); err != nil {
			return err
		}
	}
	if err := c.uniqueness(); err != nil {
		return err
	}
	for i := range b.Links {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := c.edit(&b.Links[i]); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// delete: the record exists, and has the version asked for.
func (c *checks) delete(d *storage.Delete) error {
	switch before := c.record(d.Ref); {
	case before == nil:
		return &storage.CommitError{Err: storage.ErrNotFound, Ref: d.Ref}
	case d.IfVersion != 0 && d.IfVersion != before.Version:
		return &storage.CommitError{Err: storage.ErrConflict, Ref: d.Ref}
	}
	return nil
}

// put: the state before is as asked for.
func (c *checks) put(p *storage.Put) error {
	if !p.IfAbsent && p.IfVersion == 0 {
		return nil
	}
	before := c.record(p.Record.Ref)
	if p.IfAbsent && before != nil || p.IfVersion != 0 && (before == nil || before.Version != p.IfVersion) {
		return &storage.CommitError{Err: storage.ErrConflict, Ref: p.Record.Ref}
	}
	return nil
}

// uniqueness: after the batch no two records of a type hold one key.
func (c *checks) uniqueness() error {
	type claim struct {
		typ string
		storage.UniqueKey
	}
	var claims map[claim]bool // of this batch; one record alone cannot clash with itself
	if len(c.Puts) > 1 {
		claims = make(map[claim]bool, 2*len(c.Puts))
	}
	for i := range c.Puts {
		r := c.Puts[i].Record
		t := c.table(r.Type)
		for _, u := range r.Unique {
			if claims != nil {
				k := claim{r.Type, u}
				if claims[k] {
					return &storage.CommitError{Err: storage.ErrNotUnique, Ref: r.Ref, Attr: u.Attr}
				}
				claims[k] = true
			}
			if t == nil {
				continue
			}
			holder := c.holder(t, u)
			if holder == nil || holder.who.id == r.ID {
				continue
			}
			// A holder that the batch puts or deletes holds afterwards what it claims
			// itself, which is compared with the others' claims above.
			if _, written := c.written(holder.rec.Ref); !written {
				return &storage.CommitError{Err: storage.ErrNotUnique, Ref: r.Ref, Attr: u.Attr, Holder: holder.rec}
			}
		}
	}
	return nil
}

// written returns what the batch makes of a record: nil when it deletes it. ok
// is false when it does neither put nor delete it.
func (c *checks) written(ref storage.Ref) (after *storage.Record, ok bool) {
	const few = 4
	if len(c.Puts)+len(c.Deletes) <= few {
		for i := range c.Puts {
			if r := c.Puts[i].Record; r.Ref == ref {
				return r, true
			}
		}
		return nil, slices.ContainsFunc(c.Deletes, func(d storage.Delete) bool { return d.Ref == ref })
	}
	if c.after == nil {
		c.after = make(map[storage.Ref]*storage.Record, len(c.Puts)+len(c.Deletes))
		for i := range c.Puts {
			c.after[c.Puts[i].Record.Ref] = c.Puts[i].Record
		}
		for i := range c.Deletes {
			c.after[c.Deletes[i].Ref] = nil
		}
	}
	after, ok = c.after[ref]
	return after, ok
}

// visible returns a record as it is after all puts and deletes, nil when it does
// not exist, is hidden or is not of the connection asked for.
func (c *checks) visible(ref storage.Ref, connection string) *storage.Record {
	r, ok := c.written(ref)
	if !ok {
		r = c.record(ref)
	}
	if r == nil || r.Hidden || connection != "" && r.Connection != connection {
		return nil
	}
	return r
}

// edit: the owner is visible and had the version asked for, and if the caller
// insists, so are the targets of new links.
func (c *checks) edit(e *storage.LinkEdit) error {
	if c.visible(e.Owner, e.IfConnection) == nil {
		return &storage.CommitError{Err: storage.ErrNotFound, Ref: e.Owner}
	}
	owner := c.find(e.Owner)
	if e.IfVersion != 0 && (owner == nil || owner.rec == nil || owner.rec.Version != e.IfVersion) {
		return &storage.CommitError{Err: storage.ErrConflict, Ref: e.Owner}
	}
	if e.Missing != storage.MissingReject {
		return nil
	}
	for _, to := range e.Add {
		if c.visible(to, e.IfConnection) == nil && !c.linkStays(owner, e, to) {
			return &storage.CommitError{Err: storage.ErrMissingTarget, Ref: to}
		}
	}
	return nil
}

// linkStays reports whether the owner has the link already and the puts and
// deletes of the batch leave it.
func (c *checks) linkStays(owner *row, e *storage.LinkEdit, to storage.Ref) bool {
	target := c.find(to)
	if owner == nil || target == nil {
		return false
	}
	g := slices.Index(c.segments, segment{e.Owner.Type, e.Relation, to.Type})
	if g < 0 || !c.out.Has(link(owner.who, g, target.who)) {
		return false
	}
	after, written := c.written(to)
	return !written || after != nil && !after.Hidden
}
