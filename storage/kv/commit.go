package kv

import (
	"context"

	"github.com/musterhq/muster/storage"
)

// Commit implements [storage.Store].
func (s *store) Commit(ctx context.Context, b *storage.Batch) (res *storage.CommitResult, err error) {
	err = s.update(ctx, func(tx Tx) error {
		c := &commit{Batch: b, ctx: ctx, tx: tx, steps: map[storage.Ref]*step{}, result: &storage.CommitResult{}}
		res = c.result
		return c.run()
	})
	if err != nil {
		return nil, err
	}
	return res, nil
}

// commit is one batch on its way through a transaction.
type commit struct {
	*storage.Batch
	ctx    context.Context
	tx     Tx
	steps  map[storage.Ref]*step
	order  []*step // of the change log
	result *storage.CommitResult
}

// step is the one write that a batch makes of one record, however many reasons
// it has.
type step struct {
	before *storage.Record // nil: it is new
	after  *storage.Record // with its new version; of a deleted record, as it was
	change storage.Change  // numbered when the step is made

	put, deleted bool
	described    bool // the change's description comes from the caller
}

// run is the definition of a batch, in its order.
func (c *commit) run() error {
	for _, rule := range []func() error{
		c.deletes,
		c.puts,
		c.freeKeys,
		c.takeKeys,
		c.dropLinks,
		c.editLinks,
		c.write,
		c.log,
	} {
		if err := rule(); err != nil {
			return err
		}
	}
	return nil
}

// deletes: a record to be deleted exists, and has the version asked for.
func (c *commit) deletes() error {
	for _, d := range c.Deletes {
		before, err := loadWhole(c.tx, c.Tenant, d.Ref)
		switch {
		case err != nil:
			return err
		case before == nil:
			return &storage.CommitError{Err: storage.ErrNotFound, Ref: d.Ref}
		case d.IfVersion != 0 && d.IfVersion != before.Version:
			return &storage.CommitError{Err: storage.ErrConflict, Ref: d.Ref}
		}
		s := &step{before: before, after: before, deleted: true, described: true}
		if err := c.addStep(d.Ref, s, d.Change); err != nil {
			return err
		}
	}
	return nil
}

// puts: the state before is as asked for; the version steps once, and Created
// stays.
func (c *commit) puts() error {
	for _, p := range c.Puts {
		ref := p.Record.Ref
		before, err := loadWhole(c.tx, c.Tenant, ref)
		if err != nil {
			return err
		}
		if p.IfAbsent && before != nil || p.IfVersion != 0 && (before == nil || before.Version != p.IfVersion) {
			return &storage.CommitError{Err: storage.ErrConflict, Ref: ref}
		}
		after := *p.Record
		after.Version, after.Modified = 1, c.Time
		if before != nil {
			after.Version, after.Created = before.Version+1, before.Created
		}
		s := &step{before: before, after: &after, put: true, described: true}
		if err := c.addStep(ref, s, p.Change); err != nil {
			return err
		}
		c.result.Puts = append(c.result.Puts, after.Version)
	}
	return nil
}

// touch is the step of a record that a change of its links takes effect on. A
// record that the batch writes anyway has its step already.
func (c *commit) touch(ref storage.Ref) (*step, error) {
	if s := c.steps[ref]; s != nil {
		return s, nil
	}
	before, err := loadWhole(c.tx, c.Tenant, ref)
	if err != nil {
		return nil, err
	}
	after := *before // it exists: links of a record go with it
	after.Version++
	after.Modified = c.Time
	s := &step{before: before, after: &after}
	return s, c.addStep(ref, s, storage.ChangeInfo{Kind: storage.KindUnlinked})
}

func (c *commit) addStep(ref storage.Ref, s *step, info storage.ChangeInfo) error {
	last, err := lastChange(c.tx, c.Tenant)
	if err != nil {
		return err
	}
	c.steps[ref] = s
	c.order = append(c.order, s)
	s.change = storage.Change{Seq: last + int64(len(c.order)), Ref: ref, ChangeInfo: info, Time: c.Time}
	return nil
}

// freeKeys takes away the keys of what was there before. All go before any is
// taken, so that records may swap them.
func (c *commit) freeKeys() error {
	for _, s := range c.order {
		if s.before == nil {
			continue
		}
		for _, u := range s.before.Unique {
			if err := c.tx.Delete(uniqueKey(c.Tenant, s.before.Type, u)); err != nil {
				return err
			}
		}
		for _, e := range s.before.Index {
			if err := c.tx.Delete(indexKey(c.Tenant, s.before.Ref, e)); err != nil {
				return err
			}
		}
	}
	return nil
}

// takeKeys: no two records of a type hold the same unique key, hidden or not.
func (c *commit) takeKeys() error {
	for _, p := range c.Puts {
		r := p.Record
		for _, u := range r.Unique {
			k := uniqueKey(c.Tenant, r.Type, u)
			id, err := c.tx.Get(k)
			if err != nil {
				return err
			}
			if id != nil {
				return c.notUnique(r.Ref, u.Attr, storage.Ref{Type: r.Type, ID: string(id)})
			}
			if err := c.tx.Put(k, []byte(r.ID)); err != nil {
				return err
			}
		}
		for _, e := range r.Index {
			if err := c.tx.Put(indexKey(c.Tenant, r.Ref, e), []byte{}); err != nil {
				return err
			}
		}
	}
	return nil
}

func (c *commit) notUnique(ref storage.Ref, attr string, holder storage.Ref) error {
	e := &storage.CommitError{Err: storage.ErrNotUnique, Ref: ref, Attr: attr}
	if c.steps[holder] == nil {
		var err error
		if e.Holder, err = load(c.tx, c.Tenant, holder); err != nil {
			return err
		}
	}
	return e
}

// write puts and deletes the records that the batch took effect on.
func (c *commit) write() error {
	for _, s := range c.order {
		k := recordKey(c.Tenant, s.after.Ref)
		if s.deleted {
			if err := c.tx.Delete(k); err != nil {
				return err
			}
			continue
		}
		value, err := encodeRecord(s.after)
		if err != nil {
			return err
		}
		if err := c.tx.Put(k, value); err != nil {
			return err
		}
	}
	return nil
}
