package roles

// Role is the name of a role as the host spells it, such as "admin". Roles
// compare without regard to ASCII case, and only to the roles of [Settings];
// results carry the spelling of the settings.
type Role string

// ConflictPolicy says which role a user gets in a workspace where its groups
// give several.
type ConflictPolicy uint8

const (
	// Highest gives the highest role, in the order of Settings.Roles.
	Highest ConflictPolicy = iota
	// Lowest gives the lowest role.
	Lowest
	// Reject gives none while different roles meet. Groups that agree are no
	// obstacle.
	Reject
)
