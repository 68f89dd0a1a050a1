package scim

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/musterhq/muster/scim/filter"
	"github.com/musterhq/muster/scim/patch"
	"github.com/musterhq/muster/scim/resource"
	"github.com/musterhq/muster/storage"
)

var (
	errForeignType = errors.New("the handler returned no resource, or one without an id or of a type that is not the server's (see Server.Type)")
	errForeignMe   = errors.New("the caller's resource is said to be of a type that is not served")
	errNoResult    = errors.New("an interceptor returned neither a result nor an error")
)

// unauthorized is one answer for all: what was wrong with the credentials, or
// whose they are, is nothing that an unknown caller may learn. An Error of the
// host's own passes.
func unauthorized(cause error) error {
	var e *Error
	if errors.As(cause, &e) {
		return cause
	}
	return &Error{Status: http.StatusUnauthorized, Detail: "the credentials are missing or not accepted", Err: cause}
}

// toError is the one place where errors become answers. s may be nil.
func (s *Server) toError(err error) *Error {
	var (
		own       *Error
		decode    *resource.DecodeError
		patched   *patch.Error
		filtered  *filter.Error
		committed *storage.CommitError
	)
	bad := func(scimType, detail string) *Error {
		return &Error{Status: http.StatusBadRequest, ScimType: scimType, Detail: detail, Err: err}
	}
	switch {
	case errors.As(err, &own):
		if own != nil && own.Status >= http.StatusBadRequest && own.Status < 600 {
			return own
		}
	case errors.As(err, &patched):
		return bad(patched.ScimType, patched.Error())
	case errors.As(err, &decode):
		if decode.IsSyntax() {
			return bad(InvalidSyntax, decode.Error())
		}
		return bad(InvalidValue, decode.Error())
	case errors.As(err, &filtered):
		return bad(InvalidFilter, filtered.Error())
	case errors.Is(err, storage.ErrNotUnique) && errors.As(err, &committed):
		return notUnique(committed.Attr).WithCause(err)
	case errors.Is(err, storage.ErrMissingTarget):
		return bad(InvalidValue, "a member names a resource that does not exist")
	case errors.Is(err, ErrNotFound), errors.Is(err, storage.ErrNotFound):
		return &Error{Status: http.StatusNotFound, Detail: "there is no such resource", Err: err}
	case errors.Is(err, ErrUnauthorized):
		return unauthorized(err).(*Error)
	case isConflict(err):
		return preconditionFailed().WithCause(err)
	case errors.Is(err, storage.ErrTooMany):
		return bad(TooMany, "answering would take looking at too many resources; filter by an indexed attribute such as userName, externalId or emails.value")
	case errors.Is(err, storage.ErrUnsupported):
		return bad(InvalidFilter, "this filter or order is not supported here")
	case errors.Is(err, storage.ErrUnavailable), errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return &Error{Status: http.StatusServiceUnavailable, Detail: "the service is busy; try again later", RetryAfter: 5 * time.Second, Err: err}
	}
	return &Error{Status: http.StatusInternalServerError, Detail: "something went wrong on the server", Err: err}
}
