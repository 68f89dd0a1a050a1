package roles

// ScopeKind is the kind of a [Scope].
type ScopeKind uint8

const (
	// InWorkspace is a workspace of the host. Scope.ID is the host's id of it.
	InWorkspace ScopeKind = iota + 1
	// InOrganisation is all of the tenant. Scope.ID is empty.
	InOrganisation
	// AsGroup is a group that is a role itself. Scope.ID is the SCIM id of the
	// group, which stays when the group is renamed; the role is the group's
	// display name.
	AsGroup
)

// Scope is where a role holds. In one scope a user has at most one role. Scopes
// are comparable.
type Scope struct {
	Kind ScopeKind `json:"kind"`
	ID   string    `json:"id,omitempty"`
}

// Workspace is the scope of the workspace with an id of the host's.
func Workspace(id string) Scope { return Scope{Kind: InWorkspace, ID: id} }

// TheOrganisation is the scope of organisation roles.
func TheOrganisation() Scope { return Scope{Kind: InOrganisation} }

// GroupRole is the scope of a group, by its SCIM id, that is a role itself.
func GroupRole(group string) Scope { return Scope{Kind: AsGroup, ID: group} }
