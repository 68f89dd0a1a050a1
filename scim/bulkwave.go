package scim

import (
	"context"
	"slices"

	"github.com/musterhq/muster/storage"
)

// A store that can commit many batches in one go makes a bulk request as fast as
// its operations are independent: units that wait for none of each other are worked
// out first and then committed together, each still atomic on its own. A unit whose
// commit fails, because somebody came between or a tombstone holds its name, is
// worked off once more by itself.

// mayWave reports whether nobody can tell the difference. A guard must see each
// commit with those before it done, an interceptor must see its result, and
// failOnErrors must stop in time.
func (b *bulkRun) mayWave() bool {
	return len(b.x.s.guards) == 0 && len(b.x.s.interceptors) == 0 && b.req.failOnErrors == 0
}

// wave are units that have been worked out and not yet committed.
type wave struct {
	units [][]*bulkOp
	overs []*overlay
	todo  []*pending
}

// inWaves works the units off, as many together as do not wait for each other.
func (b *bulkRun) inWaves(ctx context.Context, committer storage.BulkCommitter) {
	var w wave
	waiting := map[int]bool{} // operations of the wave
	flush := func() {
		b.commitWave(ctx, committer, &w)
		w = wave{}
		clear(waiting)
	}
	for _, unit := range b.units() {
		if slices.ContainsFunc(unit, func(op *bulkOp) bool {
			return op.handled() || slices.ContainsFunc(op.after, func(i int) bool { return waiting[i] })
		}) {
			flush()
		}
		if b.refuse(unit) {
			continue
		}
		if unit[0].handled() {
			b.work(ctx, unit)
			continue
		}
		over := newOverlay(b.x.s.store, b.x.principal.Tenant)
		if culprit, err := b.stage(ctx, over, unit); err != nil {
			if isConflict(err) {
				b.work(ctx, unit)
			} else {
				b.fail(unit, culprit, err)
			}
			continue
		}
		for _, op := range unit {
			waiting[op.index] = true
		}
		w.units, w.overs, w.todo = append(w.units, unit), append(w.overs, over), append(w.todo, over.pending())
	}
	flush()
}

func (op *bulkOp) handled() bool { return op.endpoint != nil && op.endpoint.handler != nil }

// stage works the operations of a unit out in an overlay.
func (b *bulkRun) stage(ctx context.Context, over *overlay, unit []*bulkOp) (culprit *bulkOp, err error) {
	for _, op := range unit {
		op.plan.over = over
		if op.result, err = b.run(ctx, op); err != nil {
			return op, err
		}
	}
	return nil, nil
}

func (b *bulkRun) commitWave(ctx context.Context, committer storage.BulkCommitter, w *wave) {
	s := b.x.s
	var batches []*storage.Batch
	var at []int
	errs := make([]error, len(w.units))
	results := make([]*storage.CommitResult, len(w.units))
	for i, todo := range w.todo {
		if errs[i] = todo.last(ctx); errs[i] != nil {
			continue
		}
		if results[i] = (&storage.CommitResult{}); !w.overs[i].empty() {
			batches, at = append(batches, &todo.batch), append(at, i)
		}
	}
	if len(batches) > 0 {
		done, failed := committer.CommitEach(ctx, batches)
		for k, i := range at {
			results[i], errs[i] = done[k], failed[k]
		}
	}
	for i, unit := range w.units {
		if errs[i] != nil {
			b.work(ctx, unit)
			continue
		}
		if err := s.finishOverlay(ctx, w.overs[i], w.todo[i], results[i]); err != nil {
			b.fail(unit, unit[0], err)
			continue
		}
		for _, op := range unit {
			b.settle(op)
		}
	}
}
