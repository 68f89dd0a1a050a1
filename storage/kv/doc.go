// Package kv makes a [storage.Store] of any ordered key-value database with
// serialisable transactions, such as bbolt, Badger, Pebble, FoundationDB or a
// table of two columns. The author of an adapter writes four primitives, [Tx],
// and the two kinds of transaction, [DB]; every rule of the storage contract is
// kept here.
//
// It is also the reference reading of that contract: one small function for
// each rule, in the order in which a batch is defined to take effect. Where it
// had to choose between speed and plainness it is plain. The store has a change
// log ([storage.ChangeLog]).
//
// # Keys
//
// A key is a letter for its kind and components, separated by the byte 0, which
// the contract keeps out of all strings: so no two lists of components make the
// same key, and keys sort as their components do. Every key names the tenant
// first, then what is in [keys.go]. Keys are seldom longer than 200 bytes; long
// attribute values bring them to little more than [storage.MaxKeyLength].
//
// Values are a record as two lines of JSON followed by its document, a change as
// JSON, an id, or nothing.
//
// [keys.go]: https://github.com/musterhq/muster/blob/main/storage/kv/keys.go
package kv
