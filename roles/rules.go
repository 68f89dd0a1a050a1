package roles

import (
	"errors"
	"fmt"
	"slices"
)

// Rules are compiled [Settings]: immutable and safe for concurrent use.
type Rules struct {
	settings  Settings
	order     order // of the roles of workspaces
	names     *reader
	lookalike *reader
	ceiling   int

	organisation order
	ignore       map[string]bool
}

// NewRules checks settings and compiles them. The error lists every problem
// found. The settings are copied.
func NewRules(s Settings) (*Rules, error) {
	r := &Rules{settings: s}
	var problems []error
	problem := func(format string, args ...any) { problems = append(problems, fmt.Errorf(format, args...)) }

	r.settings.Roles = listOr(s.Roles, "admin", "manager", "member")
	r.order = newOrder(r.settings.Roles, "the roles of workspaces", problem)
	if s.Conflicts > Reject {
		problem("there is no conflict policy %d: use Highest, Lowest or Reject", s.Conflicts)
	}
	if s.Convention != nil {
		r.compileConvention(*s.Convention, problem)
	}
	if s.Organisation != nil {
		r.compileOrganisation(*s.Organisation, problem)
	}
	if len(problems) > 0 {
		return nil, fmt.Errorf("roles: the settings cannot be used: %w", errors.Join(problems...))
	}
	return r, nil
}

// Settings returns what the rules were made of, with defaults filled in. It is a
// copy.
func (r *Rules) Settings() Settings {
	s := r.settings
	s.Roles = slices.Clone(s.Roles)
	if s.Convention != nil {
		c := *s.Convention
		c.Prefixes, c.Roles = slices.Clone(c.Prefixes), slices.Clone(c.Roles)
		s.Convention = &c
	}
	if s.Organisation != nil {
		o := *s.Organisation
		o.Roles, o.Ignore = slices.Clone(o.Roles), slices.Clone(o.Ignore)
		s.Organisation = &o
	}
	return s
}

// Role returns the role of a kind of scope that a name means, in the spelling of
// the settings.
func (r *Rules) Role(k ScopeKind, name string) (Role, bool) {
	o := r.orderOf(k)
	return o.find(name)
}

// Highest returns the highest role of workspaces, or with InOrganisation that of
// the organisation; empty where roles have no order or are not managed.
func (r *Rules) Highest(k ScopeKind) Role {
	if o := r.orderOf(k); len(o.roles) > 0 {
		return o.roles[0]
	}
	return ""
}

// Compare orders two roles of one kind of scope: it is negative when a is lower
// than b. A role that the settings do not know, and the empty one, is lower than
// all that they know.
func (r *Rules) Compare(k ScopeKind, a, b Role) int {
	o := r.orderOf(k)
	return o.rank(b) - o.rank(a)
}

// orderOf returns the order of a kind of scope, empty where there is none.
func (r *Rules) orderOf(k ScopeKind) order {
	switch k {
	case InWorkspace:
		return r.order
	case InOrganisation:
		return r.organisation
	default:
		return order{}
	}
}

// listOr returns a copy of the list, or what stands for an empty one.
func listOr[T any](list []T, otherwise ...T) []T {
	if len(list) == 0 {
		list = otherwise
	}
	return slices.Clone(list)
}
