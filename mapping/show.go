package mapping

import (
	"fmt"
	"slices"

	"github.com/musterhq/muster/scim"
	"github.com/musterhq/muster/scim/resource"
	"github.com/musterhq/muster/scim/schema"
)

// Resource makes the resource that src is, with its Meta as far as id and meta
// are mapped. An error means that src cannot be shown: a required attribute has
// no value, a value is none that its attribute may have, a text marshaler
// failed, or the side document is not one. It is for the host to look into, and
// answered 500 when a handler returns it.
func (m *Mapping[T]) Resource(src *T) (*scim.Resource, error) {
	meta, err := m.metaOf(src)
	if err != nil {
		return nil, err
	}
	rest, err := m.remains(src)
	if err != nil {
		return nil, err
	}
	b := resource.New(m.typ)
	if rest.attributes != nil {
		b = rest.attributes.Edit()
	}
	s := showing[T]{src: src, elements: rest.elements}
	for _, n := range m.root {
		v, err := s.show(n, b.Value(n.path))
		if err != nil {
			return nil, err
		}
		b.SetValue(n.path, v)
	}
	r, err := b.Meta(meta).Build()
	if err != nil {
		return nil, fmt.Errorf("mapping: what the host keeps is no %s: %w", m.typ.Name(), err)
	}
	return r, nil
}

// showing is the state of one Resource.
type showing[T any] struct {
	src      *T
	elements *scim.Resource // of the side document, or nil
}

// show makes the value of n's attribute. rest is what the side document has of
// it.
func (s *showing[T]) show(n *node[T], rest resource.Value) (resource.Value, error) {
	switch {
	case n.field != nil:
		return s.field(n.field, rest)
	case len(n.elements) > 0:
		return s.array(n, rest)
	}
	members := make([]resource.Value, 0, len(n.parts))
	for _, part := range n.parts {
		v, err := s.show(part, rest.Get(part.path))
		if err != nil {
			return v, err
		}
		members = append(members, v)
	}
	for v := range rest.Members() {
		if find(n.parts, v.Path()) == nil {
			members = append(members, v)
		}
	}
	return resource.Object(n.path, members...), nil
}

// field returns the value of a field, or what the side document has in its stead.
func (s *showing[T]) field(f *field[T], rest resource.Value) (resource.Value, error) {
	if f.virtual() && !rest.IsZero() {
		return rest, nil
	}
	v, err := f.value(s.src)
	switch {
	case err != nil:
		return v, fieldError(f, err)
	case f.part != nil && !rest.IsZero():
		return join(f.Target.Attr, f.part, v, rest), nil
	case v.IsZero():
		return rest, nil
	}
	return v, nil
}

// join puts elements that a slice holds together with what the side document
// knows of them: those that it could not hold at all, and in full those that it
// holds a part of.
func join(p schema.Path, part func(resource.Value) resource.Value, held, rest resource.Value) resource.Value {
	var joined, full, parts []resource.Value
	for e := range rest.Elements() {
		if h := part(e); h.IsZero() {
			joined = append(joined, e)
		} else {
			full, parts = append(full, e), append(parts, h)
		}
	}
	elements := slices.Collect(held.Elements())
	// What is alike to the letter belongs together before what is the same by the
	// attribute's rules: a Go type may write a text in its own way.
	for _, alike := range []func(v, w resource.Value) bool{resource.Value.Equal, resource.Value.Same} {
		for i, e := range elements {
			k := slices.IndexFunc(parts, func(h resource.Value) bool { return !e.IsZero() && alike(h, e) })
			if k >= 0 {
				joined = append(joined, overlay(full[k], e))
				parts[k], elements[i] = resource.Value{}, resource.Value{}
			}
		}
	}
	return resource.Array(p, append(joined, elements...)...)
}

// overlay returns v with the members that e has.
func overlay(v, e resource.Value) resource.Value {
	for m := range e.Members() {
		if !m.Equal(v.Get(m.Path())) {
			v = v.With(m.Path(), m)
		}
	}
	return v
}

// array makes the value of an attribute of which fields hold elements.
func (s *showing[T]) array(n *node[T], rest resource.Value) (resource.Value, error) {
	elements := make([]resource.Value, 0, len(n.elements)+rest.Len())
	for _, x := range n.elements {
		e, err := s.element(x)
		if err != nil {
			return e, err
		}
		elements = append(elements, e)
	}
	for e := range rest.Elements() {
		elements = append(elements, e)
	}
	onePrimary(n.path, elements)
	return resource.Array(n.path, elements...), nil
}

// element makes an element from its fields, what the side document has left of
// it, and its terms. It is zero when no field has a value.
func (s *showing[T]) element(x *selected[T]) (resource.Value, error) {
	var left resource.Value
	if s.elements != nil {
		for e := range s.elements.Get(x.Element).Elements() {
			if x.matches(e) {
				left = e
				break
			}
		}
	}
	members, assigned := make([]resource.Value, 0, len(x.parts)+len(x.terms)), false
	for _, part := range x.parts {
		v, err := s.field(part.field, left.Get(part.path))
		if err != nil {
			return v, err
		}
		assigned = assigned || !v.IsZero() && !isEmptyText(v) && !part.field.virtual()
		members = append(members, v)
	}
	if !assigned {
		return resource.Value{}, nil
	}
	for v := range left.Members() {
		if find(x.parts, v.Path()) == nil {
			members = append(members, v)
		}
	}
	for _, term := range x.terms {
		if left.Get(term.Path()).IsZero() {
			members = append(members, term)
		}
	}
	return resource.Object(x.Element, members...), nil
}

// onePrimary leaves only the first of several primary elements primary: a host
// that sets a field for the primary element says which one it is.
func onePrimary(p schema.Path, elements []resource.Value) {
	primary, ok := p.Lookup("primary")
	found := false
	for i, e := range elements {
		if !ok || !e.Get(primary).Bool() {
			continue
		}
		if found {
			elements[i] = e.With(primary, resource.Value{})
		}
		found = true
	}
}
