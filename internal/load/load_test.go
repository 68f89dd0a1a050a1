package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestOnlyThisMachineIsMeasured(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		base string
		ok   bool
	}{
		{"http://127.0.0.1:8080/scim/v2", true},
		{"http://127.9.9.9", true},
		{"https://[::1]:8443", true},
		{"http://localhost:8080", true},
		{"http://LOCALHOST", true},
		{"http://[::ffff:127.0.0.1]", true},
		{"http://10.0.0.1", false},
		{"http://0.0.0.0:8080", false},
		{"http://scim.example.com", false},
		{"http://localhost.example.com", false},
		{"http://127.0.0.1.example.com", false},
		{"http://u:p@127.0.0.1", false},
		{"http://127.0.0.1?x=1", false},
		{"ftp://127.0.0.1", false},
		{"127.0.0.1:8080", false},
		{"", false},
	} {
		if err := checkLoopback(c.base); (err == nil) != c.ok {
			t.Errorf("%q: error %v", c.base, err)
		}
	}
}

func TestUnusableConfigurationIsRefused(t *testing.T) {
	t.Parallel()
	good := config{base: "http://127.0.0.1", operations: 1, workers: 1, groups: 1, limit: time.Second}
	if err := good.check(); err != nil {
		t.Fatal(err)
	}
	for _, spoil := range []func(*config){
		func(c *config) { c.base = "http://example.com" },
		func(c *config) { c.operations = 0 },
		func(c *config) { c.operations = 10_000_001 },
		func(c *config) { c.workers = 0 },
		func(c *config) { c.workers = 1001 },
		func(c *config) { c.groups = 0 },
		func(c *config) { c.groups = 10_001 },
		func(c *config) { c.limit = 0 },
		func(c *config) { c.limit = 2 * time.Hour },
		func(c *config) { c.phases = []string{"creat"} },
	} {
		c := good
		spoil(&c)
		if err := c.check(); err == nil {
			t.Errorf("%+v was accepted", c)
		}
	}
}

func TestPercentileIsTheNearestRank(t *testing.T) {
	t.Parallel()
	var r result
	for i := range 100 {
		r.times = append(r.times, time.Duration(i+1)*time.Millisecond)
	}
	for _, c := range []struct {
		p    int
		want time.Duration
	}{{50, 50 * time.Millisecond}, {95, 95 * time.Millisecond}, {99, 99 * time.Millisecond}, {100, 100 * time.Millisecond}, {0, time.Millisecond}} {
		if got := r.percentile(c.p); got != c.want {
			t.Errorf("p%d = %v, want %v", c.p, got, c.want)
		}
	}
	one := result{times: []time.Duration{7 * time.Millisecond}}
	if one.percentile(99) != 7*time.Millisecond || (result{}).percentile(50) != 0 {
		t.Error("few operations: wrong percentile")
	}
}

// counter is a server that counts what it is asked, and can be made to fail.
type counter struct {
	mu    sync.Mutex
	calls map[string]int
	names map[string]string // userName to id
	fail  string            // a call that is answered 500
}

func (s *counter) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	body, _ := io.ReadAll(r.Body)
	endpoint, id, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	call := r.Method + " " + endpoint
	switch {
	case r.URL.Query().Has("filter"):
		call = "lookup"
	case strings.Contains(string(body), `"value":false`):
		call = "deactivate"
	}
	s.calls[call]++
	if call == s.fail {
		http.Error(w, "no", http.StatusInternalServerError)
		return
	}
	switch call {
	case "POST Users":
		var user struct{ UserName string }
		if err := json.Unmarshal(body, &user); err != nil || s.names[user.UserName] != "" {
			http.Error(w, "bad or known user", http.StatusConflict)
			return
		}
		s.names[user.UserName] = fmt.Sprintf("id/%d", s.calls[call])
		w.WriteHeader(http.StatusCreated)
		json.NewEncoder(w).Encode(map[string]string{"id": s.names[user.UserName]})
	case "POST Groups":
		w.WriteHeader(http.StatusCreated)
		io.WriteString(w, `{"id":"g"}`)
	case "lookup":
		name := strings.Trim(strings.TrimPrefix(r.URL.Query().Get("filter"), "userName eq "), `"`)
		json.NewEncoder(w).Encode(map[string]any{"Resources": []any{map[string]string{"id": s.names[name]}}})
	case "DELETE Users":
		for name, known := range s.names {
			if known == id {
				delete(s.names, name)
			}
		}
		w.WriteHeader(http.StatusNoContent)
	default:
		if !json.Valid(body) && len(body) > 0 {
			http.Error(w, "bad JSON", http.StatusBadRequest)
		}
	}
}

