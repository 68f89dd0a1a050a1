package memory

import (
	"crypto/sha256"
	"sync"

	"github.com/musterhq/muster/storage"
)

// counts are totals that were found out by looking at every record. Clients read a
// list page by page and want its total with each; between writes it is counted
// once. A published state never changes, so neither do its totals, and they are
// forgotten with it.
type counts struct {
	mu    sync.Mutex
	known map[question]int
}

// question is what was counted.
type question struct {
	typ, connection    string
	hidden, onlyHidden bool
	asked              [sha256.Size]byte // by the filter
}

// maxCounts bounds the totals of one state.
const maxCounts = 64

func (c *counts) get(q question) (total int, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	total, ok = c.known[q]
	return total, ok
}

func (c *counts) put(q question, total int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.known == nil || len(c.known) == maxCounts {
		c.known = map[question]int{}
	}
	c.known[q] = total
}

// remembering answers the query by reading, without counting what was counted
// before.
func (r *queryReader) remembering(read func() (*storage.Page, error)) (*storage.Page, error) {
	if r.Total == storage.TotalNever {
		return read()
	}
	q := question{r.table.name, r.Connection, r.Hidden, r.OnlyHidden, r.Filter.Fingerprint()}
	total, known := r.counts.get(q)
	if known {
		r.Total = storage.TotalNever
		if r.Limit == 0 {
			return &storage.Page{Total: total}, nil
		}
	}
	page, err := read()
	switch {
	case err != nil:
		return nil, err
	case known:
		page.Total = total
	case page.Total != storage.UnknownTotal:
		r.counts.put(q, page.Total)
	}
	return page, nil
}
