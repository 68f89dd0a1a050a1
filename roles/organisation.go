package roles

import "slices"

// compileOrganisation fills in the defaults of an organisation and its order.
func (r *Rules) compileOrganisation(o Organisation, problem func(string, ...any)) {
	o.Roles = listOr(o.Roles, "owner", "admin", "member")
	r.organisation = newOrder(o.Roles, "the roles of the organisation", problem)
	if o.Default == "" {
		o.Default = o.Roles[len(o.Roles)-1]
	}
	known, ok := r.organisation.find(string(o.Default))
	if !ok {
		problem("the default %q is none of the roles of the organisation", o.Default)
	}
	o.Default = known
	if o.Ignore == nil {
		o.Ignore = []string{"group", "user", "msiam_access", "Default Access"}
	} else {
		o.Ignore = slices.Clone(o.Ignore)
	}
	r.ignore = map[string]bool{"": true}
	for _, v := range o.Ignore {
		r.ignore[lower(v)] = true
	}
	r.settings.Organisation = &o
}

// attribute reads the organisation roles out of a user's attribute roles.
func (r *Rules) attribute(values []RoleValue) (causes []Cause, unknown []string) {
	for _, v := range values {
		role, ok := r.organisation.find(v.Value)
		switch {
		case r.ignore[lower(v.Value)]:
		case ok:
			causes = append(causes, Cause{Way: ByAttribute, Role: role})
		default:
			unknown = append(unknown, v.Value)
		}
	}
	slices.Sort(unknown)
	return causes, slices.Compact(unknown)
}
