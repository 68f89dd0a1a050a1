package patch

import (
	"errors"
	"fmt"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/musterhq/muster/scim/filter"
	"github.com/musterhq/muster/scim/resource"
	"github.com/musterhq/muster/scim/schema"
)

// Error says why a PATCH request was refused.
type Error struct {
	// ScimType is the RFC's word: invalidSyntax, invalidPath, invalidFilter,
	// invalidValue, noTarget or mutability (RFC 7644 section 3.12).
	ScimType string
	// Index is the operation's position in the request, -1 for the request as a
	// whole.
	Index int
	// Path is the operation's path, without what its filter compares with, or the
	// attribute concerned.
	Path   string
	Detail string // a sentence for a person, without values
	// Limit says that the request is over one of the limits.
	Limit bool
	Err   error // the error of a lower package, if there was one
}

// Error returns the sentence, with the operation counted from 1.
func (e *Error) Error() string {
	switch {
	case e.Index < 0:
		return e.Detail
	case e.Path == "":
		return fmt.Sprintf("operation %d: %s", e.Index+1, e.Detail)
	}
	return fmt.Sprintf("operation %d, path %s: %s", e.Index+1, e.Path, e.Detail)
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

const (
	invalidSyntax = "invalidSyntax"
	invalidPath   = "invalidPath"
	invalidFilter = "invalidFilter"
	invalidValue  = "invalidValue"
	noTarget      = "noTarget"
	mutability    = "mutability"
)

// refuse makes the error of an operation.
func (op *Operation) refuse(scimType, detail string) *Error {
	return &Error{ScimType: scimType, Index: op.Index, Path: op.Target.String(), Detail: detail}
}

// readOnly is the error of an operation on p, which clients cannot set.
func (op *Operation) readOnly(p schema.Path) *Error {
	return op.refuse(mutability, fmt.Sprintf("attribute %s is read-only and cannot be changed by clients", p))
}

func (op *Operation) immutable(p schema.Path) *Error {
	return op.refuse(mutability, fmt.Sprintf("attribute %s is immutable: it has a value, which cannot be changed or removed", p))
}

func (op *Operation) overLimit(detail string) *Error {
	e := op.refuse(invalidValue, detail)
	e.Limit = true
	return e
}

// jsonError tells what is wrong with the JSON text. The decoder's own message
// may quote the text.
func jsonError(index int, err error) *Error {
	e := &Error{ScimType: invalidSyntax, Index: index, Err: err}
	var s *jsontext.SyntacticError
	switch {
	case errors.Is(err, jsontext.ErrDuplicateName):
		e.Detail = "an object has two members of one name"
	case errors.As(err, &s):
		e.Detail = fmt.Sprintf("the body is not valid JSON at byte %d", s.ByteOffset+1)
	default:
		e.Detail = "the body ends before the JSON text is complete"
	}
	return e
}

// valueError converts what package resource says of a value.
func (op *Operation) valueError(err error) *Error {
	e := op.refuse(invalidValue, err.Error())
	e.Err = err
	var d *resource.DecodeError
	if !errors.As(err, &d) {
		return e
	}
	if d.IsSyntax() {
		e.ScimType = invalidSyntax
	}
	// The operation's path is said already, and an offset into the value would tell
	// nobody anything.
	var details []string
	for _, p := range d.Problems {
		switch {
		case p.Path == "" || p.Path == e.Path:
			details = append(details, p.Detail)
		default:
			details = append(details, p.Path+": "+p.Detail)
		}
	}
	e.Detail = strings.Join(details, "; ")
	return e
}

// pathError converts what package filter or schema says of a path.
func pathError(index int, path string, err error) *Error {
	e := &Error{ScimType: invalidPath, Index: index, Path: printable(path), Err: err}
	var f *filter.Error
	var n *schema.NameError
	switch {
	case errors.As(err, &f):
		e.Detail, e.Limit = f.Error(), f.Limit
		if !f.Path {
			e.ScimType = invalidFilter
		}
	case errors.As(err, &n) && n.Reason != schema.BadSyntax:
		e.Detail = n.Detail
	default:
		e.Detail = `the path is malformed; write "attribute", "attribute.sub", "attribute[filter]" or "attribute[filter].sub", with a schema URN and a colon in front where needed`
	}
	return e
}

// maxNameLength bounds names that are repeated from a request.
const maxNameLength = 128

// printable makes a path of a request fit for errors and reports: what stands in
// a filter may be personal.
func printable(path string) string {
	if i := strings.IndexAny(path, "[\""); i >= 0 {
		return shorten(path[:i]) + "…"
	}
	return shorten(path)
}

func shorten(name string) string {
	if len(name) > maxNameLength {
		return strings.ToValidUTF8(name[:maxNameLength], "") + "…"
	}
	return name
}
