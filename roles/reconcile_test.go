package roles_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/musterhq/muster/roles"
	"github.com/musterhq/muster/scim"
)

func TestLifeOfAWorkspace(t *testing.T) {
	t.Parallel()
	h := newHost(t, both(), byNames())
	u, v := h.user("u"), h.user("v")
	a := h.group("ws-Sales-role-admin", u)
	b := h.group("WS-SALES -role-member", u, v)
	h.sync()
	h.want(u, "Sales:admin")
	h.want(v, "Sales:member")
	conflicts, err := h.rec.Assignments(t.Context(), tenant, roles.UserQuery{Conflicts: true})
	if err != nil || len(conflicts) != 1 || conflicts[0].User != u {
		t.Errorf("conflicts: %+v, %v; want those of %s", conflicts, err, u)
	}
	h.active(u, false)
	h.want(u, "") // at once
	h.active(u, true)
	h.sync()
	h.want(u, "Sales:admin")
	h.rename(a, "ws-Ops-role-manager")
	h.sync()
	h.want(u, "Ops:manager Sales:member")
	h.delete("Group", b)
	h.sync()
	h.want(u, "Ops:manager")
	h.want(v, "")
	h.delete("User", u)
	h.want(u, "")
	if got := h.rec.Stats(); got.Failed != 0 || got.Conflicts != 2 {
		t.Errorf("stats: %+v", got)
	}
}

func TestDeletedGroupRevokesOnlyWhatNothingElseGives(t *testing.T) {
	t.Parallel()
	h := newHost(t, tableOnly())
	u, v := h.user("u"), h.user("v")
	a, b := h.group("A", u, v), h.group("B", u)
	h.row(a, "W", "member")
	h.row(b, "W", "member")
	h.sync()
	h.told()
	h.delete("Group", a)
	h.sync()
	h.want(u, "W:member")
	h.want(v, "")
	if calls := h.told(); len(calls) != 1 {
		t.Errorf("the host was told %q; want one revocation", calls)
	}
	if h.did(roles.RowsArchived) != 1 || h.did(roles.LastMappingLost) != 0 {
		t.Errorf("events: %+v", h.events)
	}
	h.delete("Group", b)
	h.sync()
	h.want(u, "")
	if h.did(roles.LastMappingLost) != 1 {
		t.Errorf("nobody was told that W lost its last mapping: %+v", h.events)
	}
}

func TestNewGroupOfADeletedOnesNameIsOfferedItsRows(t *testing.T) {
	t.Parallel()
	h := newHost(t, tableOnly())
	u := h.user("u")
	g := h.group("G", u)
	h.row(g, "W", "admin")
	h.sync()
	h.delete("Group", g)
	again := h.group("G", u)
	h.sync()
	h.want(u, "")
	if h.did(roles.RowsOffered) != 1 {
		t.Errorf("events: %+v; want one offer", h.events)
	}
	if _, err := h.rec.RestoreRows(t.Context(), tenant, again); err != nil {
		t.Fatal(err)
	}
	h.sync()
	h.want(u, "W:admin")
}

func TestRemovedRow(t *testing.T) {
	t.Parallel()
	for how, want := range map[roles.Removal]string{roles.Revoke: "", roles.Keep: "W:admin"} {
		h := newHost(t, both(), byNames())
		u := h.user("u")
		g := h.group("ws-Prod-role-admin", u)
		row := h.row(g, "W", "admin")
		h.sync()
		h.want(u, "W:admin")
		if err := h.rec.RemoveRow(t.Context(), tenant, row.ID, how); err != nil {
			t.Fatal(err)
		}
		h.sync()
		if err := h.rec.ReconcileAll(t.Context(), tenant); err != nil {
			t.Fatal(err)
		}
		h.want(u, want)
		list, err := h.rec.Unmatched(t.Context(), tenant, roles.FormerlyMapped, "", 0)
		if err != nil || len(list) != 1 || list[0].Group.ID != g {
			t.Errorf("unmatched: %+v, %v; want the group as formerly mapped", list, err)
		}
		archived, err := h.rec.Rows(t.Context(), tenant, roles.RowQuery{Archived: true})
		if err != nil || len(archived) != 1 || archived[0].ID != row.ID {
			t.Errorf("archived rows: %+v, %v", archived, err)
		}
		managed, err := h.rec.Assignments(t.Context(), tenant, roles.UserQuery{Scope: roles.Workspace("W")})
		if err != nil || len(managed) != 0 {
			t.Errorf("still managed: %+v, %v", managed, err)
		}
		h.remove(g, u)
		h.sync()
		h.want(u, want)
	}
}

