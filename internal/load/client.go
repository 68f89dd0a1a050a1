package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/musterhq/muster/internal/wire"
)

// client sends SCIM requests over connections that stay open.
type client struct {
	http        *http.Client
	base, token string
}

func newClient(c config) *client {
	h := wire.NewClient()
	dialer := net.Dialer{Timeout: 10 * time.Second}
	h.Transport = &http.Transport{
		// Without a proxy, and looked at once more after name resolution, so that
		// localhost cannot be somewhere else.
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := dialer.DialContext(ctx, network, address)
			if err != nil {
				return nil, err
			}
			if peer, err := netip.ParseAddrPort(conn.RemoteAddr().String()); err != nil || !peer.Addr().Unmap().IsLoopback() {
				conn.Close()
				return nil, fmt.Errorf("%s leads to another machine", address)
			}
			return conn, nil
		},
		MaxIdleConns:        c.workers,
		MaxIdleConnsPerHost: c.workers,
	}
	return &client{http: h, base: strings.TrimSuffix(c.base, "/"), token: c.token}
}

// send sends one request. An answer without a 2xx status is an error. The body
// is decoded into out, or read to its end and dropped when out is nil.
func (c *client) send(ctx context.Context, method, path, body string, out any) error {
	var reader io.Reader
	if body != "" {
		reader = strings.NewReader(body)
	}
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, reader)
	if err != nil {
		return err
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/scim+json")
	}
	req.Header.Set("Accept", "application/scim+json")
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return err
	}
	data, err := wire.ReadBody(resp)
	if err != nil {
		return err
	}
	if resp.StatusCode/100 != 2 {
		return fmt.Errorf("%s: %s %.200s", method, resp.Status, data)
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(data, out)
}
