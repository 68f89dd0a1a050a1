package turns

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/musterhq/muster/storage"
)

var a, b = storage.Ref{Type: "User", ID: "a"}, storage.Ref{Type: "User", ID: "b"}

func TestOneRecordIsForOneAtATimeInTheOrderOfComing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var turns Turns
		var order []int // written by whose turn it is
		var wg sync.WaitGroup
		for i := range 10 {
			wg.Go(func() {
				_ = turns.Take(t.Context(), "acme", a, func() error {
					order = append(order, i)
					time.Sleep(time.Second)
					order = append(order, i)
					return nil
				})
			})
			synctest.Wait()
		}
		wg.Wait()
		for n, i := range order {
			if i != n/2 {
				t.Fatalf("%v; want 0 to 9, each twice in a row", order)
			}
		}
		if len(turns.queues) != 0 {
			t.Errorf("%d queues are left", len(turns.queues))
		}
	})
}

func TestRecordsDoNotWaitForEachOther(t *testing.T) {
	t.Parallel()
	var turns Turns
	err := turns.Take(t.Context(), "acme", a, func() error {
		return turns.Take(t.Context(), "acme", b, func() error {
			return turns.Take(t.Context(), "other", a, func() error { return nil })
		})
	})
	if err != nil {
		t.Error(err)
	}
}

func TestErrorsAndPanicsEndTheTurn(t *testing.T) {
	t.Parallel()
	var turns Turns
	want := errors.New("of f")
	if err := turns.Take(t.Context(), "acme", a, func() error { return want }); err != want {
		t.Errorf("%v; want the error of f", err)
	}
	func() {
		defer func() { _ = recover() }()
		_ = turns.Take(t.Context(), "acme", a, func() error { panic("of f") })
	}()
	if err := turns.Take(t.Context(), "acme", a, func() error { return nil }); err != nil {
		t.Error(err)
	}
}

func TestWaitingEndsWithTheContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var turns Turns
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		err := turns.Take(t.Context(), "acme", a, func() error {
			return turns.Take(ctx, "acme", a, func() error { t.Error("two at a time"); return nil })
		})
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v; want that the deadline passed", err)
		}
		if err := turns.Take(ctx, "acme", a, func() error { t.Error("too late"); return nil }); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("with a context that is done: %v", err)
		}
		if len(turns.queues) != 0 {
			t.Errorf("%d queues are left", len(turns.queues))
		}
	})
}
