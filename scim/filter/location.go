package filter

import (
	"net/url"
	"strings"

	"github.com/musterhq/muster/scim/schema"
)

// location turns a comparison of meta.location into comparisons of the id.
// Locations are never stored: one is a prefix, the same for all resources of a
// type, and the id. So each comparison is decided by the prefix, by the id, or
// by the prefix's end together with the id's beginning.
func location(id schema.Path, prefix string, op Op, operand string) Node {
	prefix, operand = unescape(prefix), unescape(operand)
	compareID := func(op Op, s string) Node {
		return Compare{Path: id, Op: op, Operand: Operand{Text: s, Key: s}}
	}
	rest, behind := strings.CutPrefix(operand, prefix)
	switch op {
	case Eq:
		if !behind || rest == "" {
			return Const(false)
		}
		return compareID(Eq, rest)
	case Sw:
		switch {
		case strings.HasPrefix(prefix, operand):
			return Present{id}
		case behind:
			return compareID(Sw, rest)
		}
		return Const(false)
	case Ew, Co:
		return endsOrContains(id, prefix, op, operand, compareID)
	}
	if behind {
		return compareID(op, rest)
	}
	return Const(compareText(op, []byte(prefix), []byte(operand)))
}

// endsOrContains is location for ew and co: the operand lies in the id, or
// begins in the prefix and goes on in the id, or lies in the prefix.
func endsOrContains(id schema.Path, prefix string, op Op, operand string, compareID func(Op, string) Node) Node {
	across := Sw
	if op == Ew {
		across = Eq
	} else if strings.Contains(prefix, operand) {
		return Present{id}
	}
	nodes := []Node{compareID(op, operand)}
	for i := 1; i < len(operand); i++ {
		if strings.HasSuffix(prefix, operand[:i]) {
			nodes = append(nodes, compareID(across, operand[i:]))
		}
	}
	return disjunction(nodes)
}

// unescape undoes percent-encoding where there is any.
func unescape(s string) string {
	if plain, err := url.PathUnescape(s); err == nil {
		return plain
	}
	return s
}
