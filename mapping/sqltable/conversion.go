package sqltable

import (
	"errors"
	"slices"

	"github.com/musterhq/muster/scim/schema"
)

// Conversion says how a column says what an attribute says. The zero Conversion
// takes values as they are.
type Conversion struct {
	// toHost and toSCIM convert values; a nil value is NULL and unassigned.
	toHost func(any) (any, error)
	toSCIM func(any) (any, error)
	// keep reports whether the column's value says already what is to be written, so
	// that it stays.
	keep func(host, scim any) bool
	// kinds are the columns that it fits.
	kinds []kind
	// isTrue is set for booleans: the condition, as SQL about a column of a kind,
	// under which it is true. It may be null, which is false.
	isTrue func(column string, k kind, arg func(any) string) string
}

func (c *Conversion) isZero() bool { return c.toSCIM == nil }

// Words is for a boolean, active as a rule, that a column of texts says in words,
// or one of integers in numbers: Words("enabled", "disabled"). Every other value,
// NULL too, is false, and stays what it is until the attribute becomes true: a user
// who is "locked" is not made "disabled" by an identity provider that says so.
func Words[W string | int](yes, no W) Conversion {
	word := func(w W) any {
		switch w := any(w).(type) {
		case int:
			return int64(w)
		default:
			return w
		}
	}
	c := boolean(word(yes), word(no), func(host any) bool { return host == word(yes) })
	c.kinds = []kind{kindText}
	if _, number := any(yes).(int); number {
		c.kinds = []kind{kindInteger}
	}
	c.isTrue = func(column string, _ kind, arg func(any) string) string { return column + " = " + arg(word(yes)) }
	return c
}

// Inverted is for a boolean column that says the opposite: disabled for active.
// NULL is false, and so active.
func Inverted() Conversion {
	c := boolean(false, true, func(host any) bool { return host == nil || host == false || host == int64(0) })
	c.kinds = []kind{kindBoolean, kindInteger}
	c.isTrue = func(column string, k kind, _ func(any) string) string {
		if k == kindInteger {
			return "coalesce(" + column + ", 0) = 0"
		}
		return column + " IS NOT TRUE"
	}
	return c
}

// NullIsTrue is for a time that stands for the end of something: deactivated_at for
// active. What is NULL is true; false writes the time, where there is none yet.
func NullIsTrue() Conversion {
	c := boolean(nil, Now, func(host any) bool { return host == nil })
	c.kinds = []kind{kindTime}
	c.isTrue = func(column string, _ kind, _ func(any) string) string { return column + " IS NULL" }
	return c
}

// boolean is a conversion of a boolean.
func boolean(yes, no any, is func(any) bool) Conversion {
	return Conversion{
		toHost: func(v any) (any, error) {
			if v == true {
				return yes, nil
			}
			return no, nil
		},
		toSCIM: func(host any) (any, error) { return is(host), nil },
		keep:   func(host, scim any) bool { return is(host) == (scim == true) },
	}
}

var errNoCounterpart = errors.New("the value has no counterpart in the column")

// OneOf is for a column that has other words for a few texts of an attribute: pairs
// are the attribute's text and the column's, in turn, such as
// OneOf("Employee", "E", "Contractor", "C"). Texts ignore case. An attribute's value
// that is not among them is refused (400); a column's is shown as unassigned.
// OneOf panics when a text has no counterpart.
func OneOf(pairs ...string) Conversion {
	if len(pairs)%2 != 0 {
		panic("sqltable: OneOf needs pairs of texts")
	}
	pairs = slices.Clone(pairs)
	return Conversion{
		toHost: func(v any) (any, error) {
			if v == nil {
				return nil, nil
			}
			text, _ := v.(string)
			for i := 0; i < len(pairs); i += 2 {
				if schema.Fold(pairs[i]) == schema.Fold(text) {
					return pairs[i+1], nil
				}
			}
			return nil, errNoCounterpart
		},
		toSCIM: func(host any) (any, error) {
			text, _ := host.(string)
			for i := 1; i < len(pairs); i += 2 {
				if pairs[i] == text {
					return pairs[i-1], nil
				}
			}
			return nil, nil
		},
		keep:  func(any, any) bool { return false },
		kinds: []kind{kindText},
	}
}
