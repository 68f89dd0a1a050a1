package postgres

import (
	"context"

	"github.com/musterhq/muster/storage"
)

// CommitEach implements [storage.BulkCommitter].
func (s *Store) CommitEach(ctx context.Context, batches []*storage.Batch) ([]*storage.CommitResult, []error) {
	results, errs := make([]*storage.CommitResult, len(batches)), make([]error, len(batches))
	for i, b := range batches {
		results[i], errs[i] = s.Commit(ctx, b)
	}
	return results, errs
}
