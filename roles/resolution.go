package roles

// Resolution is what the rules make of one user. Its lists have a fixed order,
// which does not depend on the order of what went in.
type Resolution struct {
	// Assignments are what the user should have, ordered by scope.
	Assignments []Assignment
	// Conflicts are the workspaces where several groups meet, ordered by scope.
	Conflicts []Conflict
	// Unmatched are the groups that give nothing, ordered by group.
	Unmatched []Unmatched
	// Pending are workspaces that a group names and the host does not have,
	// ordered by name and scope.
	Pending []Pending
	// UnknownRoles are the values of the attribute roles that are no
	// organisation role and not ignored, sorted.
	UnknownRoles []string
}

// Conflict says that several groups, or several roles, meet for one user in one
// workspace.
type Conflict struct {
	User  string `json:"user"`
	Scope Scope  `json:"scope"`
	// Given is the role that the policy gives; empty means none.
	Given Role `json:"given,omitempty"`
	// Causes are all that meet.
	Causes []Cause `json:"causes"`
}

// Agrees reports whether all causes give the same role.
func (c *Conflict) Agrees() bool {
	for _, other := range c.Causes {
		if other.Role != c.Causes[0].Role {
			return false
		}
	}
	return true
}

// Unmatched is a group that gives no role, with the reason.
type Unmatched struct {
	Group  Group  `json:"group"`
	Reason Reason `json:"reason"`
	// Char is the character that stands in the way, where Reason is LookAlike.
	Char rune `json:"char,omitempty"`
	// Role is the role that the name or the row says, where Reason is
	// AboveCeiling, RowRole or RowScope.
	Role Role `json:"role,omitempty"`
	// Workspace is the workspace that the name says, where Reason is
	// AboveCeiling.
	Workspace string `json:"workspace,omitempty"`
}

// Reason says why a group gives nothing.
type Reason string

const (
	// NoRow: no row maps the group, and the convention is off.
	NoRow Reason = "no row"
	// FormerlyMapped: the group had rows, and they were removed.
	FormerlyMapped Reason = "formerly mapped"
	// NoPrefix: the name begins with none of the prefixes.
	NoPrefix Reason = "no prefix"
	// NoSeparator: there is no separator after the prefix.
	NoSeparator Reason = "no separator"
	// EmptyWorkspace: nothing but space stands before the separator.
	EmptyWorkspace Reason = "empty workspace"
	// EmptyRole: nothing stands after the separator.
	EmptyRole Reason = "empty role"
	// UnknownRole: what stands after the separator is no role of the convention.
	UnknownRole Reason = "unknown role"
	// LookAlike: the name would match if a character were the one it looks like.
	LookAlike Reason = "look-alike character"
	// AboveCeiling: the name says a higher role than names may give, and waits
	// for a person to map it.
	AboveCeiling Reason = "above the ceiling"
	// RestoreOffered: a deleted group of the same name had rows. The new group
	// does not get them by itself, nor is it read by the convention, until the
	// host restores them or maps it otherwise.
	RestoreOffered Reason = "restore offered"
	// RowScope: the scope of a row is none that rows give roles in under the
	// present settings.
	RowScope Reason = "scope of a row is off"
	// RowRole: the role of a row is none of the settings' roles any more.
	RowRole Reason = "unknown role in the table"
)

// Pending is a group that would give a role in a workspace which the host does
// not have.
type Pending struct {
	// Name is the workspace's name as the group spells it, and Key its folded
	// form; both empty where a row names the workspace by id.
	Name string `json:"name,omitempty"`
	Key  string `json:"key,omitempty"`
	// Scope is the workspace that a row names; zero where a name does.
	Scope Scope `json:"scope,omitzero"`
	// Refused is whether the host was asked for the workspace and refused it.
	Refused bool `json:"refused,omitempty"`
	// Cause is what names the workspace.
	Cause Cause `json:"cause"`
}

// Workspaces is what is known of the host's workspaces. Only those that the
// user's groups name need to be there.
type Workspaces struct {
	// Bound maps the key of a workspace's name, as in Match.Key, to the host's
	// id of the workspace.
	Bound map[string]string
	// Refused holds the keys of names that the host refused.
	Refused map[string]bool
	// Gone holds the ids of workspaces that the host deleted.
	Gone map[string]bool
}
