// Command mount serves one directory of users and groups through the routers
// that Go programs use, all in one process: net/http with its ServeMux and with
// scim.Mount, chi, gin, echo, a path that names the tenant, and a proxy that strips
// a prefix. Beside SCIM each of them serves pages of the host, which ask for a
// session. It prints a line of curl for each.
//
// The file routers.go has one function for each router, middleware.go what a host
// puts around a server, tracing.go the spans of OpenTelemetry.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/gin-gonic/gin"
)

func main() {
	addr := flag.String("addr", "127.0.0.1:8080", "`address` of the first router; the others listen on the ports behind it")
	flag.Parse()
	gin.SetMode(gin.ReleaseMode)
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *addr, os.Stdout, log); err != nil {
		fmt.Fprintln(os.Stderr, "mount:", err)
		os.Exit(1)
	}
}

// run serves every mount until ctx ends.
func run(ctx context.Context, addr string, out io.Writer, log *slog.Logger) error {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return err
	}
	first, err := strconv.Atoi(port)
	if err != nil {
		return fmt.Errorf("the port of %s must be a number", addr)
	}
	h := newHost(log, plain)
	sites := &sites{log: log}
	defer h.tracer.Shutdown(context.WithoutCancel(ctx))
	defer sites.stop()
	mounts, err := h.mounts(sites)
	if err != nil {
		return err
	}
	for i, m := range mounts {
		port := 0
		if first != 0 {
			port = first + i
		}
		root, err := sites.serve(net.JoinHostPort(host, strconv.Itoa(port)), m.handler)
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "%-12s curl -H 'Authorization: Bearer %s' %s%s/Users\n", m.name, token, root, m.path)
	}
	<-ctx.Done()
	return nil
}

// sites are HTTP servers that end together.
type sites struct {
	log     *slog.Logger
	servers []*http.Server
	served  sync.WaitGroup
}

// serve begins to serve and returns the URL of the site's root.
func (s *sites) serve(addr string, h http.Handler) (string, error) {
	ln, err := net.Listen("tcp", addr)
	if err != nil {
		return "", err
	}
	server := httpServer(h)
	s.servers = append(s.servers, server)
	s.served.Go(func() {
		if err := server.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
			s.log.Error("serving", "error", err)
		}
	})
	return "http://" + ln.Addr().String(), nil
}

// stop lets requests under way end, for a while.
func (s *sites) stop() {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	for _, server := range s.servers {
		if server.Shutdown(ctx) != nil {
			server.Close()
		}
	}
	s.served.Wait()
}

// httpServer has the time-outs that net/http leaves to the host. They bound what
// a connection may take of the process; what an operation may take is bounded by
// [deadline], so that the client still gets an answer.
func httpServer(h http.Handler) *http.Server {
	return &http.Server{
		Handler:           h,
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       time.Minute,
		WriteTimeout:      2 * time.Minute, // a group of a million members is a long answer
		IdleTimeout:       2 * time.Minute, // longer than that of a load balancer in front
		MaxHeaderBytes:    64 << 10,
	}
}
