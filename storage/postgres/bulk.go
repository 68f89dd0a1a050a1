package postgres

import (
	"context"
	"errors"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/musterhq/muster/storage"
)

// maxTogether bounds the records and links that are committed together, and so
// how long their locks are held.
const maxTogether = 1000

// CommitEach implements [storage.BulkCommitter]. Batches that follow each other
// and need no judgement are committed together, in one round trip. When one of
// them fails, none is committed; then each half of them is tried, down to single
// ones.
func (s *Store) CommitEach(ctx context.Context, batches []*storage.Batch) ([]*storage.CommitResult, []error) {
	results, errs := make([]*storage.CommitResult, len(batches)), make([]error, len(batches))
	for i := 0; i < len(batches); {
		n := together(batches[i:])
		s.commitTogether(ctx, batches[i:i+n], results[i:i+n], errs[i:i+n])
		i += n
	}
	return results, errs
}

func (s *Store) commitTogether(ctx context.Context, batches []*storage.Batch, results []*storage.CommitResult, errs []error) {
	if len(batches) == 1 {
		results[0], errs[0] = s.Commit(ctx, batches[0])
		return
	}
	err := s.allAtOnce(ctx, batches, results)
	switch {
	case err == nil:
		s.notifier.tell(batches[0].Tenant)
	case errors.Is(err, errNotAtOnce):
		half := len(batches) / 2
		s.commitTogether(ctx, batches[:half], results[:half], errs[:half])
		s.commitTogether(ctx, batches[half:], results[half:], errs[half:])
	default:
		for i := range batches {
			results[i], errs[i] = nil, outward(ctx, err)
		}
	}
}

// allAtOnce commits batches in one transaction and one round trip.
func (s *Store) allAtOnce(ctx context.Context, batches []*storage.Batch, results []*storage.CommitResult) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	q := &queue{Batch: &pgx.Batch{}, names: s.names, tenant: batches[0].Tenant}
	if isBlindPut(batches[0]) {
		var puts []storage.Put
		for _, b := range batches {
			puts = append(puts, b.Puts...)
		}
		generation, err := s.indexes.agree(ctx, puts)
		switch {
		case again(err):
			return errNotAtOnce
		case err != nil:
			return err
		}
		versions := q.blindPuts(batches, generation)
		for i, b := range batches {
			results[i] = &storage.CommitResult{Puts: slices.Clone(versions[:len(b.Puts)])}
			versions = versions[len(b.Puts):]
		}
	} else {
		for i, b := range batches {
			results[i] = &storage.CommitResult{Links: make([]storage.LinkResult, 1)}
			q.editAlone(&b.Links[0], b.Time, &results[i].Links[0])
		}
	}
	return s.sendAtOnce(ctx, q)
}

// together returns how many of the first batches can be committed together: puts
// of different records and keys, whose order does not matter, or edits of owners
// in the order of locks.
func together(batches []*storage.Batch) int {
	first := batches[0]
	switch {
	case isBlindPut(first):
		return putsTogether(batches)
	case !isLoneEdit(first):
		return 1
	}
	size := 0
	for i, b := range batches {
		if b.Tenant != first.Tenant || !isLoneEdit(b) || i > 0 && b.Links[0].Owner.Compare(batches[i-1].Links[0].Owner) < 0 {
			return i
		}
		if size += len(b.Links[0].Add) + len(b.Links[0].Remove); size > maxTogether {
			return max(i, 1)
		}
	}
	return len(batches)
}

func putsTogether(batches []*storage.Batch) int {
	records, keys := map[storage.Ref]bool{}, map[uniqueName]bool{}
	for i, b := range batches {
		if b.Tenant != batches[0].Tenant || !isBlindPut(b) || i > 0 && len(records)+len(b.Puts) > maxTogether {
			return i
		}
		for _, p := range b.Puts {
			if records[p.Record.Ref] {
				return i
			}
			for _, u := range p.Record.Unique {
				if keys[uniqueName{p.Record.Type, u.Attr, u.Key}] {
					return max(i, 1)
				}
			}
		}
		for _, p := range b.Puts {
			records[p.Record.Ref] = true
			for _, u := range p.Record.Unique {
				keys[uniqueName{p.Record.Type, u.Attr, u.Key}] = true
			}
		}
	}
	return len(batches)
}
