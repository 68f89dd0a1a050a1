package sqlplan

import (
	"fmt"
	"strings"
	"sync"
)

// Totals keeps what was counted, as long as nothing is written: clients that page
// through a list ask for its total with each page. The zero value is ready. It is
// safe for concurrent use.
type Totals struct {
	mu    sync.Mutex
	known map[string]total
}

// total is what a statement counted in a state of its tenant.
type total struct {
	state int64
	n     int
}

// maxTotals bounds the totals that are kept.
const maxTotals = 1000

// Get returns what a statement counted, if it did in this state. A number names the
// state of a tenant; every effective write moves it.
func (t *Totals) Get(sql string, args []any, state int64) (n int, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	known, ok := t.known[totalKey(sql, args)]
	return known.n, ok && known.state == state
}

// Keep keeps what a statement counted in a state.
func (t *Totals) Keep(sql string, args []any, state int64, n int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.known == nil || len(t.known) >= maxTotals {
		t.known = map[string]total{}
	}
	t.known[totalKey(sql, args)] = total{state, n}
}

// totalKey is a text that no other statement with other arguments has. No text has
// a zero in it.
func totalKey(sql string, args []any) string {
	var b strings.Builder
	b.WriteString(sql)
	for _, a := range args {
		fmt.Fprintf(&b, "\x00%v", a)
	}
	return b.String()
}
