// Package dialect names the tolerances that real SCIM clients need, and presets
// of them.
//
// A rule is one habit of one or more clients that the RFCs do not cover: Entra
// ID's "False" for a boolean, Okta's read-only attributes inside a PATCH, a
// member list on a remove. Each has a name, one example, and can be switched:
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
// rules of package patch.
package dialect

import (
	"github.com/musterhq/muster/scim/filter"
	"github.com/musterhq/muster/scim/patch"
	"github.com/musterhq/muster/scim/resource"
	"github.com/musterhq/muster/scim/schema"
)

// Rule describes one tolerance.
type Rule struct {
	Name    string // as in [Set.With] and in reports, such as "boolean-text"
	Summary string // what is accepted and what it is taken for
	Example string // what a client sends
	Clients string // who is known to send it
}

// Set is a choice of rules: a small immutable value. The zero Set is
// [Strict].
type Set struct{ on uint64 }

// Rules returns all rules there are, by name.
func Rules() []Rule { panic("todo") }

// Tolerant has every rule that no known client suffers from. It is the default.
func Tolerant() Set { panic("todo") }

// Strict has no rules.
func Strict() Set { return Set{} }

// With returns the set with further rules. It panics when there is no rule of
// that name: a programmer's mistake.
func (s Set) With(rules ...string) Set { panic("todo") }

// Without returns the set without some rules. It panics when there is no rule
// of that name.
func (s Set) Without(rules ...string) Set { panic("todo") }

// Has reports whether a rule is in the set.
func (s Set) Has(rule string) bool { panic("todo") }

// Session applies a set to one request and remembers which rules fired. It is
// used by one goroutine.
type Session struct {
	set   Set
	fired uint64
}

// Session starts a request.
func (s Set) Session() *Session { return &Session{set: s} }

// Fired returns the names of the rules that the request relied on, sorted; nil
// when none.
func (x *Session) Fired() []string { panic("todo") }

// Repair is what the decoder asks about bodies; nil when no rule would repair
// anything.
func (x *Session) Repair() resource.Repair { panic("todo") }

// Filter returns the parser's options for filters in URLs and search requests.
func (x *Session) Filter() filter.ParseOptions { panic("todo") }

// Plan returns the planner's options for them.
func (x *Session) Plan() filter.Options { panic("todo") }

// Patch returns the tolerance for a PATCH request.
func (x *Session) Patch() patch.Tolerance { panic("todo") }

// Apply returns the options for applying it.
func (x *Session) Apply() patch.ApplyOptions { panic("todo") }

// Resource is the pass over a decoded body's well-typed odd values. It returns
// r itself when there is nothing to change.
func (x *Session) Resource(t *schema.Type, r *resource.Resource) *resource.Resource { panic("todo") }

// KeepsAbsent reports whether a replace that does not name attribute p keeps its
// value: a group's members and a user's active, which clients leave out without
// meaning to clear them. It counts as fired when it says yes.
func (x *Session) KeepsAbsent(t *schema.Type, p schema.Path) bool { panic("todo") }
