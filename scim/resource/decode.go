package resource

import (
	"github.com/musterhq/muster/scim/schema"
)

// DecodeOptions adjust [Decode] and [DecodeValue]. The zero value is strict,
// with default limits.
type DecodeOptions struct {
	// Repair is asked where decoding would otherwise fail, and nowhere else: good
	// input pays nothing for tolerance. Nil repairs nothing.
	Repair Repair
	// MaxDepth bounds the nesting of the JSON text. Default 32.
	MaxDepth int
	// MaxMembers bounds the entries of a relation attribute. Default 100,000.
	MaxMembers int
	// RejectUnknown makes an unknown attribute a problem. Without it, unknown
	// attributes are skipped and listed in [Decoded.Ignored].
	RejectUnknown bool
	// Partial leaves out the checks that only a whole resource can pass:
	// required attributes and the URNs in schemas.
	Partial bool
}

// Repair gives tolerance to the decoder. Every method answers ok only when it
// knows what the client meant; then it is the implementer's place to report
// that it did. Methods are called while one body is decoded, from one
// goroutine.
type Repair interface {
	// Name finds the attribute meant by a key that parent has no sub-attribute
	// for.
	Name(parent schema.Path, key string) (p schema.Path, ok bool)
	// Value returns JSON that fits attribute p in place of raw, which does not.
	// element says that raw stands inside p's array. The result null means
	// unassigned. A result that does not fit either is reported as raw would
	// have been.
	Value(p schema.Path, raw []byte, element bool) (fixed []byte, ok bool)
	// Schemas accepts a "schemas" that lacks the core URN or lists a URN that the
	// type does not have.
	Schemas(t *schema.Type, listed []string) (ok bool)
}

// Decoded is the outcome of [Decode].
type Decoded struct {
	// Resource has no metadata: id and meta in a body are ignored, as all
	// read-only attributes are (RFC 7644 section 3.3).
	Resource *Resource
	// Relations are the relation attributes that the body named; nil when none.
	Relations Relations
	// Ignored are the names of unknown attributes, as sent, bounded to the first
	// few.
	Ignored []string
	// Nulls are the attributes at the top level that the body named and left
	// unassigned: null, [] or {}. A PUT may treat them unlike absent ones.
	Nulls []schema.Path
}

// Decode reads a JSON body into a resource of type t (RFC 7644 sections 3.3
// and 3.5.1). It collects all problems of the body into one [*DecodeError],
// each with its path. Names ignore case and come out canonical; two names of
// one object that are equal but for case are refused, as are invalid UTF-8 and
// the character U+0000, which databases cannot hold. Of a multi-valued complex
// attribute, at most one element may be primary, and of elements that are
// alike in all parts only one is kept.
//
// data is not retained.
func Decode(t *schema.Type, data []byte, o DecodeOptions) (*Decoded, error) { panic("todo") }

// DecodeValue reads the JSON of one value of attribute p, as PATCH carries it.
// With element false it is the attribute's whole value, an array where p is
// multi-valued; with element true one element of it. null, [] and {} give the
// zero Value. Read-only sub-attributes are skipped.
func DecodeValue(p schema.Path, raw []byte, element bool, o DecodeOptions) (Value, error) {
	panic("todo")
}

// DecodeMembers reads the JSON value of a relation attribute: an array of
// objects. Entries without a value are problems.
func DecodeMembers(p schema.Path, raw []byte, o DecodeOptions) ([]Member, error) { panic("todo") }

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
	// Syntax says that the text is not JSON, or not an object, or ambiguous
	// (scimType invalidSyntax); otherwise a value is wrong (invalidValue).
	Syntax bool
	// Detail is a sentence without the value itself, which may be personal.
	Detail string
}

// Error joins the problems into one sentence each.
func (e *DecodeError) Error() string { panic("todo") }

// IsSyntax reports whether any problem is one of syntax.
func (e *DecodeError) IsSyntax() bool { panic("todo") }
