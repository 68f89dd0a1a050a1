package filter

import (
	"iter"
	"time"

	"github.com/musterhq/muster/scim/schema"
)

// Node is a piece of a plan: one of [And], [Or], [Negate], [Compare],
// [Present], [Any], [Linked] and [Const]. Stores switch over them to build
// queries. Nodes are immutable.
type Node interface{ node() }

type (
	// And holds when all of its nodes do. It has two or more, and none of them is
	// an And or a Const.
	And struct{ Nodes []Node }
	// Or holds when any of its nodes does. It has two or more, and none of them
	// is an Or or a Const.
	Or struct{ Nodes []Node }
	// Negate holds when X does not.
	Negate struct{ X Node }
	// Compare holds when any value that Path reaches compares. Op is Eq, Co, Sw,
	// Ew, Gt, Ge, Lt or Le: "ne" is planned as Negate of Eq. Path names a simple
	// attribute.
	Compare struct {
		Path schema.Path
		Op   Op
		Operand
	}
	// Present holds when Path is assigned with something non-empty: a text that is
	// not "", a number, a boolean, or a complex value or an element with something
	// non-empty in it that clients may see.
	Present struct{ Path schema.Path }
	// Any holds when one element of the multi-valued attribute Path satisfies X.
	// Paths inside X are full paths that lie below Path, or Path itself for
	// elements that are simple values. With Const(true) as X it asks whether there
	// is any element. A single-valued complex attribute may stand for Path too: its
	// value counts as the one element.
	Any struct {
		Path schema.Path
		X    Node
	}
	// Linked is a test on a relation. It is the only node that a document cannot
	// answer.
	Linked struct {
		// Relation is the attribute of the owner, such as "members".
		Relation string
		// Owner is the type that owns the relation, such as "Group".
		Owner string
		// Inverse: the resource in question is the target (groups of a user).
		Inverse bool
		// Type restricts the other end to a resource type; "" means any. It may be
		// set with or without ID.
		Type string
		// ID is the other end; "" means any, which is what pr asks.
		ID string
		// Nesting widens the question. It is Direct in every plan that a store sees.
		Nesting Nesting
	}
	// Const holds always or never: what is left of names that the type does not
	// have, and of questions about what all resources of a type have in common.
	Const bool
)

// Operand is the right side of a comparison, ready for use.
type Operand struct {
	// Text is a string operand as written; "" for others.
	Text string
	// Key is what compares: for text the folded form (or Text itself when the
	// attribute is case exact), for others their index key. It compares bytewise
	// with what [Key] makes of values.
	Key string
	// Number is the float64 nearest to a number operand, ±Inf beyond the range.
	// It may equal that of another number; Key does not.
	Number float64
	Bool   bool
	// Time is a dateTime operand in UTC.
	Time time.Time
}

func (And) node()     {}
func (Or) node()      {}
func (Negate) node()  {}
func (Compare) node() {}
func (Present) node() {}
func (Any) node()     {}
func (Linked) node()  {}
func (Const) node()   {}

// Plan is a filter resolved for one type: immutable, safe for concurrent use. A
// nil Plan matches everything.
type Plan struct {
	typ   *schema.Type
	root  Node
	links bool
	test  test
}

// NewPlan makes a plan of a node tree, for code that asks a question of its own.
// Paths must be of type t. A nil root gives a nil Plan.
func NewPlan(t *schema.Type, root Node) *Plan {
	if root == nil {
		return nil
	}
	p := &Plan{typ: t, root: root, test: newTest(root, schema.Path{})}
	for n := range Nodes(root) {
		if _, ok := n.(Linked); ok {
			p.links = true
		}
	}
	return p
}

// Root returns the plan's tree; nil for a nil Plan.
func (p *Plan) Root() Node {
	if p == nil {
		return nil
	}
	return p.root
}

// Type returns the type that the plan was made for; nil for a nil Plan and for
// the plan of an element.
func (p *Plan) Type() *schema.Type {
	if p == nil {
		return nil
	}
	return p.typ
}

// UsesLinks reports whether Match needs a LinkTest.
func (p *Plan) UsesLinks() bool { return p != nil && p.links }

