package scim

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"github.com/musterhq/muster/scim/dialect"
)

// exchange is one HTTP request and its answer. All that a request needs to keep
// is in it, so that it is allocated once.
type exchange struct {
	s         *Server
	w         http.ResponseWriter
	r         *http.Request
	op        Operation
	call      call
	query     query
	endpoint  *endpoint
	isMe      bool // the resource is the caller's own
	base      string
	written   bool
	headers   [3]string // values of headers whose slices point here
	principal Principal
	session   dialect.Session
	ctx       requestContext
}

// requestContext is a request's context that knows who makes the request.
type requestContext struct {
	context.Context
	principal *Principal
}

func (c *requestContext) Value(key any) any {
	if _, ok := key.(principalKey); ok {
		return *c.principal
	}
	return c.Context.Value(key)
}

// ServeHTTP answers a SCIM request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	x := &exchange{s: s, w: w, r: r}
	defer x.recover()
	if err := x.serve(); err != nil {
		x.fail(err)
	}
}

// recover answers for a panic: the client learns nothing of it, the log all.
func (x *exchange) recover() {
	v := recover()
	if v == nil {
		return
	}
	if v == http.ErrAbortHandler || x.written {
		panic(http.ErrAbortHandler) // too late for an answer: break the connection
	}
	x.s.log.ErrorContext(x.r.Context(), "scim: panic", "panic", fmt.Sprint(v), "method", x.r.Method, "stack", string(debug.Stack()))
	x.writeError(&Error{Status: http.StatusInternalServerError})
}

func (x *exchange) serve() error {
	rt, tenant, inside := x.s.route(x.r)
	if !inside {
		return errNoRoute
	}
	if !x.s.publicDiscovery || !rt.discovery() {
		if err := x.authenticate(tenant); err != nil {
			return err
		}
	} else {
		x.principal.Tenant = tenant // for the base URL alone
	}
	if rt.bad {
		return errNoRoute
	}
	if x.r.Method == http.MethodOptions {
		if allow := x.s.allow(rt); allow != "" {
			x.w.Header().Set("Allow", allow)
			x.w.WriteHeader(http.StatusNoContent)
			return nil
		}
		return errNoRoute
	}
	return x.dispatch(rt)
}

func (x *exchange) authenticate(tenant string) error {
	p, err := x.s.auth.Authenticate(x.r)
	if err != nil {
		if own := (*Error)(nil); !errors.Is(err, ErrUnauthorized) && !errors.As(err, &own) {
			x.s.log.ErrorContext(x.r.Context(), "scim: the authenticator failed", "error", err.Error())
		}
		return unauthorized(err)
	}
	if tenant != "" && tenant != p.Tenant {
		return unauthorized(nil)
	}
	x.principal = normal(p)
	return nil
}

// begin prepares the operation of a request on a resource type.
func (x *exchange) begin(m Method, e *endpoint, id string) (context.Context, error) {
	if x.r.URL.RawQuery != "" {
		if err := x.query.parse(x.r.URL.RawQuery); err != nil {
			return nil, err
		}
	}
	x.endpoint = e
	x.op = Operation{Method: m, Type: e.typ, ID: id, Principal: x.principal, Request: x.r, call: &x.call, me: x.isMe}
	if x.r.Header["If-Match"] != nil {
		x.op.IfMatch = strings.Join(x.r.Header["If-Match"], ",")
	}
	if x.r.Header["If-None-Match"] != nil {
		x.op.IfNoneMatch = strings.Join(x.r.Header["If-None-Match"], ",")
	}
	return x.start(), nil
}

// start prepares the session of a request and returns its context.
func (x *exchange) start() context.Context {
	x.session = *x.s.dialectOf(x.principal).Session()
	x.call.session = &x.session
	x.ctx = requestContext{x.r.Context(), &x.principal}
	return &x.ctx
}

// run executes the operation and reports what it relied on.
func (x *exchange) run(ctx context.Context) (*Result, error) {
	res, err := x.s.chain(ctx, &x.op)
	if err == nil && res == nil {
		err = errNoResult
	}
	x.tell(ctx, res, err)
	return res, err
}

// tell reports to the host what a request relied on or lost.
func (x *exchange) tell(ctx context.Context, res *Result, err error) {
	x.op.Principal = x.principal // a search of all types has no operation of its own
	x.s.tell(ctx, &x.op, &x.call, res, err)
}

// fail answers with an error.
func (x *exchange) fail(err error) {
	e := x.s.toError(err)
	x.s.logFailure(x.r, e, err)
	x.writeError(e)
}

// logFailure logs what the client is not told.
func (s *Server) logFailure(r *http.Request, e *Error, err error) {
	if e.Status >= http.StatusInternalServerError && e.Status != http.StatusNotImplemented {
		s.log.ErrorContext(r.Context(), "scim: request failed", "method", r.Method, "status", e.Status, "error", err.Error())
		return
	}
	s.log.DebugContext(r.Context(), "scim: request refused", "method", r.Method, "status", e.Status, "scimType", e.ScimType)
}

func (x *exchange) writeError(e *Error) {
	if e.Status == http.StatusUnauthorized {
		x.w.Header()["Www-Authenticate"] = x.s.challenges
	}
	x.written = true
	writeError(x.w, x.r, e)
}

// WriteError answers with err as a SCIM error, for the host's own middleware
// around the server: rate limits, maintenance. An [*Error] is answered as it is,
// [ErrUnauthorized], [ErrNotFound] and [ErrConflict] with their status, and any
// other error with 500 and no detail; logging it is the caller's affair.
func WriteError(w http.ResponseWriter, r *http.Request, err error) {
	e := (*Server)(nil).toError(err)
	if e.Status == http.StatusUnauthorized && w.Header()["Www-Authenticate"] == nil {
		w.Header().Set("WWW-Authenticate", bearerScheme.Challenge)
	}
	writeError(w, r, e)
}

func writeError(w http.ResponseWriter, r *http.Request, e *Error) {
	h := w.Header()
	h["Content-Type"] = contentType(r)
	h["Cache-Control"] = noStore
	if e.RetryAfter > 0 {
		h.Set("Retry-After", strconv.FormatInt(int64((e.RetryAfter+time.Second-1)/time.Second), 10))
	}
	body := e.appendJSON(make([]byte, 0, 256))
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(e.Status)
	if r.Method != http.MethodHead {
		w.Write(body)
	}
}

// Header values that every answer shares. net/http does not write to them, and
// their capacity leaves no room for anybody's append.
var (
	noStore  = []string{"no-store"}
	scimJSON = []string{"application/scim+json"}
	bareJSON = []string{"application/json"}
)

// contentType is application/scim+json unless the client accepts nothing but
// application/json (RFC 7644 section 3.8).
func contentType(r *http.Request) []string {
	if accept := r.Header["Accept"]; len(accept) == 1 && isType(accept[0], "application/json") && !strings.Contains(accept[0], ",") {
		return bareJSON
	}
	return scimJSON
}

// isType reports whether a media type is the given one, parameters aside.
func isType(value, want string) bool {
	if t, _, ok := strings.Cut(value, ";"); ok {
		value = t
	}
	return strings.EqualFold(strings.TrimSpace(value), want)
}
