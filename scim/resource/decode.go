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
	// MaxDepth bounds the nesting of the JSON text. Default 32; more than 1,000
	// counts as 1,000.
	MaxDepth int
	// MaxMembers bounds the entries of a relation attribute. Default 100,000.
	MaxMembers int
	// RejectUnknown makes an unknown attribute a problem. Without it, unknown
	// attributes are skipped and listed in [Decoded.Ignored].
	RejectUnknown bool
	// Inverses reads attributes that show relations backwards, such as a user's
	// groups, into [Decoded.Relations]. Without it they are skipped, as all that is
	// read-only.
	Inverses bool
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
	// for. At the top level parent is the type's Root. The answer may lie anywhere
	// outside multi-valued attributes, or directly below parent. When the body
	// names the attribute by its own name too, that one counts and the key is
	// listed in [Decoded.Ignored].
	Name(parent schema.Path, key string) (p schema.Path, ok bool)
	// Value returns JSON that fits attribute p in place of raw, which does not.
	// element says that raw stands inside p's array. The result null means
	// unassigned. A result that does not fit either is reported as raw would
	// have been. raw must not be kept.
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
	// Ignored are the names of unknown attributes, as sent behind the canonical
	// name of what they stand in ("emails.foo"): the first 20, each cut off after
	// 100 bytes.
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
// What is skipped, unknown attributes and read-only ones, must be JSON and is
// not looked at otherwise. A required string must not be empty. An integer must
// fit 64 bits and a decimal the range of float64, though it is kept as written.
//
// data is not retained.
func Decode(t *schema.Type, data []byte, o DecodeOptions) (*Decoded, error) {
	d := newDecoder(data, o, 0)
	draft := drafts.Get().(*document)
	defer draft.discard()
	draft.typ, draft.home = t, t.Root()
	d.doc = draft
	d.body()
	if err := d.err(); err != nil {
		return nil, err
	}
	if d.doc == draft {
		d.doc = draft.fair()
	}
	return &Decoded{Resource: &Resource{doc: d.doc}, Relations: d.relations, Ignored: d.ignored, Nulls: d.nulls}, nil
}

// DecodeValue reads the JSON of one value of attribute p, as PATCH carries it.
// With element false it is the attribute's whole value, an array where p is
// multi-valued; with element true one element of it. null, [] and {} give the
// zero Value. Read-only sub-attributes are skipped, unless p itself is
// read-only. An error is a [*DecodeError], whose offsets count from the start of
// raw.
func DecodeValue(p schema.Path, raw []byte, element bool, o DecodeOptions) (Value, error) {
	d := newDecoder(raw, o, 0)
	if p.ReadOnly() {
		d.mode |= keepReadOnly
	}
	return d.loose(p, element)
}

// DecodeMembers reads the JSON value of a relation attribute: an array of
// objects. Entries without a value are problems. The result has no two entries
// of one type and id; it is empty, not nil, for null and [].
func DecodeMembers(p schema.Path, raw []byte, o DecodeOptions) ([]Member, error) {
	d := newDecoder(raw, o, 0)
	d.doc = newDocument(p, 0)
	members, out := d.members(p)
	if out != failed {
		d.end()
	}
	if err := d.err(); err != nil {
		return nil, err
	}
	return members, nil
}
