package roles

import (
	"errors"
	"fmt"
)

// ErrInvalidRow is matched by the errors of [Rules.CheckRow] about the row itself.
var ErrInvalidRow = errors.New("roles: the row cannot be added")

// OtherRoleError says that a group has another role already.
type OtherRoleError struct {
	// Existing is the row that gives it.
	Existing Row
	// Role is the role of the row that is refused.
	Role Role
}

// Error names the existing role and its row.
func (e *OtherRoleError) Error() string {
	return fmt.Sprintf("roles: the group already has the role %q by the row %s: a group has one role, so %q needs that row removed first, or a group of its own",
		e.Existing.Role, e.Existing.ID, e.Role)
}

// CheckRow says whether a row may be added to the existing ones of its group.
// Archived rows among them do not count. It returns the row that says the same,
// if there is one, else nil.
//
// The error matches [ErrInvalidRow], or is an [*OtherRoleError]: a group has one
// role in one scope, and unless Settings.ManyRoles is set one in all workspaces.
func (r *Rules) CheckRow(row Row, existing []Row) (*Row, error) {
	invalid := func(why string) (*Row, error) { return nil, fmt.Errorf("%w: %s", ErrInvalidRow, why) }
	switch {
	case !r.settings.Table:
		return invalid("the explicit table is off")
	case row.Group == "" && row.Name == "":
		return invalid("it names no group: give the group's id or its display name")
	case !r.rowScope(row.Scope):
		return invalid("its scope must be a workspace with an id, or the organisation if the settings let rows give organisation roles")
	}
	order := r.orderOf(row.Scope.Kind)
	role, ok := order.find(string(row.Role))
	if !ok {
		return invalid(fmt.Sprintf("%q is none of the roles %q", row.Role, order.roles))
	}
	var other *Row
	for i := range existing {
		e := &existing[i]
		if !e.Archived.IsZero() || e.Scope.Kind != row.Scope.Kind {
			continue
		}
		same, _ := order.find(string(e.Role))
		switch {
		case e.Scope == row.Scope && same == role:
			return e, nil
		case same != role && other == nil && (e.Scope == row.Scope || !r.settings.ManyRoles):
			other = e
		}
	}
	if other != nil {
		return nil, &OtherRoleError{Existing: *other, Role: role}
	}
	return nil, nil
}

// rowScope reports whether rows can give roles in a scope.
func (r *Rules) rowScope(s Scope) bool {
	switch s.Kind {
	case InWorkspace:
		return s.ID != ""
	case InOrganisation:
		return s.ID == "" && r.settings.Organisation != nil && r.settings.Organisation.FromTable
	default:
		return false
	}
}
