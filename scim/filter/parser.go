package filter

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// Parse reads a filter (RFC 7644 section 3.4.2.2). An error is an [*Error].
//
// White space beyond the grammar's is accepted between words, inside brackets
// and around the whole, but not between a name and its "[".
func Parse(text string, o ParseOptions) (Expr, error) {
	p, err := newParser(text, o)
	if err != nil {
		return nil, err
	}
	p.advance()
	if p.tok.kind == tokEnd {
		return nil, p.fail("the filter is empty; write a comparison such as userName eq \"…\"")
	}
	x, err := p.or()
	if err != nil {
		return nil, err
	}
	if err := p.end(); err != nil {
		return nil, err
	}
	return x, nil
}

// parser is a recursive-descent parser with one token of look-ahead. Each
// method stands for a level of the grammar: it starts with tok at the first
// token of its construct and leaves tok at the first token behind it. Only
// brackets and parentheses recurse, and open counts them.
type parser struct {
	lex   lexer
	tok   token
	opts  ParseOptions
	nodes int  // left
	depth int  // left
	path  bool // the filter stands in a PATCH path
	inner bool // inside square brackets
}

func newParser(text string, o ParseOptions) (parser, error) {
	p := parser{
		lex:   lexer{text: text},
		opts:  o,
		nodes: orDefault(o.MaxNodes, defaultMaxNodes),
		depth: orDefault(o.MaxDepth, defaultMaxDepth),
	}
	if limit := orDefault(o.MaxLength, defaultMaxLength); len(text) > limit {
		return p, &Error{Offset: limit, Limit: true, Detail: fmt.Sprintf("the text is longer than %d bytes", limit)}
	}
	if !utf8.ValidString(text) {
		return p, &Error{Offset: invalidOffset(text), Detail: "the text is not valid UTF-8"}
	}
	return p, nil
}

func invalidOffset(s string) int {
	for i, r := range s {
		if r == utf8.RuneError && !strings.HasPrefix(s[i:], "\uFFFD") {
			return i
		}
	}
	return len(s)
}

func (p *parser) advance() { p.tok = p.lex.next() }

// fail makes an error at the current token. A filter that breaks off inside a
// PATCH path leaves its bracket open, which is the path's fault.
func (p *parser) fail(detail string) *Error {
	return &Error{Offset: p.tok.offset, Detail: detail, Path: p.path && p.tok.kind == tokEnd}
}

// node counts one more piece of the tree.
func (p *parser) node() error {
	if p.nodes--; p.nodes < 0 {
		e := p.fail(fmt.Sprintf("the filter has more than %d comparisons, value paths and operators", orDefault(p.opts.MaxNodes, defaultMaxNodes)))
		e.Limit, e.Path = true, false
		return e
	}
	return nil
}

// open counts one more level of nesting; p.depth++ ends it.
func (p *parser) open() error {
	if p.depth--; p.depth < 0 {
		e := p.fail(fmt.Sprintf("parentheses and brackets are nested more than %d deep", orDefault(p.opts.MaxDepth, defaultMaxDepth)))
		e.Limit = true
		return e
	}
	return nil
}

func (p *parser) used(option string) {
	if p.opts.Used != nil {
		p.opts.Used(option)
	}
}

// or parses terms joined by "or": from the first token of the first term to
// the token behind the last. It loops, so that the length of a chain costs no
// stack, and so does and.
func (p *parser) or() (Expr, error) {
	x, err := p.and()
	for err == nil && p.tok.kind == tokWord && keywordOf(p.tok.text) == keyOr {
		if err = p.joint(); err != nil {
			break
		}
		var y Expr
		if y, err = p.and(); err == nil {
			x = &Logical{Or: true, X: x, Y: y}
		}
	}
	return x, err
}

// and parses terms joined by "and": from the first token of the first term to
// the token behind the last.
func (p *parser) and() (Expr, error) {
	x, err := p.term()
	for err == nil && p.tok.kind == tokWord && keywordOf(p.tok.text) == keyAnd {
		if err = p.joint(); err != nil {
			break
		}
		var y Expr
		if y, err = p.term(); err == nil {
			x = &Logical{X: x, Y: y}
		}
	}
	return x, err
}

// joint steps over "and" or "or", which need white space on both sides.
func (p *parser) joint() error {
	if err := p.node(); err != nil {
		return err
	}
	word := strings.ToLower(p.tok.text)
	if !p.tok.spaced {
		return p.fail("put a space before \"" + word + "\"")
	}
	p.advance()
	if !p.tok.spaced && p.tok.kind != tokEnd {
		return p.fail("put a space after \"" + word + "\"")
	}
	return nil
}

// term parses a group, a negation, a value path or a comparison: from its
// parenthesis, "not" or name to the token behind it.
func (p *parser) term() (Expr, error) {
	switch p.tok.kind {
	case tokOpen:
		return p.group()
	case tokWord:
		if keywordOf(p.tok.text) == keyNot {
			return p.not()
		}
		return p.attribute()
	}
	return nil, p.wantTerm()
}

