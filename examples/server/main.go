// Command server is a SCIM server as one deploys it: several tenants, time-outs,
// structured logs, graceful shutdown, custom schemas from a file.
//
//	server -store postgres://muster@db.example/app -token acme=SECRET -token globex=OTHER -base-url https://scim.example/scim/v2
//
// The flags:
//
//	-addr ADDRESS      where it listens, 127.0.0.1:8080
//	-path PATH         of the service root, /scim/v2
//	-base-url URL      of the service root as clients see it, when a proxy stands in front
//	-token TENANT=TOKEN
//	                   a bearer token and whose it is, or just TOKEN; may be repeated.
//	                   Without any, "secret" lets everybody in who knows this line
//	-store WHERE       memory, which is forgotten; sqlite:FILE; or postgres://USER@HOST:PORT/DB
//	-migrate=false     leaves the tables of the store as they are
//	-schema FILE       further schemas and resource types, as the RFC's JSON
//	-strict            no tolerance for clients that stray from the RFCs
//	-timeout TIME      that a request may take, 50s. Then what it does is called off, and it
//	                   is answered 503 with Retry-After; connections last 10s longer. A
//	                   database that says nothing is so noticed too. Choose less than what
//	                   the proxy in front and the clients wait
//
// SIGINT and SIGTERM let requests come to their end. Once a day, what was deleted
// longer ago than the retention time is purged.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/musterhq/muster/scim"
	"github.com/musterhq/muster/scim/dialect"
	"github.com/musterhq/muster/scim/schema"
	"github.com/musterhq/muster/storage"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "server:", err)
		os.Exit(1)
	}
}

// config is what the flags say.
type config struct {
	addr, path, store, schema, baseURL string
	strict, migrate                    bool
	timeout                            time.Duration
	tokens                             tokens
}

func parse(args []string) (c config, err error) {
	f := flag.NewFlagSet("server", flag.ContinueOnError)
	f.StringVar(&c.addr, "addr", "127.0.0.1:8080", "`address` to listen on")
	f.StringVar(&c.path, "path", "/scim/v2", "`path` of the service root")
	f.StringVar(&c.store, "store", "memory", "`where` records are kept: memory, sqlite:FILE or postgres://USER@HOST:PORT/DB")
	f.BoolVar(&c.migrate, "migrate", true, "make and upgrade the tables of the store at the start")
	f.StringVar(&c.schema, "schema", "", "`file` with further schemas and resource types, as the RFC's JSON")
	f.StringVar(&c.baseURL, "base-url", "", "public `URL` of the service root, when a proxy stands in front")
	f.DurationVar(&c.timeout, "timeout", 50*time.Second, "`time` that a request may take, such as 10s; then it is answered 503")
	f.BoolVar(&c.strict, "strict", false, "no tolerance for clients that stray from the RFCs")
	f.Var(&c.tokens, "token", "bearer token, `TENANT=TOKEN` or just TOKEN; may be repeated")
	if err := f.Parse(args); err != nil {
		return c, err
	}
	if f.NArg() > 0 {
		return c, fmt.Errorf("unexpected argument %q", f.Arg(0))
	}
	if c.timeout <= 0 {
		return c, errors.New("the timeout must be more than 0")
	}
	if len(c.tokens) == 0 {
		c.tokens = tokens{"secret": {}}
	}
	return c, nil
}

