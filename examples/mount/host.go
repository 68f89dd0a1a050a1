package main

import (
	"crypto/rand"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/musterhq/muster/scim"
	"github.com/musterhq/muster/storage"
	"github.com/musterhq/muster/storage/memory"
	"go.opentelemetry.io/otel/sdk/trace"
)

// The bearer tokens of two customers.
const (
	tenant, token           = "acme", "secret"
	otherTenant, otherToken = "globex", "other"
)

// host is what the mounts have in common.
type host struct {
	log    *slog.Logger
	store  storage.Store
	auth   scim.Authenticator
	tracer *trace.TracerProvider
	limit  *limiter
	opts   func() []scim.Option
}

// newHost makes a host. Each of its servers gets what opts returns anew, since
// a handler belongs to one server.
func newHost(log *slog.Logger, opts func() []scim.Option) *host {
	// Servers over one store need one key, so that a cursor that one of them gave
	// out works at the others.
	key := make([]byte, 32)
	rand.Read(key)
	return &host{
		log:   log,
		store: memory.New(),
		auth: scim.BearerTokens(map[string]scim.Principal{
			token:      {Tenant: tenant, Connection: "idp", Subject: "token of acme"},
			otherToken: {Tenant: otherTenant, Connection: "idp", Subject: "token of globex"},
		}),
		tracer: trace.NewTracerProvider(trace.WithBatcher(logExporter{log})),
		limit:  newLimiter(10_000, time.Minute, time.Now),
		opts: func() []scim.Option {
			return append(opts(), scim.WithLogger(log), scim.WithCursorKey(key))
		},
	}
}

// plain are no options beyond those that all servers have.
func plain() []scim.Option { return nil }

// server makes a SCIM server over the host's store.
func (h *host) server(opts ...scim.Option) (*scim.Server, error) {
	return scim.New(h.store, h.auth, append(h.opts(), opts...)...)
}

// pages is the host's application, behind its own sign-in.
func pages() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) { fmt.Fprintln(w, "the host's page") })
	return sessions(mux)
}

// sessions lets nobody through who has not signed in. It is what a host has
// anyway, and it must not stand in front of SCIM: an identity provider has a bearer
// token and no cookie, and does not follow a redirect to a form.
func sessions(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if c, err := r.Cookie("session"); err != nil || c.Value != "open" {
			http.Redirect(w, r, "/login", http.StatusSeeOther)
			return
		}
		next.ServeHTTP(w, r)
	})
}
