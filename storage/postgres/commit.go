package postgres

import (
	"context"
	"errors"

	"github.com/musterhq/muster/storage"
)

// Commit implements [storage.Store].
func (s *Store) Commit(ctx context.Context, b *storage.Batch) (*storage.CommitResult, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if len(b.Puts)+len(b.Deletes)+len(b.Links) == 0 {
		return &storage.CommitResult{}, nil
	}
	res, err := s.atOnce(ctx, b)
	if errors.Is(err, errNotAtOnce) {
		res, err = s.repeat(ctx, b)
	}
	if err != nil {
		return nil, outward(ctx, err)
	}
	s.notifier.tell(b.Tenant)
	return res, nil
}

// errNotAtOnce says that a batch needs to be judged before it is written, or
// that it failed, which a judgement explains.
var errNotAtOnce = errors.New("postgres: not at once")

// atOnce commits a batch in one round trip, when that is possible.
func (s *Store) atOnce(ctx context.Context, b *storage.Batch) (*storage.CommitResult, error) {
	if !isBlindPut(b) && !isLoneEdit(b) {
		return nil, errNotAtOnce
	}
	var res [1]*storage.CommitResult
	err := s.allAtOnce(ctx, []*storage.Batch{b}, res[:])
	return res[0], err
}

// sendAtOnce runs statements in one round trip. Without BEGIN, statements that
// are sent together are one transaction.
func (s *Store) sendAtOnce(ctx context.Context, q *queue) error {
	err := s.pool.SendBatch(ctx, q.Batch).Close()
	if c := code(err); c == divisionByZero || c == uniqueViolation || again(err) {
		return errNotAtOnce
	}
	return err
}

// isLoneEdit reports whether a batch is the edit of one relation of one owner,
// which statements can make without a look at what is there.
func isLoneEdit(b *storage.Batch) bool {
	return len(b.Links) == 1 && len(b.Puts)+len(b.Deletes) == 0 && !isLongReset(&b.Links[0])
}

// isBlindPut reports whether a batch consists of puts that can be written
// without a look at what is there: statements can tell whether what they demand
// holds.
func isBlindPut(b *storage.Batch) bool {
	for _, p := range b.Puts {
		if p.IfAbsent == (p.IfVersion != 0) || p.Record.Hidden {
			return false
		}
	}
	return len(b.Puts) > 0 && len(b.Deletes)+len(b.Links) == 0
}

// blindPuts queues such batches, all of one tenant, and returns the versions that
// they lead to.
func (q *queue) blindPuts(batches []*storage.Batch, generation int64) (versions []int64) {
	var records []write
	var steps []*step
	for _, b := range batches {
		for _, p := range b.Puts {
			records = append(records, write{Record: p.Record, at: b.Time, version: p.IfVersion})
			steps = append(steps, &step{
				ref: p.Record.Ref, connection: p.Record.Connection, version: p.IfVersion + 1, change: p.Change, time: b.Time,
			})
			versions = append(versions, p.IfVersion+1)
		}
	}
	q.put(records, generation)
	q.log(steps)
	return versions
}

// repeat judges and commits a batch, again when others got in between.
func (s *Store) repeat(ctx context.Context, b *storage.Batch) (res *storage.CommitResult, err error) {
	owners := map[storage.Ref]bool{} // known from earlier attempts
	inBetween := func(err error) bool {
		c := code(err)
		if c == divisionByZero {
			s.indexes.forget() // what writes rest on has changed
		}
		return again(err) || c == uniqueViolation || c == divisionByZero || errors.Is(err, errOwners)
	}
	err = persist(ctx, inBetween, func() error {
		res, err = s.judged(ctx, b, owners)
		return err
	})
	return res, err
}
