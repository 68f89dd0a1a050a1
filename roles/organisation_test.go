package roles_test

import (
	"testing"

	"github.com/musterhq/muster/roles"
)

func TestOrganisationRolesStayWhenTheirManagementIsTurnedOff(t *testing.T) {
	t.Parallel()
	h := newHost(t, roles.WithSettings(roles.Settings{Table: true, Organisation: &roles.Organisation{}}))
	u, v := h.user("u"), h.user("v")
	h.patch("User", u, `{"op":"replace","path":"roles","value":[{"value":"owner"}]}`)
	h.row(h.group("Ops", u), "W", "admin")
	h.sync()
	h.want(u, "W:admin org:owner")
	h.told()

	if err := h.rec.SetSettings(t.Context(), tenant, &roles.Settings{}); err != nil {
		t.Fatal(err)
	}
	for change, err := range h.rec.Preview(t.Context(), tenant, roles.Proposal{}) {
		if err != nil || change.Scope.Kind == roles.InOrganisation {
			t.Errorf("preview: %+v, %v", change, err)
		}
	}
	h.sync()
	h.want(u, "org:owner")
	h.want(v, "org:member")
	if calls := h.told(); len(calls) != 1 {
		t.Errorf("the host was told %q; want the end of the table's role alone", calls)
	}

	// On again, the role is what the identity provider says.
	if err := h.rec.SetSettings(t.Context(), tenant, nil); err != nil {
		t.Fatal(err)
	}
	h.patch("User", u, `{"op":"replace","path":"roles","value":[{"value":"admin"}]}`)
	h.sync()
	h.want(u, "W:admin org:admin")
}
