package memory_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/musterhq/muster/scim/filter"
	"github.com/musterhq/muster/scim/resource"
	"github.com/musterhq/muster/scim/schema"
	"github.com/musterhq/muster/storage"
	"github.com/musterhq/muster/storage/memory"
)

// model is what a tenant holds, kept as plainly as possible.
type model struct {
	t       *rapid.T
	store   *memory.Store
	refs    map[storage.Ref]bool
	members map[[2]storage.Ref]bool // group, member
	now     time.Time
}

// Values collide often, differ in case, have long common beginnings, and some
// are longer than an index key.
var (
	words  = []string{"ada", "ADA", "adam", "bo", "Bo Li", "çelik", "zoe", strings.Repeat("m", storage.MaxKeyLength-1) + "éa", strings.Repeat("m", storage.MaxKeyLength-1) + "éb", strings.Repeat("m", storage.MaxKeyLength), strings.Repeat("m", storage.MaxKeyLength+1), strings.Repeat("m", storage.MaxKeyLength-2) + "é", strings.Repeat("m", storage.MaxKeyLength-2) + "ﬀ日本"}
	ids    = []string{"1", "10", "11", "2", "user-long-1", "user-long-10", "user-long-2"}
	owners = []string{"entra", "okta"}
)

func pick[T any](t *rapid.T, from []T, label string) T {
	return from[rapid.IntRange(0, len(from)-1).Draw(t, label)]
}

func (m *model) userRecord() *storage.Record {
	t := m.t
	b := resource.New(userType).Set("userName", pick(t, words, "userName"))
	for _, name := range []string{"displayName", "title", "externalId"} {
		if rapid.Bool().Draw(t, "has "+name) {
			b.Set(name, pick(t, words, name))
		}
	}
	if rapid.Bool().Draw(t, "has active") {
		b.Set("active", rapid.Bool().Draw(t, "active"))
	}
	var emails []map[string]any
	for range rapid.IntRange(0, 3).Draw(t, "emails") {
		emails = append(emails, map[string]any{"value": pick(t, words, "email"), "type": pick(t, []string{"work", "home"}, "type")})
	}
	if emails != nil {
		b.Set("emails", emails)
	}
	return m.record(b, storage.Ref{Type: "User", ID: pick(t, ids, "user")})
}

func (m *model) record(b *resource.Builder, ref storage.Ref) *storage.Record {
	r, err := b.Build()
	if err != nil {
		m.t.Fatal(err)
	}
	rec := storage.NewRecord(r.WithMeta(resource.Meta{ID: ref.ID, Created: m.now}), pick(m.t, owners, "connection"))
	rec.Hidden = rapid.IntRange(0, 5).Draw(m.t, "hidden") == 0
	return rec
}

// commit makes a batch and takes over what it did.
func (m *model) commit(b *storage.Batch) {
	m.now = m.now.Add(time.Duration(rapid.IntRange(0, 2).Draw(m.t, "later")) * time.Second)
	b.Tenant, b.Time = tenant, m.now
	if _, err := m.store.Commit(context.Background(), b); errors.Is(err, storage.ErrNotUnique) {
		return
	} else if err != nil {
		m.t.Fatal(err)
	}
	gone := map[storage.Ref]bool{}
	for _, p := range b.Puts {
		m.refs[p.Record.Ref] = true
		gone[p.Record.Ref] = p.Record.Hidden
	}
	for _, d := range b.Deletes {
		delete(m.refs, d.Ref)
		gone[d.Ref] = true
	}
	maps.DeleteFunc(m.members, func(l [2]storage.Ref, _ bool) bool { return gone[l[0]] || gone[l[1]] })
	for _, e := range b.Links {
		if e.Reset {
			maps.DeleteFunc(m.members, func(l [2]storage.Ref, _ bool) bool { return l[0] == e.Owner })
		}
		for _, to := range e.Remove {
			delete(m.members, [2]storage.Ref{e.Owner, to})
		}
		for _, to := range e.Add {
			m.members[[2]storage.Ref{e.Owner, to}] = true // edits of this test keep links to anything
		}
	}
}

