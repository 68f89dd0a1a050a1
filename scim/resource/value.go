package resource

import (
	"iter"
	"strconv"
	"time"

	"github.com/musterhq/muster/scim/schema"
)

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

// String returns the kind as a word, such as "text".
func (k Kind) String() string {
	names := [...]string{"none", "text", "number", "bool", "object", "array"}
	if int(k) < len(names) {
		return names[k]
	}
	return "unknown"
}

// IsZero reports whether the value is unassigned.
func (v Value) IsZero() bool { return v.d == nil }

func (v Value) node() *node { return &v.d.nodes[v.i] }

// Path returns the attribute that the value belongs to. An element of a
// multi-valued attribute has the path of the attribute, as the array has. It is
// zero for the zero Value and for a whole resource.
func (v Value) Path() schema.Path {
	if v.d == nil || v.node().attr() == 0 {
		return schema.Path{}
	}
	return v.d.path(v.i)
}

// Kind returns the JSON kind.
func (v Value) Kind() Kind {
	if v.d == nil {
		return KindNone
	}
	return v.node().kind()
}

// Text returns the text of a string, the number as written, or "true" and
// "false"; for objects and arrays "". It allocates the string.
func (v Value) Text() string {
	switch v.Kind() {
	case KindText:
		return string(v.Bytes())
	case KindBool:
		if v.Bool() {
			return "true"
		}
		return "false"
	case KindNumber:
		return string(v.JSON())
	}
	return ""
}

// Bytes returns the text of a string, without copying it when it holds no
// escapes; it must not be modified. For others it is nil.
func (v Value) Bytes() []byte {
	if v.Kind() != KindText {
		return nil
	}
	n := v.node()
	raw := v.d.text[n.start+1 : n.end-1 : n.end-1]
	if n.tag&escaped != 0 {
		return unescape(make([]byte, 0, len(raw)), raw)
	}
	return raw
}

// Bool reports whether the value is true.
func (v Value) Bool() bool {
	return v.Kind() == KindBool && v.d.text[v.node().start] == 't'
}

// Int returns an integer that fits into 64 bits. A decimal that is written with
// a fraction or an exponent is none.
func (v Value) Int() (int64, bool) {
	if v.Kind() != KindNumber {
		return 0, false
	}
	i, err := strconv.ParseInt(string(v.JSON()), 10, 64)
	return i, err == nil
}

// Float returns the nearest float64 of a number.
func (v Value) Float() (float64, bool) {
	if v.Kind() != KindNumber {
		return 0, false
	}
	f, err := strconv.ParseFloat(string(v.JSON()), 64)
	return f, err == nil
}

// Time returns the instant of a dateTime, in UTC. A dateTime without an offset
// is taken as UTC.
func (v Value) Time() (time.Time, bool) {
	if v.Kind() != KindText || v.Path().Attribute().Type != schema.DateTime {
		return time.Time{}, false
	}
	return parseDateTime(v.Bytes())
}

// JSON returns the value as JSON. It must not be modified.
func (v Value) JSON() []byte {
	if v.d == nil {
		return nil
	}
	n := v.node()
	return v.d.text[n.start:n.end:n.end]
}

// Len returns the number of elements of an array or members of an object.
func (v Value) Len() int {
	if k := v.Kind(); k != KindArray && k != KindObject {
		return 0
	}
	count := 0
	for i, end := v.i+1, v.i+int(v.node().size); i < end; i += int(v.d.nodes[i].size) {
		count++
	}
	return count
}

// Elements yields the elements of an array; for any other assigned value, the
// value itself.
func (v Value) Elements() iter.Seq[Value] {
	return func(yield func(Value) bool) {
		switch v.Kind() {
		case KindNone:
		case KindArray:
			v.each(yield)
		default:
			yield(v)
		}
	}
}

// Members yields the sub-attribute values of an object.
func (v Value) Members() iter.Seq[Value] {
	return func(yield func(Value) bool) {
		if v.Kind() == KindObject {
			v.each(yield)
		}
	}
}

func (v Value) each(yield func(Value) bool) {
	for i, end := v.i+1, v.i+int(v.node().size); i < end; i += int(v.d.nodes[i].size) {
		if !yield(Value{v.d, i}) {
			return
		}
	}
}

// Get returns the sub-attribute of an object, or the zero Value.
func (v Value) Get(sub schema.Path) Value {
	if v.Kind() != KindObject {
		return Value{}
	}
	if i := v.d.child(v.i, sub.Index()); i > 0 {
		return Value{v.d, i}
	}
	return Value{}
}

// All yields every value of p that v, a value of something around p, holds:
// from emails or one of its elements all values of emails.value; v itself, or
// its elements, when v is a value of p.
func (v Value) All(p schema.Path) iter.Seq[Value] {
	return func(yield func(Value) bool) { v.all(p, yield) }
}

func (v Value) all(p schema.Path, yield func(Value) bool) {
	if v.IsZero() {
		return
	}
	if v.node().attr() == p.Index() {
		v.Elements()(yield)
		return
	}
	for around := range v.within(p.Parent()).Elements() {
		for w := range around.Get(p).Elements() {
			if !yield(w) {
				return
			}
		}
	}
}

// within returns the value of p inside v, v itself when it is one of p. The
// zero Path is a whole resource's.
func (v Value) within(p schema.Path) Value {
	switch {
	case v.IsZero():
		return v
	case p.IsZero():
		if v.node().attr() == 0 {
			return v
		}
		return Value{}
	case v.node().attr() == p.Index():
		return v
	}
	return v.within(p.Parent()).Get(p)
}

// get returns the value of p inside v, the value of a whole resource; of several
// the first.
func (v Value) get(p schema.Path) Value {
	up := p.Parent()
	if up.IsZero() {
		return v.Get(p)
	}
	v = v.get(up)
	if v.Kind() != KindArray {
		return v.Get(p)
	}
	for i, end := v.i+1, v.i+int(v.node().size); i < end; i += int(v.d.nodes[i].size) {
		if w := (Value{v.d, i}).Get(p); !w.IsZero() {
			return w
		}
	}
	return Value{}
}
