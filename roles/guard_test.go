package roles_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/musterhq/muster/roles"
)

func (h *host) holds() []roles.Hold {
	h.t.Helper()
	list, err := h.rec.Holds(h.t.Context(), tenant, "", 0)
	if err != nil {
		h.t.Fatal(err)
	}
	return list
}

func (h *host) release(hold string) {
	h.t.Helper()
	if err := h.rec.Release(h.t.Context(), tenant, hold); err != nil {
		h.t.Fatal(err)
	}
}

// A host that is down for a while is asked about the same few users again and again.
func TestGuardsCountAUserOnceHoweverOftenTheHostFails(t *testing.T) {
	t.Parallel()
	h := newHost(t, tableOnly(), roles.WithLimits(roles.Limits{Losing: 5, GainingHighest: 5}))
	users := h.users("u", 4)
	g := h.group("G", users...)
	h.fail = errHost
	h.row(g, "W", "admin")
	attempts := func() {
		for range 8 {
			h.sync()
			h.wait(5 * time.Minute)
		}
	}
	attempts()
	h.fail = nil
	h.sync()
	h.want(users[3], "W:admin")
	h.fail = errHost
	for _, u := range users {
		h.remove(g, u)
	}
	attempts()
	h.fail = nil
	h.wait(time.Hour)
	h.sync()
	for _, u := range users {
		h.want(u, "")
	}
	if n := h.did(roles.HoldBegan); n != 0 {
		t.Errorf("%d holds began for 4 users with a limit of 5", n)
	}
}

// However the changes are spread over time: in no hour do more users than the limit lose
// a role.
func TestLimitHoldsForEveryWindowOfTime(t *testing.T) {
	t.Parallel()
	h := newHost(t, tableOnly(), roles.WithLimits(roles.Limits{Losing: 4}))
	users := h.users("u", 12)
	g := h.group("G", users...)
	h.row(g, "W", "member")
	h.sync()
	lose := func(from, to int) {
		for _, u := range users[from:to] {
			h.remove(g, u)
			h.sync()
		}
	}
	lose(0, 1)
	h.wait(55 * time.Minute)
	lose(1, 4)
	h.wait(10 * time.Minute) // the first hour is over, and three were in its last minutes
	lose(4, 7)
	h.want(users[4], "")
	h.want(users[5], "W:member")
	if len(h.holds()) != 1 {
		t.Errorf("holds: %+v", h.holds())
	}
}

func TestChangesSpreadOverManyWindowsAreNotHeld(t *testing.T) {
	t.Parallel()
	h := newHost(t, tableOnly(), roles.WithLimits(roles.Limits{Losing: 1}))
	users := h.users("u", 5)
	g := h.group("G", users...)
	h.row(g, "W", "member")
	h.sync()
	for _, u := range users {
		h.remove(g, u)
		h.sync()
		h.want(u, "")
		h.wait(70 * time.Minute)
	}
}

// A hold is released, and while everybody is looked at again somebody loses a role who
// was looked at before. It is not forgotten when the hold is over.
func TestWhatIsHeldDuringAReleaseIsWorkedOffAfterwards(t *testing.T) {
	t.Parallel()
	opts := []roles.Option{tableOnly(), roles.WithPage(2), roles.WithLimits(roles.Limits{Losing: 3, GainingHighest: 50})}
	h := newHost(t, opts...)
	users := h.users("u", 10)
	rest := h.users("rest", 1)
	g, other := h.group("G", users...), h.group("other", rest...)
	h.row(g, "W", "member")
	h.row(other, "V", "member")
	h.sync()
	h.patch("Group", g, `{"op":"remove","path":"members"}`)
	h.sync()
	h.want(users[0], "W:member")
	hold := h.holds()[0].ID
	h.release(hold)
	h.interrupted(9, opts...) // all but one
	h.remove(other, rest[0])
	if err := h.rec.ReconcileUser(t.Context(), tenant, rest[0]); err != nil {
		t.Fatal(err)
	}
	h.want(rest[0], "V:member") // the hold is not over
	h.sync()
	for _, u := range append(users, rest...) {
		h.want(u, "")
	}
	if len(h.holds()) != 0 || h.did(roles.HoldEnded) != 1 {
		t.Errorf("holds: %+v, events: %+v", h.holds(), h.events)
	}
}

// The end of one hold is no new allowance for changes of another kind.
func TestEndOfAHoldLeavesTheOtherCountersAlone(t *testing.T) {
	t.Parallel()
	h := newHost(t, tableOnly(), roles.WithLimits(roles.Limits{Losing: 1, GainingHighest: 2}))
	users := h.users("u", 6)
	gains := h.group("gains", users[0], users[1])
	h.row(gains, "W", "admin")
	losers := h.group("losers", users[4], users[5])
	h.row(losers, "V", "member")
	h.sync()
	h.patch("Group", losers, `{"op":"remove","path":"members"}`)
	h.sync()
	h.release(h.holds()[0].ID)
	h.sync()
	h.want(users[4], "")
	h.add(gains, users[2])
	h.sync()
	h.want(users[2], "")
	if list := h.holds(); len(list) != 1 || list[0].Kind != roles.HoldGaining {
		t.Errorf("holds: %+v", list)
	}
}

