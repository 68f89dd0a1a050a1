package scim_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/musterhq/muster/scim"
)

// docs/performance.md says what each bar is and how to read a ratio. A benchmark
// X has its floor beside it as FloorX.

func entraBody(tb testing.TB) []byte {
	tb.Helper()
	b, err := os.ReadFile("resource/testdata/user.json")
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

// userNamed returns the body with another userName.
func userNamed(tb testing.TB, body []byte, name string) []byte {
	tb.Helper()
	var v map[string]any
	if err := json.Unmarshal(body, &v); err != nil {
		tb.Fatal(err)
	}
	old, _ := v["userName"].(string)
	return bytes.Replace(body, []byte(strconv.Quote(old)), []byte(strconv.Quote(name)), 1)
}

// sink is a response writer that costs next to nothing, so that what is measured
// is the server and not a recorder.
type sink struct {
	h      http.Header
	status int
	bytes  int
}

func (s *sink) Header() http.Header         { return s.h }
func (s *sink) WriteHeader(status int)      { s.status = status }
func (s *sink) Write(b []byte) (int, error) { s.bytes += len(b); return len(b), nil }

// client sends one kind of request again and again without net/http.
type client struct {
	tb   testing.TB
	h    http.Handler
	r    *http.Request
	body *bytes.Reader
	w    sink
	want int
}

func newClient(tb testing.TB, h http.Handler, method, path string, want int) *client {
	c := &client{tb: tb, h: h, body: bytes.NewReader(nil), want: want, w: sink{h: http.Header{}}}
	c.r = httptest.NewRequest(method, "http://scim.test"+path, nil)
	c.r.Header.Set("Authorization", "Bearer secret")
	c.r.Header.Set("Content-Type", "application/scim+json")
	c.r.Body = io.NopCloser(c.body)
	return c
}

func (c *client) send(body []byte) {
	c.body.Reset(body)
	c.r.ContentLength = int64(len(body))
	clear(c.w.h)
	c.w.status = 0
	c.h.ServeHTTP(&c.w, c.r)
	if c.w.status != c.want {
		c.tb.Fatalf("status %d, want %d", c.w.status, c.want)
	}
}

// fill creates users user0@example.com … with the Entra body and returns their ids.
func fill(tb testing.TB, srv *scim.Server, n int) []string {
	tb.Helper()
	body := entraBody(tb)
	ids := make([]string, n)
	for i := range ids {
		ids[i] = createUser(tb, srv, userNamed(tb, body, fmt.Sprintf("user%d@example.com", i)))
	}
	return ids
}

func createUser(tb testing.TB, srv http.Handler, body []byte) string {
	tb.Helper()
	return send(tb, srv, "POST /Users", string(body)).want(tb, 201).id()
}

func BenchmarkCreate(b *testing.B) {
	srv := newServer(b)
	c := newClient(b, srv, "POST", "/Users", 201)
	before, after, _ := strings.Cut(string(userNamed(b, entraBody(b), "@@")), "@@")
	body := make([]byte, 0, 2048)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		body = append(body[:0], before...)
		body = strconv.AppendInt(body, int64(i), 10)
		body = append(body, after...)
		c.send(body)
	}
}

