package roles_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/musterhq/muster/roles"
	"github.com/musterhq/muster/scim/dialect"
	"github.com/musterhq/muster/scim/resource"
	"github.com/musterhq/muster/scim/schema"
)

// TestData runs the files of testdata/data, whose form testdata/data/README.md
// describes.
func TestData(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/data/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal("there are no files", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			t.Parallel()
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			newWorld(t).play(txtar.Parse(data))
		})
	}
}

// world is what a data file has said so far.
type world struct {
	t          *testing.T
	rules      *roles.Rules
	groups     []roles.Group
	members    map[string][]string // by group
	users      []roles.User
	rows       []roles.Row
	workspaces roles.Workspaces
	create     bool
	held       map[string][]roles.Assignment
	applied    map[string][]roles.Assignment
}

func newWorld(t *testing.T) *world {
	w := &world{t: t, held: map[string][]roles.Assignment{}, applied: map[string][]roles.Assignment{}}
	w.workspaces.Bound = map[string]string{}
	return w
}

func (w *world) play(a *txtar.Archive) {
	wants := 0
	for i, f := range a.Files {
		at := fmt.Sprintf("section %d, %s", i+1, f.Name)
		lines := lines(string(f.Data))
		switch f.Name {
		case "settings":
			w.rules = w.settings(string(f.Data))
		case "groups":
			w.groups, w.members = nil, map[string][]string{}
			for _, l := range lines {
				w.group(l)
			}
		case "users":
			w.users = nil
			for _, l := range lines {
				w.user(l)
			}
		case "table":
			w.rows = nil
			for _, l := range lines {
				w.row(l)
			}
		case "workspaces":
			w.workspaces, w.create = roles.Workspaces{Bound: map[string]string{}, Refused: map[string]bool{}, Gone: map[string]bool{}}, false
			for _, l := range lines {
				w.workspace(l)
			}
		case "host":
			w.held = map[string][]roles.Assignment{}
			for _, l := range lines {
				f := w.fields(l, 3)
				w.held[f[0]] = append(w.held[f[0]], roles.Assignment{User: f[0], Scope: scope(f[1]), Role: roles.Role(f[2])})
			}
		case "keep":
			for _, l := range lines {
				w.keep(l)
			}
		case "want":
			wants++
			if diff := gocmp.Diff(lines, w.resolve()); diff != "" {
				w.t.Errorf("%s (-want +got):\n%s", at, diff)
			}
		default:
			w.t.Fatalf("%s: there is no such section", at)
		}
	}
	if wants == 0 {
		w.t.Error("the file wants nothing")
	}
}

func lines(s string) []string {
	var list []string
	for l := range strings.Lines(s) {
		if l = strings.TrimSpace(l); l != "" && !strings.HasPrefix(l, "#") {
			list = append(list, l)
		}
	}
	return list
}

// fields divides a line at spaces, outside of quoted text, which it unquotes.
func (w *world) fields(line string, atLeast int) []string {
	w.t.Helper()
	var list []string
	for rest := line; ; {
		rest = strings.TrimLeft(rest, " ")
		if rest == "" {
			break
		}
		if quoted, err := strconv.QuotedPrefix(rest); err == nil {
			text, _ := strconv.Unquote(quoted)
			list, rest = append(list, text), rest[len(quoted):]
			continue
		}
		field, _, _ := strings.Cut(rest, " ")
		list, rest = append(list, field), rest[len(field):]
	}
	if len(list) < atLeast {
		w.t.Fatalf("%q: too short", line)
	}
	return list
}

