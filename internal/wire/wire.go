// Package wire sends HTTP requests to a server under test, whether it listens on
// a socket or is an http.Handler in the same process. Tools that drive a SCIM
// server take a [Doer] and so work with both.
package wire

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"
)

// MaxBody is the largest response body that [ReadBody] accepts, in bytes.
const MaxBody = 64 << 20

// Doer sends one request and returns its response, as [http.Client.Do] does. The
// caller closes the response's body.
type Doer interface {
	Do(*http.Request) (*http.Response, error)
}

// NewClient returns an HTTP client for a server under test. It returns redirects
// as they are instead of following them, since a redirect is an answer to be
// judged, and gives up on a request after a minute, the longest that a known
// provisioning client waits.
func NewClient() *http.Client {
	return &http.Client{
		Timeout:       time.Minute,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// Handler returns a Doer that calls h directly, in the caller's goroutine. What
// net/http's server adds around a handler is left out, except that a panic
// becomes an error instead of ending the caller.
func Handler(h http.Handler) Doer { return handler{h} }

type handler struct{ h http.Handler }

func (d handler) Do(r *http.Request) (resp *http.Response, err error) {
	// A server sees the target in origin form; a client's request has a full URL.
	in := r.Clone(r.Context())
	in.RequestURI = r.URL.RequestURI()
	in.Host = r.Host
	if in.Host == "" {
		in.Host = r.URL.Host
	}
	if in.Body == nil {
		in.Body = http.NoBody
	}
	in.RemoteAddr = "127.0.0.1:1"

	rec := &recorder{header: make(http.Header)}
	defer func() {
		if p := recover(); p != nil {
			resp, err = nil, fmt.Errorf("the handler panicked: %v", p)
		}
	}()
	d.h.ServeHTTP(rec, in)
	rec.WriteHeader(http.StatusOK) // has no effect after the first
	if r.Method == http.MethodHead {
		rec.body.Reset() // net/http's server does not send it
	}
	return &http.Response{
		Status:        fmt.Sprintf("%d %s", rec.status, http.StatusText(rec.status)),
		StatusCode:    rec.status,
		Proto:         "HTTP/1.1",
		ProtoMajor:    1,
		ProtoMinor:    1,
		Header:        rec.sent,
		Body:          io.NopCloser(&rec.body),
		ContentLength: int64(rec.body.Len()),
		Request:       r,
	}, nil
}

// recorder is an http.ResponseWriter that keeps what is written. Headers are
// frozen at the first write, as on a real connection.
type recorder struct {
	header, sent http.Header
	status       int
	body         bytes.Buffer
}

func (r *recorder) Header() http.Header { return r.header }

func (r *recorder) WriteHeader(status int) {
	if r.status != 0 || status < 200 {
		return
	}
	r.status = status
	r.sent = r.header.Clone()
}

func (r *recorder) Write(p []byte) (int, error) {
	r.WriteHeader(http.StatusOK)
	return r.body.Write(p)
}

// ReadBody reads and closes the body of a response. A body of more than
// [MaxBody] bytes is an error.
func ReadBody(resp *http.Response) ([]byte, error) {
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, MaxBody+1))
	if err != nil {
		return nil, err
	}
	if len(body) > MaxBody {
		return nil, errors.New("the response body is longer than 64 MiB")
	}
	return body, nil
}
