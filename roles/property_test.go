package roles_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/musterhq/muster/roles"
	"github.com/musterhq/muster/scim/schema"
)

// scene is everything that a resolution depends on.
type scene struct {
	settings roles.Settings
	user     roles.User
	rows     []roles.Row
	spaces   roles.Workspaces
	held     []roles.Assignment
}

func (s scene) resolve(t testing.TB) roles.Resolution {
	return mustRules(t, s.settings).Resolve(s.user, roles.NewTable(s.rows), s.spaces)
}

// word draws from few words, so that they meet.
func word(words ...string) func(*rapid.T) string {
	return func(t *rapid.T) string { return rapid.SampledFrom(words).Draw(t, "word") }
}

var workspaceRole = word("admin", "Manager", "member", "boss")

var names = rapid.Custom(func(t *rapid.T) string {
	return word("ws-", "WS-", "org-", "ws–", "")(t) + word("Sales", "SALES ", "Legal", "A-role-B", " ", "wſ")(t) +
		word("-role-", "-ROLE-", "-", "-role—")(t) + word("admin", "Manager", "member", "boss", "аdmin", "")(t)
})

var settings = rapid.Custom(func(t *rapid.T) roles.Settings {
	flag := rapid.Bool()
	s := roles.Settings{
		Conflicts: roles.ConflictPolicy(rapid.IntRange(0, 2).Draw(t, "policy")),
		Table:     flag.Draw(t, "table"), ManyRoles: true,
		BothWays: flag.Draw(t, "both"), GroupRoles: flag.Draw(t, "group roles"),
	}
	if flag.Draw(t, "convention") {
		s.Convention = &roles.Convention{Prefixes: []string{"ws-", "org-"}}
		if flag.Draw(t, "ceiling") {
			s.Convention.Ceiling = "manager"
		}
	}
	if flag.Draw(t, "organisation") {
		s.Organisation = &roles.Organisation{FromTable: flag.Draw(t, "from table")}
	}
	return s
})

var scenes = rapid.Custom(func(t *rapid.T) scene {
	s := scene{settings: settings.Draw(t, "settings"), user: user.Draw(t, "user")}
	s.rows = rapid.SliceOfN(row, 0, 12).Draw(t, "rows")
	for i := range s.rows {
		s.rows[i].ID = fmt.Sprint("r", i)
	}
	s.spaces = roles.Workspaces{Bound: map[string]string{"sales": "W", "a-role-b": "V"}, Refused: map[string]bool{"legal": true}}
	if rapid.Bool().Draw(t, "gone") {
		s.spaces.Gone = map[string]bool{"V": true}
	}
	for _, scope := range []roles.Scope{roles.Workspace("W"), roles.TheOrganisation()} {
		if rapid.Bool().Draw(t, "held") {
			s.held = append(s.held, roles.Assignment{User: "u", Scope: scope, Role: "admin"})
		}
	}
	return s
})

var row = rapid.Custom(func(t *rapid.T) roles.Row {
	r := roles.Row{
		Group: word("g0", "g1", "g2", "g3", "h0")(t), Role: roles.Role(workspaceRole(t)), Connection: "c",
		Scope: rapid.SampledFrom([]roles.Scope{roles.Workspace("W"), roles.Workspace("V"), roles.TheOrganisation()}).Draw(t, "scope"),
	}
	switch word("in force", "in force", "waiting", "removed", "deleted")(t) {
	case "waiting":
		r.Group, r.Name = "", names.Draw(t, "name")
	case "removed":
		r.Archived, r.Because = day, roles.RowRemoved
	case "deleted":
		r.Archived, r.Because, r.Name = day, roles.GroupDeleted, names.Draw(t, "name")
	}
	return r
})

