package filter

import "slices"

// Expr is a parsed filter: one of [*Logical], [*Not], [*Comparison] and
// [*ValuePath]. Names are as written. Expressions are immutable.
type Expr interface {
	// String prints the expression so that parsing it gives the same tree, with
	// only the parentheses it needs.
	String() string
	expr()
}

type (
	// Logical is "X and Y" or "X or Y". Chains lean to the left: "a or b or c" is
	// a Logical whose X is "a or b".
	Logical struct {
		Or   bool
		X, Y Expr
	}
	// Not is "not (X)".
	Not struct{ X Expr }
	// Comparison is "name op literal", or "name pr", whose Literal is zero.
	Comparison struct {
		Name    string
		Op      Op
		Literal Literal
		Offset  int // of the name in the text, in bytes
	}
	// ValuePath is "name[X]": one value of name satisfies all of X.
	ValuePath struct {
		Name   string
		X      Expr
		Offset int
	}
)

func (*Logical) expr()    {}
func (*Not) expr()        {}
func (*Comparison) expr() {}
func (*ValuePath) expr()  {}

// terms returns what a chain of one operator joins. It walks down the left side,
// where chains are long, so that nothing needs to recurse into their length.
func (x *Logical) terms() []Expr {
	var terms []Expr
	for {
		terms = append(terms, x.Y)
		next, ok := x.X.(*Logical)
		if !ok || next.Or != x.Or {
			terms = append(terms, x.X)
			break
		}
		x = next
	}
	slices.Reverse(terms)
	return terms
}

// Op is a comparison operator.
type Op uint8

// The operators of RFC 7644 table 3.
const (
	Eq Op = iota + 1
	Ne
	Co
	Sw
	Ew
	Gt
	Ge
	Lt
	Le
	Pr
)

var opNames = [...]string{Eq: "eq", Ne: "ne", Co: "co", Sw: "sw", Ew: "ew", Gt: "gt", Ge: "ge", Lt: "lt", Le: "le", Pr: "pr"}

// String returns the operator as filters spell it, such as "eq".
func (o Op) String() string {
	if o >= Eq && o <= Pr {
		return opNames[o]
	}
	return "unknown"
}

// IsOrder reports whether the operator asks for an order: gt, ge, lt or le.
func (o Op) IsOrder() bool { return o >= Gt && o <= Le }

// IsSubstring reports whether the operator looks at parts of a text: co, sw or
// ew.
func (o Op) IsSubstring() bool { return o >= Co && o <= Ew }

// LiteralKind is the JSON type of a literal.
type LiteralKind uint8

// The kinds of literal. Bare is a word without quotes, which only
// [ParseOptions.BareWords] lets through.
const (
	NoLiteral LiteralKind = iota
	StringLiteral
	NumberLiteral
	BoolLiteral
	NullLiteral
	BareLiteral
)

// Literal is the right side of a comparison.
type Literal struct {
	Kind LiteralKind
	// Text is the decoded string, the number as written, "true" or "false".
	Text   string
	Offset int
}

// ParseOptions are tolerances and limits of the parser. The zero value is the
// RFC's grammar with default limits. A limit of zero or less means its default.
type ParseOptions struct {
	// BareWords accepts a word of letters, digits and "@._+-" without quotes after
	// eq, ne, co, sw and ew, when it is neither a JSON literal nor one of "and",
	// "or" and "not".
	BareWords bool
	// BooleanCase accepts true, false and null in any case.
	BooleanCase bool
	// ValuePathSub accepts `name[filter].sub op literal`, read as
	// `name[filter and sub op literal]`.
	ValuePathSub bool
	// Used, if not nil, is told which of the tolerances above the text relied on,
	// by the option's name.
	Used func(option string)

	MaxLength int // bytes of text; default 8,192
	MaxNodes  int // comparisons, value paths and operators; default 200
	MaxDepth  int // nesting of parentheses and brackets; default 50
}

// The default limits.
const (
	defaultMaxLength = 8192
	defaultMaxNodes  = 200
	defaultMaxDepth  = 50
)

func orDefault(n, def int) int {
	if n <= 0 {
		return def
	}
	return n
}
