package roles

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/musterhq/muster/internal/kept"
)

// userState is what is remembered of a user: what the host was told.
type userState struct {
	User       string       `json:"user"`
	Connection string       `json:"connection,omitempty"`
	Applied    []Assignment `json:"applied,omitempty"`
	// Doubts are changes that the Applier was, or is about to be, called with and
	// whose outcome is not known. They are written before the call, so that a crash
	// cannot make us forget what the host may have.
	Doubts []doubt `json:"doubts,omitempty"`
	// Handed are assignments that were left to the host when a row was removed.
	Handed    []Assignment `json:"handed,omitempty"`
	Conflicts []Conflict   `json:"conflicts,omitempty"`
	// Guarded are scopes in which the last holder keeps a role.
	Guarded []Scope `json:"guarded,omitempty"`
	// UnknownRoles are values of the attribute roles that say nothing known.
	UnknownRoles []string `json:"unknownRoles,omitempty"`
	// Held are the kinds of holds that keep the user's roles as they are.
	Held []HoldKind `json:"held,omitempty"`
	// Counted is when the guards counted the user last, so that one for whom the host
	// fails is not counted with every attempt.
	Counted map[HoldKind]time.Time `json:"counted,omitempty"`
	// Error is the last error of the Applier, Failures how many there were in a row.
	Error    string `json:"error,omitempty"`
	Failures int    `json:"failures,omitempty"`
}

// doubt is a change under way.
type doubt struct {
	Change Change `json:"change"`
	// By is the instance that calls the Applier, and Until when it has given up.
	By    string    `json:"by"`
	Until time.Time `json:"until"`
}

// inDoubt reports whether it is not known what the host has in a scope.
func (s *userState) inDoubt(scope Scope) bool {
	return slices.ContainsFunc(s.Doubts, func(x doubt) bool { return x.Change.Scope == scope })
}

func (s *userState) empty() bool {
	return len(s.Applied)+len(s.Doubts)+len(s.Handed)+len(s.Conflicts)+len(s.Held)+len(s.Guarded)+len(s.UnknownRoles) == 0 && s.Error == ""
}

func (s *userState) words() []string {
	var w []string
	assigned := func(a Assignment) {
		scope := scopeWord(a.Scope)
		w = append(w, scope, scope+"|"+strings.ToLower(string(a.Role)))
		for _, c := range a.Causes {
			if c.Group != "" {
				w = append(w, groupWord(c.Group))
			}
			if c.Via != "" {
				w = append(w, groupWord(c.Via))
			}
		}
	}
	for _, a := range s.Applied {
		assigned(a)
	}
	for _, d := range s.Doubts {
		assigned(Assignment{Scope: d.Change.Scope, Role: d.Change.To, Causes: d.Change.Causes})
	}
	if len(s.Applied) > 0 {
		w = append(w, "assigned")
	}
	if len(s.Conflicts) > 0 {
		w = append(w, "conflict")
		for _, c := range s.Conflicts {
			for _, cause := range c.Causes {
				if cause.Group != "" {
					w = append(w, groupWord(cause.Group))
				}
			}
		}
	}
	if len(s.Guarded) > 0 {
		w = append(w, "guarded")
	}
	if len(s.UnknownRoles) > 0 {
		w = append(w, "unknown roles")
	}
	if len(s.Held) > 0 {
		w = append(w, "held")
	}
	if s.Error != "" {
		w = append(w, "failed")
	}
	return w
}

func scopeWord(s Scope) string { return "scope=" + string(rune('0'+s.Kind)) + s.ID }

func groupWord(id string) string { return "group=" + id }

// rowState is a row as it is kept.
type rowState struct {
	Row
	// Kept says that the row was removed with [Keep].
	Kept bool `json:"kept,omitempty"`
}

func (s *rowState) words() []string {
	w := []string{scopeWord(s.Scope), "role=" + strings.ToLower(string(s.Role))}
	if s.Group != "" {
		w = append(w, groupWord(s.Group))
	}
	if s.Archived.IsZero() {
		return append(w, "in force")
	}
	return append(w, "archived")
}

