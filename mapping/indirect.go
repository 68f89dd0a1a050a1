package mapping

import (
	"reflect"

	"github.com/musterhq/muster/scim/resource"
)

// pointerTo is the codec of *V: nil is unassigned.
func pointerTo(t reflect.Type, s shape) (codec, error) {
	s.nullable = true
	inner, err := codecOf(t.Elem(), s)
	if err != nil {
		return codec{}, err
	}
	return codec{
		part: inner.part,
		load: func(p any) (resource.Value, error) {
			at := reflect.ValueOf(p).Elem()
			if at.IsNil() {
				return resource.Value{}, nil
			}
			return inner.load(at.Interface())
		},
		store: func(p any, v resource.Value) error {
			fresh := reflect.New(t.Elem()) // never through a pointer that others may share
			if err := inner.store(fresh.Interface(), v); err != nil {
				return err
			}
			reflect.ValueOf(p).Elem().Set(fresh)
			return nil
		},
	}, nil
}

// isNullable reports whether a type is a value and whether it is valid, as
// sql.Null and its kin are, and the like of database drivers.
func isNullable(t reflect.Type) bool {
	return t.Kind() == reflect.Struct && t.NumField() == 2 &&
		t.Field(0).IsExported() && t.Field(1).Name == "Valid" && t.Field(1).Type.Kind() == reflect.Bool
}

// nullable is the codec of such a type.
func nullable(t reflect.Type, s shape) (codec, error) {
	s.nullable = true
	inner, err := codecOf(t.Field(0).Type, s)
	if err != nil {
		return codec{}, err
	}
	return codec{
		part: inner.part,
		load: func(p any) (resource.Value, error) {
			at := reflect.ValueOf(p).Elem()
			if !at.Field(1).Bool() {
				return resource.Value{}, nil
			}
			return inner.load(at.Field(0).Addr().Interface())
		},
		store: func(p any, v resource.Value) error {
			at := reflect.ValueOf(p).Elem()
			if err := inner.store(at.Field(0).Addr().Interface(), v); err != nil {
				return err
			}
			at.Field(1).SetBool(true)
			return nil
		},
	}, nil
}
