package kv

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/musterhq/muster/storage"
)

// Changes are numbered when they are written, inside the transaction: since
// transactions are serialisable, nothing with a lower number appears later. The
// price is that writers of one tenant all write its counter.

// log writes the changes of a batch and the counter.
func (c *commit) log() error {
	for _, s := range c.order {
		s.change.Connection, s.change.Version, s.change.Hidden = s.after.Connection, s.after.Version, s.after.Hidden
		value, err := json.Marshal(s.change)
		if err != nil {
			return err
		}
		if err := c.tx.Put(changeKey(c.Tenant, s.change.Seq), value); err != nil {
			return err
		}
	}
	if len(c.order) == 0 {
		return nil
	}
	last := c.order[len(c.order)-1].change.Seq
	return c.tx.Put(key(counterKind, c.Tenant), strconv.AppendInt(nil, last, 10))
}

// logDelta writes one link of a change under a key of its own: a change may have
// as many as a group has members.
func (c *commit) logDelta(s *step, d storage.LinkDelta) error {
	return c.tx.Put(deltaKey(c.Tenant, s.change.Seq, d), []byte{})
}

// lastChange is the number of the last change of a tenant, 0 before the first.
func lastChange(tx Tx, tenant string) (int64, error) {
	b, err := tx.Get(key(counterKind, tenant))
	if err != nil || b == nil {
		return 0, err
	}
	return strconv.ParseInt(string(b), 10, 64)
}

func decodeChange(b []byte) (c storage.Change, err error) {
	if err = json.Unmarshal(b, &c); err != nil {
		err = fmt.Errorf("kv: a change is not one that this package wrote: %w", err)
	}
	return c, err
}

// Changes implements [storage.ChangeLog].
func (s *store) Changes(ctx context.Context, tenant string, after int64, limit int) (changes []storage.Change, err error) {
	err = s.view(ctx, func(tx Tx) error {
		changes = nil
		for p, err := range scan(ctx, tx, prefix(changeKind, tenant), changeKey(tenant, max(after, 0))) {
			if err != nil {
				return err
			}
			if len(changes) == limit {
				break
			}
			c, err := decodeChange(p.value)
			if err != nil {
				return err
			}
			changes = append(changes, c)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return changes, nil
}

// ChangedLinks implements [storage.ChangeLog].
func (s *store) ChangedLinks(ctx context.Context, tenant string, seq int64, after storage.LinkDelta, limit int) (deltas []storage.LinkDelta, err error) {
	var from []byte
	if after != (storage.LinkDelta{}) {
		from = deltaKey(tenant, seq, after)
	}
	err = s.view(ctx, func(tx Tx) error {
		deltas = nil
		change, err := tx.Get(changeKey(tenant, seq))
		if err != nil {
			return err
		}
		if change == nil {
			return storage.ErrNotFound
		}
		for p, err := range scan(ctx, tx, prefix(deltaKind, tenant, number(seq)), from) {
			if err != nil {
				return err
			}
			if len(deltas) == limit {
				break
			}
			deltas = append(deltas, deltaOf(p.key))
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return deltas, nil
}

// TrimChanges implements [storage.ChangeLog]. It works in transactions of a
// bounded number of changes, so that it does not hold writers off for long.
func (s *store) TrimChanges(ctx context.Context, tenant string, before time.Time) error {
	for {
		trimmed := 0
		err := s.update(ctx, func(tx Tx) (err error) {
			trimmed, err = trim(ctx, tx, tenant, before)
			return err
		})
		if err != nil || trimmed < chunk {
			return err
		}
	}
}

// trim forgets at most a chunk of changes. It returns how many.
func trim(ctx context.Context, tx Tx, tenant string, before time.Time) (n int, err error) {
	for k, err := range keysOf(ctx, tx, prefix(changeKind, tenant)) {
		if err != nil || n == chunk {
			return n, err
		}
		value, err := tx.Get(k)
		if err != nil {
			return n, err
		}
		c, err := decodeChange(value)
		if err != nil || !c.Time.Before(before) {
			return n, err
		}
		for d, err := range keysOf(ctx, tx, prefix(deltaKind, tenant, number(c.Seq))) {
			if err != nil {
				return n, err
			}
			if err := tx.Delete(d); err != nil {
				return n, err
			}
		}
		if err := tx.Delete(k); err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}
