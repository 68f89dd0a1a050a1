package storage_test

import (
	"cmp"
	"errors"
	"fmt"
	"testing"

	"github.com/musterhq/muster/storage"
	"pgregory.net/rapid"
)

func TestRefsCompareByTypeThenID(t *testing.T) {
	t.Parallel()
	part := rapid.StringOfN(rapid.SampledFrom([]rune("ab\x01é")), 0, 3, -1)
	rapid.Check(t, func(t *rapid.T) {
		a := storage.Ref{Type: part.Draw(t, "type"), ID: part.Draw(t, "id")}
		b := storage.Ref{Type: part.Draw(t, "type"), ID: part.Draw(t, "id")}
		if got, want := a.Compare(b), cmp.Or(cmp.Compare(a.Type, b.Type), cmp.Compare(a.ID, b.ID)); got != want {
			t.Fatalf("%+q compared with %+q is %d; want %d", a, b, got, want)
		}
	})
}

func TestCommitErrorNamesTheRuleAndTheRecord(t *testing.T) {
	t.Parallel()
	err := fmt.Errorf("wrapped: %w", &storage.CommitError{
		Err: storage.ErrNotUnique, Ref: storage.Ref{Type: "User", ID: "42"}, Attr: "userName",
		Holder: &storage.Record{Ref: storage.Ref{Type: "User", ID: "7"}, Label: "Babs"},
	})
	if want := "wrapped: storage: not unique: User/42 userName"; err.Error() != want {
		t.Errorf("error is %q; want %q", err, want)
	}
	if !errors.Is(err, storage.ErrNotUnique) || errors.Is(err, storage.ErrConflict) {
		t.Error("errors.Is does not see what the error is")
	}
}

type plain struct{ storage.Store }
type wrapper struct{ storage.Store }
type locking struct {
	storage.Store
	storage.Locker
}

func (w wrapper) Unwrap() storage.Store { return w.Store }

func TestAbilitiesAreFoundBehindWrappers(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		store storage.Store
		found bool
	}{
		"no store":             {nil, false},
		"without":              {plain{}, false},
		"with":                 {locking{}, true},
		"wrapped":              {wrapper{wrapper{locking{}}}, true},
		"wrapper of nothing":   {wrapper{}, false},
		"hidden by no wrapper": {plain{locking{}}, false},
	} {
		if _, found := storage.As[storage.Locker](c.store); found != c.found {
			t.Errorf("%s: found %v; want %v", name, found, c.found)
		}
	}
}