func (m *model) step() {
	t := m.t
	switch rapid.IntRange(0, 7).Draw(t, "step") {
	case 0:
		if len(m.refs) > 0 {
			refs := slices.SortedFunc(maps.Keys(m.refs), storage.Ref.Compare)
			m.commit(&storage.Batch{Deletes: []storage.Delete{{Ref: pick(t, refs, "deleted")}}})
		}
	case 1, 2:
		b := resource.New(groupType).Set("displayName", pick(t, words[:7], "group name"))
		ref := storage.Ref{Type: "Group", ID: pick(t, ids, "group")}
		m.commit(&storage.Batch{Puts: []storage.Put{{Record: m.record(b, ref)}}})
	case 3, 4:
		owner, err := m.store.Get(context.Background(), tenant, storage.Ref{Type: "Group", ID: pick(t, ids, "owner")})
		if err != nil || owner.Hidden {
			return
		}
		e := storage.LinkEdit{Owner: owner.Ref, Relation: "members", Missing: storage.MissingKeep, Reset: rapid.Bool().Draw(t, "reset")}
		for _, i := range rapid.SliceOfNDistinct(rapid.IntRange(0, 2*len(ids)-1), 0, 8, rapid.ID).Draw(t, "members") {
			to := storage.Ref{Type: []string{"Group", "User"}[i%2], ID: ids[i/2]}
			if rapid.Bool().Draw(t, "add") {
				e.Add = append(e.Add, to)
			} else {
				e.Remove = append(e.Remove, to)
			}
		}
		m.commit(&storage.Batch{Links: []storage.LinkEdit{e}})
	default:
		m.commit(&storage.Batch{Puts: []storage.Put{{Record: m.userRecord()}}})
	}
}

// test is one term of a filter.
func (m *model) test(typ *schema.Type) string {
	t := m.t
	word, id := pick(t, words, "operand"), pick(t, ids, "operand id")
	op := pick(t, []string{"eq", "ne", "sw", "co", "gt", "ge", "lt", "le"}, "op")
	instant := m.now.Add(-time.Duration(rapid.IntRange(-1, 12).Draw(t, "ago")) * time.Second).Format(time.RFC3339)
	ordered := pick(t, []string{"eq", "ne", "gt", "ge", "lt", "le"}, "time op")
	common := []string{
		fmt.Sprintf("displayName %s %q", op, word),
		fmt.Sprintf("id eq %q", id),
		fmt.Sprintf("meta.created %s %q", ordered, instant),
		fmt.Sprintf("meta.lastModified %s %q", ordered, instant),
		"displayName pr",
	}
	if typ == groupType {
		return pick(t, append(common,
			fmt.Sprintf("members.value eq %q", id),
			fmt.Sprintf("members[value eq %q and type eq \"User\"]", id),
			"members pr",
			"members.type eq \"Group\"",
		), "test")
	}
	return pick(t, append(common,
		fmt.Sprintf("userName %s %q", op, word),
		fmt.Sprintf("externalId %s %q", op, word),
		fmt.Sprintf("title %s %q", op, word),
		fmt.Sprintf("emails.value %s %q", op, word),
		fmt.Sprintf("emails[type eq \"work\" and value %s %q]", op, word),
		"active eq true", "active eq false", "not (active pr)",
		fmt.Sprintf("groups.value eq %q", id),
		"groups pr",
	), "test")
}

func (m *model) filter(typ *schema.Type) *filter.Plan {
	t := m.t
	text := m.test(typ)
	switch rapid.IntRange(0, 7).Draw(t, "shape") {
	case 0:
		return nil
	case 1, 2:
		text += " and " + m.test(typ)
	case 3, 4:
		text += " or " + m.test(typ)
	case 5:
		text = "not (" + text + ")"
	}
	return plan(t, typ, text)
}

// links answers tests on relations from the model.
func (m *model) links(typ *schema.Type) filter.LinkTest {
	return func(id string, l filter.Linked) bool {
		self := storage.Ref{Type: typ.Name(), ID: id}
		for link := range m.members {
			mine, other := link[0], link[1]
			if l.Inverse {
				mine, other = other, mine
			}
			if mine == self && (l.ID == "" || l.ID == other.ID) && (l.Type == "" || l.Type == other.Type) {
				return true
			}
		}
		return false
	}
}

