package roles

// Explanation says why a user has a role in a scope, or none.
type Explanation struct {
	User  string `json:"user"`
	Scope Scope  `json:"scope"`
	// Role is the role that the rules give now; empty means none.
	Role Role `json:"role,omitempty"`
	// Applied is the role that the host was told of last; empty means none.
	Applied Role `json:"applied,omitempty"`
	// Held is the role that the host gave by itself; empty means none. While
	// there is one in a workspace, Role is not applied.
	Held Role `json:"held,omitempty"`
	// Inactive is whether the user is inactive, hidden or deleted.
	Inactive bool `json:"inactive,omitempty"`
	// Causes are all that bears on the scope, those that give Role first.
	Causes []Cause `json:"causes,omitempty"`
	// Conflict is whether the causes conflict.
	Conflict bool `json:"conflict,omitempty"`
	// Unmatched are the user's groups that give nothing anywhere.
	Unmatched []Unmatched `json:"unmatched,omitempty"`
	// Pending are the user's groups that name a workspace which the host does
	// not have.
	Pending []Pending `json:"pending,omitempty"`
}

// Explain says why a user has a role in a scope, or none. applied and held are all
// that the host was told of last and gave by itself, as in [Diff]; those of other
// scopes are ignored.
func (r *Rules) Explain(u User, scope Scope, t *Table, w Workspaces, applied, held []Assignment) Explanation {
	res := r.Resolve(u, t, w)
	x := Explanation{User: u.ID, Scope: scope, Inactive: !u.Active, Unmatched: res.Unmatched, Pending: res.Pending}
	roleIn := func(list []Assignment) Role {
		for _, a := range list {
			if a.Scope == scope {
				return a.Role
			}
		}
		return ""
	}
	x.Applied, x.Held = roleIn(applied), roleIn(held)
	for _, a := range res.Assignments {
		if a.Scope == scope {
			x.Role, x.Causes = a.Role, a.Causes
		}
	}
	for _, c := range res.Conflicts {
		if c.Scope == scope {
			x.Conflict, x.Causes = true, c.Causes
		}
	}
	return x
}
