package roles

import (
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/musterhq/muster/scim/resource"
)

// RoleValue is one value of the attribute roles.
type RoleValue struct {
	// Value is the value, out of its wrapping, without spaces around it.
	Value string
	// JSONText is whether the value came as the text of a JSON object, as Entra
	// ID writes it in an Add.
	JSONText bool
}

// RoleValues reads the attribute roles of a user in every shape that clients send:
// plain texts, objects with a value, and either with the text of a JSON object
// that has a value. The display of an object is never looked at. Texts of
// JSON whose value cannot be read say nothing known, and stand as they are.
func RoleValues(u *resource.Resource) []RoleValue {
	roles := u.Lookup("roles")
	if roles.IsZero() {
		return nil
	}
	path := roles.Path()
	var values []RoleValue
	for e := range roles.Elements() {
		if e.Kind() == resource.KindObject {
			value, ok := path.Lookup("value")
			if !ok {
				continue
			}
			e = e.Get(value)
		}
		values = append(values, RoleText(e.Text()))
	}
	return values
}

// RoleText reads one value of the attribute roles, for hosts that keep it
// elsewhere.
func RoleText(text string) RoleValue {
	text = strings.TrimSpace(text)
	if !strings.HasPrefix(text, "{") {
		return RoleValue{Value: text}
	}
	value, ok := valueMember(text)
	if !ok {
		return RoleValue{Value: text}
	}
	return RoleValue{Value: strings.TrimSpace(value), JSONText: true}
}

// valueMember returns the text of the member "value" of a JSON object; ok is false
// when the text is not one object with one such member.
func valueMember(text string) (value string, ok bool) {
	d := jsontext.NewDecoder(strings.NewReader(text))
	if t, err := d.ReadToken(); err != nil || t.Kind() != '{' {
		return "", false
	}
	for d.PeekKind() != '}' {
		name, err := d.ReadToken()
		if err != nil {
			return "", false
		}
		if lower(name.String()) != "value" {
			if d.SkipValue() != nil {
				return "", false
			}
			continue
		}
		if ok || d.PeekKind() != '"' {
			return "", false
		}
		t, err := d.ReadToken()
		if err != nil {
			return "", false
		}
		value, ok = t.String(), true
	}
	if _, err := d.ReadToken(); err != nil || strings.TrimSpace(text[d.InputOffset():]) != "" {
		return "", false
	}
	return value, ok
}
