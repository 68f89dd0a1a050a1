package mapping

import (
	"encoding"
	"fmt"
	"reflect"
	"strconv"
	"time"

	"github.com/musterhq/muster/scim/resource"
)

// metaField is a field for id or a part of meta, which only the host sets.
type metaField[T any] struct {
	*field[T]
	into func(m *resource.Meta, at any) error
}

// bindMeta resolves a field whose target is id or lies in meta.
func (m *Mapping[T]) bindMeta(f *field[T]) error {
	c, p := m.typ.Common(), f.Target.Attr
	mf := metaField[T]{field: f}
	holds := isMetaText
	switch p {
	case c.ID:
		mf.into = func(m *resource.Meta, at any) (err error) {
			m.ID, err = metaText(at)
			return err
		}
	case c.Version:
		mf.into = func(m *resource.Meta, at any) (err error) {
			m.Version, err = metaText(at)
			return err
		}
	case c.Created:
		holds = isMetaTime
		mf.into = func(m *resource.Meta, at any) error {
			m.Created = metaTime(at)
			return nil
		}
	case c.LastModified:
		holds = isMetaTime
		mf.into = func(m *resource.Meta, at any) error {
			m.LastModified = metaTime(at)
			return nil
		}
	default:
		return fmt.Errorf("%s is the server's to make; id, meta.created, meta.lastModified and meta.version can be mapped", p)
	}
	switch {
	case !holds(f.typ):
		return mismatch(f.typ, p)
	case f.WriteOnce || f.Default || f.derived != nil || f.Max > 0:
		return fmt.Errorf("%s is the host's to give, so that it takes no options", p)
	}
	f.ReadOnly = true
	m.meta = append(m.meta, mf)
	return nil
}

// metaOf makes the Meta of src.
func (m *Mapping[T]) metaOf(src *T) (meta resource.Meta, err error) {
	for _, f := range m.meta {
		if at := f.read(src); at != nil {
			if err := f.into(&meta, at); err != nil {
				return meta, fieldError(f.field, err)
			}
		}
	}
	return meta, nil
}

// isMetaText reports whether an id or a version can be made of a type: a text, a
// number, a time, or what writes itself as text.
func isMetaText(t reflect.Type) bool {
	switch {
	case t.Kind() == reflect.Pointer:
		return isMetaText(t.Elem())
	case isNullable(t):
		return isMetaText(t.Field(0).Type)
	case t == reflect.TypeFor[time.Time](), isTextual(t), t.Kind() == reflect.String:
		return true
	}
	return reflect.Int <= t.Kind() && t.Kind() <= reflect.Uint64
}

// metaText writes what a pointer to such a type leads to; "" for what is not
// there.
func metaText(at any) (string, error) {
	switch p := at.(type) {
	case *string:
		return *p, nil
	case *int64:
		return strconv.FormatInt(*p, 10), nil
	case *time.Time:
		if p.IsZero() {
			return "", nil
		}
		return p.UTC().Format(time.RFC3339Nano), nil
	case encoding.TextMarshaler:
		if reflect.ValueOf(p).Elem().IsZero() {
			return "", nil
		}
		b, err := p.MarshalText()
		return string(b), err
	}
	v := reflect.ValueOf(at).Elem()
	switch {
	case v.Kind() == reflect.Pointer:
		if v.IsNil() {
			return "", nil
		}
		return metaText(v.Interface())
	case v.Kind() == reflect.Struct:
		if !v.Field(1).Bool() {
			return "", nil
		}
		return metaText(v.Field(0).Addr().Interface())
	case v.CanInt():
		return strconv.FormatInt(v.Int(), 10), nil
	case v.CanUint():
		return strconv.FormatUint(v.Uint(), 10), nil
	}
	return v.String(), nil
}

// isMetaTime reports whether a type holds a time.
func isMetaTime(t reflect.Type) bool {
	switch {
	case t.Kind() == reflect.Pointer:
		return isMetaTime(t.Elem())
	case isNullable(t):
		return isMetaTime(t.Field(0).Type)
	}
	return t == reflect.TypeFor[time.Time]()
}

// metaTime reads what a pointer to such a type leads to; zero for what is not
// there.
func metaTime(at any) time.Time {
	if t, ok := at.(*time.Time); ok {
		return *t
	}
	v := reflect.ValueOf(at).Elem()
	switch {
	case v.Kind() == reflect.Pointer && v.IsNil(), v.Kind() == reflect.Struct && !v.Field(1).Bool():
		return time.Time{}
	case v.Kind() == reflect.Pointer:
		return metaTime(v.Interface())
	}
	return metaTime(v.Field(0).Addr().Interface())
}

func fieldError[T any](f *field[T], err error) error {
	return fmt.Errorf("mapping: field %s (%s): %w", f.Name, f.Target, err)
}
