package kv

import "context"

// DB is an ordered key-value database. Its methods are called concurrently.
type DB interface {
	// View runs f on a state of the database that does not change while f runs.
	// It should not hold writers off. It returns f's error as it is. f may run
	// again.
	View(ctx context.Context, f func(Tx) error) error

	// Update runs f in a serialisable transaction: committed transactions have the
	// effect of some order one after the other, and each starts from a state that
	// holds all that were committed before Update was called. When f returns an
	// error nothing is kept and Update returns that error as it is. f may run
	// again, when a transaction failed because of another one; f starts afresh
	// each time. If the database gives up, the error wraps
	// storage.ErrUnavailable.
	Update(ctx context.Context, f func(Tx) error) error
}

// Tx are the primitives inside a transaction, used by one goroutine at a time
// and not after it. Keys order bytewise. Callers do not change what they pass
// or receive, and do not keep what they receive beyond the transaction, or
// beyond the call of visit.
type Tx interface {
	// Get returns the value of a key, and nil when there is none. Values that are
	// empty but present are not nil.
	Get(key []byte) ([]byte, error)
	Put(key, value []byte) error
	// Delete removes a key; it is no error when there is none.
	Delete(key []byte) error
	// Scan visits the pairs whose key starts with prefix and is greater than
	// after, in the order of keys, until visit returns false. An empty after means
	// from the first. visit may call Get and Scan, and does not write.
	Scan(prefix, after []byte, visit func(key, value []byte) bool) error
}
