package mapping

import (
	"fmt"

	"github.com/musterhq/muster/scim/filter"
	"github.com/musterhq/muster/scim/resource"
	"github.com/musterhq/muster/scim/schema"
)

// node is one attribute that fields are declared for: it has a field of its own,
// or parts that have, or elements that are selected. A mapping is the tree of
// them, in the order of declaration.
type node[T any] struct {
	path     schema.Path
	field    *field[T]
	parts    []*node[T]
	elements []*selected[T]
}

// selected is an element of a multi-valued attribute that fields share.
type selected[T any] struct {
	Target               // with the path of its first field
	plan    *filter.Plan // nil without terms
	terms   []resource.Value
	primary schema.Path // the sub-attribute of that name, or zero
	number  int         // among the elements of the mapping
	parts   []*node[T]
}

// insert puts a field into the tree.
func (m *Mapping[T]) insert(f *field[T]) error {
	if f.Target.Element.IsZero() {
		n, err := descend(&m.root, f.Target.Attr)
		if err != nil {
			return err
		}
		return n.take(f)
	}
	n, err := descend(&m.root, f.Target.Element)
	if err != nil {
		return err
	}
	if n.field != nil {
		return conflict(n.field)
	}
	for _, e := range n.elements {
		if e.Selects(f.Target.Terms) {
			f.in = e
			if other := find(e.parts, f.Target.Attr); other != nil {
				return conflict(other.field)
			}
			e.parts = append(e.parts, &node[T]{path: f.Target.Attr, field: f})
			return nil
		}
		if !e.apart(f.Target) {
			return fmt.Errorf("one element may be meant by this path and by %s; let their brackets ask for different values of one sub-attribute", e.Target)
		}
	}
	e := &selected[T]{Target: f.Target, number: m.elements}
	e.primary, _ = e.Element.Lookup("primary")
	if len(e.Terms) > 0 {
		nodes := make([]filter.Node, len(e.Terms))
		for i, c := range e.Terms {
			nodes[i] = c
			e.terms = append(e.terms, termValue(c))
		}
		e.plan = filter.NewPlan(m.typ, filter.Any{Path: e.Element, X: filter.AllOf(nodes...)})
	}
	m.elements++
	n.elements = append(n.elements, e)
	f.in, e.parts = e, []*node[T]{{path: f.Target.Attr, field: f}}
	return nil
}

// descend finds or makes the node of p in a tree whose roots are siblings.
func descend[T any](roots *[]*node[T], p schema.Path) (*node[T], error) {
	siblings := roots
	if up := p.Parent(); !up.IsZero() && up.MultiValued().IsZero() {
		n, err := descend(roots, up)
		if err != nil {
			return nil, err
		}
		if n.field != nil {
			return nil, conflict(n.field)
		}
		siblings = &n.parts
	}
	for _, n := range *siblings {
		if n.path == p {
			return n, nil
		}
	}
	n := &node[T]{path: p}
	*siblings = append(*siblings, n)
	return n, nil
}

// take gives a node its field.
func (n *node[T]) take(f *field[T]) error {
	switch {
	case n.field != nil:
		return conflict(n.field)
	case len(n.parts) > 0 || len(n.elements) > 0:
		return fmt.Errorf("there are fields for parts of %s already", n.path)
	}
	n.field = f
	return nil
}

func conflict[T any](f *field[T]) error {
	return fmt.Errorf("there is a field for %s already: %s", f.Target, f.Name)
}

// find returns the node of p among siblings, or nil.
func find[T any](siblings []*node[T], p schema.Path) *node[T] {
	for _, n := range siblings {
		if n.path == p {
			return n
		}
	}
	return nil
}

// matches reports whether e is one of the elements that are meant.
func (x *selected[T]) matches(e resource.Value) bool { return x.plan == nil || x.plan.MatchElement(e) }

// choose returns the element that the fields are about: of those that match and
// have something for a field the primary one, else the first.
func (x *selected[T]) choose(array resource.Value) resource.Value {
	var first resource.Value
	for e := range array.Elements() {
		if !x.matches(e) || !x.feeds(e) {
			continue
		}
		if !x.primary.IsZero() && e.Get(x.primary).Bool() {
			return e
		}
		if first.IsZero() {
			first = e
		}
	}
	return first
}

// feeds reports whether an element has something for one of the fields.
func (x *selected[T]) feeds(e resource.Value) bool {
	for _, n := range x.parts {
		if v := e.Get(n.path); !v.IsZero() && !isEmptyText(v) && !n.field.virtual() {
			return true
		}
	}
	return false
}