func run(args []string) error {
	c, err := parse(args)
	if errors.Is(err, flag.ErrHelp) {
		return nil
	}
	if err != nil {
		return err
	}
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	store, err := openStore(context.Background(), c.store, c.migrate)
	if err != nil {
		return err
	}
	defer func() {
		if err := store.Close(); err != nil {
			log.Error("closing the store", "error", err)
		}
	}()
	handler, err := c.handler(store, log)
	if err != nil {
		return err
	}
	ln, err := net.Listen("tcp", c.addr)
	if err != nil {
		return err
	}
	server := &http.Server{
		Handler:           logged(log, bounded(c.timeout, handler)),
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       time.Minute,
		WriteTimeout:      c.timeout + 10*time.Second, // leaves time for the answer
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	served := make(chan error, 1)
	go func() { served <- server.Serve(ln) }()
	go purge(ctx, handler, c.tokens, log)
	base := "http://" + ln.Addr().String() + strings.TrimRight(c.path, "/")
	fmt.Printf("listening on %s\ntry: curl -H 'Authorization: Bearer %s' %s/Users\n", base, c.tokens.example(), base)
	select {
	case err := <-served:
		return err
	case <-ctx.Done():
	}
	stop() // a second signal ends the program at once
	// Requests under way get the time that the identity provider would wait.
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	log.Info("stopping")
	return server.Shutdown(ctx)
}

// handler builds the SCIM server.
func (c *config) handler(store storage.Store, log *slog.Logger) (*scim.Server, error) {
	opts := []scim.Option{
		scim.WithPathPrefix(c.path),
		scim.WithLogger(log),
		scim.WithReport(func(ctx context.Context, r scim.Report) {
			log.InfoContext(ctx, "tolerated", "tenant", r.Principal.Tenant, "method", r.Method, "type", r.Type,
				"rules", r.Rules, "ignored", len(r.Ignored), "dropped", len(r.Dropped))
		}),
	}
	if c.strict {
		opts = append(opts, scim.WithDialect(dialect.Strict()))
	}
	if c.baseURL != "" {
		opts = append(opts, scim.WithBaseURL(c.baseURL))
	}
	if c.schema != "" {
		data, err := os.ReadFile(c.schema)
		if err != nil {
			return nil, err
		}
		_, types, err := schema.ParseFile(data)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", c.schema, err)
		}
		for _, t := range types {
			opts = append(opts, scim.WithResourceType(t))
		}
	}
	return scim.New(store, scim.BearerTokens(c.tokens), opts...)
}

// purge ends tombstones that are older than the server keeps them, once a day.
func purge(ctx context.Context, srv *scim.Server, tokens tokens, log *slog.Logger) {
	tenants := map[string]bool{}
	for _, p := range tokens {
		tenants[p.Tenant] = true
	}
	day := time.NewTicker(24 * time.Hour)
	defer day.Stop()
	for {
		for tenant := range tenants {
			if n, err := srv.Purge(ctx, tenant); err != nil && ctx.Err() == nil {
				log.Error("purging tombstones", "tenant", tenant, "error", err)
			} else if n > 0 {
				log.Info("tombstones purged", "tenant", tenant, "count", n)
			}
		}
		select {
		case <-day.C:
		case <-ctx.Done():
			return
		}
	}
}

// bounded ends what a request waits for, such as a database that does not answer,
// before the client or the connection gives up.
func bounded(timeout time.Duration, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), timeout)
		defer cancel()
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}

// logged writes a line for each request. Paths hold ids and queries personal
// data, so neither is logged.
func logged(log *slog.Logger, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rec := &recorder{ResponseWriter: w, status: http.StatusOK}
		start := time.Now()
		next.ServeHTTP(rec, r)
		log.Info("request", "method", r.Method, "status", rec.status, "duration", time.Since(start))
	})
}

type recorder struct {
	http.ResponseWriter
	status int
}

func (r *recorder) WriteHeader(status int) {
	r.status = status
	r.ResponseWriter.WriteHeader(status)
}

func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

// tokens is a repeatable flag.
type tokens map[string]scim.Principal

func (t *tokens) String() string { return "" } // never the tokens

func (t *tokens) Set(v string) error {
	tenant, token, ok := strings.Cut(v, "=")
	if !ok {
		tenant, token = "", v
	}
	// TENANT=$TOKEN with the variable unset must not make a token of the tenant's name.
	if strings.Trim(token, "=") == "" {
		return errors.New("a token cannot be empty; one without a tenant that ends in = is written =TOKEN")
	}
	if *t == nil {
		*t = tokens{}
	}
	if _, ok := (*t)[token]; ok {
		return errors.New("the same token stands twice")
	}
	(*t)[token] = scim.Principal{Tenant: tenant}
	return nil
}

// example is what a person may try: the built-in token, or a placeholder for one
// of their own.
func (t tokens) example() string {
	if _, ok := t["secret"]; ok && len(t) == 1 {
		return "secret"
	}
	return "TOKEN"
}
