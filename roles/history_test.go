package roles_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/musterhq/muster/roles"
	"github.com/musterhq/muster/scim"
	"github.com/musterhq/muster/scim/schema"
	"github.com/musterhq/muster/storage"
	"github.com/musterhq/muster/storage/memory"
)

// history is a host whose two identity providers, by HTTP, and whose admin do things at
// random, while reconcilers come and go and the host's code fails now and then. One of
// the providers sends memberships with users.
type history struct {
	*host
	rt            *rapid.T
	users, groups []string          // that were made at any time
	owner         map[string]string // the connection of each
	shaky         bool              // the host fails, panics, is slow
	opts          []roles.Option
	settings      roles.Settings
}

var hostileNames = []string{
	"ws-A-role-admin", "WS-a-ROLE-member", "ws-A -role-manager", "ws-Ａ-role-member", "ws-B-role-manager", "ws-B-role-admin", "ws-A-role-B-role-member",
	"ws-", "ws--role-admin", "ws-A-role-", "ws-A-role-boss", "ws-A-role-admin\u00a0", "ws–A–role–admin", "wſ-A-role-admin", "ws-A-role-аdmin", "ws-\u0130-role-admin",
	"org-A_admin", "ORG-b_MEMBER", "org-ws-A-role-admin_member", "Finance", "ＦＩＮＡＮＣＥ", "ws-ß-role-member", "ws-ẞ-role-manager", "ws-A-role-A-role-A-role-admin", "🙂",
}

var historySettings = []roles.Settings{
	{Table: true, Convention: &roles.Convention{}},
	{Table: true, Convention: &roles.Convention{Ceiling: "manager"}, Conflicts: roles.Lowest},
	{Table: true, Convention: &roles.Convention{}, Roles: []roles.Role{"member", "manager", "admin"}},
	{Table: true, Convention: &roles.Convention{Prefixes: []string{"org-"}, Separator: "_"}},
	{Table: true, Convention: &roles.Convention{Prefixes: []string{"ws-", "org-", "org-ws-"}}, Conflicts: roles.Reject},
	{Table: true},
}

func newHistory(t *testing.T, rt *rapid.T, store storage.Store) *history {
	h := &history{rt: rt, owner: map[string]string{}, host: &host{t: t, store: store, roles: map[string]map[roles.Scope]roles.Role{}, now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}}
	var err error
	h.srv, err = scim.New(store, scim.BearerTokens(map[string]scim.Principal{
		"a": {Tenant: tenant, Connection: "a"}, "b": {Tenant: tenant, Connection: "b"},
	}), scim.WithClock(h.clock), scim.WithLogger(slog.New(slog.DiscardHandler)),
		scim.WithMembershipsOfUsers(func(p scim.Principal) bool { return p.Connection == "b" }))
	if err != nil {
		t.Fatal(err)
	}
	h.settings = historySettings[0]
	h.opts = []roles.Option{
		roles.WithSettings(h.settings), roles.WithClock(h.clock), roles.WithLogger(slog.New(slog.DiscardHandler)), roles.WithPage(3), roles.WithLease(minLease),
		roles.WithWorkspaces(func(_ context.Context, _, name string) (string, error) { return schema.Fold(name), nil }),
	}
	h.restart()
	return h
}

// restart has another instance hear of events.
func (h *history) restart() {
	rec, err := roles.New(h.srv.Directory(), h, h.opts...)
	if err != nil {
		h.t.Fatal(err)
	}
	h.rec = rec
}

// Apply fails at random, before or after it did what it was told.
func (h *history) Apply(ctx context.Context, tenant string, changes []roles.Change) error {
	h.mu.Lock()
	shaky := h.shaky
	h.mu.Unlock()
	if !shaky {
		return h.host.Apply(ctx, tenant, changes)
	}
	switch rand.N(8) {
	case 0:
		return errHost
	case 1:
		panic("in the host")
	case 2:
		if err := h.host.Apply(ctx, tenant, changes); err != nil {
			return err
		}
		return errHost
	case 3:
		time.Sleep(time.Duration(rand.N(300)) * time.Microsecond)
	}
	return h.host.Apply(ctx, tenant, changes)
}

