// Package schema holds the data model of SCIM 2.0: attribute definitions with
// all their characteristics, schemas, and resource types (RFC 7643).
//
// Three kinds of value matter:
//
//   - [Attribute], [Schema] and [ResourceType] are declarations. A host writes
//     them in Go, or loads them from the JSON that the RFC defines for
//     /Schemas and /ResourceTypes ([ParseSchema], [ParseResourceType],
//     [ParseFile]). [User], [Group] and their schemas come ready made.
//   - [Type] is a compiled resource type. [Compile] checks a declaration and
//     turns it into a Type: immutable, safe for concurrent use, and the one
//     thing that the decoder, the filter planner and PATCH look names up in.
//   - [Path] names one attribute or sub-attribute of a Type. It is a small
//     comparable value; the zero Path names nothing.
//
// # Names
//
// Attribute names and schema URNs compare without regard to case
// (RFC 7643 section 2.1, RFC 7644 section 3.10). A name reaches an attribute
// in any of these forms:
//
//	userName                                      core attribute
//	name.familyName                               sub-attribute
//	urn:ietf:params:scim:schemas:core:2.0:User:name.familyName
//	urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value
//	urn:ietf:params:scim:schemas:extension:enterprise:2.0:User   the whole extension
//
// An extension is one more complex attribute, named by its URN, whose
// sub-attributes are the attributes of its schema. That is how it looks in
// JSON (RFC 7643 section 3.3), and it lets one tree describe everything.
//
// # Text that compares without regard to case
//
// [Fold] makes the one key by which text is compared when an attribute is not
// case exact: for uniqueness, for filters and for indexes alike.
package schema
