package transcript

import (
	"fmt"
	"strconv"
	"strings"
)

// A segment is one move of a path into a JSON value.
type segment struct {
	kind  segmentKind
	key   string // of member, and the sub-attribute of where
	value string // of where
	index int    // of element
}

type segmentKind uint8

const (
	member  segmentKind = iota // .key
	element                    // [3]
	every                      // [*]
	where                      // [key=value]
)

// parsePath reads a path. Its syntax is described in the package comment.
func parsePath(text string) ([]segment, error) {
	fail := func(at int, what string) ([]segment, error) {
		return nil, fmt.Errorf("path %s: offset %d: %s", text, at, what)
	}
	var path []segment
	for i := 0; i < len(text); {
		switch {
		case text[i] == '[':
			end := strings.IndexByte(text[i:], ']')
			if end < 0 {
				return fail(i, "no closing bracket")
			}
			s, ok := parseSelector(text[i+1 : i+end])
			if !ok {
				return fail(i, "brackets hold *, a number or key=value")
			}
			if len(path) == 0 {
				return fail(i, "a path starts with a key")
			}
			path = append(path, s)
			i += end + 1
			continue
		case text[i] == '.':
			if len(path) == 0 {
				return fail(i, "a path starts with a key")
			}
			i++
		case len(path) > 0:
			return fail(i, "expected . or [")
		}
		var key string
		if i < len(text) && text[i] == '"' {
			end := strings.IndexByte(text[i+1:], '"')
			if end < 0 {
				return fail(i, "no closing quote")
			}
			key = text[i+1 : i+1+end]
			i += end + 2
		} else {
			end := strings.IndexAny(text[i:], ".[")
			if end < 0 {
				end = len(text) - i
			}
			key = text[i : i+end]
			i += end
		}
		if key == "" {
			return fail(i, "empty key")
		}
		path = append(path, segment{kind: member, key: key})
	}
	if len(path) == 0 {
		return fail(0, "empty path")
	}
	return path, nil
}

func parseSelector(text string) (segment, bool) {
	if text == "*" {
		return segment{kind: every}, true
	}
	if key, value, ok := strings.Cut(text, "="); ok {
		return segment{kind: where, key: key, value: value}, key != ""
	}
	n, err := strconv.Atoi(text)
	return segment{kind: element, index: n}, err == nil && n >= 0
}

// lookup follows a path into a decoded JSON value. ok is false when there is
// nothing at the path. After [*] the result is a list of what the rest of the
// path finds in each element, elements without it left out.
func lookup(v any, path []segment) (found any, ok bool) {
	for i, s := range path {
		switch s.kind {
		case member:
			object, _ := v.(map[string]any)
			if v, ok = object[s.key]; !ok {
				return nil, false
			}
		case element:
			list, _ := v.([]any)
			if s.index >= len(list) {
				return nil, false
			}
			v = list[s.index]
		case every:
			list, isList := v.([]any)
			if !isList {
				return nil, false
			}
			all := []any{}
			for _, e := range list {
				if x, ok := lookup(e, path[i+1:]); ok {
					all = append(all, x)
				}
			}
			return all, true
		case where:
			list, _ := v.([]any)
			v, ok = firstWhere(list, s.key, s.value)
			if !ok {
				return nil, false
			}
		}
	}
	return v, true
}

// firstWhere returns the first object of a list whose member key, written as
// text, is value.
func firstWhere(list []any, key, value string) (any, bool) {
	for _, e := range list {
		object, _ := e.(map[string]any)
		x, ok := object[key]
		if ok && (x == value || fmt.Sprint(x) == value) {
			return e, true
		}
	}
	return nil, false
}
