package scim_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/musterhq/muster/scim"
	"github.com/musterhq/muster/scim/schema"
	"github.com/musterhq/muster/storage"
)

// haywire is a table whose methods do something else first.
type haywire struct {
	*teams
	first func(context.Context) error
}

func (h *haywire) Get(ctx context.Context, tenant, id string) (*scim.Resource, error) {
	if err := h.first(ctx); err != nil {
		return nil, err
	}
	return h.teams.Get(ctx, tenant, id)
}

func (h *haywire) List(ctx context.Context, req *scim.ListRequest) (*scim.ListPage, error) {
	if err := h.first(ctx); err != nil {
		return nil, err
	}
	return h.teams.List(ctx, req)
}

func (h *haywire) Create(ctx context.Context, tenant string, r *scim.Resource) (*scim.Resource, error) {
	if err := h.first(ctx); err != nil {
		return nil, err
	}
	return h.teams.Create(ctx, tenant, r)
}

func (h *haywire) Links(ctx context.Context, q *storage.LinkQuery) ([]storage.Link, error) {
	if err := h.first(ctx); err != nil {
		return nil, err
	}
	return h.teams.Links(ctx, q)
}

func (h *haywire) EditLinks(ctx context.Context, w *scim.LinkedWrite) (*scim.LinkedResult, error) {
	if err := h.first(ctx); err != nil {
		return nil, err
	}
	return h.teams.EditLinks(ctx, w)
}

// calls are requests that lead to every kind of call of a groups handler.
func calls(t *testing.T, srv *scim.Server) map[string]func() *answer {
	request := func(line, body string) func() *answer {
		return func() *answer { return send(t, srv, line, body) }
	}
	add := patchBody(`[{"op":"add","path":"members","value":[{"value":"x","type":"Group"}]}]`)
	return map[string]func() *answer{
		"get": request("GET /Groups/g", ""), "list": request("GET /Groups", ""), "create": request("POST /Groups", groupWith("G")),
		"patch": request("PATCH /Groups/g", add), "delete": request("DELETE /Groups/g", ""),
		"of a user": request("GET /Users", ""), "by group": request("GET /Users?filter=groups+pr", ""),
	}
}

func TestHandlersThatPanicAreAnsweredAndLogged(t *testing.T) {
	t.Parallel()
	for name, first := range map[string]func(context.Context) error{
		"panic":  func(context.Context) error { panic("table groups: secret") },
		"exit":   func(context.Context) error { runtime.Goexit(); return nil },
		"broken": func(context.Context) error { return errors.New("table groups: secret") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var log bytes.Buffer
			h := &haywire{newTeams(nil), func(context.Context) error { return nil }}
			srv := newServer(t, scim.WithHandler(schema.Group(), h), scim.WithLogger(slog.New(slog.NewTextHandler(&log, nil))))
			newUser(t, srv, "ada")
			h.first = first
			for call, do := range calls(t, srv) {
				log.Reset()
				a := do()
				a.wantError(t, 500, "")
				if strings.Contains(a.Body.String(), "secret") {
					t.Errorf("%s: the answer shows what went wrong: %s", call, a.Body)
				}
				if name != "exit" && !strings.Contains(log.String(), "secret") || name == "panic" && !strings.Contains(log.String(), "hosted_test.go") {
					t.Errorf("%s: the log does not tell: %s", call, log.String())
				}
			}
			if _, err := srv.Directory().Get(t.Context(), "", scim.Ref{Type: "Group", ID: "g"}); err == nil {
				t.Error("the directory finds no fault")
			}
			if len(h.rows) != 0 {
				t.Errorf("%d rows", len(h.rows))
			}
		})
	}
}

