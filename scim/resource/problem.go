package resource

import (
	"fmt"
	"strings"

	"github.com/musterhq/muster/scim/schema"
)

// DecodeError lists everything wrong with a body.
type DecodeError struct {
	Problems []Problem // in the order of the body, the first 20 at the most
}

// Problem is one thing wrong with a body.
type Problem struct {
	// Path is where: an attribute's full name, with an index for elements
	// ("emails[1].primary"); empty for the body as a whole.
	Path string
	// Offset is the position in the body in bytes, -1 when it has none.
	Offset int
	// Syntax says that the text is not JSON, or not an object, or ambiguous, or
	// without the schemas that it needs (scimType invalidSyntax); otherwise a value
	// is wrong (invalidValue).
	Syntax bool
	// Detail is a sentence without the value itself, which may be personal.
	Detail string
}

// maxProblems bounds DecodeError.Problems: who has that many reads no further.
const maxProblems = 20

// Error joins the problems into one sentence each.
func (e *DecodeError) Error() string {
	var b strings.Builder
	for i, p := range e.Problems {
		if i > 0 {
			b.WriteString("; ")
		}
		if p.Path != "" {
			b.WriteString(p.Path)
			b.WriteString(": ")
		}
		b.WriteString(p.Detail)
		if p.Offset >= 0 {
			fmt.Fprintf(&b, " (at byte %d)", p.Offset)
		}
	}
	return b.String()
}

// IsSyntax reports whether any problem is one of syntax.
func (e *DecodeError) IsSyntax() bool {
	for _, p := range e.Problems {
		if p.Syntax {
			return true
		}
	}
	return false
}

// indexed prints p with the given indexes behind the multi-valued attributes on
// the way to it, as far as they go.
func indexed(p schema.Path, index []int) string {
	if p.IsZero() || p.Index() == 0 {
		return ""
	}
	name := p.String()
	suffix := ""
	var multi []schema.Path
	for up := p; !up.IsZero(); up = up.Parent() {
		if up.Attribute().MultiValued {
			multi = append([]schema.Path{up}, multi...)
		}
	}
	for k := min(len(multi), len(index)) - 1; k >= 0; k-- {
		cut := len(multi[k].String())
		suffix = fmt.Sprintf("[%d]%s%s", index[k], name[cut:], suffix)
		name = name[:cut]
	}
	return name + suffix
}

// wrongType says what attribute a wants instead of the JSON value that starts
// with c.
func wrongType(a *schema.Attribute, element bool, c byte) string {
	if a.MultiValued && !element {
		return "must be an array, not " + jsonKind(c)
	}
	return "must be " + want(a.Type) + ", not " + jsonKind(c)
}

func want(t schema.DataType) string {
	switch t {
	case schema.Boolean:
		return "true or false"
	case schema.Decimal:
		return "a number"
	case schema.Integer:
		return "an integer"
	case schema.DateTime:
		return "a string with date and time"
	case schema.Binary:
		return "a string in base64"
	case schema.Reference:
		return "a string with a URI"
	case schema.Complex:
		return "an object"
	}
	return "a string"
}

func jsonKind(c byte) string {
	switch c {
	case '"':
		return "a string"
	case 't', 'f':
		return "a boolean"
	case 'n':
		return "null"
	case '{':
		return "an object"
	case '[':
		return "an array"
	}
	return "a number"
}

// malformed says what form a text of type t must have.
func malformed(t schema.DataType) string {
	switch t {
	case schema.DateTime:
		return `must be a date and time such as "2024-02-29T12:00:00Z"`
	case schema.Binary:
		return "must be base64 (RFC 4648 section 4)"
	}
	return "must be a URI, without spaces and control characters"
}
