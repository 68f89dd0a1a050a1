package filter

import "github.com/go-json-experiment/json/jsontext"

// How tightly an expression holds together: what is weaker than its
// surroundings needs parentheses.
const (
	bindsOr = iota
	bindsAnd
	bindsTerm
)

func binding(x Expr) int {
	if l, ok := x.(*Logical); ok {
		if l.Or {
			return bindsOr
		}
		return bindsAnd
	}
	return bindsTerm
}

// String prints the expression with the least parentheses.
func (x *Logical) String() string { return string(appendExpr(nil, x)) }

// String prints the negation, whose parentheses the grammar asks for.
func (x *Not) String() string { return string(appendExpr(nil, x)) }

// String prints the comparison.
func (x *Comparison) String() string { return string(appendExpr(nil, x)) }

// String prints the value path.
func (x *ValuePath) String() string { return string(appendExpr(nil, x)) }

// String prints the path so that parsing it gives the same one.
func (p PatchPath) String() string {
	b := []byte(p.Name)
	if p.Filter != nil {
		b = append(b, '[')
		b = appendExpr(b, p.Filter)
		b = append(b, ']')
	}
	if p.Sub != "" {
		b = append(b, '.')
		b = append(b, p.Sub...)
	}
	return string(b)
}

func appendExpr(b []byte, x Expr) []byte {
	switch x := x.(type) {
	case *Logical:
		return appendLogical(b, x)
	case *Not:
		b = append(b, "not ("...)
		b = appendExpr(b, x.X)
		return append(b, ')')
	case *Comparison:
		b = append(b, x.Name...)
		b = append(b, ' ')
		b = append(b, x.Op.String()...)
		if x.Op != Pr {
			b = append(b, ' ')
			b = appendLiteral(b, x.Literal)
		}
		return b
	case *ValuePath:
		b = append(b, x.Name...)
		b = append(b, '[')
		b = appendExpr(b, x.X)
		return append(b, ']')
	}
	return b
}

func appendLogical(b []byte, l *Logical) []byte {
	word, least := " and ", binding(l)
	if l.Or {
		word = " or "
	}
	for i, x := range l.terms() {
		if i > 0 {
			b = append(b, word...)
			least = binding(l) + 1 // a chain that stands on the right was in parentheses
		}
		b = appendOperand(b, x, least)
	}
	return b
}

// appendOperand prints x, in parentheses if it holds less tightly than least.
func appendOperand(b []byte, x Expr, least int) []byte {
	if binding(x) >= least {
		return appendExpr(b, x)
	}
	b = append(b, '(')
	b = appendExpr(b, x)
	return append(b, ')')
}

func appendLiteral(b []byte, l Literal) []byte {
	switch l.Kind {
	case StringLiteral:
		// The error is about invalid UTF-8, which parsed text does not have.
		b, _ = jsontext.AppendQuote(b, l.Text)
		return b
	case NullLiteral:
		return append(b, "null"...)
	}
	return append(b, l.Text...)
}