func TestAHandlerThatIsLateIsGivenUp(t *testing.T) {
	t.Parallel()
	for name, first := range map[string]func(context.Context, <-chan struct{}) error{
		"minds its context": func(ctx context.Context, _ <-chan struct{}) error { <-ctx.Done(); return ctx.Err() },
		"never returns":     func(_ context.Context, end <-chan struct{}) error { <-end; return errors.New("much too late") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				end := make(chan struct{})
				defer synctest.Wait()
				defer close(end)
				h := &haywire{newTeams(nil), func(context.Context) error { return nil }}
				srv := newServer(t, scim.WithHandler(schema.Group(), h), scim.WithLimits(scim.Limits{Handler: 4 * time.Second}))
				newUser(t, srv, "ada")
				h.first = func(ctx context.Context) error { return first(ctx, end) }
				for call, do := range calls(t, srv) {
					start := time.Now()
					a := do()
					a.wantError(t, 503, "")
					if a.Header().Get("Retry-After") == "" {
						t.Errorf("%s: no Retry-After", call)
					}
					if took := time.Since(start); took > 5*time.Second {
						t.Errorf("%s: answered after %v", call, took)
					}
				}
				if len(h.rows) != 0 {
					t.Errorf("%d rows", len(h.rows))
				}
			})
		})
	}
}

func TestAHandlerHasThirtySeconds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := &haywire{newTeams(nil), nil}
		srv := newServer(t, scim.WithHandler(schema.Group(), h))
		h.first = func(ctx context.Context) error { time.Sleep(30*time.Second - 1); return ctx.Err() }
		send(t, srv, "GET /Groups", "").want(t, 200)
		h.first = func(ctx context.Context) error { time.Sleep(30*time.Second + 1); return ctx.Err() }
		send(t, srv, "GET /Groups", "").want(t, 503)
	})
}

// A client that goes away does not cut a call short: what the handler did is known.
func TestACallGoesOnWhenTheClientIsGone(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	h := &haywire{newTeams(nil), func(context.Context) error { cancel(); return nil }}
	srv := newServer(t, scim.WithHandler(schema.Group(), h))
	var heard int
	srv.Subscribe(func(context.Context, scim.Event) { heard++ })
	op := &scim.Operation{Method: scim.Create, Type: srv.Type("Group"), NoContent: true, Resource: scim.NewResource(srv.Type("Group")).Set("displayName", "G").Resource()}
	if _, err := srv.Do(ctx, scim.Principal{}, op); err != nil && !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	if len(h.rows) != 1 || heard != 1 {
		t.Errorf("%d rows, %d events", len(h.rows), heard)
	}
}

// breaking is a table whose rows end with an error.
type breaking struct{ *table }

func (h breaking) List(_ context.Context, req *scim.ListRequest) (*scim.ListPage, error) {
	return scim.Page(req, func(yield func(*scim.Resource, error) bool) {
		for r, err := range h.all() {
			if !yield(r, err) {
				return
			}
		}
		yield(nil, errors.New("connection lost"))
	})
}

func TestHalfAListIsNone(t *testing.T) {
	t.Parallel()
	h := breaking{newTable()}
	srv := newServer(t, scim.WithHandler(schema.User(), h))
	newUser(t, srv, "ada")
	for _, path := range []string{"/Users", "/Users?filter=userName+eq+%22ada%22", "/Users?count=0", "/Users?cursor", "/"} {
		send(t, srv, "GET "+path, "").wantError(t, 500, "")
	}
}

// resultsOf is a table of which writes return something else.
type resultsOf struct {
	*table
	result func(*scim.Resource) *scim.Resource
}

func (h resultsOf) Create(ctx context.Context, tenant string, r *scim.Resource) (*scim.Resource, error) {
	kept, err := h.table.Create(ctx, tenant, r)
	return h.result(kept), err
}

func (h resultsOf) Replace(ctx context.Context, tenant string, r *scim.Resource) (*scim.Resource, error) {
	kept, err := h.table.Replace(ctx, tenant, r)
	return h.result(kept), err
}

