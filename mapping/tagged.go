package mapping

import (
	"errors"
	"fmt"
	"reflect"

	"github.com/musterhq/muster/scim/resource"
	"github.com/musterhq/muster/scim/schema"
)

// taggedFields makes fields of the tags of T, which has none unless it is a
// struct.
func taggedFields[T any](typ *schema.Type) ([]*field[T], error) {
	t := reflect.TypeFor[T]()
	if t.Kind() != reflect.Struct {
		return nil, nil
	}
	w := tagWalker[T]{typ: typ}
	err := w.structure(t, nil, "", "")
	return w.fields, err
}

type tagWalker[T any] struct {
	typ    *schema.Type
	fields []*field[T]
}

// structure adds the fields of a struct whose paths continue prefix.
func (w *tagWalker[T]) structure(t reflect.Type, index []int, prefix, name string) error {
	return walkTags(t, index, func(index []int, f reflect.StructField, tag fieldTag) error {
		tag.path = w.join(prefix, tag.path)
		name := name + f.Name
		if f.Type.Kind() == reflect.Struct && !isTextual(f.Type) && hasTags(f.Type) {
			if tag != (fieldTag{path: tag.path}) {
				return errors.New("a struct with a path is a group of fields and takes neither options nor a label")
			}
			return w.structure(f.Type, index, tag.path, name+".")
		}
		made, err := taggedField[T](index, f.Type, tag)
		if err != nil {
			return err
		}
		made.Name, made.Label = name, tag.label
		w.fields = append(w.fields, made)
		return nil
	})
}

// join continues a path. Behind the URN of an extension stands a colon.
func (w *tagWalker[T]) join(prefix, path string) string {
	if prefix == "" {
		return path
	}
	if p, err := w.typ.Resolve(prefix); err == nil && p.IsExtension() {
		return prefix + ":" + path
	}
	return prefix + "." + path
}

// taggedField makes a field of the struct field at index.
func taggedField[T any](index []int, t reflect.Type, tag fieldTag) (*field[T], error) {
	variable := func(x *T) reflect.Value { return reflect.ValueOf(x).Elem().FieldByIndex(index) }
	f := &field[T]{FieldInfo: FieldInfo{Path: tag.path, ReadOnly: tag.readOnly, WriteOnce: tag.writeOnce, Max: tag.max}, typ: t}
	f.read = func(x *T) any { return variable(x).Addr().Interface() }
	f.fresh = f.read
	f.isSet = func(x *T) bool { return !variable(x).IsZero() }
	f.clear = func(x *T) error {
		variable(x).SetZero()
		return nil
	}
	if tag.path == sidePath {
		if tag != (fieldTag{path: sidePath}) || t.Kind() != reflect.Slice || t.Elem().Kind() != reflect.Uint8 {
			return nil, fmt.Errorf("the side document is a []byte without options, not a %s", t)
		}
		f.side = func(x *T) *[]byte {
			return variable(x).Addr().Convert(reflect.TypeFor[*[]byte]()).Interface().(*[]byte)
		}
	}
	if tag.hasDefault {
		f.Default = true
		f.implied = func(p schema.Path) (resource.Value, error) { return literal(p, tag.fallback) }
	}
	return f, nil
}

// literal reads the default of a tag as a value of an attribute.
func literal(p schema.Path, text string) (resource.Value, error) {
	a := p.Attribute()
	switch {
	case a.MultiValued || a.Type == schema.Complex || a.Type == schema.Binary:
		return resource.Value{}, fmt.Errorf("a tag cannot hold a default for %s", p)
	case a.Type.IsText():
		return resource.Text(p, text), nil
	case a.Type == schema.DateTime:
		text = string(resource.Text(p, text).JSON())
	}
	v, err := resource.DecodeValue(p, []byte(text), false, resource.DecodeOptions{})
	if err != nil || v.IsZero() {
		return v, fmt.Errorf("the default is not a %s", a.Type)
	}
	return v, nil
}
