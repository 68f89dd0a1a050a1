package mapping

import (
	"errors"
	"fmt"
	"reflect"

	"github.com/musterhq/muster/scim/resource"
	"github.com/musterhq/muster/scim/schema"
)

// sliceOf is the codec of []V for a multi-valued attribute.
func sliceOf(t reflect.Type, s shape) (codec, error) {
	if t.Kind() != reflect.Slice {
		return codec{}, fmt.Errorf("%w; it takes a slice, or a path to one of its elements", mismatch(t, s.attr))
	}
	s.one = true
	inner, err := codecOf(t.Elem(), s)
	if err != nil {
		return codec{}, err
	}
	if inner.part == nil { // an element that is a simple value
		inner.part = func(e resource.Value) resource.Value { return e }
	}
	return codec{
		part: inner.part,
		load: func(p any) (resource.Value, error) {
			slice := reflect.ValueOf(p).Elem()
			elements := make([]resource.Value, 0, slice.Len())
			for i := range slice.Len() {
				e, err := inner.load(slice.Index(i).Addr().Interface())
				if err != nil {
					return resource.Value{}, err
				}
				elements = append(elements, e)
			}
			return resource.Array(s.attr, elements...), nil
		},
		store: func(p any, v resource.Value) error {
			slice, n := reflect.MakeSlice(t, v.Len(), v.Len()), 0
			for e := range v.Elements() {
				held := inner.part(e)
				if held.IsZero() {
					continue
				}
				if err := inner.store(slice.Index(n).Addr().Interface(), held); err != nil {
					return err
				}
				n++
			}
			reflect.ValueOf(p).Elem().Set(slice.Slice(0, n))
			return nil
		},
	}, nil
}

// elementOf is the codec of one element of a complex multi-valued attribute: a
// struct with tags, or a simple value that stands for the sub-attribute "value".
func elementOf(t reflect.Type, s shape) (codec, error) {
	if t.Kind() == reflect.Struct && hasTags(t) {
		return taggedElement(t, s)
	}
	value, ok := s.attr.Lookup("value")
	if !ok {
		return codec{}, fmt.Errorf("the elements of %s have no sub-attribute \"value\" that a Go %s could hold", s.attr, t)
	}
	inner, err := codecOf(t, shape{attr: value, max: s.max, nullable: s.nullable})
	if err != nil {
		return codec{}, err
	}
	return element(s.attr, []elementPart{{value, inner, func(p any) any { return p }}}), nil
}

// taggedElement is the codec of a struct whose fields are sub-attributes.
func taggedElement(t reflect.Type, s shape) (codec, error) {
	var parts []elementPart
	err := walkTags(t, nil, func(index []int, f reflect.StructField, tag fieldTag) error {
		sub, ok := s.attr.Lookup(tag.path)
		switch {
		case !ok:
			return fmt.Errorf("%s has no sub-attribute %q", s.attr, tag.path)
		case tag.readOnly || tag.writeOnce || tag.hasDefault:
			return errors.New("a part of an element may have max, and no other option")
		}
		for _, p := range parts {
			if p.attr == sub {
				return fmt.Errorf("there is a field for %s already", sub)
			}
		}
		c, err := codecOf(f.Type, shape{attr: sub, max: tag.max})
		if err != nil {
			return err
		}
		parts = append(parts, elementPart{sub, c, func(p any) any {
			return reflect.ValueOf(p).Elem().FieldByIndex(index).Addr().Interface()
		}})
		return nil
	})
	if err != nil {
		return codec{}, err
	}
	return element(s.attr, parts), nil
}

// elementPart is the variable of one sub-attribute of an element.
type elementPart struct {
	attr schema.Path
	codec
	at func(p any) any
}

func element(p schema.Path, parts []elementPart) codec {
	return codec{
		part: func(e resource.Value) resource.Value {
			n := 0
			for _, part := range parts {
				if m := e.Get(part.attr); !m.IsZero() && !isEmptyText(m) {
					n++
				}
			}
			if n == e.Len() {
				return e
			}
			held := make([]resource.Value, 0, n)
			for _, part := range parts {
				if m := e.Get(part.attr); !isEmptyText(m) {
					held = append(held, m)
				}
			}
			return resource.Object(p, held...)
		},
		load: func(x any) (resource.Value, error) {
			members := make([]resource.Value, 0, len(parts))
			for _, part := range parts {
				m, err := part.load(part.at(x))
				if err != nil {
					return resource.Value{}, err
				}
				members = append(members, m)
			}
			return resource.Object(p, members...), nil
		},
		store: func(x any, e resource.Value) error {
			for _, part := range parts {
				m := e.Get(part.attr)
				if m.IsZero() {
					continue
				}
				if err := part.store(part.at(x), m); err != nil {
					return inPart(part.attr, err)
				}
			}
			return nil
		},
	}
}

// inPart says in which part of an element a value was refused.
func inPart(p schema.Path, err error) error {
	var r *refusal
	if errors.As(err, &r) {
		return &refusal{path: p.String(), detail: r.detail, cause: r.cause}
	}
	return &refusal{path: p.String(), detail: "has a value that is not accepted", cause: err}
}

// isEmptyText reports whether v is "", which a plain string cannot tell from
// what is unassigned.
func isEmptyText(v resource.Value) bool {
	return v.Kind() == resource.KindText && len(v.JSON()) == len(`""`)
}
