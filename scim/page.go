package scim

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"strconv"
	"strings"

	"github.com/musterhq/muster/scim/filter"
	"github.com/musterhq/muster/storage"
)

// A list is read from sources, one for each resource type in it. Its order is that
// of the sort key, then of the types, then of ids; without a key to sort by, that
// of the types, then of ids. Within one type that is the order of the store, so a
// list of several types is a merge. Descending is the exact reverse.

// UnknownTotal is the total of a list that was not counted.
const UnknownTotal = storage.UnknownTotal

// source reads the part of a list that one resource type makes up.
type source struct {
	e      *endpoint
	filter *Filter
	sort   Path // zero: its resources have no sort key
	read   func(context.Context, window) (*stretch, error)
}

// window says what to read of a source: what lies behind a position, or behind a
// number of resources, in the order of the list or against it.
type window struct {
	after   *Position // nil: from the beginning, or going back, from the end
	counted bool      // from offset instead
	offset  int
	limit   int
	back    bool
	peek    bool // find out whether there is more
	total   storage.Total
	skip    bool // the resources are not shown, only their place counts
}

// stretch is what was read, nearest first.
type stretch struct {
	items  []Item
	more   bool
	total  int // or UnknownTotal
	keyset bool
}

// place is a place in a list: beside the resource with this key and id.
type place struct {
	source int
	key    string
	absent bool
	id     string
	// offsets are, for each source that can only count, how many of its resources
	// lie in front of the place; -1 for the others.
	offsets []int
}

// entry is a resource in a list.
type entry struct {
	Item
	source int
	key    string
	absent bool
}

// lister reads a list.
type lister struct {
	sources    []source
	sorted     bool // by a key, rather than by type and id
	descending bool
}

// entries are a page of a list, in its order.
type entries struct {
	list        []entry
	more        bool // in the direction of reading
	first, last *place
	total       int
}

// read reads up to count resources behind a place, or in front of it when going
// back. at nil is the beginning.
func (l *lister) read(ctx context.Context, at *place, back bool, count int, skip bool) (*entries, error) {
	p := &entries{}
	offsets := l.offsets(at) // where each source is read from
	counting := make([]bool, len(l.sources))
	reverse := l.descending != back
	for n := range l.sources {
		i := n
		if reverse {
			i = len(l.sources) - 1 - n
		}
		w, ok := l.window(i, at, back)
		if !ok {
			continue
		}
		w.limit, w.skip, w.peek = count, skip, true
		if !l.sorted {
			w.limit -= len(p.list)
		}
		if at == nil {
			w.total = storage.TotalIfCheap
		}
		read, err := l.sources[i].read(ctx, w)
		if err != nil {
			return nil, err
		}
		if !read.keyset {
			offsets[i], counting[i] = w.offset, true
		}
		p.add(l, i, read)
		if !l.sorted && p.more {
			if n < len(l.sources)-1 {
				p.total = UnknownTotal // the other types are not read
			}
			break
		}
	}
	if at != nil {
		p.total = UnknownTotal
	}
	if l.merges() {
		slices.SortFunc(p.list, func(a, b entry) int {
			if reverse {
				a, b = b, a
			}
			return l.compare(a, b)
		})
	}
	if len(p.list) > count {
		p.list, p.more = p.list[:count], true
	}
	p.settle(l, offsets, counting, back)
	return p, nil
}

// add adds what was read of a source.
func (p *entries) add(l *lister, source int, read *stretch) {
	p.total = sumTotal(p.total, read.total)
	p.more = p.more || read.more
	p.list = slices.Grow(p.list, len(read.items))
	for _, item := range read.items {
		e := entry{Item: item, source: source}
		if l.merges() {
			e.key, e.absent = l.sources[source].key(item.Resource)
		}
		p.list = append(p.list, e)
	}
}

// settle finds the places at both ends of what was read, and puts it into the order
// of the list. offsets are where each source was read from, as far as it counts.
func (p *entries) settle(l *lister, offsets []int, counting []bool, back bool) {
	if len(p.list) == 0 {
		p.more = false
		return
	}
	far := slices.Clone(offsets)
	for i := range p.list {
		switch source := p.list[i].source; {
		case !counting[source]:
		case back:
			far[source]--
		default:
			far[source]++
		}
	}
	p.first, p.last = l.place(&p.list[0], offsets), l.place(&p.list[len(p.list)-1], far)
	if back {
		p.first, p.last = p.last, p.first
		slices.Reverse(p.list)
	}
}

// offsets are those of a place, for the caller to change.
func (l *lister) offsets(at *place) []int {
	if at != nil {
		return slices.Clone(at.offsets)
	}
	return slices.Repeat([]int{-1}, len(l.sources))
}

