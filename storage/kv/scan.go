package kv

import (
	"bytes"
	"context"
	"iter"
)

type pair struct{ key, value []byte }

// scan is [Tx.Scan] as a sequence, which ends with the context. A pair is valid
// until the next one.
func scan(ctx context.Context, tx Tx, prefix, after []byte) iter.Seq2[pair, error] {
	return func(yield func(pair, error) bool) {
		stopped := false
		err := tx.Scan(prefix, after, func(k, v []byte) bool {
			if ctx.Err() != nil {
				return false
			}
			stopped = !yield(pair{k, v}, nil)
			return !stopped
		})
		if err == nil {
			err = ctx.Err()
		}
		if err != nil && !stopped {
			yield(pair{}, err)
		}
	}
}

// chunk is how many keys are held in memory where keys are read in order to
// change them.
const chunk = 1000

// keysOf yields the keys below a prefix. Unlike with scan, the transaction may
// be written to between them.
func keysOf(ctx context.Context, tx Tx, prefix []byte) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		var after []byte
		for {
			var keys [][]byte
			for p, err := range scan(ctx, tx, prefix, after) {
				if err != nil {
					yield(nil, err)
					return
				}
				if keys = append(keys, bytes.Clone(p.key)); len(keys) == chunk {
					break
				}
			}
			for _, k := range keys {
				if !yield(k, nil) {
					return
				}
			}
			if len(keys) < chunk {
				return
			}
			after = keys[chunk-1]
		}
	}
}
