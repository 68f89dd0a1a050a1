package filter

import (
	"errors"
	"fmt"
	"strings"

	"github.com/musterhq/muster/scim/schema"
)

// Options adjust [Compile].
type Options struct {
	// UnknownNames makes a name that the type does not have an error. Without it
	// such an attribute is unassigned.
	UnknownNames bool
	// BooleanText accepts "true" and "false" as strings, in any case, against
	// booleans.
	BooleanText bool
	// ComplexValue reads a single-valued complex attribute with a sub-attribute
	// "value" (manager) as that sub-attribute, in comparisons. Multi-valued ones
	// are always read so.
	ComplexValue bool
	// DottedURN lets a '.' follow a schema URN.
	DottedURN bool
	// Nesting asks about indirect links too, where the attribute tells them from
	// direct ones ([schema.InverseRelation.TellsOrigin]). [Plan.Expand] must make
	// questions of them that can be answered.
	Nesting bool
	// BaseURL is the service root, without a trailing slash, against which
	// meta.location is compared: "https://example.com/scim/v2". Without it the
	// location is taken as the endpoint and the id, "/Users/7". Either way
	// percent-encoding is undone before comparing.
	BaseURL string
	// Used, if not nil, is told which of the tolerances above were relied on, by
	// the option's name.
	Used func(option string)
	// Ignored, if not nil, is told the names that the type does not have.
	Ignored func(name string)
}

// Compile resolves an expression for type t: names to attributes, which may go
// without the URN of their extension where that is unambiguous, literals to
// operands, and questions about relations to [Linked]. An error is an [*Error].
//
// Asking about an attribute that is never returned is an error
// (RFC 7643 section 7), with a text that does not say why.
func Compile(t *schema.Type, e Expr, o Options) (*Plan, error) {
	c := compiler{typ: t, opts: &o}
	root, err := c.node(e)
	if err != nil {
		return nil, err
	}
	return NewPlan(t, root), nil
}

// CompileElement resolves the filter of a PATCH path, which asks about the
// elements of one multi-valued attribute: e's names are sub-attributes of p, or
// "value" for elements that are simple. Unknown names are errors. The plan's
// root is an [Any], also for relations, whose elements are then given to
// [Plan.MatchElement]. Where p is not multi-valued the error's Path is set.
func CompileElement(p schema.Path, e Expr, o Options) (*Plan, error) {
	switch {
	case p.Secret():
		return nil, refused(0)
	case !p.Attribute().MultiValued:
		return nil, &Error{Path: true, Detail: "attribute " + quoted(p.String()) + " has a single value, so that no filter can stand behind it"}
	}
	c := compiler{opts: &o, element: p, known: true}
	x, err := c.node(e)
	if err != nil {
		return nil, err
	}
	return NewPlan(nil, Any{p, x}), nil
}

// compiler turns expressions into nodes.
type compiler struct {
	typ     *schema.Type
	opts    *Options
	element schema.Path // whose elements the names are about; zero outside value paths
	known   bool        // unknown names are errors, whatever the options say
}

func (c *compiler) used(option string) {
	if c.opts.Used != nil {
		c.opts.Used(option)
	}
}

func (c *compiler) node(e Expr) (Node, error) {
	switch e := e.(type) {
	case *Logical:
		return c.logical(e)
	case *Not:
		x, err := c.node(e.X)
		if err != nil {
			return nil, err
		}
		return negation(x), nil
	case *Comparison:
		return c.comparison(e)
	case *ValuePath:
		return c.valuePath(e)
	}
	return nil, &Error{Detail: "the filter is empty"}
}

func (c *compiler) logical(l *Logical) (Node, error) {
	terms := l.terms()
	nodes := make([]Node, len(terms))
	for i, e := range terms {
		n, err := c.node(e)
		if err != nil {
			return nil, err
		}
		nodes[i] = n
	}
	if l.Or {
		return disjunction(nodes), nil
	}
	return conjunction(nodes), nil
}

func (c *compiler) comparison(e *Comparison) (Node, error) {
	if e.Literal.Kind == NullLiteral && e.Op != Eq && e.Op != Ne {
		return nil, &Error{Offset: e.Literal.Offset, Detail: "null can be compared with eq and ne only"}
	}
	p, err := c.resolve(e.Name, e.Offset)
	switch {
	case err != nil:
		return nil, err
	case p.IsZero():
		return unassigned(e), nil
	case c.element.IsZero() && isLink(p):
		return c.link(p, e)
	case e.Op == Pr:
		return c.present(p), nil
	case e.Literal.Kind == NullLiteral && e.Op == Eq:
		return negation(c.assigned(p)), nil
	case e.Literal.Kind == NullLiteral:
		return c.assigned(p), nil
	}
	if p, err = c.comparable(p, e); err != nil {
		return nil, err
	}
	n, err := c.compare(p, e)
	if err == nil && e.Op == Ne {
		n = negation(n)
	}
	return n, err
}

// unassigned is a comparison with an attribute that no resource has.
func unassigned(e *Comparison) Node {
	null := e.Literal.Kind == NullLiteral
	return Const(e.Op == Eq && null || e.Op == Ne && !null)
}

// present asks for something non-empty at p. Some attributes every resource
// has.
func (c *compiler) present(p schema.Path) Node {
	switch fieldOf(p) {
	case fieldMeta, fieldResourceType, fieldSchemas:
		return Const(true)
	case fieldLocation:
		return Present{c.typ.Common().ID}
	}
	return Present{p}
}

