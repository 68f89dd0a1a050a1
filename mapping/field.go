package mapping

import (
	"errors"
	"reflect"

	"github.com/musterhq/muster/scim/resource"
	"github.com/musterhq/muster/scim/schema"
)

// Field declares how one attribute and the host's data correspond. Fields are
// made by [Attr], [Convert], [Func], [Derived] and [Side].
type Field[T any] interface {
	declared() *field[T]
}

// field is a field, as declared or, in a mapping, ready for use.
type field[T any] struct {
	FieldInfo
	codec
	typ reflect.Type // of what the codec is for
	in  *selected[T] // the element that it is a part of, or nil

	// read returns a pointer to what there is, nil when nothing is; fresh one to
	// store into, and write, if not nil, puts it in its place.
	read  func(*T) any
	fresh func(*T) any
	write func(*T, any) error
	// clear makes the field unassigned, or gives it its default.
	clear func(*T) error
	// isSet reports whether a field that is written once has been.
	isSet func(*T) bool
	// implied, if not nil, makes the value that stands for an unassigned one.
	implied  func(schema.Path) (resource.Value, error)
	standing resource.Value // what implied made

	// derive gives the field its derived value; derived returns a pointer to that,
	// as read does. A field without a variable has derived alone.
	derive  func(*T) error
	derived func(*T) any

	side     func(*T) *[]byte // of the side document alone
	problems []error          // found while declaring
}

const sidePath = "*"

func (f *field[T]) declared() *field[T] { return f }

// virtual reports whether the host keeps no variable for the field.
func (f *field[T]) virtual() bool { return f.fresh == nil && f.derived != nil }

// value returns what the field has; zero when it is unassigned.
func (f *field[T]) value(t *T) (resource.Value, error) { return f.loadFrom(f.read, t) }

// derivedValue returns what the field would be if it were derived now.
func (f *field[T]) derivedValue(t *T) (resource.Value, error) { return f.loadFrom(f.derived, t) }

func (f *field[T]) loadFrom(at func(*T) any, t *T) (resource.Value, error) {
	p := at(t)
	if p == nil {
		return resource.Value{}, nil
	}
	return f.load(p)
}

// set gives the field a value; the zero Value unassigns.
func (f *field[T]) set(t *T, v resource.Value) error {
	if v.IsZero() {
		if f.standing.IsZero() {
			return f.clear(t)
		}
		v = f.standing
	}
	p := f.fresh(t)
	if err := f.store(p, v); err != nil || f.write == nil {
		return err
	}
	return f.write(t, p)
}

// bind resolves the field for a type.
func (f *field[T]) bind() error {
	p := f.Target.Attr
	switch {
	case len(f.problems) > 0:
		return errors.Join(f.problems...)
	case f.ReadOnly && f.WriteOnce:
		return errors.New("a field is read-only or written once, not both")
	case f.ReadOnly && (f.Default || f.derive != nil):
		return errors.New("a read-only field takes neither a default nor a derived value, since it is never assigned")
	case f.Max < 0 || f.Max > 0 && !hasLength(f.typ, p):
		return errors.New("only a text has a maximum length, in characters")
	case f.Default && f.derive != nil:
		return errors.New("a field has a default or a derived value, not both")
	}
	c, err := codecOf(f.typ, shape{attr: p, max: f.Max})
	if err != nil {
		return err
	}
	f.codec = c
	f.ReadOnly = f.ReadOnly || p.ReadOnly()
	f.WriteOnce = f.WriteOnce || p.Attribute().Mutability == schema.Immutable && !f.ReadOnly
	f.Required = p.Attribute().Required
	f.Derived = f.derived != nil
	if f.implied == nil && !f.Default && f.derived == nil && isActive(p) {
		f.implied = func(p schema.Path) (resource.Value, error) { return resource.Boolean(p, true), nil }
	}
	if f.implied != nil {
		if f.standing, err = f.implied(p); err != nil {
			return err
		}
	}
	return nil
}

// hasLength reports whether fields of type t for p hold texts of bounded length.
func hasLength(t reflect.Type, p schema.Path) bool {
	a := p.Attribute()
	return t != reflect.TypeFor[resource.Value]() && (a.Type.IsText() || a.Type == schema.Complex && a.MultiValued)
}

// isActive reports whether p says if a resource is active, which it is unless it
// says otherwise.
func isActive(p schema.Path) bool {
	return p.String() == "active" && p.Attribute().Type == schema.Boolean && !p.Attribute().MultiValued
}
