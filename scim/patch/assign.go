package patch

import (
	"fmt"

	"github.com/musterhq/muster/scim/resource"
	"github.com/musterhq/muster/scim/schema"
)

// assign returns what an operation makes of cur, the present value of p. p is a
// single-valued attribute, or a sub-attribute of any kind.
func (s *state) assign(p schema.Path, cur resource.Value, op *Operation) (resource.Value, error) {
	if p.Attribute().MultiValued {
		if err := s.visit(cur.Len(), op); err != nil {
			return cur, err
		}
		e := newElements(p, cur)
		whole := *op
		if slot, _ := place(p); slot.Attribute().MultiValued {
			whole.Target.Where = nil // it chose the elements around p
		}
		if err := s.applyElements(e, schema.Path{}, &whole); err != nil {
			return cur, err
		}
		next := e.value()
		return checked(p, cur, next, op)
	}
	var next resource.Value
	switch {
	case op.Op == Remove:
		if op.Given && !names(op.Value, cur) {
			next = cur
		}
	case p.Attribute().Type == schema.Complex && op.Given:
		var err error
		if next, err = s.merge(p, cur, op); err != nil {
			return cur, err
		}
	default:
		next = op.Value
	}
	return checked(p, cur, next, op)
}

// merge puts the parts of an operation's value over those of cur.
func (s *state) merge(p schema.Path, cur resource.Value, op *Operation) (resource.Value, error) {
	next := cur
	for part := range op.Value.Members() {
		sub := part.Path()
		if op.Op == Add && sub.Attribute().MultiValued {
			inner := Operation{Op: Add, Target: Target{Path: sub}, Value: part, Given: true, Index: op.Index}
			var err error
			if part, err = s.assign(sub, cur.Get(sub), &inner); err != nil {
				return cur, err
			}
		}
		next = next.With(sub, part)
	}
	for _, sub := range op.Cleared {
		next = next.With(sub, resource.Value{})
	}
	return refresh(p, cur, next, op), nil
}

// refresh drops the parts of a reference to a resource that its new value has
// made stale: the $ref, unless the operation gives one, and the read-only
// parts, which describe the resource referred to.
func refresh(p schema.Path, cur, next resource.Value, op *Operation) resource.Value {
	value, ok := p.Lookup("value")
	ref, refers := p.Lookup("$ref")
	if !ok || !refers || p.Attribute().MultiValued || next.IsZero() {
		return next
	}
	if old := cur.Get(value); old.IsZero() || old.Same(next.Get(value)) {
		return next
	}
	for i := range p.NumChildren() {
		if sub := p.Child(i); sub.ReadOnly() || sub == ref && (op.Target.Path != p || op.Value.Get(ref).IsZero()) {
			next = next.With(sub, resource.Value{})
		}
	}
	return next
}

// names reports whether v, the value of a remove, names have: all that it says
// is so.
func names(v, have resource.Value) bool {
	if v.IsZero() || have.IsZero() {
		return false
	}
	if v.Kind() != resource.KindObject {
		return v.Same(have)
	}
	for part := range v.Members() {
		if !part.Same(have.Get(part.Path())) {
			return false
		}
	}
	return true
}

// checked returns next as the new value of p, which was cur, unless the
// definition of p or of its parts forbids that.
func checked(p schema.Path, cur, next resource.Value, op *Operation) (resource.Value, error) {
	attr := p.Attribute()
	if attr.Mutability == schema.Immutable && !cur.IsZero() {
		if !cur.Same(next) {
			return cur, op.immutable(p)
		}
		return cur, nil
	}
	if attr.Required {
		switch {
		case next.IsZero() && !cur.IsZero():
			return cur, required(op, p, true)
		case next.Kind() == resource.KindText && len(next.JSON()) == len(`""`):
			return cur, required(op, p, false)
		}
	}
	if attr.Type == schema.Complex && !attr.MultiValued {
		return next, checkParts(p, cur, next, op)
	}
	return next, nil
}

// checkParts checks the parts of one value of a complex attribute. A value that
// goes away as an element of a multi-valued attribute does so with its parts.
func checkParts(p schema.Path, cur, next resource.Value, op *Operation) error {
	for i := range p.NumChildren() {
		sub := p.Child(i)
		attr := sub.Attribute()
		if attr.Mutability == schema.Immutable && !cur.IsZero() {
			if old := cur.Get(sub); !old.IsZero() && !old.Same(next.Get(sub)) {
				return op.immutable(sub)
			}
		}
		if attr.Required && !next.IsZero() {
			v, old := next.Get(sub), cur.Get(sub)
			switch {
			case v.IsZero() && !old.IsZero():
				return required(op, sub, true)
			case v.IsZero() && cur.IsZero(), v.Kind() == resource.KindText && len(v.JSON()) == len(`""`) && !old.Equal(v):
				return required(op, sub, false)
			}
		}
	}
	return nil
}

// hasImmutable reports whether v is immutable, or as a single value has a part
// that is.
func hasImmutable(p schema.Path, v resource.Value) bool {
	if p.Attribute().Mutability == schema.Immutable {
		return true
	}
	if p.Attribute().MultiValued {
		return false
	}
	for part := range v.Members() {
		if part.Path().Attribute().Mutability == schema.Immutable {
			return true
		}
	}
	return false
}

// required is the error for an attribute that must have a value and would lose
// it, or would not get one.
func required(op *Operation, p schema.Path, lost bool) *Error {
	if lost {
		return op.refuse(mutability, fmt.Sprintf("attribute %s is required and cannot be removed", p))
	}
	return op.refuse(invalidValue, fmt.Sprintf("attribute %s is required and needs a value that is not empty", p))
}
