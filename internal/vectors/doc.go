// Package vectors reads the test vectors in testdata/vectors and runs them
// against a server.
//
// A vector is one line: what is there before, what is done, and what must come
// of it. The rows are independent of this implementation. [LoadPatch] and
// [LoadFilter] give them to tests of pure functions; [RunPatch] and [RunFilter]
// send them to a server.
//
// # patch.jsonl
//
// Apply ops to before and compare with after, or expect error. A row with
// dialect holds only where that tolerance is on, a row with mode "strict" only
// where none is, every other row in both. A pure row is for the pure function
// and not for a server. An unchanged row moves neither version nor lastModified.
// replay says what the same operations do to after: "same", "changes" or
// "error". On an ambiguous row the RFCs leave room; alternative is the other
// reading.
//
// # filter.jsonl and filter-users.json
//
// Evaluate each filter over the users. Matches are their ids. A row that is not
// valid is answered 400 invalidFilter. The users have an extension whose schema
// is [FilterUsers.CustomSchema].
//
// # Comparison
//
// [Diff] compares representations as values: null, [] and {} are unassigned, as
// is a primary that is false; arrays are sets of elements; meta is left out.
package vectors
