package scim_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/musterhq/muster/scim"
	"github.com/musterhq/muster/storage/memory"
)

func TestPanicsOfTheHostsFunctionsAreAnsweredAndLogged(t *testing.T) {
	t.Parallel()
	const what = "secret inside"
	boom := func() { panic(what) }
	tests := []struct {
		name    string
		auth    scim.Authenticator
		opt     scim.Option
		request string
		body    string
	}{
		{"authenticator", scim.AuthenticatorFunc(func(*http.Request) (scim.Principal, error) { boom(); return scim.Principal{}, nil }), nil, "GET /Users", ""},
		{"interceptor", nil, scim.WithInterceptor(func(context.Context, *scim.Operation, scim.Next) (*scim.Result, error) { boom(); return nil, nil }), "GET /Users", ""},
		{"guard", nil, scim.WithGuard(func(context.Context, scim.Principal, []scim.Effect) error { boom(); return nil }), "POST /Users", fmt.Sprintf(userBody, "lovelace")},
		{"password", nil, scim.WithPassword(func(context.Context, scim.Principal, *scim.Resource, string) error { boom(); return nil }), "POST /Users", `{"userName":"lovelace","password":"xyzzy plugh"}`},
		{"sharing", nil, scim.WithSharing(func(string) bool { boom(); return true }), "GET /Users", ""},
		{"nil dereference", nil, scim.WithInterceptor(func(context.Context, *scim.Operation, scim.Next) (*scim.Result, error) {
			var r *scim.Result
			return &scim.Result{Total: r.Total}, nil
		}), "GET /Users", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var log bytes.Buffer
			auth := test.auth
			if auth == nil {
				auth = scim.BearerToken("secret")
			}
			srv, err := scim.New(memory.New(), auth, test.opt, scim.WithLogger(slog.New(slog.NewTextHandler(&log, nil))))
			if err != nil {
				t.Fatal(err)
			}
			a := send(t, srv, test.request, test.body)
			a.wantError(t, 500, "")
			if strings.Contains(a.Body.String(), what) {
				t.Errorf("the answer shows the panic: %s", a.Body)
			}
			if got := log.String(); !strings.Contains(got, "stack=") || !strings.Contains(got, "panic_test.go") {
				t.Errorf("the log has no stack:\n%s", got)
			}
			if got := log.String(); strings.Contains(got, "lovelace") || strings.Contains(got, "xyzzy") {
				t.Errorf("the log holds what the client sent:\n%s", got)
			}
		})
	}
}

// A guard that panics is as good as one that refuses.
func TestNothingIsWrittenWhenAGuardPanics(t *testing.T) {
	t.Parallel()
	srv := newServer(t, scim.WithGuard(func(context.Context, scim.Principal, []scim.Effect) error { panic("x") }))
	send(t, srv, "POST /Users", fmt.Sprintf(userBody, "ada")).want(t, 500)
	if got := send(t, srv, "GET /Users", "").get("totalResults"); got != 0.0 {
		t.Errorf("%v users", got)
	}
}

func TestAnAbortOfTheHandlerIsPassedOn(t *testing.T) {
	t.Parallel()
	srv := newServer(t, scim.WithInterceptor(func(context.Context, *scim.Operation, scim.Next) (*scim.Result, error) {
		panic(http.ErrAbortHandler)
	}))
	defer func() {
		if v := recover(); v != http.ErrAbortHandler {
			t.Errorf("recovered %v", v)
		}
	}()
	send(t, srv, "GET /Users", "")
}

func TestErrorsOfTheHostsFunctionsAreAnsweredByTheirMeaning(t *testing.T) {
	t.Parallel()
	own := &scim.Error{Status: 418, ScimType: scim.InvalidValue, Detail: "a sentence of the host"}
	tests := []struct {
		name     string
		err      error
		status   int
		scimType string
		detail   string
	}{
		{"an Error", own, 418, "invalidValue", "a sentence of the host"},
		{"a wrapped Error", fmt.Errorf("inside: %w", own), 418, "invalidValue", "a sentence of the host"},
		{"an Error with a cause", scim.Errorf(403, "", "no %s are left", "seats").WithCause(errors.New("inside")), 403, "", "no seats are left"},
		{"not found", fmt.Errorf("inside: %w", scim.ErrNotFound), 404, "", ""},
		{"unauthorized", scim.ErrUnauthorized, 401, "", ""},
		{"not unique", scim.NotUnique("userName"), 409, "uniqueness", ""},
		{"a time-out", fmt.Errorf("inside: %w", context.DeadlineExceeded), 503, "", ""},
		{"anything else", errors.New("inside: password=x"), 500, "", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			srv := newServer(t, scim.WithGuard(func(context.Context, scim.Principal, []scim.Effect) error { return test.err }))
			a := send(t, srv, "POST /Users", fmt.Sprintf(userBody, "ada"))
			a.wantError(t, test.status, test.scimType)
			if strings.Contains(a.Body.String(), "inside") {
				t.Errorf("the answer shows the cause: %s", a.Body)
			}
			if test.detail != "" && a.get("detail") != test.detail {
				t.Errorf("detail %q", a.get("detail"))
			}
			if test.status == 503 && a.Header().Get("Retry-After") == "" {
				t.Error("no Retry-After")
			}
		})
	}
}

func TestInterceptorsThatAnswerNothingAreAFault(t *testing.T) {
	t.Parallel()
	srv := newServer(t, scim.WithInterceptor(func(context.Context, *scim.Operation, scim.Next) (*scim.Result, error) { return nil, nil }))
	send(t, srv, "GET /Users", "").wantError(t, 500, "")
}

func TestWriteErrorServesTheHostsMiddleware(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		err    error
		accept string
		status int
		header string
		value  string
	}{
		{"a rate limit", &scim.Error{Status: 429, Detail: "too many requests; slow down", RetryAfter: 30e9}, "", 429, "Retry-After", "30"},
		{"unauthorized", scim.ErrUnauthorized, "", 401, "WWW-Authenticate", `Bearer realm="SCIM"`},
		{"not found", scim.ErrNotFound, "", 404, "Cache-Control", "no-store"},
		{"conflict", scim.ErrConflict, "", 412, "Content-Type", "application/scim+json"},
		{"an inner error", errors.New("inside"), "application/json", 500, "Content-Type", "application/json"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { scim.WriteError(w, r, test.err) })
			a := send(t, h, "GET /Users", "", "Accept: "+test.accept).want(t, test.status)
			if got := a.Header().Get(test.header); got != test.value {
				t.Errorf("%s: %q, want %q", test.header, got, test.value)
			}
			if a.get("status") != fmt.Sprint(test.status) || strings.Contains(a.Body.String(), "inside") {
				t.Errorf("%s", a.Body)
			}
		})
	}
	w := httptest.NewRecorder()
	w.Header().Set("WWW-Authenticate", "Negotiate")
	scim.WriteError(w, httptest.NewRequest("GET", "/", nil), scim.ErrUnauthorized)
	if got := w.Header().Values("WWW-Authenticate"); len(got) != 1 || got[0] != "Negotiate" {
		t.Errorf("the host's challenge was changed: %q", got)
	}
}
