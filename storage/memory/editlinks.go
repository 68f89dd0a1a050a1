package memory

import (
	"cmp"
	"slices"
	"strings"

	"github.com/musterhq/muster/storage"
)

// dropLinks removes the links of a record that is deleted or hidden, in both
// directions. Owners that lose one step.
func (c *commit) dropLinks(s *step) {
	for _, l := range linksOf(&c.out, s.who) {
		c.unlink(s, l.segment(), l.who)
	}
	for _, l := range linksOf(&c.in, s.who) {
		c.unlink(c.touch(l.who), l.segment(), s.who)
	}
	c.release(s.who)
}

// editLinks makes the edits, then tells how their owners are after all of them.
func (c *commit) editLinks() {
	if n := len(c.Links); n > 0 {
		c.result.Links = make([]storage.LinkResult, n)
	}
	for i := range c.Links {
		c.editRelation(&c.Links[i], &c.result.Links[i])
	}
	for i := range c.Links {
		owner := c.find(c.Links[i].Owner).rec
		c.result.Links[i].Version, c.result.Links[i].Modified = owner.Version, owner.Modified
	}
}

func (c *commit) editRelation(e *storage.LinkEdit, r *storage.LinkResult) {
	owner := c.find(e.Owner).who
	if e.Reset {
		c.reset(owner, e, r)
	} else {
		for _, to := range e.Remove {
			g, target := slices.Index(c.segments, segment{e.Owner.Type, e.Relation, to.Type}), c.find(to)
			if g >= 0 && target != nil {
				c.remove(owner, e, g, target.who, r)
			}
		}
	}
	for _, to := range e.Add {
		c.add(owner, e, to, r)
	}
}

// reset removes the links that the edit does not list.
func (c *commit) reset(owner *ident, e *storage.LinkEdit, r *storage.LinkResult) {
	wanted := make(map[*ident]bool, len(e.Add))
	for _, to := range e.Add {
		if target := c.find(to); target != nil {
			wanted[target.who] = true
		}
	}
	for _, l := range linksOf(&c.out, owner) {
		if !wanted[l.who] && c.segments[l.segment()].relation == e.Relation {
			c.remove(owner, e, l.segment(), l.who, r)
		}
	}
}

func (c *commit) remove(owner *ident, e *storage.LinkEdit, segment int, target *ident, r *storage.LinkResult) {
	if c.out.Has(link(owner, segment, target)) {
		r.Removed++
		c.unlink(c.edited(owner, e), segment, target)
	}
}

func (c *commit) add(owner *ident, e *storage.LinkEdit, to storage.Ref, r *storage.LinkResult) {
	g := c.ownSegment(segment{e.Owner.Type, e.Relation, to.Type})
	target := c.find(to)
	switch {
	case target != nil && c.out.Has(link(owner, g, target.who)):
		return
	case e.Missing == storage.MissingKeep:
		if target == nil {
			target = &row{who: c.name(c.ownTable(to.Type), to.ID)}
			c.rows.set(c.epoch, target.who.slot, target)
		}
	case target == nil || target.rec == nil || target.rec.Hidden || e.IfConnection != "" && target.rec.Connection != e.IfConnection:
		r.Dropped = append(r.Dropped, to)
		return
	}
	r.Added++
	s := c.edited(owner, e)
	s.LinksAdded++
	s.deltas = append(s.deltas, delta{to: target.who, segment: uint32(g)})
	c.out.Set(c.epoch, link(owner, g, target.who))
	c.in.Set(c.epoch, link(target.who, g, owner))
}

// unlink takes a link away that is there, as part of the owner's step.
func (c *commit) unlink(owner *step, segment int, target *ident) {
	owner.LinksRemoved++
	owner.deltas = append(owner.deltas, delta{to: target, segment: uint32(segment), removed: true})
	c.out.Delete(c.epoch, link(owner.who, segment, target))
	c.in.Delete(c.epoch, link(target, segment, owner.who))
	c.release(target)
}

// edited is the step of an owner that an edit changes something of. The first
// such edit describes it, unless a put does.
func (c *commit) edited(owner *ident, e *storage.LinkEdit) *step {
	s := c.touch(owner)
	if !s.described {
		s.ChangeInfo, s.described = e.Change, true
	}
	return s
}

// compareDeltas is the order in which [storage.ChangeLog] reads them.
func (s *state) compareDeltas(a, b delta) int {
	return compareLinkDeltas(s.linkDelta(a), s.linkDelta(b))
}

func compareLinkDeltas(a, b storage.LinkDelta) int {
	if c := strings.Compare(a.Relation, b.Relation); c != 0 {
		return c
	}
	if c := a.To.Compare(b.To); c != 0 {
		return c
	}
	return cmp.Compare(bit(b.Removed), bit(a.Removed))
}

func bit(b bool) int {
	if b {
		return 1
	}
	return 0
}
