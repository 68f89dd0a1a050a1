// Package postgres is a [storage.Store] on PostgreSQL 13 or later: any number of
// processes may serve one database.
//
//	store, err := postgres.Open(ctx, "postgres://muster@db.example/muster")
//	…
//	err = store.Migrate(ctx) // makes or upgrades the tables
//
// Besides [storage.Store] it is a [storage.ChangeLog], a [storage.Locker] and a
// [storage.BulkCommitter].
//
// # Tables
//
// The tables lie in a schema of the host's choice ([WithSchema]) and have names
// with a common prefix ([WithTablePrefix]). They need no extension and no rights
// beyond those of their owner. [Store.Migrate] makes and upgrades them, or a tool
// of the host's does with the statements that [Migrations] returns.
//
// A record is a row with its document as bytes, so that it comes back exactly.
// The attributes that everybody asks for have columns of their own; other
// indexed attributes have rows in a table of entries. Links have a table with an
// index for each direction. All texts compare bytewise, whatever the database's
// locale.
//
// # Commits
//
// A commit of new records, of one new version of records whose version the caller
// knows, or of an edit of one relation takes a single round trip: a pipeline of
// statements, which fails as a whole when one finds that a precondition does not
// hold. Then, and for all other batches, the rows concerned are locked in the
// order of [storage.Ref.Compare] and read, the batch is judged, and written.
//
// Transactions are READ COMMITTED, which the store sets for its sessions; what
// must not happen is held off by locks of rows and by unique keys, not by the
// isolation level. A connection URL may set default_transaction_isolation to
// something stricter. Then, as after a deadlock, the database may ask to do a
// transaction again; the store does, until the context is done.
//
// # Change log
//
// Writers append changes without numbers and never wait for each other there.
// Who reads the log numbers what was committed meanwhile, under a lock of the
// tenant's row in the table of logs.
//
// # Failures
//
// Where the database cannot be reached, is starting or stopping, or has no
// connection or disk to spare, calls return [storage.ErrUnavailable]. A commit
// whose connection broke may have been made or not; with a precondition, doing
// it again tells. Connections are made anew when the database is back.
package postgres
