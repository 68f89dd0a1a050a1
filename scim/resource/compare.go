package resource

import (
	"bytes"
	"slices"
	"strconv"
	"time"

	"github.com/musterhq/muster/scim/schema"
)

// Equal reports whether two values have the same content. Letter case counts,
// order of members and elements does not, numbers compare by value and
// dateTimes as text.
func (v Value) Equal(w Value) bool { return alike(v, w, false) }

// Same reports whether two values are the same one by the rules of their
// attributes: as Equal, except that text which is not case exact compares
// folded and dateTimes compare as instants; a primary of false counts as
// absent.
func (v Value) Same(w Value) bool { return alike(v, w, true) }

// alike compares v and w, which may be of different documents; same selects the
// rules of Value.Same.
func alike(v, w Value, same bool) bool {
	if v.d == nil || w.d == nil {
		return v.d == w.d
	}
	a, b := v.node(), w.node()
	if a.kind() != b.kind() {
		return false
	}
	if bytes.Equal(v.JSON(), w.JSON()) && (a.attr() == b.attr() || a.kind() < KindObject) {
		return true
	}
	switch a.kind() {
	case KindText:
		return same && sameText(v, w)
	case KindNumber:
		return sameNumber(v.JSON(), w.JSON())
	case KindObject:
		return alikeObjects(v, w, same)
	case KindArray:
		return alikeArrays(v, w, same)
	}
	return false
}

func sameText(v, w Value) bool {
	a := v.Path().Attribute()
	switch {
	case a.Type == schema.DateTime:
		t, ok := v.Time()
		u, also := w.Time()
		return ok && also && t.Equal(u)
	case a.CaseExact:
		return false // their bytes differ
	}
	var x, y [64]byte
	return bytes.Equal(schema.AppendFold(x[:0], v.Bytes()), schema.AppendFold(y[:0], w.Bytes()))
}

func alikeObjects(v, w Value, same bool) bool {
	matched := 0
	for m := range v.Members() {
		if same && isFalsePrimary(m) {
			continue
		}
		if !alike(m, w.Get(m.Path()), same) {
			return false
		}
		matched++
	}
	for m := range w.Members() {
		if same && isFalsePrimary(m) {
			continue
		}
		matched--
	}
	return matched == 0
}

func isFalsePrimary(v Value) bool {
	return v.Kind() == KindBool && !v.Bool() && v.Path().Name() == "primary"
}

// pairwise is the number of elements up to which comparing each with each is
// cheaper than making keys.
const pairwise = 16

func alikeArrays(v, w Value, same bool) bool {
	n := v.Len()
	if n != w.Len() {
		return false
	}
	if n > pairwise {
		return bytes.Equal(appendKey(nil, v, same), appendKey(nil, w, same))
	}
	var taken [pairwise]bool
next:
	for e := range v.Elements() {
		k := 0
		for f := range w.Elements() {
			if !taken[k] && alike(e, f, same) {
				taken[k] = true
				continue next
			}
			k++
		}
		return false
	}
	return true
}

// sameNumber compares two JSON numbers exactly, however they are written.
func sameNumber(a, b []byte) bool {
	if bytes.Equal(a, b) {
		return true
	}
	var x, y [32]byte
	return bytes.Equal(appendNumberKey(x[:0], a), appendNumberKey(y[:0], b))
}

// appendNumberKey appends the one spelling that all spellings of a number share:
// sign, digits without zeros at either end, and the power of ten of the first.
func appendNumberKey(dst, num []byte) []byte {
	from := len(dst)
	if num[0] == '-' {
		dst = append(dst, '-')
		num = num[1:]
	}
	digits := len(dst)
	exp, point := 0, false
	if i := bytes.IndexAny(num, "eE"); i >= 0 {
		// Decoding keeps the number in the range of float64, and with it this one
		// in the range of int.
		exp, _ = strconv.Atoi(string(num[i+1:]))
		num = num[:i]
	}
	for _, c := range num {
		switch {
		case c == '.':
			point = true
		case c == '0' && len(dst) == digits:
			if point {
				exp--
			}
		default:
			dst = append(dst, c)
			if !point {
				exp++
			}
		}
	}
	for len(dst) > digits && dst[len(dst)-1] == '0' {
		dst = dst[:len(dst)-1]
	}
	if len(dst) == digits {
		return append(dst[:from], '0')
	}
	dst = append(dst, 'e')
	return strconv.AppendInt(dst, int64(exp), 10)
}

// appendKey appends bytes that are equal for two values of one attribute exactly
// when the values are alike. same selects the rules of Value.Same.
func appendKey(dst []byte, v Value, same bool) []byte {
	switch v.Kind() {
	case KindText:
		return appendTextKey(dst, v, same)
	case KindNumber:
		return append(appendNumberKey(append(dst, 'n'), v.JSON()), 0)
	case KindBool:
		return append(dst, v.JSON()[0])
	}
	var parts [][]byte
	for m := range v.each {
		if v.Kind() == KindArray {
			parts = append(parts, appendKey(nil, m, same))
		} else if !same || !isFalsePrimary(m) {
			index := m.node().attr()
			parts = append(parts, appendKey([]byte{byte(index >> 16), byte(index >> 8), byte(index)}, m, same))
		}
	}
	slices.SortFunc(parts, bytes.Compare)
	dst = append(dst, '(')
	for _, p := range parts {
		dst = append(dst, p...)
	}
	return append(dst, ')')
}

func appendTextKey(dst []byte, v Value, same bool) []byte {
	if a := v.Path().Attribute(); same && a.Type == schema.DateTime {
		if t, ok := v.Time(); ok {
			return append(t.AppendFormat(append(dst, 'd'), time.RFC3339Nano), 0)
		}
	} else if same && !a.CaseExact {
		var buf [64]byte
		dst, _ = appendQuoted(dst, schema.AppendFold(buf[:0], v.Bytes()))
		return dst
	}
	return append(dst, v.JSON()...)
}
