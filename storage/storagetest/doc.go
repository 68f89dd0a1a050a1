// Package storagetest is the test suite of the storage contract. An adapter
// calls [Run] in a test of its own:
//
//	func TestStore(t *testing.T) {
//		storagetest.Run(t, func(t *testing.T) storage.Store { return open(t) })
//	}
//
// The suite is the definition of what a store must do: each subtest is named
// after a rule, and a failure says which rule is broken, what was done before,
// what was expected and what came. [Outage] is for stores whose database can be
// away, and [Benchmark] measures adapters alike.
//
// Rules about optional abilities (a change log, locks, many batches at once)
// run when the store has them and are skipped when it does not.
package storagetest
