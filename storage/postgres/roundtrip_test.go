package postgres

import (
	"io"
	"net"
	"net/url"
	"sync/atomic"
	"testing"
	"time"

	"github.com/musterhq/muster/internal/pgtest"
	"github.com/musterhq/muster/storage"
)

// changeovers stands between a store and its server and counts how often the client
// speaks after the server did.
type changeovers struct {
	n       atomic.Int64
	waiting atomic.Bool // the server spoke last
}

func (c *changeovers) copy(to io.Writer, from io.Reader, client bool) {
	buf := make([]byte, 64<<10)
	for {
		n, err := from.Read(buf)
		if n > 0 {
			if client && c.waiting.CompareAndSwap(true, false) {
				c.n.Add(1)
			} else if !client {
				c.waiting.Store(true)
			}
			if _, err := to.Write(buf[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// between returns a URL that leads through the counter.
func (c *changeovers) between(t *testing.T, server string) string {
	t.Helper()
	u, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	target := u.Host
	go func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return // the test is over
			}
			server, err := net.Dial("tcp", target)
			if err != nil {
				client.Close()
				continue
			}
			go func() {
				defer server.Close()
				c.copy(server, client, true)
			}()
			go func() {
				defer client.Close()
				c.copy(client, server, false)
			}()
		}
	}()
	u.Host = l.Addr().String()
	return u.String()
}

func TestRoundTrips(t *testing.T) {
	t.Parallel()
	var c changeovers
	s, err := Open(t.Context(), c.between(t, pgtest.URL(t))+"&pool_max_conns=1")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	if err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	fill(t, s, "acme", 200, 10)
	user, group := userType(), storage.Ref{Type: "Group", ID: "g1"}
	commit := func(b storage.Batch) error {
		b.Tenant, b.Time = "acme", time.Now()
		_, err := s.Commit(t.Context(), &b)
		return err
	}
	id := func(i int) []storage.Ref { return []storage.Ref{person(t, user, i, time.Now()).Ref} }
	edit := func(e storage.LinkEdit) error {
		e.Owner, e.Relation = group, "members"
		return commit(storage.Batch{Links: []storage.LinkEdit{e}})
	}
	for name, call := range map[string]func(i int) error{
		"create": func(i int) error { return commit(*create(person(t, user, 1000+i, time.Now()))) },
		"replace": func(i int) error {
			return commit(storage.Batch{Puts: []storage.Put{{Record: person(t, user, 7, time.Now()), IfVersion: int64(1 + i)}}})
		},
		"add a member":    func(i int) error { return edit(storage.LinkEdit{Add: id(100 + i)}) },
		"remove a member": func(i int) error { return edit(storage.LinkEdit{Remove: id(i)}) },
		"replace members": func(i int) error { return edit(storage.LinkEdit{Reset: true, Add: id(50 + i)}) },
		"get": func(i int) error {
			_, err := s.Get(t.Context(), "acme", id(i)[0])
			return err
		},
		"members": func(i int) error {
			_, err := s.Links(t.Context(), &storage.LinkQuery{Tenant: "acme", Relation: storage.Relation{Owner: "Group", Name: "members"}, Of: []storage.Ref{group}, Limit: 5})
			return err
		},
		"find by name": func(i int) error {
			_, err := s.Query(t.Context(), &storage.Query{Tenant: "acme", Type: user, Filter: plan(t, user, `userName eq "user0000007@example.com"`), Limit: 10})
			return err
		},
		"first page": func(i int) error {
			_, err := s.Query(t.Context(), &storage.Query{Tenant: "acme", Type: user, Limit: 10})
			return err
		},
	} {
		for i := range 3 { // statements are prepared, the list of indexes is read
			if err := call(i); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
		}
		time.Sleep(3 * notifyPause) // nothing is told of meanwhile
		s.indexes.mu.Lock()
		for typ, k := range s.indexes.read { // nor is the list read again
			k.until = time.Now().Add(time.Hour)
			s.indexes.read[typ] = k
		}
		s.indexes.mu.Unlock()
		// What the store does in the background may fall between; a call that never
		// gets by with one round trip needs more.
		fewest := int64(1 << 32)
		for i := 3; i < 13 && fewest != 1; i++ {
			before := c.n.Load()
			if err := call(i); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			fewest = min(fewest, int64(c.n.Load()-before))
		}
		if fewest != 1 {
			t.Errorf("%s: %d round trips; want 1", name, fewest)
		}
		time.Sleep(3 * notifyPause)
	}
}
