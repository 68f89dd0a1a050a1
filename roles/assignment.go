package roles

// Assignment says that a user has a role in a scope, and why.
type Assignment struct {
	User  string `json:"user"`
	Scope Scope  `json:"scope"`
	Role  Role   `json:"role"`
	// Causes are what gives the user this role or would give another one here,
	// in a fixed order: those that give Role first.
	Causes []Cause `json:"causes,omitempty"`
}

// Way is how a cause gives a role.
type Way string

const (
	ByTable      Way = "table"      // a row of the explicit table
	ByConvention Way = "convention" // the name of a group
	ByGroup      Way = "group"      // a group that is a role itself
	ByAttribute  Way = "attribute"  // the user's attribute roles
	ByDefault    Way = "default"    // nothing else gives an organisation role
)

// Cause is one thing that gives a role.
type Cause struct {
	Way Way `json:"way"`
	// Role is what this cause alone would give.
	Role Role `json:"role"`
	// Group and Name are the id and display name of the group, the name cut off after
	// 300 bytes; empty where no group is the cause.
	Group string `json:"group,omitempty"`
	Name  string `json:"name,omitempty"`
	// Via is the id of the group that the user is directly in, where nesting
	// led to Group.
	Via string `json:"via,omitempty"`
	// Row is the id of the row, where Way is ByTable.
	Row string `json:"row,omitempty"`
}
