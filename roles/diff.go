package roles

import (
	"maps"
	"slices"
)

// Diff says what to do at the host so that a user who was given applied last gets
// wanted. All are of one user, with at most one assignment in a scope; the changes
// are ordered by scope, and there is at most one in each.
//
// held are roles that the host gave by itself. In a workspace where it did,
// nothing is changed. The organisation role is managed outright once its
// management is on, so there the role held counts as the one that the user has,
// if another is wanted.
//
// A group that is a role itself is the same role after a rename: only having it
// counts.
func Diff(applied, wanted, held []Assignment) []Change {
	have, want, host := byScope(applied), byScope(wanted), byScope(held)
	if h := host[TheOrganisation()]; h != nil && want[h.Scope] != nil {
		have[h.Scope] = h
	}
	var changes []Change
	for _, scope := range scopes(have, want) {
		h, w := have[scope], want[scope]
		switch {
		case scope.Kind == InWorkspace && host[scope] != nil:
		case w == nil:
			changes = append(changes, Change{User: h.User, Scope: scope, From: h.Role, Causes: h.Causes})
		case h == nil:
			changes = append(changes, Change{User: w.User, Scope: scope, To: w.Role, Causes: w.Causes})
		case h.Role != w.Role && scope.Kind != AsGroup:
			changes = append(changes, Change{User: w.User, Scope: scope, From: h.Role, To: w.Role, Causes: w.Causes})
		}
	}
	return changes
}

// Apply returns the assignments of a user after changes, ordered by scope.
func Apply(applied []Assignment, changes []Change) []Assignment {
	after := byScope(applied)
	for _, c := range changes {
		if c.Kind() == Revoked {
			delete(after, c.Scope)
		} else {
			after[c.Scope] = &Assignment{User: c.User, Scope: c.Scope, Role: c.To, Causes: c.Causes}
		}
	}
	list := make([]Assignment, 0, len(after))
	for _, scope := range scopes(after) {
		list = append(list, *after[scope])
	}
	return list
}

func byScope(list []Assignment) map[Scope]*Assignment {
	m := make(map[Scope]*Assignment, len(list))
	for i := range list {
		m[list[i].Scope] = &list[i]
	}
	return m
}

// scopes returns the scopes of several maps, in order, each once.
func scopes(lists ...map[Scope]*Assignment) []Scope {
	var all []Scope
	for _, m := range lists {
		all = slices.AppendSeq(all, maps.Keys(m))
	}
	slices.SortFunc(all, compareScopes)
	return slices.Compact(all)
}