// http sends a request and returns the id of the answer; "" when it was refused, as it
// may be.
func (h *history) http(connection, method, path string, body any) string {
	text, err := json.Marshal(body)
	if err != nil {
		h.t.Fatal(err)
	}
	r := httptest.NewRequest(method, path, strings.NewReader(string(text)))
	r.Header.Set("Authorization", "Bearer "+connection)
	r.Header.Set("Content-Type", "application/scim+json")
	w := httptest.NewRecorder()
	h.srv.ServeHTTP(w, r)
	var answer struct{ ID string }
	switch {
	case w.Code >= 500:
		h.rt.Fatalf("%s %s: %d %s", method, path, w.Code, w.Body)
	case w.Code < 300 && w.Body.Len() > 0:
		if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil {
			h.t.Fatal(err)
		}
	}
	return answer.ID
}

type values = map[string]any

func (h *history) patch(connection, path, op, attribute string, value any) {
	o := values{"op": op, "path": attribute}
	if value != nil {
		o["value"] = value
	}
	h.http(connection, "PATCH", path, values{"schemas": []string{"urn:ietf:params:scim:api:messages:2.0:PatchOp"}, "Operations": []values{o}})
}

// step does one thing.
func (h *history) step() {
	pick := func(list []string) string { return rapid.SampledFrom(list).Draw(h.rt, "which") }
	c := pick([]string{"a", "b"})
	mine := func(list []string) (out []string) {
		for _, id := range list {
			if h.owner[id] == c {
				out = append(out, id)
			}
		}
		return out
	}
	users, groups := mine(h.users), mine(h.groups)
	name := rapid.SampledFrom(hostileNames)
	few := func(list []string) (out []values) {
		for range rapid.IntRange(0, 3).Draw(h.rt, "number") {
			out = append(out, values{"value": pick(list)})
		}
		return out
	}
	u, g := "", ""
	if len(users) > 0 && len(groups) > 0 {
		u, g = pick(users), pick(groups)
	}
	op := rapid.IntRange(0, 20).Draw(h.rt, "operation")
	switch {
	case op <= 1 || u == "":
		if id := h.http(c, "POST", "/Users", values{"schemas": []string{schema.UserURN}, "userName": fmt.Sprint("u", len(h.users)), "active": true}); id != "" {
			h.users, users, h.owner[id] = append(h.users, id), append(users, id), c
		}
		if id := h.http(c, "POST", "/Groups", values{"schemas": []string{schema.GroupURN}, "displayName": name.Draw(h.rt, "name"), "members": few(append(users, "x"))}); id != "" {
			h.groups, h.owner[id] = append(h.groups, id), c
		}
	case op <= 5:
		h.patch(c, "/Groups/"+g, "add", "members", few(users))
		h.patch(c, "/Users/"+u, "add", "groups", few(groups))
	case op == 6:
		h.patch(c, "/Groups/"+g, "remove", `members[value eq "`+u+`"]`, nil)
		h.patch(c, "/Users/"+u, "replace", "groups", few(groups))
	case op <= 8:
		h.patch(c, "/Groups/"+g, "replace", "displayName", name.Draw(h.rt, "name"))
	case op <= 10:
		h.patch(c, "/Users/"+u, "replace", "active", rapid.Bool().Draw(h.rt, "active"))
	case op == 11:
		h.http(c, "DELETE", "/Groups/"+g, nil)
	case op == 12:
		h.http(c, "DELETE", "/Users/"+u, nil)
	case op == 13:
		kind, id := "User", u
		if rapid.Bool().Draw(h.rt, "a group") {
			kind, id = "Group", g
		}
		to := pick([]string{"a", "b"})
		if h.srv.Transfer(h.t.Context(), tenant, c, to, scim.Ref{Type: kind, ID: id})[0] == nil { // not where names meet
			h.owner[id] = to
		}
	case op == 14:
		if rapid.Bool().Draw(h.rt, "erased") {
			_ = h.srv.Erase(h.t.Context(), tenant, "User", u) // which may be gone
		} else if err := h.srv.Unlink(h.t.Context(), tenant, "User", u); err != nil {
			h.rt.Fatal(err)
		}
	case op <= 16:
		row := roles.Row{Group: g, Scope: roles.Workspace(pick([]string{"a", "b", "w"})), Role: roles.Role(pick([]string{"admin", "Manager", "member"}))}
		if rapid.Bool().Draw(h.rt, "by name") {
			row.Group, row.Connection, row.Name = "", c, name.Draw(h.rt, "name")
		}
		_, _ = h.rec.AddRow(h.t.Context(), tenant, row) // refused where the group has another role, or is gone
	case op == 17:
		rows, err := h.rec.Rows(h.t.Context(), tenant, roles.RowQuery{})
		if err != nil {
			h.rt.Fatal(err)
		}
		if len(rows) > 0 {
			if err := h.rec.RemoveRow(h.t.Context(), tenant, rows[rapid.IntRange(0, len(rows)-1).Draw(h.rt, "row")].ID, roles.Revoke); err != nil {
				h.rt.Fatal(err)
			}
		}
	case op == 18:
		h.settings = rapid.SampledFrom(historySettings).Draw(h.rt, "settings")
		if err := h.rec.SetSettings(h.t.Context(), tenant, &h.settings); err != nil {
			h.rt.Fatal(err)
		}
	case op == 19:
		h.restart()
	default:
		_, _ = h.rec.RestoreRows(h.t.Context(), tenant, g) // where something is offered
	}
}

