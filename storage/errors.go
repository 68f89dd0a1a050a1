package storage

import (
	"errors"
	"strings"
)

// What a store can say. Adapters wrap these with fmt.Errorf and %w, or in a
// [*CommitError].
var (
	// ErrNotFound: the record does not exist, or may not be known to.
	ErrNotFound = errors.New("storage: not found")
	// ErrConflict: a precondition does not hold. Reading again and deciding anew
	// may help.
	ErrConflict = errors.New("storage: version conflict")
	// ErrNotUnique: another record holds the key.
	ErrNotUnique = errors.New("storage: not unique")
	// ErrMissingTarget: a link's target does not exist.
	ErrMissingTarget = errors.New("storage: link target missing")
	// ErrUnsupported: the store cannot answer this query.
	ErrUnsupported = errors.New("storage: unsupported")
	// ErrTooMany: answering would look at more records than allowed.
	ErrTooMany = errors.New("storage: too many records to look at")
	// ErrUnavailable: the store cannot be reached or is overloaded.
	ErrUnavailable = errors.New("storage: unavailable")
)

// CommitError says which part of a batch failed.
type CommitError struct {
	// Err is one of ErrNotFound, ErrConflict, ErrNotUnique and ErrMissingTarget.
	Err error
	// Ref is the record concerned: the one put or deleted, the owner of a link edit,
	// or for ErrMissingTarget the missing target. When a batch puts two records
	// with the same unique key, it is either of them.
	Ref Ref
	// Attr is the attribute, for ErrNotUnique.
	Attr string
	// Holder is the record that holds the key, for ErrNotUnique, as it is before the
	// batch; its Hidden tells whether clients know of it. It is nil when the holder
	// is put by the same batch.
	Holder *Record
}

// Error names the rule and the record, never a value.
func (e *CommitError) Error() string {
	var b strings.Builder
	b.WriteString(e.Err.Error())
	b.WriteString(": ")
	b.WriteString(e.Ref.Type)
	b.WriteString("/")
	b.WriteString(e.Ref.ID)
	if e.Attr != "" {
		b.WriteString(" ")
		b.WriteString(e.Attr)
	}
	return b.String()
}

// Unwrap returns Err.
func (e *CommitError) Unwrap() error { return e.Err }
