// Package dialect names the tolerances that real SCIM clients need, and presets
// of them.
//
// A rule is one habit of one or more clients that the RFCs do not cover: Entra
// ID's "False" for a boolean, Okta's read-only attributes inside a PATCH, a
// manager who comes as a bare string. Each has a name, one example, and can be
// switched:
//
//	scim.WithDialect(dialect.Tolerant().Without(dialect.BareFilterWords))
//
// Rules do not rewrite requests. They fill seams that the lower packages own:
// the decoder's Repair, which is asked only where strict decoding fails, so
// that good input pays nothing; options of the filter parser and planner; a
// pass over parsed PATCH operations; and a pass over values that are well typed
// and odd. [Strict] is the same code with no seam filled.
//
// What must never happen is not a rule and cannot be switched: see the safety
// rules of package patch. Validation, such as refusing unknown attributes in
// bodies, is not a rule either; the server has options for it.
package dialect

import "slices"

// Set is a choice of rules: a small immutable value, comparable and safe for
// concurrent use. The zero Set is [Strict].
type Set struct{ on uint64 }

// With returns the set with further rules. It panics when there is no rule of
// that name: a programmer's mistake.
func (s Set) With(rules ...string) Set {
	for _, name := range rules {
		s.on |= mustFind(name).bit()
	}
	return s
}

// Without returns the set without some rules. It panics when there is no rule
// of that name.
func (s Set) Without(rules ...string) Set {
	for _, name := range rules {
		s.on &^= mustFind(name).bit()
	}
	return s
}

// Has reports whether a rule is in the set. It is false for names that no rule
// has.
func (s Set) Has(rule string) bool {
	r, ok := find(rule)
	return ok && s.has(r)
}

// Names returns the names of the rules in the set, sorted; nil when there are
// none.
func (s Set) Names() []string {
	var list []string
	for r := range numRules {
		if s.has(r) {
			list = append(list, rules[r].Name)
		}
	}
	slices.Sort(list)
	return list
}

func (s Set) has(r rule) bool { return s.on&r.bit() != 0 }
