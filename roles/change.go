package roles

// Change is one thing to do at the host: a role granted, changed or revoked.
type Change struct {
	User  string `json:"user"`
	Scope Scope  `json:"scope"`
	// From is the role until now; empty means a grant.
	From Role `json:"from,omitempty"`
	// To is the role from now on; empty means a revocation.
	To Role `json:"to,omitempty"`
	// Causes are what gives To, or for a revocation what gave From until now.
	Causes []Cause `json:"causes,omitempty"`
}

// ChangeKind is the kind of a [Change].
type ChangeKind uint8

// The kinds.
const (
	Granted ChangeKind = iota + 1
	Changed
	Revoked
)

// Kind says what kind of change it is.
func (c *Change) Kind() ChangeKind {
	switch {
	case c.From == "":
		return Granted
	case c.To == "":
		return Revoked
	default:
		return Changed
	}
}
