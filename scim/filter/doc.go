// Package filter is the filter language of SCIM (RFC 7644 section 3.4.2.2):
// parsing, printing, planning and matching. It also parses the paths of PATCH
// (section 3.5.2), which contain filters.
//
// Text becomes syntax ([Parse], an [Expr] tree with names as written), syntax
// becomes a [Plan] for one resource type ([Compile]: names, types and comparison
// rules resolved once), and a Plan matches resources or is read by a store that
// wants to answer it with indexes.
//
// # For stores
//
// [Plan.Root] is the tree; switch over its [Node] types. [Plan.Split] divides a
// plan into what an index or a query language can answer and the rest, which
// [Plan.Match] then decides; [Plan.Equal] finds one value to look up. Operands
// carry the [Key] by which values are indexed, so that every comparison is one of
// bytes. [Linked] nodes ask about relations, which documents do not hold.
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
//   - pr is false for an empty string, which is a value all the same: it is not
//     null.
//   - Brackets may stand behind a single-valued complex attribute too; they do
//     not nest.
//   - An attribute that the type does not have is unassigned everywhere
//     ([Options.UnknownNames] makes it an error).
//   - The attributes of an extension may go without its URN where no other
//     attribute has the name.
//   - Attributes that are never returned cannot be asked about.
//   - Order is asked of text, numbers and times; text orders by the code points
//     of its folded form, without a locale. Numbers compare exactly, times as
//     instants, and a time without an offset is one in UTC.
//   - meta.location is the service root, the endpoint and the id
//     ([Options.BaseURL]).
//   - Of a relation the id and the type at the other end can be asked about, with
//     eq, ne and pr.
//   - Strings are JSON strings. Bare words, capitals in true, false and null, and
//     a sub-attribute behind a value path are errors unless [ParseOptions] accept
//     them.
package filter
