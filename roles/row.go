package roles

import "time"

// Row is a row of the explicit table: one group gives one role in one scope.
// The group is named by Group; or, before the identity provider has pushed it,
// by Connection and Name, and the row waits until a group of that name is
// created.
type Row struct {
	// ID identifies the row in its tenant.
	ID string `json:"id"`
	// Group is the SCIM id of the group; empty while the row waits.
	Group string `json:"group,omitempty"`
	// Connection and Name are the connection and the display name by which a
	// row waits for its group, and by which one that waited was bound.
	Connection string `json:"connection,omitempty"`
	Name       string `json:"name,omitempty"`
	// Scope is a workspace, or the organisation where Organisation.FromTable
	// allows it.
	Scope Scope `json:"scope"`
	// Role is the role that members of the group get.
	Role Role `json:"role"`
	// Created is when the row was added.
	Created time.Time `json:"created,omitzero"`
	// Archived is when the row was removed or its group deleted. An archived
	// row gives nothing. The zero time means the row is in force.
	Archived time.Time `json:"archived,omitzero"`
	// Because says why the row was archived.
	Because ArchiveReason `json:"because,omitempty"`
}

// Waiting reports whether the row is in force but its group is not there yet.
func (r *Row) Waiting() bool { return r.Group == "" && r.Archived.IsZero() }

// ArchiveReason says why a row is archived.
type ArchiveReason string

const (
	// RowRemoved: somebody removed the row.
	RowRemoved ArchiveReason = "removed"
	// GroupDeleted: the identity provider deleted the group.
	GroupDeleted ArchiveReason = "group deleted"
)

// Removal says what becomes of those who have a role only through a row that is
// removed.
type Removal uint8

const (
	// Revoke takes the role from them.
	Revoke Removal = iota
	// Keep hands the assignment to the host: it leaves our state and is never
	// revoked by us.
	Keep
)