// A rename that is taken back within the hold leaves nothing behind.
func TestRenameThereAndBackUnderAHold(t *testing.T) {
	t.Parallel()
	h := newHost(t, both(), byNames(), roles.WithLimits(roles.Limits{Losing: 1, GainingHighest: 3}))
	users := h.users("u", 3)
	g := h.group("ws-A-role-admin", users...)
	h.sync()
	h.told()
	h.rename(g, "ws-B-role-admin")
	h.sync()
	h.rename(g, "ws-A-role-admin")
	h.sync()
	if calls := h.told(); len(calls) != 0 {
		t.Errorf("the host was told %q", calls)
	}
	list, err := h.rec.Assignments(t.Context(), tenant, roles.UserQuery{Held: true})
	if err != nil || len(list) != 0 {
		t.Errorf("still held: %+v, %v", list, err)
	}
}

// A name counts when the group has had it for as long as the host said, and for nobody
// before.
func TestEveryRenameSettles(t *testing.T) {
	t.Parallel()
	h := newHost(t, both(), byNames(), roles.WithSettling(time.Minute))
	u, v := h.user("u"), h.user("v")
	g := h.group("ws-A-role-admin", u)
	h.sync()
	h.told()
	h.rename(g, "ws-B-role-admin")
	h.add(g, v)
	h.sync()
	if calls := h.told(); len(calls) != 1 {
		t.Errorf("the host was told %q; want that v is admin of A", calls)
	}
	h.wait(59 * time.Second)
	h.rename(g, "ws-C-role-admin")
	h.sync()
	h.wait(59 * time.Second)
	h.sync()
	h.want(u, "A:admin")
	h.wait(time.Second)
	h.sync()
	h.want(u, "C:admin")
	h.want(v, "C:admin")
}

func TestRenameSettlesAlthoughTheHostDoesNotAnswerMeanwhile(t *testing.T) {
	t.Parallel()
	down := true
	h := newHost(t, both(), roles.WithSettling(time.Minute), roles.WithWorkspaces(func(_ context.Context, _, name string) (string, error) {
		if down {
			return "", errHost
		}
		return name, nil
	}))
	u := h.user("u")
	g := h.group("ws-A-role-admin", u)
	h.sync()
	h.rename(g, "ws-B-role-admin")
	h.sync()
	down = false
	for range 4 {
		h.wait(time.Minute)
		h.sync()
	}
	h.want(u, "B:admin")
}

// Two ways to the same thing: however many there are, one of them stays.
func TestLastHolderStaysWhateverTakesTheOthersAway(t *testing.T) {
	t.Parallel()
	for name, step := range map[string]func(h *host, g, row string, users []string){
		"removed":     func(h *host, g, _ string, _ []string) { h.patch("Group", g, `{"op":"remove","path":"members"}`) },
		"renamed":     func(h *host, g, _ string, _ []string) { h.rename(g, "other") },
		"deleted":     func(h *host, g, _ string, _ []string) { h.delete("Group", g) },
		"users gone":  func(h *host, _, _ string, users []string) { h.delete("User", users[0]); h.delete("User", users[1]) },
		"deactivated": func(h *host, _, _ string, users []string) { h.active(users[0], false); h.active(users[1], false) },
		"row removed": func(h *host, _, row string, _ []string) {
			if err := h.rec.RemoveRow(h.t.Context(), tenant, row, roles.Revoke); err != nil {
				h.t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHost(t, both(), byNames(), roles.WithLastHolders("Admin"))
			users := h.users("u", 2)
			g, row := "", ""
			if name == "row removed" {
				g = h.group("G", users...)
				row = h.row(g, "A", "admin").ID
			} else {
				g = h.group("ws-A-role-admin", users...)
			}
			h.sync()
			step(h, g, row, users)
			h.sync()
			if got := h.has(users[0]) + h.has(users[1]); got != "A:admin" {
				t.Errorf("the two have %q", got)
			}
			next := h.user("next")
			h.group("ws-A -role-ADMIN", next)
			h.sync()
			if got := h.has(users[0]) + h.has(users[1]); got != "" || h.has(next) != "A:admin" {
				t.Errorf("once there is another admin (%q), the two have %q", h.has(next), got)
			}
		})
	}
}

// The process ends when the host was told of the new holder.
func TestFormerLastHolderIsLookedAtAlthoughTheProcessEnds(t *testing.T) {
	t.Parallel()
	opts := []roles.Option{tableOnly(), roles.WithLastHolders("admin")}
	h := newHost(t, opts...)
	u, v := h.user("u"), h.user("v")
	g := h.group("G", u)
	h.row(g, "W", "admin")
	h.sync()
	h.remove(g, u)
	h.sync()
	h.want(u, "W:admin")
	h.add(g, v)
	h.interrupted(1, opts...)
	h.want(v, "W:admin")
	h.sync()
	h.want(u, "")
}

func TestManyNestedMembersOfTwoGroupsAreHeldTogether(t *testing.T) {
	t.Parallel()
	h := newHost(t, tableOnly(), roles.WithNesting(1), roles.WithPage(3), roles.WithLimits(roles.Limits{GainingHighest: 5}))
	var inner []string
	for i := range 2 {
		inner = append(inner, h.group(fmt.Sprint("inner", i), h.users(fmt.Sprint("u", i, "-"), 4)...))
	}
	outer := h.group("outer")
	h.row(outer, "W", "admin")
	h.sync()
	h.add(outer, inner[0])
	h.add(outer, inner[1])
	h.sync()
	list, err := h.rec.Assignments(t.Context(), tenant, roles.UserQuery{Scope: roles.Workspace("W")})
	if err != nil || len(list) > 5 {
		t.Errorf("%d users became admins, %v; want 5 at most", len(list), err)
	}
}
