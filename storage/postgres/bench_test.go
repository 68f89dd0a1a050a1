package postgres

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/musterhq/muster/internal/pgtest"
	"github.com/musterhq/muster/scim/schema"
	"github.com/musterhq/muster/storage"
)

// bench is a store on a server that writes as safely as a real one.
type bench struct {
	*Store
	server *pgtest.Server
}

func openBench(b *testing.B, settings ...string) *bench {
	b.Helper()
	server := pgtest.Start(b, append([]string{"fsync=on", "synchronous_commit=on", "full_page_writes=on"}, settings...)...)
	s, err := Open(b.Context(), server.URL(b)+"&pool_max_conns=16")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { s.Close() })
	if err := s.Migrate(context.Background()); err != nil {
		b.Fatal(err)
	}
	return &bench{s, server}
}

// clients runs work from n goroutines until b.N pieces are done.
func (s *bench) clients(b *testing.B, n int, work func(i int) error) {
	b.Helper()
	var next atomic.Int64
	var wg sync.WaitGroup
	b.ReportAllocs()
	cpu := s.server.CPU()
	b.ResetTimer()
	for range n {
		wg.Go(func() {
			for i := int(next.Add(1)); i <= b.N; i = int(next.Add(1)) {
				if err := work(i); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	b.StopTimer()
	b.ReportMetric(float64((s.server.CPU()-cpu).Microseconds())/float64(b.N), "server-µs/op")
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "ops/s")
}

func userType() *schema.Type { return schema.MustCompile(schema.User(), schema.Group()) }

func create(r *storage.Record) *storage.Batch {
	return &storage.Batch{Tenant: "acme", Time: time.Now(), Puts: []storage.Put{{Record: r, IfAbsent: true, Change: storage.ChangeInfo{Kind: "created"}}}}
}

func BenchmarkCreate(b *testing.B) {
	s, user := openBench(b), userType()
	s.clients(b, 8, func(i int) error {
		_, err := s.Commit(context.Background(), create(person(b, user, i, time.Now())))
		return err
	})
}

// The same rows in the same tables, written by hand for one record.
func BenchmarkFloorCreate(b *testing.B) {
	s, user := openBench(b), userType()
	s.clients(b, 8, func(i int) error {
		return writeByHand(s, person(b, user, i, time.Now()))
	})
}

func writeByHand(s *bench, r *storage.Record) error {
	now := time.Now()
	sql := s.names.sql
	q := &pgx.Batch{}
	q.Queue(sql(`INSERT INTO {records} VALUES ($1, $2, $3, $4, 1, $5, $5, false, $6, $7, $8, $9, $10, $11)`),
		"acme", "User", r.ID, r.Connection, now, r.Label, r.Doc, []byte(key(r, "userName")), []byte(key(r, "externalId")), []byte(key(r, "displayName")), []byte(key(r, "active")))
	for _, u := range r.Unique {
		q.Queue(sql(`INSERT INTO {uniques} VALUES ($1, $2, $3, $4, $5)`), "acme", "User", u.Attr, u.Key, r.ID)
	}
	n := 0
	for _, e := range r.Index {
		if e.Attr == "emails.value" {
			q.Queue(sql(`INSERT INTO {entries} VALUES ($1, $2, $3, $4, $5, $6, $7)`), "acme", "User", r.ID, n, e.Attr, []byte(e.Key), []byte(e.Qualifier))
			n++
		}
	}
	q.Queue(sql(`INSERT INTO {changes} (tenant, type, record, connection, kind, paths, version, hidden, time) VALUES ($1, $2, $3, $4, 'created', '', 1, false, $5)`),
		"acme", "User", r.ID, r.Connection, now)
	return s.pool.SendBatch(context.Background(), q).Close()
}

func key(r *storage.Record, attr string) string {
	for _, e := range r.Index {
		if e.Attr == attr {
			return e.Key
		}
	}
	return noKey
}

func BenchmarkFloorBareRow(b *testing.B) {
	s, user := openBench(b), userType()
	if _, err := s.pool.Exec(context.Background(), `CREATE TABLE bare (id text PRIMARY KEY, user_name text UNIQUE, doc bytea)`); err != nil {
		b.Fatal(err)
	}
	s.clients(b, 8, func(i int) error {
		r := person(b, user, i, time.Now())
		_, err := s.pool.Exec(context.Background(), `INSERT INTO bare VALUES ($1, $2, $3)`, r.ID, key(r, "userName"), r.Doc)
		return err
	})
}

func BenchmarkReplace(b *testing.B) {
	s, user := openBench(b), userType()
	fill(b, s.Store, "acme", 1000, 1)
	var versions [1000]atomic.Int64
	var locks [1000]sync.Mutex
	s.clients(b, 8, func(i int) error {
		n := i % 1000
		locks[n].Lock()
		defer locks[n].Unlock()
		v := versions[n].Add(1)
		_, err := s.Commit(context.Background(), &storage.Batch{Tenant: "acme", Time: time.Now(), Puts: []storage.Put{{Record: person(b, user, n, time.Now()), IfVersion: v}}})
		return err
	})
}

func BenchmarkBulk1000(b *testing.B) {
	for name, settings := range groupCommit {
		s, user := openBench(b, settings...), userType()
		next := 0
		batches := func() (list []*storage.Batch) {
			for _, r := range people(b, user, next, 1000) {
				list = append(list, create(r))
			}
			next += 1000
			return list
		}
		b.Run(name+"/CommitEach", func(b *testing.B) {
			for range b.N {
				b.StopTimer()
				list := batches()
				b.StartTimer()
				_, errs := s.CommitEach(context.Background(), list)
				for _, err := range errs {
					if err != nil {
						b.Fatal(err)
					}
				}
			}
		})
		b.Run(name+"/OneByOne", func(b *testing.B) {
			for range b.N {
				b.StopTimer()
				list := batches()
				b.StartTimer()
				for _, c := range list {
					if _, err := s.Commit(context.Background(), c); err != nil {
						b.Fatal(err)
					}
				}
			}
		})
		b.Run(name+"/FloorArrays", func(b *testing.B) {
			for range b.N {
				b.StopTimer()
				list := batches()
				b.StartTimer()
				if err := insertArrays(s, list); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// insertArrays is what one would write to insert many records at once.
func insertArrays(s *bench, list []*storage.Batch) error {
	var w newRows
	var u uniqueRows
	var e entryRows
	for _, b := range list {
		r := rowOf(b.Puts[0].Record)
		w.add(r, b.Time)
		u.add(r)
		e.add(r)
	}
	sql := s.names.sql
	q := &pgx.Batch{}
	q.Queue(sql(`INSERT INTO {records} SELECT 'acme', t, i, c, 1, cr, m, false, l, d, u, e, dn, a FROM unnest($1::text[], $2::text[], $3::text[], $4::timestamptz[], $5::timestamptz[], $6::text[], $7::bytea[], $8::bytea[], $9::bytea[], $10::bytea[], $11::bytea[]) AS n(t, i, c, cr, m, l, d, u, e, dn, a)`),
		w.types, w.ids, w.connections, w.created, w.modified, w.labels, w.docs, w.columns[0], w.columns[1], w.columns[2], w.columns[3])
	q.Queue(sql(`INSERT INTO {uniques} SELECT 'acme', * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[])`), u.types, u.attrs, u.keys, u.ids)
	q.Queue(sql(`INSERT INTO {entries} SELECT 'acme', * FROM unnest($1::text[], $2::text[], $3::integer[], $4::text[], $5::bytea[], $6::bytea[])`), e.types, e.ids, e.ns, e.attrs, e.keys, e.qualifiers)
	q.Queue(sql(`INSERT INTO {changes} (tenant, type, record, connection, kind, paths, version, hidden, time) SELECT 'acme', t, i, c, 'created', '', 1, false, m FROM unnest($1::text[], $2::text[], $3::text[], $4::timestamptz[]) AS n(t, i, c, m)`),
		w.types, w.ids, w.connections, w.modified)
	return s.pool.SendBatch(context.Background(), q).Close()
}

func BenchmarkMemberAdd(b *testing.B) {
	for _, m := range []int{10, 100_000} {
		s := openBench(b)
		fill(b, s.Store, "acme", 20_000, 10)
		g := storage.Ref{Type: "Group", ID: "g1"}
		pad := storage.LinkEdit{Owner: g, Relation: "members", Missing: storage.MissingKeep}
		for i := range m - 10 {
			pad.Add = append(pad.Add, storage.Ref{Type: "User", ID: fmt.Sprintf("m%07d", i)})
		}
		if _, err := s.Commit(b.Context(), &storage.Batch{Tenant: "acme", Time: time.Now(), Links: []storage.LinkEdit{pad}}); err != nil {
			b.Fatal(err)
		}
		for _, n := range []int{1, 8} {
			b.Run(fmt.Sprintf("M=%d/clients=%d", m, n), func(b *testing.B) {
				s.clients(b, n, func(i int) error {
					to := []storage.Ref{{Type: "User", ID: fmt.Sprintf("u%07d", 100+i%19_000)}}
					e := storage.LinkEdit{Owner: g, Relation: "members", Add: to}
					if i/19_000%2 == 1 {
						e.Add, e.Remove = nil, to
					}
					_, err := s.Commit(context.Background(), &storage.Batch{Tenant: "acme", Time: time.Now(), Links: []storage.LinkEdit{e}})
					return err
				})
			})
		}
	}
}

func BenchmarkGet(b *testing.B) {
	s := openBench(b)
	fill(b, s.Store, "acme", 1000, 1)
	s.clients(b, 1, func(i int) error {
		_, err := s.Get(context.Background(), "acme", storage.Ref{Type: "User", ID: fmt.Sprintf("u%07d", i%1000)})
		return err
	})
}

// groupCommit lets a commit wait for others a moment, so that they are flushed
// together.
var groupCommit = map[string][]string{"asIs": nil, "commitDelay": {"commit_delay=1000", "commit_siblings=0"}}

// Sixteen writers of one tenant while somebody follows the log, and while nobody
// does.
func BenchmarkWritersFollowed(b *testing.B) {
	for name, settings := range groupCommit {
		b.Run(name, func(b *testing.B) {
			s := openBench(b, settings...)
			ctx, stop := context.WithCancel(context.Background())
			done := make(chan struct{})
			go func() {
				defer close(done)
				_ = storage.Follow(ctx, s, storage.Following{Tenant: "acme", Limit: 1000, Handle: func(context.Context, []storage.Change) error { return nil }})
			}()
			sixteenWriters(b, s)
			stop()
			<-done
		})
	}
}

func BenchmarkFloorWritersNotFollowed(b *testing.B) {
	for name, settings := range groupCommit {
		b.Run(name, func(b *testing.B) { sixteenWriters(b, openBench(b, settings...)) })
	}
}

func sixteenWriters(b *testing.B, s *bench) {
	user := userType()
	s.clients(b, 16, func(i int) error {
		_, err := s.Commit(context.Background(), create(person(b, user, i, time.Now())))
		return err
	})
}

// Clients change one user, each reading it before, as PATCH does.
func BenchmarkChangeOneUser(b *testing.B) {
	for _, n := range []int{1, 8} {
		b.Run(fmt.Sprintf("clients=%d", n), func(b *testing.B) {
			s, user := openBench(b), userType()
			fill(b, s.Store, "acme", 10, 1)
			ref := storage.Ref{Type: "User", ID: "u0000001"}
			s.clients(b, n, func(i int) error {
				return s.WithLock(context.Background(), "acme", ref, func(ctx context.Context, s storage.Store) error {
					old, err := s.Get(ctx, "acme", ref)
					if err != nil {
						return err
					}
					_, err = s.Commit(ctx, &storage.Batch{Tenant: "acme", Time: time.Now(), Puts: []storage.Put{{Record: person(b, user, 1, time.Now()), IfVersion: old.Version}}})
					return err
				})
			})
		})
	}
}

// Eight clients add members, all to one group or each to one of its own.
func BenchmarkMemberAddEightGroups(b *testing.B) {
	s := openBench(b)
	fill(b, s.Store, "acme", 20_000, 10)
	s.clients(b, 8, func(i int) error {
		e := storage.LinkEdit{Owner: storage.Ref{Type: "Group", ID: fmt.Sprintf("g%d", 2+i%8)}, Relation: "members"}
		to := []storage.Ref{{Type: "User", ID: fmt.Sprintf("u%07d", i/8%20_000)}}
		if e.Add = to; i/160_000%2 == 1 {
			e.Add, e.Remove = nil, to
		}
		_, err := s.Commit(context.Background(), &storage.Batch{Tenant: "acme", Time: time.Now(), Links: []storage.LinkEdit{e}})
		return err
	})
}