// assigned asks whether p has a value at all, which the empty string is too.
func (c *compiler) assigned(p schema.Path) Node {
	present := c.present(p)
	a := p.Attribute()
	switch {
	case fieldOf(p) != inDocument:
		return present
	case p != c.element && (a.MultiValued || a.Type == schema.Complex):
		return Any{p, Const(true)}
	case a.Type.IsText():
		return Or{[]Node{present, Compare{Path: p, Op: Eq}}}
	}
	return present
}

// comparable returns the simple attribute that a comparison with p means.
func (c *compiler) comparable(p schema.Path, e *Comparison) (schema.Path, error) {
	a := p.Attribute()
	if a.Type != schema.Complex {
		return p, nil
	}
	value := comparablePath(p)
	if !value.IsZero() && !value.Secret() {
		if a.MultiValued {
			return value, nil
		}
		if c.opts.ComplexValue {
			c.used("ComplexValue")
			return value, nil
		}
	}
	return p, &Error{Offset: e.Offset, Detail: "attribute " + quoted(p.String()) + " is complex; compare one of its sub-attributes"}
}

// compare makes the node of a comparison, leaving the negation of ne to the
// caller.
func (c *compiler) compare(p schema.Path, e *Comparison) (Node, error) {
	op := e.Op
	if op == Ne {
		op = Eq
	}
	operand, err := c.operand(p, e)
	if err != nil {
		return nil, err
	}
	switch fieldOf(p) {
	case fieldResourceType:
		return Const(compareText(op, []byte(c.typ.Name()), []byte(operand.Key))), nil
	case fieldLocation:
		return location(c.typ.Common().ID, c.opts.BaseURL+c.typ.Endpoint()+"/", op, operand.Text), nil
	}
	return Compare{Path: p, Op: op, Operand: operand}, nil
}

func (c *compiler) valuePath(e *ValuePath) (Node, error) {
	p, err := c.resolve(e.Name, e.Offset)
	if err != nil || p.IsZero() {
		return Const(false), err
	}
	if isLink(p) {
		return c.linkPath(p, e)
	}
	if a := p.Attribute(); p.IsExtension() || !a.MultiValued && a.Type != schema.Complex {
		return nil, &Error{Offset: e.Offset, Detail: "attribute " + quoted(p.String()) + " has no elements to filter; brackets stand behind multi-valued attributes"}
	}
	inner := *c
	inner.element = p
	x, err := inner.node(e.X)
	if err != nil || x == Const(false) {
		return Const(false), err
	}
	return Any{p, x}, nil
}

// resolve finds the attribute of a name. A name that means nothing gives the
// zero Path where that is tolerated.
func (c *compiler) resolve(name string, offset int) (schema.Path, error) {
	p, e := c.lookup(name)
	if e == nil && !p.IsZero() {
		if p.Secret() {
			return schema.Path{}, refused(offset)
		}
		return p, nil
	}
	e.Offset = offset
	if !e.Unknown || c.known || c.opts.UnknownNames {
		return schema.Path{}, e
	}
	if c.opts.Ignored != nil {
		c.opts.Ignored(name)
	}
	return schema.Path{}, nil
}

// refused says that an attribute cannot be asked about. It does not name the
// reason, nor anything that the client did not.
func refused(offset int) *Error {
	return &Error{Offset: offset, Detail: "this attribute cannot be used in a filter"}
}

func (c *compiler) lookup(name string) (schema.Path, *Error) {
	if !c.element.IsZero() {
		return c.lookupSub(name)
	}
	p, err := c.typ.ResolveForms(name, schema.Unqualified)
	if err != nil && c.opts.DottedURN {
		if dotted, dottedErr := c.typ.ResolveForms(name, schema.Unqualified|schema.DottedURN); dottedErr == nil {
			c.used("DottedURN")
			return dotted, nil
		}
	}
	if err != nil {
		return p, c.unknown(name, err)
	}
	return p, nil
}

// unknown says why a name was not found.
func (c *compiler) unknown(name string, err error) *Error {
	var bad *schema.NameError
	switch {
	case errors.As(err, &bad) && bad.Reason == schema.BadSyntax:
		return &Error{Detail: quoted(name) + " does not name an attribute; behind a schema URN and a colon stands \"attribute\" or \"attribute.subAttribute\""}
	case bad != nil && bad.Reason == schema.UnknownSchema:
		return &Error{Unknown: true, Detail: fmt.Sprintf("resource type %s has no schema that %s could belong to", c.typ.Name(), quoted(name))}
	}
	return &Error{Unknown: true, Detail: fmt.Sprintf("resource type %s has no attribute %s", c.typ.Name(), quoted(name))}
}

// lookupSub finds a sub-attribute of the element. A simple element is its own
// "value".
func (c *compiler) lookupSub(name string) (schema.Path, *Error) {
	if p, ok := c.element.Lookup(name); ok {
		return p, nil
	}
	if c.element.Attribute().Type != schema.Complex && strings.EqualFold(name, "value") {
		return c.element, nil
	}
	return schema.Path{}, &Error{Unknown: true, Detail: "attribute " + quoted(c.element.String()) + " has no sub-attribute " + quoted(name)}
}
