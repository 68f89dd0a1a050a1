package roles_test

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/musterhq/muster/roles"
	"github.com/musterhq/muster/storage"
	"github.com/musterhq/muster/storage/memory"
)

// Whatever an identity provider and an admin do, and however often the host fails
// meanwhile: once everything is worked off, a look at everybody finds nothing to do,
// and the host has what somebody who begins with nothing would give it.
func TestNothingIsForgotten(t *testing.T) {
	t.Parallel()
	names := []string{"ws-A-role-admin", "ws-a-role-member", "ws-B-role-manager", "ws-No-role-admin", "people-role"}
	rapid.Check(t, func(rt *rapid.T) {
		var store storage.Store = memory.New()
		if rapid.Bool().Draw(rt, "without a log") {
			store = plain{store}
		}
		opts := []roles.Option{
			both(), roles.WithNesting(rapid.IntRange(0, 3).Draw(rt, "nesting")), roles.WithPage(rapid.IntRange(1, 4).Draw(rt, "page")),
			roles.WithWorkspaces(func(ctx context.Context, tenant, name string) (string, error) {
				return byName(ctx, tenant, strings.ToUpper(name[:1])+name[1:])
			}),
		}
		h := newHostOn(t, store, opts...)
		var users, groups, rows []string
		for i := range 4 {
			users = append(users, h.user(fmt.Sprint("u", i)))
		}
		pick := func(list []string) string { return rapid.SampledFrom(list).Draw(rt, "which") }
		for n := range rapid.IntRange(1, 25).Draw(rt, "operations") {
			switch op := rapid.IntRange(0, 14).Draw(rt, "operation"); {
			case op == 0 || len(groups) == 0:
				groups = append(groups, h.group(fmt.Sprintf("group %d", n), users[rapid.IntRange(0, 3).Draw(rt, "first"):]...))
			case op == 1:
				// Spaces in front of the separator make the names of one workspace differ.
				name := strings.Replace(pick(names), "-role", strings.Repeat(" ", n)+"-role", 1)
				h.rename(pick(groups), name)
			case op <= 3:
				h.add(pick(groups), pick(users))
			case op == 4:
				h.remove(pick(groups), pick(users))
			case op == 5:
				h.active(pick(users), rapid.Bool().Draw(rt, "active"))
			case op == 6:
				row, err := h.rec.AddRow(t.Context(), tenant, roles.Row{Group: pick(groups), Scope: roles.Workspace("W"), Role: "member"})
				if err != nil {
					rt.Fatal(err)
				}
				rows = append(rows, row.ID)
			case op == 7 && len(rows) > 0:
				if err := h.rec.RemoveRow(t.Context(), tenant, pick(rows), roles.Revoke); err != nil {
					rt.Fatal(err)
				}
			case op == 8:
				h.fail = map[bool]error{true: errHost}[h.fail == nil]
			case op == 9:
				h.add(pick(groups), pick(groups)) // perhaps in a circle
			case op == 10:
				h.remove(pick(groups), pick(groups))
			case op == 11:
				h.delete("Group", pick(groups))
				groups = nil
			case op == 12:
				h.patch("Group", pick(groups), `{"op":"replace","path":"members","value":[{"value":"`+pick(users)+`"}]}`)
			case op == 13:
				h.interrupted(rapid.IntRange(1, 5).Draw(rt, "calls"), opts...)
			default:
				h.sync()
			}
		}
		h.fail = nil
		h.wait(time.Hour)
		h.sync()
		h.told()
		if err := h.rec.ReconcileAll(t.Context(), tenant); err != nil {
			rt.Fatal(err)
		}
		if calls := h.told(); len(calls) != 0 {
			rt.Fatalf("a look at everybody finds %q", calls)
		}
		for _, u := range users {
			want := ""
			for _, ws := range []string{"A", "B", "W"} {
				x, err := h.rec.Explain(t.Context(), tenant, u, roles.Workspace(ws))
				if err != nil {
					rt.Fatal(err)
				}
				if x.Role != "" {
					want += " " + ws + ":" + string(x.Role)
				}
			}
			if got := h.has(u); got != strings.TrimSpace(want) {
				rt.Fatalf("the host has %q, the groups say %q", got, strings.TrimSpace(want))
			}
		}
	})
}

// interrupted works things off in another process, which ends after a few calls of the
// host.
func (h *host) interrupted(calls int, opts ...roles.Option) {
	h.t.Helper()
	ctx, end := context.WithCancel(h.t.Context())
	defer end()
	dying, err := roles.New(h.srv.Directory(), roles.ApplierFunc(func(ctx context.Context, tenant string, changes []roles.Change) error {
		if calls--; calls <= 0 {
			defer end()
		}
		return h.Apply(ctx, tenant, changes)
	}), append([]roles.Option{roles.WithClock(h.clock), roles.WithLogger(slog.New(slog.DiscardHandler))}, opts...)...)
	if err != nil {
		h.t.Fatal(err)
	}
	if err := dying.Sync(ctx, tenant); err != nil && ctx.Err() == nil {
		h.t.Fatal(err)
	}
}
