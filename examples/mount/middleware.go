package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/go-chi/chi/v5/middleware"
	"github.com/musterhq/muster/scim"
	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
)

// surround puts around a server what a host has, the innermost first. Only SCIM
// passes through it, so its errors may be SCIM's.
func (h *host) surround(srv http.Handler) http.Handler {
	compress := middleware.Compress(5, "application/scim+json", "application/json") // chi's default knows only the second
	for _, wrap := range []func(http.Handler) http.Handler{
		deadline(50 * time.Second),
		compress,
		bodies(h.log),
		limited(h.limit),
		identified,
		otelhttp.NewMiddleware("scim", otelhttp.WithTracerProvider(h.tracer)),
	} {
		srv = wrap(srv)
	}
	return srv
}

// deadline ends what an operation waits for, such as a database that does not
// answer; the server answers 503 with Retry-After. http.TimeoutHandler is not made
// for this: it keeps the whole answer in memory, and its own is not JSON.
func deadline(after time.Duration) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			ctx, cancel := context.WithTimeout(r.Context(), after)
			defer cancel()
			next.ServeHTTP(w, r.WithContext(ctx))
		})
	}
}

type requestIDKey struct{}

// identified gives each request an id, that of the caller where it is fit for
// logs.
func identified(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := r.Header.Get("X-Request-Id")
		if len(id) > 64 || strings.Trim(id, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_") != "" || id == "" {
			id = rand.Text()
		}
		w.Header().Set("X-Request-Id", id)
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), requestIDKey{}, id)))
	})
}

// audit logs who did what to which resource. An interceptor knows the caller and
// the operation, each one of a bulk request too, where middleware sees a path and a
// body. Ids are random; names and addresses stay out of the log.
func audit(log *slog.Logger) scim.Interceptor {
	return func(ctx context.Context, op *scim.Operation, next scim.Next) (*scim.Result, error) {
		res, err := next(ctx, op)
		if op.Method.Writes() {
			id := op.ID
			if res != nil && res.Resource != nil {
				id = res.Resource.Meta().ID
			}
			log.InfoContext(ctx, "scim write", "request", ctx.Value(requestIDKey{}), "tenant", op.Principal.Tenant,
				"connection", op.Principal.Connection, "method", op.Method, "type", op.Type.Name(), "id", id, "ok", err == nil)
		}
		return res, err
	}
}

// limiter allows each key so many requests in a window. What it remembers is
// dropped with the window.
type limiter struct {
	most   int
	window time.Duration
	now    func() time.Time

	mu    sync.Mutex
	began time.Time
	seen  map[string]int
}

func newLimiter(most int, window time.Duration, now func() time.Time) *limiter {
	return &limiter{most: most, window: window, now: now, seen: map[string]int{}}
}

// wait counts a request and returns how long the caller has to wait, 0 when the
// request may pass.
func (l *limiter) wait(key string) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	if now.Sub(l.began) >= l.window {
		l.began = now
		clear(l.seen)
	}
	if l.seen[key] == l.most {
		return l.began.Add(l.window).Sub(now)
	}
	l.seen[key]++
	return 0
}

// limited bounds the requests of one address, before anything is spent on them.
// Identity providers come back after Retry-After and lose nothing. A limit for each
// tenant belongs into an interceptor, which knows the tenant.
func limited(l *limiter) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			address, _, _ := net.SplitHostPort(r.RemoteAddr)
			if wait := l.wait(address); wait > 0 {
				scim.WriteError(w, r, &scim.Error{
					Status: http.StatusTooManyRequests, Detail: "too many requests from this address; try again later", RetryAfter: wait,
				})
				return
			}
			next.ServeHTTP(w, r)
		})
	}
}

// bodies logs what clients send, at level Debug, as shapes: which members, of
// which types, with which operations and paths, and no value, since bodies hold
// personal data and passwords. Headers hold the token and are not looked at.
func bodies(log *slog.Logger) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if !log.Enabled(r.Context(), slog.LevelDebug) {
				next.ServeHTTP(w, r)
				return
			}
			sent := &tee{ReadCloser: r.Body}
			r.Body = sent
			next.ServeHTTP(w, r)
			log.DebugContext(r.Context(), "scim body", "request", r.Context().Value(requestIDKey{}), "method", r.Method, "body", sent.shape())
		})
	}
}

// tee keeps the beginning of a body as the server reads it. Reading it ahead
// would let callers without a token fill the memory.
type tee struct {
	io.ReadCloser
	kept bytes.Buffer
	size int64
}

func (t *tee) Read(p []byte) (int, error) {
	const most = 64 << 10
	n, err := t.ReadCloser.Read(p)
	t.kept.Write(p[:min(n, most-t.kept.Len())])
	t.size += int64(n)
	return n, err
}

// shape is the body without its values.
func (t *tee) shape() string {
	var v any
	if t.size == 0 || json.Unmarshal(t.kept.Bytes(), &v) != nil {
		return fmt.Sprintf("%d bytes", t.size)
	}
	text, err := json.Marshal(masked("", v))
	if err != nil {
		return fmt.Sprintf("%d bytes", t.size)
	}
	return string(text)
}

// masked replaces the values of JSON by their types, but for the few members of
// the protocol that say what is asked for.
func masked(name string, v any) any {
	switch v := v.(type) {
	case map[string]any:
		shape := map[string]any{}
		for name, member := range v {
			shape[unfiltered(name)] = masked(name, member)
		}
		return shape
	case []any:
		for i := range v {
			v[i] = masked(name, v[i])
		}
		return v
	case string:
		switch strings.ToLower(name) {
		case "schemas", "op":
			return v
		case "path":
			return unfiltered(v)
		}
		return "text"
	case float64:
		return "number"
	}
	return v // true, false and null
}

// unfiltered is a path of PATCH without the filter in it, which may name a person.
func unfiltered(path string) string {
	path, _, _ = strings.Cut(path, "[")
	return path
}
