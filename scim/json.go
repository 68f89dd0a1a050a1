package scim

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// Reading the JSON of requests that carry no resource, searches and bulk requests,
// and writing strings.

// readMembers calls f with each member of a JSON object, its name in lower case.
func readMembers(data []byte, depth int, f func(name string, value jsontext.Value) error) error {
	if tooDeep(data, depth) {
		return badSyntax("the JSON is nested too deeply")
	}
	d := jsontext.NewDecoder(bytes.NewBuffer(data))
	tok, err := d.ReadToken()
	if err != nil || tok.Kind() != '{' {
		return badSyntax("the body must be a JSON object")
	}
	seen := map[string]bool{}
	for d.PeekKind() != '}' {
		tok, err := d.ReadToken()
		if err != nil {
			return badSyntax("the JSON is not well-formed, or names a member twice")
		}
		name := strings.ToLower(tok.String())
		if seen[name] {
			return badSyntax("the JSON names a member twice")
		}
		seen[name] = true
		value, err := d.ReadValue()
		if err != nil {
			return badSyntax("the JSON is not well-formed")
		}
		if err := f(name, value.Clone()); err != nil {
			return err
		}
	}
	if _, err := d.ReadToken(); err != nil {
		return badSyntax("the JSON is not well-formed")
	}
	if _, err := d.ReadToken(); !errors.Is(err, io.EOF) {
		return badSyntax("something follows the JSON object")
	}
	return nil
}

// tooDeep reports whether brackets nest beyond a depth, without recursion.
func tooDeep(data []byte, depth int) bool {
	open, text := 0, false
	for i := 0; i < len(data); i++ {
		switch c := data[i]; {
		case text && c == '\\':
			i++
		case c == '"':
			text = !text
		case text:
		case c == '{' || c == '[':
			if open++; open > depth+2 {
				return true
			}
		case c == '}' || c == ']':
			open--
		}
	}
	return false
}

func readStrings(value jsontext.Value, into *[]string) error {
	d := jsontext.NewDecoder(bytes.NewBuffer(value))
	if tok, err := d.ReadToken(); err != nil || tok.Kind() != '[' {
		return errors.New("no list")
	}
	for d.PeekKind() != ']' {
		tok, err := d.ReadToken()
		if err != nil || tok.Kind() != '"' {
			return errors.New("no string")
		}
		*into = append(*into, tok.String())
	}
	return nil
}

func badSyntax(detail string) error {
	return &Error{Status: http.StatusBadRequest, ScimType: InvalidSyntax, Detail: detail}
}

// appendJSONString writes s as JSON; bytes that are not UTF-8 are replaced.
func appendJSONString(dst []byte, s string) []byte {
	dst, err := jsontext.AppendQuote(dst, s)
	_ = err // invalid UTF-8 is replaced, which is all that can be wrong
	return dst
}