var user = rapid.Custom(func(t *rapid.T) roles.User {
	u := roles.User{ID: "u", Active: rapid.IntRange(0, 9).Draw(t, "active") > 0}
	for i := range rapid.IntRange(0, 6).Draw(t, "groups") {
		g := roles.Group{ID: fmt.Sprint("g", i), Name: names.Draw(t, "name"), Connection: "c"}
		u.Groups = append(u.Groups, g)
		if rapid.Bool().Draw(t, "nested too") {
			g.Via = word("g0", "g9")(t)
			u.Groups = append(u.Groups, g)
		}
	}
	for range rapid.IntRange(0, 3).Draw(t, "roles") {
		u.Roles = append(u.Roles, roles.RoleText(word("owner", "ADMIN", "member", "25", "group", "")(t)))
	}
	return u
})

func TestTheOrderOfArrivalDoesNotMatter(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		s := scenes.Draw(rt, "scene")
		want := s.resolve(t)
		o := s
		o.user.Groups = rapid.Permutation(s.user.Groups).Draw(rt, "groups in another order")
		o.user.Roles = rapid.Permutation(s.user.Roles).Draw(rt, "roles in another order")
		o.rows = rapid.Permutation(s.rows).Draw(rt, "rows in another order")
		if diff := gocmp.Diff(want, o.resolve(t)); diff != "" {
			rt.Fatalf("in the order of the scene, and in another one (-first +other):\n%s", diff)
		}
		o.user.Groups = append(o.user.Groups, s.user.Groups...)
		if diff := gocmp.Diff(want, o.resolve(t)); diff != "" {
			rt.Fatalf("groups that arrive twice (-once +twice):\n%s", diff)
		}
	})
}

func TestResolvingTwiceIsResolvingOnce(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		s := scenes.Draw(rt, "scene")
		first := s.resolve(t)
		applied := roles.Apply(nil, roles.Diff(nil, first.Assignments, s.held))
		second := s.resolve(t)
		if diff := gocmp.Diff(first, second); diff != "" {
			rt.Fatalf("the second resolution differs:\n%s", diff)
		}
		host := hostAfter(s.held, roles.Diff(nil, first.Assignments, s.held))
		if again := roles.Diff(applied, second.Assignments, host); len(again) > 0 {
			rt.Fatalf("there is something left to do: %+v", again)
		}
	})
}

// hostAfter is what the host says it gave by itself once it was told of changes: of
// the organisation role it keeps one only.
func hostAfter(held []roles.Assignment, changes []roles.Change) []roles.Assignment {
	return slices.DeleteFunc(slices.Clone(held), func(h roles.Assignment) bool {
		return slices.ContainsFunc(changes, func(c roles.Change) bool { return c.Scope == h.Scope })
	})
}

func TestApplyDoesWhatPreviewSaid(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		before := scenes.Draw(rt, "before")
		after := scenes.Draw(rt, "after")
		applied := roles.Apply(nil, roles.Diff(nil, before.resolve(t).Assignments, nil))

		wanted := after.resolve(t).Assignments
		preview := roles.Diff(applied, wanted, nil)
		now := roles.Apply(applied, preview)
		if diff := gocmp.Diff(given(wanted), given(now)); diff != "" {
			rt.Fatalf("the preview does not lead to what is wanted (-wanted +got):\n%s", diff)
		}
		// What was said is what became different, and no more.
		for _, c := range preview {
			was, is := at(applied, c.Scope), at(now, c.Scope)
			if roleOf(was) != c.From || roleOf(is) != c.To || c.From == c.To {
				rt.Fatalf("the preview said %+v; before %v, after %v", c, was, is)
			}
		}
		if slices.ContainsFunc(preview, func(c roles.Change) bool {
			return slices.ContainsFunc(preview, func(d roles.Change) bool { return c.Scope == d.Scope && c.To != d.To })
		}) {
			rt.Fatalf("one scope is changed twice: %+v", preview)
		}
	})
}

// given is who has what, whatever a group that is a role was called when it was
// given.
func given(list []roles.Assignment) map[roles.Scope]roles.Role {
	m := map[roles.Scope]roles.Role{}
	for _, a := range list {
		if a.Scope.Kind == roles.AsGroup {
			a.Role = "it"
		}
		m[a.Scope] = a.Role
	}
	return m
}

func roleOf(a *roles.Assignment) roles.Role {
	if a == nil {
		return ""
	}
	return a.Role
}

