package memory_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/musterhq/muster/scim/filter"
	"github.com/musterhq/muster/scim/schema"
	"github.com/musterhq/muster/storage"
	"github.com/musterhq/muster/storage/memory"
)

// sizes are the numbers of users at which growth is measured; -short leaves out
// the one that takes a minute to fill.
func sizes() []int {
	if testing.Short() {
		return []int{1_000, 100_000}
	}
	return []int{1_000, 100_000, 1_000_000}
}

func name(n int) string { return fmt.Sprintf("users=%d", n) }

// BenchmarkStore measures reading and writing at each size in one filled store:
// the bars compare its parts with each other.
func BenchmarkStore(b *testing.B) {
	for _, n := range sizes() {
		b.Run(name(n), func(b *testing.B) {
			var before, after runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&before)
			s := filled(b, n)
			trim(b, s) // the log is bounded, whatever the number of users
			runtime.GC()
			runtime.ReadMemStats(&after)
			kept := after.HeapAlloc - before.HeapAlloc
			b.Run("Memory", func(b *testing.B) {
				rec, err := s.Get(b.Context(), tenant, user(n/2))
				if err != nil {
					b.Fatal(err)
				}
				for b.Loop() {
					runtime.KeepAlive(s)
				}
				b.ReportMetric(float64(kept)/float64(n), "bytes/user")
				b.ReportMetric(float64(kept)/float64(n)/float64(len(rec.Doc)), "×JSON")
			})
			b.Run("Get", func(b *testing.B) { benchmarkGet(b, s, n) })
			b.Run("UserNameEq", func(b *testing.B) { benchmarkUserNameEq(b, s, n) })
			b.Run("List100", func(b *testing.B) { benchmarkList(b, s) })
			b.Run("Put", func(b *testing.B) { benchmarkPut(b, s, n, false) })
			b.Run("GetAndPut", func(b *testing.B) { benchmarkPut(b, s, n, true) })
			b.Run("Create", func(b *testing.B) { benchmarkCreate(b, s, n) })
			groups := []int{10, 1_000}
			for _, m := range []int{100_000, 1_000_000} {
				if m <= n {
					groups = append(groups, m)
				}
			}
			trim(b, s)
			runtime.GC()
			runtime.ReadMemStats(&before)
			links := 0
			for i, m := range groups {
				addGroup(b, s, i, m)
				links += m
			}
			trim(b, s)
			runtime.GC()
			runtime.ReadMemStats(&after)
			b.Run("LinkMemory", func(b *testing.B) {
				for b.Loop() {
					runtime.KeepAlive(s)
				}
				b.ReportMetric((float64(after.HeapAlloc)-float64(before.HeapAlloc))/float64(links), "bytes/member")
			})
			for i, m := range groups {
				b.Run(fmt.Sprintf("MemberAdd/members=%d", m), func(b *testing.B) { benchmarkMemberAdd(b, s, i) })
			}
			b.Run("ListGroups", func(b *testing.B) { benchmarkListGroups(b, s) })
		})
	}
}

func trim(b *testing.B, s *memory.Store) {
	if err := s.TrimChanges(b.Context(), tenant, day.Add(1e6*time.Hour)); err != nil {
		b.Fatal(err)
	}
}

func order(n int) []string {
	ids := make([]string, min(n, 1<<16))
	r := rand.New(rand.NewPCG(1, 2))
	for i := range ids {
		ids[i] = user(r.IntN(n)).ID
	}
	return ids
}

func benchmarkGet(b *testing.B, s *memory.Store, n int) {
	ids, i := order(n), 0
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.Get(b.Context(), tenant, storage.Ref{Type: "User", ID: ids[i%len(ids)]}); err != nil {
			b.Fatal(err)
		}
		i++
	}
}

