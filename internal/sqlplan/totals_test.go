package sqlplan

import (
	"fmt"
	"testing"
)

func TestTotalsAreOfOneStatementAndState(t *testing.T) {
	t.Parallel()
	var totals Totals
	totals.Keep("SELECT $1, $2", []any{"acme", []byte("ab")}, 7, 42)
	for _, c := range []struct {
		sql   string
		args  []any
		state int64
		ok    bool
	}{
		{"SELECT $1, $2", []any{"acme", []byte("ab")}, 7, true},
		{"SELECT $1, $2", []any{"acme", []byte("ab")}, 8, false},
		{"SELECT $1, $2", []any{"acme", []byte("ab")}, 6, false},
		{"SELECT $1, $2", []any{"acm", []byte("eab")}, 7, false},
		{"SELECT $1, $2", []any{"other", []byte("ab")}, 7, false},
		{"SELECT $2, $1", []any{"acme", []byte("ab")}, 7, false},
		{"SELECT $1, $2", []any{"acme"}, 7, false},
	} {
		n, ok := totals.Get(c.sql, c.args, c.state)
		if ok != c.ok || ok && n != 42 {
			t.Errorf("%s of %v in state %d: %d, %v; want %v", c.sql, c.args, c.state, n, ok, c.ok)
		}
	}
}

func TestTotalsAreBounded(t *testing.T) {
	t.Parallel()
	var totals Totals
	for i := range 3*maxTotals + 1 {
		totals.Keep(fmt.Sprint(i), nil, 1, i)
		if len(totals.known) > maxTotals {
			t.Fatalf("%d are kept; want at most %d", len(totals.known), maxTotals)
		}
		if n, ok := totals.Get(fmt.Sprint(i), nil, 1); !ok || n != i {
			t.Fatalf("what was just kept is %d, %v; want %d", n, ok, i)
		}
	}
}