// expected is what users should have, worked out without any of the code of the
// package but its lists of rows: by user and workspace.
func (h *history) expected() map[string]string {
	dir, ctx := h.srv.Directory(), h.t.Context()
	inForce, err := h.rec.Rows(ctx, tenant, roles.RowQuery{Limit: 10_000})
	archived, err2 := h.rec.Rows(ctx, tenant, roles.RowQuery{Limit: 10_000, Archived: true})
	if err != nil || err2 != nil {
		h.t.Fatal(err, err2)
	}
	order := h.settings.Roles
	if order == nil {
		order = []roles.Role{"admin", "manager", "member"}
	}
	given := map[string][]int{} // ranks, by user and workspace
	groups, err := dir.List(ctx, tenant, "Group", "", "", 10_000)
	if err != nil {
		h.t.Fatal(err)
	}
	for _, g := range groups {
		id, name := g.Resource.ID(), g.Resource.String("displayName")
		gives := map[string]roles.Role{}
		mapped := false
		for _, row := range inForce {
			if row.Group == id {
				mapped, gives[row.Scope.ID] = true, row.Role
			}
		}
		for _, row := range archived {
			sameName := row.Because == roles.GroupDeleted && row.Connection == g.Connection && schema.Fold(row.Name) == schema.Fold(name)
			mapped = mapped || row.Group == id || sameName
		}
		if c := h.settings.Convention; c != nil && !mapped {
			if workspace, role, ok := named(name, c); ok {
				gives[schema.Fold(workspace)] = role
			}
		}
		members, err := dir.Members(ctx, tenant, storage.Ref{Type: "Group", ID: id}, storage.Ref{}, 10_000)
		if err != nil {
			h.t.Fatal(err)
		}
		for _, m := range members {
			u, err := dir.Get(ctx, tenant, m)
			if err != nil || m.Type != "User" || !u.Resource.Active() {
				continue
			}
			for workspace, role := range gives {
				given[m.ID+" "+workspace] = append(given[m.ID+" "+workspace], slices.Index(order, role))
			}
		}
	}
	want := map[string]string{}
	for key, ranks := range given {
		switch highest, lowest := slices.Min(ranks), slices.Max(ranks); {
		case h.settings.Conflicts == roles.Highest || highest == lowest:
			want[key] = string(order[highest])
		case h.settings.Conflicts == roles.Lowest:
			want[key] = string(order[lowest])
		}
	}
	return want
}

// named reads a name the naive way.
func named(name string, c *roles.Convention) (workspace string, role roles.Role, ok bool) {
	ascii := strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, name)
	prefixes, separator := c.Prefixes, c.Separator
	if prefixes == nil {
		prefixes = []string{"ws-"}
	}
	if separator == "" {
		separator = "-role-"
	}
	longest := -1
	for _, p := range prefixes {
		if strings.HasPrefix(ascii, p) {
			longest = max(longest, len(p))
		}
	}
	end := strings.LastIndex(ascii, separator)
	if longest < 0 || end < longest {
		return "", "", false
	}
	workspace, role = strings.TrimSpace(name[longest:end]), roles.Role(ascii[end+len(separator):])
	known := role == "manager" || role == "member" || role == "admin" && c.Ceiling == ""
	return workspace, role, known && workspace != ""
}

// has is what users have at the host.
func (h *history) has() map[string]string {
	h.mu.Lock()
	defer h.mu.Unlock()
	m := map[string]string{}
	for u, list := range h.roles {
		for s, role := range list {
			m[u+" "+s.ID] = string(role)
		}
	}
	return m
}

