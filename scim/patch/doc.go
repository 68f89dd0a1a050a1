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
// path is an error and never becomes path-less. Text is never truthy. Nothing
// but an explicit true makes a resource active: removing "active", or setting
// it to null or "", keeps its present value.
//
// # Readings
//
// Where the RFC leaves a choice:
//
//   - A remove whose filter matches nothing succeeds and changes nothing
//     ([ApplyOptions.RequireTarget] makes it an error); add and replace fail with
//     noTarget ([ApplyOptions.CreateElement] creates the element instead).
//   - Replacing the elements that a filter selects swaps each of them; adding to
//     them merges.
//   - A sub-attribute of a multi-valued attribute without a filter is that of all
//     elements; if there are none, add and replace make one.
//   - One object or bare value stands for an array of it where the attribute is
//     multi-valued.
//   - An added element that has the same type and value as a present one is merged
//     into it; elements without a value are the same when all parts are. Members of
//     a relation are identified by value, and by type when both sides name one.
//   - null unassigns, with add too: an attribute, or a sub-attribute inside the
//     value of a complex one. Adding nothing to a multi-valued attribute, or an
//     empty object to a complex one, changes nothing.
//   - An element set primary ends the primacy of the others. Two in one value, or
//     made by one operation, are an error.
//   - A single complex attribute with the parts "value" and "$ref" refers to a
//     resource (manager). When its value changes, a $ref that the operation does
//     not give and the read-only parts are out of date, and dropped.
//   - "schemas" follows from what is assigned; writing it has no effect.
package patch