func start(t *testing.T, fail string) (*counter, config) {
	t.Helper()
	s := &counter{calls: map[string]int{}, names: map[string]string{}, fail: fail}
	srv := httptest.NewServer(s)
	t.Cleanup(srv.Close)
	return s, config{base: srv.URL, token: "t", operations: 20, workers: 3, groups: 2, limit: time.Minute}
}

func TestEveryPhaseRunsAndCleansUp(t *testing.T) {
	t.Parallel()
	s, cfg := start(t, "")
	var out strings.Builder
	if err := run(t.Context(), cfg, &out); err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	want := map[string]int{
		"POST Users": 20, "GET Users": 40, "lookup": 20, "PATCH Users": 20, "deactivate": 20,
		"POST Groups": 2, "PATCH Groups": 20, "DELETE Users": 20, "DELETE Groups": 2,
	}
	for call, n := range want {
		if s.calls[call] != n {
			t.Errorf("%s: %d calls, want %d", call, s.calls[call], n)
		}
	}
	if len(s.names) != 0 {
		t.Errorf("%d users were left behind", len(s.names))
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) != 1+len(phases) {
		t.Fatalf("printed\n%s", out.String())
	}
	for i, p := range phases {
		if f := strings.Fields(lines[i+1]); f[0] != p.name || f[1] != "20" || f[2] != "0" {
			t.Errorf("line %q, want %s with 20 done and none failed", lines[i+1], p.name)
		}
	}
}

func TestFailuresAreCountedAndShown(t *testing.T) {
	t.Parallel()
	_, cfg := start(t, "lookup")
	cfg.phases = []string{"lookup"}
	var out strings.Builder
	if err := run(t.Context(), cfg, &out); err != nil {
		t.Fatal(err)
	}
	text := out.String()
	if !strings.Contains(text, "first error: GET: 500") || strings.Contains(text, "create") {
		t.Errorf("printed\n%s", text)
	}
	if f := strings.Fields(strings.Split(text, "\n")[1]); f[1] != "0" || f[2] != "20" {
		t.Errorf("done and failed are %s and %s, want 0 and 20", f[1], f[2])
	}
}

func TestServerThatCreatesNothingIsAnError(t *testing.T) {
	t.Parallel()
	s, cfg := start(t, "POST Users")
	if err := run(t.Context(), cfg, io.Discard); err == nil {
		t.Error("no error")
	}
	if s.calls["DELETE Groups"] != 2 {
		t.Error("the groups were left behind")
	}
}

func TestPhaseEndsWithItsTimeOrItsContext(t *testing.T) {
	t.Parallel()
	slow := func(context.Context, int) error { time.Sleep(2 * time.Millisecond); return nil }
	cfg := config{operations: 1_000_000, workers: 2, limit: 30 * time.Millisecond}
	if r := measure(t.Context(), cfg, "x", slow); len(r.times) == 0 || len(r.times) > 1000 || r.took > 10*time.Second {
		t.Errorf("%d operations in %v", len(r.times), r.took)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	cfg.limit = time.Hour
	if r := measure(ctx, cfg, "x", slow); len(r.times) != 0 {
		t.Errorf("%d operations after the context had ended", len(r.times))
	}
}
