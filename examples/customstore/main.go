// Command customstore is a SCIM server on a database for which Muster has no
// store: bbolt. The adapter is store.go; docs/writing-a-store.md walks through
// it.
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
	"syscall"

	"github.com/musterhq/muster/scim"
)

func main() {
	addr := flag.String("addr", "127.0.0.1:8080", "`address` to listen on")
	file := flag.String("file", "directory.bolt", "`file` of the database")
	token := flag.String("token", "secret", "bearer `token` that callers must send")
	flag.Parse()
	if err := run(*addr, *file, *token); err != nil {
		log.Fatal(err)
	}
}

func run(addr, file, token string) error {
	store, closeFile, err := openStore(file, nil)
	if err != nil {
		return err
	}
	defer closeFile()
	const path = "/scim/v2"
	srv, err := scim.New(store, scim.BearerToken(token), scim.WithPathPrefix(path))
	if err != nil {
		return err
	}
	ln, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	base := "http://" + ln.Addr().String() + path
	fmt.Printf("listening on %s\ntry: curl -H 'Authorization: Bearer %s' %s/Users\n", base, token, base)

	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	server := &http.Server{Handler: srv}
	served := make(chan error, 1)
	go func() { served <- server.Serve(ln) }()
	select {
	case err := <-served:
		return err
	case <-ctx.Done():
	}
	err = server.Shutdown(context.Background())
	if e := <-served; !errors.Is(e, http.ErrServerClosed) {
		err = errors.Join(err, e)
	}
	return err
}