func TestWritesThatReturnNothingOfUseFail(t *testing.T) {
	t.Parallel()
	other := newServer(t).Type("User")
	for name, result := range map[string]func(*scim.Resource) *scim.Resource{
		"nothing":          func(*scim.Resource) *scim.Resource { return nil },
		"without an id":    func(r *scim.Resource) *scim.Resource { return r.WithMeta(scim.Meta{}) },
		"another server's": func(r *scim.Resource) *scim.Resource { return scim.NewResource(other).Meta(r.Meta()).Resource() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := resultsOf{newTable(), result}
			srv := newServer(t, scim.WithHandler(schema.User(), h))
			heard := 0
			srv.Subscribe(func(context.Context, scim.Event) { heard++ })
			send(t, srv, "POST /Users", fmt.Sprintf(userBody, "ada")).wantError(t, 500, "")
			send(t, srv, "PATCH /Users/row-1", patchBody(`[{"op":"replace","path":"title","value":"Dr"}]`)).wantError(t, 500, "")
			if heard != 0 {
				t.Errorf("%d events for writes that are not known to be made", heard)
			}
		})
	}
}

func TestIDsOfAHandlerAreComparedToTheLetter(t *testing.T) {
	t.Parallel()
	h := anyCase{newTable()}
	srv := newServer(t, scim.WithHandler(schema.User(), h))
	send(t, srv, "POST /Users", fmt.Sprintf(userBody, "ada")).want(t, 201)
	send(t, srv, "GET /Users/row-1", "").want(t, 200)
	send(t, srv, "GET /Users/ROW-1", "").wantError(t, 404, "")
	send(t, srv, "PUT /Users/ROW-1", fmt.Sprintf(userBody, "bob")).wantError(t, 404, "")
	send(t, srv, "DELETE /Users/ROW-1", "").wantError(t, 404, "")
	if name := h.rows["row-1"].String("userName"); name != "ada" {
		t.Errorf("the user is %s now", name)
	}
}

// anyCase is a table whose keys a database compares in any case.
type anyCase struct{ *table }

func (h anyCase) Get(ctx context.Context, tenant, id string) (*scim.Resource, error) {
	return h.table.Get(ctx, tenant, strings.ToLower(id))
}

func TestAWriteThatReturnsAnotherResourceFails(t *testing.T) {
	t.Parallel()
	h := resultsOf{newTable(), func(r *scim.Resource) *scim.Resource {
		m := r.Meta()
		if m.ID == "row-1" && r.String("title") != "" {
			m.ID = "row-2"
		}
		return r.WithMeta(m)
	}}
	srv := newServer(t, scim.WithHandler(schema.User(), h))
	send(t, srv, "POST /Users", fmt.Sprintf(userBody, "ada")).want(t, 201)
	send(t, srv, "PATCH /Users/row-1", patchBody(`[{"op":"replace","path":"title","value":"Dr"}]`)).wantError(t, 500, "")
}

func TestAPageHasNoMoreResourcesThanItsTotal(t *testing.T) {
	t.Parallel()
	for _, total := range []int{0, scim.UnknownTotal, -2} {
		h := totalOf{newTable(), total}
		srv := newServer(t, scim.WithHandler(schema.User(), h))
		send(t, srv, "POST /Users", fmt.Sprintf(userBody, "ada")).want(t, 201)
		send(t, srv, "GET /Users", "").wantError(t, 500, "")
	}
}

// totalOf is a table that counts wrongly.
type totalOf struct {
	*table
	total int
}

func (h totalOf) List(ctx context.Context, req *scim.ListRequest) (*scim.ListPage, error) {
	page, err := h.table.List(ctx, req)
	page.Total = h.total
	return page, err
}

// A host's error that is no answer is not sent as one.
func TestErrorsThatSayNothingAreAnswered500(t *testing.T) {
	t.Parallel()
	var none *scim.Error
	for name, err := range map[string]error{
		"no status": &scim.Error{Detail: "secret"}, "a good status": scim.Errorf(204, "", "secret"), "no such status": scim.Errorf(1000, "", "secret"), "nil": none,
	} {
		h := faulty{err: err}
		a := send(t, newServer(t, scim.WithHandler(schema.User(), h)), "GET /Users/x", "")
		a.wantError(t, 500, "")
		guarded := send(t, newServer(t, scim.WithGuard(func(context.Context, scim.Principal, []scim.Effect) error { return err })), "POST /Users", fmt.Sprintf(userBody, "ada"))
		guarded.wantError(t, 500, "")
		if text := a.Body.String() + guarded.Body.String(); strings.Contains(text, "secret") {
			t.Errorf("%s: %s", name, text)
		}
	}
}

