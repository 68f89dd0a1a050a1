package patch

import (
	"github.com/musterhq/muster/scim/resource"
	"github.com/musterhq/muster/scim/schema"
)

// applyElements applies an operation to a multi-valued attribute, to the
// elements that its filter selects, or to the part sub of them.
func (s *state) applyElements(e *elements, sub schema.Path, op *Operation) error {
	attr := e.path.Attribute()
	filled := len(e.list) > 0
	var before resource.Value
	if attr.Mutability == schema.Immutable {
		before = e.value()
	}
	// Adding to an attribute does not look at what it has one by one.
	if !sub.IsZero() || op.Op == Remove || op.Target.Where != nil || attr.Mutability == schema.Immutable {
		if err := s.visit(len(e.list), op); err != nil {
			return err
		}
	}
	var err error
	switch {
	case !sub.IsZero():
		err = s.changeParts(e, sub, op)
	case op.Op == Remove:
		err = s.removeElements(e, op)
	case op.Target.Where != nil:
		err = s.changeElements(e, op)
	default:
		if op.Op == Replace {
			e.replace(nil)
		}
		err = s.addAll(e, op, op.Value)
	}
	switch {
	case err != nil:
		return err
	case !before.IsZero() && !before.Same(e.value()):
		return op.immutable(e.path)
	case attr.Required && filled && len(e.list) == 0:
		return required(op, e.path, true)
	}
	return nil
}

// addAll adds the elements of an array.
func (s *state) addAll(e *elements, op *Operation, values resource.Value) error {
	if values.IsZero() {
		return nil
	}
	var made primaries
	for v := range values.Elements() {
		i, old := e.add(v)
		if err := checkParts(e.path, old, e.list[i], op); err != nil {
			return err
		}
		if e.isPrimary(v) {
			made.mark(i)
		}
	}
	if made.count == 0 {
		return nil
	}
	if err := s.demote(e, made, op); err != nil {
		return err
	}
	e.settle() // without its primacy, an element may be like another
	return nil
}

// removeElements removes the elements that the filter selects and the value,
// if one was given, names.
func (s *state) removeElements(e *elements, op *Operation) error {
	matched := op.Target.Where == nil
	kept := make([]resource.Value, 0, len(e.list))
	list := newNamed(e, op)
	if err := s.visit(len(list.rest)*len(e.list), op); err != nil {
		return err
	}
	for _, v := range e.list {
		switch {
		case op.Target.Where != nil && !op.Target.Where.MatchElement(v):
			kept = append(kept, v)
		case op.Given && !list.has(v):
			matched = true
			kept = append(kept, v)
		default:
			matched = true
		}
	}
	if !matched {
		return s.unmatched(e, schema.Path{}, op)
	}
	if len(kept) < len(e.list) {
		e.replace(kept)
	}
	return nil
}

// changeElements applies an add or replace to the elements that a filter
// selects: replace swaps them, add lays the value over them.
func (s *state) changeElements(e *elements, op *Operation) error {
	chosen := e.matching(op.Target.Where)
	if len(chosen) == 0 {
		return s.unmatched(e, schema.Path{}, op)
	}
	var made primaries
	for _, i := range chosen {
		next := op.Value
		switch {
		case op.Op == Replace:
		case e.path.Attribute().Type == schema.Complex:
			var err error
			if next, err = s.merge(e.path, e.list[i], op); err != nil {
				return err
			}
		case next.IsZero():
			next = e.list[i]
		}
		if !next.IsZero() {
			if err := checkParts(e.path, e.list[i], next, op); err != nil {
				return err
			}
		}
		e.set(i, next)
		if e.isPrimary(op.Value) {
			made.mark(i)
		}
	}
	if err := s.demote(e, made, op); err != nil {
		return err
	}
	e.settle()
	return nil
}

// changeParts applies an operation to a sub-attribute of the elements that a
// filter selects, or of all.
func (s *state) changeParts(e *elements, sub schema.Path, op *Operation) error {
	chosen := e.matching(op.Target.Where)
	if len(chosen) == 0 {
		return s.unmatched(e, sub, op)
	}
	var made primaries
	changed := false
	for _, i := range chosen {
		cur := e.list[i].Get(sub)
		part, err := s.assign(sub, cur, op)
		if err != nil {
			return err
		}
		if sub == e.primaryPart && part.Bool() {
			made.mark(i)
		}
		if part.Equal(cur) {
			continue
		}
		e.set(i, e.list[i].With(sub, part))
		changed = true
	}
	if err := s.demote(e, made, op); err != nil {
		return err
	}
	if changed {
		e.settle()
	}
	return nil
}

// demote lets a new primary element end the primacy of the others (RFC 7644
// section 3.5.2). Two new ones are an error (RFC 7643 section 2.4).
func (s *state) demote(e *elements, p primaries, op *Operation) error {
	switch {
	case p.count == 0:
		return nil
	case p.count > 1:
		return op.refuse(invalidValue, "more than one value would be primary")
	}
	for i, v := range e.list {
		if i != p.at && e.isPrimary(v) {
			e.set(i, v.With(e.primaryPart, resource.Boolean(e.primaryPart, false)))
		}
	}
	return s.visit(len(e.list), op)
}

// unmatched handles an operation whose target has no element. Without a filter,
// there is no element at all, and adding a part makes one.
func (s *state) unmatched(e *elements, sub schema.Path, op *Operation) error {
	switch {
	case op.Op == Remove && (op.Target.Where == nil || !s.o.RequireTarget):
		return nil
	case op.Op == Remove:
		return op.noTarget()
	case op.Target.Where == nil:
		if op.Value.IsZero() {
			return nil
		}
		var none resource.Value
		part, err := s.assign(sub, none, op)
		if err != nil {
			return err
		}
		return s.addAll(e, op, resource.Array(e.path, none.With(sub, part)))
	}
	v, ok := s.described(e, sub, op)
	if !ok || s.o.CreateElement == nil || !s.o.CreateElement() {
		return op.noTarget()
	}
	if op.Value.IsZero() {
		return nil // unassigned is what it is already
	}
	return s.addAll(e, op, resource.Array(e.path, v))
}

func (op *Operation) noTarget() *Error {
	return op.refuse(noTarget, "the filter matches no value")
}

// described makes the element that an unmatched filter describes together with
// the operation's value. It is not ok when the filter is no conjunction of eq,
// when the new element would not match it, and for the replacement of a whole
// element, which there must be.
func (s *state) described(e *elements, sub schema.Path, op *Operation) (v resource.Value, ok bool) {
	terms, ok := op.Target.Where.Equalities()
	if !ok || sub.IsZero() && op.Op == Replace {
		return v, false
	}
	for _, t := range terms {
		if t.Path == e.path || t.Path.ReadOnly() {
			return v, false
		}
		v = v.With(t.Path, operand(t))
	}
	if sub.IsZero() {
		for part := range op.Value.Members() {
			v = v.With(part.Path(), part)
		}
	} else if !op.Value.IsZero() {
		part, err := s.assign(sub, resource.Value{}, op)
		if err != nil {
			return v, false
		}
		v = v.With(sub, part)
	}
	return v, op.Target.Where.MatchElement(v)
}
