package storage

import (
	"cmp"
	"fmt"
	"iter"
	"math"
	"slices"

	"github.com/musterhq/muster/scim/filter"
	"github.com/musterhq/muster/scim/resource"
)

// Evaluate answers q in process over candidates that contain at least every
// match, each once, in any order. This is how a small adapter is exact, and how
// an SQL adapter finishes what SQL could not narrow down.
//
// Candidates of other tenants or types must not be among them; hidden ones,
// other connections and non-matches may. links may be nil when the filter does
// not use links. Evaluate looks at all candidates and holds, besides the one it
// looks at, about twice q.Offset + q.Limit of them. It counts a total for
// [TotalExact], and for [TotalIfCheap] without q.After.
//
// With more than q.MaxScan candidates the result is [ErrTooMany]; an error among
// the candidates ends the evaluation and is returned. The context is the
// caller's to watch, inside candidates.
func Evaluate(q *Query, links filter.LinkTest, candidates iter.Seq2[*Record, error]) (*Page, error) {
	e, err := newEvaluation(q, links)
	if err != nil {
		return nil, err
	}
	counting := q.Total == TotalExact || q.Total == TotalIfCheap && q.After == nil
	best := selection{compare: e.compare, limit: q.Offset + q.Limit}
	switch {
	case q.Limit == 0:
		best.limit = 0
	case best.limit < 0: // more than there can be
		best.limit = math.MaxInt
	}
	for r, err := range candidates {
		if err := e.look(err); err != nil {
			return nil, err
		}
		if !q.Admits(r.Hidden, r.Connection) {
			continue
		}
		c := candidate{rec: r}
		if e.byID && !counting && !(e.behind(c) && best.wants(c)) {
			continue // whether it matches does not matter
		}
		if ok, err := e.match(&c); err != nil {
			return nil, err
		} else if !ok {
			continue
		}
		e.total++
		if e.behind(c) {
			best.add(c)
		}
	}
	page := &Page{Total: UnknownTotal}
	if counting {
		page.Total = e.total
	}
	for _, c := range best.from(q.Offset) {
		page.Records = append(page.Records, c.record())
	}
	return page, nil
}

// EvaluateOrdered is [Evaluate] for candidates that come in the order of
// q.Sort. It stops as soon as the page is full, unless q asks for an exact total,
// and holds no more than the page. Candidates may start behind q.After, but not
// when an exact total is asked for.
func EvaluateOrdered(q *Query, links filter.LinkTest, candidates iter.Seq2[*Record, error]) (*Page, error) {
	e, err := newEvaluation(q, links)
	if err != nil {
		return nil, err
	}
	page := &Page{Total: UnknownTotal}
	exact := q.Total == TotalExact
	full := func() bool { return len(page.Records) == q.Limit }
	skip := q.Offset
	if full() && q.Total == TotalNever {
		return page, nil
	}
	for r, err := range candidates {
		if err := e.look(err); err != nil {
			return nil, err
		}
		if !q.Admits(r.Hidden, r.Connection) {
			continue
		}
		c := candidate{rec: r}
		if e.byID && !exact && !e.behind(c) {
			continue
		}
		if ok, err := e.match(&c); err != nil {
			return nil, err
		} else if !ok {
			continue
		}
		e.total++
		switch {
		case full() || !e.behind(c):
		case skip > 0:
			skip--
		default:
			page.Records = append(page.Records, c.record())
		}
		if full() && !exact && q.Limit > 0 {
			return page, nil
		}
	}
	if exact || q.Total == TotalIfCheap && q.After == nil {
		page.Total = e.total
	}
	return page, nil
}

// evaluation is what both ways of answering a query share.
type evaluation struct {
	q           *Query
	links       filter.LinkTest
	byID        bool // no key to sort by
	looked      int
	total       int
	position    candidate // of q.After
	hasPosition bool
}

func newEvaluation(q *Query, links filter.LinkTest) (*evaluation, error) {
	if links == nil && q.Filter.UsesLinks() {
		return nil, fmt.Errorf("%w: the filter asks about links, and the store does not answer that here", ErrUnsupported)
	}
	e := &evaluation{q: q, links: links, byID: q.Sort.Path.IsZero() || q.Sort.Path == q.Type.Common().ID}
	if a := q.After; a != nil {
		e.hasPosition = true
		e.position.rec = &Record{Ref: Ref{ID: a.ID}}
		if !e.byID {
			e.position.key, e.position.absent = a.Key, a.Absent
		}
	}
	return e, nil
}

// candidate is a record with what was learned of it.
type candidate struct {
	rec    *Record
	res    *resource.Resource // nil while nothing asked for it
	key    string
	absent bool
}

// record returns the record, so that what was parsed need not be parsed again.
func (c candidate) record() *Record {
	if c.res == nil || c.rec.res != nil {
		return c.rec
	}
	r := *c.rec
	r.res = c.res
	return &r
}

// look counts a candidate.
func (e *evaluation) look(err error) error {
	if err != nil {
		return err
	}
	e.looked++
	if e.q.MaxScan > 0 && e.looked > e.q.MaxScan {
		return ErrTooMany
	}
	return nil
}

// match applies the filter and finds the sort key.
func (e *evaluation) match(c *candidate) (bool, error) {
	if e.q.Filter == nil && e.byID {
		return true, nil
	}
	var err error
	if c.res, err = c.rec.Resource(e.q.Type); err != nil {
		return false, err
	}
	if !e.q.Filter.Match(c.res, e.links) {
		return false, nil
	}
	if !e.byID {
		c.key, c.absent = filter.SortKey(c.res, e.q.Sort.Path)
	}
	return true, nil
}

// behind reports whether a candidate stands behind q.After.
func (e *evaluation) behind(c candidate) bool {
	return !e.hasPosition || e.compare(c, e.position) > 0
}

// compare is the order described at [Sort].
func (e *evaluation) compare(a, b candidate) int {
	var c int
	switch {
	case a.absent != b.absent && a.absent:
		c = 1
	case a.absent != b.absent:
		c = -1
	case !a.absent:
		c = cmp.Compare(a.key, b.key)
	}
	if c == 0 {
		c = cmp.Compare(a.rec.ID, b.rec.ID)
	}
	if e.q.Sort.Descending {
		return -c
	}
	return c
}

// selection keeps the first of many candidates. It collects up to twice as many
// as it is asked for before it sorts them and lets the rest go, which costs about
// what a heap does.
type selection struct {
	compare func(a, b candidate) int
	limit   int
	kept    []candidate
	cut     bool // kept[:limit] is sorted, and nothing behind its last one is wanted
}

func (s *selection) wants(c candidate) bool {
	return s.limit > 0 && (!s.cut || s.compare(c, s.kept[s.limit-1]) < 0)
}

func (s *selection) add(c candidate) {
	if !s.wants(c) {
		return
	}
	s.kept = append(s.kept, c)
	if len(s.kept)/2 >= s.limit {
		s.shrink()
		s.cut = true
	}
}

func (s *selection) shrink() {
	slices.SortFunc(s.kept, s.compare)
	if len(s.kept) > s.limit {
		clear(s.kept[s.limit:])
		s.kept = s.kept[:s.limit]
	}
}

// from returns what was kept, in order, without the first n.
func (s *selection) from(n int) []candidate {
	s.shrink()
	return s.kept[min(n, len(s.kept)):]
}
