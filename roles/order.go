package roles

import (
	"strings"
	"unicode/utf8"
)

// order is a list of roles, the highest first. The zero order has none.
type order struct {
	roles []Role
	ranks map[string]int // by lower-case name, 0 is the highest
}

// newOrder checks a list of roles; what calls it in messages.
func newOrder(roles []Role, what string, problem func(string, ...any)) order {
	o := order{roles: roles, ranks: make(map[string]int, len(roles))}
	for i, role := range roles {
		name := string(role)
		switch first, twice := o.ranks[lower(name)]; {
		case name == "" || strings.TrimSpace(name) != name:
			problem("%s: %q is empty or has spaces around it", what, name)
		case !utf8.ValidString(name):
			problem("%s: %q is not UTF-8", what, name)
		case twice:
			problem("%s: %q and %q are the same", what, roles[first], name)
		default:
			o.ranks[lower(name)] = i
		}
	}
	return o
}

// find returns the role of a name, in its own spelling.
func (o *order) find(name string) (Role, bool) {
	i, ok := o.ranks[lower(name)]
	if !ok {
		return "", false
	}
	return o.roles[i], true
}

// rank returns the place of a role: 0 is the highest, an unknown one is behind
// all.
func (o *order) rank(r Role) int {
	if i, ok := o.ranks[lower(string(r))]; ok {
		return i
	}
	return len(o.roles)
}

// lower makes ASCII capitals small and leaves everything else, so that offsets
// stay and no other letter becomes an ASCII one, as "K" (the Kelvin sign) does
// in Unicode.
func lower(s string) string {
	for i := range len(s) {
		if isCapital(s[i]) {
			b := []byte(s)
			for ; i < len(b); i++ {
				if isCapital(b[i]) {
					b[i] += 'a' - 'A'
				}
			}
			return string(b)
		}
	}
	return s
}

func isCapital(c byte) bool { return 'A' <= c && c <= 'Z' }
