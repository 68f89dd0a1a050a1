// Command inmemory is the shortest useful SCIM server: it keeps users and groups
// in memory until it ends.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/musterhq/muster/scim"
	"github.com/musterhq/muster/storage/memory"
)

func main() {
	addr := flag.String("addr", "127.0.0.1:8080", "`address` to listen on")
	path := flag.String("path", "/scim/v2", "`path` of the service root")
	token := flag.String("token", "secret", "bearer `token` that callers must send")
	flag.Parse()

	srv, err := scim.New(memory.New(), scim.BearerToken(*token), scim.WithPathPrefix(*path))
	if err != nil {
		log.Fatal(err)
	}
	ln, err := net.Listen("tcp", *addr)
	if err != nil {
		log.Fatal(err)
	}
	base := "http://" + ln.Addr().String() + strings.TrimRight(*path, "/")
	fmt.Printf("listening on %s\ntoken %s\ntry: curl -H 'Authorization: Bearer %s' %s/Users\n", base, *token, *token, base)

	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	server := &http.Server{Handler: srv, ReadHeaderTimeout: 10 * time.Second}
	go func() {
		if err := server.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
			log.Fatal(err)
		}
	}()
	<-ctx.Done()
	stop() // a second signal ends the program at once
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := server.Shutdown(ctx); err != nil {
		log.Fatal(err)
	}
}