func plan(t interface{ Fatal(...any) }, typ *schema.Type, text string) *filter.Plan {
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

func benchmarkUserNameEq(b *testing.B, s *memory.Store, n int) {
	plans := make([]*filter.Plan, min(n, 1<<16))
	r := rand.New(rand.NewPCG(3, 4)) // not those that Get has just brought into the caches
	for i := range plans {
		plans[i] = plan(b, userType, fmt.Sprintf("userName eq %q", userName(r.IntN(n))))
	}
	i := 0
	b.ReportAllocs()
	for b.Loop() {
		page, err := s.Query(b.Context(), &storage.Query{
			Tenant: tenant, Connection: connection, Type: userType, Filter: plans[i%len(plans)], Limit: 100, Total: storage.TotalIfCheap,
		})
		if err != nil || len(page.Records) != 1 || page.Total != 1 {
			b.Fatal(page, err)
		}
		i++
	}
}

func benchmarkList(b *testing.B, s *memory.Store) {
	b.ReportAllocs()
	for b.Loop() {
		page, err := s.Query(b.Context(), &storage.Query{Tenant: tenant, Connection: connection, Type: userType, Offset: 500, Limit: 100, Total: storage.TotalExact})
		if err != nil || len(page.Records) != 100 {
			b.Fatal(len(page.Records), err)
		}
	}
}

func benchmarkListGroups(b *testing.B, s *memory.Store) {
	b.ReportAllocs()
	for b.Loop() {
		page, err := s.Query(b.Context(), &storage.Query{Tenant: tenant, Connection: connection, Type: groupType, Limit: 100, Total: storage.TotalExact})
		if err != nil || len(page.Records) == 0 {
			b.Fatal(page, err)
		}
	}
}

// benchmarkPut replaces users. Reading each of them first makes every commit
// publish, and the next one copy.
func benchmarkPut(b *testing.B, s *memory.Store, n int, read bool) {
	make := users(b)
	records := []*storage.Record{}
	for i := range min(n, 1000) {
		records = append(records, make(i))
	}
	i := 0
	b.ReportAllocs()
	for b.Loop() {
		if read {
			if _, err := s.Get(b.Context(), tenant, records[i%len(records)].Ref); err != nil {
				b.Fatal(err)
			}
		}
		commit(b, s, &storage.Batch{Time: day.Add(time.Duration(i) * time.Second), Puts: []storage.Put{{Record: records[i%len(records)]}}})
		i++
	}
}

// benchmarkCreate creates users and deletes them outside of the measured time, a
// thousand at once.
func benchmarkCreate(b *testing.B, s *memory.Store, n int) {
	make := users(b)
	records, deletes := []*storage.Record{}, []storage.Delete{}
	for i := range 1000 {
		records = append(records, make(n+i))
		deletes = append(deletes, storage.Delete{Ref: user(n + i)})
	}
	i := 0
	b.ReportAllocs()
	for b.Loop() {
		commit(b, s, &storage.Batch{Time: day.Add(time.Duration(i) * time.Second), Puts: []storage.Put{{Record: records[i], IfAbsent: true}}})
		if i++; i == len(records) {
			b.StopTimer()
			commit(b, s, &storage.Batch{Deletes: deletes})
			b.StartTimer()
			i = 0
		}
	}
	commit(b, s, &storage.Batch{Deletes: deletes[:i]})
}

// benchmarkMemberAdd adds a member to a group and takes it out again, outside of
// the measured time, a hundred at once.
func benchmarkMemberAdd(b *testing.B, s *memory.Store, g int) {
	var added []storage.Ref
	make := users(b)
	for i := range 100 {
		commit(b, s, &storage.Batch{Puts: []storage.Put{{Record: make(5_000_000 + i)}}})
		added = append(added, user(5_000_000+i))
	}
	i := 0
	b.ReportAllocs()
	for b.Loop() {
		r := commit(b, s, &storage.Batch{Time: day.Add(time.Duration(i) * time.Second), Links: []storage.LinkEdit{{
			Owner: group(g), Relation: "members", Add: added[i : i+1], IfConnection: connection,
		}}})
		if r.Links[0].Added != 1 {
			b.Fatal("not added")
		}
		if i++; i == len(added) {
			b.StopTimer()
			commit(b, s, &storage.Batch{Links: []storage.LinkEdit{{Owner: group(g), Relation: "members", Remove: added}}})
			b.StartTimer()
			i = 0
		}
	}
	deletes := []storage.Delete{}
	for _, ref := range added {
		deletes = append(deletes, storage.Delete{Ref: ref})
	}
	commit(b, s, &storage.Batch{Deletes: deletes})
}

// BenchmarkFloorMapGet is a look-up in a map, which knows no snapshots.
func BenchmarkFloorMapGet(b *testing.B) {
	for _, n := range sizes() {
		b.Run(name(n), func(b *testing.B) {
			m := make(map[storage.Ref]*storage.Record, n)
			for i := range n {
				m[user(i)] = &storage.Record{Ref: user(i)}
			}
			ids, i := order(n), 0
			for b.Loop() {
				if m[storage.Ref{Type: "User", ID: ids[i%len(ids)]}] == nil {
					b.Fatal("lost")
				}
				i++
			}
		})
	}
}

// BenchmarkWritersUnderScan writes while somebody else reads all records with a
// filter that no index helps, over and over. Its floor is the same without the
// reader.
func BenchmarkWritersUnderScan(b *testing.B)      { benchmarkWriters(b, true) }
func BenchmarkFloorWritersUnderScan(b *testing.B) { benchmarkWriters(b, false) }

func benchmarkWriters(b *testing.B, scan bool) {
	const n = 100_000
	s := filled(b, n)
	p := plan(b, userType, `title co "nothing like it"`)
	var stop atomic.Bool
	done := make(chan int)
	if scan {
		go func() {
			scans := 0
			for ; !stop.Load(); scans++ {
				page, err := s.Query(context.Background(), &storage.Query{Tenant: tenant, Type: userType, Filter: p, Limit: 10, Total: storage.TotalExact})
				if err != nil || page.Total != 0 {
					b.Error(page, err)
				}
			}
			done <- scans
		}()
	}
	benchmarkPut(b, s, n, false)
	if scan {
		stop.Store(true)
		b.ReportMetric(float64(<-done)/b.Elapsed().Seconds(), "scans/s")
	}
}
