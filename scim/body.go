package scim

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
)

// body reads the request's body, hands it to f, and takes it back.
func (x *exchange) body(f func([]byte) error) error {
	if ct := x.r.Header.Get("Content-Type"); ct != "" && !isType(ct, "application/scim+json") && !isType(ct, "application/json") {
		return Errorf(http.StatusUnsupportedMediaType, "", "the body must be application/scim+json or application/json")
	}
	if coding := x.r.Header.Get("Content-Encoding"); coding != "" && !strings.EqualFold(coding, "identity") {
		return Errorf(http.StatusUnsupportedMediaType, "", "the body must not be compressed")
	}
	limit := x.s.limits.Body
	if x.r.ContentLength > limit {
		return tooLarge(limit)
	}
	buf := bufferPool.Get().(*[]byte)
	defer func() { release(buf, *buf) }()
	b := (*buf)[:0]
	for {
		if len(b) == cap(b) {
			b = append(b, 0)[:len(b)]
		}
		n, err := x.r.Body.Read(b[len(b):cap(b)])
		b = b[:len(b)+n]
		*buf = b
		if int64(len(b)) > limit {
			return tooLarge(limit)
		}
		if err == io.EOF {
			return f(b)
		}
		if err != nil {
			return unreadable(err)
		}
	}
}

func unreadable(err error) error {
	var cut *http.MaxBytesError // by the host's own middleware
	if errors.As(err, &cut) {
		return tooLarge(cut.Limit)
	}
	return (&Error{Status: http.StatusBadRequest, ScimType: InvalidSyntax, Detail: "the body could not be read to its end"}).WithCause(err)
}

func tooLarge(limit int64) error {
	return Errorf(http.StatusRequestEntityTooLarge, "", "the body is larger than %d bytes, which is the most that is accepted", limit)
}

var bufferPool = sync.Pool{New: func() any { b := make([]byte, 0, 4096); return &b }}

// Buffers beyond this size are left to the garbage collector.
const maxPooled = 1 << 20

// release gives a buffer back to the pool, with what b has made of it.
func release(buf *[]byte, b []byte) {
	if cap(b) <= maxPooled {
		*buf = b[:0]
		bufferPool.Put(buf)
	}
}
