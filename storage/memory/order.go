package memory

import (
	"iter"
	"time"

	"github.com/musterhq/muster/internal/cowtree"
	"github.com/musterhq/muster/scim/schema"
	"github.com/musterhq/muster/storage"
)

// An order is walked from a position in a tree, in either direction. Which tree
// that is depends on what the query sorts by; the trees break ties by id, and
// going backwards reverses all of it, as the contract wants.

// byID reports whether the order is that of ids.
func (r *queryReader) byID() bool { return r.Sort.Path.IsZero() }

// order returns the records of the table that may be in the answer, and perhaps
// others, in the order of the query. ok is false when no tree has that order.
// The walk starts behind After if that leaves nothing out that is to be counted;
// an Offset that it can jump over is taken out of the query.
func (r *queryReader) order() (walk iter.Seq[*ident], ok bool) {
	common := r.Type.Common()
	switch p := r.Sort.Path; {
	case r.byID():
		return r.ids(), true
	case p == common.Created:
		return r.stamps(&r.table.created)
	case p == common.LastModified:
		return r.stamps(&r.table.modified)
	case p.IsIndexed() && p.InDocument() && p.MultiValued().IsZero():
		return r.keys(p)
	}
	return nil, false
}

// ids walks the parts that the query shows, merged.
func (r *queryReader) ids() iter.Seq[*ident] {
	var walks []*cowtree.Cursor[named]
	var after *named
	if r.startsAfter() {
		after = &named{prefix(r.After.ID), &ident{id: r.After.ID}}
	}
	shown := 0
	for i := range r.table.parts {
		if p := &r.table.parts[i]; r.shows(p) && p.ids.Len() > 0 {
			shown++
		}
	}
	for i := range r.table.parts {
		if p := &r.table.parts[i]; r.shows(p) && p.ids.Len() > 0 {
			c := start(&p.ids, after, r.Sort.Descending, r.jump(shown == 1))
			walks = append(walks, &c)
		}
	}
	return merge(walks, r.Sort.Descending)
}

// jump returns how many records to leave out at the start, when every record on
// the walk is in the answer, and takes them out of the query's Offset.
func (r *queryReader) jump(allShown bool) int {
	if r.Filter.Root() != nil || r.After != nil || !allShown {
		return 0
	}
	n := r.Offset
	r.Offset = 0
	return n
}

// start returns a cursor at the first item of a walk.
func start[T any](t *cowtree.Tree[T], after *T, descending bool, jump int) cowtree.Cursor[T] {
	switch {
	case descending && after == nil:
		return t.At(t.Len() - 1 - jump)
	case descending:
		return t.At(t.Rank(*after) - 1 - jump)
	case after == nil:
		return t.At(jump)
	}
	c := t.Seek(*after)
	if c.Valid() && t.Has(*after) {
		c.Next()
	}
	return c
}

// move steps a cursor.
func move[T any](c *cowtree.Cursor[T], descending bool) {
	if descending {
		c.Prev()
	} else {
		c.Next()
	}
}

// walk yields the names from a cursor on.
func walk[T any](c cowtree.Cursor[T], descending bool, who func(T) *ident) iter.Seq[*ident] {
	return func(yield func(*ident) bool) {
		for c := c; c.Valid() && yield(who(c.Item())); move(&c, descending) {
		}
	}
}

// merge yields the names of several walks in one order.
func merge(walks []*cowtree.Cursor[named], descending bool) iter.Seq[*ident] {
	return func(yield func(*ident) bool) {
		for {
			var next *cowtree.Cursor[named]
			for _, c := range walks {
				if c.Valid() && (next == nil || (compareNamed(c.Item(), next.Item()) < 0) != descending) {
					next = c
				}
			}
			if next == nil || !yield(next.Item().who) {
				return
			}
			move(next, descending)
		}
	}
}

func (r *queryReader) stamps(t *cowtree.Tree[stamped]) (iter.Seq[*ident], bool) {
	var after *stamped
	if r.startsAfter() {
		at := stamped{sec: noTime, who: &ident{id: r.After.ID}}
		if !r.After.Absent {
			key, err := time.Parse(time.RFC3339Nano, r.After.Key)
			if err != nil {
				return nil, false
			}
			at = stamp(key, at.who)
		}
		after = &at
	}
	jump := r.jump(r.visible() == r.table.len())
	return walk(start(t, after, r.Sort.Descending, jump), r.Sort.Descending, func(s stamped) *ident { return s.who }), true
}

// keys walks the index of an attribute, and the records without a key behind it,
// or before it when descending.
func (r *queryReader) keys(p schema.Path) (iter.Seq[*ident], bool) {
	attr, ok := r.table.attr(p.String())
	if !ok || r.table.indexes[attr].truncated > 0 {
		return nil, false
	}
	entries := &r.table.indexes[attr].entries
	descending := r.Sort.Descending
	complete := entries.Len() == r.table.len()
	withKey, withoutKey := true, !complete
	var after *keyed
	switch {
	case !r.startsAfter():
	case r.After.Absent:
		withKey = descending
	default:
		after = &keyed{r.After.Key, &ident{id: r.After.ID}}
		withoutKey = withoutKey && !descending
	}
	jump := r.jump(complete && r.visible() == r.table.len())
	keyed := walk(start(entries, after, descending, jump), descending, func(k keyed) *ident { return k.who })
	return func(yield func(*ident) bool) {
		if descending && withoutKey && !r.yieldWithout(attr, yield) {
			return
		}
		if withKey {
			for who := range keyed {
				if !yield(who) {
					return
				}
			}
		}
		if !descending && withoutKey {
			r.yieldWithout(attr, yield)
		}
	}, true
}

// yieldWithout yields the records that have no key of an attribute, by id. After
// belongs to them if it is one of them.
func (r *queryReader) yieldWithout(attr uint16, yield func(*ident) bool) bool {
	all := *r
	all.Offset = 0 // not to be jumped over here
	if all.After != nil && !all.After.Absent {
		all.After = nil
	}
	for who := range all.ids() {
		if !hasKey(r.rows.get(who.slot), attr) && !yield(who) {
			return false
		}
	}
	return true
}

func hasKey(r *row, attr uint16) bool {
	for i := range r.keys {
		if k := &r.keys[i]; k.attr == attr && !k.unique {
			return true
		}
	}
	return false
}

// all yields the records of the table in no order that matters.
func (r *queryReader) all() iter.Seq[*ident] {
	anywhere := *r
	anywhere.After, anywhere.Sort, anywhere.Offset = nil, storage.Sort{}, 0
	return anywhere.ids()
}