func sumTotal(a, b int) int {
	if a == UnknownTotal || b == UnknownTotal {
		return UnknownTotal
	}
	return a + b
}

// merges reports whether the types alternate in the list.
func (l *lister) merges() bool { return l.sorted && len(l.sources) > 1 }

func (l *lister) place(e *entry, offsets []int) *place {
	if !l.merges() { // then nothing has asked for the key yet
		e.key, e.absent = l.sources[e.source].key(e.Resource)
	}
	return &place{source: e.source, key: e.key, absent: e.absent, id: e.Resource.ID(), offsets: offsets}
}

// lastID stands behind every id.
const lastID = "\U0010FFFF"

// window is where to read a source on from a place; ok is false when nothing of it
// lies there.
func (l *lister) window(i int, at *place, back bool) (w window, ok bool) {
	w.back = back
	if at == nil {
		return w, true
	}
	if at.offsets[i] >= 0 {
		w.counted, w.offset = true, at.offsets[i]
		return w, true
	}
	if i == at.source {
		w.after = &Position{Key: at.key, Absent: at.absent, ID: at.id}
		return w, true
	}
	reverse := l.descending != back
	ahead := (i > at.source) != reverse // in the order of types
	switch {
	case !l.sorted:
		return w, ahead
	case !l.sources[i].sort.IsZero():
		w.after = &Position{Key: at.key, Absent: at.absent}
		switch src := &l.sources[i]; {
		case src.e.handler == nil && src.sort == src.e.typ.Common().ID:
			w.after.ID = at.key // ids of our own making differ from all others
		case i < at.source:
			w.after.ID = lastID
		}
		return w, true
	case at.absent:
		return w, ahead
	}
	return w, !reverse // resources without a key come last
}

func (l *lister) compare(a, b entry) int {
	return cmp.Or(
		compareAbsent(a.absent, b.absent), strings.Compare(a.key, b.key),
		cmp.Compare(a.source, b.source), strings.Compare(a.Resource.ID(), b.Resource.ID()))
}

// key is what a resource is sorted by.
func (src *source) key(r *Resource) (key string, absent bool) {
	if src.sort.IsZero() {
		return "", true
	}
	return filter.SortKey(r, src.sort)
}

// byCursor reads the page that o.Cursor stands for. An empty one is the first page's.
func (s *Server) byCursor(ctx context.Context, l *lister, p Principal, o *ListOptions) (*Result, []entry, error) {
	count := s.pageSize(o)
	res := &Result{Total: UnknownTotal}
	seal := &sealer{keys: &s.cursors, list: l.identity(p, s.scope(p)), types: len(l.sources)}
	now := s.clock()
	c := &cursor{count: count}
	if o.Cursor != "" {
		var err error
		if c, err = seal.open(o.Cursor, now); err != nil {
			return nil, nil, err
		}
		if !o.sameCount && c.count != count {
			return nil, nil, errChangedCount
		}
	}
	if c.count == 0 {
		total, err := l.total(ctx)
		res.Total = total
		return res, nil, err
	}
	page, err := l.read(ctx, c.at, c.back, min(c.count, s.limits.MaxPageSize), false)
	if err != nil {
		return nil, nil, err
	}
	res.Total = page.total
	expires := now.Add(s.cursors.timeout)
	give := func(text *string, back bool, at *place) {
		if err == nil {
			*text, err = seal.seal(&cursor{back: back, at: at, count: c.count, expires: expires})
		}
	}
	// Behind a page that was read backwards there is the one that the client came
	// from; in front of one that was read forwards too, unless it is the first.
	if page.more || c.back {
		give(&res.NextCursor, false, page.last)
	}
	if c.back && page.more || !c.back && c.at != nil && page.first != nil {
		give(&res.PreviousCursor, true, page.first)
	}
	return res, page.list, err
}

// total counts all sources.
func (l *lister) total(ctx context.Context) (int, error) {
	total := 0
	for i := range l.sources {
		read, err := l.sources[i].read(ctx, window{total: storage.TotalExact})
		if err != nil {
			return 0, err
		}
		total = sumTotal(total, read.total)
	}
	return total, nil
}

// identity tells a list from every other list, and from the same one for others.
func (l *lister) identity(p Principal, scope string) [sha256.Size]byte {
	b := make([]byte, 0, 256)
	text := func(s string) {
		b = binary.AppendUvarint(b, uint64(len(s)))
		b = append(b, s...)
	}
	text(p.Tenant)
	text(p.Connection)
	text(scope)
	b = strconv.AppendBool(b, l.sorted)
	b = strconv.AppendBool(b, l.descending)
	for i := range l.sources {
		src := &l.sources[i]
		text(src.e.typ.Name())
		text(src.sort.String())
		asked := src.filter.Fingerprint()
		b = append(b, asked[:]...)
	}
	return sha256.Sum256(b)
}
