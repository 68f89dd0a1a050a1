package filter

// String describes the plan for logs: attributes and operators, with "?" for
// each operand, which may be personal data. A nil Plan is "everything".
func (p *Plan) String() string {
	if p == nil {
		return "everything"
	}
	return string(appendNode(nil, p.root))
}

func appendNode(b []byte, n Node) []byte {
	switch n := n.(type) {
	case And:
		return appendNodes(b, n.Nodes, " and ")
	case Or:
		return appendNodes(b, n.Nodes, " or ")
	case Negate:
		b = append(b, "not ("...)
		b = appendNode(b, n.X)
		return append(b, ')')
	case Compare:
		b = append(b, n.Path.String()...)
		b = append(b, ' ')
		b = append(b, n.Op.String()...)
		return append(b, " ?"...)
	case Present:
		b = append(b, n.Path.String()...)
		return append(b, " pr"...)
	case Any:
		b = append(b, n.Path.String()...)
		b = append(b, '[')
		b = appendNode(b, n.X)
		return append(b, ']')
	case Linked:
		return appendLinked(b, n)
	case Const:
		if n {
			return append(b, "true"...)
		}
		return append(b, "false"...)
	}
	return b
}

func appendNodes(b []byte, nodes []Node, word string) []byte {
	for i, n := range nodes {
		if i > 0 {
			b = append(b, word...)
		}
		switch n.(type) {
		case And, Or:
			b = append(b, '(')
			b = appendNode(b, n)
			b = append(b, ')')
		default:
			b = appendNode(b, n)
		}
	}
	return b
}

// appendLinked writes "Group.members" for a link seen from its owner,
// "Group.members backwards" for one seen from its target.
func appendLinked(b []byte, l Linked) []byte {
	b = append(b, "linked by "...)
	b = append(b, l.Owner...)
	b = append(b, '.')
	b = append(b, l.Relation...)
	if l.Inverse {
		b = append(b, " backwards"...)
	}
	if l.Type != "" {
		b = append(b, " to type "...)
		b = append(b, l.Type...)
	}
	if l.ID != "" {
		b = append(b, " with id ?"...)
	}
	return b
}
