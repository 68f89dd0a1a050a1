package storagetest

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/musterhq/muster/scim/filter"
	"github.com/musterhq/muster/scim/resource"
	"github.com/musterhq/muster/scim/schema"
	"github.com/musterhq/muster/storage"
)

// question is a query in words that a failure can show.
type question struct {
	typ        *schema.Type
	filter     string
	sort       string // attribute; "" sorts by id
	descending bool
	connection string
	hidden     bool
	onlyHidden bool
	offset     int
	limit      int // 0: far more than there are
	after      *storage.Position
	total      storage.Total
	maxScan    int
}

func (q question) String() string {
	s := "Query(" + q.typ.Name()
	if q.filter != "" {
		s += " filter " + q.filter
	}
	if q.sort != "" {
		s += " sort by " + q.sort
	}
	if q.descending {
		s += " descending"
	}
	if q.connection != "" {
		s += " connection " + q.connection
	}
	if q.hidden {
		s += " with hidden"
	}
	if q.onlyHidden {
		s += " only hidden"
	}
	if q.offset > 0 || q.limit > 0 {
		s += fmt.Sprintf(" offset %d limit %d", q.offset, q.limit)
	}
	if q.after != nil {
		s += fmt.Sprintf(" after %+v", *q.after)
	}
	if q.maxScan > 0 {
		s += fmt.Sprintf(" max scan %d", q.maxScan)
	}
	return s + fmt.Sprintf(" total %s)", [...]string{"never", "if cheap", "exact"}[q.total])
}

// GoString lets rapid show the question in words.
func (q question) GoString() string { return q.String() }

const everything = 1_000_000

func (d *directory) query(q question) *storage.Query {
	d.Helper()
	s := &storage.Query{
		Tenant: d.tenant, Connection: q.connection, Type: q.typ, Filter: d.plan(q.typ, q.filter), Hidden: q.hidden, OnlyHidden: q.onlyHidden,
		Sort: storage.Sort{Path: sortPath(q), Descending: q.descending}, After: q.after, Offset: q.offset, Limit: cmp.Or(q.limit, everything),
		Total: q.total, MaxScan: q.maxScan,
	}
	return s
}

func sortPath(q question) schema.Path {
	if q.sort == "" {
		return schema.Path{}
	}
	return q.typ.MustResolve(q.sort)
}

// ask puts a question that must be answered.
func (d *directory) ask(q question) *storage.Page {
	d.Helper()
	page, err := d.store.Query(d.ctx(), d.query(q))
	d.did("%s", q)
	if err != nil {
		d.broken("error %v; want an answer", err)
	}
	if limit := cmp.Or(q.limit, everything); len(page.Records) > limit {
		d.broken("%d records; want at most %d", len(page.Records), limit)
	}
	return page
}

// finds demands which records a question finds, in order.
func (d *directory) finds(q question, want ...string) {
	d.Helper()
	if got := ids(d.ask(q).Records); !slices.Equal(got, want) {
		d.broken("it finds %+q; want %+q", got, want)
	}
}

func ids(rs []*storage.Record) []string {
	var s []string
	for _, r := range rs {
		s = append(s, r.ID)
	}
	return s
}

// answer is a match with the key that it is sorted by.
type answer struct {
	id     string
	key    string
	absent bool
}

// matches answers a question from what was put, without offset, limit and
// after.
func (d *directory) matches(q question) []answer {
	d.Helper()
	plan, by := d.plan(q.typ, q.filter), sortPath(q)
	var found []answer
	for ref, rec := range d.records {
		if ref.Type != q.typ.Name() || !rec.Hidden && q.onlyHidden || rec.Hidden && !q.hidden && !q.onlyHidden || q.connection != "" && rec.Connection != q.connection {
			continue
		}
		r, err := resource.Stored(q.typ, resource.Meta{ID: rec.ID, Created: rec.Created, LastModified: rec.Modified}, rec.Doc)
		if err != nil {
			d.Fatalf("storagetest: %v", err)
		}
		if !plan.Match(r, d.linkTest(q.typ)) {
			continue
		}
		a := answer{id: rec.ID}
		if !by.IsZero() {
			a.key, a.absent = filter.SortKey(r, by)
		}
		found = append(found, a)
	}
	slices.SortFunc(found, func(a, b answer) int { // the order described at storage.Sort
		c := 0
		switch {
		case a.absent && !b.absent:
			c = 1
		case !a.absent && b.absent:
			c = -1
		case !a.absent:
			c = cmp.Compare(a.key, b.key)
		}
		return cmp.Or(c, cmp.Compare(a.id, b.id))
	})
	if q.descending {
		slices.Reverse(found)
	}
	return found
}

// agrees demands that the store answers a question as the filter package does.
func (d *directory) agrees(q question) {
	d.Helper()
	all := d.matches(q)
	page := d.ask(q)
	rest := all
	if q.after != nil {
		i := slices.IndexFunc(all, func(a answer) bool { return a.id == q.after.ID })
		rest = all[i+1:]
	}
	rest = rest[min(q.offset, len(rest)):]
	rest = rest[:min(cmp.Or(q.limit, everything), len(rest))]
	var want []string
	for _, a := range rest {
		want = append(want, a.id)
	}
	if got := ids(page.Records); !slices.Equal(got, want) {
		d.broken("it finds %q\n  want = %q%s", got, want, d.difference(got, want))
	}
	d.totals(page, q.total, len(all))
}

// difference shows the documents of the first records that were not to be found
// or were not found.
func (d *directory) difference(got, want []string) (s string) {
	show := func(what string, some, others []string) {
		for _, id := range some {
			if !slices.Contains(others, id) {
				for _, ref := range []storage.Ref{user(id), group(id)} {
					if r := d.records[ref]; r != nil {
						s += fmt.Sprintf("\n%s: %s %s", what, name(ref), r.Doc)
					}
				}
				return
			}
		}
	}
	show("found and no match", got, want)
	show("match and not found", want, got)
	return s
}

func (d *directory) totals(page *storage.Page, wish storage.Total, want int) {
	d.Helper()
	if page.Total != want && (wish == storage.TotalExact || page.Total != storage.UnknownTotal) {
		d.broken("the total is %d; want %d", page.Total, want)
	}
}

// position is the place behind a record, as the core makes it.
func (d *directory) position(q question, r *storage.Record) *storage.Position {
	d.Helper()
	p := &storage.Position{ID: r.ID}
	if by := sortPath(q); !by.IsZero() {
		res, err := r.Resource(q.typ)
		if err != nil {
			d.broken("the document of %s does not parse: %v", name(r.Ref), err)
		}
		p.Key, p.Absent = filter.SortKey(res, by)
	}
	return p
}
