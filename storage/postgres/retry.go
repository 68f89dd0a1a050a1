package postgres

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/musterhq/muster/storage"
)

const (
	// patience bounds how long something is done again where the context has no
	// deadline.
	patience = 30 * time.Second
	// maxPause is the longest pause in between.
	maxPause = 250 * time.Millisecond
)

// persist does something again, with pauses that grow and differ, as long as its
// error says that it may work the next time. Where the context ends, its error is
// what is returned.
func persist(ctx context.Context, mayWork func(error) bool, f func() error) error {
	begin := time.Now()
	for limit := time.Millisecond; ; limit = min(2*limit, maxPause) {
		err := f()
		switch {
		case err == nil || !mayWork(err):
			return err
		case time.Since(begin) > patience:
			return fmt.Errorf("%w: %w", storage.ErrUnavailable, err)
		}
		if err := pause(ctx, limit/2+rand.N(limit)); err != nil {
			return err
		}
	}
}
