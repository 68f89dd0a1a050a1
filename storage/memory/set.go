package memory

import (
	"cmp"
	"iter"
	"slices"
	"unicode/utf8"

	"github.com/musterhq/muster/internal/cowtree"
	"github.com/musterhq/muster/scim/filter"
	"github.com/musterhq/muster/scim/schema"
	"github.com/musterhq/muster/storage"
)

// set is a set of records that contains every match of a filter.
//
// It is a list by id, or part of a tree: then all yields it in the order of the
// tree, and byID, unless that order would have to be made, by id.
type set struct {
	n       int  // at most so many
	exact   bool // it contains nothing else
	counted bool // exact, and n is the number of them
	list    []*ident
	all     iter.Seq[*ident] // nil: it is the list
	byID    func(after string, descending bool) iter.Seq[*ident]
}

// any yields the set in no order that matters.
func (s *set) any() iter.Seq[*ident] {
	if s.all == nil {
		return slices.Values(s.list)
	}
	return s.all
}

// ordered yields the set by id behind one, in either direction; ok is false when
// that order would have to be made.
func (s *set) ordered(after string, descending bool) (walk iter.Seq[*ident], ok bool) {
	switch {
	case s.all == nil:
		return listed(s.list, after, descending), true
	case s.byID == nil:
		return nil, false
	}
	return s.byID(after, descending), true
}

// setOf finds a set that an index or links can name; ok is false when there is
// none that is better than all records.
func (r *queryReader) setOf(n filter.Node) (s set, ok bool) {
	switch n := n.(type) {
	case filter.Const:
		return none(), !bool(n)
	case filter.Compare:
		return r.compared(n)
	case filter.Any:
		s, ok = r.setOf(n.X)
		s.exact, s.counted = false, false
		return s, ok
	case filter.Linked:
		return r.linkedWith(n)
	case filter.And:
		for _, term := range n.Nodes {
			if t, found := r.setOf(term); found && (!ok || t.n < s.n) {
				s, ok = t, true
			}
		}
		s.exact, s.counted = false, false
		return s, ok
	case filter.Or:
		return r.union(n)
	}
	return set{}, false
}

func none() set { return fromSlice(nil, true) }

func (r *queryReader) compared(n filter.Compare) (set, bool) {
	common := r.Type.Common()
	switch p := n.Path; {
	case p == common.ID && n.Op == filter.Eq:
		if found := r.findIn(r.table, n.Key); found != nil && found.rec != nil {
			return fromSlice([]*ident{found.who}, true), true
		}
		return none(), true
	case p == common.Created:
		return stampedRange(&r.table.created, n)
	case p == common.LastModified:
		return stampedRange(&r.table.modified, n)
	case p.IsIndexed() && p.InDocument():
		return r.keyedRange(p, n)
	}
	return set{}, false
}

func stampedRange(t *cowtree.Tree[stamped], n filter.Compare) (set, bool) {
	at := stamp(n.Time, nil)
	next := at
	next.nsec++
	lo, hi := 0, t.Rank(stamped{sec: noTime})
	switch n.Op {
	case filter.Eq:
		lo, hi = t.Rank(at), t.Rank(next)
	case filter.Gt:
		lo = t.Rank(next)
	case filter.Ge:
		lo = t.Rank(at)
	case filter.Lt:
		hi = t.Rank(at)
	case filter.Le:
		hi = t.Rank(next)
	default:
		return set{}, false
	}
	return fromRange(t, lo, hi, func(s stamped) *ident { return s.who }), true
}

// Strings have no U+0000, and no byte of UTF-8 is as high as 0xff: so a key with
// either behind it comes right after the key itself, or after all that begin
// with it.
const (
	afterKey    = "\x00"
	afterPrefix = "\xff"
)

func (r *queryReader) keyedRange(p schema.Path, n filter.Compare) (set, bool) {
	attr, ok := r.table.attr(p.String())
	if !ok {
		return none(), true // no record has a value
	}
	x := &r.table.indexes[attr]
	t := &x.entries
	k, truncated := storage.IndexKey(n.Key)
	exact := !truncated && x.truncated == 0
	if n.Op == filter.Eq {
		return r.keyedEqual(t, k, exact)
	}
	// A truncated key compares like its value as far as it surely reaches, and one
	// that agrees so far may belong to a value on either side of the operand.
	after := k + afterKey
	if !exact {
		k = k[:min(len(k), storage.MaxKeyLength-utf8.UTFMax)]
		after = k + afterPrefix
	}
	at := func(key string) int { return t.Rank(keyed{key: key}) }
	lo, hi := 0, t.Len()
	switch n.Op {
	case filter.Sw:
		lo, hi = at(k), at(k+afterPrefix)
	case filter.Gt:
		if lo = at(k); exact {
			lo = at(after)
		}
	case filter.Ge:
		lo = at(k)
	case filter.Lt:
		if hi = at(after); exact {
			hi = at(k)
		}
	case filter.Le:
		hi = at(after)
	default:
		return set{}, false
	}
	s := fromRange(t, lo, hi, keyedWho)
	if !p.MultiValued().IsZero() { // a record may occur more than once
		if !r.worthCollecting(s.n) {
			return set{}, false
		}
		s = fromSlice(slices.Collect(s.any()), true)
	}
	s.exact, s.counted = exact, exact && s.counted
	return s, true
}

