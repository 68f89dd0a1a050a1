package mapping

import (
	"encoding"
	"encoding/base64"
	"errors"
	"fmt"
	"math"
	"reflect"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/musterhq/muster/scim/resource"
	"github.com/musterhq/muster/scim/schema"
)

// codec carries a Go variable to and from the values of one attribute. The
// variable is given by a pointer to it, which an interface holds without a copy.
type codec struct {
	// load returns the variable's value, zero when it is unassigned.
	load func(p any) (resource.Value, error)
	// store sets the variable to a value that is assigned, or leaves it alone and
	// returns an error.
	store func(p any, v resource.Value) error
	// part, of a slice, returns what the variable can hold of an element: the
	// element itself when that is all of it, zero when nothing.
	part func(e resource.Value) resource.Value
}

// shape is what codecOf is asked for.
type shape struct {
	attr schema.Path
	max  int // characters of a text, 0 for no bound
	// one: a single element of the attribute, which is multi-valued.
	one bool
	// nullable: something around the variable says whether it is assigned, so
	// that an empty text is a value.
	nullable bool
}

// codecOf finds the codec of a Go type, which may be wrong for the attribute.
func codecOf(t reflect.Type, s shape) (codec, error) {
	a := s.attr.Attribute()
	switch {
	case t == reflect.TypeFor[resource.Value]():
		return anyValue(s), nil
	case a.MultiValued && !s.one:
		return sliceOf(t, s)
	case t.Kind() == reflect.Pointer && t.Name() == "":
		return pointerTo(t, s)
	case isNullable(t):
		return nullable(t, s)
	case a.Type == schema.Complex && s.one:
		return elementOf(t, s)
	}
	if c, ok := scalar(t, s); ok {
		return c, nil
	}
	return codec{}, mismatch(t, s.attr)
}

func mismatch(t reflect.Type, p schema.Path) error {
	a := p.Attribute()
	kind := a.Type.String()
	switch {
	case a.MultiValued:
		kind = "multi-valued " + kind
	case a.Type == schema.Complex:
		kind += "; declare fields for its parts"
	}
	return fmt.Errorf("a Go %s cannot hold the attribute %s, which is %s", t, p, kind)
}

// scalar finds the codec of a type that holds a single simple value.
func scalar(t reflect.Type, s shape) (codec, bool) {
	switch s.attr.Attribute().Type {
	case schema.String, schema.Reference:
		switch {
		case isTextual(t):
			return textual(s), true
		case t.Kind() == reflect.String:
			return based[string](t, text(s)), true
		}
	case schema.Boolean:
		if t.Kind() == reflect.Bool {
			return based[bool](t, boolean(s.attr)), true
		}
	case schema.Integer:
		return anyInteger(t, s.attr)
	case schema.Decimal:
		switch t.Kind() {
		case reflect.Float64:
			return based[float64](t, decimal[float64](s.attr)), true
		case reflect.Float32:
			return based[float32](t, decimal[float32](s.attr)), true
		}
	case schema.DateTime:
		if t == reflect.TypeFor[time.Time]() {
			return dateTime(s.attr), true
		}
	case schema.Binary:
		if t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Uint8 {
			return based[[]byte](t, binary(s.attr)), true
		}
	}
	return codec{}, false
}

// based makes a codec for B one for t, a type made of B.
func based[B any](t reflect.Type, c codec) codec {
	if t == reflect.TypeFor[B]() {
		return c
	}
	to := reflect.TypeFor[*B]()
	base := func(p any) any { return reflect.ValueOf(p).Convert(to).Interface() }
	return codec{
		load:  func(p any) (resource.Value, error) { return c.load(base(p)) },
		store: func(p any, v resource.Value) error { return c.store(base(p), v) },
	}
}

var errWrongType = errors.New("the value is not of the attribute's type")

// simple makes a codec of two conversions.
func simple[B any](load func(B) resource.Value, store func(resource.Value) (B, error)) codec {
	return codec{
		load: func(p any) (resource.Value, error) { return load(*p.(*B)), nil },
		store: func(p any, v resource.Value) error {
			b, err := store(v)
			if err == nil {
				*p.(*B) = b
			}
			return err
		},
	}
}

