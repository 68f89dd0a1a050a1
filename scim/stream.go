package scim

import (
	"errors"
	"net/http"
	"slices"

	"github.com/musterhq/muster/scim/resource"
)

// Answers are made in memory and sent with their length, unless a resource has a
// relation that was not read to its end: then the answer is sent in chunks while the
// relation is read, and an error on the way breaks the connection, so that the client
// cannot take a part of the members for all of them.

// appendResource appends a resource to an answer. What comes back is still to be
// sent; see [exchange.end].
func (x *exchange) appendResource(code int, b []byte, r *Resource, view *resource.View) ([]byte, error) {
	if !slices.ContainsFunc(view.Relations, func(v resource.RelationView) bool { return v.Rest != nil }) {
		return resource.AppendJSON(b, r, view), nil
	}
	b, err := resource.StreamJSON(&chunks{x, code}, b, r, view)
	switch {
	case err == nil || errors.Is(err, errNoBody):
		return b, nil
	case x.written:
		x.breakOff(err)
	}
	delete(x.w.Header(), "Etag") // of the resource, which the answer now does not show
	return b, err
}

// end sends what is left of an answer.
func (x *exchange) end(code int, b []byte) {
	if !x.written {
		x.write(code, b)
	} else if x.r.Method != http.MethodHead {
		x.w.Write(b)
	}
}

// breakOff ends an answer that has begun and cannot be completed.
func (x *exchange) breakOff(err error) {
	if !errors.Is(err, errClientGone) && x.r.Context().Err() == nil {
		x.s.logFailure(x.r, x.s.toError(err), err)
	}
	panic(http.ErrAbortHandler)
}

var (
	errNoBody     = errors.New("the answer to HEAD has no body")
	errClientGone = errors.New("the answer could not be sent")
)

// chunks sends an answer as it is made. Its length is not known, so that net/http
// uses the chunked coding.
type chunks struct {
	x    *exchange
	code int
}

func (c *chunks) Write(p []byte) (int, error) {
	x := c.x
	if !x.written {
		h := x.w.Header()
		h["Content-Type"] = contentType(x.r)
		h["Cache-Control"] = noStore
		x.written = true
		x.w.WriteHeader(c.code)
	}
	if x.r.Method == http.MethodHead {
		return 0, errNoBody
	}
	n, err := x.w.Write(p)
	if err != nil {
		err = errors.Join(errClientGone, err)
	}
	return n, err
}
