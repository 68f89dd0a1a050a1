package roles

import (
	"cmp"
	"slices"
)

// Resolve maps a user to assignments. A nil table is empty. The result does not
// depend on the order of groups, rows and values.
func (r *Rules) Resolve(u User, t *Table, w Workspaces) Resolution {
	if !u.Active {
		return Resolution{}
	}
	groups := distinct(u.Groups)
	c := collector{r: r, t: t, w: w, gains: make([]gain, 0, len(groups)+1)}
	for _, g := range groups {
		c.group(g)
	}
	if r.settings.Organisation != nil {
		c.organisation(u.Roles)
	}
	return c.resolution(u.ID)
}

// Group maps a group alone: what it gives to each active member, apart from the
// members' other groups and attributes, or why it gives nothing. The assignments
// name no user.
func (r *Rules) Group(g Group, t *Table, w Workspaces) Resolution {
	c := collector{r: r, t: t, w: w}
	c.group(g)
	return c.resolution("")
}

// distinct returns the groups in the order of their ids, each once; of a group
// that stands there as direct and as nested one, the direct.
func distinct(groups []Group) []Group {
	sorted := slices.SortedFunc(slices.Values(groups), func(a, b Group) int {
		return cmp.Or(cmp.Compare(a.ID, b.ID), cmp.Compare(a.Via, b.Via), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Connection, b.Connection))
	})
	return slices.CompactFunc(sorted, func(a, b Group) bool { return a.ID == b.ID })
}

// collector gathers what the groups of a user give.
type collector struct {
	r     *Rules
	t     *Table
	w     Workspaces
	gains []gain
	out   Resolution
}

// gain is a role that one cause gives.
type gain struct {
	scope Scope
	rank  int // of the role, 0 is the highest
	cause Cause
}

func (c *collector) gain(s Scope, cause Cause) {
	o := c.r.orderOf(s.Kind)
	c.gains = append(c.gains, gain{s, o.rank(cause.Role), cause})
}

func (c *collector) unmatched(u Unmatched) { c.out.Unmatched = append(c.out.Unmatched, u) }

func (c *collector) group(g Group) {
	s := &c.r.settings
	var reason Unmatched // of the first way that says nothing
	mapped := false
	if s.Table {
		mapped = c.rows(g)
		if !mapped {
			reason = Unmatched{Group: g, Reason: c.noRow(g)}
		}
	}
	if s.Convention != nil && (s.BothWays || !mapped && (reason.Reason == "" || reason.Reason == NoRow)) {
		reason = Unmatched{}
		if m := c.r.Match(g.Name); m.Reason == "" {
			c.named(g, m)
		} else if !mapped {
			reason = Unmatched{Group: g, Reason: m.Reason, Char: m.Char, Role: m.Role, Workspace: m.Workspace}
		}
	}
	if s.GroupRoles {
		name := cmp.Or(Role(g.Name), Role(g.ID)) // an empty role is none
		c.gain(GroupRole(g.ID), Cause{Way: ByGroup, Role: name, Group: g.ID, Name: short(g.Name), Via: g.Via})
		if reason.Reason == NoRow || reason.Reason == NoPrefix {
			return // nobody meant it to be more
		}
	}
	if reason.Reason != "" {
		c.unmatched(reason)
	}
}

// noRow says why the table has nothing for a group.
func (c *collector) noRow(g Group) Reason {
	switch {
	case c.t.FormerlyMapped(g.ID):
		return FormerlyMapped
	case len(c.t.Offers(g)) > 0:
		return RestoreOffered
	default:
		return NoRow
	}
}

// rows adds what the rows of a group give, and reports whether there are any.
func (c *collector) rows(g Group) bool {
	rows := c.t.Of(g.ID)
	for i := range rows {
		row := &rows[i]
		if !c.r.rowScope(row.Scope) {
			c.unmatched(Unmatched{Group: g, Reason: RowScope, Role: row.Role})
			continue
		}
		role, ok := c.r.Role(row.Scope.Kind, string(row.Role))
		if !ok {
			c.unmatched(Unmatched{Group: g, Reason: RowRole, Role: row.Role})
			continue
		}
		cause := Cause{Way: ByTable, Role: role, Group: g.ID, Name: short(g.Name), Via: g.Via, Row: row.ID}
		if row.Scope.Kind == InWorkspace && c.w.Gone[row.Scope.ID] {
			c.out.Pending = append(c.out.Pending, Pending{Scope: row.Scope, Cause: cause})
			continue
		}
		c.gain(row.Scope, cause)
	}
	return len(rows) > 0
}

