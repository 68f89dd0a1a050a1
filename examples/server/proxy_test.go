package main

import (
	"net"
	"net/url"
	"sync"
	"testing"
)

// proxy is the network between servers and their database: it can be cut, and
// it can go silent.
type proxy struct {
	to string

	mu    sync.Mutex
	pairs map[net.Conn]net.Conn
	open  chan struct{} // closed while bytes pass
}

// newProxy puts a proxy before the database that a URL names and returns the URL
// that leads through it.
func newProxy(t *testing.T, database string) (*proxy, string) {
	t.Helper()
	u, err := url.Parse(database)
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{to: u.Host, pairs: map[net.Conn]net.Conn{}, open: make(chan struct{})}
	close(p.open)
	go p.serve(ln)
	t.Cleanup(func() {
		ln.Close()
		p.speak()
		p.cut()
	})
	u.Host = ln.Addr().String()
	return p, u.String()
}

func (p *proxy) serve(ln net.Listener) {
	for {
		in, err := ln.Accept()
		if err != nil {
			return
		}
		out, err := net.Dial("tcp", p.to)
		if err != nil {
			in.Close()
			continue
		}
		p.mu.Lock()
		p.pairs[in] = out
		p.mu.Unlock()
		go p.pass(in, out)
		go p.pass(out, in)
	}
}

// pass copies what one end says to the other.
func (p *proxy) pass(from, to net.Conn) {
	defer from.Close()
	defer to.Close()
	buf := make([]byte, 32<<10)
	for {
		n, err := from.Read(buf)
		p.mu.Lock()
		open := p.open
		p.mu.Unlock()
		<-open
		if _, wrong := to.Write(buf[:n]); err != nil || wrong != nil {
			return
		}
	}
}

// cut ends all connections, whatever is on its way.
func (p *proxy) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for in, out := range p.pairs {
		in.Close()
		out.Close()
	}
	clear(p.pairs)
}

// hush holds back what is said, without a sign to anybody.
func (p *proxy) hush() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.open = make(chan struct{})
}

// speak lets pass what was held back, and what comes.
func (p *proxy) speak() {
	p.mu.Lock()
	defer p.mu.Unlock()
	select {
	case <-p.open:
	default:
		close(p.open)
	}
}
