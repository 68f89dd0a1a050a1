// Package sqlite is a store in one SQLite file, for hosts that run on one
// machine: nothing to install, no cgo, and nothing is lost when the process
// ends.
//
//	store, err := sqlite.Open("directory.db")
//
// Besides [storage.Store] it is a [storage.ChangeLog], a
// [storage.ChangeNotifier], a [storage.Locker] and a [storage.BulkCommitter].
//
// # The file
//
// The database is in WAL mode: readers do not hold writers off, nor the other way
// round. Two more files stand beside it while it is open, ending in -wal and
// -shm; all three belong together. Every commit is flushed to disk before it is
// acknowledged, so it survives a crash of the process and of the machine.
// Commits that come at the same time are flushed together.
//
// Several processes on one machine may open one file; network file systems do
// not lock well enough for that. WithLock holds off the callers of one store
// only, and a waiting [storage.ChangeNotifier] hears of commits of other
// processes within a second.
//
// Back up with SQLite's own means ("VACUUM INTO", or its backup command); copying
// the file while it is open copies a torn one. On Unix a process loses its locks
// on a file when any part of it opens and closes the same file by other means, so
// do not read the database's files from the process that serves them.
//
// # Indexes
//
// What a type indexes can be looked up, and userName, externalId, displayName,
// created and lastModified can be sorted by, without looking at other records. A
// filter on something else is answered by looking at all records of the tenant
// and type. When a type indexes an attribute that it did not before, the store
// indexes the records that are there in the background, and uses the index once
// it is complete.
//
// # Precision
//
// Times are kept to the microsecond.
package sqlite