// wantTerm says that a term must begin at the current token.
func (p *parser) wantTerm() *Error {
	const want = "a comparison such as userName eq \"…\" must stand here"
	switch p.tok.kind {
	case tokEnd:
		return p.fail("the filter breaks off; " + want)
	case tokString:
		return p.fail("a quoted value cannot stand here: names are written without quotes")
	case tokUnterminated:
		return p.unterminated()
	case tokOpenSquare:
		return p.fail("the name of an attribute must stand before \"[\"")
	}
	return p.fail(want)
}

func (p *parser) unterminated() *Error {
	return p.fail("the closing quote of this string is missing")
}

// group parses "( or )": from the opening parenthesis to the token behind the
// closing one.
func (p *parser) group() (Expr, error) {
	if err := p.open(); err != nil {
		return nil, err
	}
	opened := p.tok.offset
	p.advance()
	if p.tok.kind == tokClose {
		return nil, p.fail("there is nothing between the parentheses")
	}
	x, err := p.or()
	if err != nil {
		return nil, err
	}
	if p.tok.kind != tokClose {
		if p.tok.kind == tokEnd {
			return nil, p.fail(fmt.Sprintf("the parenthesis opened at position %d is not closed", opened+1))
		}
		return nil, p.wantJoint("a closing parenthesis")
	}
	p.advance()
	p.depth++
	return x, nil
}

// not parses "not ( or )": from "not" to the token behind the closing
// parenthesis.
func (p *parser) not() (Expr, error) {
	if err := p.node(); err != nil {
		return nil, err
	}
	p.advance()
	if p.tok.kind != tokOpen {
		return nil, p.fail("\"not\" must be followed by parentheses around what it negates")
	}
	x, err := p.group()
	if err != nil {
		return nil, err
	}
	return &Not{X: x}, nil
}

// attribute parses what begins with a name: from the name to the token behind
// the comparison or value path.
func (p *parser) attribute() (Expr, error) {
	name := p.tok
	if !isName(name.text) {
		return nil, p.badName()
	}
	if keywordOf(name.text) != noKeyword {
		return nil, p.fail("a comparison must stand before \"" + strings.ToLower(name.text) + "\"")
	}
	p.advance()
	if p.tok.kind == tokOpenSquare {
		return p.valuePath(name)
	}
	return p.comparison(name.text, name.offset)
}

// badName does not repeat the word: it may be a value that lost its quotes.
func (p *parser) badName() *Error {
	return p.fail("this is not the name of an attribute; write \"attribute\" or \"attribute.subAttribute\", with the schema URN and a colon in front where needed")
}

// comparison parses what follows a name: from the operator to the token behind
// the literal, or behind "pr".
func (p *parser) comparison(name string, offset int) (Expr, error) {
	if err := p.node(); err != nil {
		return nil, err
	}
	op, err := p.operator()
	if err != nil {
		return nil, err
	}
	c := &Comparison{Name: name, Op: op, Offset: offset}
	if op == Pr {
		return c, nil
	}
	if c.Literal, err = p.literal(op); err != nil {
		return nil, err
	}
	return c, nil
}

const opsSentence = "use eq, ne, co, sw, ew, gt, ge, lt, le or pr"

// operator parses the one token that is the operator.
func (p *parser) operator() (Op, error) {
	if p.tok.kind != tokWord {
		if p.tok.kind == tokEnd {
			return 0, p.fail("an operator must follow the name; " + opsSentence)
		}
		return 0, p.fail("an operator must stand here; " + opsSentence)
	}
	op := opOf(p.tok.text)
	if op == 0 {
		// Long words and those with '@' are more likely values than operators.
		if len(p.tok.text) > 20 || strings.Contains(p.tok.text, "@") {
			return 0, p.fail("unknown operator; " + opsSentence)
		}
		return 0, p.fail("unknown operator " + quoted(p.tok.text) + "; " + opsSentence)
	}
	p.advance()
	return op, nil
}

// literal parses the one token that is the right side of a comparison.
func (p *parser) literal(op Op) (Literal, error) {
	t := p.tok
	lit := Literal{Offset: t.offset}
	switch {
	case t.kind == tokEnd:
		return lit, p.fail("a value must follow \"" + op.String() + "\"")
	case t.kind == tokUnterminated:
		return lit, p.unterminated()
	case t.kind != tokWord && t.kind != tokString:
		return lit, p.fail("a value must follow \"" + op.String() + "\": a string in double quotes, a number, true, false or null")
	case !t.spaced:
		return lit, p.fail("put a space between \"" + op.String() + "\" and the value")
	case t.kind == tokString:
		text, err := p.unquote()
		if err != nil {
			return lit, err
		}
		lit.Kind, lit.Text = StringLiteral, text
	default:
		var err error
		if lit.Kind, lit.Text, err = p.word(op); err != nil {
			return lit, err
		}
	}
	p.advance()
	return lit, nil
}

