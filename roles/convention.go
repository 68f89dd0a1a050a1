package roles

import (
	"cmp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/musterhq/muster/scim/schema"
)

// Match is what the convention reads in the name of a group.
type Match struct {
	// Workspace is the name of the workspace as the group spells it, without
	// spaces around it. Key is its folded form: two names are of one workspace
	// when their keys are equal. Both are empty unless the name has all its
	// parts.
	Workspace, Key string
	// Role is the role that the name says, in the spelling of the settings.
	Role Role
	// Reason says why the name gives nothing; empty means that it gives Role in
	// Workspace.
	Reason Reason
	// Char is the character in the way, where Reason is [LookAlike].
	Char rune
}

// compileConvention fills in the defaults of a convention and makes its readers.
func (r *Rules) compileConvention(c Convention, problem func(string, ...any)) {
	c.Prefixes = listOr(c.Prefixes, "ws-")
	c.Separator = cmp.Or(c.Separator, "-role-")
	all := len(c.Roles) == 0
	c.Roles = listOr(c.Roles, r.settings.Roles...)
	for i, role := range c.Roles {
		known, ok := r.order.find(string(role))
		switch {
		case !ok && all: // a problem of the roles themselves
		case !ok:
			problem("the convention: %q is none of the roles of workspaces", role)
		case slices.Contains(c.Roles[:i], known):
			problem("the convention: the role %q stands twice", role)
		case strings.LastIndex(lower(c.Separator+string(role)), lower(c.Separator)) != 0:
			problem("the convention: the role %q cannot be told from the separator %q in front of it: choose another separator", role, c.Separator)
		default:
			c.Roles[i] = known
		}
	}
	if !utf8.ValidString(c.Separator) || strings.TrimSpace(c.Separator) == "" {
		problem("the convention: the separator %q is nothing but space, or not UTF-8", c.Separator)
	}
	for i, prefix := range c.Prefixes {
		switch {
		case prefix == "" && !c.EmptyPrefix:
			problem("the convention: with an empty prefix the name of any group can give a role: set EmptyPrefix if that is what you want")
		case !utf8.ValidString(prefix):
			problem("the convention: the prefix %q is not UTF-8", prefix)
		case slices.ContainsFunc(c.Prefixes[:i], func(p string) bool { return lower(p) == lower(prefix) }):
			problem("the convention: the prefix %q stands twice", prefix)
		}
	}
	r.ceiling = -1
	if c.Ceiling != "" {
		known, ok := r.order.find(string(c.Ceiling))
		if !ok {
			problem("the convention: the ceiling %q is none of the roles of workspaces", c.Ceiling)
		}
		c.Ceiling, r.ceiling = known, r.order.rank(known)
	}
	r.settings.Convention = &c
	r.names = newReader(&c, lower)
	r.lookalike = newReader(&c, func(s string) string { return newSkeleton(s).text })
}

// reader finds the parts of names.
type reader struct {
	prefixes  []string // the longest first
	separator string
	roles     map[string]Role
}

// newReader makes a reader of names that went through fold.
func newReader(c *Convention, fold func(string) string) *reader {
	n := &reader{separator: fold(c.Separator), roles: make(map[string]Role, len(c.Roles))}
	for _, p := range c.Prefixes {
		n.prefixes = append(n.prefixes, fold(p))
	}
	slices.SortFunc(n.prefixes, func(a, b string) int { return cmp.Compare(len(b), len(a)) })
	for _, role := range c.Roles {
		n.roles[fold(string(role))] = role
	}
	return n
}

// parts are where the workspace stands in a name, and the role.
type parts struct {
	from, to int // of the workspace
	role     Role
}

// read finds the parts of a folded name. The reason is empty when all are there.
func (n *reader) read(name string) (parts, Reason) {
	i := slices.IndexFunc(n.prefixes, func(p string) bool { return strings.HasPrefix(name, p) })
	if i < 0 {
		return parts{}, NoPrefix
	}
	p := parts{from: len(n.prefixes[i])}
	at := strings.LastIndex(name[p.from:], n.separator)
	if at < 0 {
		return parts{}, NoSeparator
	}
	p.to = p.from + at
	role := name[p.to+len(n.separator):]
	known := false
	p.role, known = n.roles[role]
	switch {
	case strings.TrimSpace(name[p.from:p.to]) == "":
		return parts{}, EmptyWorkspace
	case role == "":
		return parts{}, EmptyRole
	case !known:
		return parts{}, UnknownRole
	}
	return p, ""
}

// Match reads the name of a group by the convention. Without a convention the
// reason is [NoRow].
func (r *Rules) Match(name string) Match {
	if r.names == nil {
		return Match{Reason: NoRow}
	}
	p, reason := r.names.read(lower(name))
	if reason != "" {
		if c, ok := r.obstacle(name); ok {
			return Match{Reason: LookAlike, Char: c}
		}
		return Match{Reason: reason}
	}
	workspace := strings.TrimSpace(name[p.from:p.to])
	m := Match{Workspace: workspace, Key: schema.Fold(workspace), Role: p.role}
	if r.order.rank(p.role) < r.ceiling {
		m.Reason = AboveCeiling
	}
	return m
}

// obstacle returns the first character because of which a name does not match,
// if it would match with the character that it looks like, or without it.
func (r *Rules) obstacle(name string) (rune, bool) {
	s := newSkeleton(name)
	if len(s.changes) == 0 {
		return 0, false
	}
	p, reason := r.lookalike.read(s.text)
	if reason != "" {
		return 0, false
	}
	for _, c := range s.changes {
		if c.at < p.from || c.at > p.to || c.at == p.to && !c.dropped {
			return c.char, true
		}
	}
	return 0, false
}
