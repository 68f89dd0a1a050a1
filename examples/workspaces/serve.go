package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/musterhq/muster/scim"
	"github.com/musterhq/muster/storage"
)

// serve answers identity providers until the context ends, and prints what happens
// when it happens.
func serve(ctx context.Context, store storage.Store, address string, out io.Writer) error {
	h := newHost()
	h.live = out
	srv, rec, err := connect(store, tenant, h)
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "http://%s/scim/v2\n", l.Addr())
	web := &http.Server{Handler: scim.Mount("/scim/v2", srv, nil), ReadHeaderTimeout: 10 * time.Second}
	done := make(chan error, 2)
	go func() { done <- rec.Run(ctx, tenant) }()
	go func() { done <- web.Serve(l) }()
	err = <-done
	if ctx.Err() == nil {
		return err
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	return web.Shutdown(last)
}
