package scim

import (
	"context"
	"errors"
	"slices"

	"github.com/musterhq/muster/storage"
)

// overlay is a store in which operations are worked out before any of them is
// committed: it answers reads as if what was staged were there, and gathers what
// operations commit into one batch. Uniqueness, link targets and versions are
// judged when that batch is committed for good.
type overlay struct {
	storage.Store
	batch  storage.Batch
	staged []*staged
	puts   map[storage.Ref]int // index into batch.Puts
	gone   map[storage.Ref]int // index into batch.Deletes
	links  map[ownedRelation]int
	// revived is the new resource that a tombstone comes back as.
	revived storage.Ref
}

type ownedRelation struct {
	owner    storage.Ref
	relation string
}

// staged is one operation's part of an overlay.
type staged struct {
	ctx  context.Context
	e    *endpoint
	op   *Operation
	w    *pending
	link *linkEdits
	res  *Result
}

func newOverlay(st storage.Store, tenant string) *overlay {
	return &overlay{
		Store: st, batch: storage.Batch{Tenant: tenant},
		puts: map[storage.Ref]int{}, gone: map[storage.Ref]int{}, links: map[ownedRelation]int{},
	}
}

// Get returns what was staged, or what is there.
func (o *overlay) Get(ctx context.Context, tenant string, ref storage.Ref) (*storage.Record, error) {
	if i, ok := o.puts[ref]; ok {
		return o.batch.Puts[i].Record, nil
	}
	if _, ok := o.gone[ref]; ok {
		return nil, storage.ErrNotFound
	}
	return o.Store.Get(ctx, tenant, ref)
}

// Links returns the links of one resource with the staged edits applied: all that
// the folding of a PATCH asks for.
func (o *overlay) Links(ctx context.Context, q *storage.LinkQuery) ([]storage.Link, error) {
	found, err := o.Store.Links(ctx, q)
	if err != nil || len(q.Of) != 1 {
		return found, err
	}
	if q.Inverse {
		return o.linkedBy(q, found), nil
	}
	i, ok := o.links[ownedRelation{q.Of[0], q.Relation.Name}]
	if !ok {
		return found, nil
	}
	edit := &o.batch.Links[i]
	found = slices.DeleteFunc(slices.Clone(found), func(l storage.Link) bool {
		return edit.Reset || slices.Contains(edit.Remove, l.To)
	})
	for _, ref := range edit.Add {
		if q.After.Compare(ref) < 0 && (len(q.Other) == 0 || slices.Contains(q.Other, ref)) &&
			!slices.ContainsFunc(found, func(l storage.Link) bool { return l.To == ref }) {
			found = append(found, storage.Link{Of: q.Of[0], To: ref})
		}
	}
	slices.SortFunc(found, func(a, b storage.Link) int { return a.To.Compare(b.To) })
	return found, nil
}

// linkedBy applies the staged edits to links that were read from their target.
func (o *overlay) linkedBy(q *storage.LinkQuery, found []storage.Link) []storage.Link {
	found = slices.Clone(found)
	for i := range o.batch.Links {
		edit := &o.batch.Links[i]
		if edit.Relation != q.Relation.Name || edit.Owner.Type != q.Relation.Owner || edit.Owner.Compare(q.After) <= 0 {
			continue
		}
		at := slices.IndexFunc(found, func(l storage.Link) bool { return l.To == edit.Owner })
		switch adds := slices.Contains(edit.Add, q.Of[0]); {
		case adds && at < 0:
			found = append(found, storage.Link{Of: q.Of[0], To: edit.Owner})
		case !adds && at >= 0 && (edit.Reset || slices.Contains(edit.Remove, q.Of[0])):
			found = slices.Delete(found, at, at+1)
		}
	}
	slices.SortFunc(found, func(a, b storage.Link) int { return a.To.Compare(b.To) })
	return found
}