func TestRowByNameBindsToANewGroupAndNotToARenamedOne(t *testing.T) {
	t.Parallel()
	h := newHost(t, tableOnly())
	u := h.user("u")
	b := h.group("B", u)
	row, err := h.rec.AddRow(t.Context(), tenant, roles.Row{Name: "Finance", Scope: roles.Workspace("W"), Role: "admin"})
	if err != nil || !row.Waiting() {
		t.Fatalf("row %+v, %v; want one that waits", row, err)
	}
	h.sync()
	h.rename(b, "Finance")
	h.sync()
	h.want(u, "")
	h.rename(b, "B")
	quick := h.group("Other", u)
	h.rename(quick, "Finance") // before anybody looked at it
	h.sync()
	h.want(u, "")
	h.rename(quick, "Other")
	h.group("FINANCE", u)
	h.sync()
	h.want(u, "W:admin")
	if h.did(roles.RowBound) != 1 {
		t.Errorf("events: %+v; want that the row was bound", h.events)
	}
}

func TestRowOfAGroupThatIsThereBindsByNameAtOnce(t *testing.T) {
	t.Parallel()
	h := newHost(t, tableOnly())
	u := h.user("u")
	g := h.group("Finance", u)
	row, err := h.rec.AddRow(t.Context(), tenant, roles.Row{Name: "finance", Scope: roles.Workspace("W"), Role: "Admin"})
	if err != nil || row.Group != g || row.Role != "admin" {
		t.Fatalf("row %+v, %v", row, err)
	}
	again := h.row(g, "W", "admin")
	if again.ID != row.ID {
		t.Errorf("the same row was added twice")
	}
	if _, err := h.rec.AddRow(t.Context(), tenant, roles.Row{Group: g, Scope: roles.Workspace("X"), Role: "member"}); err == nil {
		t.Errorf("a second role of one group was accepted")
	}
	h.sync()
	h.want(u, "W:admin")
}

func TestFailureIsTriedAgainWithEverythingThatIsTrueThen(t *testing.T) {
	t.Parallel()
	h := newHost(t, tableOnly())
	u := h.user("u")
	g := h.group("G", u)
	h.row(g, "W", "admin")
	h.fail = errHost
	h.sync()
	failed, err := h.rec.Assignments(t.Context(), tenant, roles.UserQuery{Failed: true})
	if err != nil || len(failed) != 1 || failed[0].Error != errHost.Error() {
		t.Errorf("failed: %+v, %v", failed, err)
	}
	h.fail = nil
	h.sync()
	h.want(u, "") // it is not time yet
	h.wait(time.Minute)
	h.sync()
	h.want(u, "W:admin")
	failed, err = h.rec.Assignments(t.Context(), tenant, roles.UserQuery{Failed: true})
	if err != nil || len(failed) != 0 {
		t.Errorf("still failed: %+v, %v", failed, err)
	}
}

// A call whose outcome is not known must not leave a role behind.
func TestGrantOfUnknownOutcomeIsRevoked(t *testing.T) {
	t.Parallel()
	h := newHost(t, tableOnly())
	u := h.user("u")
	g := h.group("G", u)
	h.row(g, "W", "admin")
	h.fail = errHost
	h.sync()
	h.roles[u] = map[roles.Scope]roles.Role{roles.Workspace("W"): "admin"} // it arrived all the same
	h.fail = nil
	h.remove(g, u)
	h.sync()
	h.want(u, "")
}

