package resource

import (
	"encoding/base64"
	"math"
	"strconv"
	"time"

	"github.com/musterhq/muster/scim/schema"
)

// Text makes a loose string value of attribute p. Invalid UTF-8 in s becomes
// U+FFFD. Whether s suits the attribute is not checked before [Builder.Build].
func Text(p schema.Path, s string) Value {
	d := newDocument(p, len(s)+2)
	text, esc := appendQuoted(d.text, s)
	d.text = text
	flags := uint32(0)
	if esc {
		flags = escaped
	}
	d.scalar(p, KindText, flags, 0)
	return d.loose()
}

// Boolean makes a loose boolean value of attribute p.
func Boolean(p schema.Path, b bool) Value {
	d := newDocument(p, 5)
	d.text = strconv.AppendBool(d.text, b)
	d.scalar(p, KindBool, 0, 0)
	return d.loose()
}

// Integer makes a loose integer value of attribute p.
func Integer(p schema.Path, i int64) Value {
	d := newDocument(p, 20)
	d.text = strconv.AppendInt(d.text, i, 10)
	d.scalar(p, KindNumber, 0, 0)
	return d.loose()
}

// Decimal makes a loose decimal value of attribute p, with as few digits as give
// f back. Infinities and NaN, which JSON does not have, give the zero Value.
func Decimal(p schema.Path, f float64) Value {
	if math.IsInf(f, 0) || math.IsNaN(f) {
		return Value{}
	}
	d := newDocument(p, 24)
	d.text = appendFloat(d.text, f)
	d.scalar(p, KindNumber, 0, 0)
	return d.loose()
}

func appendFloat(dst []byte, f float64) []byte {
	if a := math.Abs(f); a != 0 && (a < 1e-6 || a >= 1e21) {
		return strconv.AppendFloat(dst, f, 'e', -1, 64)
	}
	return strconv.AppendFloat(dst, f, 'f', -1, 64)
}

// DateTime makes a loose dateTime value of attribute p, in UTC, with as many
// digits of a second's fraction as t needs.
func DateTime(p schema.Path, t time.Time) Value {
	return Text(p, t.UTC().Format(time.RFC3339Nano))
}

// Binary makes a loose binary value of attribute p.
func Binary(p schema.Path, b []byte) Value {
	return Text(p, base64.StdEncoding.EncodeToString(b))
}

// Array makes the value of the multi-valued attribute p from its elements. Zero
// Values are left out; without any it is the zero Value. It panics when an
// element is of another kind than p's.
func Array(p schema.Path, elements ...Value) Value {
	return group(p, KindArray, elements)
}

// Object makes a value of the complex attribute p, or one element of it, from
// the values of its sub-attributes. Zero Values are left out; without any it is
// the zero Value. It panics when two are of one sub-attribute.
func Object(p schema.Path, members ...Value) Value {
	return group(p, KindObject, members)
}

func group(p schema.Path, k Kind, parts []Value) Value {
	size := 2
	for _, v := range parts {
		if !v.IsZero() {
			size += len(v.JSON()) + 16
		}
	}
	d := newDocument(p, size)
	d.open(p, k)
	for _, v := range parts {
		switch {
		case v.IsZero():
		case k == KindArray:
			mustFit(p, v, true)
			d.comma()
			d.add(p, v)
		case d.has(0, v.Path().Index()):
			panic("resource: " + v.Path().String() + " stands twice in one object")
		default:
			d.member(v.Path(), v)
		}
	}
	if len(d.nodes) == 1 {
		return Value{}
	}
	d.close(0)
	return d.loose()
}

// has reports whether the object at i, which may be unfinished and is the last
// one open, has member attr.
func (d *document) has(i, attr int) bool {
	for k := i + 1; k < len(d.nodes); k += int(d.nodes[k].size) {
		if d.nodes[k].attr() == attr {
			return true
		}
	}
	return false
}

// loose finishes a document of one value.
func (d *document) loose() Value {
	d.finish()
	return Value{d, 0}
}

// With returns a copy of an object in which the sub-attribute is w; a zero w
// removes it. On the zero Value it makes an object of sub's parent. An object
// that loses its last member becomes the zero Value. It panics when w is not the
// kind of value that sub has.
func (v Value) With(sub schema.Path, w Value) Value {
	p := v.Path()
	if v.IsZero() {
		if w.IsZero() {
			return Value{}
		}
		p = sub.Parent()
	}
	size := len(v.JSON()) + len(w.JSON()) + len(sub.Name()) + 4
	d := newDocument(p, size)
	d.open(p, KindObject)
	done := w.IsZero()
	for m := range v.Members() {
		mp := m.Path()
		if mp == sub {
			if w.IsZero() {
				continue
			}
			m, done = w, true
		}
		d.member(mp, m)
	}
	if !done {
		d.member(sub, w)
	}
	if len(d.nodes) == 1 {
		return Value{}
	}
	d.close(0)
	return d.loose()
}
