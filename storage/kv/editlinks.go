package kv

import (
	"github.com/musterhq/muster/storage"
)

// dropLinks: a record that is now deleted or hidden has no links, in neither
// direction. An owner that loses one steps.
func (c *commit) dropLinks() error {
	for _, s := range c.order { // as it is now: the owners that step keep their links
		if !s.deleted && !s.after.Hidden {
			continue
		}
		for _, kind := range []byte{outKind, inKind} {
			for k, err := range keysOf(c.ctx, c.tx, prefix(kind, c.Tenant, s.after.Type, s.after.ID)) {
				if err != nil {
					return err
				}
				if err := c.unlink(linkOf(k)); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// editLinks makes the edits, then tells how their owners are after all of them.
func (c *commit) editLinks() error {
	for i := range c.Links {
		r, err := c.editRelation(&c.Links[i])
		if err != nil {
			return err
		}
		c.result.Links = append(c.result.Links, r)
	}
	for i, e := range c.Links {
		owner, err := c.now(e.Owner)
		if err != nil {
			return err
		}
		c.result.Links[i].Version, c.result.Links[i].Modified = owner.Version, owner.Modified
	}
	return nil
}

func (c *commit) editRelation(e *storage.LinkEdit) (r storage.LinkResult, err error) {
	if err := c.checkOwner(e); err != nil {
		return r, err
	}
	remove := e.Remove
	if e.Reset {
		if remove, err = c.unwanted(e); err != nil {
			return r, err
		}
	}
	for _, to := range remove {
		l := link{e.Owner, e.Relation, to}
		exists, err := c.linked(l)
		if err != nil {
			return r, err
		}
		if exists {
			r.Removed++
			if err := c.unlink(l); err != nil {
				return r, err
			}
		}
	}
	for _, to := range e.Add {
		l := link{e.Owner, e.Relation, to}
		exists, err := c.linked(l)
		if err != nil {
			return r, err
		}
		if exists {
			continue // whatever its target is
		}
		found, err := c.targetExists(e, to)
		switch {
		case err != nil:
			return r, err
		case found:
			r.Added++
			if err := c.link(l); err != nil {
				return r, err
			}
		case e.Missing == storage.MissingReject:
			return r, &storage.CommitError{Err: storage.ErrMissingTarget, Ref: to}
		default:
			r.Dropped = append(r.Dropped, to)
		}
	}
	if r.Added+r.Removed > 0 {
		c.describe(e)
	}
	return r, nil
}

// checkOwner: the owner is visible, is of the connection and had the version
// asked for. Whether it exists goes before its version.
func (c *commit) checkOwner(e *storage.LinkEdit) error {
	owner, err := c.now(e.Owner)
	if err != nil {
		return err
	}
	if owner == nil || owner.Hidden || e.IfConnection != "" && owner.Connection != e.IfConnection {
		return &storage.CommitError{Err: storage.ErrNotFound, Ref: e.Owner}
	}
	before := owner
	if s := c.steps[e.Owner]; s != nil {
		before = s.before
	}
	if e.IfVersion != 0 && (before == nil || before.Version != e.IfVersion) {
		return &storage.CommitError{Err: storage.ErrConflict, Ref: e.Owner}
	}
	return nil
}

// targetExists: the target of a new link is visible and of the connection asked
// for, unless the edit does not care.
func (c *commit) targetExists(e *storage.LinkEdit, to storage.Ref) (bool, error) {
	if e.Missing == storage.MissingKeep {
		return true, nil
	}
	target, err := c.now(to)
	if err != nil || target == nil || target.Hidden {
		return false, err
	}
	return e.IfConnection == "" || target.Connection == e.IfConnection, nil
}

// unwanted is what Reset removes: links that are there and not in Add.
func (c *commit) unwanted(e *storage.LinkEdit) ([]storage.Ref, error) {
	wanted := make(map[storage.Ref]bool, len(e.Add))
	for _, to := range e.Add {
		wanted[to] = true
	}
	var remove []storage.Ref
	for p, err := range scan(c.ctx, c.tx, prefix(outKind, c.Tenant, e.Owner.Type, e.Owner.ID, e.Relation), nil) {
		if err != nil {
			return nil, err
		}
		if to := linkOf(p.key).target; !wanted[to] {
			remove = append(remove, to)
		}
	}
	return remove, nil
}

// describe lets an edit say what the owner's change is, if nothing said so
// before.
func (c *commit) describe(e *storage.LinkEdit) {
	if s := c.steps[e.Owner]; !s.described {
		s.change.ChangeInfo, s.described = e.Change, true
	}
}

// now is a record in the state after all puts and deletes; nil when it does not
// exist.
func (c *commit) now(ref storage.Ref) (*storage.Record, error) {
	if s := c.steps[ref]; s != nil {
		if s.deleted {
			return nil, nil
		}
		return s.after, nil
	}
	return load(c.tx, c.Tenant, ref)
}

func (c *commit) linked(l link) (bool, error) {
	v, err := c.tx.Get(outKey(c.Tenant, l))
	return v != nil, err
}

// link makes a link that is not there, as part of the owner's step.
func (c *commit) link(l link) error {
	if err := c.tx.Put(outKey(c.Tenant, l), []byte{}); err != nil {
		return err
	}
	if err := c.tx.Put(inKey(c.Tenant, l), []byte{}); err != nil {
		return err
	}
	s, err := c.touch(l.owner)
	if err != nil {
		return err
	}
	s.change.LinksAdded++
	return c.logDelta(s, storage.LinkDelta{Relation: l.relation, To: l.target})
}

// unlink takes a link away, as part of the owner's step.
func (c *commit) unlink(l link) error {
	if err := c.tx.Delete(outKey(c.Tenant, l)); err != nil {
		return err
	}
	if err := c.tx.Delete(inKey(c.Tenant, l)); err != nil {
		return err
	}
	s, err := c.touch(l.owner)
	if err != nil {
		return err
	}
	s.change.LinksRemoved++
	return c.logDelta(s, storage.LinkDelta{Relation: l.relation, To: l.target, Removed: true})
}