func TestAResolutionIsSound(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		s := scenes.Draw(rt, "scene")
		res := s.resolve(t)
		rules := mustRules(t, s.settings)
		if !s.user.Active && len(res.Assignments) > 0 {
			rt.Fatal("who is inactive has roles")
		}
		scopes := map[roles.Scope]bool{}
		for _, a := range res.Assignments {
			switch {
			case scopes[a.Scope]:
				rt.Fatalf("two roles in %v", a.Scope)
			case a.User != "u" || a.Role == "" || len(a.Causes) == 0 || a.Causes[0].Role != a.Role:
				rt.Fatalf("no cause gives it: %+v", a)
			case a.Scope.Kind == roles.InWorkspace && s.spaces.Gone[a.Scope.ID]:
				rt.Fatalf("a role in a workspace that is gone: %+v", a)
			}
			scopes[a.Scope] = true
			for _, c := range a.Causes {
				high := s.settings.Convention != nil && s.settings.Convention.Ceiling != "" && rules.Compare(roles.InWorkspace, c.Role, s.settings.Convention.Ceiling) > 0
				if c.Way == roles.ByConvention && (high || a.Scope.Kind != roles.InWorkspace) {
					rt.Fatalf("the name of a group gave what names may not give: %+v", a)
				}
			}
			if a.Scope.Kind == roles.InWorkspace && len(a.Causes) > 1 && !slices.ContainsFunc(res.Conflicts, func(c roles.Conflict) bool { return c.Scope == a.Scope }) {
				for _, c := range a.Causes[1:] {
					if c.Group != a.Causes[0].Group || c.Role != a.Role {
						rt.Fatalf("a conflict is not reported: %+v", a)
					}
				}
			}
		}
	})
}

// TestWhatIsWrittenByTheConventionIsReadBack joins the parts of a name and expects
// the same parts again.
func TestWhatIsWrittenByTheConventionIsReadBack(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		c := roles.Convention{
			Prefixes: []string{word("ws-", "p", "x-role-", "é-")(rt)}, Separator: word("-role-", "_", "--", "aa", ".role.", "–")(rt),
		}
		role := roles.Role(word("admin", "ab", "role-x", "-a", "Member")(rt))
		rules, err := roles.NewRules(roles.Settings{Roles: []roles.Role{"x", role}, Convention: &c})
		if err != nil {
			return // refused because it could not be read back
		}
		workspace := strings.TrimSpace(rapid.StringMatching(`[a-z–é _.-]{1,12}`).Draw(rt, "workspace"))
		if workspace == "" {
			return
		}
		name := c.Prefixes[0] + workspace + c.Separator + string(role)
		m := rules.Match(name)
		if m.Reason != "" || m.Workspace != workspace || m.Role != role || m.Key != schema.Fold(workspace) {
			rt.Fatalf("%q of workspace %q and role %q is read as %+v", name, workspace, role, m)
		}
	})
}

// TestAGroupAloneIsAUserWithThatGroup ties what is listed of groups to what users
// get.
func TestAGroupAloneIsAUserWithThatGroup(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		s := scenes.Draw(rt, "scene")
		s.settings.Organisation, s.user.Active = nil, true
		rules, table := mustRules(t, s.settings), roles.NewTable(s.rows)
		all := s.resolve(t)
		var unmatched []roles.Unmatched
		scopes := map[roles.Scope]bool{}
		for _, g := range s.user.Groups {
			if g.Via != "" {
				continue
			}
			alone := rules.Group(g, table, s.spaces)
			unmatched = append(unmatched, alone.Unmatched...)
			for _, a := range alone.Assignments {
				scopes[a.Scope] = true
				if a.User != "" {
					rt.Fatalf("a group's assignment names a user: %+v", a)
				}
			}
		}
		if diff := gocmp.Diff(all.Unmatched, unmatched); diff != "" {
			rt.Fatalf("unmatched (-of the user +of the groups):\n%s", diff)
		}
		for _, a := range all.Assignments {
			if !scopes[a.Scope] && s.settings.Conflicts != roles.Reject {
				rt.Fatalf("no group gives %+v", a)
			}
		}
	})
}
