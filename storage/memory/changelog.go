package memory

import (
	"context"
	"slices"
	"time"

	"github.com/musterhq/muster/storage"
)

// changeLog is the changes of a tenant that are not forgotten. It grows by
// append, and states share the array: what one of them holds lies before what
// later ones append.
type changeLog struct {
	first   int64 // number of changes[0], or of the next change
	changes []*change
	weight  int // changes and their deltas
}

// change is one entry of the log.
type change struct {
	storage.Change
	deltas []delta // in the order of ChangedLinks
}

// delta is a [storage.LinkDelta], without the texts.
type delta struct {
	to      *ident
	segment uint32
	removed bool
}

func (c *change) weight() int { return 1 + len(c.deltas) }

// append numbers a change and keeps it. Beyond max, when that is above 0, the
// oldest are forgotten.
func (l *changeLog) append(c *change, max int) {
	c.Seq = l.first + int64(len(l.changes))
	l.changes = append(l.changes, c)
	l.weight += c.weight()
	n := 0
	for ; max > 0 && l.weight > max && n < len(l.changes)-1; n++ {
		l.weight -= l.changes[n].weight()
	}
	l.forget(n)
}

// forget drops the n oldest changes, whose weight is gone already. Their memory
// goes when append next moves the others, or here when few are left.
func (l *changeLog) forget(n int) {
	if n == 0 {
		return
	}
	l.first += int64(n)
	l.changes = l.changes[n:]
	if n > len(l.changes) {
		l.changes = slices.Clone(l.changes)
	}
}

// trim forgets the oldest changes, up to the first that was not made before a
// time.
func (l *changeLog) trim(before time.Time) {
	n := 0
	for ; n < len(l.changes) && l.changes[n].Time.Before(before); n++ {
		l.weight -= l.changes[n].weight()
	}
	l.forget(n)
}

// after returns the changes behind a position.
func (l *changeLog) after(seq int64) []*change {
	return l.changes[min(max(seq-l.first+1, 0), int64(len(l.changes))):]
}

func (s *state) linkDelta(d delta) storage.LinkDelta {
	return storage.LinkDelta{Relation: s.segments[d.segment].relation, To: s.ref(d.to), Removed: d.removed}
}

// Changes implements [storage.ChangeLog].
func (s *Store) Changes(ctx context.Context, tenant string, after int64, limit int) ([]storage.Change, error) {
	st, err := s.state(ctx, tenant)
	if st == nil {
		return nil, err
	}
	from := st.log.after(max(after, 0))
	from = from[:min(max(limit, 0), len(from))]
	changes := make([]storage.Change, len(from))
	for i, c := range from {
		changes[i] = c.Change
	}
	return changes, nil
}

// ChangedLinks implements [storage.ChangeLog].
func (s *Store) ChangedLinks(ctx context.Context, tenant string, seq int64, after storage.LinkDelta, limit int) ([]storage.LinkDelta, error) {
	st, err := s.state(ctx, tenant)
	if err != nil {
		return nil, err
	}
	if st == nil || seq < st.log.first || seq >= st.log.first+int64(len(st.log.changes)) {
		return nil, storage.ErrNotFound
	}
	from := st.log.changes[seq-st.log.first].deltas
	if after != (storage.LinkDelta{}) {
		i, found := slices.BinarySearchFunc(from, after, func(d delta, after storage.LinkDelta) int {
			return compareLinkDeltas(st.linkDelta(d), after)
		})
		if found {
			i++
		}
		from = from[i:]
	}
	from = from[:min(max(limit, 0), len(from))]
	deltas := make([]storage.LinkDelta, len(from))
	for i, d := range from {
		deltas[i] = st.linkDelta(d)
	}
	return deltas, nil
}

// TrimChanges implements [storage.ChangeLog].
func (s *Store) TrimChanges(ctx context.Context, tenant string, before time.Time) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if t := s.tenant(tenant); t != nil {
		return t.trim(ctx, before)
	}
	return nil
}
