package transcript

import (
	"encoding/json"
	"fmt"
	"net/url"
	"regexp"
	"strings"

	"github.com/musterhq/muster/internal/jsonvalue"
)

var variable = regexp.MustCompile(`\$\{([A-Za-z_][A-Za-z0-9_]*)\}`)

// vars are the values of variables during one replay.
type vars map[string]string

// expand replaces the variables in text, each value passed through escape. A
// variable without a value is an error.
func (v vars) expand(text string, escape func(string) string) (string, error) {
	var missing string
	out := variable.ReplaceAllStringFunc(text, func(m string) string {
		name := m[2 : len(m)-1]
		value, ok := v[name]
		if !ok {
			missing = name
			return m
		}
		return escape(value)
	})
	if missing != "" {
		return "", fmt.Errorf("${%s} has no value: the step that saves it failed or stands later", missing)
	}
	return out, nil
}

// expandWant replaces the variables in the strings of an expected value.
func (v vars) expandWant(raw json.RawMessage) (any, error) {
	text, err := v.expand(string(raw), inJSON)
	if err != nil {
		return nil, err
	}
	return jsonvalue.Decode([]byte(text))
}

// inURL escapes a value for a path or a query: everything but unreserved
// characters (RFC 3986 section 2.3), so that one rule serves both.
func inURL(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }

// inJSON escapes a value for the inside of a JSON string.
func inJSON(s string) string {
	quoted := jsonvalue.Text(s)
	return quoted[1 : len(quoted)-1]
}

func asIs(s string) string { return s }
