package roles_test

import (
	"context"
	"testing"
	"time"

	"github.com/musterhq/muster/roles"
)

// arrives makes the host fail after it did what it was told: the outcome is not known.
func (h *host) arrives(user, workspace string, role roles.Role) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.roles[user] = map[roles.Scope]roles.Role{roles.Workspace(workspace): role}
}

// What a guard stops stays in doubt until it may be done.
func TestGrantOfUnknownOutcomeIsRevokedBehindAHold(t *testing.T) {
	t.Parallel()
	h := newHost(t, tableOnly(), roles.WithLimits(roles.Limits{GainingHighest: 1}))
	u, v := h.user("u"), h.user("v")
	g, other := h.group("G", u), h.group("other", u)
	h.row(g, "W", "admin")
	h.fail = errHost
	h.sync()
	h.arrives(u, "W", "admin")
	h.fail = nil
	h.row(h.group("V", v), "V", "admin") // uses the limit up, so that the rest is held
	h.sync()
	h.row(other, "X", "member") // which is not held, and has the user looked at
	h.wait(10 * time.Minute)
	h.sync()
	h.remove(g, u)
	h.sync()
	h.want(u, "X:member")
}

func TestLastHolderOfARoleInDoubtLosesItOnceThereIsAnother(t *testing.T) {
	t.Parallel()
	h := newHost(t, tableOnly(), roles.WithLastHolders("admin"))
	u, v := h.user("u"), h.user("v")
	g := h.group("G", u)
	h.row(g, "W", "admin")
	h.fail = errHost
	h.sync()
	h.arrives(u, "W", "admin")
	h.fail = nil
	h.remove(g, u)
	h.wait(time.Minute)
	h.sync()
	h.want(u, "W:admin") // nobody else has it
	h.add(g, v)
	h.sync()
	h.want(v, "W:admin")
	h.want(u, "")
}

// The host has no such workspace any more, and would fail for ever.
func TestDoubtsAboutADeletedWorkspaceAreForgotten(t *testing.T) {
	t.Parallel()
	h := newHost(t, tableOnly())
	u := h.user("u")
	h.row(h.group("G", u), "W", "admin")
	h.fail = errHost
	h.sync()
	h.fail = nil
	h.told()
	if err := h.rec.WorkspaceDeleted(t.Context(), tenant, "W"); err != nil {
		t.Fatal(err)
	}
	h.wait(time.Hour)
	h.sync()
	if calls := h.told(); len(calls) != 0 {
		t.Errorf("the host was told %q", calls)
	}
	if list, err := h.rec.Assignments(t.Context(), tenant, roles.UserQuery{}); err != nil || len(list) != 0 {
		t.Errorf("remembered: %+v, %v", list, err)
	}
}

func TestDoubtsAboutOrganisationRolesAreTheHostsOnceTheyAreNotManaged(t *testing.T) {
	t.Parallel()
	h := newHost(t, roles.WithSettings(roles.Settings{Organisation: &roles.Organisation{}}))
	u := h.user("u")
	h.fail = errHost
	h.sync()
	h.fail = nil
	if err := h.rec.SetSettings(t.Context(), tenant, &roles.Settings{}); err != nil {
		t.Fatal(err)
	}
	h.wait(time.Hour)
	h.sync()
	if calls := h.told(); len(calls) != 0 {
		t.Errorf("the host was told %q about %s", calls, u)
	}
}

// Code of the host that fails or panics for one user does not keep the others waiting.
func TestHostThatCannotSayWhatItGaveKeepsNobodyElseWaiting(t *testing.T) {
	t.Parallel()
	var broken string
	for name, fails := range map[string]func() error{
		"an error": func() error { return errHost },
		"a panic":  func() error { panic("the host is down") },
	} {
		t.Run(name, func(t *testing.T) {
			h := newHost(t, tableOnly(), roles.WithLimits(roles.Limits{Losing: 10}),
				roles.WithHeld(func(_ context.Context, _, user string, _ []roles.Scope) ([]roles.Assignment, error) {
					if user == broken {
						return nil, fails()
					}
					return nil, nil
				}))
			users := h.users("u", 3)
			broken = users[1]
			h.row(h.group("G", users...), "W", "member")
			h.sync()
			h.want(users[0], "W:member")
			h.want(users[1], "")
			h.want(users[2], "W:member")
			broken = ""
			h.wait(time.Minute)
			h.sync()
			h.want(users[1], "W:member")
		})
	}
}

func TestObserverThatPanicsStopsNothing(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.rec = h.reconciler(tableOnly(), roles.WithObserver(func(context.Context, roles.Event) { panic("in the host") }))
	u := h.user("u")
	if _, err := h.rec.AddRow(t.Context(), tenant, roles.Row{Name: "G", Scope: roles.Workspace("W"), Role: "admin"}); err != nil {
		t.Fatal(err)
	}
	h.group("G", u) // a row is bound, and the observer told
	h.sync()
	h.want(u, "W:admin")
}
