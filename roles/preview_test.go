package roles_test

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/musterhq/muster/roles"
	"github.com/musterhq/muster/scim"
	"github.com/musterhq/muster/scim/schema"
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

// Somebody who thinks of turning the convention on sees which workspaces that asks for.
func TestPreviewNamesTheWorkspacesThatTheHostWouldBeAskedAbout(t *testing.T) {
	t.Parallel()
	h := newHost(t, tableOnly(), roles.WithPage(2), roles.WithWorkspaces(func(context.Context, string, string) (string, error) {
		t.Error("the host was asked")
		return "", roles.ErrRefused
	}))
	u := h.user("u")
	for _, name := range []string{"ws-Sales-role-admin", "ws-SALES-role-member", "Sales-role-admin", "ws-Ops-role-member", "ws-Known-role-admin", "ws-Legal-role-boss"} {
		h.group(name, u)
	}
	mapped := h.group("ws-Mapped-role-admin", u)
	h.row(mapped, "W", "admin")
	if err := h.rec.BindWorkspace(t.Context(), tenant, "known", "k"); err != nil {
		t.Fatal(err)
	}
	h.sync()
	proposal := roles.Proposal{Settings: &roles.Settings{Table: true, Convention: &roles.Convention{}}}
	var keys []string
	for w, err := range h.rec.PreviewWorkspaces(t.Context(), tenant, proposal) {
		if err != nil {
			t.Fatal(err)
		}
		if w.ID != "" || schema.Fold(w.Name) != w.Key {
			t.Errorf("%+v", w)
		}
		keys = append(keys, w.Key)
	}
	slices.Sort(keys)
	if !slices.Equal(keys, []string{"ops", "sales"}) {
		t.Errorf("named are %q", keys)
	}
	for range h.rec.PreviewWorkspaces(t.Context(), tenant, proposal) {
		break
	}
	for _, err := range h.rec.PreviewWorkspaces(t.Context(), tenant, roles.Proposal{Remove: []string{"nobody"}}) {
		if !errors.Is(err, scim.ErrNotFound) {
			t.Errorf("a proposal that cannot be made: %v", err)
		}
	}
}

// What is kept of each user does not grow with the name that somebody gave a group.
func TestLongNamesOfGroupsAreNotKeptWithEachUser(t *testing.T) {
	t.Parallel()
	h := newHost(t, both(), roles.WithWorkspaces(func(context.Context, string, string) (string, error) { return "long", nil }))
	users := h.users("u", 3)
	g := h.group("ws-"+strings.Repeat("ä", 1<<19)+"-role-admin", users...)
	h.sync()
	h.want(users[0], "long:admin")
	h.rename(g, "ws-"+strings.Repeat("ö", 1<<19)+"-role-admin")
	h.sync()
	list, err := h.rec.Assignments(t.Context(), tenant, roles.UserQuery{Scope: roles.Workspace("long")})
	if err != nil || len(list) != 3 {
		t.Fatalf("%d assignments, %v", len(list), err)
	}
	if text, err := json.Marshal(list); err != nil || len(text) > 3*1000 {
		t.Errorf("%d bytes are kept of three users, %v", len(text), err)
	}
}

// Somebody maps a new group by its id before it was looked at, while a row waits for it
// that says otherwise: the group has one role all the same.
func TestRowThatWaitedDoesNotGiveItsGroupASecondRole(t *testing.T) {
	t.Parallel()
	h := newHost(t, tableOnly())
	u := h.user("u")
	if _, err := h.rec.AddRow(t.Context(), tenant, roles.Row{Name: "G", Scope: roles.Workspace("W"), Role: "admin"}); err != nil {
		t.Fatal(err)
	}
	g := h.group("G", u)
	h.row(g, "W", "member")
	h.sync()
	h.want(u, "W:member")
	rows, err := h.rec.Rows(t.Context(), tenant, roles.RowQuery{Group: g})
	if err != nil || len(rows) != 1 {
		t.Errorf("rows of the group: %+v, %v", rows, err)
	}
}