// word reads the current token as a literal without quotes.
func (p *parser) word(op Op) (LiteralKind, string, error) {
	s := p.tok.text
	switch s {
	case "true", "false":
		return BoolLiteral, s, nil
	case "null":
		return NullLiteral, "", nil
	}
	if isNumber(s) {
		return NumberLiteral, s, nil
	}
	for _, lit := range [...]string{"true", "false", "null"} {
		if !strings.EqualFold(s, lit) {
			continue
		}
		if p.opts.BooleanCase {
			p.used("BooleanCase")
			if lit == "null" {
				return NullLiteral, "", nil
			}
			return BoolLiteral, lit, nil
		}
		if !p.opts.BareWords {
			return 0, "", p.fail("write " + lit + " in lower case")
		}
	}
	if p.opts.BareWords && (op <= Ne || op.IsSubstring()) && isBareWord(s) {
		p.used("BareWords")
		return BareLiteral, s, nil
	}
	return 0, "", p.fail("this is not a value; write a string in double quotes, a number as in JSON, true, false or null")
}

// unquote decodes the current token, a string. Most strings have nothing to
// decode and are returned as they stand in the text.
func (p *parser) unquote() (string, error) {
	s := p.tok.text[1 : len(p.tok.text)-1]
	plain := true
	for i := range len(s) {
		if s[i] == '\\' || s[i] < ' ' {
			plain = false
			break
		}
	}
	if plain {
		return s, nil
	}
	b, err := jsontext.AppendUnquote(nil, p.tok.text)
	if err != nil {
		return "", p.fail("this string is not a JSON string; check its backslashes and put control characters as \\u escapes")
	}
	s = string(b)
	if strings.IndexByte(s, 0) >= 0 {
		return "", p.fail("a string cannot contain the character U+0000")
	}
	return s, nil
}

// valuePath parses "[ or ]" behind a name: from the opening bracket to the
// token behind the closing one, or behind a comparison that follows it where
// that is tolerated.
func (p *parser) valuePath(name token) (Expr, error) {
	switch {
	case p.tok.spaced:
		return nil, p.fail("there must be no space before \"[\"")
	case p.inner:
		return nil, p.fail("a value path cannot stand inside another one")
	}
	if err := p.node(); err != nil {
		return nil, err
	}
	x, err := p.bracket()
	if err != nil {
		return nil, err
	}
	if p.tok.kind == tokWord && !p.tok.spaced && p.tok.text[0] == '.' {
		if x, err = p.subComparison(x); err != nil {
			return nil, err
		}
	}
	return &ValuePath{Name: name.text, X: x, Offset: name.offset}, nil
}

// bracket parses "[ or ]": from the opening bracket to the token behind the
// closing one.
func (p *parser) bracket() (Expr, error) {
	if err := p.open(); err != nil {
		return nil, err
	}
	opened := p.tok.offset
	p.advance()
	if p.tok.kind == tokCloseSquare {
		e := p.fail("there is no filter between the brackets")
		e.Path = p.path
		return nil, e
	}
	p.inner = true
	x, err := p.or()
	if err != nil {
		return nil, err
	}
	if p.tok.kind != tokCloseSquare {
		if p.tok.kind == tokEnd {
			return nil, p.fail(fmt.Sprintf("the bracket opened at position %d is not closed", opened+1))
		}
		return nil, p.wantJoint("a closing bracket")
	}
	p.inner = false
	p.depth++
	p.advance()
	return x, nil
}

// subComparison parses ".sub op literal" behind a value path and joins it to
// the path's filter x: from the dotted word to the token behind the literal.
func (p *parser) subComparison(x Expr) (Expr, error) {
	sub, offset := p.tok.text[1:], p.tok.offset+1
	if !p.opts.ValuePathSub {
		return nil, p.fail("nothing can follow \"]\" here; put the comparison inside the brackets, behind \"and\"")
	}
	if !isSegment(sub) {
		return nil, p.badName()
	}
	p.advance()
	y, err := p.comparison(sub, offset)
	if err != nil {
		return nil, err
	}
	if err := p.node(); err != nil {
		return nil, err
	}
	p.used("ValuePathSub")
	return &Logical{X: x, Y: y}, nil
}

// wantJoint says that a term is complete and the current token cannot follow
// it; closer is what else could. It does not repeat the token, which may be part
// of a value.
func (p *parser) wantJoint(closer string) *Error {
	switch {
	case p.tok.kind == tokUnterminated:
		return p.unterminated()
	case p.tok.kind == tokClose:
		return p.fail("this parenthesis closes nothing")
	case p.tok.kind == tokCloseSquare:
		return p.fail("this bracket closes nothing")
	case closer == "":
		return p.fail("\"and\" or \"or\" must stand between two terms")
	}
	return p.fail("\"and\", \"or\" or " + closer + " must stand here")
}

// end checks that nothing is left.
func (p *parser) end() error {
	if p.tok.kind != tokEnd {
		return p.wantJoint("")
	}
	return nil
}
