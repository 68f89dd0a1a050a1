package sqlite

import (
	"fmt"
	"strings"
	"sync"
)

// totals keeps what queries with filters have counted, as long as nothing is
// written: clients that page through a list ask for its total with each page.
type totals struct {
	mu    sync.Mutex
	known map[string]total
}

type total struct{ at, n int64 }

// maxTotals bounds the totals that are kept.
const maxTotals = 1000

// get returns a total as of the state that c reads, from what is kept or from
// count. Every effective write of a tenant moves the number of its last change.
func (t *totals) get(c *conn, tenant, sql string, args []any, count func() (int, error)) (int, error) {
	row, err := c.first("SELECT last FROM muster_logs WHERE tenant = ?", tenant)
	if err != nil {
		return 0, err
	}
	at := int64(0)
	if row != nil {
		at = integer(row[0])
	}
	key := totalKey(sql, args)
	t.mu.Lock()
	kept, ok := t.known[key]
	t.mu.Unlock()
	if ok && kept.at == at {
		return int(kept.n), nil
	}
	n, err := count()
	if err != nil {
		return 0, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.known == nil || len(t.known) >= maxTotals {
		t.known = map[string]total{}
	}
	t.known[key] = total{at, int64(n)}
	return n, nil
}

// totalKey is a text that no other statement with other arguments has.
func totalKey(sql string, args []any) string {
	var b strings.Builder
	b.WriteString(sql)
	for _, a := range args {
		fmt.Fprintf(&b, "\x00%v", a)
	}
	return b.String()
}
