package roles_test

import (
	"errors"
	"testing"

	"github.com/musterhq/muster/roles"
	"github.com/musterhq/muster/scim"
)

func (h *host) preview(p roles.Proposal) (list []roles.Change, err error) {
	for c, err := range h.rec.Preview(h.t.Context(), tenant, p) {
		if err != nil {
			return list, err
		}
		list = append(list, c)
	}
	return list, nil
}

// A preview refuses what adding the rows would refuse, and nothing else.
func TestPreviewOfRowsRefusesWhatAddingRefuses(t *testing.T) {
	t.Parallel()
	h := newHost(t, tableOnly())
	u := h.user("u")
	h.group("First", u)
	for _, row := range []roles.Row{
		{Name: "Finance", Scope: roles.Workspace("W"), Role: "admin"},
		{Name: "Legal", Scope: roles.Workspace("W"), Role: "member"},
		{Name: "finance", Scope: roles.Workspace("V"), Role: "member"},
		{Scope: roles.Workspace("V"), Role: "member"},
		{Group: "nobody", Scope: roles.Workspace("V"), Role: "member"},
	} {
		said, before := h.preview(roles.Proposal{Add: []roles.Row{row}})
		_, err := h.rec.AddRow(t.Context(), tenant, row)
		if len(said) != 0 || (before == nil) != (err == nil) || errors.Is(before, scim.ErrNotFound) != errors.Is(err, scim.ErrNotFound) ||
			errors.Is(before, roles.ErrInvalidRow) != errors.Is(err, roles.ErrInvalidRow) {
			t.Errorf("%+v: the preview says %+v, %v; adding it says %v", row, said, before, err)
		}
	}
}

// A group was deleted, its rows restored for a new one of that name and then changed, and
// that one was deleted too: what is offered is what the last one had.
func TestRowsOfTheLastDeletedGroupAreRestored(t *testing.T) {
	t.Parallel()
	h := newHost(t, tableOnly())
	u := h.user("u")
	g := h.group("G", u)
	h.row(g, "W", "admin")
	h.row(g, "V", "admin")
	h.sync()
	h.wait(1)
	h.delete("Group", g)
	h.sync()
	g = h.group("G", u)
	h.sync()
	restored, err := h.rec.RestoreRows(t.Context(), tenant, g)
	if err != nil || len(restored) != 2 {
		t.Fatalf("restored %+v, %v", restored, err)
	}
	for _, row := range restored {
		if err := h.rec.RemoveRow(t.Context(), tenant, row.ID, roles.Revoke); err != nil {
			t.Fatal(err)
		}
	}
	h.row(g, "W", "member")
	h.wait(1000000)
	h.delete("Group", g)
	h.sync()
	g = h.group("G", u)
	h.sync()
	restored, err = h.rec.RestoreRows(t.Context(), tenant, g)
	if err != nil || len(restored) != 1 || restored[0].Role != "member" {
		t.Errorf("restored %+v, %v; want member in W alone", restored, err)
	}
	h.sync()
	h.want(u, "W:member")
}
