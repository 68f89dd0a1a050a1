package dialect

import (
	"bytes"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/musterhq/muster/scim/patch"
	"github.com/musterhq/muster/scim/resource"
	"github.com/musterhq/muster/scim/schema"
)

// tidying are the rules about values that are well typed and odd.
const tidying = 1<<emptyElement | 1<<emptyReference | 1<<roleJSON

// Resource is the pass over a decoded body's well-typed odd values. It returns
// r itself when there is nothing to change.
func (x *Session) Resource(t *schema.Type, r *resource.Resource) *resource.Resource {
	if x.set.on&tidying == 0 || !mayBeOdd(r.Document()) {
		return r
	}
	var b *resource.Builder
	tidy := func(p schema.Path) {
		v := r.Get(p)
		if v.IsZero() || p.Attribute().Required {
			return
		}
		now, changed := x.tidy(p, v)
		if !changed {
			return
		}
		if b == nil {
			b = r.Edit()
		}
		b.SetValue(p, now)
	}
	each := func(parent schema.Path) {
		for i := range parent.NumChildren() {
			if p := parent.Child(i); p.InDocument() && p.Attribute().Type == schema.Complex && !p.IsExtension() && hasValue(p) {
				tidy(p)
			}
		}
	}
	each(t.Root())
	for _, e := range t.Extensions() {
		if !r.Get(e).IsZero() {
			each(e)
		}
	}
	if b == nil {
		return r
	}
	return b.Resource()
}

// mayBeOdd reports whether a document may hold an empty value, or JSON in a
// string, whose quotes are escaped. Nearly all hold neither, and are not looked
// into further. A document has no white space between its tokens.
func mayBeOdd(document []byte) bool {
	return bytes.Contains(document, []byte(`"value":""`)) || bytes.Contains(document, []byte(`\"`))
}

// tidy returns what v, the value of the complex attribute p, is taken for. The
// zero Value means that nothing is left of it.
func (x *Session) tidy(p schema.Path, v resource.Value) (now resource.Value, changed bool) {
	value, _ := p.Lookup("value")
	if !p.Attribute().MultiValued {
		if isReference(p) && isEmptyText(v.Get(value)) && x.fire(emptyReference) {
			return resource.Value{}, true
		}
		return v, false
	}
	kept := make([]resource.Value, 0, v.Len())
	for e := range v.Elements() {
		one, odd := x.tidyElement(p, value, e)
		kept, changed = append(kept, one), changed || odd
	}
	if !changed {
		return v, false
	}
	return resource.Array(p, kept...), true
}

// tidyElement does the same for one element.
func (x *Session) tidyElement(p, value schema.Path, e resource.Value) (now resource.Value, changed bool) {
	v := e.Get(value)
	if isEmptyText(v) && x.fire(emptyElement) {
		return resource.Value{}, true
	}
	role, ok := x.role(p, v)
	if !ok {
		return e, false
	}
	e = e.With(value, resource.Text(value, role.value))
	if display, ok := p.Lookup("display"); ok && role.display != "" && e.Get(display).IsZero() {
		e = e.With(display, resource.Text(display, role.display))
	}
	return e, true
}

func isRoles(p schema.Path) bool { return p.Name() == "roles" && p.Parent().IsZero() }

// roleText is what the JSON text in a role's value says.
type roleText struct{ value, display string }

// role reads the JSON text of an object in v, the value of an element of p.
func (x *Session) role(p schema.Path, v resource.Value) (roleText, bool) {
	if !x.set.has(roleJSON) || v.Kind() != resource.KindText || !isRoles(p) {
		return roleText{}, false
	}
	text := strings.TrimSpace(v.Text())
	if !strings.HasPrefix(text, "{") || !strings.HasSuffix(text, "}") {
		return roleText{}, false
	}
	role, ok := readRole([]byte(text))
	if ok = ok && x.fire(roleJSON); ok {
		x.roles++
	}
	return role, ok
}

