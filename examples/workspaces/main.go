// Command workspaces shows how groups become workspaces and roles: it is a host with
// workspaces of its own, and plays an identity provider that pushes groups to it over
// HTTP, some named by the convention ("ws-Sales-role-admin"), some mapped by rows of
// a table. It prints every grant, change and revocation.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"time"

	"github.com/musterhq/muster/roles"
	"github.com/musterhq/muster/scim"
	"github.com/musterhq/muster/storage"
	"github.com/musterhq/muster/storage/memory"
	"github.com/musterhq/muster/storage/sqlite"
)

func main() {
	file := flag.String("file", "", "SQLite `file` to keep everything in; empty keeps it in memory")
	flag.Parse()
	if err := run(context.Background(), *file, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "workspaces:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, file string, out io.Writer) error {
	if file == "" {
		return play(ctx, memory.New(), "acme", out)
	}
	store, err := sqlite.Open(file)
	if err != nil {
		return err
	}
	defer store.Close()
	return play(ctx, store, "acme", out)
}

// settings are what this host's customer chose: rows of the table, and the convention.
var settings = roles.Settings{Table: true, Convention: &roles.Convention{}}

// play runs the whole life of a few workspaces.
func play(ctx context.Context, store storage.Store, tenant string, out io.Writer) error {
	srv, err := scim.New(store, tenantOf{scim.BearerToken("secret"), tenant})
	if err != nil {
		return err
	}
	h := newHost()
	h.directory = srv.Directory()
	rec, err := roles.New(srv.Directory(), h,
		roles.WithSettings(settings), roles.WithWorkspaces(h.find), roles.WithObserver(h.note),
		roles.WithLimits(roles.Limits{Losing: 50, GainingHighest: 10, Window: time.Hour}),
		roles.WithLogger(slog.New(slog.DiscardHandler)))
	if err != nil {
		return err
	}
	defer srv.Subscribe(rec.Handle)()
	web := httptest.NewServer(srv)
	defer web.Close()
	// A host runs rec.Run(ctx, tenant) in the background. Here rec.Sync after each
	// request takes its place, so that what is printed belongs to what was sent.
	d := &idp{ctx: ctx, base: web.URL, out: out, after: func() error {
		err := rec.Sync(ctx, tenant)
		h.print(out)
		return err
	}}
	return d.tell(rec, tenant)
}

// tenantOf puts every caller into one tenant.
type tenantOf struct {
	scim.Authenticator
	tenant string
}

// Authenticate implements scim.Authenticator.
func (t tenantOf) Authenticate(r *http.Request) (scim.Principal, error) {
	p, err := t.Authenticator.Authenticate(r)
	p.Tenant = t.tenant
	return p, err
}
