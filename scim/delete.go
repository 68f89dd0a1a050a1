package scim

import (
	"context"

	"github.com/musterhq/muster/scim/resource"
	"github.com/musterhq/muster/storage"
)

func (s *Server) delete(ctx context.Context, e *endpoint, op *Operation) (*Result, error) {
	if e.handler != nil {
		return s.deleteHandled(ctx, e, op)
	}
	return s.retry(ctx, op, func(ctx context.Context, st storage.Store) (*Result, error) {
		rec, cur, err := s.current(ctx, st, e, op)
		if err != nil {
			return nil, err
		}
		w := s.newPending(op, Effect{Kind: Delete, Type: e.typ, ID: op.ID, Before: cur})
		change := storage.ChangeInfo{Kind: "deleted"}
		if s.tombstones > 0 {
			w.put(storage.Put{Record: e.tombstone(rec, cur), IfVersion: rec.Version, Change: change})
		} else {
			w.batch.Deletes = []storage.Delete{{Ref: rec.Ref, IfVersion: rec.Version, Change: change}}
		}
		done, err := s.commit(ctx, st, op, w)
		if err != nil {
			return nil, err
		}
		res := &Result{Item: Item{Resource: cur}}
		return res, s.finish(ctx, e, op, w, done, &linkEdits{}, res)
	})
}

// tombstone is a resource as it stays after DELETE: hidden, inactive, without
// links, and still holding its unique keys so that a later create of the same
// resource finds it.
func (e *endpoint) tombstone(rec *storage.Record, cur *Resource) *storage.Record {
	if !e.active.IsZero() && cur.Active() {
		b := cur.Edit()
		b.SetValue(e.active, resource.Boolean(e.active, false))
		cur = b.Resource()
	}
	t := storage.NewRecord(cur, rec.Connection)
	t.Created, t.Hidden = rec.Created, true
	return t
}