// Commit stages a batch. Versions in the result are those that the final commit
// will give if nobody comes between; it fails if somebody does.
func (o *overlay) Commit(ctx context.Context, b *storage.Batch) (*storage.CommitResult, error) {
	res := &storage.CommitResult{}
	for _, d := range b.Deletes {
		if i, ok := o.puts[d.Ref]; ok {
			// Made and deleted in one go: nothing is left of it but the deletion, if
			// there was something to delete.
			put := o.batch.Puts[i]
			o.dropPut(i)
			if put.IfAbsent {
				continue
			}
			d.IfVersion = put.IfVersion
		}
		o.gone[d.Ref] = len(o.batch.Deletes)
		o.batch.Deletes = append(o.batch.Deletes, d)
		o.dropLinksOf(d.Ref)
	}
	for _, p := range b.Puts {
		version, err := o.put(ctx, b, p)
		if err != nil {
			return nil, err
		}
		res.Puts = append(res.Puts, version)
	}
	for _, l := range b.Links {
		r, err := o.edit(ctx, b, l)
		if err != nil {
			return nil, err
		}
		res.Links = append(res.Links, r)
	}
	o.batch.Time = b.Time
	return res, nil
}

func (o *overlay) put(ctx context.Context, b *storage.Batch, p storage.Put) (int64, error) {
	version := p.IfVersion + 1
	if p.IfAbsent {
		version = 1
	}
	rec := p.Record.Committed(version, p.Record.Created, b.Time)
	i, ok := o.puts[rec.Ref]
	if ok {
		// The first write's precondition is what counts, and both are one step.
		first := o.batch.Puts[i]
		version = first.Record.Version
		p.IfAbsent, p.IfVersion = first.IfAbsent, first.IfVersion
		if p.Change.Kind == "patched" || p.Change.Kind == "replaced" {
			p.Change.Kind = first.Change.Kind
		}
		p.Record = rec.Committed(version, first.Record.Created, b.Time)
		o.batch.Puts[i] = p
	} else {
		p.Record = rec
		o.puts[rec.Ref] = len(o.batch.Puts)
		o.batch.Puts = append(o.batch.Puts, p)
	}
	if rec.Hidden {
		o.dropLinksOf(rec.Ref)
	}
	return version, nil
}

// edit stages a link edit: two edits of one relation become the one that does both.
func (o *overlay) edit(ctx context.Context, b *storage.Batch, l storage.LinkEdit) (storage.LinkResult, error) {
	owner, err := o.Get(ctx, b.Tenant, l.Owner)
	if err != nil || owner.Hidden || l.IfConnection != "" && owner.Connection != l.IfConnection {
		if err == nil || errors.Is(err, storage.ErrNotFound) {
			err = &storage.CommitError{Err: storage.ErrNotFound, Ref: l.Owner}
		}
		return storage.LinkResult{}, err
	}
	key := ownedRelation{l.Owner, l.Relation}
	if i, ok := o.links[key]; ok {
		o.batch.Links[i] = after(o.batch.Links[i], l)
	} else {
		if _, staged := o.puts[l.Owner]; staged {
			l.IfVersion = 0 // the put has the precondition
		}
		o.links[key] = len(o.batch.Links)
		o.batch.Links = append(o.batch.Links, l)
	}
	// What the edit really changes shows when it is committed.
	return storage.LinkResult{Version: owner.Version + 1, Modified: b.Time, Added: len(l.Add), Removed: len(l.Remove)}, nil
}

// after is the edit that has the effect of first and then second.
func after(first, second storage.LinkEdit) storage.LinkEdit {
	if second.Reset {
		second.IfVersion = first.IfVersion
		return second
	}
	adds, removes := refSet(second.Add), refSet(second.Remove)
	first.Add = slices.DeleteFunc(slices.Clone(first.Add), func(r storage.Ref) bool { return removes[r] || adds[r] })
	first.Add = append(first.Add, second.Add...)
	first.Remove = slices.DeleteFunc(slices.Clone(first.Remove), func(r storage.Ref) bool { return removes[r] || adds[r] })
	if !first.Reset {
		first.Remove = append(first.Remove, second.Remove...)
	}
	return first
}

func refSet(refs []storage.Ref) map[storage.Ref]bool {
	set := make(map[storage.Ref]bool, len(refs))
	for _, r := range refs {
		set[r] = true
	}
	return set
}

func (o *overlay) dropPut(i int) {
	o.batch.Puts = slices.Delete(o.batch.Puts, i, i+1)
	clear(o.puts)
	for i, p := range o.batch.Puts {
		o.puts[p.Record.Ref] = i
	}
}

func (o *overlay) dropLinksOf(ref storage.Ref) {
	o.batch.Links = slices.DeleteFunc(o.batch.Links, func(l storage.LinkEdit) bool { return l.Owner == ref })
	clear(o.links)
	for i, l := range o.batch.Links {
		o.links[ownedRelation{l.Owner, l.Relation}] = i
	}
}