// readRole reads the value and the name of a role. An object without a value
// that is text, and one that is ambiguous, is no role.
func readRole(text []byte) (role roleText, ok bool) {
	dec := jsontext.NewDecoder(bytes.NewReader(text))
	if _, err := dec.ReadToken(); err != nil {
		return role, false
	}
	var display, displayName string
	for dec.PeekKind() == '"' {
		key, err := dec.ReadToken()
		if err != nil {
			return role, false
		}
		var into *string
		switch strings.ToLower(key.String()) {
		case "value":
			into = &role.value
		case "display":
			into = &display
		case "displayname":
			into = &displayName
		}
		if into == nil || dec.PeekKind() != '"' {
			if dec.SkipValue() != nil {
				return role, false
			}
			continue
		}
		s, err := dec.ReadToken()
		if err != nil || *into != "" {
			return role, false
		}
		*into = s.String()
	}
	if t, err := dec.ReadToken(); err != nil || t.Kind() != '}' || dec.InputOffset() != int64(len(text)) {
		return role, false
	}
	if role.display = display; display == "" {
		role.display = displayName
	}
	return role, role.value != "" && !strings.ContainsRune(role.value+role.display, 0)
}

// rewrite is the pass over the parsed operations of a PATCH request.
func (x *Session) rewrite(_ *schema.Type, ops []patch.Operation) []patch.Operation {
	asked := false // an operation on all roles came before
	for i := range ops {
		op, read := &ops[i], x.roles
		allRoles := isRoles(op.Target.Path) && op.Target.Where == nil
		x.rewriteOne(op)
		if allRoles && !asked && op.Op == patch.Add && x.roles > read && x.fire(roleJSONReplaces) {
			op.Op = patch.Replace
		}
		asked = asked || allRoles
	}
	return ops
}

func (x *Session) rewriteOne(op *patch.Operation) {
	p := op.Target.Path
	whole := p // the complex attribute that the operation is about
	if parent := p.Parent(); !parent.IsZero() && !parent.IsExtension() {
		whole = parent
	}
	if op.Value.IsZero() || !whole.InDocument() || whole.IsExtension() || whole.Attribute().Type != schema.Complex || !hasValue(whole) {
		return
	}
	switch value, _ := whole.Lookup("value"); p {
	case whole:
		x.rewriteWhole(op, value)
	case value:
		x.rewriteValue(op, whole)
	}
}

// rewriteWhole tidies an operation on a complex attribute: on a list of its
// elements, on those that a filter selects, or on a reference.
func (x *Session) rewriteWhole(op *patch.Operation, value schema.Path) {
	p := op.Target.Path
	var now resource.Value
	var changed bool
	switch {
	case op.Value.Kind() == resource.KindArray:
		// A list that comes out empty was given all the same, so that a remove of
		// it removes nothing.
		if now, changed = x.tidy(p, op.Value); changed {
			op.Value = now
		}
		return
	case op.Op == patch.Remove:
		return
	case p.Attribute().MultiValued:
		now, changed = x.tidyElement(p, value, op.Value)
	default:
		now, changed = x.tidy(p, op.Value)
	}
	switch {
	case changed && now.IsZero():
		remove(op, p)
	case changed:
		op.Value = now
	}
}

// rewriteValue tidies an operation on the value alone, of elements or of a
// reference.
func (x *Session) rewriteValue(op *patch.Operation, whole schema.Path) {
	empty := emptyElement
	if !whole.Attribute().MultiValued {
		if empty = emptyReference; !isReference(whole) {
			return
		}
	}
	if isEmptyText(op.Value) {
		if op.Op != patch.Remove && x.fire(empty) {
			remove(op, whole)
		}
		return
	}
	if role, ok := x.role(whole, op.Value); ok {
		op.Value = resource.Text(op.Target.Path, role.value)
	}
}

// remove makes op take away whole, or those of its elements that op's filter
// selects.
func remove(op *patch.Operation, whole schema.Path) {
	op.Op, op.Target.Path = patch.Remove, whole
	op.Value, op.Given, op.Cleared = resource.Value{}, false, nil
}

// isEmptyText reports whether v is an empty string.
func isEmptyText(v resource.Value) bool {
	return v.Kind() == resource.KindText && len(v.JSON()) == len(`""`)
}