func (w *world) settings(text string) *roles.Rules {
	w.t.Helper()
	var s roles.Settings
	d := json.NewDecoder(strings.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&s); err != nil {
		w.t.Fatal(err)
	}
	r, err := roles.NewRules(s)
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

func (w *world) group(line string) {
	f := w.fields(line, 2)
	g := roles.Group{ID: f[0], Name: f[1], Connection: "c"}
	w.groups = append(w.groups, g)
	w.members[g.ID] = f[2:]
}

func (w *world) user(line string) {
	id, rest, _ := strings.Cut(line, " ")
	u := roles.User{ID: id, Active: true}
	if rest == "inactive" {
		u.Active, rest = false, ""
	}
	if rest != "" {
		u.Roles = roleValues(w.t, rest)
	}
	w.users = append(w.users, u)
}

// roleValues reads the attribute roles as a server with the default dialect does.
func roleValues(t testing.TB, attribute string) []roles.RoleValue {
	t.Helper()
	user := schema.MustCompile(schema.User())
	session := dialect.Tolerant().Session()
	body := `{"schemas":["` + schema.UserURN + `"],"userName":"u","roles":` + attribute + `}`
	d, err := resource.Decode(user, []byte(body), resource.DecodeOptions{Repair: session.Repair()})
	if err != nil {
		t.Fatal(err)
	}
	return roles.RoleValues(session.Resource(user, d.Resource))
}

var day = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

func (w *world) row(line string) {
	f := w.fields(line, 4)
	row := roles.Row{ID: f[0], Group: f[1], Scope: scope(f[2]), Role: roles.Role(f[3]), Connection: "c", Created: day}
	switch {
	case len(f) == 4:
	case f[4] == "waiting":
		row.Group, row.Name = "", f[1]
	case f[4] == "removed":
		row.Archived, row.Because = day, roles.RowRemoved
	case f[4] == "deleted":
		row.Archived, row.Because, row.Name = day, roles.GroupDeleted, f[5]
	default:
		w.t.Fatalf("%q: %q is no state of a row", line, f[4])
	}
	w.rows = append(w.rows, row)
}

func scope(s string) roles.Scope {
	if s == "organisation" {
		return roles.TheOrganisation()
	}
	if id, ok := strings.CutPrefix(s, "group:"); ok {
		return roles.GroupRole(id)
	}
	return roles.Workspace(s)
}

func scopeName(s roles.Scope) string {
	switch s.Kind {
	case roles.InWorkspace:
		return s.ID
	case roles.AsGroup:
		return "group:" + s.ID
	default:
		return s.Kind.String()
	}
}

func (w *world) workspace(line string) {
	switch f := w.fields(line, 1); f[0] {
	case "create":
		w.create = true
	case "bound":
		w.workspaces.Bound[schema.Fold(f[1])] = f[2]
	case "refused":
		w.workspaces.Refused[schema.Fold(f[1])] = true
	case "gone":
		w.workspaces.Gone[f[1]] = true
	default:
		w.t.Fatalf("%q: %q is not known", line, f[0])
	}
}

// keep hands an assignment to the host, as removing a row with Keep does.
func (w *world) keep(line string) {
	f := w.fields(line, 2)
	i := slices.IndexFunc(w.applied[f[0]], func(a roles.Assignment) bool { return a.Scope == scope(f[1]) })
	if i < 0 {
		w.t.Fatalf("%q: there is nothing to keep", line)
	}
	w.held[f[0]] = append(w.held[f[0]], w.applied[f[0]][i])
	w.applied[f[0]] = slices.Delete(w.applied[f[0]], i, i+1)
}

// resolve brings every user to what the rules say now, and tells how.
func (w *world) resolve() []string {
	table := roles.NewTable(w.rows)
	var out []string
	line := func(format string, args ...any) { out = append(out, fmt.Sprintf(format, args...)) }

	for _, g := range w.groups {
		if w.create {
			for _, p := range w.rules.Group(g, table, w.workspaces).Pending {
				if p.Name != "" {
					w.workspaces.Bound[p.Key] = p.Name
				}
			}
		}
		res := w.rules.Group(g, table, w.workspaces)
		for _, u := range res.Unmatched {
			switch u.Reason {
			case roles.LookAlike:
				line("unmatched %s: %s %U", g.ID, u.Reason, u.Char)
			case roles.AboveCeiling:
				line("waiting %s: %s in %s", g.ID, u.Role, u.Workspace)
			case roles.RowRole, roles.RowScope:
				line("unmatched %s: %s, %s", g.ID, u.Reason, u.Role)
			default:
				line("unmatched %s: %s", g.ID, u.Reason)
			}
		}
		for _, p := range res.Pending {
			refused := ""
			if p.Refused {
				refused = " refused"
			}
			line("pending %s%s: %s", cmp.Or(p.Name, p.Scope.ID), refused, cause(p.Cause))
		}
		for _, row := range table.Offers(g) {
			line("offer %s: %s", g.ID, row.ID)
		}
	}
	for _, u := range w.users {
		for _, g := range w.groups {
			if slices.Contains(w.members[g.ID], u.ID) {
				u.Groups = append(u.Groups, g)
			}
		}
		res := w.rules.Resolve(u, table, w.workspaces)
		changes := roles.Diff(w.applied[u.ID], res.Assignments, w.held[u.ID])
		for _, c := range changes {
			switch c.Kind() {
			case roles.Granted:
				line("grant %s %s %s", u.ID, scopeName(c.Scope), c.To)
			case roles.Changed:
				line("change %s %s %s to %s", u.ID, scopeName(c.Scope), c.From, c.To)
			case roles.Revoked:
				line("revoke %s %s %s", u.ID, scopeName(c.Scope), c.From)
			}
		}
		w.applied[u.ID] = roles.Apply(w.applied[u.ID], changes)
		for i, a := range w.applied[u.ID] {
			// The reasons may be others now, and are those of what was resolved.
			if now := at(res.Assignments, a.Scope); now != nil && now.Role == a.Role || a.Scope.Kind == roles.AsGroup {
				a = *now
				w.applied[u.ID][i] = a
			}
			line("has %s %s %s: %s", u.ID, scopeName(a.Scope), a.Role, causes(a.Causes))
		}
		for _, c := range res.Conflicts {
			line("conflict %s %s gives %s: %s", u.ID, scopeName(c.Scope), cmp.Or(c.Given, "none"), causes(c.Causes))
		}
		for _, v := range res.UnknownRoles {
			line("unknown role %s %q", u.ID, v)
		}
	}
	return out
}

func at(list []roles.Assignment, s roles.Scope) *roles.Assignment {
	if i := slices.IndexFunc(list, func(a roles.Assignment) bool { return a.Scope == s }); i >= 0 {
		return &list[i]
	}
	return nil
}

func causes(list []roles.Cause) string {
	var words []string
	for _, c := range list {
		words = append(words, cause(c))
	}
	return strings.Join(words, ", ")
}

func cause(c roles.Cause) string {
	by := cmp.Or(c.Row, string(c.Way))
	if c.Group != "" {
		by = c.Group + " " + by
	}
	return by + "=" + string(c.Role)
}