func BenchmarkFloorMapRoundTrip(b *testing.B) {
	body := entraBody(b)
	b.ReportAllocs()
	for b.Loop() {
		var v map[string]any
		if err := json.Unmarshal(body, &v); err != nil {
			b.Fatal(err)
		}
		if _, err := json.Marshal(v); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkPatchActiveAndDisplayName(b *testing.B) {
	srv := newServer(b)
	id := createUser(b, srv, entraBody(b))
	c := newClient(b, srv, "PATCH", "/Users/"+id, 200)
	bodies := [2][]byte{}
	for i := range bodies {
		bodies[i] = []byte(patchBody(fmt.Sprintf(`[{"op":"replace","path":"active","value":%t},{"op":"replace","path":"displayName","value":"Name %d"}]`, i == 0, i)))
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		c.send(bodies[i&1])
	}
}

func BenchmarkGet(b *testing.B) {
	srv := newServer(b)
	c := newClient(b, srv, "GET", "/Users/"+createUser(b, srv, entraBody(b)), 200)
	b.ReportAllocs()
	for b.Loop() {
		c.send(nil)
	}
}

// sizes are the numbers of resources at which growth is measured. The largest one
// takes a while to fill: MUSTER_BENCH_LARGE=1 adds it.
func sizes() []int {
	if os.Getenv("MUSTER_BENCH_LARGE") != "" {
		return []int{1_000, 10_000, 100_000, 1_000_000}
	}
	return []int{1_000, 10_000, 100_000}
}

func BenchmarkGrowth(b *testing.B) {
	for _, n := range sizes() {
		srv := newServer(b)
		ids := fill(b, srv, n)
		group := send(b, srv, "POST /Groups", fmt.Sprintf(groupBody, "Everybody")).want(b, 201).id()
		var members strings.Builder
		for i, id := range ids[:n-1] {
			if members.Len() > 0 {
				members.WriteByte(',')
			}
			fmt.Fprintf(&members, `{"value":%q}`, id)
			if i%10_000 == 9_999 || i == n-2 {
				send(b, srv, "PATCH /Groups/"+group, patchBody(`[{"op":"add","path":"members","value":[`+members.String()+`]}]`)).want(b, 204)
				members.Reset()
			}
		}
		run := func(name, method, path string, want int, bodies ...string) {
			b.Run(fmt.Sprintf("%s/%d", name, n), func(b *testing.B) {
				c := newClient(b, srv, method, path, want)
				b.ReportAllocs()
				for i := 0; b.Loop(); i++ {
					var body []byte
					if len(bodies) > 0 {
						body = []byte(bodies[i%len(bodies)])
					}
					c.send(body)
				}
			})
		}
		run("GetByID", "GET", "/Users/"+ids[n/2], 200)
		run("FindByUserName", "GET", fmt.Sprintf("/Users?filter=userName+eq+%%22user%d@example.com%%22", n/2), 200)
		run("MemberAddAndRemove", "PATCH", "/Groups/"+group, 204,
			patchBody(fmt.Sprintf(`[{"op":"add","path":"members","value":[{"value":%q}]}]`, ids[n-1])),
			patchBody(fmt.Sprintf(`[{"op":"remove","path":"members[value eq \"%s\"]"}]`, ids[n-1])))
		run("GroupsWithoutMembers", "GET", "/Groups?excludedAttributes=members", 200)
		run("FirstPage", "GET", "/Users?count=100", 200)
	}
}

// Over loopback, with net/http on both sides.

func loopback(b *testing.B, h http.Handler, path string) {
	ts := httptest.NewServer(h)
	defer ts.Close()
	get := func() {
		r, err := http.NewRequestWithContext(context.Background(), "GET", ts.URL+path, nil)
		if err != nil {
			b.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer secret")
		resp, err := ts.Client().Do(r)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, resp.Body); err != nil || resp.StatusCode != 200 {
			b.Fatal(resp.Status, err)
		}
		resp.Body.Close()
	}
	b.ReportAllocs()
	for b.Loop() {
		get()
	}
}

// keptBytes serves the same bytes as h does for path, kept.
func keptBytes(b *testing.B, h http.Handler, path string) http.Handler {
	kept := send(b, h, "GET "+path, "").want(b, 200).Body.Bytes()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/scim+json")
		w.Header().Set("Content-Length", strconv.Itoa(len(kept)))
		w.Write(kept)
	})
}

func BenchmarkGetLoopback(b *testing.B) {
	srv := newServer(b)
	loopback(b, srv, "/Users/"+createUser(b, srv, entraBody(b)))
}

func BenchmarkFloorGetLoopback(b *testing.B) {
	srv := newServer(b)
	path := "/Users/" + createUser(b, srv, entraBody(b))
	loopback(b, keptBytes(b, srv, path), path)
}

func BenchmarkListLoopback(b *testing.B) {
	srv := newServer(b)
	fill(b, srv, 1000)
	loopback(b, srv, "/Users?count=100")
}

func BenchmarkFloorListLoopback(b *testing.B) {
	srv := newServer(b)
	fill(b, srv, 1000)
	loopback(b, keptBytes(b, srv, "/Users?count=100"), "/Users?count=100")
}