func TestRoleThatTheHostGaveIsLeftAlone(t *testing.T) {
	t.Parallel()
	byHand := roles.Assignment{Scope: roles.Workspace("W"), Role: "admin"}
	h := newHost(t, tableOnly(), roles.WithHeld(func(_ context.Context, _, user string, scopes []roles.Scope) ([]roles.Assignment, error) {
		return []roles.Assignment{byHand}, nil
	}))
	u := h.user("u")
	g := h.group("G", u)
	h.row(g, "W", "member")
	h.sync()
	if calls := h.told(); len(calls) != 0 {
		t.Errorf("the host was told %q", calls)
	}
	x, err := h.rec.Explain(t.Context(), tenant, u, roles.Workspace("W"))
	if err != nil || x.Role != "member" || x.Held != "admin" || x.Applied != "" {
		t.Errorf("explained as %+v, %v", x, err)
	}
}

func TestRenameBeyondTheLimitIsHeldAsAWhole(t *testing.T) {
	t.Parallel()
	h := newHost(t, both(), byNames(), roles.WithLimits(roles.Limits{Losing: 10}))
	var users []string
	for range 30 {
		users = append(users, h.user("u"+string(rune('a'+len(users)))))
	}
	g := h.group("ws-A-role-admin", users...)
	h.sync()
	h.want(users[0], "A:admin")
	h.rename(g, "ws-B-role-admin")
	h.sync()
	for _, u := range users {
		h.want(u, "A:admin")
	}
	holds, err := h.rec.Holds(t.Context(), tenant, "", 0)
	if err != nil || len(holds) != 1 || holds[0].Kind != roles.HoldLosing {
		t.Fatalf("holds %+v, %v", holds, err)
	}
	h.active(users[0], false)
	h.want(users[0], "")
	h.active(users[0], true)
	if err := h.rec.Release(t.Context(), tenant, holds[0].ID); err != nil {
		t.Fatal(err)
	}
	h.sync()
	for _, u := range users {
		h.want(u, "B:admin")
	}
	if holds, _ := h.rec.Holds(t.Context(), tenant, "", 0); len(holds) != 0 {
		t.Errorf("holds %+v are left", holds)
	}
}

func TestHoldEndsAtItsDeadline(t *testing.T) {
	t.Parallel()
	h := newHost(t, tableOnly(), roles.WithLimits(roles.Limits{Losing: 1, Deadline: time.Hour}))
	u, v := h.user("u"), h.user("v")
	g := h.group("G", u, v)
	h.row(g, "W", "admin")
	h.sync()
	h.delete("Group", g)
	h.sync()
	h.want(u, "W:admin")
	h.wait(time.Hour)
	h.sync()
	h.want(u, "")
	h.want(v, "")
}

func TestLastOwnerStays(t *testing.T) {
	t.Parallel()
	h := newHost(t, roles.WithSettings(roles.Settings{Organisation: &roles.Organisation{}}))
	u, v := h.user("u"), h.user("v")
	role := func(user, role string) {
		h.patch("User", user, `{"op":"replace","path":"roles","value":[{"value":"`+role+`"}]}`)
	}
	role(u, "owner")
	h.sync()
	h.want(u, "org:owner")
	role(u, "member")
	h.sync()
	h.want(u, "org:owner")
	h.active(u, false)
	h.want(u, "org:owner") // the assignment; the host ends the session
	role(v, "Owner")
	h.sync()
	h.want(v, "org:owner")
	h.want(u, "")
	if h.did(roles.LastHolderKept) == 0 {
		t.Errorf("nobody was told")
	}
}

