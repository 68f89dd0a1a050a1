package filter

import (
	"time"

	"github.com/musterhq/muster/scim/resource"
	"github.com/musterhq/muster/scim/schema"
)

// Node is a piece of a plan: one of [And], [Or], [Negate], [Compare],
// [Present], [Any], [Linked] and [Const]. Stores switch over them to build
// queries. Nodes are immutable.
type Node interface{ node() }

type (
	// And holds when all of its nodes do. It has two or more.
	And struct{ Nodes []Node }
	// Or holds when any of its nodes does. It has two or more.
	Or struct{ Nodes []Node }
	// Negate holds when X does not.
	Negate struct{ X Node }
	// Compare holds when any value that Path reaches compares. Op is Eq, Co, Sw,
	// Ew, Gt, Ge, Lt or Le: "ne" is planned as Negate of Eq.
	Compare struct {
		Path schema.Path
		Op   Op
		Operand
	}
	// Present holds when Path is assigned with something non-empty.
	Present struct{ Path schema.Path }
	// Any holds when one element of the multi-valued attribute Path satisfies X.
	// Paths inside X are full paths that lie below Path, or Path itself for
	// elements that are simple values.
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
		// Type restricts the other end to a resource type; "" means any.
		Type string
		// ID is the other end; "" means any, which is what pr asks.
		ID string
	}
	// Const holds always or never: what is left of names that the type does
	// not have.
	Const bool
)

// Operand is the right side of a comparison, ready for use.
type Operand struct {
	// Text is a string operand as written; "" for others.
	Text string
	// Key is what compares: for text the folded form (or Text itself when the
	// attribute is case exact), for others their index key. It compares bytewise
	// with what [Key] makes of values.
	Key    string
	Number float64
	Bool   bool
	Time   time.Time
}

func (And) node()     {}
func (Or) node()      {}
func (Negate) node()  {}
func (Compare) node() {}
func (Present) node() {}
func (Any) node()     {}
func (Linked) node()  {}
func (Const) node()   {}

// Options adjust [Compile].
type Options struct {
	// UnknownNames makes a name that the type does not have an error. Without it
	// such an attribute is unassigned.
	UnknownNames bool
	// BooleanText accepts "true" and "false" as strings against booleans.
	BooleanText bool
	// ComplexValue reads a single-valued complex attribute with a sub-attribute
	// "value" (manager) as that sub-attribute, in comparisons.
	ComplexValue bool
	// DottedURN lets a '.' follow a schema URN.
	DottedURN bool
	// Used, if not nil, is told which of the tolerances above were relied on, by
	// the option's name.
	Used func(option string)
	// Ignored, if not nil, is told the names that the type does not have.
	Ignored func(name string)
}

// Plan is a filter resolved for one type: immutable, safe for concurrent use. A
// nil Plan matches everything.
type Plan struct {
	typ   *schema.Type
	root  Node
	links bool
}

// Compile resolves an expression for type t. An error is an [*Error].
func Compile(t *schema.Type, e Expr, o Options) (*Plan, error) { panic("todo") }

// CompileElement resolves the filter of a PATCH path, which asks about the
// elements of one multi-valued attribute: e's names are sub-attributes of p, or
// "value" for elements that are simple. Unknown names are errors. The plan's
// root is an [Any].
func CompileElement(p schema.Path, e Expr, o Options) (*Plan, error) { panic("todo") }

// NewPlan makes a plan of a node tree, for code that asks a question of its own.
func NewPlan(t *schema.Type, root Node) *Plan { panic("todo") }

// Root returns the plan's tree; nil for a nil Plan.
func (p *Plan) Root() Node { panic("todo") }

// Type returns the type that the plan was made for.
func (p *Plan) Type() *schema.Type { return p.typ }

// UsesLinks reports whether Match needs a LinkTest.
func (p *Plan) UsesLinks() bool { return p != nil && p.links }

// LinkTest answers a Linked node for one resource.
type LinkTest func(id string, l Linked) bool

// Match reports whether r satisfies the plan. links may be nil when
// [Plan.UsesLinks] is false. Match allocates nothing for resources whose text is
// ASCII.
func (p *Plan) Match(r *resource.Resource, links LinkTest) bool { panic("todo") }

// MatchElement reports whether one element satisfies a plan of
// [CompileElement].
func (p *Plan) MatchElement(v resource.Value) bool { panic("todo") }

// Equal returns the operand of a demand "path eq x" that every match must meet,
// alone or as a term of the outermost "and". A store uses it to start from an
// index. path is a canonical full name; emails.value is found inside a value
// path too.
func (p *Plan) Equal(path string) (o Operand, ok bool) { panic("todo") }

// Equalities returns the terms when the plan of an element is "sub eq x", or a
// conjunction of such terms: what an element would need in order to match.
// Otherwise ok is false.
func (p *Plan) Equalities() (terms []Compare, ok bool) { panic("todo") }

// Split divides the outermost conjunction: push holds the terms that can
// accepts, rest the others. Either is nil, which matches everything, when it
// has no terms.
func (p *Plan) Split(can func(Node) bool) (push, rest *Plan) { panic("todo") }

// Key returns the text by which v is indexed, compared and sorted: folded text,
// or the text itself where the attribute is case exact; for numbers, booleans
// and instants a text of the same order. Keys of one attribute compare
// bytewise. ok is false for objects and arrays.
func Key(v resource.Value) (key string, ok bool) { panic("todo") }

// SortKey returns the key by which r is sorted when sorting by p: that of the
// primary element, else of the first, for multi-valued attributes (RFC 7644
// section 3.4.2.3). absent is true when r has no value there.
func SortKey(r *resource.Resource, p schema.Path) (key string, absent bool) { panic("todo") }
