package roles

// User is what the rules read of a user.
type User struct {
	// ID is the SCIM id.
	ID string
	// Active is false for a user who is inactive, hidden or deleted: such a
	// user has no assignments, whatever else is said here.
	Active bool
	// Roles is the attribute roles as [RoleValues] reads it.
	Roles []RoleValue
	// Groups are the groups that the user is in. Order does not matter, and one
	// that stands twice counts once.
	Groups []Group
}

// Group is what the rules read of a group.
type Group struct {
	// ID is the SCIM id.
	ID string `json:"id"`
	// Name is the display name.
	Name string `json:"name"`
	// Connection is the connection that owns the group.
	Connection string `json:"connection,omitempty"`
	// Via is, with nested groups, the id of the group that the user is a direct
	// member of and that led here. Empty means direct membership.
	Via string `json:"via,omitempty"`
}
