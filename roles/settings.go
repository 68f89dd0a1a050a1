package roles

// Settings say which ways from groups to roles are on, and how they are read.
// The zero value gives no role to anybody. Settings are plain data: a host that
// lets its customers change them keeps them as JSON.
type Settings struct {
	// Roles are the roles of workspaces, the highest first. Empty means admin,
	// manager, member. Names are not empty and differ in more than ASCII case.
	Roles []Role `json:"roles,omitempty"`

	// Conflicts says what a user gets where several groups give roles in one
	// workspace.
	Conflicts ConflictPolicy `json:"conflicts,omitempty"`

	// Table turns the explicit table on.
	Table bool `json:"table,omitempty"`

	// ManyRoles lets a group have different roles in different workspaces.
	// Without it [Rules.CheckRow] refuses a row with another role than the
	// group's other rows.
	ManyRoles bool `json:"manyRoles,omitempty"`

	// Convention turns the naming convention on. Nil means off.
	Convention *Convention `json:"convention,omitempty"`

	// BothWays lets the convention read groups that have a row too. Without it
	// a row, also one that was removed, takes its group out of the convention.
	BothWays bool `json:"bothWays,omitempty"`

	// GroupRoles makes each group a role of its own, beside what the table and
	// the convention give.
	GroupRoles bool `json:"groupRoles,omitempty"`

	// Organisation turns the management of organisation roles on. Nil means
	// off: organisation roles stay as they are, also those that were given while
	// it was on.
	Organisation *Organisation `json:"organisation,omitempty"`
}

// Convention reads a workspace and a role from the display name of a group:
// prefix, workspace, separator, role.
//
// Prefix, separator and role compare without regard to ASCII case, and only
// ASCII case. Of several separators the last counts, and of several prefixes
// the longest. A convention never gives organisation roles.
type Convention struct {
	// Prefixes begin the names that the convention reads. Empty means "ws-".
	// Two that differ in ASCII case only are refused.
	Prefixes []string `json:"prefixes,omitempty"`

	// EmptyPrefix acknowledges that a prefix is the empty string, so that the
	// name of any group can give a role.
	EmptyPrefix bool `json:"emptyPrefix,omitempty"`

	// Separator stands between workspace and role. Empty means "-role-".
	Separator string `json:"separator,omitempty"`

	// Roles are the roles that names may give, each one of Settings.Roles.
	// Empty means all of them.
	Roles []Role `json:"roles,omitempty"`

	// Ceiling is the highest role that names give. A group whose name says a
	// higher one gives nothing and is listed as [AboveCeiling] until a person
	// maps it with a row. Empty means no ceiling.
	Ceiling Role `json:"ceiling,omitempty"`
}

// Organisation reads the organisation role of a user from its attribute roles.
// The highest known value counts; case is ignored. A user without one has the
// default role.
type Organisation struct {
	// Roles are the organisation's roles, the highest first. Empty means owner,
	// admin, member.
	Roles []Role `json:"roles,omitempty"`

	// Default is the role of a user whose attribute names none that is known.
	// Empty means the lowest of Roles.
	Default Role `json:"default,omitempty"`

	// Ignore are values that say nothing, so that they are not reported as
	// unknown. Nil means group, user, msiam_access and Default Access, which
	// identity providers send for their own purposes. The empty value is always
	// ignored.
	Ignore []string `json:"ignore,omitempty"`

	// FromTable lets rows of the table give organisation roles too. The highest
	// of both counts.
	FromTable bool `json:"fromTable,omitempty"`
}