func (m *model) query() {
	t := m.t
	typ := pick(t, []*schema.Type{userType, groupType}, "type")
	q := &storage.Query{
		Tenant: tenant, Type: typ, Filter: m.filter(typ), Hidden: rapid.Bool().Draw(t, "and hidden"),
		Connection: pick(t, []string{"", "entra", "okta", "nobody"}, "of"),
		Limit:      rapid.IntRange(0, 6).Draw(t, "limit"),
		Total:      pick(t, []storage.Total{storage.TotalNever, storage.TotalIfCheap, storage.TotalExact}, "total"),
	}
	q.Sort.Descending = rapid.Bool().Draw(t, "descending")
	sorts := []string{"", "id", "displayName", "meta.created", "meta.lastModified", "externalId"}
	if typ == userType {
		sorts = append(sorts, "userName", "active", "emails.value", "title")
	}
	if by := pick(t, sorts, "sort"); by != "" {
		q.Sort.Path = typ.MustResolve(by)
	}

	var all []*storage.Record
	for ref := range m.refs {
		if ref.Type != typ.Name() {
			continue
		}
		r, err := m.store.Get(context.Background(), tenant, ref)
		if err != nil {
			t.Fatalf("Get %v: %v", ref, err)
		}
		all = append(all, r)
	}
	evaluate := func(q storage.Query) *storage.Page {
		p, err := storage.Evaluate(&q, m.links(typ), func(yield func(*storage.Record, error) bool) {
			for _, r := range all {
				if !yield(r, nil) {
					return
				}
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	switch rapid.IntRange(0, 2).Draw(t, "start") {
	case 1:
		q.Offset = rapid.IntRange(0, 5).Draw(t, "offset")
	case 2: // behind any record, whether it matches or not
		if len(all) > 0 {
			slices.SortFunc(all, func(a, b *storage.Record) int { return a.Compare(b.Ref) })
			r := pick(t, all, "after")
			q.After = &storage.Position{ID: r.ID}
			if !q.Sort.Path.IsZero() {
				res, err := r.Resource(typ)
				if err != nil {
					t.Fatal(err)
				}
				q.After.Key, q.After.Absent = filter.SortKey(res, q.Sort.Path)
			}
		}
	}

	exact := *q
	exact.Total = storage.TotalExact
	want := evaluate(exact)
	got, err := m.store.Query(context.Background(), q)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(refs(want), refs(got)); diff != "" {
		t.Fatalf("page of %+v with %v: wanted -, got +\n%s", q, q.Filter, diff)
	}
	switch unknown := got.Total == storage.UnknownTotal; {
	case q.Total == storage.TotalNever && !unknown, q.Total == storage.TotalExact && unknown, !unknown && got.Total != want.Total:
		t.Fatalf("total %d with the wish %d, there are %d", got.Total, q.Total, want.Total)
	}
}

func refs(p *storage.Page) (refs []storage.Ref) {
	for _, r := range p.Records {
		refs = append(refs, r.Ref)
	}
	return refs
}

func TestQueriesAgreeWithEvaluationOfAllRecords(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		m := &model{t: t, store: memory.New(), refs: map[storage.Ref]bool{}, members: map[[2]storage.Ref]bool{}, now: day}
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			m.step()
		}
		for range 20 {
			m.query()
		}
	})
}

func TestTotalsCountRecordsAndNoTargetsKeptElsewhere(t *testing.T) {
	t.Parallel()
	s := filled(t, 3)
	addGroup(t, s, 1, 5) // two of them are no records
	q := &storage.Query{Tenant: tenant, Type: userType, Filter: plan(t, userType, fmt.Sprintf("groups.value eq %q", group(1).ID)), Limit: 10, Total: storage.TotalExact}
	page, err := s.Query(t.Context(), q)
	if err != nil || page.Total != 3 || len(page.Records) != 3 {
		t.Errorf("%d records, total %d, %v; want 3 and 3", len(page.Records), page.Total, err)
	}
}

func TestQueriesLookAtNoMoreThanAllowed(t *testing.T) {
	t.Parallel()
	const n = 2000
	s := filled(t, n)
	addGroup(t, s, 1, 3)
	tests := []struct {
		name    string
		filter  string
		sort    string
		offset  int
		total   storage.Total
		maxScan int
		want    error
	}{
		{"a page of all", "", "", 0, storage.TotalExact, 10, nil},
		{"a late page of all", "", "", 1500, storage.TotalExact, 10, nil},
		{"a page by an indexed attribute", "", "userName", 1500, storage.TotalExact, 10, nil},
		{"a page by time", "", "meta.created", 1500, storage.TotalExact, 10, nil},
		{"a page by an attribute without index", "", "title", 0, storage.TotalNever, 10, storage.ErrTooMany},
		{"unique name", fmt.Sprintf("userName eq %q", userName(7)), "", 0, storage.TotalExact, 1, nil},
		{"unique name and more", fmt.Sprintf("userName eq %q and active eq true", userName(7)), "", 0, storage.TotalExact, 1, nil},
		{"value path", fmt.Sprintf("emails[type eq \"work\" and value eq %q]", userName(7)), "", 0, storage.TotalExact, 1, nil},
		{"beginning of a name", `userName sw "user.000"`, "", 0, storage.TotalExact, n / 2, nil},
		{"members of a group", fmt.Sprintf("groups.value eq %q", group(1).ID), "", 0, storage.TotalExact, 3, nil},
		{"either", fmt.Sprintf("userName eq %q or groups.value eq %q", userName(7), group(1).ID), "", 0, storage.TotalExact, 4, nil},
		{"a count that an index knows", `active eq true`, "", 0, storage.TotalExact, 10, nil},
		{"a common value, along another order", `active eq true and title pr`, "userName", 0, storage.TotalNever, 20, nil},
		{"no index", `title co "x"`, "", 0, storage.TotalExact, n - 1, storage.ErrTooMany},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			q := &storage.Query{Tenant: tenant, Type: userType, Offset: test.offset, Limit: 10, Total: test.total, MaxScan: test.maxScan}
			if test.filter != "" {
				q.Filter = plan(t, userType, test.filter)
			}
			if test.sort != "" {
				q.Sort.Path = userType.MustResolve(test.sort)
			}
			if _, err := s.Query(t.Context(), q); !errors.Is(err, test.want) {
				t.Errorf("got error %v, want %v", err, test.want)
			}
		})
	}
}
