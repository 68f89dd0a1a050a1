package vectors

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/musterhq/muster/internal/jsonvalue"
)

// Diff compares two representations of a resource and returns what differs, a
// line for each attribute, or "" when they say the same.
func Diff(want, got []byte) string {
	w, err := decodeObject(want)
	if err != nil {
		return "want: " + err.Error()
	}
	g, err := decodeObject(got)
	if err != nil {
		return "got: " + err.Error()
	}
	return diffObjects(normalizeResource(w), normalizeResource(g))
}

func decodeObject(data []byte) (map[string]any, error) {
	v, err := jsonvalue.Decode(data)
	if err != nil {
		return nil, err
	}
	object, ok := v.(map[string]any)
	if !ok {
		return nil, errors.New("not a JSON object")
	}
	return object, nil
}

// normalizeResource leaves out meta and everything unassigned, and puts array
// elements into an order of their own.
func normalizeResource(r map[string]any) map[string]any {
	r = maps.Clone(r)
	delete(r, "meta")
	if n, ok := normalize(r).(map[string]any); ok {
		return n
	}
	return map[string]any{}
}

// normalize returns nil for an unassigned value.
func normalize(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(v))
		for k, x := range v {
			if k == "primary" && x == false {
				continue
			}
			if x = normalize(x); x != nil {
				out[k] = x
			}
		}
		if len(out) == 0 {
			return nil
		}
		return out
	case []any:
		var out []any
		for _, x := range v {
			if x = normalize(x); x != nil {
				out = append(out, x)
			}
		}
		if len(out) == 0 {
			return nil
		}
		slices.SortFunc(out, func(a, b any) int { return strings.Compare(jsonvalue.Text(a), jsonvalue.Text(b)) })
		return out
	case json.Number:
		return jsonvalue.Canonical(v)
	}
	return v
}

func diffObjects(want, got map[string]any) string {
	var b strings.Builder
	keys := maps.Clone(want)
	maps.Copy(keys, got)
	for _, k := range slices.Sorted(maps.Keys(keys)) {
		if w, g := text(want, k), text(got, k); w != g {
			fmt.Fprintf(&b, "%s: want %s, got %s\n", k, w, g)
		}
	}
	return b.String()
}

func text(object map[string]any, key string) string {
	if v, ok := object[key]; ok {
		return jsonvalue.Text(v)
	}
	return "nothing"
}
