// Package resource holds the resource value: decoding a request body,
// reading, building, editing, encoding and projecting (RFC 7643 section 3,
// RFC 7644 section 3.9).
//
// A [Resource] is opaque, immutable and safe for concurrent use. It is held as
// the JSON document that is kept, plus a table of offsets into it without a
// single pointer, so that a million of them cost little more than their bytes
// and the garbage collector has nothing to follow.
//
// The document has no id, no meta, no schemas and no relations. id and meta are
// [Meta], which stores keep in fields of their own; schemas follows from what
// is assigned; relations (a group's members) are links. They are joined on when
// a resource is encoded.
//
// A [Value] is one value inside a resource, or a loose one made by
// [DecodeValue] and the constructors. Values are small and immutable; "changing"
// one makes another.
//
// # Unassigned
//
// A value that is null, an empty array or an empty object is unassigned, and
// unassigned values are not kept (RFC 7643 section 2.5): decoding drops them.
// The empty string is a value.
//
// # Readings
//
// Where the RFCs leave a choice:
//
//   - null, [] and {} are unassigned for every attribute, whatever its type, and
//     as elements of an array; only {} where an array belongs is of the wrong type.
//   - An integer fits 64 bits. A decimal lies in the range of float64 and is kept
//     as it was written; two decimals compare exactly.
//   - A dateTime has a year of four digits, and one without an offset is UTC.
//   - Base64 is that of RFC 4648 section 4; the padding may be missing.
//   - A reference is any text without spaces and control characters.
//   - An extension whose data is there need not be listed in schemas.
//   - Of elements that are the same ([Value.Same]) the first is kept. That covers
//     the rule that a pair of type and value stands once (RFC 7643 section 2.4)
//     without losing data when elements differ in another part.
//   - An always-returned sub-attribute is shown even when what stands around it
//     is not asked for; one returned on request is shown when it is named itself.
//   - Elements of a relation that is shown backwards are of type "direct" where
//     the schema lists that word (a user's groups).
//   - Times are shown in UTC with as many digits of a fraction as they have.
package resource