// Equal returns the operand of a demand "path eq x" that every match must meet,
// alone or as a term of the outermost "and". A store uses it to start from an
// index. path is a canonical full name; emails.value is found inside a value
// path too.
func (p *Plan) Equal(path string) (o Operand, ok bool) {
	for _, n := range conjuncts(p.Root()) {
		if a, isAny := n.(Any); isAny {
			for _, n := range conjuncts(a.X) {
				if c, ok := equality(n); ok && c.Path.String() == path {
					return c.Operand, true
				}
			}
		} else if c, ok := equality(n); ok && c.Path.String() == path {
			return c.Operand, true
		}
	}
	return Operand{}, false
}

// Equalities returns the terms when the plan of an element is "sub eq x", or a
// conjunction of such terms: what an element would need in order to match.
// Otherwise ok is false.
func (p *Plan) Equalities() (terms []Compare, ok bool) {
	a, ok := p.Root().(Any)
	if !ok {
		return nil, false
	}
	for _, n := range conjuncts(a.X) {
		c, ok := equality(n)
		if !ok {
			return nil, false
		}
		terms = append(terms, c)
	}
	return terms, true
}

func equality(n Node) (Compare, bool) {
	c, ok := n.(Compare)
	return c, ok && c.Op == Eq
}

// conjuncts returns the nodes that must all hold for n to hold.
func conjuncts(n Node) []Node {
	switch n := n.(type) {
	case nil:
		return nil
	case And:
		return n.Nodes
	}
	return []Node{n}
}

// Split divides the outermost conjunction: push holds the terms that can
// accepts, rest the others. Either is nil, which matches everything, when it
// has no terms.
func (p *Plan) Split(can func(Node) bool) (push, rest *Plan) {
	var yes, no []Node
	for _, n := range conjuncts(p.Root()) {
		if can(n) {
			yes = append(yes, n)
		} else {
			no = append(no, n)
		}
	}
	switch {
	case len(no) == 0:
		return p, nil
	case len(yes) == 0:
		return nil, p
	}
	return NewPlan(p.typ, conjunction(yes)), NewPlan(p.typ, conjunction(no))
}

// Nodes yields n and all nodes below it, each before what it holds.
func Nodes(n Node) iter.Seq[Node] {
	return func(yield func(Node) bool) { visit(n, yield) }
}

func visit(n Node, yield func(Node) bool) bool {
	if n == nil {
		return true
	}
	if !yield(n) {
		return false
	}
	switch n := n.(type) {
	case And:
		return visitAll(n.Nodes, yield)
	case Or:
		return visitAll(n.Nodes, yield)
	case Negate:
		return visit(n.X, yield)
	case Any:
		return visit(n.X, yield)
	}
	return true
}

func visitAll(nodes []Node, yield func(Node) bool) bool {
	for _, n := range nodes {
		if !visit(n, yield) {
			return false
		}
	}
	return true
}

// conjunction joins nodes by "and": flat, without constants.
func conjunction(nodes []Node) Node {
	flat := make([]Node, 0, len(nodes))
	for _, n := range nodes {
		switch n := n.(type) {
		case Const:
			if !n {
				return Const(false)
			}
		case And:
			flat = append(flat, n.Nodes...)
		default:
			flat = append(flat, n)
		}
	}
	switch len(flat) {
	case 0:
		return Const(true)
	case 1:
		return flat[0]
	}
	return And{flat}
}

// disjunction joins nodes by "or": flat, without constants.
func disjunction(nodes []Node) Node {
	flat := make([]Node, 0, len(nodes))
	for _, n := range nodes {
		switch n := n.(type) {
		case Const:
			if n {
				return Const(true)
			}
		case Or:
			flat = append(flat, n.Nodes...)
		default:
			flat = append(flat, n)
		}
	}
	switch len(flat) {
	case 0:
		return Const(false)
	case 1:
		return flat[0]
	}
	return Or{flat}
}

// negation denies a node.
func negation(n Node) Node {
	switch n := n.(type) {
	case Const:
		return !n
	case Negate:
		return n.X
	}
	return Negate{n}
}
