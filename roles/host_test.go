package roles_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/musterhq/muster/roles"
	"github.com/musterhq/muster/scim"
	"github.com/musterhq/muster/scim/patch"
	"github.com/musterhq/muster/storage"
	"github.com/musterhq/muster/storage/memory"
)

// host is a host application with one tenant, as far as the reconciler sees it.
type host struct {
	t     *testing.T
	srv   *scim.Server
	rec   *roles.Reconciler
	store storage.Store

	mu     sync.Mutex
	roles  map[string]map[roles.Scope]roles.Role // by user
	calls  []string
	fail   error
	events []roles.Event
	now    time.Time
}

const tenant = "acme"

var idp = scim.Principal{Tenant: tenant}

func newHost(t *testing.T, opts ...roles.Option) *host {
	t.Helper()
	return newHostOn(t, memory.New(), opts...)
}

func newHostOn(t *testing.T, store storage.Store, opts ...roles.Option) *host {
	t.Helper()
	h := &host{t: t, store: store, roles: map[string]map[roles.Scope]roles.Role{}, now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
	var err error
	h.srv, err = scim.New(store, scim.BearerToken("secret"), scim.WithClock(h.clock))
	if err != nil {
		t.Fatal(err)
	}
	h.rec = h.reconciler(opts...)
	t.Cleanup(h.srv.Subscribe(h.rec.Handle))
	return h
}

// reconciler makes an instance that works for the host.
func (h *host) reconciler(opts ...roles.Option) *roles.Reconciler {
	h.t.Helper()
	rec, err := roles.New(h.srv.Directory(), h, append([]roles.Option{
		roles.WithClock(h.clock), roles.WithLogger(slog.New(slog.DiscardHandler)),
		roles.WithObserver(func(_ context.Context, e roles.Event) {
			h.mu.Lock()
			defer h.mu.Unlock()
			h.events = append(h.events, e)
		}),
	}, opts...)...)
	if err != nil {
		h.t.Fatal(err)
	}
	return rec
}

func (h *host) clock() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.now
}

func (h *host) wait(d time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.now = h.now.Add(d)
}

// Apply implements roles.Applier.
func (h *host) Apply(_ context.Context, _ string, changes []roles.Change) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	seen := map[roles.Scope]bool{}
	for _, c := range changes {
		if seen[c.Scope] {
			h.t.Errorf("two changes in one scope: %+v", changes)
		}
		seen[c.Scope] = true
	}
	if h.fail != nil {
		return h.fail
	}
	for _, c := range changes {
		if h.roles[c.User] == nil {
			h.roles[c.User] = map[roles.Scope]roles.Role{}
		}
		if c.To == "" {
			delete(h.roles[c.User], c.Scope)
		} else {
			h.roles[c.User][c.Scope] = c.To
		}
		h.calls = append(h.calls, fmt.Sprintf("%s %s:%s→%s", c.User, scopeText(c.Scope), c.From, c.To))
	}
	return nil
}

func scopeText(s roles.Scope) string {
	if s.Kind == roles.InOrganisation {
		return "org"
	}
	return s.ID
}

// has returns what a user has, such as "Sales:admin W:member".
func (h *host) has(user string) string {
	h.mu.Lock()
	defer h.mu.Unlock()
	var list []string
	for s, role := range h.roles[user] {
		list = append(list, scopeText(s)+":"+string(role))
	}
	slices.Sort(list)
	return strings.Join(list, " ")
}

func (h *host) want(user, roles string) {
	h.t.Helper()
	if got := h.has(user); got != roles {
		h.t.Errorf("%s has %q, want %q", user, got, roles)
	}
}

func (h *host) sync() {
	h.t.Helper()
	if err := h.rec.Sync(h.t.Context(), tenant); err != nil {
		h.t.Fatal(err)
	}
}

func (h *host) did(k roles.EventKind) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	n := 0
	for _, e := range h.events {
		if e.Kind == k {
			n++
		}
	}
	return n
}

func (h *host) told() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	calls := h.calls
	h.calls = nil
	return calls
}

func (h *host) do(op *scim.Operation) *scim.Result {
	h.t.Helper()
	res, err := h.srv.Do(context.Background(), idp, op)
	if err != nil {
		h.t.Fatalf("%s: %v", op.Method, err)
	}
	return res
}

func (h *host) typ(name string) *scim.Type { return h.srv.Type(name) }

// user creates an active user and returns its id.
func (h *host) user(name string) string {
	h.t.Helper()
	r, err := scim.NewResource(h.typ("User")).Set("userName", name).Set("active", true).Build()
	if err != nil {
		h.t.Fatal(err)
	}
	return h.do(&scim.Operation{Method: scim.Create, Type: h.typ("User"), Resource: r}).Resource.ID()
}

// group creates a group with members and returns its id.
func (h *host) group(name string, members ...string) string {
	h.t.Helper()
	r, err := scim.NewResource(h.typ("Group")).Set("displayName", name).Build()
	if err != nil {
		h.t.Fatal(err)
	}
	op := &scim.Operation{Method: scim.Create, Type: h.typ("Group"), Resource: r, Relations: scim.Relations{"members": nil}}
	for _, m := range members {
		op.Relations["members"] = append(op.Relations["members"], scim.Member{ID: m})
	}
	return h.do(op).Resource.ID()
}

func (h *host) patch(typ, id, operations string) {
	h.t.Helper()
	req, err := patch.Parse(h.typ(typ), []byte(`{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[`+operations+`]}`), patch.ParseOptions{})
	if err != nil {
		h.t.Fatal(err)
	}
	h.do(&scim.Operation{Method: scim.Patch, Type: h.typ(typ), ID: id, Patch: req})
}

func (h *host) rename(group, name string) {
	h.t.Helper()
	h.patch("Group", group, `{"op":"replace","path":"displayName","value":"`+name+`"}`)
}

func (h *host) add(group, user string) {
	h.t.Helper()
	h.patch("Group", group, `{"op":"add","path":"members","value":[{"value":"`+user+`"}]}`)
}

func (h *host) remove(group, user string) {
	h.t.Helper()
	h.patch("Group", group, `{"op":"remove","path":"members[value eq \"`+user+`\"]"}`)
}

func (h *host) active(user string, active bool) {
	h.t.Helper()
	h.patch("User", user, fmt.Sprintf(`{"op":"replace","path":"active","value":%v}`, active))
}

func (h *host) delete(typ, id string) {
	h.t.Helper()
	h.do(&scim.Operation{Method: scim.Delete, Type: h.typ(typ), ID: id})
}

// table maps a group to a workspace.
func (h *host) row(group, workspace string, role roles.Role) roles.Row {
	h.t.Helper()
	row, err := h.rec.AddRow(context.Background(), tenant, roles.Row{Group: group, Scope: roles.Workspace(workspace), Role: role})
	if err != nil {
		h.t.Fatal(err)
	}
	return row
}

// ByName makes a workspace of every name, its id being the name.
func byName(_ context.Context, _, name string) (string, error) {
	if strings.HasPrefix(name, "No") {
		return "", roles.ErrRefused
	}
	return name, nil
}

var errHost = errors.New("the host is down")

// both turns the table and the convention on.
func both() roles.Option {
	return roles.WithSettings(roles.Settings{Table: true, Convention: &roles.Convention{}})
}

func tableOnly() roles.Option { return roles.WithSettings(roles.Settings{Table: true}) }

func byNames() roles.Option { return roles.WithWorkspaces(byName) }
