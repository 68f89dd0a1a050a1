package resource

import (
	"encoding/base64"
	"fmt"
	"maps"
	"math"
	"reflect"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"
)

// Set assigns the attribute of that name. v may be a string, bool, any integer
// or float type, time.Time, []byte (binary), []string, map[string]any,
// []map[string]any, []any, a [Value], or nil, which unassigns. For an element
// of a multi-valued attribute set the whole attribute. Read-only attributes may
// be set. A problem is kept and returned by Build, or by [Resource.Err].
func (b *Builder) Set(name string, v any) *Builder {
	p, err := b.typ.Resolve(name)
	if err != nil {
		return b.wrong(name, err.Error())
	}
	up := p.Parent()
	_, relation := p.Relation()
	_, inverse := p.Inverse()
	switch {
	case relation || inverse:
		return b.wrong(p.String(), "is a relation, which is no part of a resource")
	case p.IsCommon() && p != b.typ.Common().ExternalID:
		return b.wrong(p.String(), "is not set by name; id, version and times are given to Meta")
	case !up.IsZero() && !up.MultiValued().IsZero():
		return b.wrong(p.String(), "lies in a multi-valued attribute, which is set as a whole")
	}
	if value, ok := v.(Value); ok {
		if !value.IsZero() && value.Path() != p {
			return b.wrong(p.String(), "was given a value of another attribute")
		}
		b.SetValue(p, value)
		return b
	}
	raw, err := AppendGo(nil, v)
	if err != nil {
		return b.wrong(p.String(), err.Error())
	}
	d := newDecoder(raw, DecodeOptions{Partial: true, RejectUnknown: true}, keepReadOnly)
	value, err := d.loose(p, false)
	if err != nil {
		for _, problem := range d.problems {
			problem.Offset = -1 // the JSON is ours, its positions tell nothing
			b.problems = append(b.problems, problem)
		}
		return b
	}
	b.SetValue(p, value)
	return b
}

func (b *Builder) wrong(path, detail string) *Builder {
	b.problems = append(b.problems, Problem{Path: path, Offset: -1, Detail: detail})
	return b
}

// appendGo appends a Go value as JSON. Keys of maps are sorted.
func AppendGo(dst []byte, v any) ([]byte, error) {
	switch v := v.(type) {
	case nil:
		return append(dst, "null"...), nil
	case string:
		if !utf8.ValidString(v) {
			return nil, fmt.Errorf("must be valid UTF-8")
		}
		dst, _ = appendQuoted(dst, v)
		return dst, nil
	case bool:
		return strconv.AppendBool(dst, v), nil
	case time.Time:
		return append(v.UTC().AppendFormat(append(dst, '"'), time.RFC3339Nano), '"'), nil
	case []byte:
		return append(base64.StdEncoding.AppendEncode(append(dst, '"'), v), '"'), nil
	case Value:
		if v.IsZero() {
			return append(dst, "null"...), nil
		}
		return append(dst, v.JSON()...), nil
	case []string:
		return appendSlice(dst, v)
	case []map[string]any:
		return appendSlice(dst, v)
	case []Value:
		return appendSlice(dst, v)
	case []any:
		return appendSlice(dst, v)
	case map[string]any:
		return appendMap(dst, v)
	}
	r := reflect.ValueOf(v)
	switch {
	case r.CanInt():
		return strconv.AppendInt(dst, r.Int(), 10), nil
	case r.CanUint():
		return strconv.AppendUint(dst, r.Uint(), 10), nil
	case r.CanFloat():
		if f := r.Float(); !math.IsInf(f, 0) && !math.IsNaN(f) {
			return appendFloat(dst, f), nil
		}
		return nil, fmt.Errorf("must be a finite number")
	case r.Kind() == reflect.String:
		return AppendGo(dst, r.String())
	case r.Kind() == reflect.Bool:
		return AppendGo(dst, r.Bool())
	}
	return nil, fmt.Errorf("was given a Go value of type %T, which has no SCIM form", v)
}

func appendSlice[E any](dst []byte, s []E) ([]byte, error) {
	dst = append(dst, '[')
	for i, e := range s {
		if i > 0 {
			dst = append(dst, ',')
		}
		var err error
		if dst, err = AppendGo(dst, e); err != nil {
			return nil, err
		}
	}
	return append(dst, ']'), nil
}

func appendMap(dst []byte, m map[string]any) ([]byte, error) {
	dst = append(dst, '{')
	for i, k := range slices.Sorted(maps.Keys(m)) {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst, _ = appendQuoted(dst, k)
		dst = append(dst, ':')
		var err error
		if dst, err = AppendGo(dst, m[k]); err != nil {
			return nil, err
		}
	}
	return append(dst, '}'), nil
}
