// Package jsonvalue compares decoded JSON values in tests and tools, where the
// types of encoding/json are good enough: map[string]any, []any, string, bool,
// nil, and [json.Number] for numbers, so that what was written is kept.
package jsonvalue

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/big"
	"slices"
	"strconv"
	"strings"
)

// Decode decodes exactly one JSON value.
func Decode(data []byte) (any, error) {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		return nil, err
	}
	if _, err := dec.Token(); err != io.EOF {
		return nil, errors.New("more than one JSON value")
	}
	return v, nil
}

// DecodeStrict decodes exactly one JSON value into v and refuses members that v
// has no field for.
func DecodeStrict(data []byte, v any) error {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(v); err != nil {
		return err
	}
	if _, err := dec.Token(); err != io.EOF {
		return errors.New("more than one JSON value")
	}
	return nil
}

// Text prints a value as compact JSON with the keys of objects in order.
func Text(v any) string {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return fmt.Sprint(v)
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// Rat returns the exact value of a number. It fails for numbers of more than 60
// digits or places, which would take memory by their exponent.
func Rat(n json.Number) (*big.Rat, bool) {
	mantissa, exponent, _ := strings.Cut(strings.ToLower(string(n)), "e")
	e, err := strconv.Atoi(exponent)
	if exponent != "" && err != nil || e < -60 || e > 60 || len(mantissa) > 60 {
		return nil, false
	}
	return new(big.Rat).SetString(string(n))
}

// Canonical writes equal numbers alike: 1.50, 15e-1 and 1.5 become 1.5. Numbers
// that [Rat] refuses stay as they are.
func Canonical(n json.Number) json.Number {
	r, ok := Rat(n)
	if !ok {
		return n
	}
	places, _ := r.FloatPrec()
	return json.Number(r.FloatString(places))
}

// Equal compares two values: objects and arrays deeply, numbers by value.
func Equal(a, b any) bool {
	switch a := a.(type) {
	case map[string]any:
		b, ok := b.(map[string]any)
		if !ok || len(a) != len(b) {
			return false
		}
		for k, x := range a {
			y, ok := b[k]
			if !ok || !Equal(x, y) {
				return false
			}
		}
		return true
	case []any:
		b, ok := b.([]any)
		return ok && slices.EqualFunc(a, b, Equal)
	case json.Number:
		b, ok := b.(json.Number)
		return ok && Canonical(a) == Canonical(b)
	}
	return a == b
}
