package filter

import (
	"time"

	"github.com/musterhq/muster/scim/resource"
	"github.com/musterhq/muster/scim/schema"
)

// Key returns the text by which v is indexed, compared and sorted. Keys of one
// attribute compare bytewise; those of numbers and instants are ASCII.
//
//   - Text is folded by [schema.Fold], or stays as it is where the attribute is
//     case exact.
//   - A boolean is "0" or "1".
//   - An instant is its UTC time with nine digits of a second, such as
//     "2026-01-31T08:00:00.500000000Z". What lies behind the year 9999 in UTC
//     counts as its last nanosecond.
//   - A number is a sign, the power of ten and the digits, all exact: 3, 3.0 and
//     30e-1 have one key, and no two values share one. See the source for the
//     layout; a store only compares it.
//
// ok is false for objects, arrays and the zero Value.
func Key(v resource.Value) (key string, ok bool) {
	switch v.Kind() {
	case resource.KindText:
		a := v.Path().Attribute()
		if a.Type == schema.DateTime {
			t, ok := v.Time()
			if !ok {
				return "", false
			}
			return timeKey(t), true
		}
		return textKey(a, v.Text()), true
	case resource.KindNumber:
		return string(appendNumberKey(nil, v.JSON())), true
	case resource.KindBool:
		return boolKey(v.Bool()), true
	}
	return "", false
}

// textKey is the key of a text of an attribute.
func textKey(a *schema.Attribute, s string) string {
	if a.CaseExact {
		return s
	}
	return schema.Fold(s)
}

func boolKey(b bool) string {
	if b {
		return "1"
	}
	return "0"
}

const timeKeyLayout = "2006-01-02T15:04:05.000000000Z"

func timeKey(t time.Time) string { return clampTime(t).Format(timeKeyLayout) }

var (
	firstInstant = time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC)
	lastInstant  = time.Date(9999, 12, 31, 23, 59, 59, 999_999_999, time.UTC)
)

// clampTime brings an instant into the years that have keys.
func clampTime(t time.Time) time.Time {
	t = t.UTC()
	switch {
	case t.Before(firstInstant):
		return firstInstant
	case t.After(lastInstant):
		return lastInstant
	}
	return t
}

// SortKey returns the key by which r is sorted when sorting by p: that of the
// primary element, else of the first, for multi-valued attributes, and of the
// sub-attribute "value" for complex ones (RFC 7644 section 3.4.2.3). absent is
// true when r has no value there, and always for relations, which are not part
// of a resource, for meta.version, which is no order, and for the zero Path.
// meta.location sorts as id does.
func SortKey(r *resource.Resource, p schema.Path) (key string, absent bool) {
	if p.IsZero() {
		return "", true
	}
	if f := fieldOf(p); f != inDocument {
		return fieldSortKey(r, f)
	}
	if p = comparablePath(p); p.IsZero() {
		return "", true
	}
	many := p.MultiValued()
	if many.IsZero() {
		key, ok := Key(r.Get(p))
		return key, !ok
	}
	v := firstOf(r.Get(many), many)
	if p != many {
		v = v.Get(p)
	}
	key, ok := Key(v)
	return key, !ok
}

// fieldSortKey is SortKey for common attributes that are not in the document.
func fieldSortKey(r *resource.Resource, f field) (key string, absent bool) {
	m := r.Meta()
	switch f {
	case fieldID, fieldLocation:
		return m.ID, m.ID == ""
	case fieldCreated:
		return timeKey(m.Created), m.Created.IsZero()
	case fieldLastModified:
		return timeKey(m.LastModified), m.LastModified.IsZero()
	case fieldResourceType:
		return r.Type().Name(), false
	case fieldSchemas:
		return r.Type().Schema(), false
	}
	return "", true // meta as a whole, and versions
}

// firstOf returns the primary element of an array of attribute p, else the
// first.
func firstOf(array resource.Value, p schema.Path) (first resource.Value) {
	primary, ok := p.Lookup("primary")
	for e := range array.Elements() {
		if first.IsZero() {
			first = e
		}
		if !ok {
			break
		}
		if e.Get(primary).Bool() {
			return e
		}
	}
	return first
}

// comparablePath is the attribute that a comparison with p means: p itself, the
// sub-attribute "value" of a complex one (RFC 7644 section 3.4.2.2), or the zero
// Path when it has none.
func comparablePath(p schema.Path) schema.Path {
	switch {
	case p.IsExtension():
		return schema.Path{}
	case p.Attribute().Type == schema.Complex:
		p, _ = p.Lookup("value")
	}
	return p
}
