package roles_test

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/musterhq/muster/roles"
)

// users creates users and returns their ids.
func (h *host) users(prefix string, n int) []string {
	h.t.Helper()
	ids := make([]string, n)
	for i := range ids {
		ids[i] = h.user(fmt.Sprint(prefix, i))
	}
	return ids
}

// A process ends while it works off nested groups; the next one goes on where it was,
// and does not begin with the first group again.
func TestNestedGroupsGoOnWhereTheProcessEnded(t *testing.T) {
	t.Parallel()
	const each, groups, page = 24, 3, 5
	h := newHost(t, tableOnly(), roles.WithNesting(1), roles.WithPage(page))
	var inner []string
	for i := range groups {
		inner = append(inner, h.group(fmt.Sprint("inner", i), h.users(fmt.Sprint("u", i, "-"), each)...))
	}
	outer := h.group("outer", inner...)
	h.sync()
	ctx, end := context.WithCancel(t.Context())
	told := 0
	dying, err := roles.New(h.srv.Directory(), roles.ApplierFunc(func(ctx context.Context, tenant string, changes []roles.Change) error {
		if told++; told == each*2 {
			end()
		}
		return h.Apply(ctx, tenant, changes)
	}), tableOnly(), roles.WithNesting(1), roles.WithPage(page), roles.WithClock(h.clock), roles.WithLogger(slog.New(slog.DiscardHandler)))
	if err != nil {
		t.Fatal(err)
	}
	h.row(outer, "W", "member")
	if err := dying.Sync(ctx, tenant); err == nil {
		t.Fatal("it was done before it ended")
	}
	h.rec = h.reconciler(tableOnly(), roles.WithNesting(1), roles.WithPage(page))
	h.sync()
	// A page at most is looked at again.
	if n := h.rec.Stats().Looked; n < each || n > each+page {
		t.Errorf("the next process looked at %d users, of whom %d were left", n, each)
	}
	list, err := h.rec.Assignments(t.Context(), tenant, roles.UserQuery{Scope: roles.Workspace("W"), Limit: groups*each + 1})
	if err != nil || len(list) != groups*each {
		t.Errorf("%d users have the role, %v; want %d", len(list), err, groups*each)
	}
}

// Who is in several nested groups is one user for the guards, however often the work
// is interrupted.
func TestGuardsCountNestedMembersOnce(t *testing.T) {
	t.Parallel()
	for limit, held := range map[int]int{60: 0, 59: 1} {
		t.Run(fmt.Sprint(limit), func(t *testing.T) {
			t.Parallel()
			opts := []roles.Option{both(), byNames(), roles.WithNesting(2), roles.WithPage(7), roles.WithLimits(roles.Limits{Losing: limit})}
			h := newHost(t, opts...)
			users := h.users("u", 60)
			outer := h.group("ws-A-role-admin", append([]string{h.group("a", users...), h.group("b", users...)}, users[:20]...)...)
			h.sync()
			h.rename(outer, "ws-B-role-admin")
			h.rec = h.reconciler(opts...)
			h.sync()
			holds, err := h.rec.Holds(t.Context(), tenant, "", 0)
			if err != nil || len(holds) != held {
				t.Errorf("holds %+v, %v; want %d", holds, err, held)
			}
			h.want(users[0], map[int]string{0: "B:admin", 1: "A:admin"}[held])
		})
	}
}

// Groups come before users in the order of members.
func TestUsersBehindAPageOfGroupsAreLookedAt(t *testing.T) {
	t.Parallel()
	h := newHost(t, both(), byNames(), roles.WithPage(10))
	u := h.user("u")
	members := []string{u}
	for i := range 11 {
		members = append(members, h.group(fmt.Sprint("g", i)))
	}
	g := h.group("ws-A-role-admin", members...)
	h.sync()
	h.want(u, "A:admin")
	h.rename(g, "ws-B-role-admin")
	h.sync()
	h.want(u, "B:admin")
}

// A change of more members than a page has concerns those members, however many others
// the group has.
func TestLargeChangeCostsWhatItChanges(t *testing.T) {
	t.Parallel()
	h := newHost(t, both(), byNames(), roles.WithPage(5), roles.WithLimits(roles.Limits{Losing: 12}))
	old, users := h.users("old", 60), h.users("u", 12)
	g := h.group("ws-A-role-member", old...)
	h.sync()
	var members []string
	for _, id := range users {
		members = append(members, `{"value":"`+id+`"}`)
	}
	before := h.rec.Stats().Looked
	h.patch("Group", g, `{"op":"add","path":"members","value":[`+strings.Join(members, ",")+`]}`)
	h.sync()
	h.want(users[11], "A:member")
	h.patch("Group", g, `{"op":"remove","path":"members","value":[`+strings.Join(members, ",")+`]}`)
	h.sync()
	h.want(users[11], "")
	if n := h.rec.Stats().Looked - before; n != 24 {
		t.Errorf("%d users were looked at, want 2 times 12", n)
	}
	h.patch("Group", g, `{"op":"remove","path":"members"}`) // the limit holds it as a whole
	h.sync()
	h.want(old[0], "A:member")
}
