package storagetest

import (
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/musterhq/muster/storage"
)

// Benchmark measures the usual operations of a store, so that adapters can be
// compared with each other and with themselves as they grow: the name of a case
// tells how much the store holds. open returns an empty store and closes it
// with b.Cleanup. With -short, the largest sizes are left out.
func Benchmark(b *testing.B, open func(b *testing.B) storage.Store) {
	sizes, groups := []int{1_000, 10_000}, []int{10, 1_000, 100_000}
	if testing.Short() {
		sizes, groups = sizes[:1], groups[:2]
	}
	for _, n := range sizes {
		b.Run(fmt.Sprintf("users=%d", n), func(b *testing.B) { benchmarkUsers(b, open(b), n) })
	}
	for _, n := range groups {
		b.Run(fmt.Sprintf("members=%d", n), func(b *testing.B) { benchmarkMembers(b, open(b), n) })
	}
}

// bench is a store to be measured.
type bench struct {
	*directory
	next atomic.Int64
}

func newBench(b *testing.B, s storage.Store) *bench {
	b.Helper()
	return &bench{directory: newDirectory(newCheck(b, rule{name: "benchmark"}, s))}
}

func (d *bench) person(n int) *storage.Record {
	return d.record(user(fmt.Sprintf("u%07d", n)), fmt.Sprintf(
		`{"userName":"user%07d@example.com","externalId":"e%d","displayName":"User %d","title":"Title %d","active":true,"name":{"familyName":"Family %d","givenName":"Given"},"emails":[{"value":"user%07d@example.com","type":"work","primary":true}]}`,
		n, n, n, n%50, n, n))
}

// fill puts users and does not remember them.
func (d *bench) fill(n int) {
	const batch = 1000
	for i := 0; i < n; i += batch {
		var rs []*storage.Record
		for j := i; j < min(i+batch, n); j++ {
			rs = append(rs, d.person(j))
		}
		d.put(rs...)
	}
}

func (d *bench) must(b *testing.B, err error) {
	if err != nil {
		b.Helper()
		b.Fatal(err)
	}
}

func benchmarkUsers(b *testing.B, s storage.Store, n int) {
	d := newBench(b, s)
	d.fill(n)
	ask := func(name string, q func(i int) question) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			queries := make([]*storage.Query, 100)
			for i := range queries {
				queries[i] = d.query(q(i * n / len(queries)))
			}
			for i := 0; b.Loop(); i++ {
				_, err := s.Query(b.Context(), queries[i%len(queries)])
				d.must(b, err)
			}
		})
	}
	b.Run("Get", func(b *testing.B) {
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			_, err := s.Get(b.Context(), d.tenant, user(fmt.Sprintf("u%07d", i%n)))
			d.must(b, err)
		}
	})
	ask("QueryUserNameEq", func(i int) question {
		return question{typ: d.user, filter: fmt.Sprintf(`userName eq "USER%07d@example.com"`, i), limit: 2}
	})
	ask("QueryEmailEq", func(i int) question {
		return question{typ: d.user, filter: fmt.Sprintf(`emails[type eq "work" and value eq "user%07d@example.com"]`, i), limit: 2}
	})
	ask("QueryFirstPage", func(int) question { return question{typ: d.user, limit: 100} })
	ask("QueryPageBehind", func(i int) question {
		return question{typ: d.user, limit: 100, after: &storage.Position{ID: fmt.Sprintf("u%07d", i)}}
	})
	ask("QuerySortedPage", func(int) question { return question{typ: d.user, sort: "userName", limit: 100} })
	ask("QueryUnindexed", func(int) question {
		return question{typ: d.user, filter: `title eq "Title 7" and name.familyName ew "7"`, limit: 100}
	})
	b.Run("Put", func(b *testing.B) {
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			_, err := s.Commit(b.Context(), &storage.Batch{Tenant: d.tenant, Time: day, Puts: puts(d.person(i % n))})
			d.must(b, err)
		}
	})
	b.Run("Create", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			p := storage.Put{Record: d.person(n + int(d.next.Add(1))), IfAbsent: true}
			_, err := s.Commit(b.Context(), &storage.Batch{Tenant: d.tenant, Time: day, Puts: []storage.Put{p}})
			d.must(b, err)
		}
	})
	b.Run("CreateParallel", func(b *testing.B) {
		b.ReportAllocs()
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				p := storage.Put{Record: d.person(n + int(d.next.Add(1))), IfAbsent: true}
				_, err := s.Commit(b.Context(), &storage.Batch{Tenant: d.tenant, Time: day, Puts: []storage.Put{p}})
				d.must(b, err)
			}
		})
	})
}

func benchmarkMembers(b *testing.B, s storage.Store, n int) {
	d := newBench(b, s)
	g, refs := group("g1"), make([]storage.Ref, n)
	for i := range refs {
		refs[i] = user(fmt.Sprintf("m%07d", i))
	}
	d.fill(100)
	d.put(record(g))
	e := reset(g, refs...)
	e.Missing = storage.MissingKeep
	d.edit(e)
	commit := func(b *testing.B, e storage.LinkEdit) {
		b.Helper()
		_, err := s.Commit(b.Context(), &storage.Batch{Tenant: d.tenant, Time: day, Links: edits(e)})
		d.must(b, err)
	}
	b.Run("AddAndRemove", func(b *testing.B) { // two commits
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			u := user(fmt.Sprintf("u%07d", i%100))
			commit(b, add(g, u))
			commit(b, remove(g, u))
		}
	})
	b.Run("AddWithoutEffect", func(b *testing.B) {
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			commit(b, add(g, refs[i%n]))
		}
	})
	read := func(name string, q storage.LinkQuery) {
		q.Tenant, q.Relation = d.tenant, groupMembers
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_, err := s.Links(b.Context(), &q)
				d.must(b, err)
			}
		})
	}
	read("FirstPage", storage.LinkQuery{Of: []storage.Ref{g}, Limit: 100})
	read("FirstPageWithLabels", storage.LinkQuery{Of: []storage.Ref{g}, Limit: 100, Labels: true})
	read("IsMember", storage.LinkQuery{Of: []storage.Ref{g}, Other: []storage.Ref{refs[n/2]}})
	read("GroupsOf", storage.LinkQuery{Of: []storage.Ref{refs[n/2]}, Inverse: true})
}
