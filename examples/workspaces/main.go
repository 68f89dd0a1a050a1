// Command workspaces shows how groups become workspaces and roles: it is a host with
// workspaces of its own, and plays an identity provider that pushes groups to it over
// HTTP, some named by the convention ("ws-Sales-role-admin"), some mapped by rows of
// a table. It prints every grant, change and revocation.
//
// With -listen it serves SCIM for an identity provider of yours, or for curl, instead
// of playing one.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net/http/httptest"
	"os"
	"os/signal"
	"time"

	"github.com/musterhq/muster/roles"
	"github.com/musterhq/muster/scim"
	"github.com/musterhq/muster/storage"
)

// tenant is the one customer that this host has.
const tenant = "acme"

func main() {
	where := flag.String("store", "memory", "`where` everything is kept: memory, sqlite:FILE or postgres://USER@HOST:PORT/DB")
	listen := flag.String("listen", "", "`address` to serve SCIM at, with the token \"secret\", until it is interrupted; empty plays a story instead")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *where, *listen, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "workspaces:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, where, listen string, out io.Writer) error {
	store, end, err := open(ctx, where)
	if err != nil {
		return err
	}
	defer end()
	if listen != "" {
		return serve(ctx, store, listen, out)
	}
	return play(ctx, store, tenant, out)
}

// settings are what this host's customer chose: rows of the table, and the convention.
var settings = roles.Settings{Table: true, Convention: &roles.Convention{}}

// connect puts server, host and reconciler together.
func connect(store storage.Store, tenant string, h *host) (*scim.Server, *roles.Reconciler, error) {
	srv, err := scim.New(store, scim.BearerTokens(map[string]scim.Principal{"secret": {Tenant: tenant}}))
	if err != nil {
		return nil, nil, err
	}
	h.directory = srv.Directory()
	rec, err := roles.New(srv.Directory(), h,
		roles.WithSettings(settings), roles.WithWorkspaces(h.find), roles.WithObserver(h.note),
		roles.WithLimits(roles.Limits{Losing: 50, GainingHighest: 10, Window: time.Hour}),
		roles.WithLogger(slog.New(slog.DiscardHandler)), // the host prints what happens
		roles.WithLease(time.Second))                    // so that another process soon goes on when this one is killed
	if err != nil {
		return nil, nil, err
	}
	srv.Subscribe(rec.Handle)
	return srv, rec, nil
}

// play runs the whole life of a few workspaces.
func play(ctx context.Context, store storage.Store, tenant string, out io.Writer) error {
	h := newHost()
	srv, rec, err := connect(store, tenant, h)
	if err != nil {
		return err
	}
	web := httptest.NewServer(srv)
	defer web.Close()
	// A host runs rec.Run(ctx, tenant) in the background, as serve does. Here rec.Sync
	// after each request takes its place, so that what is printed belongs to what was
	// sent.
	d := &idp{ctx: ctx, base: web.URL, out: out, after: func() error {
		err := rec.Sync(ctx, tenant)
		h.print(out)
		return err
	}}
	return d.tell(rec, tenant)
}
