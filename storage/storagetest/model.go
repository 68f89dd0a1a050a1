package storagetest

import (
	"cmp"
	"maps"
	"slices"

	"github.com/musterhq/muster/storage"
)

// model is the contract of Commit once more, as plainly as maps allow, to
// compare a store with.
type model struct {
	records map[storage.Ref]*storage.Record
	links   map[modelLink]bool
}

type modelLink struct {
	owner    storage.Ref
	relation string
	to       storage.Ref
}

// outcome is what a batch does: either what is wrong with it, of which a store
// tells one, or its result and changes.
type outcome struct {
	wrong   []violation
	result  storage.CommitResult
	changes map[storage.Ref]*storage.Change
	deltas  map[storage.Ref][]storage.LinkDelta
}

type violation struct {
	err error
	ref storage.Ref
}

// commit applies a batch and returns the state after it, or the same model when
// something is wrong.
func (m *model) commit(b *storage.Batch) (*model, *outcome) {
	next := &model{maps.Clone(m.records), maps.Clone(m.links)}
	o := &outcome{changes: map[storage.Ref]*storage.Change{}, deltas: map[storage.Ref][]storage.LinkDelta{}}
	wrong := func(err error, ref storage.Ref) { o.wrong = append(o.wrong, violation{err, ref}) }

	for _, d := range b.Deletes {
		old := m.records[d.Ref]
		if old == nil {
			wrong(storage.ErrNotFound, d.Ref)
			continue
		}
		if d.IfVersion != 0 && d.IfVersion != old.Version {
			wrong(storage.ErrConflict, d.Ref)
		}
		delete(next.records, d.Ref)
		o.changes[d.Ref] = change(b, old, d.Change)
	}
	for _, p := range b.Puts {
		old, r := m.records[p.Record.Ref], *p.Record
		if p.IfAbsent && old != nil || p.IfVersion != 0 && (old == nil || old.Version != p.IfVersion) {
			wrong(storage.ErrConflict, r.Ref)
		}
		if r.Version, r.Modified = 1, b.Time; old != nil {
			r.Version, r.Created = old.Version+1, old.Created
		}
		next.records[r.Ref] = &r
		o.changes[r.Ref] = change(b, &r, p.Change)
		o.result.Puts = append(o.result.Puts, r.Version)
	}
	for _, p := range b.Puts {
		for ref, other := range next.records {
			if ref != p.Record.Ref && ref.Type == p.Record.Type && slices.ContainsFunc(other.Unique, func(u storage.UniqueKey) bool { return slices.Contains(p.Record.Unique, u) }) {
				wrong(storage.ErrNotUnique, p.Record.Ref)
			}
		}
	}
	described := map[storage.Ref]bool{}
	for ref := range o.changes {
		described[ref] = true
	}
	change := func(l modelLink, removed bool) {
		owner := l.owner
		if o.changes[owner] == nil {
			stepped := *next.records[owner]
			stepped.Version++
			stepped.Modified = b.Time
			next.records[owner] = &stepped
			o.changes[owner] = change(b, &stepped, storage.ChangeInfo{Kind: storage.KindUnlinked})
		}
		if removed {
			delete(next.links, l)
			o.changes[owner].LinksRemoved++
		} else {
			next.links[l] = true
			o.changes[owner].LinksAdded++
		}
		o.deltas[owner] = append(o.deltas[owner], storage.LinkDelta{Relation: l.relation, To: l.to, Removed: removed})
	}
	away := func(ref storage.Ref) bool { // by this batch
		after := next.records[ref]
		return o.changes[ref] != nil && (after == nil || after.Hidden)
	}
	for l := range m.links {
		if away(l.owner) || away(l.to) {
			change(l, true)
		}
	}
	for _, e := range b.Links {
		var r storage.LinkResult
		owner := next.records[e.Owner]
		switch {
		case owner == nil || owner.Hidden || e.IfConnection != "" && owner.Connection != e.IfConnection:
			wrong(storage.ErrNotFound, e.Owner)
			continue
		case e.IfVersion != 0 && (m.records[e.Owner] == nil || m.records[e.Owner].Version != e.IfVersion):
			wrong(storage.ErrConflict, e.Owner)
		}
		linked := func(to storage.Ref) modelLink { return modelLink{e.Owner, e.Relation, to} }
		for l := range next.links {
			gone := slices.Contains(e.Remove, l.to)
			if e.Reset {
				gone = !slices.Contains(e.Add, l.to)
			}
			if gone && l == linked(l.to) {
				change(l, true)
				r.Removed++
			}
		}
		for _, to := range e.Add {
			target := next.records[to]
			missing := target == nil || target.Hidden || e.IfConnection != "" && target.Connection != e.IfConnection
			switch {
			case next.links[linked(to)]:
			case !missing || e.Missing == storage.MissingKeep:
				change(linked(to), false)
				r.Added++
			case e.Missing == storage.MissingReject:
				wrong(storage.ErrMissingTarget, to)
			default:
				r.Dropped = append(r.Dropped, to)
			}
		}
		if r.Added+r.Removed > 0 && !described[e.Owner] {
			o.changes[e.Owner].ChangeInfo, described[e.Owner] = e.Change, true
		}
		o.result.Links = append(o.result.Links, r)
	}
	if len(o.wrong) > 0 {
		return m, o
	}
	for i, e := range b.Links {
		owner := next.records[e.Owner]
		o.result.Links[i].Version, o.result.Links[i].Modified = owner.Version, owner.Modified
	}
	for _, deltas := range o.deltas {
		slices.SortFunc(deltas, func(a, b storage.LinkDelta) int {
			return cmp.Or(cmp.Compare(a.Relation, b.Relation), a.To.Compare(b.To))
		})
	}
	return next, o
}

// change is the change of a record that is as given after the batch.
func change(b *storage.Batch, r *storage.Record, info storage.ChangeInfo) *storage.Change {
	return &storage.Change{Ref: r.Ref, Connection: r.Connection, ChangeInfo: info, Version: r.Version, Hidden: r.Hidden, Time: b.Time}
}

// equalResults compares what two commits say that they did.
func equalResults(a, b *storage.CommitResult) bool {
	return slices.Equal(a.Puts, b.Puts) && slices.EqualFunc(a.Links, b.Links, func(x, y storage.LinkResult) bool {
		return x.Version == y.Version && x.Modified.Equal(y.Modified) && x.Added == y.Added && x.Removed == y.Removed && slices.Equal(x.Dropped, y.Dropped)
	})
}
