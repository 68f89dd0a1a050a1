package roles

import "github.com/musterhq/muster/scim/resource"

// Rules are compiled [Settings]: immutable and safe for concurrent use.
type Rules struct {
	settings Settings
}

// NewRules checks settings and compiles them.
func NewRules(s Settings) (*Rules, error) { panic("unfinished") }

// Settings returns what the rules were made of, with defaults filled in.
func (r *Rules) Settings() Settings { panic("unfinished") }

// Match is what the convention reads in the name of a group.
type Match struct {
	// Workspace is the name of the workspace, trimmed; Key is its folded form, by which workspaces compare.
	Workspace, Key string
	// Role is the role that the name says.
	Role Role
	// Reason says why the name gives nothing; empty means that it matched.
	Reason Reason
	// Char is the character in the way where Reason is LookAlike.
	Char rune
}

// Match reads the name of a group by the convention. The convention must be on.
func (r *Rules) Match(name string) Match { panic("unfinished") }

// CheckRow says whether a row may be added to those that its group has in force.
// It returns the row that says the same, if there is one, else nil.
func (r *Rules) CheckRow(row Row, existing []Row) (*Row, error) { panic("unfinished") }

// Table is rows by group: immutable.
type Table struct{}

// NewTable makes a table of rows, archived ones and those that wait included.
func NewTable(rows []Row) *Table { panic("unfinished") }

// Resolve maps a user to assignments. A nil table is empty.
func (r *Rules) Resolve(u User, t *Table, w Workspaces) Resolution { panic("unfinished") }

// Group says what a group alone gives to an active member: its assignments (without user), or why it gives nothing.
func (r *Rules) Group(g Group, t *Table, w Workspaces) Resolution { panic("unfinished") }

// Diff says what to do at the host so that a user who has applied gets wanted. Held are roles that the host gave by itself.
// All three are of one user.
func Diff(applied, wanted, held []Assignment) []Change { panic("unfinished") }

// Apply returns applied after changes, with the causes of wanted.
func Apply(applied []Assignment, changes []Change) []Assignment { panic("unfinished") }

// Explain says why a user has a role in a scope, or none.
func (r *Rules) Explain(u User, scope Scope, t *Table, w Workspaces, applied, held []Assignment) Explanation {
	panic("unfinished")
}

// RoleValue is one value of the attribute roles.
type RoleValue struct {
	// Value is the value, out of its wrapping.
	Value string
	// JSONText is whether the value came as the text of a JSON object.
	JSONText bool
}

// RoleValues reads the attribute roles of a user in every shape that clients send.
func RoleValues(u *resource.Resource) []RoleValue { panic("unfinished") }
