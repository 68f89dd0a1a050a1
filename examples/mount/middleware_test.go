package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/musterhq/muster/scim"
	"go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
)

// surrounded is a host with all of its middleware; adjust is called before it is
// built.
func surrounded(t *testing.T, log *slog.Logger, adjust func(h *host)) (base string) {
	t.Helper()
	h := newHost(log, plain)
	if adjust != nil {
		adjust(h)
	}
	for _, s := range serve(t, h) {
		if s.name == "middleware" {
			base = s.base
		}
	}
	return base
}

func TestTheLimiterAnswersInSCIMAndLetsPassAfterItsWindow(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	base := surrounded(t, quiet(), func(h *host) { h.limit = newLimiter(2, time.Minute, func() time.Time { return now }) })
	for range 2 {
		if a := ask(t, "GET", base+"/Users", ""); a.status != 200 {
			t.Fatalf("%d %s", a.status, a.body)
		}
	}
	now = now.Add(20 * time.Second)
	if a := ask(t, "GET", base+"/Users", ""); !a.isError(t, 429) || a.header.Get("Retry-After") != "40" {
		t.Errorf("%d %s %s", a.status, a.header, a.body)
	}
	now = now.Add(40 * time.Second)
	if a := ask(t, "GET", base+"/Users", ""); a.status != 200 {
		t.Errorf("after the window: %d %s", a.status, a.body)
	}
}

func TestAnOperationThatTakesTooLongIsAnswered503(t *testing.T) {
	t.Parallel()
	slow := func(ctx context.Context, _ *scim.Operation, _ scim.Next) (*scim.Result, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	srv, err := newHost(quiet(), plain).server(scim.WithInterceptor(slow))
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	r := httptest.NewRequest("GET", "/Users", nil)
	r.Header.Set("Authorization", "Bearer "+token)
	deadline(time.Millisecond)(srv).ServeHTTP(w, r)
	if a := (answer{w.Code, w.Header(), w.Body.String()}); !a.isError(t, 503) || a.header.Get("Retry-After") == "" {
		t.Errorf("%d %s %s", a.status, a.header, a.body)
	}
}

func TestAnswersAreCompressedForThoseWhoAsk(t *testing.T) {
	t.Parallel()
	a := ask(t, "GET", surrounded(t, quiet(), nil)+"/Schemas", "", "Accept-Encoding: gzip")
	if a.status != 200 || a.header.Get("Content-Encoding") != "gzip" {
		t.Fatalf("%d %s", a.status, a.header)
	}
	z, err := gzip.NewReader(strings.NewReader(a.body))
	if err != nil {
		t.Fatal(err)
	}
	if body, err := io.ReadAll(z); err != nil || !json.Valid(body) {
		t.Errorf("%v: %s", err, body)
	}
}

func TestLogsTellWhatWasSentAndNothingOfWhom(t *testing.T) {
	t.Parallel()
	var logged bytes.Buffer
	log := slog.New(slog.NewJSONHandler(&logged, &slog.HandlerOptions{Level: slog.LevelDebug}))
	h := newHost(log, plain)
	srv, err := h.server(scim.WithInterceptor(audit(log)))
	if err != nil {
		t.Fatal(err)
	}
	handler := h.surround(srv)
	send := func(method, path, body string) answer {
		w := httptest.NewRecorder()
		r := httptest.NewRequest(method, path, strings.NewReader(body))
		r.Header.Set("Authorization", "Bearer "+token)
		r.Header.Set("X-Request-Id", "request-17")
		handler.ServeHTTP(w, r)
		if w.Header().Get("X-Request-Id") != "request-17" {
			t.Errorf("%s %s: the id of the request is %q", method, path, w.Header().Get("X-Request-Id"))
		}
		return answer{w.Code, w.Header(), w.Body.String()}
	}
	made := send("POST", "/Users", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada@example.com","password":"hunter2",
		"name":{"givenName":"Ada"},"emails":[{"value":"ada@example.com","primary":true}]}`)
	id := made.member(t, "id")
	send("PATCH", "/Users/"+id, `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[
		{"op":"replace","path":"emails[value eq \"ada@example.com\"].type","value":"work"}]}`)
	send("PATCH", "/Users/"+id, `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[
		{"op":"replace","value":{"emails[value eq \"ada@example.com\"].type":"home"}}]}`)
	send("POST", "/Users", `{"userName": "ada@exa`)
	text := logged.String()
	for _, secret := range []string{"ada", "Ada", "hunter2", token} {
		if strings.Contains(text, secret) {
			t.Errorf("the log holds %q:\n%s", secret, text)
		}
	}
	for _, want := range []string{`"method":"create","type":"User","id":"` + id + `","ok":true`, `\"password\":\"text\"`, `\"path\":\"emails\"`,
		`\"primary\":true`, `"request":"request-17"`, `21 bytes`} {
		if !strings.Contains(text, want) {
			t.Errorf("the log lacks %s:\n%s", want, text)
		}
	}
}

