package storagetest

import (
	"slices"
	"strings"
	"testing"

	"github.com/musterhq/muster/storage"
)

// Option adjusts [Run].
type Option interface{ apply(*options) }

type options struct{ excuses map[string]string }

type optionFunc func(*options)

func (f optionFunc) apply(o *options) { f(o) }

// Excuse skips a rule, or with a name such as "sort" all rules of a group. The
// reason is for readers of the test and its output. Without excuses a store is
// held to everything; an excuse that names no rule fails the test, so that none
// outlives its reason unnoticed.
func Excuse(rule, reason string) Option {
	return optionFunc(func(o *options) { o.excuses[rule] = reason })
}

// Run holds a store to the contract. open is called once for each rule, from
// parallel subtests, and returns an empty store; a store that is not empty will
// do as well, since each rule works in tenants with names of its own, chosen at
// random. open closes what it opened with t.Cleanup.
func Run(t *testing.T, open func(t *testing.T) storage.Store, opts ...Option) {
	t.Helper()
	o := options{excuses: map[string]string{}}
	for _, opt := range opts {
		opt.apply(&o)
	}
	for name := range o.excuses {
		if !slices.ContainsFunc(rules(), func(r rule) bool { return r.named(name) }) {
			t.Errorf("Excuse(%q): there is no such rule", name)
		}
	}
	for _, r := range rules() {
		t.Run(r.name, func(t *testing.T) {
			for name, reason := range o.excuses {
				if r.named(name) {
					t.Skipf("excused: %s", reason)
				}
			}
			t.Parallel()
			newCheck(t, r, open(t)).run()
		})
	}
}

// rule is one sentence of the contract and the check of it.
type rule struct {
	name  string // group/rule
	says  string
	check func(c *check)
}

func (r rule) named(name string) bool {
	group, _, _ := strings.Cut(r.name, "/")
	return name == r.name || name == group
}

// rules returns the rules in the order of the contract.
func rules() []rule {
	return slices.Concat(
		recordRules(),
		preconditionRules(),
		versionRules(),
		uniqueRules(),
		atomicRules(),
		linkRules(),
		missingRules(),
		cascadeRules(),
		linkReadRules(),
		queryRules(),
		sortRules(),
		filterRules(),
		isolationRules(),
		contextRules(),
		concurrencyRules(),
		changeLogRules(),
		abilityRules(),
		modelRules(),
	)
}