// groupState is what is remembered of a group.
type groupState struct {
	// Group is the group as it counts: with the name that gives roles.
	Group Group `json:"group"`
	// Next is the name that the group has got and that will count from Settles on;
	// Settles is zero when there is none.
	Next    string    `json:"next,omitempty"`
	Settles time.Time `json:"settles,omitzero"`
	// Unmatched says why the group gives nothing.
	Unmatched []Unmatched `json:"unmatched,omitempty"`
	// Key is the key of the workspace that the name says.
	Key string `json:"key,omitempty"`
}

func (s *groupState) words() []string {
	var w []string
	for _, u := range s.Unmatched {
		w = append(w, "unmatched", "reason="+string(u.Reason))
	}
	if s.Key != "" {
		w = append(w, "workspace="+s.Key)
	}
	return w
}

// workspaceState is the host's answer about a workspace: about a name, or that the
// workspace of an id is gone.
type workspaceState struct {
	WorkspaceName
	Gone bool `json:"gone,omitempty"`
	// Unasked says that there was nobody to ask about the name.
	Unasked bool `json:"unasked,omitempty"`
}

func (s *workspaceState) words() []string {
	switch {
	case s.Gone, s.ID == "":
		return []string{"pending"}
	}
	return []string{"bound"}
}

// control is what everything about a tenant hangs on. Every write of settings, rows
// and workspaces writes it too, so that its version tells whether what was read of
// them still holds, and two of them cannot cross.
type control struct {
	Settings *Settings `json:"settings,omitempty"`
	// Reconciled are the settings that users were last looked at with.
	Reconciled string `json:"reconciled,omitempty"`
}

// progress is how far a tenant is worked off, and by whom.
type progress struct {
	// After is the position in the change log.
	After int64 `json:"after"`
	// Holder is the instance that works, until the lease ends.
	Holder string    `json:"holder,omitempty"`
	Until  time.Time `json:"until,omitzero"`
}

// todo is work that waits.
type todo struct {
	Kind todoKind `json:"kind"`
	ID   string   `json:"id,omitempty"`
	// Change is the position of a change in the log, where it is about one.
	Change int64 `json:"change,omitempty"`
	// Due is when it may begin.
	Due time.Time `json:"due,omitzero"`
	// Phase is the step that it is at, and pass how far it is in that.
	Phase int `json:"phase,omitempty"`
	pass
}

type todoKind string

const (
	todoUser   todoKind = "user"
	todoGroup  todoKind = "group"
	todoLater  todoKind = "later" // a group, at another time than what is due now
	todoAll    todoKind = "all"
	todoStates todoKind = "states" // the users whom a word finds
	todoChange todoKind = "change" // of a group's members
)

func (t *todo) key() string {
	if t.Change > 0 {
		return fmt.Sprintf("%s:%s@%d", t.Kind, t.ID, t.Change)
	}
	return string(t.Kind) + ":" + t.ID
}

func (s *Hold) words() []string { return nil }

// kinds are the private types.
type kinds struct {
	users      *kept.Kind[userState]
	rows       *kept.Kind[rowState]
	groups     *kept.Kind[groupState]
	workspaces *kept.Kind[workspaceState]
	control    *kept.Kind[control]
	progress   *kept.Kind[progress]
	todos      *kept.Kind[todo]
	guards     *kept.Kind[guardState]
	holds      *kept.Kind[Hold]
}

func newKinds() kinds {
	return kinds{
		users:      kept.NewKind("MusterRolesUser", (*userState).words),
		rows:       kept.NewKind("MusterRolesRow", (*rowState).words),
		groups:     kept.NewKind("MusterRolesGroup", (*groupState).words),
		workspaces: kept.NewKind("MusterRolesWorkspace", (*workspaceState).words),
		control:    kept.NewKind[control]("MusterRolesControl", nil),
		progress:   kept.NewKind[progress]("MusterRolesProgress", nil),
		todos:      kept.NewKind[todo]("MusterRolesTask", nil),
		guards:     kept.NewKind[guardState]("MusterRolesGuard", nil),
		holds:      kept.NewKind("MusterRolesHold", (*Hold).words),
	}
}

// only is the id of the records of which a tenant has one.
const only = "only"
