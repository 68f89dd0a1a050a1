package mapping

import (
	"errors"
	"fmt"
	"slices"

	"github.com/musterhq/muster/scim"
	"github.com/musterhq/muster/scim/resource"
)

// Assign makes dst say what r says. dst holds the present state, or is zero for
// a new resource; fields that are not declared stay as they are, as do id and
// meta, which are the host's to give. It returns the names of what was lost:
// attributes and sub-attributes without a place, and read-only ones with another
// value; there are no values among them.
//
// An error is a [*scim.Error], 400 invalidValue or mutability, that names every
// path at fault to the client and the fields to the log. dst is unchanged then,
// as far as a copy of *dst restores it: slices and pointers in it are replaced
// and never written through. What set functions of the host do behind pointers
// and maps is their affair. A resource of another server's type is a programmer's
// mistake, and a plain error.
func (m *Mapping[T]) Assign(dst *T, r *scim.Resource) (ignored []string, err error) {
	if r.Type() != m.typ {
		return nil, errForeignType
	}
	before := *dst
	a := assignment[T]{m: m, dst: dst}
	if m.elements > 0 {
		a.chosen = make([]resource.Value, m.elements)
	}
	a.follow(r)
	for _, n := range m.root {
		a.assign(n, r.Get(n.path))
	}
	for _, f := range a.pending {
		if err := f.derive(dst); err != nil {
			a.refused.add(f.FieldInfo, err)
		}
	}
	if err := a.refused.err(); err != nil {
		*dst = before
		return nil, err
	}
	if m.side != nil {
		*m.side(dst) = a.sideDocument(r)
		return a.lost, nil
	}
	for v := range r.Values() {
		a.leave(m.byPath[v.Path().Index()], v)
	}
	return a.lost, nil
}

var errForeignType = errors.New("mapping: the resource is not of the type that the mapping was built for, which is one server's")

// assignment is the state of one Assign.
type assignment[T any] struct {
	m   *Mapping[T]
	dst *T
	// chosen are the elements that fields are about, by selected.number.
	chosen []resource.Value
	// followed are fields whose value in the resource is what the present state
	// derives, so that it was derived and follows.
	followed []*field[T]
	pending  []*field[T] // to be derived
	refused  refusals
	lost     []string
}

// follow finds the values that were derived from the present state. A handler
// whose PATCH is Get and Replace sees them in the resource as if a client had
// sent them.
func (a *assignment[T]) follow(r *scim.Resource) {
	for _, f := range a.m.derived {
		if v, err := f.derivedValue(a.dst); err == nil && !v.IsZero() && v.Same(f.pick(r)) {
			a.followed = append(a.followed, f)
		}
	}
}

// pick returns what a resource has for the field.
func (f *field[T]) pick(r *scim.Resource) resource.Value {
	if f.in == nil {
		return r.Get(f.Target.Attr)
	}
	return f.in.choose(r.Get(f.in.Element)).Get(f.Target.Attr)
}

// assign gives the fields of a node what v, the value of its attribute, has.
func (a *assignment[T]) assign(n *node[T], v resource.Value) {
	if n.field != nil {
		a.give(n.field, v)
		return
	}
	for _, part := range n.parts {
		a.assign(part, v.Get(part.path))
	}
	for _, x := range n.elements {
		e := x.choose(v)
		a.chosen[x.number] = e
		for _, part := range x.parts {
			a.give(part.field, e.Get(part.path))
		}
	}
}

// give gives one field its value.
func (a *assignment[T]) give(f *field[T], v resource.Value) {
	switch {
	case f.virtual():
		return
	case f.ReadOnly:
		if present, err := f.value(a.dst); !v.IsZero() && (err != nil || !v.Same(present)) {
			a.lose(f.Target.String())
		}
		return
	case f.WriteOnce && f.isSet(a.dst):
		if present, err := f.value(a.dst); !v.IsZero() && (err != nil || !v.Same(present)) {
			a.refused.note(scim.Mutability, f.FieldInfo, fmt.Sprintf("%s cannot be changed once it is set", f.Target), errSetBefore)
		}
		return
	case f.derive != nil && (v.IsZero() || slices.Contains(a.followed, f)):
		a.pending = append(a.pending, f)
		return
	}
	if err := f.set(a.dst, v); err != nil {
		a.refused.add(f.FieldInfo, err)
	}
}

func (a *assignment[T]) lose(name string) {
	if !slices.Contains(a.lost, name) {
		a.lost = append(a.lost, name)
	}
}

// holds reports whether a field of a single value has all of v, now that it is
// assigned.
func (a *assignment[T]) holds(f *field[T], v resource.Value) bool {
	switch {
	case f.virtual():
		of, err := f.derivedValue(a.dst)
		return err == nil && of.Same(v) || slices.Contains(a.followed, f)
	case f.ReadOnly:
		return true // what is lost was said already
	case isEmptyText(v):
		present, err := f.value(a.dst)
		return err != nil || !present.IsZero()
	}
	return true
}

// chosenFor returns the element that e, of the attribute of n, is chosen for.
func (a *assignment[T]) chosenFor(n *node[T], e resource.Value) *selected[T] {
	for _, x := range n.elements {
		if a.chosen[x.number] == e {
			return x
		}
	}
	return nil
}

// leave notes the names of what no field has of v, the value of n's attribute; n
// is nil when there is no field at all.
func (a *assignment[T]) leave(n *node[T], v resource.Value) {
	switch {
	case n == nil:
		a.lose(v.Path().String())
	case n.field != nil && n.field.part != nil:
		for e := range v.Elements() {
			a.leaveElement(n.field.part(e), e)
		}
	case n.field != nil:
		if !a.holds(n.field, v) && !isEmptyText(v) {
			a.lose(v.Path().String())
		}
	case len(n.elements) > 0:
		for e := range v.Elements() {
			x := a.chosenFor(n, e)
			if x == nil {
				a.lose(n.path.String())
				continue
			}
			for member := range e.Members() {
				if a.leaves(x, member) && !x.demands(member) && !isEmptyText(member) {
					a.lose(member.Path().String())
				}
			}
		}
	default:
		for member := range v.Members() {
			a.leave(find(n.parts, member.Path()), member)
		}
	}
}

// leaveElement notes the names of what a slice does not hold of an element.
func (a *assignment[T]) leaveElement(held, e resource.Value) {
	if held.IsZero() {
		a.lose(e.Path().String())
		return
	}
	for member := range e.Members() {
		if held.Get(member.Path()).IsZero() && !isEmptyText(member) {
			a.lose(member.Path().String())
		}
	}
}

// leaves reports whether the fields of a chosen element do not hold a member of
// it.
func (a *assignment[T]) leaves(x *selected[T], member resource.Value) bool {
	part := find(x.parts, member.Path())
	return part == nil || !a.holds(part.field, member)
}

// remainder returns what the fields of a chosen element do not hold of it, the
// terms included.
func (a *assignment[T]) remainder(x *selected[T], e resource.Value) resource.Value {
	var rest []resource.Value
	for member := range e.Members() {
		if a.leaves(x, member) {
			rest = append(rest, member)
		}
	}
	return resource.Object(x.Element, rest...)
}

// demands reports whether v is, as written, what a term asks for.
func (x *selected[T]) demands(v resource.Value) bool {
	return slices.ContainsFunc(x.terms, func(term resource.Value) bool { return term.Path() == v.Path() && term.Equal(v) })
}
