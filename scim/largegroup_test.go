package scim_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"

	"github.com/musterhq/muster/scim"
	"github.com/musterhq/muster/storage"
	"github.com/musterhq/muster/storage/memory"
)

// vastStore is a store in which every group has very many members, none of which
// is anywhere in memory.
type vastStore struct {
	storage.Store
	members int
	failAt  int // the member whose page cannot be read; 0: none
	largest int // links in one page
	read    int
}

var errDisk = errors.New("the disk is on fire")

func (s *vastStore) Links(ctx context.Context, q *storage.LinkQuery) (links []storage.Link, err error) {
	if q.Relation.Name != "members" || q.Inverse {
		return s.Store.Links(ctx, q)
	}
	for _, of := range q.Of {
		next := 0
		if q.After.ID != "" {
			fmt.Sscanf(q.After.ID, "u%d", &next)
			next++
		}
		for n := 0; next < s.members && (q.Limit == 0 || n < q.Limit); n++ {
			if s.failAt > 0 && next >= s.failAt {
				return nil, errDisk
			}
			l := storage.Link{Of: of, To: storage.Ref{Type: "User", ID: fmt.Sprintf("u%08d", next)}}
			if q.Labels {
				l.Label = "Somebody"
			}
			links = append(links, l)
			next++
		}
	}
	s.read += len(links)
	s.largest = max(s.largest, len(links))
	return links, nil
}

func vastServer(t testing.TB, st *vastStore, opts ...scim.Option) (h http.Handler, group string) {
	t.Helper()
	st.Store = memory.New()
	members := st.members
	st.members = 0
	srv, err := scim.New(st, scim.BearerToken("secret"), append([]scim.Option{scim.WithLogger(slog.New(slog.DiscardHandler))}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	group = send(t, srv, "POST /Groups", fmt.Sprintf(groupBody, "everybody")).want(t, 201).id()
	st.members = members
	return srv, group
}

// crowdCounter is a client that counts members and looks at the memory in use.
type crowdCounter struct {
	header  http.Header
	code    int
	bytes   int
	members int
	pieces  int
	base    uint64
	most    uint64
}

func (s *crowdCounter) Header() http.Header { return s.header }
func (s *crowdCounter) WriteHeader(code int) {
	s.code = code
}
func (s *crowdCounter) Write(p []byte) (int, error) {
	s.bytes += len(p)
	s.members += strings.Count(string(p), `"value":`)
	if s.pieces++; s.pieces%200 == 0 {
		now := heap()
		s.most = max(s.most, now-min(s.base, now))
	}
	return len(p), nil
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// Not parallel: other tests would be measured too.
func TestAMillionMembersAreSentInLittleMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("writes some 100 MB")
	}
	const million = 1_000_000
	st := &vastStore{members: million}
	h, group := vastServer(t, st, scim.WithBaseURL("https://scim.test/v2"))
	for _, path := range []string{"/Groups/" + group, "/Groups"} {
		st.largest = 0
		w := &crowdCounter{header: http.Header{}}
		r := httptest.NewRequest("GET", path, nil)
		r.Header.Set("Authorization", "Bearer secret")
		w.base = heap()
		h.ServeHTTP(w, r)
		if w.code != 200 || w.members != million {
			t.Fatalf("%s: status %d with %d members", path, w.code, w.members)
		}
		if w.header.Get("Content-Length") != "" {
			t.Errorf("%s: the answer has a length before it is known", path)
		}
		t.Logf("%s: %d bytes in %d pieces, at most %d KB held", path, w.bytes, w.pieces, w.most>>10)
		if w.most > 4<<20 {
			t.Errorf("%s: %d KB were held", path, w.most>>10)
		}
		if st.largest > 20_000 {
			t.Errorf("%s: %d links were read at once", path, st.largest)
		}
	}
}

func TestALongGroupArrivesWholeOverHTTP(t *testing.T) {
	t.Parallel()
	st := &vastStore{members: 25_000}
	h, group := vastServer(t, st)
	server := httptest.NewServer(h)
	defer server.Close()
	get := func(method, path string) (*http.Response, []byte) {
		r, err := http.NewRequestWithContext(t.Context(), method, server.URL+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer secret")
		res, err := server.Client().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		body, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		return res, body
	}
	var g struct {
		Members []struct{ Value, Display string }
		Meta    struct{ Version string }
	}
	res, body := get("GET", "/Groups/"+group)
	if err := json.Unmarshal(body, &g); err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, m := range g.Members {
		seen[m.Value] = true
	}
	if len(seen) != st.members || len(g.Members) != st.members {
		t.Errorf("%d members, %d different ones", len(g.Members), len(seen))
	}
	if g.Members[999].Display == "" || g.Members[1000].Display != "" {
		t.Error("the display is shown for other members than the first 1,000")
	}
	if g.Meta.Version == "" || res.Header.Get("ETag") != g.Meta.Version {
		t.Errorf("ETag %q, meta.version %q", res.Header.Get("ETag"), g.Meta.Version)
	}
	if res, body := get("HEAD", "/Groups/"+group); res.StatusCode != 200 || len(body) > 0 || res.Header.Get("ETag") == "" {
		t.Errorf("HEAD: %d, %d bytes", res.StatusCode, len(body))
	}
	st.read = 0
	if _, body := get("GET", "/Groups/"+group+"?excludedAttributes=members"); strings.Contains(string(body), "members") || st.read > 0 {
		t.Errorf("without members: %d links were read, %s", st.read, body)
	}
}

func TestAnAnswerThatCannotBeCompletedIsBrokenOff(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		failAt int
		begun  bool
	}{
		{"before the first byte", 1, false},
		{"midway", 20_000, true},
	} {
		st := &vastStore{members: 25_000, failAt: c.failAt}
		h, group := vastServer(t, st)
		server := httptest.NewServer(h)
		r, err := http.NewRequestWithContext(t.Context(), "GET", server.URL+"/Groups/"+group, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer secret")
		res, err := server.Client().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(res.Body)
		res.Body.Close()
		server.Close()
		switch {
		case !c.begun && (res.StatusCode != 500 || err != nil || res.Header.Get("ETag") != ""):
			t.Errorf("%s: status %d, error %v", c.name, res.StatusCode, err)
		case c.begun && err == nil:
			t.Errorf("%s: the client got an answer that looks complete, %d bytes", c.name, len(body))
		case c.begun && json.Valid(body):
			t.Errorf("%s: what the client got is a whole document", c.name)
		}
	}
}

func TestALimitOnMembersLeavesThemOutAltogether(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		members, limit int
		shown          bool
	}{
		{0, 3, true}, {3, 3, true}, {4, 3, false}, {1000, 1000, true}, {1001, 1000, false}, {5000, 5000, true}, {5001, 5000, false},
	} {
		h, group := vastServer(t, &vastStore{members: c.members}, scim.WithLimits(scim.Limits{MembersShown: c.limit}))
		g := send(t, h, "GET /Groups/"+group, "").want(t, 200)
		list, ok := g.json["members"].([]any)
		if ok != c.shown || c.shown && len(list) != c.members {
			t.Errorf("%d members, at most %d shown: %d are, or the attribute is there: %v", c.members, c.limit, len(list), ok)
		}
	}
}
