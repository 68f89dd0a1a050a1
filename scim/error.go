package scim

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// The words that scimType may hold (RFC 7644 table 9).
const (
	InvalidFilter = "invalidFilter"
	TooMany       = "tooMany"
	Uniqueness    = "uniqueness"
	Mutability    = "mutability"
	InvalidSyntax = "invalidSyntax"
	InvalidPath   = "invalidPath"
	NoTarget      = "noTarget"
	InvalidValue  = "invalidValue"
	InvalidVers   = "invalidVers"
	Sensitive     = "sensitive"
)

// Error is an answer that says no (RFC 7644 section 3.12). Everything but Err is
// shown to the client; Err is for the host's log alone.
type Error struct {
	Status   int    // HTTP status, 400 to 599; any other is answered 500
	ScimType string // one of the words above, or ""
	Detail   string // a sentence for the person who runs the client
	// RetryAfter, when positive, asks the client to come back after so long. It is
	// sent in whole seconds, which is all that some clients read.
	RetryAfter time.Duration
	Err        error
}

// Errorf makes an [*Error] for a host's guards, interceptors, hooks and
// handlers. The text is shown to the client: it must hold nothing internal.
func Errorf(status int, scimType, format string, args ...any) *Error {
	return &Error{Status: status, ScimType: scimType, Detail: fmt.Sprintf(format, args...)}
}

// WithCause returns a copy of e with a cause, which is logged and never shown.
func (e *Error) WithCause(err error) *Error {
	c := *e
	c.Err = err
	return &c
}

// Error returns the sentence, with the cause if that says more, for logs.
func (e *Error) Error() string {
	if e == nil { // as an error that somebody thought was none
		return "a nil *scim.Error"
	}
	s := e.Detail
	if s == "" {
		s = http.StatusText(e.Status)
	}
	if e.Err != nil {
		if cause := e.Err.Error(); cause != s {
			s += ": " + cause
		}
	}
	return s
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error {
	if e == nil {
		return nil
	}
	return e.Err
}

// Sentinels that handlers and authenticators return, alone or wrapped.
var (
	// ErrNotFound: there is no such resource, or the caller may not know of it.
	// Answered 404.
	ErrNotFound = errors.New("scim: not found")
	// ErrConflict: the resource is not in the version that the caller demanded. The
	// operation is repeated, or answered 412 when the client set the demand.
	ErrConflict = errors.New("scim: version conflict")
	// ErrUnauthorized: the credentials are missing or not accepted. Answered 401.
	ErrUnauthorized = errors.New("scim: unauthorized")
)

// NotUnique is the error of a handler that found the value of an attribute
// taken. Answered 409.
func NotUnique(attribute string) error { return notUnique(attribute) }

func notUnique(attribute string) *Error {
	return Errorf(http.StatusConflict, Uniqueness, "another resource has the same %s; it must be unique", attribute)
}

func (e *Error) appendJSON(dst []byte) []byte {
	dst = append(dst, `{"schemas":["urn:ietf:params:scim:api:messages:2.0:Error"],"status":"`...)
	dst = strconv.AppendInt(dst, int64(e.Status), 10)
	dst = append(dst, '"')
	if e.ScimType != "" {
		dst = append(dst, `,"scimType":`...)
		dst = appendJSONString(dst, e.ScimType)
	}
	detail := e.Detail
	if detail == "" {
		detail = http.StatusText(e.Status)
	}
	dst = append(dst, `,"detail":`...)
	dst = appendJSONString(dst, detail)
	return append(dst, '}')
}
