package sqlplan

import (
	"strings"

	"github.com/musterhq/muster/scim/filter"
	"github.com/musterhq/muster/scim/schema"
)

// element translates a test on one element of a complex multi-valued attribute.
// An entry is the value of one sub-attribute and the type of its element, so SQL
// can tell what such pairs satisfy, as long as there must be a value.
func (s *statement) element(n filter.Any, err side) condition {
	if n.Path.MultiValued() != n.Path {
		return s.single(n, err)
	}
	in := inElement{statement: s}
	in.kind, _ = n.Path.Lookup("type")
	terms := conjuncts(n.X)
	if in.sub = in.lookUp(terms); in.sub.IsZero() {
		return err.unknown()
	}
	return s.entry(in.sub, func() condition { return in.all(terms, err) })
}

// lookUp chooses the sub-attribute whose entries are looked at: one that is
// compared, if possible with eq, and not the type, which is beside every entry.
func (s inElement) lookUp(terms []filter.Node) (best schema.Path) {
	most := 0
	for _, t := range terms {
		c, ok := t.(filter.Compare)
		if !ok {
			continue
		}
		if column, ok := s.indexed(c.Path); !ok || column != "" {
			continue
		}
		worth := 1
		if c.Path != s.kind {
			worth += 2
		}
		if c.Op == filter.Eq {
			worth++
		}
		if worth > most {
			best, most = c.Path, worth
		}
	}
	return best
}

// single translates a test on a single-valued complex attribute, whose parts are
// attributes of the resource. Only what cannot hold without it means the same
// outside of it.
func (s *statement) single(n filter.Any, err side) condition {
	for inner := range filter.Nodes(n.X) {
		switch inner.(type) {
		case filter.Negate, filter.Const:
			return err.unknown()
		}
	}
	return s.where(n.X, err)
}

// inElement translates conditions on a row e of entries, which stands for one
// element or for several that are alike.
type inElement struct {
	*statement
	sub  schema.Path // whose key is e.key
	kind schema.Path // whose key is e.qualifier
}

func (s inElement) where(n filter.Node, err side) condition {
	switch n := n.(type) {
	case filter.And:
		return s.all(n.Nodes, err)
	case filter.Compare:
		switch {
		case n.Path == s.sub:
			return s.compareKey(s.entryKey(), n, err)
		case n.Path == s.kind && n.Op == filter.Eq && n.Key != "" && len(n.Key) <= exactLength:
			return exactly("(e.qualifier = " + s.param(s.Key(n.Key)) + ")") // an absent type and an empty one look alike
		}
	case filter.Present:
		switch n.Path {
		case s.sub:
			return exactly("(e.key <> '')")
		case s.kind:
			return exactly("(e.qualifier <> '')")
		}
	case filter.Negate:
		return s.where(n.X, !err).negated()
	case filter.Const:
		if n {
			return exactly("TRUE")
		}
		return exactly("FALSE")
	}
	return err.unknown()
}

func (s inElement) all(nodes []filter.Node, err side) condition {
	var terms []string
	exact := true
	for _, n := range nodes {
		c := s.where(n, err)
		exact = exact && c.exact
		switch c.sql {
		case "TRUE":
		case "FALSE":
			return c
		default:
			terms = append(terms, c.sql)
		}
	}
	if len(terms) == 0 {
		return condition{"TRUE", exact}
	}
	return condition{"(" + strings.Join(terms, " AND ") + ")", exact}
}

// conjuncts are the nodes that must all hold for n to hold.
func conjuncts(n filter.Node) []filter.Node {
	if and, ok := n.(filter.And); ok {
		return and.Nodes
	}
	return []filter.Node{n}
}
