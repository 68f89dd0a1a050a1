package mapping

import (
	"errors"
	"math"
	"reflect"

	"github.com/musterhq/muster/scim/resource"
	"github.com/musterhq/muster/scim/schema"
)

type integers interface {
	int | int8 | int16 | int32 | int64 | uint | uint8 | uint16 | uint32 | uint64
}

// anyInteger finds the codec of an integer type.
func anyInteger(t reflect.Type, p schema.Path) (codec, bool) {
	switch t.Kind() {
	case reflect.Int:
		return based[int](t, integer[int](p)), true
	case reflect.Int8:
		return based[int8](t, integer[int8](p)), true
	case reflect.Int16:
		return based[int16](t, integer[int16](p)), true
	case reflect.Int32:
		return based[int32](t, integer[int32](p)), true
	case reflect.Int64:
		return based[int64](t, integer[int64](p)), true
	case reflect.Uint:
		return based[uint](t, integer[uint](p)), true
	case reflect.Uint8:
		return based[uint8](t, integer[uint8](p)), true
	case reflect.Uint16:
		return based[uint16](t, integer[uint16](p)), true
	case reflect.Uint32:
		return based[uint32](t, integer[uint32](p)), true
	case reflect.Uint64:
		return based[uint64](t, integer[uint64](p)), true
	}
	return codec{}, false
}

func integer[I integers](p schema.Path) codec {
	return codec{
		load: func(x any) (resource.Value, error) {
			i := *x.(*I)
			if i > 0 && uint64(i) > math.MaxInt64 {
				return resource.Value{}, errors.New("the number does not fit 63 bits, which is what the attribute holds")
			}
			return resource.Integer(p, int64(i)), nil
		},
		store: func(x any, v resource.Value) error {
			n, ok := v.Int()
			switch i := I(n); {
			case !ok:
				return errWrongType
			case int64(i) != n || (i < 0) != (n < 0):
				return refuse("is a number out of range")
			default:
				*x.(*I) = i
			}
			return nil
		},
	}
}
