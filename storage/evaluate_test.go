package storage_test

import (
	"cmp"
	"errors"
	"fmt"
	"iter"
	"runtime"
	"slices"
	"testing"

	"github.com/musterhq/muster/scim/filter"
	"github.com/musterhq/muster/scim/schema"
	"github.com/musterhq/muster/storage"
	"pgregory.net/rapid"
)

func compile(t testing.TB, typ *schema.Type, text string) *filter.Plan {
	t.Helper()
	e, err := filter.Parse(text, filter.ParseOptions{})
	if err != nil {
		t.Fatal(err)
	}
	p, err := filter.Compile(typ, e, filter.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// stream yields records and counts how many were taken.
func stream(rs []*storage.Record, taken *int) iter.Seq2[*storage.Record, error] {
	return func(yield func(*storage.Record, error) bool) {
		for _, r := range rs {
			*taken++
			if !yield(r, nil) {
				return
			}
		}
	}
}

// key is a sort key in an order of its own: by it, absent ones last, then by
// id.
type key struct {
	text   string
	absent bool
	id     string
}

func (k key) compare(o key) int {
	switch {
	case k.absent && !o.absent:
		return 1
	case !k.absent && o.absent:
		return -1
	case !k.absent && k.text != o.text:
		return cmp.Compare(k.text, o.text)
	}
	return cmp.Compare(k.id, o.id)
}

// Every query over a small set agrees with filtering, sorting and cutting by
// hand, for candidates in any order and for ordered ones.
func TestEvaluateAgreesWithSortingByHand(t *testing.T) {
	t.Parallel()
	user, _ := types(t)
	title := user.MustResolve("title")
	filters := map[string]*filter.Plan{"": nil, "active": compile(t, user, `active eq true`)}
	rapid.Check(t, func(t *rapid.T) {
		var rs []*storage.Record
		keys := map[string]key{}
		active := map[string]bool{}
		for i := range rapid.IntRange(0, 40).Draw(t, "records") {
			id, k := fmt.Sprintf("u%02d", i), key{id: fmt.Sprintf("u%02d", i)}
			body := `{"userName":"` + id + `"`
			if k.text = rapid.SampledFrom([]string{"", "a", "b", "c"}).Draw(t, "title"); k.text == "" {
				k.absent = true
			} else {
				body += `,"title":"` + k.text + `"`
			}
			if active[id] = rapid.Bool().Draw(t, "active"); active[id] {
				body += `,"active":true`
			}
			rec := &storage.Record{Ref: storage.Ref{Type: "User", ID: id}, Doc: []byte(body + "}")}
			rec.Hidden = rapid.IntRange(0, 5).Draw(t, "hidden") == 0
			rec.Connection = rapid.SampledFrom([]string{"", "okta"}).Draw(t, "connection")
			keys[id] = k
			rs = append(rs, rec)
		}
		q := &storage.Query{
			Type: user, Hidden: rapid.Bool().Draw(t, "with hidden"), Connection: rapid.SampledFrom([]string{"", "okta"}).Draw(t, "of"),
			Offset: rapid.IntRange(0, 12).Draw(t, "offset"), Limit: rapid.SampledFrom([]int{0, 1, 3, 10, 1 << 62}).Draw(t, "limit"),
			Total: storage.Total(rapid.IntRange(0, 2).Draw(t, "total")),
		}
		name := rapid.SampledFrom([]string{"", "active"}).Draw(t, "filter")
		q.Filter = filters[name]
		q.Sort.Descending = rapid.Bool().Draw(t, "descending")
		switch rapid.IntRange(0, 2).Draw(t, "sort") {
		case 0:
			q.Sort.Path = title
		case 1:
			q.Sort.Path = user.Common().ID
		}
		compare := func(a, b string) int {
			ka, kb := keys[a], keys[b]
			if q.Sort.Path != title {
				ka, kb = key{id: a}, key{id: b}
			}
			if q.Sort.Descending {
				return kb.compare(ka)
			}
			return ka.compare(kb)
		}
		var all []string
		for _, r := range rs {
			if (q.Hidden || !r.Hidden) && (q.Connection == "" || q.Connection == r.Connection) && (name == "" || active[r.ID]) {
				all = append(all, r.ID)
			}
		}
		slices.SortFunc(all, compare)
		rest := all
		if len(rs) > 0 && rapid.Bool().Draw(t, "after") {
			q.Offset = 0
			id := rapid.SampledFrom(rs).Draw(t, "position").ID
			q.After = &storage.Position{ID: id}
			switch q.Sort.Path {
			case title:
				q.After.Key, q.After.Absent = keys[id].text, keys[id].absent
			case user.Common().ID:
				q.After.Key = id
			}
			rest = slices.DeleteFunc(slices.Clone(all), func(o string) bool { return compare(o, id) <= 0 })
		}
		rest = rest[min(q.Offset, len(rest)):]
		rest = rest[:min(q.Limit, len(rest))]

		check := func(how string, page *storage.Page, err error, total bool) {
			if err != nil {
				t.Fatalf("%s: %v", how, err)
			}
			var got []string
			for _, r := range page.Records {
				got = append(got, r.ID)
			}
			if !slices.Equal(got, rest) {
				t.Fatalf("%s gives %v; want %v", how, got, rest)
			}
			if page.Total != len(all) && (total || page.Total != storage.UnknownTotal) {
				t.Fatalf("%s gives a total of %d; want %d", how, page.Total, len(all))
			}
		}
		taken := 0
		shuffled := rapid.Permutation(rs).Draw(t, "order")
		page, err := storage.Evaluate(q, nil, stream(shuffled, &taken))
		check("Evaluate", page, err, q.Total == storage.TotalExact || q.Total == storage.TotalIfCheap && q.After == nil)
		slices.SortFunc(rs, func(a, b *storage.Record) int { return compare(a.ID, b.ID) })
		page, err = storage.EvaluateOrdered(q, nil, stream(rs, &taken))
		check("EvaluateOrdered", page, err, q.Total == storage.TotalExact)
	})
}

func people(t testing.TB, typ *schema.Type, n int) []*storage.Record {
	var rs []*storage.Record
	for i := range n {
		rs = append(rs, storage.NewRecord(decode(t, typ, fmt.Sprintf("u%06d", i), fmt.Sprintf(`{"userName":"n%d","title":"t%d"}`, i, (i*7919)%n)), ""))
	}
	return rs
}

func TestEvaluateOrderedStopsWhenThePageIsFull(t *testing.T) {
	t.Parallel()
	user, _ := types(t)
	rs := people(t, user, 100)
	for _, c := range []struct {
		q     storage.Query
		taken int
	}{
		{storage.Query{Limit: 5}, 5},
		{storage.Query{Limit: 5, Offset: 3}, 8},
		{storage.Query{Limit: 5, Total: storage.TotalIfCheap}, 5},
		{storage.Query{Limit: 5, After: &storage.Position{ID: "u000019"}}, 25},
		{storage.Query{Limit: 5, MaxScan: 5}, 5},
		{storage.Query{Limit: 0}, 0},
		{storage.Query{Limit: 5, Total: storage.TotalExact}, 100},
		{storage.Query{Limit: 200}, 100},
	} {
		taken := 0
		c.q.Type = user
		page, err := storage.EvaluateOrdered(&c.q, nil, stream(rs, &taken))
		if err != nil || taken != c.taken || len(page.Records) != min(c.q.Limit, 100) {
			t.Errorf("%+v: %d records, %v, %d candidates taken; want %d taken", c.q, len(page.Records), err, taken, c.taken)
		}
	}
}

func TestEvaluateErrors(t *testing.T) {
	t.Parallel()
	user, _ := types(t)
	rs, taken := people(t, user, 10), 0
	broken := errors.New("broken")
	failing := func(yield func(*storage.Record, error) bool) { _ = yield(rs[0], nil) && yield(nil, broken) }
	bad := []*storage.Record{{Ref: storage.Ref{Type: "User", ID: "x"}, Doc: []byte(`{`)}}
	for name, evaluate := range map[string]func(*storage.Query, filter.LinkTest, iter.Seq2[*storage.Record, error]) (*storage.Page, error){
		"Evaluate": storage.Evaluate, "EvaluateOrdered": storage.EvaluateOrdered,
	} {
		if _, err := evaluate(&storage.Query{Type: user, Limit: 10, MaxScan: 9}, nil, stream(rs, &taken)); !errors.Is(err, storage.ErrTooMany) {
			t.Errorf("%s of 10 candidates with MaxScan 9: %v; want ErrTooMany", name, err)
		}
		if page, err := evaluate(&storage.Query{Type: user, Limit: 100, MaxScan: 10}, nil, stream(rs, &taken)); err != nil || len(page.Records) != 10 {
			t.Errorf("%s of 10 candidates with MaxScan 10: %v; want all", name, err)
		}
		if _, err := evaluate(&storage.Query{Type: user, Limit: 10}, nil, failing); !errors.Is(err, broken) {
			t.Errorf("%s of candidates that end with an error: %v; want that error", name, err)
		}
		if _, err := evaluate(&storage.Query{Type: user, Limit: 10, Filter: compile(t, user, `groups pr`)}, nil, stream(rs, &taken)); !errors.Is(err, storage.ErrUnsupported) {
			t.Errorf("%s of a filter about links without a test of them: %v; want ErrUnsupported", name, err)
		}
		if _, err := evaluate(&storage.Query{Type: user, Limit: 10, Filter: compile(t, user, `title pr`)}, nil, stream(bad, &taken)); err == nil {
			t.Errorf("%s over a document that is no JSON finds no error", name)
		}
	}
}

func TestEvaluateParsesARecordOnce(t *testing.T) {
	t.Parallel()
	user, _ := types(t)
	loaded, taken := []*storage.Record{{Ref: storage.Ref{Type: "User", ID: "1"}, Doc: []byte(`{"title":"x"}`)}}, 0
	page, err := storage.Evaluate(&storage.Query{Type: user, Limit: 10, Filter: compile(t, user, `title pr`)}, nil, stream(loaded, &taken))
	if err != nil {
		t.Fatal(err)
	}
	a, _ := page.Records[0].Resource(user)
	if b, _ := page.Records[0].Resource(user); a != b {
		t.Error("a record that a query returned is parsed again")
	}
	if a, _ := loaded[0].Resource(user); a == nil {
		t.Error("the candidate was changed")
	}
}

func TestEvaluateAllocatesNothingForWhatDoesNotMatch(t *testing.T) { // not parallel: it counts allocations
	user, _ := types(t)
	plan := compile(t, user, `title eq "none" or emails[type eq "work"]`)
	allocs := func(n int) float64 {
		rs, taken := people(t, user, n), 0
		return testing.AllocsPerRun(5, func() {
			if _, err := storage.Evaluate(&storage.Query{Type: user, Limit: 10, Filter: plan}, nil, stream(rs, &taken)); err != nil {
				t.Error(err)
			}
		})
	}
	if few, many := allocs(10), allocs(2000); many > few {
		t.Errorf("%v allocations for 10 records, %v for 2000", few, many)
	}
}

// The memory in use is that of the page, however many candidates there are.
func TestEvaluateHoldsLittleMoreThanThePage(t *testing.T) {
	t.Parallel()
	user, _ := types(t)
	const n, size = 400, 100_000
	alive := 0
	candidates := func(yield func(*storage.Record, error) bool) {
		for i := range n {
			doc := make([]byte, 0, size)
			doc = fmt.Appendf(doc, `{"title":"t%03d"}`, (i*211)%n)
			if !yield(&storage.Record{Ref: storage.Ref{Type: "User", ID: fmt.Sprint(i)}, Doc: doc}, nil) {
				return
			}
			if i == n-1 {
				var m runtime.MemStats
				runtime.GC()
				runtime.ReadMemStats(&m)
				alive = int(m.HeapAlloc)
			}
		}
	}
	page, err := storage.Evaluate(&storage.Query{Type: user, Limit: 5, Sort: storage.Sort{Path: user.MustResolve("title")}}, nil, candidates)
	if err != nil || len(page.Records) != 5 || string(page.Records[0].Doc) != `{"title":"t000"}` {
		t.Fatalf("page %v, %v", page, err)
	}
	if alive > n*size/2 {
		t.Errorf("%d bytes are in use while %d are on a page of 5", alive, 5*size)
	}
}
