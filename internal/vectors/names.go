package vectors

import (
	"maps"
	"strings"
)

// names translates between the ids in the rows and the ids that a server gave.
type names struct {
	toServer, toRow map[string]string
}

func newNames() names { return names{map[string]string{}, map[string]string{}} }

func (n names) add(row, server string) {
	n.toServer[row] = server
	n.toRow[server] = row
}

func (n names) clone() names { return names{maps.Clone(n.toServer), maps.Clone(n.toRow)} }

// server translates the ids in a decoded JSON value: strings that are an id, and
// ids in double quotes inside a string, as filters have them.
func (n names) server(v any) any { return mapStrings(v, n.serverText) }

func (n names) serverText(s string) string {
	if id, ok := n.toServer[s]; ok {
		return id
	}
	if !strings.Contains(s, `"`) {
		return s
	}
	for row, id := range n.toServer {
		s = strings.ReplaceAll(s, `"`+row+`"`, `"`+id+`"`)
	}
	return s
}

// row translates the ids in an answer back.
func (n names) row(v any) any {
	return mapStrings(v, func(s string) string {
		if id, ok := n.toRow[s]; ok {
			return id
		}
		return s
	})
}

// mapStrings returns a copy of a decoded JSON value with every string value
// passed through f. Keys stay.
func mapStrings(v any, f func(string) string) any {
	switch v := v.(type) {
	case string:
		return f(v)
	case []any:
		out := make([]any, len(v))
		for i, x := range v {
			out[i] = mapStrings(x, f)
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(v))
		for k, x := range v {
			out[k] = mapStrings(x, f)
		}
		return out
	}
	return v
}