func TestRequestsWithoutAUsableIDGetOne(t *testing.T) {
	t.Parallel()
	base := surrounded(t, quiet(), nil)
	for _, sent := range []string{"", "with spaces", strings.Repeat("x", 65)} {
		var headers []string
		if sent != "" {
			headers = []string{"X-Request-Id: " + sent}
		}
		if got := ask(t, "GET", base+"/Users", "", headers...).header.Get("X-Request-Id"); got == "" || got == sent {
			t.Errorf("%q became %q", sent, got)
		}
	}
}

func TestSpansAreNamedByWhatARequestDoesAndHoldNoPersonalData(t *testing.T) {
	t.Parallel()
	exporter := tracetest.NewInMemoryExporter()
	base := surrounded(t, quiet(), func(h *host) { h.tracer = trace.NewTracerProvider(trace.WithSyncer(exporter)) })
	id := ask(t, "POST", base+"/Users", fmt.Sprintf(user, "ada@example.com")).member(t, "id")
	ask(t, "GET", base+"/Users/"+id, "")
	ask(t, "GET", base+"/Users?filter=userName+eq+%22ada@example.com%22", "")
	ask(t, "GET", base+"/Groups", "")
	ask(t, "DELETE", base+"/Users/none", "")
	ask(t, "GET", base+"/Schemas", "")
	ask(t, "POST", base+"/Bulk", `{"schemas":["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],"Operations":[
		{"method":"POST","path":"/Users","bulkId":"a","data":{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"grace@example.com"}},
		{"method":"DELETE","path":"/Groups/none"}]}`)
	var names []string
	byTrace := map[string][]string{}
	for _, s := range exporter.GetSpans() {
		names = append(names, s.Name)
		byTrace[s.SpanContext.TraceID().String()] = append(byTrace[s.SpanContext.TraceID().String()], s.Name)
		for _, attr := range s.Attributes {
			if text := attr.Value.String(); strings.Contains(text, "ada@") || strings.Contains(text, "grace@") || strings.Contains(text, token) {
				t.Errorf("%s: the attribute %s holds %s", s.Name, attr.Key, text)
			}
		}
	}
	for _, want := range []string{"scim create User", "scim get User", "scim list User", "scim list Group", "scim delete User"} {
		if !slices.Contains(names, want) {
			t.Errorf("no span is named %q: %q", want, names)
		}
	}
	bulk := false
	for _, names := range byTrace {
		bulk = bulk || slices.Contains(names, "scim create User") && slices.Contains(names, "scim delete Group")
	}
	if !bulk {
		t.Errorf("the operations of a bulk request have no spans in one trace: %q", byTrace)
	}
}

// A middleware that recovers http.ErrAbortHandler would end a broken answer as
// if it was whole.
func TestAnAnswerThatBreaksOffDoesNotLookComplete(t *testing.T) {
	t.Parallel()
	for name, wrap := range map[string]func(http.Handler) http.Handler{
		"gin as here": ginEngine, "echo": echoRouter, "chi": chiRouter,
		"all middleware": newHost(quiet(), plain).surround,
	} {
		broken := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprint(w, strings.Repeat(" ", 64<<10))
			http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		})
		if whole(t, wrap(broken), root+"/Users") {
			t.Errorf("%s: the client does not notice", name)
		}
	}
	// What the page on mounting says of gin's own middleware.
	e := gin.New()
	e.Use(gin.RecoveryWithWriter(io.Discard))
	e.GET("/", func(c *gin.Context) {
		fmt.Fprint(c.Writer, strings.Repeat(" ", 64<<10))
		panic(http.ErrAbortHandler)
	})
	if !whole(t, e, "/") {
		t.Error("gin.Recovery has changed: tell so in docs/mounting.md")
	}
}

// whole reports whether a client reads an answer to its end.
func whole(t *testing.T, h http.Handler, path string) bool {
	t.Helper()
	ts := httptest.NewUnstartedServer(h)
	ts.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	ts.Start()
	defer ts.Close()
	resp, err := ts.Client().Get(ts.URL + path)
	if err != nil {
		return false
	}
	defer resp.Body.Close()
	_, err = io.ReadAll(resp.Body)
	return err == nil
}