func TestPreviewIsWhatHappens(t *testing.T) {
	t.Parallel()
	h := newHost(t, tableOnly(), byNames())
	u, v := h.user("u"), h.user("v")
	g := h.group("ws-Sales-role-admin", u, v)
	w := h.group("W", v)
	row := h.row(w, "W", "member")
	h.sync()
	h.told()
	proposal := roles.Proposal{
		Add: []roles.Row{{Group: g, Scope: roles.Workspace("W"), Role: "manager"}}, Remove: []string{row.ID},
	}
	var said []string
	for c, err := range h.rec.Preview(t.Context(), tenant, proposal) {
		if err != nil {
			t.Fatal(err)
		}
		said = append(said, c.User+" "+c.Scope.ID+":"+string(c.From)+"→"+string(c.To))
	}
	if calls := h.told(); len(calls) != 0 || len(said) != 2 {
		t.Errorf("preview says %q and the host was told %q", said, calls)
	}
	h.row(g, "W", "manager")
	if err := h.rec.RemoveRow(t.Context(), tenant, row.ID, roles.Revoke); err != nil {
		t.Fatal(err)
	}
	h.sync()
	did := h.told()
	slices.Sort(said)
	slices.Sort(did)
	if !slices.Equal(said, did) {
		t.Errorf("preview said %q and the host was told %q", said, did)
	}
}

func TestSettingsOfATenantTakeEffect(t *testing.T) {
	t.Parallel()
	h := newHost(t, byNames())
	u := h.user("u")
	h.group("ws-Sales-role-admin", u)
	h.sync()
	h.want(u, "")
	if err := h.rec.SetSettings(t.Context(), tenant, &roles.Settings{Convention: &roles.Convention{Ceiling: "manager"}}); err != nil {
		t.Fatal(err)
	}
	h.sync()
	h.want(u, "")
	waiting, err := h.rec.Unmatched(t.Context(), tenant, roles.AboveCeiling, "", 0)
	if err != nil || len(waiting) != 1 {
		t.Errorf("waiting: %+v, %v", waiting, err)
	}
	if err := h.rec.SetSettings(t.Context(), tenant, &roles.Settings{Convention: &roles.Convention{}}); err != nil {
		t.Fatal(err)
	}
	h.sync()
	h.want(u, "Sales:admin")
}

func TestRefusedWorkspaceIsTriedAgain(t *testing.T) {
	t.Parallel()
	h := newHost(t, both(), byNames())
	u := h.user("u")
	h.group("ws-None-role-admin", u)
	h.sync()
	h.want(u, "")
	refused, err := h.rec.Workspaces(t.Context(), tenant, true, roles.WorkspaceName{}, 0)
	if err != nil || len(refused) != 1 || refused[0].Name != "None" {
		t.Fatalf("refused: %+v, %v", refused, err)
	}
	if err := h.rec.BindWorkspace(t.Context(), tenant, "none", "w1"); err != nil {
		t.Fatal(err)
	}
	h.sync()
	h.want(u, "w1:admin")
}

func TestDeletedWorkspaceIsForgottenWithoutCalls(t *testing.T) {
	t.Parallel()
	h := newHost(t, tableOnly())
	u := h.user("u")
	g := h.group("G", u)
	h.row(g, "W", "admin")
	h.sync()
	h.told()
	if err := h.rec.WorkspaceDeleted(t.Context(), tenant, "W"); err != nil {
		t.Fatal(err)
	}
	h.sync()
	if calls := h.told(); len(calls) != 0 {
		t.Errorf("the host was told %q", calls)
	}
	pending := func() []roles.WorkspaceName {
		list, err := h.rec.Workspaces(t.Context(), tenant, true, roles.WorkspaceName{}, 0)
		if err != nil {
			t.Fatal(err)
		}
		return list
	}
	if list := pending(); len(list) != 1 || list[0].ID != "W" {
		t.Errorf("pending: %+v; want the workspace of the row", list)
	}
	if err := h.rec.WorkspaceDeleted(t.Context(), tenant, "without rows"); err != nil {
		t.Fatal(err)
	}
	if err := h.rec.WorkspaceRestored(t.Context(), tenant, "W"); err != nil {
		t.Fatal(err)
	}
	h.sync()
	if calls := h.told(); len(calls) != 1 {
		t.Errorf("the host was told %q; want a grant", calls)
	}
	if list := pending(); len(list) != 0 {
		t.Errorf("pending: %+v", list)
	}
}

