package mapping

import (
	"encoding/json"
	"errors"

	"github.com/musterhq/muster/scim"
	"github.com/musterhq/muster/scim/resource"
)

// sideJSON is a side document: two documents of the resource's type.
type sideJSON struct {
	// Attributes are what no field is declared for.
	Attributes json.RawMessage `json:"attributes,omitempty"`
	// Elements are what is left of the elements that fields hold parts of, each
	// with what it was selected by.
	Elements json.RawMessage `json:"elements,omitempty"`
}

// remains is a side document that was read. Either may be nil.
type remains struct {
	attributes, elements *scim.Resource
}

// sideDocument writes what the fields do not hold of r, now that they are
// assigned; nil when they hold all of it.
func (a *assignment[T]) sideDocument(r *scim.Resource) []byte {
	attributes, elements := resource.New(a.m.typ), resource.New(a.m.typ)
	for v := range r.Values() {
		rest := a.rest(a.m.byPath[v.Path().Index()], v, elements)
		if !rest.IsZero() {
			attributes.SetValue(v.Path(), rest)
		}
	}
	var side sideJSON
	if doc := attributes.Resource().Document(); len(doc) > len("{}") {
		side.Attributes = doc
	}
	if doc := elements.Resource().Document(); len(doc) > len("{}") {
		side.Elements = doc
	}
	if side.Attributes == nil && side.Elements == nil {
		return nil
	}
	text, err := json.Marshal(side)
	if err != nil {
		panic("mapping: a document is not JSON: " + err.Error())
	}
	return text
}

// rest returns what no field holds of v, the value of n's attribute, and puts
// what is left of chosen elements into elements.
func (a *assignment[T]) rest(n *node[T], v resource.Value, elements *resource.Builder) resource.Value {
	switch {
	case n == nil:
		return v
	case n.field != nil && n.field.part != nil:
		var kept []resource.Value
		for e := range v.Elements() {
			if n.field.part(e) != e {
				kept = append(kept, e)
			}
		}
		return resource.Array(n.path, kept...)
	case n.field != nil:
		if a.holds(n.field, v) {
			return resource.Value{}
		}
		return v
	case len(n.elements) > 0:
		var others, parts []resource.Value
		for e := range v.Elements() {
			x := a.chosenFor(n, e)
			if x == nil {
				others = append(others, e)
			} else if left := a.remainder(x, e); !x.isBare(left) {
				parts = append(parts, x.complete(left))
			}
		}
		if len(parts) > 0 {
			elements.SetValue(n.path, resource.Array(n.path, parts...))
		}
		return resource.Array(n.path, others...)
	}
	var members []resource.Value
	for member := range v.Members() {
		members = append(members, a.rest(find(n.parts, member.Path()), member, elements))
	}
	return resource.Object(n.path, members...)
}

// isBare reports whether v has nothing but what the terms demand.
func (x *selected[T]) isBare(v resource.Value) bool {
	for member := range v.Members() {
		if !x.demands(member) {
			return false
		}
	}
	return true
}

// complete adds what the terms demand to an element that lacks it.
func (x *selected[T]) complete(v resource.Value) resource.Value {
	for _, term := range x.terms {
		if v.Get(term.Path()).IsZero() {
			v = v.With(term.Path(), term)
		}
	}
	return v
}

var errSideDocument = errors.New("mapping: the side document is not one that Assign wrote")

// remains reads the side document of src.
func (m *Mapping[T]) remains(src *T) (r remains, err error) {
	if m.side == nil {
		return r, nil
	}
	text := *m.side(src)
	if len(text) == 0 || string(text) == "null" {
		return r, nil
	}
	var side sideJSON
	if err := json.Unmarshal(text, &side); err != nil {
		return r, errSideDocument // without the cause, which may quote what is in it
	}
	if r.attributes, err = m.stored(side.Attributes); err != nil {
		return r, err
	}
	r.elements, err = m.stored(side.Elements)
	return r, err
}

func (m *Mapping[T]) stored(doc []byte) (*scim.Resource, error) {
	if len(doc) == 0 {
		return nil, nil
	}
	r, err := resource.Stored(m.typ, resource.Meta{}, doc)
	if err != nil {
		return nil, errSideDocument
	}
	return r, nil
}
