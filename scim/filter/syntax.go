package filter

// Expr is a parsed filter: one of [*Logical], [*Not], [*Comparison] and
// [*ValuePath]. Names are as written. Expressions are immutable.
type Expr interface {
	// String prints the expression so that parsing it gives the same tree, with
	// only the parentheses it needs.
	String() string
	expr()
}

type (
	// Logical is "X and Y" or "X or Y".
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
// RFC's grammar with default limits.
type ParseOptions struct {
	// BareWords accepts a word of letters, digits and "@._+-" without quotes after
	// eq, ne, co, sw and ew, when it is no JSON literal.
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
	MaxDepth  int // nesting of parentheses, brackets and not; default 50
}

// Parse reads a filter. An error is an [*Error].
func Parse(text string, o ParseOptions) (Expr, error) { panic("todo") }

// PatchPath is the parsed path of a PATCH operation, names as written:
// "name", "name[Filter]" or "name[Filter].sub".
type PatchPath struct {
	// Name is everything before the bracket, or the whole path: an attribute,
	// "attribute.sub", or either behind a URN.
	Name   string
	Filter Expr   // nil without a bracket
	Sub    string // behind the bracket; "" when there is none
}

// ParsePath reads the path of a PATCH operation. Value paths in it obey
// the same limits as filters; bare words are never accepted. An error is an
// [*Error] whose Path tells a malformed path from a malformed filter inside it.
func ParsePath(text string, o ParseOptions) (PatchPath, error) { panic("todo") }

// String prints the path so that parsing it gives the same one.
func (p PatchPath) String() string { panic("todo") }

// Error says what is wrong with a filter or path.
type Error struct {
	Offset int    // in bytes, from 0
	Detail string // a sentence a person can act on, without the offset
	Path   bool   // the path around the filter is malformed (scimType invalidPath)
	// Limit says that the text is over one of the limits.
	Limit bool
	// Unknown says that the text is well formed and names an attribute or
	// schema that the type does not have.
	Unknown bool
}

// Error returns the sentence with the position, which counts from 1 for people.
func (e *Error) Error() string { panic("todo") }

func (*Logical) expr()    {}
func (*Not) expr()        {}
func (*Comparison) expr() {}
func (*ValuePath) expr()  {}
