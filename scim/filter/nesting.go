package filter

// Nesting says which links a [Linked] asks about when owners of a relation may be
// its targets: a user is in a group directly, or in one that has that group as a
// member (RFC 7643 section 4.1.2).
type Nesting uint8

// The kinds of question. Stores answer Direct ones; [Options.Nesting] brings the
// others into a plan, and [Plan.Expand] takes them out again.
const (
	// Direct links only.
	Direct Nesting = iota
	// Nested asks about direct and indirect links alike.
	Nested
	// NestedOnly asks about links that are indirect and not direct too.
	NestedOnly
)

// both returns the question that asks what two ask; ok is false when nothing can
// satisfy both.
func (n Nesting) both(m Nesting) (_ Nesting, ok bool) {
	switch {
	case n == m, m == Nested:
		return n, true
	case n == Nested:
		return m, true
	}
	return n, false
}

// Expand returns the plan with every Linked replaced by what f makes of it: a tree of
// nodes that the caller can have answered, or the same Linked again. The first error
// ends it. A plan of which nothing is replaced is returned as it is.
func (p *Plan) Expand(f func(Linked) (Node, error)) (*Plan, error) {
	if !p.UsesLinks() {
		return p, nil
	}
	x := expander{f: f}
	root := x.node(p.root)
	if x.err != nil || !x.done {
		return p, x.err
	}
	return NewPlan(p.typ, root), nil
}

type expander struct {
	f    func(Linked) (Node, error)
	done bool
	err  error
}

func (x *expander) node(n Node) Node {
	switch n := n.(type) {
	case And:
		return conjunction(x.nodes(n.Nodes))
	case Or:
		return disjunction(x.nodes(n.Nodes))
	case Negate:
		return negation(x.node(n.X))
	case Linked:
		if x.err != nil {
			return n
		}
		var made Node
		if made, x.err = x.f(n); x.err == nil {
			same, ok := made.(Linked)
			x.done = x.done || !ok || same != n
			return made
		}
	}
	return n
}

func (x *expander) nodes(list []Node) []Node {
	made := make([]Node, len(list))
	for i, n := range list {
		made[i] = x.node(n)
	}
	return made
}

// AllOf holds when all nodes do, AnyOf when one does, and NoneOf when none does.
// They make the forms that [And], [Or] and [Negate] promise.
func AllOf(nodes ...Node) Node { return conjunction(nodes) }

// AnyOf holds when one of the nodes does.
func AnyOf(nodes ...Node) Node { return disjunction(nodes) }

// NoneOf holds when none of the nodes does.
func NoneOf(nodes ...Node) Node { return negation(disjunction(nodes)) }
