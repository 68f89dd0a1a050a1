package mapping

import (
	"errors"
	"fmt"
	"slices"

	"github.com/musterhq/muster/scim/schema"
)

// Mapping is a set of fields between the resources of one type and a T, which is
// a struct or whatever the fields' functions can work with. It is immutable and
// safe for concurrent use; the T that it is given belongs to the caller.
type Mapping[T any] struct {
	typ      *schema.Type
	fields   []*field[T] // in the order of declaration, meta included
	meta     []metaField[T]
	root     []*node[T] // top-level attributes
	byPath   []*node[T] // of root, by Path.Index
	elements int        // how many elements are selected
	derived  []*field[T]
	side     func(*T) *[]byte // nil without a side document
}

// FieldInfo describes a field.
type FieldInfo struct {
	// Path is the path as declared, and Target what it means.
	Path   string
	Target Target
	// Name is the host's name for the field: that of the struct field as Go code
	// selects it ("Home.Street"), or what code set.
	Name string
	// Label is the field's name for people; "" when none is declared.
	Label string
	// ReadOnly: clients cannot set it, because the field says so or the schema.
	// WriteOnce: clients set it once, because the field says so or the schema.
	ReadOnly, WriteOnce bool
	// Required says that the schema demands the attribute.
	Required bool
	// Max bounds the length of a text, in characters; 0 means no bound.
	Max int
	// Derived says that the value is worked out when the client sends none;
	// Default that there is a value for that case.
	Derived, Default bool
}

// Of builds a mapping from the tags of T, when T is a struct that has any, and
// from fields declared by code. t is the server's own type, which a handler is
// given by [scim.Binder].
//
// The error lists everything that is wrong: a path that does not parse or names
// no attribute, a Go type that cannot hold the attribute, two fields for one
// path or for paths that overlap, two selections that one element may match, a
// tag that is cut short, an attribute that the schema demands and no field is
// declared for, a relation or a password.
func Of[T any](t *schema.Type, fields ...Field[T]) (*Mapping[T], error) {
	m := &Mapping[T]{typ: t, byPath: make([]*node[T], t.Len()+1)}
	var problems []error
	all, err := taggedFields[T](t)
	if err != nil {
		problems = append(problems, err)
	}
	for _, f := range fields {
		c := *f.declared()
		all = append(all, &c)
	}
	for _, f := range all {
		if err := m.add(f); err != nil {
			problems = append(problems, fmt.Errorf("field %s for %q: %w", f.Name, f.Path, err))
		}
	}
	for _, n := range m.root {
		m.byPath[n.path.Index()] = n
	}
	if err := m.missing(); err != nil && len(problems) == 0 {
		problems = append(problems, err)
	}
	if len(problems) > 0 {
		return nil, fmt.Errorf("mapping: %w", errors.Join(problems...))
	}
	return m, nil
}

// add resolves a field and gives it its place.
func (m *Mapping[T]) add(f *field[T]) error {
	if f.Path == sidePath {
		if f.side == nil {
			return errors.New("the side document is declared by Side")
		}
		if m.side != nil {
			return errors.New("there is a side document already")
		}
		m.side = f.side
		return nil
	}
	target, err := ParsePath(m.typ, f.Path)
	if err != nil {
		return err
	}
	p := target.Attr
	f.Target = target
	switch {
	case p.IsCommon() && p != m.typ.Common().ExternalID:
		if slices.ContainsFunc(m.meta, func(o metaField[T]) bool { return o.Target.Attr == p }) {
			return fmt.Errorf("there is a field for %s already", p)
		}
		if err := m.bindMeta(f); err != nil {
			return err
		}
		m.fields = append(m.fields, f)
		return nil
	case !p.InDocument():
		return fmt.Errorf("%s is a relation, which is kept as links and not in a field", p.Top())
	case p.String() == "password":
		return errors.New("a password cannot be mapped: scim.WithPassword hands it to a function, and nothing keeps it")
	case p == target.Element:
		return errors.New("the path means a whole element; name a part of it behind the brackets")
	}
	if err := f.bind(); err != nil {
		return err
	}
	if err := m.insert(f); err != nil {
		return err
	}
	m.fields = append(m.fields, f)
	if f.derived != nil {
		m.derived = append(m.derived, f)
	}
	return nil
}

// missing finds attributes that every resource has and the mapping would lose.
func (m *Mapping[T]) missing() error {
	var problems []error
	root := m.typ.Root()
	for i := range root.NumChildren() {
		p := root.Child(i)
		a := p.Attribute()
		if !a.Required || p.IsCommon() || !p.InDocument() || p.ReadOnly() || m.byPath[p.Index()] != nil {
			continue
		}
		if m.side == nil {
			problems = append(problems, fmt.Errorf("%s is required and there is no field for it", p))
		} else if p.Unique() != schema.NotUnique {
			problems = append(problems, fmt.Errorf("%s is required and unique and there is no field for it; in the side document nobody could find it", p))
		}
	}
	return errors.Join(problems...)
}

// Type returns the type whose resources are mapped.
func (m *Mapping[T]) Type() *schema.Type { return m.typ }

// Fields returns the fields in the order of their declaration, those of tags
// first, without the side document. The result is the caller's.
func (m *Mapping[T]) Fields() []FieldInfo {
	infos := make([]FieldInfo, len(m.fields))
	for i, f := range m.fields {
		infos[i] = f.FieldInfo
	}
	return infos
}

// Touched returns the fields that a change of the attribute p may change, see
// [Target.Touches].
func (m *Mapping[T]) Touched(p schema.Path) []FieldInfo {
	return slices.DeleteFunc(m.Fields(), func(f FieldInfo) bool { return !f.Target.Touches(p) })
}

// HasSide reports whether there is a side document.
func (m *Mapping[T]) HasSide() bool { return m.side != nil }