// named adds what the name of a group gives.
func (c *collector) named(g Group, m Match) {
	cause := Cause{Way: ByConvention, Role: m.Role, Group: g.ID, Name: short(g.Name), Via: g.Via}
	id, bound := c.w.Bound[m.Key]
	if !bound || c.w.Gone[id] {
		c.out.Pending = append(c.out.Pending, Pending{Name: m.Workspace, Key: m.Key, Refused: c.w.Refused[m.Key], Cause: cause})
		return
	}
	c.gain(Workspace(id), cause)
}

// organisation adds the organisation roles of a user's attribute.
func (c *collector) organisation(values []RoleValue) {
	causes, unknown := c.r.attribute(values)
	c.out.UnknownRoles = unknown
	for _, cause := range causes {
		c.gain(TheOrganisation(), cause)
	}
	if !slices.ContainsFunc(c.gains, func(g gain) bool { return g.scope.Kind == InOrganisation }) {
		c.gain(TheOrganisation(), Cause{Way: ByDefault, Role: c.r.settings.Organisation.Default})
	}
}

// resolution decides each scope.
func (c *collector) resolution(user string) Resolution {
	slices.SortFunc(c.gains, func(a, b gain) int {
		return cmp.Or(compareScopes(a.scope, b.scope), cmp.Compare(a.rank, b.rank), compareCauses(&a.cause, &b.cause))
	})
	c.gains = slices.Compact(c.gains)
	causes := make([]Cause, len(c.gains))
	for i := range c.gains {
		causes[i] = c.gains[i].cause
	}
	if len(c.gains) > 0 {
		c.out.Assignments = make([]Assignment, 0, len(c.gains))
	}
	for from := 0; from < len(c.gains); {
		to := from + 1
		for to < len(c.gains) && c.gains[to].scope == c.gains[from].scope {
			to++
		}
		c.decide(user, c.gains[from:to], causes[from:to:to])
		from = to
	}
	slices.SortFunc(c.out.Unmatched, func(a, b Unmatched) int {
		return cmp.Or(cmp.Compare(a.Group.ID, b.Group.ID), cmp.Compare(a.Reason, b.Reason), cmp.Compare(a.Role, b.Role))
	})
	c.out.Unmatched = slices.Compact(c.out.Unmatched)
	slices.SortFunc(c.out.Pending, func(a, b Pending) int {
		return cmp.Or(cmp.Compare(a.Key, b.Key), compareScopes(a.Scope, b.Scope), compareCauses(&a.Cause, &b.Cause))
	})
	return c.out
}

// decide gives the role of one scope, out of gains with the highest first and their
// causes.
func (c *collector) decide(user string, gains []gain, causes []Cause) {
	scope := gains[0].scope
	given, several := causes[0].Role, gains[len(gains)-1].rank != gains[0].rank
	meet := several || slices.ContainsFunc(causes, func(o Cause) bool { return o.Group != causes[0].Group })
	if scope.Kind == InWorkspace && meet {
		switch {
		case !several, c.r.settings.Conflicts == Highest:
		case c.r.settings.Conflicts == Lowest:
			given = causes[len(causes)-1].Role
			lowest := gains[len(gains)-1].rank
			first := slices.IndexFunc(gains, func(g gain) bool { return g.rank == lowest })
			causes = slices.Concat(causes[first:], causes[:first])
		default:
			given = ""
		}
		c.out.Conflicts = append(c.out.Conflicts, Conflict{User: user, Scope: scope, Given: given, Causes: slices.Clone(causes)})
	}
	if given != "" {
		c.out.Assignments = append(c.out.Assignments, Assignment{User: user, Scope: scope, Role: given, Causes: causes})
	}
}

func compareScopes(a, b Scope) int {
	return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.ID, b.ID))
}

func compareCauses(a, b *Cause) int {
	return cmp.Or(cmp.Compare(a.Way, b.Way), cmp.Compare(a.Group, b.Group), cmp.Compare(a.Row, b.Row), cmp.Compare(a.Role, b.Role),
		cmp.Compare(a.Via, b.Via), cmp.Compare(a.Name, b.Name))
}
