package patch

import (
	"strconv"
	"strings"

	"github.com/musterhq/muster/scim/filter"
	"github.com/musterhq/muster/scim/resource"
	"github.com/musterhq/muster/scim/schema"
)

// elements is a multi-valued attribute while operations are applied to it.
type elements struct {
	path    schema.Path
	whole   resource.Value // the attribute's value while changed is false
	list    []resource.Value
	changed bool

	// The sub-attributes that give elements their identity, zero where the
	// attribute has none.
	valuePart, typePart, primaryPart schema.Path

	// byKey finds elements by key once there are many; nil until then and
	// whenever more than appending has happened.
	byKey map[string][]int
}

// manyElements is from where on elements are found by key, which costs text and
// a map, and below which comparing them one by one is cheaper.
const manyElements = 16

func newElements(p schema.Path, v resource.Value) *elements {
	e := &elements{path: p, whole: v}
	if p.Attribute().Type == schema.Complex {
		e.valuePart, _ = p.Lookup("value")
		e.typePart, _ = p.Lookup("type")
		if primary, ok := p.Lookup("primary"); ok && primary.Attribute().Type == schema.Boolean {
			e.primaryPart = primary
		}
	}
	if !v.IsZero() {
		e.list = make([]resource.Value, 0, v.Len()+1)
		for element := range v.Elements() {
			e.list = append(e.list, element)
		}
	}
	return e
}

func (e *elements) value() resource.Value {
	if e.changed {
		e.whole, e.changed = resource.Array(e.path, e.list...), false
	}
	return e.whole
}

// replace makes list the elements.
func (e *elements) replace(list []resource.Value) {
	e.list, e.byKey, e.changed = list, nil, true
}

func (e *elements) set(i int, v resource.Value) { e.list[i], e.changed = v, true }

// matching returns the positions of the elements that a filter selects, all
// without one.
func (e *elements) matching(where *filter.Plan) []int {
	chosen := make([]int, 0, len(e.list))
	for i, v := range e.list {
		if where == nil || where.MatchElement(v) {
			chosen = append(chosen, i)
		}
	}
	return chosen
}

// alike reports whether two elements are one for the purposes of adding: those
// with values when value and type are the same, others when all parts are.
func (e *elements) alike(a, b resource.Value) bool {
	if !e.valuePart.IsZero() {
		if va, vb := a.Get(e.valuePart), b.Get(e.valuePart); !va.IsZero() && !vb.IsZero() {
			return va.Same(vb) && (e.typePart.IsZero() || a.Get(e.typePart).Same(b.Get(e.typePart)))
		}
	}
	return a.Same(b)
}

// key returns a text that alike elements share.
func (e *elements) key(v resource.Value) string {
	if e.path.Attribute().Type != schema.Complex {
		key, _ := filter.Key(v)
		return key
	}
	if !e.valuePart.IsZero() {
		if key, ok := filter.Key(v.Get(e.valuePart)); ok {
			return key
		}
	}
	var b strings.Builder
	for i := range e.path.NumChildren() {
		part := v.Get(e.path.Child(i))
		if part.IsZero() || e.path.Child(i) == e.primaryPart && !part.Bool() {
			continue
		}
		if key, ok := filter.Key(part); ok {
			b.WriteString(strconv.Itoa(i))
			b.WriteByte('=')
			b.WriteString(strconv.Quote(key))
		}
	}
	return b.String()
}

// find returns the position of the first element alike v, or -1.
func (e *elements) find(v resource.Value) int {
	if len(e.list) < manyElements {
		for i, have := range e.list {
			if e.alike(have, v) {
				return i
			}
		}
		return -1
	}
	if e.byKey == nil {
		e.byKey = make(map[string][]int, 2*len(e.list))
		for i, have := range e.list {
			k := e.key(have)
			e.byKey[k] = append(e.byKey[k], i)
		}
	}
	for _, i := range e.byKey[e.key(v)] {
		if e.alike(e.list[i], v) {
			return i
		}
	}
	return -1
}

// add appends v, or lays its parts over the element that it is alike. It
// returns the position, and what stood there before.
func (e *elements) add(v resource.Value) (i int, old resource.Value) {
	if i = e.find(v); i < 0 {
		i = len(e.list)
		e.list, e.changed = append(e.list, v), true
		if e.byKey != nil {
			k := e.key(v)
			e.byKey[k] = append(e.byKey[k], i)
		}
		return i, old
	}
	old = e.list[i]
	// The parts that make elements alike stay as they are, so that byKey stays
	// right and a difference in letter case alone is none.
	if v.Kind() == resource.KindObject {
		for part := range v.Members() {
			if have := e.list[i]; !part.Same(have.Get(part.Path())) {
				e.set(i, have.With(part.Path(), part))
			}
		}
	}
	return i, old
}

// settle drops elements that have become unassigned and joins those that have
// become alike (RFC 7643 section 2.4).
func (e *elements) settle() {
	list := e.list
	e.replace(make([]resource.Value, 0, len(list)))
	for _, v := range list {
		if !v.IsZero() {
			e.add(v)
		}
	}
}

// isPrimary reports whether v says that it is the primary element.
func (e *elements) isPrimary(v resource.Value) bool {
	return !e.primaryPart.IsZero() && v.Get(e.primaryPart).Bool()
}

// primaries are the elements that one operation has made primary.
type primaries struct {
	at    int // position of one of them
	count int
}

func (p *primaries) mark(i int) {
	if p.count == 0 || p.at != i {
		p.at = i
		p.count++
	}
}
