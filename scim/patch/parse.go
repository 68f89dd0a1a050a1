package patch

import (
	"bytes"
	"fmt"
	"io"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/musterhq/muster/scim/schema"
)

// messageURN identifies the body of a PATCH request (RFC 7644 section 3.5.2).
const messageURN = "urn:ietf:params:scim:api:messages:2.0:PatchOp"

// Parse reads the body of a PATCH request for a resource of type t. Keys of
// the body and of operations may be in any case; further keys are ignored, and
// two that are equal but for case are refused. body is not retained. An error
// is an [*Error].
func Parse(t *schema.Type, body []byte, o ParseOptions) (*Request, error) {
	o.MaxOperations = limit(o.MaxOperations, 10_000)
	o.MaxMembers = limit(o.MaxMembers, 100_000)
	o.MaxSelections = limit(o.MaxSelections, 100)
	o.MaxDepth = limit(o.MaxDepth, 32)
	if tooDeep(body, o.MaxDepth) {
		return nil, &Error{ScimType: invalidSyntax, Index: -1, Limit: true,
			Detail: fmt.Sprintf("the body is nested deeper than %d levels", o.MaxDepth)}
	}
	p := parser{typ: t, o: &o, body: body, req: new(Request)}
	if err := p.message(); err != nil {
		return nil, err
	}
	if o.Rewrite != nil {
		p.req.Operations = o.Rewrite(t, p.req.Operations)
	}
	return p.req, nil
}

type parser struct {
	typ  *schema.Type
	o    *ParseOptions
	body []byte
	req  *Request

	index int // of the operation being read

	// So far, over all operations.
	members    int
	selections int
	types      []string // of members, beyond those of the relation
}

// maxIgnored bounds Request.Ignored.
const maxIgnored = 20

// ignored reports a printable name.
func (p *parser) ignored(name string) {
	if len(p.req.Ignored) < maxIgnored {
		p.req.Ignored = append(p.req.Ignored, name)
	}
}

func (p *parser) used(option string) {
	if p.o.Used != nil {
		p.o.Used(option)
	}
}

// message reads the whole body.
func (p *parser) message() error {
	// Names are compared here without regard to case, and by the decoder of values;
	// the members that are ignored may stand twice.
	dec := jsontext.NewDecoder(bytes.NewBuffer(p.body), jsontext.AllowDuplicateNames(true))
	p.index = -1
	named, listed := false, false
	var seen [2]bool
	err := p.object(dec, "the body", func(key []byte) error {
		switch {
		case foldEqual(key, "schemas"):
			if seen[0] {
				return p.twice("schemas")
			}
			seen[0] = true
			return p.schemas(dec, &named)
		case foldEqual(key, "operations"):
			if seen[1] {
				return p.twice("Operations")
			}
			seen[1] = true
			return p.operations(dec, &listed)
		}
		return p.syntax(dec.SkipValue())
	})
	if err != nil {
		return err
	}
	p.index = -1
	if _, err := dec.ReadToken(); err != io.EOF {
		return &Error{ScimType: invalidSyntax, Index: -1, Detail: "the body goes on behind its JSON object", Err: err}
	}
	if !named {
		if !p.o.MissingSchemas {
			return &Error{ScimType: invalidSyntax, Index: -1, Path: "schemas", Detail: fmt.Sprintf("schemas must name %q", messageURN)}
		}
		p.used("MissingSchemas")
	}
	if !listed {
		// A body without the key is no PATCH at all, a resource perhaps: success would
		// claim a change.
		if !seen[1] || !p.o.EmptyOperations {
			return &Error{ScimType: invalidSyntax, Index: -1, Path: "Operations", Detail: "Operations must be an array of at least one operation"}
		}
		p.used("EmptyOperations")
	}
	return nil
}

// object reads an object, calling member with dec before each value.
func (p *parser) object(dec *jsontext.Decoder, what string, member func(key []byte) error) error {
	if kind := dec.PeekKind(); kind != '{' {
		if kind == 0 {
			_, err := dec.ReadToken()
			return p.syntax(err)
		}
		return &Error{ScimType: invalidSyntax, Index: p.index, Detail: what + " must be a JSON object"}
	}
	if _, err := dec.ReadToken(); err != nil {
		return p.syntax(err)
	}
	for dec.PeekKind() != '}' {
		name, err := dec.ReadValue()
		if err != nil {
			return p.syntax(err)
		}
		if err := member(unquote(name)); err != nil {
			return err
		}
	}
	_, err := dec.ReadToken()
	return p.syntax(err)
}