// plain is a table without versions.
type plain struct{ *table }

func bare(r *scim.Resource, err error) (*scim.Resource, error) {
	if err != nil {
		return nil, err
	}
	return r.WithMeta(scim.Meta{ID: r.ID()}), nil
}

func (h plain) Get(ctx context.Context, tenant, id string) (*scim.Resource, error) {
	return bare(h.table.Get(ctx, tenant, id))
}

func (h plain) Create(ctx context.Context, tenant string, r *scim.Resource) (*scim.Resource, error) {
	return bare(h.table.Create(ctx, tenant, r))
}

func (h plain) Replace(ctx context.Context, tenant string, r *scim.Resource) (*scim.Resource, error) {
	if v := r.Meta().Version; v != "" {
		return nil, fmt.Errorf("a version %q that is not the handler's", v)
	}
	h.mu.Lock()
	cur := h.rows[r.ID()]
	h.mu.Unlock()
	return bare(h.table.Replace(ctx, tenant, r.WithMeta(cur.Meta())))
}

func (h plain) List(_ context.Context, req *scim.ListRequest) (*scim.ListPage, error) {
	return scim.Page(req, func(yield func(*scim.Resource, error) bool) {
		for r, err := range h.all() {
			if !yield(bare(r, err)) {
				return
			}
		}
	})
}

func TestTheContentIsTheVersionWhereAHandlerKeepsNone(t *testing.T) {
	t.Parallel()
	srv := newServer(t, scim.WithHandler(schema.User(), plain{newTable()}))
	a := send(t, srv, "POST /Users", fmt.Sprintf(userBody, "ada")).want(t, 201)
	id, first := a.id(), etag(a)
	if got := etag(send(t, srv, "GET /Users/"+id, "")); first == "" || got != first {
		t.Errorf("created in version %s, read in %s", first, got)
	}
	send(t, srv, "GET /Users/"+id, "", "If-None-Match: "+first).want(t, 304)
	for _, r := range send(t, srv, "GET /Users?sortBy=meta.version", "").want(t, 200).json["Resources"].([]any) {
		if got := r.(map[string]any)["meta"].(map[string]any)["version"]; got != first {
			t.Errorf("version %v in the list, %s alone", got, first)
		}
	}
	second := etag(send(t, srv, "PATCH /Users/"+id, patchBody(`[{"op":"replace","path":"title","value":"Dr"}]`), "If-Match: "+first).want(t, 200))
	if second == first {
		t.Error("another content in the same version")
	}
	send(t, srv, "PUT /Users/"+id, fmt.Sprintf(userBody, "ada"), "If-Match: "+first).want(t, 412)
	send(t, srv, "PATCH /Users/"+id, patchBody(`[{"op":"remove","path":"title"}]`)).want(t, 200)
	if got := etag(send(t, srv, "GET /Users/"+id, "")); got != first {
		t.Errorf("the old content is in version %s, was in %s", got, first)
	}
	send(t, srv, "DELETE /Users/"+id, "", "If-Match: "+second).want(t, 412)
}

func TestAResourceThatWasBuiltWithMistakesIsRefused(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	h := newTable()
	srv := newServer(t, scim.WithHandler(schema.User(), h), scim.WithLogger(slog.New(slog.NewTextHandler(&log, nil))))
	h.rows["1"] = scim.NewResource(srv.Type("User")).Meta(scim.Meta{ID: "1"}).Set("userNmae", "ada").Resource()
	send(t, srv, "GET /Users/1", "").wantError(t, 500, "")
	send(t, srv, "GET /Users", "").wantError(t, 500, "")
	if !strings.Contains(log.String(), "userNmae") {
		t.Errorf("the log does not say what is wrong: %s", log.String())
	}
	op := &scim.Operation{Method: scim.Create, Type: srv.Type("User"), Resource: scim.NewResource(srv.Type("User")).Set("userName", "ada").Set("active", "yes").Resource()}
	if _, err := srv.Do(t.Context(), scim.Principal{}, op); err == nil {
		t.Error("Do takes it")
	}
}
