package patch

import (
	"maps"

	"github.com/musterhq/muster/scim/resource"
	"github.com/musterhq/muster/scim/schema"
)

// Change is one attribute whose value a PATCH changed. Path is the top-level
// attribute, or the attribute of an extension. Before and After are the net
// effect of the whole request; they hold what the attribute holds, so those of
// a password must not be logged.
type Change struct {
	Path          schema.Path
	Before, After resource.Value
}

// Result is what [Apply] did.
type Result struct {
	Resource *resource.Resource
	// Relations is the relations passed in, edited; the map passed in when nothing
	// in them changed.
	Relations resource.Relations
	// Changes is empty, and Resource the one passed in, when the operations
	// changed nothing in the document.
	Changes []Change
	// RelationsChanged says whether any relation differs, as [ApplyLinks] says it.
	RelationsChanged bool
}

// Apply applies operations in order to a resource and to relations held in
// memory; rel may be nil when no operation touches one. It is pure: r, rel and
// ops are not modified. It is all or nothing: with an error, which is an
// [*Error], nothing is returned. Required attributes, immutability, and the
// rule of one primary element are checked; uniqueness is the store's to check.
//
// Operations on the boolean top-level attribute "active" can set true and
// false, and nothing else has an effect.
func Apply(r *resource.Resource, rel resource.Relations, ops []Operation, o ApplyOptions) (*Result, error) {
	o.MaxVisits = limit(o.MaxVisits, 1_000_000)
	s := state{r: r, o: o}
	for i := range ops {
		op := &ops[i]
		relation := op.relation()
		if relation.IsZero() {
			if err := s.apply(op); err != nil {
				return nil, err
			}
		} else if _, backwards := relation.Inverse(); backwards {
			return nil, op.readOnly(relation) // its links belong to other resources
		}
	}
	result, err := s.result()
	if err != nil {
		return nil, err
	}
	result.Relations = rel
	for name, ops := range linkOperations(ops) {
		have := rel[name]
		f := fold{selectMembers: selectFrom(have, ops[0].relation()), inMemory: true, requireTarget: o.RequireTarget}
		edit, err := f.all(ops)
		if err != nil {
			return nil, err
		}
		now, changed := ApplyLinks(have, edit)
		if !changed {
			continue
		}
		if !result.RelationsChanged {
			result.RelationsChanged = true
			if result.Relations = maps.Clone(rel); rel == nil {
				result.Relations = make(resource.Relations, 1)
			}
		}
		result.Relations[name] = now
	}
	return result, nil
}

// state is a resource while operations are applied to it.
type state struct {
	r      *resource.Resource
	o      ApplyOptions
	slots  []slot // the attributes that operations touched
	visits int    // so far
}

// visit counts the elements that an operation looks at.
func (s *state) visit(n int, op *Operation) error {
	if s.visits += n; s.visits > s.o.MaxVisits {
		return op.overLimit("the operations look at too many values of multi-valued attributes; send fewer of them in one request")
	}
	return nil
}

// slot is one attribute of the resource, at the top level or in an extension.
type slot struct {
	path        schema.Path
	before, now resource.Value
	// elements holds a multi-valued attribute while operations go on, in place of
	// now.
	elements *elements
	index    int // of the last operation on it
}

func (s *slot) value() resource.Value {
	if s.elements != nil {
		return s.elements.value()
	}
	return s.now
}

// slot returns the attribute at p, which is valid until the next call.
func (s *state) slot(p schema.Path) *slot {
	for i := range s.slots {
		if s.slots[i].path == p {
			return &s.slots[i]
		}
	}
	v := s.r.Get(p)
	sl := slot{path: p, before: v, now: v}
	if p.Attribute().MultiValued {
		sl.elements = newElements(p, v)
	}
	if s.slots == nil {
		s.slots = make([]slot, 0, 4)
	}
	s.slots = append(s.slots, sl)
	return &s.slots[len(s.slots)-1]
}

// apply applies one operation on the document.
func (s *state) apply(op *Operation) error {
	target := op.Target.Path
	switch {
	case target.Top() == s.r.Type().Common().Schemas:
		return nil
	case !target.InDocument() || target.ReadOnly():
		return s.repeats(op)
	case target.IsExtension():
		return s.removeExtension(op)
	case isActive(target) && (op.Op == Remove || op.Value.IsZero()):
		return nil
	}
	path, sub := place(target)
	sl := s.slot(path)
	sl.index = op.Index
	if sl.elements != nil {
		return s.applyElements(sl.elements, sub, op)
	}
	var next resource.Value
	var err error
	if sub.IsZero() {
		next, err = s.assign(path, sl.now, op)
	} else {
		var part resource.Value
		if part, err = s.assign(sub, sl.now.Get(sub), op); err == nil {
			next = refresh(path, sl.now, sl.now.With(sub, part), op)
		}
	}
	if err == nil {
		sl.now, err = checked(path, sl.now, next, op)
	}
	return err
}

// repeats accepts a read-only member of a path-less value that repeats what is
// there. A location is never kept, so that there is nothing to compare with.
func (s *state) repeats(op *Operation) error {
	p := op.Target.Path
	present := s.r.Get(p)
	if op.Pathless && (present.Same(op.Value) || p == s.r.Type().Common().Location) {
		return nil
	}
	return op.readOnly(p)
}

// removeExtension unassigns all that clients can set in an extension, those
// attributes included that the extension requires as long as it is there.
func (s *state) removeExtension(op *Operation) error {
	ext := op.Target.Path
	for i := range ext.NumChildren() {
		p := ext.Child(i)
		if p.ReadOnly() {
			continue
		}
		sl := s.slot(p)
		sl.index = op.Index
		if !sl.value().IsZero() && hasImmutable(p, sl.value()) {
			return op.immutable(p)
		}
		if sl.now = (resource.Value{}); sl.elements != nil {
			sl.elements.replace(nil)
		}
	}
	return nil
}

// result builds the changed resource.
func (s *state) result() (*Result, error) {
	result := &Result{Resource: s.r}
	var b *resource.Builder
	for i := range s.slots {
		sl := &s.slots[i]
		now := sl.value()
		if now.Equal(sl.before) {
			continue
		}
		if b == nil {
			b = s.r.Edit()
			result.Changes = make([]Change, 0, len(s.slots))
		}
		b.SetValue(sl.path, now)
		result.Changes = append(result.Changes, Change{Path: sl.path, Before: sl.before, After: now})
	}
	if b == nil {
		return result, nil
	}
	for i := range s.slots {
		if ext := s.slots[i].path.Parent(); !ext.IsZero() {
			if err := s.checkExtension(ext, b, s.slots[i].index); err != nil {
				return nil, err
			}
		}
	}
	result.Resource = b.Resource()
	return result, nil
}

// checkExtension checks what only the end of a request can tell: that a
// required extension is still there, and that one which has appeared, or has
// lost something, has what it requires.
func (s *state) checkExtension(ext schema.Path, b *resource.Builder, index int) error {
	before, now := s.r.Get(ext), b.Value(ext)
	op := Operation{Index: index, Target: Target{Path: ext}}
	if now.IsZero() {
		if ext.Attribute().Required && !before.IsZero() {
			return op.refuse(mutability, "a required extension cannot be removed")
		}
		return nil
	}
	for i := range ext.NumChildren() {
		p := ext.Child(i)
		switch {
		case !p.Attribute().Required || !now.Get(p).IsZero():
		case !before.Get(p).IsZero():
			return required(&op, p, true)
		case before.IsZero():
			return required(&op, p, false)
		}
	}
	return nil
}