func TestNamesThatNobodyWasAskedAboutArePendingUntilThereIsSomebody(t *testing.T) {
	t.Parallel()
	h := newHost(t, both())
	u := h.user("u")
	for _, name := range []string{"A", "B", "C"} {
		h.group("ws-"+name+"-role-admin", u)
	}
	h.sync()
	var names []string
	var last roles.WorkspaceName
	for {
		page, err := h.rec.Workspaces(t.Context(), tenant, true, last, 2)
		if err != nil {
			t.Fatal(err)
		}
		for _, last = range page {
			names = append(names, last.Name)
		}
		if len(page) < 2 {
			break
		}
	}
	slices.Sort(names)
	if !slices.Equal(names, []string{"A", "B", "C"}) {
		t.Errorf("pending: %q", names)
	}
	h.rec = h.reconciler(both(), byNames())
	if err := h.rec.ReconcileAll(t.Context(), tenant); err != nil {
		t.Fatal(err)
	}
	h.want(u, "A:admin B:admin C:admin")
}

func TestUnknownRolesOfUsersAreListed(t *testing.T) {
	t.Parallel()
	h := newHost(t, roles.WithSettings(roles.Settings{Organisation: &roles.Organisation{}}))
	u := h.user("u")
	h.user("v")
	h.patch("User", u, `{"op":"replace","path":"roles","value":[{"value":"boss"},{"value":"admin"},{"value":"group"}]}`)
	h.sync()
	h.want(u, "org:admin")
	list, err := h.rec.Assignments(t.Context(), tenant, roles.UserQuery{UnknownRoles: true})
	if err != nil || len(list) != 1 || list[0].User != u || !slices.Equal(list[0].UnknownRoles, []string{"boss"}) {
		t.Errorf("listed: %+v, %v", list, err)
	}
	h.patch("User", u, `{"op":"replace","path":"roles","value":[{"value":"admin"}]}`)
	h.sync()
	if list, err = h.rec.Assignments(t.Context(), tenant, roles.UserQuery{UnknownRoles: true}); err != nil || len(list) != 0 {
		t.Errorf("still listed: %+v, %v", list, err)
	}
}

func TestNestedGroups(t *testing.T) {
	t.Parallel()
	h := newHost(t, tableOnly(), roles.WithNesting(3))
	u := h.user("u")
	inner := h.group("inner", u)
	outer := h.group("outer", inner)
	h.add(inner, outer) // a cycle
	h.row(outer, "W", "member")
	h.sync()
	h.want(u, "W:member")
	h.remove(outer, inner)
	h.sync()
	h.want(u, "")
}

func TestRenameSettlesFirst(t *testing.T) {
	t.Parallel()
	h := newHost(t, both(), byNames(), roles.WithSettling(time.Minute))
	u, v := h.user("u"), h.user("v")
	g := h.group("ws-A-role-admin", u)
	h.sync()
	h.rename(g, "ws-B-role-admin")
	h.add(g, v)
	h.sync()
	h.want(u, "A:admin")
	h.want(v, "A:admin")
	h.wait(time.Minute)
	h.sync()
	h.want(u, "B:admin")
	h.want(v, "B:admin")
}

func TestSynchronousModeNeedsNoWorker(t *testing.T) {
	t.Parallel()
	h := newHost(t, both(), byNames(), roles.WithSynchronous(10))
	u := h.user("u")
	g := h.group("ws-A-role-admin", u)
	h.want(u, "A:admin")
	h.remove(g, u)
	h.want(u, "")
}

func TestUnknownRowsAndGroups(t *testing.T) {
	t.Parallel()
	h := newHost(t, tableOnly())
	_, err := h.rec.AddRow(t.Context(), tenant, roles.Row{Group: "nobody", Scope: roles.Workspace("W"), Role: "admin"})
	if !errors.Is(err, scim.ErrNotFound) {
		t.Errorf("AddRow: %v", err)
	}
	if err := h.rec.RemoveRow(t.Context(), tenant, "nobody", roles.Revoke); !errors.Is(err, scim.ErrNotFound) {
		t.Errorf("RemoveRow: %v", err)
	}
	if err := h.rec.Release(t.Context(), tenant, "nobody"); !errors.Is(err, scim.ErrNotFound) {
		t.Errorf("Release: %v", err)
	}
}
