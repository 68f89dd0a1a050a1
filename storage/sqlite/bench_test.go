package sqlite

import (
	"database/sql/driver"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/musterhq/muster/scim/schema"
	"github.com/musterhq/muster/storage"
)

// Floors are the same work by hand: prepared statements on one connection of the
// same driver, which is set as the store sets its own.

func person(b *testing.B, typ *schema.Type, n int) *storage.Record {
	return record(b, typ, fmt.Sprintf("u%07d", n), fmt.Sprintf(
		`{"userName":"user%07d@example.com","externalId":"e%d","displayName":"User %d","title":"Title %d","active":true,"name":{"familyName":"Family %d","givenName":"Given"},"emails":[{"value":"user%07d@example.com","type":"work","primary":true},{"value":"home%07d@example.net","type":"home"}]}`,
		n, n, n%5000, n%50, n, n, n))
}

func create(r *storage.Record) *storage.Batch {
	return &storage.Batch{Tenant: "t", Time: day, Puts: []storage.Put{{Record: r, IfAbsent: true, Change: storage.ChangeInfo{Kind: "created"}}}}
}

func userAndGroup() (user, group *schema.Type) {
	return schema.MustCompile(schema.User(), schema.Group()), schema.MustCompile(schema.Group(), schema.User())
}

// filled is a store with n users, the first m of which are in a group.
func filled(b *testing.B, n, m int) *Store {
	b.Helper()
	s, err := Open(filepath.Join(b.TempDir(), "directory.db"))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = s.Close() })
	user, group := userAndGroup()
	const chunk = 5000
	for from := 0; from < n; from += chunk {
		var rs []*storage.Record
		for i := from; i < min(n, from+chunk); i++ {
			rs = append(rs, person(b, user, i))
		}
		if _, err := s.Commit(b.Context(), put(rs...)); err != nil {
			b.Fatal(err)
		}
	}
	all := put(record(b, group, "g1", `{"displayName":"All"}`))
	e := storage.LinkEdit{Owner: storage.Ref{Type: "Group", ID: "g1"}, Relation: "members"}
	for i := range m {
		e.Add = append(e.Add, storage.Ref{Type: "User", ID: fmt.Sprintf("u%07d", i)})
	}
	all.Links = []storage.LinkEdit{e}
	if _, err := s.Commit(b.Context(), all); err != nil {
		b.Fatal(err)
	}
	return s
}

// byHand is a connection to the store's file.
func byHand(b *testing.B, s *Store) *conn {
	b.Helper()
	c, err := connect(s.path, &s.config)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = c.close() })
	return c
}

