package patch

import (
	"github.com/musterhq/muster/scim/resource"
	"github.com/musterhq/muster/scim/schema"
)

// Builder makes a [Request] of Go values, for hosts that change resources in process.
// Paths are those of the protocol: "active", "name.givenName",
// `emails[type eq "work"].value`. Values are those that resource.Builder.Set takes,
// and for a relation, such as a group's members, a resource.Member or a slice of them.
// It is not safe for concurrent use.
type Builder struct {
	typ   *schema.Type
	ops   []byte // the elements of Operations
	n     int
	wrong *Error // the first operation that could not be made
}

// NewRequest starts a request on resources of type t.
func NewRequest(t *schema.Type) *Builder { return &Builder{typ: t} }

// Add adds v: to the values of a multi-valued attribute, or in place of the value of
// another.
func (b *Builder) Add(path string, v any) *Builder { return b.operation(Add, path, v) }

// Replace sets v in place of what is there.
func (b *Builder) Replace(path string, v any) *Builder { return b.operation(Replace, path, v) }

// Remove unassigns what the path names: all values of a multi-valued attribute, or
// those that a filter in the path selects.
func (b *Builder) Remove(path string) *Builder { return b.operation(Remove, path, nil) }

// RemoveValues removes those of v, a slice or a single value, from a multi-valued
// attribute or relation. An empty slice removes nothing.
func (b *Builder) RemoveValues(path string, v any) *Builder {
	if v == nil {
		v = []any{}
	}
	return b.operation(Remove, path, v)
}

func (b *Builder) operation(op Op, path string, v any) *Builder {
	if b.n > 0 {
		b.ops = append(b.ops, ',')
	}
	b.ops = append(b.ops, `{"op":"`+op.String()+`","path":`...)
	b.append("the path", path, path)
	if op != Remove || v != nil {
		b.ops = append(b.ops, `,"value":`...)
		b.append("the value", path, v)
	}
	b.ops = append(b.ops, '}')
	b.n++
	return b
}

// append appends a part of an operation as JSON.
func (b *Builder) append(what, path string, v any) {
	switch members := v.(type) {
	case resource.Member:
		v = goMember(members)
	case []resource.Member:
		list := make([]map[string]any, len(members))
		for i, m := range members {
			list[i] = goMember(m)
		}
		v = list
	}
	ops, err := resource.AppendGo(b.ops, v)
	switch {
	case err == nil:
		b.ops = ops
	case b.wrong == nil:
		b.wrong = &Error{ScimType: "invalidValue", Index: b.n, Path: printable(path), Detail: what + " " + err.Error(), Err: err}
	}
}

func goMember(m resource.Member) map[string]any {
	v := map[string]any{"value": m.ID}
	if m.Type != "" {
		v["type"] = m.Type
	}
	return v
}

// Request returns the request. An error is an [*Error]: the first thing that is wrong
// with an operation.
func (b *Builder) Request() (*Request, error) {
	if b.wrong != nil {
		return nil, b.wrong
	}
	body := append([]byte(`{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[`), b.ops...)
	return Parse(b.typ, append(body, "]}"...), ParseOptions{})
}
