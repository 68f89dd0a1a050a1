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
package resource