func BenchmarkCreate(b *testing.B) {
	s := filled(b, 10_000, 0)
	user, _ := userAndGroup()
	for n := 10_000; b.Loop(); n++ {
		if _, err := s.Commit(b.Context(), create(person(b, user, n))); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkFloorCreate(b *testing.B) {
	s := filled(b, 10_000, 0)
	user, _ := userAndGroup()
	c := byHand(b, s)
	exec := func(sql string, args ...any) {
		if _, err := c.exec(sql, args...); err != nil {
			b.Fatal(err)
		}
	}
	for n := 10_000; b.Loop(); n++ {
		r := person(b, user, n)
		keys, cols := keysOf(r)
		exec("BEGIN IMMEDIATE")
		exec("INSERT INTO muster_records VALUES (?1, 'User', ?2, ?3, 1, ?4, ?4, 0, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
			"t", r.ID, r.Connection, day.UnixMicro(), r.Label, cols.userName, cols.externalID, cols.displayName, cols.active, keys.encode(), r.Doc)
		for _, u := range keys.unique {
			exec("INSERT INTO muster_unique_keys VALUES (?, 'User', ?, ?, ?)", "t", u.Attr, u.Key, r.ID)
		}
		for _, e := range keys.entries {
			exec("INSERT INTO muster_entries VALUES (?, 'User', ?, ?, ?, ?)", "t", e.attr, e.key, e.qualifier, r.ID)
		}
		exec("UPDATE muster_logs SET last = last + 1 WHERE tenant = ?", "t")
		exec("INSERT INTO muster_changes SELECT ?1, last, 'User', ?2, ?3, 1, 0, 'created', '', ?4, 0, 0 FROM muster_logs WHERE tenant = ?1", "t", r.ID, r.Connection, day.UnixMicro())
		exec("UPDATE muster_populations SET n = n + 1 WHERE tenant = ? AND type = 'User' AND connection = ? AND hidden = 0", "t", r.Connection)
		exec("COMMIT")
	}
}

// lookUp is a question that one statement answers.
type lookUp struct {
	name, filter string
	found        int
	sql          string // behind the columns
}

var lookUps = []lookUp{
	{"UserName", `userName eq "USER0000777@example.com"`, 1,
		`muster_records r WHERE tenant = 't' AND type = 'User' AND user_name = 'user0000777@example.com' AND NOT hidden`},
	{"Email", `emails.value eq "home0000777@example.net"`, 1,
		`muster_entries e JOIN muster_records r ON r.tenant = e.tenant AND r.type = e.type AND r.id = e.id WHERE e.tenant = 't' AND e.type = 'User' AND e.attr = 'emails.value' AND e.key = 'home0000777@example.net' AND NOT r.hidden`},
	{"Page", "", 100,
		`muster_records r WHERE tenant = 't' AND type = 'User' AND NOT hidden ORDER BY id LIMIT 100`},
	{"MembersPage", `groups.value eq "g1"`, 100,
		`muster_links l CROSS JOIN muster_records r WHERE l.tenant = 't' AND l.owner_type = 'Group' AND l.owner_id = 'g1' AND l.relation = 'members' AND l.target_type = 'User'
			AND r.tenant = 't' AND r.type = 'User' AND r.id = l.target_id AND NOT r.hidden ORDER BY l.target_id LIMIT 100`},
}

func BenchmarkLookUp(b *testing.B) {
	user, _ := userAndGroup()
	for _, n := range []int{1_000, 100_000} {
		s := filled(b, n, n)
		for _, l := range lookUps {
			b.Run(fmt.Sprintf("%s/users=%d", l.name, n), func(b *testing.B) {
				q := &storage.Query{Tenant: "t", Type: user, Filter: planOf(b, user, l.filter), Limit: 100}
				for b.Loop() {
					page, err := s.Query(b.Context(), q)
					if err != nil || len(page.Records) != l.found {
						b.Fatal(page, err)
					}
				}
			})
		}
	}
}

func BenchmarkFloorLookUp(b *testing.B) {
	for _, n := range []int{1_000, 100_000} {
		c := byHand(b, filled(b, n, n))
		for _, l := range lookUps {
			b.Run(fmt.Sprintf("%s/users=%d", l.name, n), func(b *testing.B) {
				for b.Loop() {
					found := 0
					err := c.query(b.Context(), "SELECT r.id, r.connection, r.version, r.created, r.modified, r.hidden, r.label, r.doc FROM "+l.sql, nil, func(row []driver.Value) bool {
						found += min(1, len(scanRecord("User", row).Doc))
						return true
					})
					if err != nil || found != l.found {
						b.Fatal(found, err)
					}
				}
			})
		}
	}
}

// One member more in a group of M, or one less.
func BenchmarkMemberAdd(b *testing.B) {
	for _, m := range []int{10, 100_000} {
		b.Run(fmt.Sprintf("M=%d", m), func(b *testing.B) {
			s := filled(b, m+2000, m)
			for i := 0; b.Loop(); i++ {
				to := []storage.Ref{{Type: "User", ID: fmt.Sprintf("u%07d", m+i%2000)}}
				e := storage.LinkEdit{Owner: storage.Ref{Type: "Group", ID: "g1"}, Relation: "members", Add: to}
				if i/2000%2 == 1 {
					e.Add, e.Remove = nil, to
				}
				if _, err := s.Commit(b.Context(), &storage.Batch{Tenant: "t", Time: day, Links: []storage.LinkEdit{e}}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