// Two instances work while all of this happens, both of which may be replaced. In the end
// the host has what a naive reading of users, groups and rows gives.
func TestAnyHistoryEndsInWhatTheGroupsSay(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		h := newHistory(t, rt, memory.New())
		h.shaky = true
		var stop func()
		follow := func() {
			ctx, cancel := context.WithCancel(t.Context())
			first, second := h.rec, h.reconciler(h.opts...)
			unsubscribe := h.srv.Subscribe(first.Handle)
			var work sync.WaitGroup
			work.Go(func() { _ = first.Run(ctx, tenant) })
			work.Go(func() { _ = second.Run(ctx, tenant) })
			stop = func() { unsubscribe(); cancel(); work.Wait() }
		}
		follow()
		defer func() { stop() }()
		for range rapid.IntRange(20, 80).Draw(rt, "steps") {
			before := h.rec
			h.step()
			if h.rec != before {
				stop() // in the middle of whatever it does
				follow()
			}
			if wait := rapid.IntRange(0, 9).Draw(rt, "wait"); wait < 3 {
				time.Sleep(500 * time.Microsecond) // so that some of it is worked off
			} else if wait == 3 {
				h.wait(time.Duration(rapid.IntRange(1, 100).Draw(rt, "seconds")) * time.Second)
			}
		}
		stop()
		h.mu.Lock()
		h.shaky = false
		h.mu.Unlock()
		for range 2 { // the last doubts are a minute old then, and failures tried again
			h.wait(time.Hour)
			h.sync()
		}
		if diff := cmp.Diff(h.expected(), h.has()); diff != "" {
			rt.Fatalf("the host has not what the groups say (-want +got):\n%s", diff)
		}
	})
}

// On any state, a preview of other settings or rows says exactly what happens when they
// are set.
func TestPreviewOfAnythingIsWhatHappens(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		h := newHistory(t, rt, memory.New())
		for range rapid.IntRange(15, 50).Draw(rt, "steps") {
			h.step()
		}
		for _, name := range []string{"A", "B", "A-role-B", "ws-A-role-admin", "ß", "A-role-A-role-A", "\u0130"} {
			if err := h.rec.BindWorkspace(t.Context(), tenant, name, schema.Fold(name)); err != nil {
				rt.Fatal(err)
			}
		}
		h.sync()
		p := roles.Proposal{Settings: &roles.Settings{}}
		*p.Settings = rapid.SampledFrom(historySettings).Draw(rt, "proposed")
		rows, err := h.rec.Rows(t.Context(), tenant, roles.RowQuery{})
		if err != nil {
			rt.Fatal(err)
		}
		for _, row := range rows {
			if rapid.Bool().Draw(rt, "remove") {
				p.Remove = append(p.Remove, row.ID)
			}
		}
		for range rapid.IntRange(0, 2).Draw(rt, "add") {
			p.Add = append(p.Add, roles.Row{Group: rapid.SampledFrom(h.groups).Draw(rt, "group"), Scope: roles.Workspace("a"), Role: "manager"})
		}
		before := h.has()
		list, refused := h.preview(p)
		said := maps.Clone(before)
		for _, c := range list {
			if key := c.User + " " + c.Scope.ID; c.To == "" {
				delete(said, key)
			} else {
				said[key] = string(c.To)
			}
		}
		if diff := cmp.Diff(before, h.has()); diff != "" {
			rt.Fatalf("the preview changed\n%s", diff)
		}
		h.told()
		// All of it before anybody looks, as a page of the host would do it.
		err = h.rec.SetSettings(t.Context(), tenant, p.Settings)
		for _, id := range p.Remove {
			if err == nil {
				err = h.rec.RemoveRow(t.Context(), tenant, id, roles.Revoke)
			}
		}
		for _, row := range p.Add {
			if err == nil {
				_, err = h.rec.AddRow(t.Context(), tenant, row)
			}
		}
		if (err == nil) != (refused == nil) {
			rt.Fatalf("the preview says %v, doing it %v", refused, err)
		}
		if err != nil {
			return
		}
		h.sync()
		if diff := cmp.Diff(said, h.has()); diff != "" {
			rt.Fatalf("previewed and happened differ (-said +happened):\n%s", diff)
		}
		if calls := h.told(); len(calls) != len(list) {
			rt.Fatalf("the preview said %+v, the host was told %q", list, calls)
		}
	})
}