// schemas looks for the message's URN.
func (p *parser) schemas(dec *jsontext.Decoder, named *bool) error {
	if dec.PeekKind() != '[' {
		return p.syntax(dec.SkipValue())
	}
	if _, err := dec.ReadToken(); err != nil {
		return p.syntax(err)
	}
	for dec.PeekKind() != ']' {
		urn, err := dec.ReadValue()
		if err != nil {
			return p.syntax(err)
		}
		if urn.Kind() == '"' && foldEqual(unquote(urn), messageURN) {
			*named = true
		}
	}
	_, err := dec.ReadToken()
	return p.syntax(err)
}

func (p *parser) operations(dec *jsontext.Decoder, listed *bool) error {
	switch dec.PeekKind() {
	case '[':
	case 'n':
		return p.syntax(dec.SkipValue())
	default:
		if err := dec.SkipValue(); err != nil {
			return p.syntax(err)
		}
		return &Error{ScimType: invalidSyntax, Index: -1, Path: "Operations", Detail: "Operations must be an array"}
	}
	if _, err := dec.ReadToken(); err != nil {
		return p.syntax(err)
	}
	for p.index = 0; dec.PeekKind() != ']'; p.index++ {
		*listed = true
		if err := p.operation(dec); err != nil {
			return err
		}
	}
	p.index = -1
	_, err := dec.ReadToken()
	return p.syntax(err)
}

// operation reads one entry of Operations. Its keys come in any order, so that
// the raw parts are collected before any of them is looked into.
func (p *parser) operation(dec *jsontext.Decoder) error {
	if p.index >= p.o.MaxOperations {
		return p.tooMany()
	}
	var op, path, value []byte
	err := p.object(dec, "an operation", func(key []byte) error {
		var part *[]byte
		name := ""
		switch {
		case foldEqual(key, "op"):
			part, name = &op, "op"
		case foldEqual(key, "path"):
			part, name = &path, "path"
		case foldEqual(key, "value"):
			part, name = &value, "value"
		default:
			return p.syntax(dec.SkipValue())
		}
		if *part != nil {
			return p.twice(name)
		}
		raw, err := dec.ReadValue()
		if err != nil {
			return p.syntax(err)
		}
		// The decoder may reuse what it returned; the body stays.
		end := dec.InputOffset()
		*part = p.body[end-int64(len(raw)) : end]
		return nil
	})
	if err != nil {
		return err
	}
	var kind Op
	if len(op) > 0 && op[0] == '"' {
		kind = parseOp(unquote(op))
	}
	if kind == 0 {
		return &Error{ScimType: invalidSyntax, Index: p.index, Detail: `op must be "add", "remove" or "replace"`}
	}
	if path == nil || path[0] == 'n' {
		return p.pathless(kind, value)
	}
	if path[0] != '"' {
		return &Error{ScimType: invalidPath, Index: p.index, Detail: "path must be a string"}
	}
	text := string(unquote(path))
	target, err := p.target(text)
	if err != nil {
		if p.skips(err) {
			p.ignored(printable(text))
			return nil
		}
		return pathError(p.index, text, err)
	}
	if kind != Remove && value == nil {
		return &Error{ScimType: invalidValue, Index: p.index, Path: target.String(), Detail: kind.String() + " needs a value"}
	}
	if target.Path.IsExtension() {
		if !p.o.WholeExtension {
			return &Error{ScimType: invalidPath, Index: p.index, Path: target.String(),
				Detail: "the path names a whole extension; name one of its attributes, behind a colon"}
		}
		p.used("WholeExtension")
		return p.extension(kind, target.Path, value, false)
	}
	return p.emit(kind, target, value, false)
}

// syntax converts an error of the JSON decoder.
func (p *parser) syntax(err error) error {
	if err == nil {
		return nil
	}
	return jsonError(p.index, err)
}

func (p *parser) twice(key string) error {
	return &Error{ScimType: invalidSyntax, Index: p.index, Path: key, Detail: "an object has this member twice"}
}

func (p *parser) tooMany() error {
	return &Error{ScimType: invalidValue, Index: -1, Path: "Operations", Limit: true,
		Detail: fmt.Sprintf("the request has more than %d operations, members of path-less values counted; send it in parts", p.o.MaxOperations)}
}
