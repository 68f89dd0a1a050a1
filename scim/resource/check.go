package resource

import (
	"bytes"

	"github.com/musterhq/muster/scim/schema"
)

// missing finds what a document of a whole resource lacks: required attributes,
// the required parts of complex values that are there, and required extensions.
// With all, it also finds what the decoder sees while it reads: empty required
// strings, malformed text, and more than one primary element.
func missing(d *document, all bool) []Problem {
	c := checker{doc: d, all: all}
	c.object(0, d.home)
	return c.problems
}

type checker struct {
	doc      *document
	all      bool
	index    []int
	problems []Problem
}

func (c *checker) problem(p schema.Path, detail string) {
	c.problems = append(c.problems, Problem{Path: indexed(p, c.index), Offset: -1, Detail: detail})
}

func (c *checker) object(i int, parent schema.Path) {
	var given bitset
	for v := range (Value{c.doc, i}).Members() {
		p := v.Path()
		given.set(p.Position())
		c.value(v, p)
	}
	for k := range parent.NumChildren() {
		p := parent.Child(k)
		_, relation := p.Relation()
		if a := p.Attribute(); a.Required && a.Mutability != schema.ReadOnly && !given.has(k) && !p.IsCommon() && !relation {
			c.problem(p, "is required")
		}
	}
}

func (c *checker) value(v Value, p schema.Path) {
	switch v.Kind() {
	case KindObject:
		c.object(v.i, p)
	case KindArray:
		primaries, n := 0, 0
		primary, _ := p.Lookup("primary")
		c.index = append(c.index, 0)
		for e := range v.Elements() {
			c.index[len(c.index)-1] = n
			n++
			if c.all && part(e, primary).Bool() {
				if primaries++; primaries > 1 {
					c.problem(primary, "only one element can be primary")
				}
			}
			c.value(e, p)
		}
		c.index = c.index[:len(c.index)-1]
	case KindText:
		if c.all {
			c.text(v, p)
		}
	}
}

func (c *checker) text(v Value, p schema.Path) {
	text, a := v.Bytes(), p.Attribute()
	switch {
	case a.Required && len(text) == 0:
		c.problem(p, "must not be empty")
	case bytes.IndexByte(text, 0) >= 0:
		c.problem(p, "must not hold the character U+0000")
	case !wellFormed(a.Type, text):
		c.problem(p, malformed(a.Type))
	}
}
