// Package storage is the contract between Muster and the place where resources
// are kept. It is for authors of adapters; hosts that use a store of ours need
// nothing of it but [Follow], which hands them changes from the log.
//
// # What an adapter writes
//
// For an ordered key-value database with transactions: the four primitives of
// package kv, and nothing of what follows. For anything else: the four methods
// of [Store]. Then run storagetest.Run in a test: it is the definition of what a
// store must do, and names the rule that a failure breaks. Package kv is a
// reading of the same rules in code, in the order in which they take effect.
//
//   - required: [Store]
//   - if there is a way: [ChangeLog] (whoever follows changes misses none in a
//     crash), [ChangeNotifier] (and hears of them at once), [Locker] (keeps
//     writers of one record from starving each other), [BulkCommitter] (many
//     small commits in one round trip)
//   - wrappers: [Unwrapper], so that these abilities are not lost
//
// Help that an adapter may use: [Evaluate] and [EvaluateOrdered] answer a query
// over candidates that the database narrowed down, [IndexKey] makes the operand
// of an index look-up, and [Record.Committed] stamps a record that is kept in
// memory.
//
// # Words
//
// A record is what a store keeps of one resource. A link is one entry of a
// relation: this group has that user as a member. An owner is the record whose
// relation it is, a target the record at the other end. A record is hidden when
// it is deleted for clients and kept for history; a change is one effective
// write, as the log keeps it. A record steps when its version goes up.
//
// # Rules in one place
//
// A commit takes effect wholly or not at all. The store increments versions,
// since only it knows whether a link was new. Keys and references compare
// bytewise: the core has folded keys, and a store never folds, lowers, trims or
// collates. Strings never contain U+0000 and are valid UTF-8; else they may hold
// anything, and may be empty. Everything is inside one tenant: a tenant is named
// once per call and nothing reaches across. The doc comments of [Batch] and
// [LinkEdit] hold the rest.
//
// All methods are called concurrently. Values passed in and handed out are
// immutable from then on: a store keeps what it is given without copying, and
// callers do not modify what they receive.
package storage
