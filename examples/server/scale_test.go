//go:build scale

package main

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/musterhq/muster/internal/pgtest"
	"github.com/musterhq/muster/scim/resource"
	"github.com/musterhq/muster/scim/schema"
	"github.com/musterhq/muster/storage"
)

// directory is a tenant with users and one group, and a server for it.
type directory struct {
	t       *testing.T
	users   int
	handler http.Handler
}

// Times of the usual requests to a tenant of 1,000,000 users and a group of
// 200,000, beside one of 1,000 and 200 in the same tables. Only the ratios mean
// something on another machine.
func TestTimesHardlyGrowWithTheDirectory(t *testing.T) {
	where := pgtest.Start(t, "shared_buffers=1GB", "max_wal_size=16GB").URL(t)
	store, err := openStore(t.Context(), where, true)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	small, large := newDirectory(t, store, 1_000), newDirectory(t, store, 1_000_000)
	conn, err := pgx.Connect(t.Context(), where)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	if _, err := conn.Exec(t.Context(), "VACUUM ANALYZE"); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name    string
		most    float64 // times as long; 0 for what grows by its nature
		measure func(*directory) time.Duration
	}{
		{"get by id", 3, (*directory).get},
		{"userName eq", 3, (*directory).lookUp},
		{"create", 3, (*directory).create},
		{"change one attribute", 3, (*directory).change},
		{"add a member", 3, (*directory).addMember},
		{"remove a member", 3, (*directory).removeMember},
		{"groups without members", 3, (*directory).groups},
		{"first page of 100 by cursor", 3, (*directory).firstPage},
		{"deep page of 100 by cursor", 3, (*directory).deepPage},
		{"first page of 100 by index", 0, (*directory).firstIndexPage},
		{"deep page of 100 by index", 0, (*directory).deepIndexPage},
		{"the group with its members", 0, (*directory).members},
	} {
		s, l := c.measure(small), c.measure(large)
		ratio := float64(l) / float64(s)
		t.Logf("%-30s %10v %10v %8.1f", c.name, s.Round(time.Microsecond), l.Round(time.Microsecond), ratio)
		if c.most > 0 && ratio > c.most {
			t.Errorf("%s: %.1f times as long", c.name, ratio)
		}
	}
}

