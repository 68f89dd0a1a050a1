package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"

	"github.com/musterhq/muster/roles"
	"github.com/musterhq/muster/scim"
	"github.com/musterhq/muster/storage"
)

// host is the application: workspaces with people in them.
type host struct {
	mu         sync.Mutex
	workspaces map[string]string            // id → name
	roles      map[string]map[string]string // workspace id → user id → role
	directory  *scim.Directory
	lines      []string  // what was done and not printed yet
	live       io.Writer // where it is printed at once; nil when somebody calls print
}

func newHost() *host {
	return &host{workspaces: map[string]string{"general": "General"}, roles: map[string]map[string]string{}}
}

// find is a roles.WorkspaceFunc: it makes workspaces that are not there.
func (h *host) find(_ context.Context, _, name string) (string, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for id, known := range h.workspaces {
		if strings.EqualFold(known, name) {
			return id, nil
		}
	}
	id := strings.ToLower(strings.ReplaceAll(name, " ", "-"))
	h.workspaces[id] = name
	h.say("  new workspace " + name)
	return id, nil
}

// Apply implements roles.Applier: it sets roles, so that it may be told twice.
func (h *host) Apply(ctx context.Context, tenant string, changes []roles.Change) error {
	for _, c := range changes {
		name := h.name(ctx, tenant, c.User)
		h.mu.Lock()
		in := cmp.Or(h.workspaces[c.Scope.ID], c.Scope.ID)
		if h.roles[c.Scope.ID] == nil {
			h.roles[c.Scope.ID] = map[string]string{}
		}
		if c.To == "" {
			delete(h.roles[c.Scope.ID], c.User)
		} else {
			h.roles[c.Scope.ID][c.User] = string(c.To)
		}
		switch c.Kind() {
		case roles.Granted:
			h.say(fmt.Sprintf("  granted %s: %s in %s%s", name, c.To, in, because(c.Causes)))
		case roles.Changed:
			h.say(fmt.Sprintf("  changed %s: %s → %s in %s%s", name, c.From, c.To, in, because(c.Causes)))
		case roles.Revoked:
			h.say(fmt.Sprintf("  revoked %s: %s in %s", name, c.From, in))
		}
		h.mu.Unlock()
	}
	return nil
}

// name is what a user is called; one who is deleted has a name no longer.
func (h *host) name(ctx context.Context, tenant, id string) string {
	e, err := h.directory.Get(ctx, tenant, storage.Ref{Type: "User", ID: id})
	if err != nil {
		return "somebody who is gone"
	}
	return e.Resource.String("userName")
}

func because(causes []roles.Cause) string {
	var names []string
	for _, c := range causes {
		if c.Name != "" {
			names = append(names, fmt.Sprintf("%q by %s", c.Name, c.Way))
		}
	}
	if len(names) == 0 {
		return ""
	}
	return ", because of " + strings.Join(names, " and ")
}

// note takes down what the reconciler says besides changes of roles.
func (h *host) note(_ context.Context, e roles.Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	line := "  note: " + string(e.Kind)
	if name := h.workspaces[e.Scope.ID]; name != "" {
		line += " of " + name
	}
	if e.Hold != nil {
		line += ": " + string(e.Hold.Kind)
	}
	h.say(line)
}

// say notes what was done, or prints it at once. The lock is held.
func (h *host) say(line string) {
	if h.live != nil {
		fmt.Fprintln(h.live, strings.TrimSpace(line))
		return
	}
	h.lines = append(h.lines, line)
}

// print prints what was done since it was called last, in a fixed order.
func (h *host) print(w io.Writer) {
	h.mu.Lock()
	defer h.mu.Unlock()
	slices.Sort(h.lines)
	for _, line := range h.lines {
		fmt.Fprintln(w, line)
	}
	h.lines = nil
}
