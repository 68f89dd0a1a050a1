package wire_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/musterhq/muster/internal/wire"
)

func TestHandlerAndSocketAnswerAlike(t *testing.T) {
	t.Parallel()
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("X-Seen", r.Method+" "+r.RequestURI+" "+r.URL.EscapedPath()+" "+string(body))
		w.WriteHeader(http.StatusTeapot)
		w.Header().Set("X-Late", "never sent")
		w.WriteHeader(http.StatusOK)
		io.WriteString(w, "short and stout")
	})
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	for _, c := range []struct {
		name, base string
		doer       wire.Doer
	}{
		{"in process", "http://scim.test", wire.Handler(h)},
		{"over a socket", srv.URL, wire.NewClient()},
	} {
		req, err := http.NewRequestWithContext(t.Context(), "PATCH", c.base+"//Users/a%2Fb?filter=x+eq+%22y%22", strings.NewReader("{}"))
		if err != nil {
			t.Fatal(err)
		}
		resp, err := c.doer.Do(req)
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		body, err := wire.ReadBody(resp)
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		if got, want := resp.Header.Get("X-Seen"), `PATCH //Users/a%2Fb?filter=x+eq+%22y%22 //Users/a%2Fb {}`; got != want {
			t.Errorf("%s: the handler saw %q, want %q", c.name, got, want)
		}
		if resp.StatusCode != http.StatusTeapot || string(body) != "short and stout" || resp.Header.Get("X-Late") != "" {
			t.Errorf("%s: got %d %q, late header %q", c.name, resp.StatusCode, body, resp.Header.Get("X-Late"))
		}
	}
}

func TestAnswerToHeadHasNoBody(t *testing.T) {
	t.Parallel()
	h := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "body") })
	req, _ := http.NewRequestWithContext(t.Context(), "HEAD", "http://scim.test/", nil)
	resp, err := wire.Handler(h).Do(req)
	if err != nil {
		t.Fatal(err)
	}
	if body, err := wire.ReadBody(resp); err != nil || len(body) != 0 {
		t.Errorf("got %q, %v", body, err)
	}
}

func TestRedirectIsReturnedNotFollowed(t *testing.T) {
	t.Parallel()
	srv := httptest.NewServer(http.RedirectHandler("/elsewhere", http.StatusMovedPermanently))
	t.Cleanup(srv.Close)
	resp, err := wire.NewClient().Get(srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusMovedPermanently {
		t.Errorf("status %d, want 301", resp.StatusCode)
	}
}

func TestPanicOfHandlerIsAnError(t *testing.T) {
	t.Parallel()
	d := wire.Handler(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("boom") }))
	req, _ := http.NewRequestWithContext(t.Context(), "GET", "http://scim.test/", nil)
	if resp, err := d.Do(req); err == nil || resp != nil {
		t.Errorf("got %v, %v; want an error and no response", resp, err)
	}
}

func TestOverlongBodyIsAnError(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		size int64
		ok   bool
	}{{wire.MaxBody, true}, {wire.MaxBody + 1, false}} {
		resp := &http.Response{Body: io.NopCloser(io.LimitReader(zeros{}, c.size))}
		if _, err := wire.ReadBody(resp); (err == nil) != c.ok {
			t.Errorf("%d bytes: error %v", c.size, err)
		}
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }
