// Package patch applies PATCH requests (RFC 7644 section 3.5.2).
//
// A request is parsed once ([Parse]): operation names ignore case, paths are
// resolved against the resource type, path-less operations become one operation
// for each member of their value, and values are decoded by their attribute.
// The operations then divide. Those on a relation (a group's members) fold into
// one [LinkEdit] in normal form, so that adding a member never touches a
// document. The others are applied in order to a resource by [Apply], which is a
// pure function: all of them or none, and its result says what changed.
//
// # Safety
//
// These rules hold whatever tolerance is set. A remove with a value takes away
// only what the value names, and a value that names nothing ([], {}, "", [{}])
// removes nothing; only an absent or null value means everything. A malformed
// path is an error and never becomes path-less. Text is never truthy.
package patch
