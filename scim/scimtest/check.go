package scimtest

import (
	"cmp"
	"embed"
	"fmt"
	"io/fs"
	"iter"
	"slices"
)

//go:embed checks
var checkFiles embed.FS

// check holds one requirement.
type check struct {
	id, about string
	scripts   []script
	// run is a check that a script cannot say; needs are the features for it.
	needs []string
	run   func(*conversation)
}

// allChecks returns the checks in the order of their ids.
func allChecks() ([]check, error) {
	checks := slices.Concat(
		discoveryChecks(), definitionChecks(), resourceChecks(), listChecks(), bulkChecks(), cursorChecks(), httpChecks(),
	)
	names, err := fs.Glob(checkFiles, "checks/*.txt")
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		scripts, err := parseScripts(checkFiles, name)
		if err != nil {
			return nil, err
		}
		checks = append(checks, scripts...)
	}
	slices.SortStableFunc(checks, func(a, b check) int { return cmp.Compare(a.id, b.id) })
	for i, c := range checks[1:] {
		if c.id == checks[i].id {
			return nil, fmt.Errorf("there are two checks of %s", c.id)
		}
	}
	return checks, nil
}

// Checks lists the requirements that [Run] checks: the id, by which they are
// known in docs/conformance.md, and one sentence.
func Checks() iter.Seq2[string, string] {
	return func(yield func(string, string) bool) {
		checks, err := allChecks()
		if err != nil {
			panic(err) // a mistake in an embedded file, which our tests find
		}
		for _, c := range checks {
			if !yield(c.id, c.about) {
				return
			}
		}
	}
}