func text(s shape) codec {
	return simple(func(b string) resource.Value {
		if b == "" && !s.nullable {
			return resource.Value{}
		}
		return resource.Text(s.attr, b)
	}, func(v resource.Value) (string, error) {
		if err := fits(v, s.max); err != nil {
			return "", err
		}
		return v.Text(), nil
	})
}

// fits checks that v is a text of at most so many characters.
func fits(v resource.Value, characters int) error {
	switch b := v.Bytes(); {
	case v.Kind() != resource.KindText:
		return errWrongType
	case characters > 0 && len(b) > characters && utf8.RuneCount(b) > characters:
		return refuse("is longer than %d characters", characters)
	}
	return nil
}

func boolean(p schema.Path) codec {
	return simple(func(b bool) resource.Value { return resource.Boolean(p, b) },
		func(v resource.Value) (bool, error) {
			if v.Kind() != resource.KindBool {
				return false, errWrongType
			}
			return v.Bool(), nil
		})
}

func decimal[F float32 | float64](p schema.Path) codec {
	return codec{
		load: func(x any) (resource.Value, error) {
			f := float64(*x.(*F))
			if math.IsInf(f, 0) || math.IsNaN(f) {
				return resource.Value{}, errors.New("infinity and NaN have no JSON form")
			}
			return resource.Decimal(p, f), nil
		},
		store: func(x any, v resource.Value) error {
			f, ok := v.Float()
			switch {
			case !ok:
				return errWrongType
			case math.IsInf(float64(F(f)), 0):
				return refuse("is too large")
			}
			*x.(*F) = F(f)
			return nil
		},
	}
}

func dateTime(p schema.Path) codec {
	return simple(func(t time.Time) resource.Value {
		if t.IsZero() {
			return resource.Value{}
		}
		return resource.DateTime(p, t)
	}, func(v resource.Value) (time.Time, error) {
		t, ok := v.Time()
		if !ok {
			return t, errWrongType
		}
		return t, nil
	})
}

func binary(p schema.Path) codec {
	return simple(func(b []byte) resource.Value {
		if len(b) == 0 {
			return resource.Value{}
		}
		return resource.Binary(p, b)
	}, func(v resource.Value) ([]byte, error) {
		return base64.RawStdEncoding.DecodeString(strings.TrimRight(v.Text(), "="))
	})
}

// isTextual reports whether a type reads and writes itself as text.
func isTextual(t reflect.Type) bool {
	p := reflect.PointerTo(t)
	return p.Implements(reflect.TypeFor[encoding.TextMarshaler]()) && p.Implements(reflect.TypeFor[encoding.TextUnmarshaler]())
}

// textual is the codec of types such as uuid.UUID and netip.Addr.
func textual(s shape) codec {
	return codec{
		load: func(p any) (resource.Value, error) {
			if reflect.ValueOf(p).Elem().IsZero() {
				return resource.Value{}, nil
			}
			b, err := p.(encoding.TextMarshaler).MarshalText()
			if err != nil || len(b) == 0 && !s.nullable {
				return resource.Value{}, err
			}
			return resource.Text(s.attr, string(b)), nil
		},
		store: func(p any, v resource.Value) error {
			if err := fits(v, s.max); err != nil {
				return err
			}
			fresh := reflect.New(reflect.TypeOf(p).Elem())
			if err := fresh.Interface().(encoding.TextUnmarshaler).UnmarshalText([]byte(v.Text())); err != nil {
				return err
			}
			reflect.ValueOf(p).Elem().Set(fresh.Elem())
			return nil
		},
	}
}

// anyValue is the codec of resource.Value, which holds whatever the attribute
// does.
func anyValue(s shape) codec {
	return codec{
		load: func(p any) (resource.Value, error) {
			v := *p.(*resource.Value)
			if !v.IsZero() && v.Path() != s.attr {
				return resource.Value{}, fmt.Errorf("a value of %s stands where one of %s belongs", v.Path(), s.attr)
			}
			if !v.IsZero() && !s.one && s.attr.Attribute().MultiValued != (v.Kind() == resource.KindArray) {
				return resource.Value{}, fmt.Errorf("the value of %s is one element where all belong", s.attr)
			}
			return v, nil
		},
		store: func(p any, v resource.Value) error {
			*p.(*resource.Value) = v
			return nil
		},
	}
}
