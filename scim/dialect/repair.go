package dialect

import (
	"bytes"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/musterhq/muster/scim/resource"
	"github.com/musterhq/muster/scim/schema"
)

// repairing are the rules that the decoder's Repair puts into effect.
const repairing = 1<<booleanText | 1<<emptyText | 1<<emptyElement | 1<<emptyReference | 1<<textReference |
	1<<wrappedReference | 1<<wrappedScalar | 1<<singleElement | 1<<stringElement | 1<<displayName |
	1<<missingSchemas | 1<<foreignSchemas | 1<<oldURNs

// repair is a session as the decoder sees it.
type repair Session

var _ resource.Repair = (*repair)(nil)

func (r *repair) fire(rule rule) bool { return (*Session)(r).fire(rule) }

// Name knows the old URNs of extensions, and displayName for display.
func (r *repair) Name(parent schema.Path, key string) (schema.Path, bool) {
	switch {
	case parent.IsRoot():
		if urn, ok := parent.Type().CurrentURN(key); ok {
			if p, ok := parent.Lookup(urn); ok && p.IsExtension() && r.fire(oldURNs) {
				return p, true
			}
		}
	case parent.Attribute().MultiValued && strings.EqualFold(key, "displayName"):
		if p, ok := parent.Lookup("display"); ok && r.fire(displayName) {
			return p, true
		}
	}
	return schema.Path{}, false
}

// Schemas judges a list without the core schema or with unknown ones.
func (r *repair) Schemas(t *schema.Type, listed []string) bool {
	core, foreign, old := false, false, false
	for _, urn := range listed {
		if r.set.has(oldURNs) {
			if current, ok := t.CurrentURN(urn); ok {
				urn, old = current, true
			}
		}
		if strings.EqualFold(urn, t.Schema()) {
			core = true
		} else if p, ok := t.Root().Lookup(urn); !ok || !p.IsExtension() {
			foreign = true
		}
	}
	if !core && !r.set.has(missingSchemas) || foreign && !r.set.has(foreignSchemas) {
		return false
	}
	if !core {
		r.fire(missingSchemas)
	}
	if foreign {
		r.fire(foreignSchemas)
	}
	if old {
		r.fire(oldURNs)
	}
	return true
}

var null = []byte("null")

// Value repairs one value. What it makes is decoded like any other, so that a
// string in a list of one is unwrapped in one step and made an object in the
// next.
func (r *repair) Value(p schema.Path, raw []byte, element bool) ([]byte, bool) {
	a := p.Attribute()
	_, relation := p.Relation()
	switch {
	case len(raw) == 0 || p.IsExtension():
		return nil, false
	case a.MultiValued && !element:
		return r.list(raw, relation)
	case a.Type == schema.Complex && element:
		return r.element(p, raw, relation)
	case a.Type == schema.Complex:
		return r.single(p, raw)
	}
	return r.scalar(a, raw, element)
}

// list repairs what stands in place of an array.
func (r *repair) list(raw []byte, relation bool) ([]byte, bool) {
	switch {
	case isEmptyString(raw):
		// To empty a group takes more than an empty string.
		return null, !relation && r.fire(emptyText)
	case raw[0] == '{' || raw[0] == '"':
		return wrap("[", raw, "]"), r.fire(singleElement)
	}
	return nil, false
}

// element repairs what stands in place of an object in an array.
func (r *repair) element(p schema.Path, raw []byte, relation bool) ([]byte, bool) {
	switch {
	case raw[0] != '"' || !hasValue(p):
		return nil, false
	case isEmptyString(raw):
		return null, !relation && r.fire(emptyElement)
	}
	return wrap(`{"value":`, raw, "}"), r.fire(stringElement)
}

// single repairs what stands in place of the one object of a complex attribute.
func (r *repair) single(p schema.Path, raw []byte) ([]byte, bool) {
	refers := isReference(p)
	switch {
	case isEmptyString(raw) && refers:
		return null, r.fire(emptyReference)
	case isEmptyString(raw):
		return null, r.fire(emptyText)
	case raw[0] == '"' && refers:
		return wrap(`{"value":`, raw, "}"), r.fire(textReference)
	case raw[0] == '[' && refers:
		if one, ok := onlyElement(raw); ok && (one[0] == '{' || one[0] == '"') {
			return one, r.fire(wrappedReference)
		}
	}
	return nil, false
}

// scalar repairs what stands in place of a simple value.
func (r *repair) scalar(a *schema.Attribute, raw []byte, element bool) ([]byte, bool) {
	switch {
	case isEmptyString(raw) && a.Type != schema.String:
		return null, r.fire(emptyText)
	case raw[0] == '"' && a.Type == schema.Boolean:
		word := bytes.ToLower(raw[1 : len(raw)-1])
		if string(word) == "true" || string(word) == "false" {
			return word, r.fire(booleanText)
		}
	case raw[0] == '[' && !element:
		if value, ok := wrappedValue(raw); ok {
			return value, r.fire(wrappedScalar)
		}
	}
	return nil, false
}

// hasValue reports whether the elements of p, or p itself, have a value that is
// text (RFC 7643 section 2.4).
func hasValue(p schema.Path) bool {
	value, ok := p.Lookup("value")
	return ok && value.Attribute().Type.IsText() && !value.Attribute().MultiValued
}

// isReference reports whether p is a single reference to another resource, such
// as the manager.
func isReference(p schema.Path) bool {
	if a := p.Attribute(); a.Type != schema.Complex || a.MultiValued || p.IsExtension() || !hasValue(p) {
		return false
	}
	ref, ok := p.Lookup("$ref")
	return ok && ref.Attribute().Type == schema.Reference
}

func isEmptyString(raw []byte) bool { return string(raw) == `""` }

func wrap(before string, raw []byte, after string) []byte {
	out := make([]byte, 0, len(before)+len(raw)+len(after))
	return append(append(append(out, before...), raw...), after...)
}

// onlyElement returns the element of an array that has one, without the array.
func onlyElement(raw []byte) ([]byte, bool) {
	dec := jsontext.NewDecoder(bytes.NewReader(raw))
	if t, err := dec.ReadToken(); err != nil || t.Kind() != '[' {
		return nil, false
	}
	v, err := dec.ReadValue()
	if err != nil {
		return nil, false
	}
	one := bytes.Clone(v)
	t, err := dec.ReadToken()
	return one, err == nil && t.Kind() == ']'
}

// wrappedValue returns x of [{"value":x}] and [{"value":x,"$ref":…}], where x is
// no array and no object and $ref null or text.
func wrappedValue(raw []byte) (value []byte, ok bool) {
	one, ok := onlyElement(raw)
	if !ok || one[0] != '{' {
		return nil, false
	}
	dec := jsontext.NewDecoder(bytes.NewReader(one))
	if _, err := dec.ReadToken(); err != nil {
		return nil, false
	}
	for dec.PeekKind() == '"' {
		key, err := dec.ReadToken()
		if err != nil {
			return nil, false
		}
		name := key.String()
		v, err := dec.ReadValue()
		if err != nil {
			return nil, false
		}
		switch {
		case strings.EqualFold(name, "value") && value == nil && v.Kind() != '{' && v.Kind() != '[':
			value = bytes.Clone(v)
		case strings.EqualFold(name, "$ref") && (v.Kind() == 'n' || v.Kind() == '"'):
		default:
			return nil, false
		}
	}
	return value, value != nil
}
