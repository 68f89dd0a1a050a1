// Package filter is the filter language of SCIM (RFC 7644 section 3.4.2.2):
// parsing, printing, planning and matching. It also parses the paths of PATCH
// (section 3.5.2), which contain filters.
//
// Text becomes syntax ([Parse], an [Expr] tree with names as written), syntax
// becomes a [Plan] for one resource type ([Compile]: names, types and comparison
// rules resolved once), and a Plan matches resources or is read by a store that
// wants to answer it with indexes.
//
// # Readings
//
// Where the RFC leaves a choice:
//
//   - A comparison with ne is the negation of eq, so it holds for an attribute
//     that is unassigned. Logic is two-valued, unlike SQL's.
//   - eq null means unassigned, ne null assigned; other operators refuse null.
//   - On a multi-valued attribute a comparison holds when it holds for any
//     value; a complex multi-valued attribute stands for its value.
//   - pr is false for an empty string.
//   - An attribute that the type does not have is unassigned everywhere
//     ([Options.UnknownNames] makes it an error).
//   - Attributes that are never returned cannot be asked about.
package filter
