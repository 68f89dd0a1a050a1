package resource

import (
	"iter"
	"time"

	"github.com/musterhq/muster/scim/schema"
)

// document is an encoded JSON text and the table of its nodes.
type document struct {
	typ *schema.Type
}

// Value is one value: of a resource, or loose. It is small, immutable, and
// reading it allocates nothing unless a method says so. The zero Value is
// unassigned.
type Value struct {
	d *document
	i int
}

// Kind is the JSON kind of a Value.
type Kind uint8

// The kinds. KindNone is the zero Value's.
const (
	KindNone Kind = iota
	KindText
	KindNumber
	KindBool
	KindObject
	KindArray
)

// IsZero reports whether the value is unassigned.
func (v Value) IsZero() bool { return v.d == nil }

// Path returns the attribute that the value belongs to. An element of a
// multi-valued attribute has the path of the attribute, as the array has.
func (v Value) Path() schema.Path { panic("todo") }

// Kind returns the JSON kind.
func (v Value) Kind() Kind { panic("todo") }

// Text returns the text of a string, the number as written, or "true" and
// "false"; for objects and arrays "". Strings without escapes do not allocate
// beyond the string itself.
func (v Value) Text() string { panic("todo") }

// Bytes returns the text of a string without copying it when it holds no
// escapes; it must not be modified. For others it is nil.
func (v Value) Bytes() []byte { panic("todo") }

// Bool reports whether the value is true.
func (v Value) Bool() bool { panic("todo") }

// Int returns an integer that fits into 64 bits.
func (v Value) Int() (int64, bool) { panic("todo") }

// Float returns the nearest float64 of a number.
func (v Value) Float() (float64, bool) { panic("todo") }

// Time returns the instant of a dateTime. A dateTime without an offset is taken
// as UTC.
func (v Value) Time() (time.Time, bool) { panic("todo") }

// JSON returns the value as JSON. It must not be modified.
func (v Value) JSON() []byte { panic("todo") }

// Len returns the number of elements of an array or members of an object.
func (v Value) Len() int { panic("todo") }

// Elements yields the elements of an array; for any other assigned value, the
// value itself.
func (v Value) Elements() iter.Seq[Value] { panic("todo") }

// Members yields the sub-attribute values of an object.
func (v Value) Members() iter.Seq[Value] { panic("todo") }

// Get returns the sub-attribute of an object, or the zero Value.
func (v Value) Get(sub schema.Path) Value { panic("todo") }

// Equal reports whether two values have the same content. Letter case counts,
// order of members and elements does not, numbers compare by value and
// dateTimes as text.
func (v Value) Equal(w Value) bool { panic("todo") }

// Same reports whether two values are the same one by the rules of their
// attributes: as Equal, except that text which is not case exact compares
// folded and dateTimes compare as instants; a primary of false counts as
// absent.
func (v Value) Same(w Value) bool { panic("todo") }

// With returns a copy of an object in which the sub-attribute is w; a zero w
// removes it. On the zero Value it makes an object of sub's parent. An object
// that loses its last member becomes the zero Value.
func (v Value) With(sub schema.Path, w Value) Value { panic("todo") }

// Text makes a loose string value of attribute p.
func Text(p schema.Path, s string) Value { panic("todo") }

// Boolean makes a loose boolean value of attribute p.
func Boolean(p schema.Path, b bool) Value { panic("todo") }

// Array makes the value of the multi-valued attribute p from its elements. Zero
// Values are left out; without any it is the zero Value.
func Array(p schema.Path, elements ...Value) Value { panic("todo") }