func newDirectory(t *testing.T, store closer, users int) *directory {
	t.Helper()
	start := time.Now()
	tenant := rand.Text()
	fill(t, store, tenant, users)
	c, err := parse([]string{"-token", tenant + "=secret"})
	if err != nil {
		t.Fatal(err)
	}
	h, err := c.handler(store, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d users in %v", users, time.Since(start).Round(time.Millisecond))
	return &directory{t, users, h}
}

// chunk is how many users are written at once.
const chunk = 5_000

// fill writes users and a group of every fifth.
func fill(t *testing.T, store storage.Store, tenant string, users int) {
	t.Helper()
	user, group := schema.MustCompile(schema.User(), schema.Group()), schema.MustCompile(schema.Group(), schema.User())
	put := func(b *storage.Batch, typ *schema.Type, id, document string) {
		r, err := resource.Stored(typ, resource.Meta{ID: id, Created: b.Time, LastModified: b.Time}, []byte(document))
		if err != nil {
			t.Fatal(err)
		}
		b.Puts = append(b.Puts, storage.Put{Record: storage.NewRecord(r, "default"), IfAbsent: true})
	}
	commit := func(b *storage.Batch) {
		if _, err := store.Commit(t.Context(), b); err != nil {
			t.Fatal(err)
		}
	}
	begin := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	owner := storage.Ref{Type: "Group", ID: "g"}
	b := &storage.Batch{Tenant: tenant, Time: begin}
	put(b, group, owner.ID, `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"displayName":"many"}`)
	commit(b)
	for from := 0; from < users; from += chunk {
		b := &storage.Batch{Tenant: tenant, Time: begin.Add(time.Duration(from) * time.Second)}
		var members []storage.Ref
		for i := from; i < min(from+chunk, users); i++ {
			put(b, user, userID(i), fmt.Sprintf(`{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"user%d@example.com","externalId":"e%[1]d","name":{"familyName":"Family %[1]d","givenName":"Given"},"displayName":"User %[1]d","active":true,"emails":[{"value":"user%[1]d@example.com","type":"work","primary":true}]}`, i))
			if i%5 == 0 {
				members = append(members, storage.Ref{Type: "User", ID: userID(i)})
			}
		}
		commit(b)
		commit(&storage.Batch{Tenant: tenant, Time: b.Time, Links: []storage.LinkEdit{{Owner: owner, Relation: "members", Add: members}}})
	}
}

func userID(i int) string { return fmt.Sprintf("u%07d", i) }

// send returns the answer's body.
func (d *directory) send(want int, method, path, body string) []byte {
	d.t.Helper()
	r := httptest.NewRequestWithContext(d.t.Context(), method, "/scim/v2"+path, bytes.NewReader([]byte(body)))
	r.Header.Set("Authorization", "Bearer secret")
	r.Header.Set("Content-Type", "application/scim+json")
	w := httptest.NewRecorder()
	d.handler.ServeHTTP(w, r)
	if w.Code != want {
		d.t.Fatalf("%s %s: %d %s", method, path, w.Code, w.Body)
	}
	return w.Body.Bytes()
}

// median runs f for users from all over the directory.
func (d *directory) median(times int, f func(i int)) time.Duration {
	var took []time.Duration
	for n := range times {
		start := time.Now()
		f(n * d.users / times)
		took = append(took, time.Since(start))
	}
	slices.Sort(took)
	return took[len(took)/2]
}

func (d *directory) get() time.Duration {
	return d.median(200, func(i int) { d.send(200, "GET", "/Users/"+userID(i), "") })
}

func (d *directory) lookUp() time.Duration {
	return d.median(200, func(i int) {
		d.send(200, "GET", "/Users?filter="+url.QueryEscape(fmt.Sprintf(`userName eq "USER%d@example.com"`, i)), "")
	})
}

func (d *directory) create() time.Duration {
	return d.median(200, func(int) { d.send(201, "POST", "/Users", newUser(rand.Text())) })
}

func (d *directory) change() time.Duration {
	return d.median(200, func(i int) {
		d.send(200, "PATCH", "/Users/"+userID(i), patchOf(`{"op":"replace","path":"title","value":"Chief"}`))
	})
}

// Users are members by fives; i+1 is none.
func (d *directory) addMember() time.Duration {
	return d.median(100, func(i int) {
		d.send(204, "PATCH", "/Groups/g", patchOf(`{"op":"add","path":"members","value":[{"value":"`+userID(i/5*5+1)+`"}]}`))
	})
}

func (d *directory) removeMember() time.Duration {
	return d.median(100, func(i int) {
		d.send(204, "PATCH", "/Groups/g", patchOf(`{"op":"remove","path":"members[value eq \"`+userID(i/5*5+1)+`\"]"}`))
	})
}

func (d *directory) groups() time.Duration {
	return d.median(100, func(int) { d.send(200, "GET", "/Groups?excludedAttributes=members", "") })
}

func (d *directory) firstPage() time.Duration {
	return d.median(50, func(int) { d.send(200, "GET", "/Users?count=100&cursor=", "") })
}

// deepPage walks through nine tenths of the users first.
func (d *directory) deepPage() time.Duration {
	cursor := ""
	read := func() string {
		var page struct{ NextCursor string }
		text := d.send(200, "GET", "/Users?count=100&cursor="+cursor, "")
		if err := json.Unmarshal(text, &page); err != nil || page.NextCursor == "" {
			d.t.Fatalf("no further page: %v", err)
		}
		return url.QueryEscape(page.NextCursor)
	}
	for range d.users * 9 / 1_000 {
		cursor = read()
	}
	return d.median(50, func(int) { read() })
}

func (d *directory) firstIndexPage() time.Duration {
	return d.median(20, func(int) { d.send(200, "GET", "/Users?startIndex=1&count=100", "") })
}

func (d *directory) deepIndexPage() time.Duration {
	return d.median(20, func(int) { d.send(200, "GET", fmt.Sprintf("/Users?startIndex=%d&count=100", d.users*9/10), "") })
}

func (d *directory) members() time.Duration {
	return d.median(5, func(int) { d.send(200, "GET", "/Groups/g", "") })
}