func keyedWho(k keyed) *ident { return k.who }

// keyedEqual is the records with one key, which are together and by id.
func (r *queryReader) keyedEqual(t *cowtree.Tree[keyed], k string, exact bool) (set, bool) {
	c := t.Seek(keyed{key: k})
	if !c.Valid() || c.Item().key != k {
		return none(), true
	}
	first := c.Item().who
	if c.Next(); !c.Valid() || c.Item().key != k {
		return fromSlice([]*ident{first}, exact), true
	}
	lo, hi := t.Rank(keyed{key: k}), t.Rank(keyed{key: k + afterKey})
	s := fromRange(t, lo, hi, keyedWho)
	s.exact, s.counted = exact, exact
	s.byID = func(after string, descending bool) iter.Seq[*ident] {
		return within(t, lo, hi, after, descending, keyedWho, func(id *ident) keyed { return keyed{k, id} })
	}
	return s, true
}

// linkedWith is the records with a link, read from its other end.
func (r *queryReader) linkedWith(l filter.Linked) (set, bool) {
	if l.ID == "" {
		return set{}, false
	}
	var sets []set
	for g := range r.segmentsFor(l) {
		if other := r.otherEnd(l, g); other != nil {
			sets = append(sets, r.linkedIn(l, g, other))
		}
	}
	switch len(sets) {
	case 0:
		return none(), true
	case 1:
		return sets[0], true
	}
	return r.unionOf(sets)
}

func (r *queryReader) linkedIn(l filter.Linked, segment int, other *ident) set {
	t := &r.in
	if l.Inverse {
		t = &r.out
	}
	lo, hi := t.Rank(linked{from: from(other, segment)}), t.Rank(linked{from: from(other, segment) + 1})
	who := func(l linked) *ident { return l.who }
	s := fromRange(t, lo, hi, who)
	// Among the targets of links may be some that are kept elsewhere.
	s.counted = !l.Inverse || r.onlyRecords()
	s.byID = func(after string, descending bool) iter.Seq[*ident] {
		return within(t, lo, hi, after, descending, who, func(id *ident) linked { return link(other, segment, id) })
	}
	return s
}

// onlyRecords reports whether every name is that of a record.
func (s *state) onlyRecords() bool {
	n := 0
	for _, t := range s.tables {
		n += t.len()
	}
	return n == s.names.Len()
}

func (r *queryReader) union(n filter.Or) (set, bool) {
	sets := make([]set, len(n.Nodes))
	for i, term := range n.Nodes {
		var ok bool
		if sets[i], ok = r.setOf(term); !ok {
			return set{}, false
		}
	}
	return r.unionOf(sets)
}

func (r *queryReader) unionOf(sets []set) (set, bool) {
	n, exact := 0, true
	for _, s := range sets {
		n += s.n
		exact = exact && s.exact
	}
	if !r.worthCollecting(n) {
		return set{}, false
	}
	list := make([]*ident, 0, n)
	for _, s := range sets {
		for who := range s.any() {
			if r.rows.get(who.slot).rec != nil {
				list = append(list, who)
			}
		}
	}
	return fromSlice(list, exact), true
}

// worthCollecting reports whether n names are better sorted than all records
// looked at.
func (r *queryReader) worthCollecting(n int) bool { return n <= r.table.len()/2+patience }

// fromSlice makes the set of the names listed, which may repeat.
func fromSlice(list []*ident, exact bool) set {
	slices.SortFunc(list, compareIdents)
	list = slices.Compact(list)
	return set{n: len(list), exact: exact, counted: exact, list: list}
}

// listed yields a list by id behind one, in either direction.
func listed(list []*ident, after string, descending bool) iter.Seq[*ident] {
	if after != "" {
		i, found := slices.BinarySearchFunc(list, after, func(m *ident, id string) int { return cmp.Compare(m.id, id) })
		switch {
		case descending:
			list = list[:i]
		case found:
			list = list[i+1:]
		default:
			list = list[i:]
		}
	}
	if !descending {
		return slices.Values(list)
	}
	return func(yield func(*ident) bool) {
		for _, who := range slices.Backward(list) {
			if !yield(who) {
				return
			}
		}
	}
}

// fromRange makes the set of the items of a tree between two positions, among
// which no record occurs twice.
func fromRange[T any](t *cowtree.Tree[T], lo, hi int, who func(T) *ident) set {
	hi = max(lo, hi)
	return set{n: hi - lo, exact: true, counted: true, all: between(t, lo, hi, false, who)}
}

func between[T any](t *cowtree.Tree[T], lo, hi int, descending bool, who func(T) *ident) iter.Seq[*ident] {
	return func(yield func(*ident) bool) {
		at := lo
		if descending {
			at = hi - 1
		}
		c := t.At(at)
		for range hi - lo {
			if !yield(who(c.Item())) {
				return
			}
			move(&c, descending)
		}
	}
}

// within yields the names between two positions that are behind an id, where the
// items there are in the order of ids.
func within[T any](t *cowtree.Tree[T], lo, hi int, after string, descending bool, who func(T) *ident, probe func(*ident) T) iter.Seq[*ident] {
	if after != "" {
		x := probe(&ident{id: after})
		i := t.Rank(x)
		switch {
		case descending:
			hi = i
		case t.Has(x):
			lo = i + 1
		default:
			lo = i
		}
	}
	return between(t, lo, max(lo, hi), descending, who)
}
