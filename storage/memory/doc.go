// Package memory is a [storage.Store] that keeps everything in memory: complete,
// fast, and gone when the process ends. It serves tests, demonstrations and
// small deployments that are filled anew after a start.
//
// # How it works
//
// Each tenant has one state: its records, indexes, links and change log, in
// trees whose nodes are copied before they change (package cowtree). A reader
// takes the current state and works on it for as long as it likes, without
// locks: it sees whole batches only, and holds nobody up. Writers of a tenant
// take turns.
//
// Copying pays for readers, so it is left out while there are none: a tenant
// that is only written to changes its trees in place. The first read after that
// waits for the commit at work, if there is one, and from then on states are
// handed out after every commit.
//
// A record has a number, its slot. Trees lead to slots, and slots to records: so
// a new version of a record replaces one pointer, and no index entry moves whose
// key stays. A link is the slot of one end with a pointer to the name of the
// other, in both directions; what a link costs does not depend on how many its
// owner has.
//
// # Queries
//
// Every query that the contract allows is answered. A page of all records costs
// the page, in the order of ids, of meta.created and meta.lastModified, and of
// every indexed attribute that has one value; counting all records costs
// nothing. A filter starts from the smallest set that an index or the links can
// name: eq, sw, gt, ge, lt and le on indexed attributes, eq on relations, and
// combinations of them. Any other filter is matched against all records of the
// type.
//
// # Memory
//
// A user with the usual attributes takes not quite three times its JSON: the JSON
// itself, 0.8 of it for the table that reading it needs, and a kilobyte for the
// record, its names and its index entries. A link takes 60 to 80 bytes in both
// directions together. The change log is bounded, see [WithChangeLog].
package memory
