package transcript

import (
	"encoding/json"
	"fmt"
	"math/big"
	"regexp"
	"slices"
	"strings"

	"github.com/musterhq/muster/internal/jsonvalue"
)

// matcher returns the operator and the argument of a matcher, or "" when want is
// a literal.
func matcher(want any) (op string, arg any) {
	object, _ := want.(map[string]any)
	if len(object) != 1 {
		return "", nil
	}
	for k, v := range object {
		if strings.HasPrefix(k, "$") && k != "$ref" {
			return k, v
		}
	}
	return "", nil
}

// checkMatcher reports an expected value that could never be checked: an unknown
// matcher or an argument of the wrong type.
func checkMatcher(raw json.RawMessage) error {
	want, err := jsonvalue.Decode(raw)
	if err != nil {
		return err
	}
	return checkWant(want)
}

func checkWant(want any) error {
	op, arg := matcher(want)
	ok := true
	switch op {
	case "":
	case "$exists", "$absent", "$empty":
		_, ok = arg.(bool)
	case "$type":
		name, _ := arg.(string)
		ok = slices.Contains([]string{"string", "number", "integer", "boolean", "array", "object", "null"}, name)
	case "$len", "$min":
		_, ok = arg.(json.Number)
	case "$set", "$oneOf":
		_, ok = arg.([]any)
	case "$ieq":
		_, ok = arg.(string)
	case "$regex":
		text, isText := arg.(string)
		if !isText {
			return fmt.Errorf("$regex needs a string")
		}
		_, err := regexp.Compile(text)
		return err
	case "$contains":
	case "$not":
		return checkWant(arg)
	default:
		return fmt.Errorf("there is no matcher %s", op)
	}
	if !ok {
		return fmt.Errorf("%s does not take %s", op, jsonvalue.Text(arg))
	}
	return nil
}

// matches reports whether got, which is there only if present, is as want says.
// want has passed checkWant.
func matches(want, got any, present bool) bool {
	assigned := present && got != nil
	op, arg := matcher(want)
	switch op {
	case "$exists":
		return assigned == arg
	case "$absent":
		return assigned != arg
	case "$empty":
		n, sized := size(got)
		return (!assigned || sized && n == 0) == arg
	case "$not":
		return !matches(arg, got, present)
	}
	if !present {
		return false
	}
	switch op {
	case "":
		return jsonvalue.Equal(want, got)
	case "$type":
		return hasType(got, arg.(string))
	case "$len":
		n, sized := size(got)
		return sized && jsonvalue.Equal(arg, json.Number(fmt.Sprint(n)))
	case "$min":
		g, ok := number(got)
		if !ok {
			return false
		}
		w, ok := number(arg)
		return ok && g.Cmp(w) >= 0
	case "$contains":
		if list, ok := got.([]any); ok {
			return slices.ContainsFunc(list, func(e any) bool { return jsonvalue.Equal(arg, e) })
		}
		text, ok1 := got.(string)
		part, ok2 := arg.(string)
		return ok1 && ok2 && strings.Contains(text, part)
	case "$set":
		list, ok := got.([]any)
		return ok && sameElements(arg.([]any), list)
	case "$oneOf":
		return slices.ContainsFunc(arg.([]any), func(w any) bool { return jsonvalue.Equal(w, got) })
	case "$regex":
		text, ok := got.(string)
		return ok && regexp.MustCompile(arg.(string)).MatchString(text)
	default: // $ieq
		text, ok := got.(string)
		return ok && strings.EqualFold(text, arg.(string))
	}
}

func size(v any) (n int, sized bool) {
	switch v := v.(type) {
	case string:
		return len([]rune(v)), true
	case []any:
		return len(v), true
	case map[string]any:
		return len(v), true
	}
	return 0, false
}

func number(v any) (*big.Rat, bool) {
	n, ok := v.(json.Number)
	if !ok {
		return nil, false
	}
	return jsonvalue.Rat(n)
}

func hasType(v any, name string) bool {
	switch v := v.(type) {
	case nil:
		return name == "null"
	case string:
		return name == "string"
	case bool:
		return name == "boolean"
	case []any:
		return name == "array"
	case map[string]any:
		return name == "object"
	case json.Number:
		// An integer is written without fraction and exponent: clients that read
		// totalResults into an integer type stumble over 1.0.
		return name == "number" || name == "integer" && !strings.ContainsAny(string(v), ".eE")
	}
	return false
}

// sameElements reports whether two lists hold the same values equally often.
func sameElements(a, b []any) bool {
	if len(a) != len(b) {
		return false
	}
	rest := slices.Clone(b)
	for _, x := range a {
		i := slices.IndexFunc(rest, func(y any) bool { return jsonvalue.Equal(x, y) })
		if i < 0 {
			return false
		}
		rest = slices.Delete(rest, i, i+1)
	}
	return true
}
