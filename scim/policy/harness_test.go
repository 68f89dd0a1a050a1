package policy_test

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/musterhq/muster/scim"
	"github.com/musterhq/muster/scim/schema"
	"github.com/musterhq/muster/storage"
	"github.com/musterhq/muster/storage/memory"
)

// clock is a time that only the test moves.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// place is where a server keeps users: in its store, or in a table of the host.
type place struct {
	name  string
	table *table // nil: in the store
	opts  []scim.Option
}

// places are the kinds of places, each new and empty.
func places() []*place {
	tab := &table{rows: map[tenantRow]*scim.Resource{}}
	return []*place{{name: "store"}, {name: "table", table: tab, opts: []scim.Option{scim.WithHandler(schema.User(), tab)}}}
}

// everywhere runs a test over each kind of place.
func everywhere(t *testing.T, f func(t *testing.T, p *place)) {
	t.Helper()
	for _, p := range places() {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			f(t, p)
		})
	}
}

func (p *place) server(t testing.TB, opts ...scim.Option) *server {
	t.Helper()
	return newServer(t, memory.New(), append(p.opts, opts...)...)
}

type server struct {
	*scim.Server
	t testing.TB
}

// newServer makes a server whose tokens "acme", "okta" and "other" stand for the
// tenant acme with its connection "entra", its connection "okta", and another tenant.
func newServer(t testing.TB, store storage.Store, opts ...scim.Option) *server {
	t.Helper()
	tokens := map[string]scim.Principal{
		"acme":  {Tenant: "acme", Connection: "entra"},
		"okta":  {Tenant: "acme", Connection: "okta"},
		"other": {Tenant: "other", Connection: "entra"},
		"me":    {Tenant: "acme", Connection: "entra", OnlyMe: true},
	}
	quiet := scim.WithLogger(slog.New(slog.NewTextHandler(io.Discard, nil)))
	srv, err := scim.New(store, scim.BearerTokens(tokens), append([]scim.Option{quiet}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	return &server{srv, t}
}

type answer struct {
	t      testing.TB
	what   string
	status int
	header http.Header
	body   string
	json   map[string]any
}

// send makes a request as "METHOD /path", with the token "acme" or another one.
func (s *server) send(request, body string, token ...string) *answer {
	s.t.Helper()
	method, path, _ := strings.Cut(request, " ")
	r := httptest.NewRequest(method, "http://scim.test"+path, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/scim+json")
	r.Header.Set("Authorization", "Bearer "+cmp.Or(strings.Join(token, ""), "acme"))
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	a := &answer{t: s.t, what: request, status: w.Code, header: w.Header(), body: w.Body.String()}
	if w.Body.Len() > 0 {
		if err := json.Unmarshal(w.Body.Bytes(), &a.json); err != nil {
			s.t.Errorf("%s: the answer is not JSON: %v\n%s", request, err, w.Body)
		}
	}
	return a
}

func (a *answer) want(status int) *answer {
	a.t.Helper()
	if a.status != status {
		a.t.Fatalf("%s: status %d, want %d\n%s", a.what, a.status, status, a.body)
	}
	return a
}

func (a *answer) id() string { s, _ := a.json["id"].(string); return s }

func (a *answer) detail() string { s, _ := a.json["detail"].(string); return s }

// user is the body of a user; more are further members, each behind a comma.
func user(name string, more ...string) string {
	return fmt.Sprintf(`{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":%q%s}`, name, strings.Join(more, ""))
}

func patchOf(ops string) string {
	return `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":` + ops + `}`
}

func (s *server) create(name string, more ...string) string {
	s.t.Helper()
	return s.send("POST /Users", user(name, more...)).want(201).id()
}

const off = `,"active":false`

// way is one of the ways in which clients set active.
type way struct {
	name string
	do   func(s *server, id, name string, active bool) int
}

// ways are all of them; each answers the status.
func ways() []way {
	bulk := func(s *server, method, path, data string) int {
		s.t.Helper()
		a := s.send("POST /Bulk", fmt.Sprintf(
			`{"schemas":["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],"Operations":[{"method":%q,"path":%q,"data":%s}]}`, method, path, data)).want(200)
		status, err := strconv.Atoi(a.json["Operations"].([]any)[0].(map[string]any)["status"].(string))
		if err != nil {
			s.t.Error(err)
		}
		return status
	}
	set := func(active bool) string { return fmt.Sprintf(`,"active":%v`, active) }
	return []way{
		{"PUT", func(s *server, id, name string, active bool) int {
			return s.send("PUT /Users/"+id, user(name, set(active))).status
		}},
		{"PATCH with a path", func(s *server, id, _ string, active bool) int {
			return s.send("PATCH /Users/"+id, patchOf(fmt.Sprintf(`[{"op":"replace","path":"active","value":%v}]`, active))).status
		}},
		{"PATCH without a path", func(s *server, id, _ string, active bool) int {
			return s.send("PATCH /Users/"+id, patchOf(fmt.Sprintf(`[{"op":"replace","value":{"active":%v}}]`, active))).status
		}},
		{"PATCH with text", func(s *server, id, _ string, active bool) int {
			return s.send("PATCH /Users/"+id, patchOf(fmt.Sprintf(`[{"op":"Add","path":"active","value":"%v"}]`, active))).status
		}},
		{"bulk PATCH", func(s *server, id, _ string, active bool) int {
			return bulk(s, "PATCH", "/Users/"+id, patchOf(fmt.Sprintf(`[{"op":"replace","path":"active","value":%v}]`, active)))
		}},
		{"bulk PUT", func(s *server, id, name string, active bool) int {
			return bulk(s, "PUT", "/Users/"+id, user(name, set(active)))
		}},
	}
}

// table serves users from a map, as a host does from a table of its own.
type table struct {
	mu   sync.Mutex
	next int
	rows map[tenantRow]*scim.Resource
	// before, when set, runs before each write, without the lock.
	before func() error
}

type tenantRow struct{ tenant, id string }

func (h *table) Get(_ context.Context, tenant, id string) (*scim.Resource, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if r := h.rows[tenantRow{tenant, id}]; r != nil {
		return r, nil
	}
	return nil, scim.ErrNotFound
}

func (h *table) List(_ context.Context, req *scim.ListRequest) (*scim.ListPage, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return scim.Page(req, func(yield func(*scim.Resource, error) bool) {
		for row, r := range h.rows {
			if row.tenant == req.Tenant && !yield(r, nil) {
				return
			}
		}
	})
}

// write makes one write: of a new row when id is "".
func (h *table) write(tenant, id, ifVersion string, f func(next string) (*scim.Resource, error)) (*scim.Resource, error) {
	if h.before != nil {
		if err := h.before(); err != nil {
			return nil, err
		}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if cur := h.rows[tenantRow{tenant, id}]; id != "" && cur == nil {
		return nil, scim.ErrNotFound
	} else if id != "" && ifVersion != "" && cur.Meta().Version != ifVersion {
		return nil, scim.ErrConflict
	}
	h.next++
	return f(strconv.Itoa(h.next))
}

func (h *table) Create(_ context.Context, tenant string, r *scim.Resource) (*scim.Resource, error) {
	return h.write(tenant, "", "", func(next string) (*scim.Resource, error) {
		name := schema.Fold(r.String("userName"))
		for row, other := range h.rows {
			if row.tenant == tenant && schema.Fold(other.String("userName")) == name {
				return nil, scim.NotUnique("userName")
			}
		}
		r = r.WithMeta(scim.Meta{ID: next, Version: next})
		h.rows[tenantRow{tenant, next}] = r
		return r, nil
	})
}

func (h *table) Replace(_ context.Context, tenant string, r *scim.Resource) (*scim.Resource, error) {
	return h.write(tenant, r.ID(), r.Meta().Version, func(next string) (*scim.Resource, error) {
		r = r.WithMeta(scim.Meta{ID: r.ID(), Version: next})
		h.rows[tenantRow{tenant, r.ID()}] = r
		return r, nil
	})
}

func (h *table) Delete(_ context.Context, tenant, id, ifVersion string) error {
	_, err := h.write(tenant, id, ifVersion, func(string) (*scim.Resource, error) {
		delete(h.rows, tenantRow{tenant, id})
		return nil, nil
	})
	return err
}
