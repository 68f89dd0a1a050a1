package sqlite

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/musterhq/muster/scim/filter"
	"github.com/musterhq/muster/scim/schema"
	"github.com/musterhq/muster/storage"
)

// Names that are longer than a key, alike in all that is kept of them, and
// shorter ones that are their beginning.
func longNames() (names []string) {
	for _, n := range []int{1019, 1020, 1021, 1022, 1023, 1024, 1025, 1200} {
		for _, tail := range []string{"", "a", "b", "é", "😀", "aaab", "aab"} {
			names = append(names, strings.Repeat("a", n)+tail)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

func TestKeysThatAreCutOffAreFoundAndSortedExactly(t *testing.T) {
	t.Parallel()
	s := openNew(t)
	u := schema.User()
	u.Indexed = []string{"name.familyName"}
	for i := range u.Schema.Attributes { // ids tell the records apart
		if u.Schema.Attributes[i].Name == "userName" {
			u.Schema.Attributes[i].Uniqueness = schema.UniqueNone
		}
	}
	typ := schema.MustCompile(u)
	names := longNames()
	var rs []*storage.Record
	for i, name := range names {
		body := fmt.Sprintf(`{"userName":%q,"displayName":%q,"name":{"familyName":%q}}`, fmt.Sprint("n", i), name, name)
		rs = append(rs, record(t, typ, fmt.Sprintf("u%03d", (i*7)%len(names)), body))
	}
	commitTo(t, s, put(rs...))
	want := func(p *filter.Plan) (ids []string) {
		for _, r := range rs {
			res, err := r.Resource(typ)
			if err != nil {
				t.Fatal(err)
			}
			if p.Match(res, nil) {
				ids = append(ids, r.ID)
			}
		}
		return ids
	}
	for _, attr := range []string{"displayName", "name.familyName"} {
		for _, op := range []string{"eq", "ne", "sw", "co", "ew", "gt", "ge", "lt", "le"} {
			for i := 0; i < len(names); i += 5 {
				for _, form := range []string{"%s", "not (%s)"} {
					text := fmt.Sprintf(form, fmt.Sprintf("%s %s %q", attr, op, names[i]))
					found := idsOf(ask(t, s, typ, text).Records)
					expected := want(planOf(t, typ, text))
					slices.Sort(expected)
					if !slices.Equal(found, expected) {
						t.Errorf("%s %s a name of %d bytes, in %q: %d records; want %d", attr, op, len(names[i]), form, len(found), len(expected))
					}
				}
			}
		}
	}

	slices.SortFunc(rs, func(a, b *storage.Record) int {
		return cmp.Or(cmp.Compare(key(t, typ, a), key(t, typ, b)), cmp.Compare(a.ID, b.ID))
	})
	for _, descending := range []bool{false, true} {
		order := idsOf(rs)
		if descending {
			slices.Reverse(order)
		}
		var after *storage.Position
		for got := []string{}; len(got) < len(order); {
			page := ask(t, s, typ, "", func(q *storage.Query) {
				q.Sort = storage.Sort{Path: typ.MustResolve("displayName"), Descending: descending}
				q.Limit, q.After, q.Total = 4, after, storage.TotalNever
			})
			got = append(got, idsOf(page.Records)...)
			if !slices.Equal(got, order[:min(len(got), len(order))]) || len(page.Records) == 0 {
				t.Fatalf("the order is %v…, descending %v; want %v", got, descending, order[:len(got)])
			}
			last := page.Records[len(page.Records)-1]
			after = &storage.Position{Key: key(t, typ, last), ID: last.ID}
		}
	}
}

func key(t *testing.T, typ *schema.Type, r *storage.Record) string {
	res, err := r.Resource(typ)
	if err != nil {
		t.Fatal(err)
	}
	k, _ := filter.SortKey(res, typ.MustResolve("displayName"))
	return k
}

func idsOf(rs []*storage.Record) (ids []string) {
	for _, r := range rs {
		ids = append(ids, r.ID)
	}
	return ids
}
