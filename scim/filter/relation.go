package filter

import (
	"cmp"
	"slices"
	"strings"

	"github.com/musterhq/muster/scim/schema"
)

// Relations are not part of documents, so questions about them become Linked
// nodes: about the id at the other end ("members", "members.value") and, where
// the relation is seen from its owner, about the type at the other end
// ("members.type"). Of a relation seen backwards all links are direct ones, so
// "groups.type" is "direct", unless [Options.Nesting] is set (RFC 7643 section
// 4.1.2).

// isLink reports whether p is a relation attribute or a part of one.
func isLink(p schema.Path) bool {
	top := p.Top()
	_, forwards := top.Relation()
	_, backwards := top.Inverse()
	return forwards || backwards
}

// linkAny asks for any link of the relation attribute.
func (c *compiler) linkAny(relation schema.Path) Linked {
	if inverse, ok := relation.Inverse(); ok {
		l := Linked{Relation: inverse.Relation, Owner: inverse.Owner, Inverse: true}
		if c.opts.Nesting && inverse.TellsOrigin() {
			l.Nesting = Nested
		}
		return l
	}
	return Linked{Relation: relation.Name(), Owner: c.typ.Name()}
}

// link compiles a comparison with a relation attribute or a part of one.
func (c *compiler) link(p schema.Path, e *Comparison) (Node, error) {
	found, err := c.links(p.Top(), p, e)
	if err != nil {
		return nil, err
	}
	n := anyLink(found)
	if e.Op == Ne {
		n = negation(n)
	}
	if e.Literal.Kind == NullLiteral {
		n = negation(n) // "eq null" denies that there is any link
	}
	return n, nil
}

func anyLink(links []Linked) Node {
	nodes := make([]Node, len(links))
	for i, l := range links {
		nodes[i] = l
	}
	return disjunction(nodes)
}

// links returns the tests of which one must hold for a comparison with p to
// hold, leaving the negation of ne and of null to the caller. None means never.
func (c *compiler) links(relation, p schema.Path, e *Comparison) ([]Linked, error) {
	l := c.linkAny(relation)
	name := strings.ToLower(p.Name())
	switch {
	case p == relation:
		name = "value"
	case name != "value" && name != "type" && !(name == "$ref" && e.Op == Pr):
		return nil, &Error{Offset: e.Offset, Detail: quoted(p.String()) + " is not kept with the resource and cannot be filtered on; compare " + quoted(relation.Name()+".value")}
	}
	switch {
	case e.Op == Pr || e.Literal.Kind == NullLiteral:
		return []Linked{l}, nil
	case e.Op != Eq && e.Op != Ne:
		return nil, &Error{Offset: e.Offset, Detail: quoted(p.String()) + " can be compared with eq, ne and pr only"}
	case e.Literal.Kind != StringLiteral && e.Literal.Kind != BareLiteral:
		return nil, &Error{Offset: e.Literal.Offset, Detail: "attribute " + quoted(p.String()) + " is " + wants(schema.String)}
	}
	text := e.Literal.Text
	if name == "type" {
		return linkType(l, relation, text), nil
	}
	if text == "" {
		return nil, nil // no id is empty, and an empty ID would mean any
	}
	l.ID = text
	return []Linked{l}, nil
}

// linkType restricts a test to the type at the other end.
func linkType(l Linked, relation schema.Path, text string) []Linked {
	if l.Inverse {
		switch {
		case strings.EqualFold(text, "direct"):
			l.Nesting = Direct
		case strings.EqualFold(text, "indirect") && l.Nesting == Nested:
			l.Nesting = NestedOnly
		default:
			return nil
		}
		return []Linked{l}
	}
	r, _ := relation.Relation()
	i := slices.IndexFunc(r.Targets, func(target string) bool { return strings.EqualFold(target, text) })
	switch {
	case i < 0:
		return nil
	case len(r.Targets) > 1:
		l.Type = r.Targets[i]
	}
	return []Linked{l}
}

// linkPath compiles a value path on a relation. One link must satisfy all of
// it, so terms are joined before they become nodes.
func (c *compiler) linkPath(relation schema.Path, e *ValuePath) (Node, error) {
	if _, ok := relation.Relation(); !ok && relation != relation.Top() {
		return nil, &Error{Offset: e.Offset, Detail: "attribute " + quoted(relation.String()) + " has no elements to filter; brackets stand behind multi-valued attributes"}
	}
	inner := *c
	inner.element = relation
	found, err := inner.linkTerm(e.X)
	if err != nil {
		return nil, err
	}
	return anyLink(found), nil
}

// linkTerm returns the tests of which one link must satisfy one.
func (c *compiler) linkTerm(e Expr) ([]Linked, error) {
	switch e := e.(type) {
	case *Logical:
		terms := e.terms()
		found, err := c.linkTerm(terms[0])
		for _, term := range terms[1:] {
			if err != nil {
				return nil, err
			}
			var more []Linked
			if more, err = c.linkTerm(term); e.Or {
				found = union(found, more)
			} else {
				found = intersection(found, more)
			}
		}
		return found, err
	case *Comparison:
		if e.Op == Ne || e.Literal.Kind == NullLiteral {
			return nil, &Error{Offset: e.Offset, Detail: "within the brackets of a relation only eq and pr can be used, without null"}
		}
		p, err := c.resolve(e.Name, e.Offset)
		if err != nil || p.IsZero() {
			return nil, err
		}
		return c.links(c.element, p, e)
	}
	return nil, &Error{Offset: offsetOf(e), Detail: "within the brackets of a relation \"not\" cannot be used; put it in front of the attribute"}
}

// offsetOf returns where the first name of an expression stands.
func offsetOf(e Expr) int {
	for {
		switch x := e.(type) {
		case *Not:
			e = x.X
		case *Logical:
			e = x.X
		case *ValuePath:
			return x.Offset
		case *Comparison:
			return x.Offset
		default:
			return 0
		}
	}
}

// union returns the tests of either list, without duplicates.
func union(x, y []Linked) []Linked {
	for _, l := range y {
		if !slices.Contains(x, l) {
			x = append(x, l)
		}
	}
	return x
}

// intersection returns the tests for links that satisfy one of each list. There
// are at most as many as pairs of an id and a type.
func intersection(x, y []Linked) (both []Linked) {
	for _, a := range x {
		for _, b := range y {
			if a.ID != "" && b.ID != "" && a.ID != b.ID || a.Type != "" && b.Type != "" && a.Type != b.Type {
				continue
			}
			nesting, ok := a.Nesting.both(b.Nesting)
			if !ok {
				continue
			}
			l := a
			l.Nesting = nesting
			l.ID, l.Type = cmp.Or(a.ID, b.ID), cmp.Or(a.Type, b.Type)
			both = union(both, []Linked{l})
		}
	}
	return both
}
