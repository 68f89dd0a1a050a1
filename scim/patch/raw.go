package patch

import (
	"bytes"

	"github.com/go-json-experiment/json/jsontext"
)

// unquote returns the text of a valid JSON string, without a copy when it has
// no escapes.
func unquote(raw []byte) []byte {
	if bytes.IndexByte(raw, '\\') < 0 {
		return raw[1 : len(raw)-1]
	}
	text, _ := jsontext.AppendUnquote(nil, raw) // the decoder has checked it
	return text
}

// foldEqual compares a key with a name of ASCII letters, ignoring case.
func foldEqual(key []byte, name string) bool {
	if len(key) != len(name) {
		return false
	}
	for i, c := range key {
		if c != name[i] && lower(c) != lower(name[i]) {
			return false
		}
	}
	return true
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		c += 'a' - 'A'
	}
	return c
}

// tooDeep reports whether arrays and objects of a JSON text nest deeper than
// max. Text that is not JSON is the decoder's to refuse.
func tooDeep(text []byte, max int) bool {
	if bytes.Count(text, []byte{'{'})+bytes.Count(text, []byte{'['}) <= max {
		return false
	}
	depth, quoted := 0, false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case quoted:
			if c == '\\' {
				i++
			} else if c == '"' {
				quoted = false
			}
		case c == '"':
			quoted = true
		case c == '{' || c == '[':
			if depth++; depth > max {
				return true
			}
		case c == '}' || c == ']':
			depth--
		}
	}
	return false
}

// isNull reports whether a raw value is null.
func isNull(raw []byte) bool { return len(raw) > 0 && raw[0] == 'n' }

// namesNothing reports whether a value says nothing: "", [], {}, and arrays and
// objects of nothing else, null included. The null by itself is for the caller
// to judge.
func namesNothing(raw []byte) bool {
	switch raw[0] {
	case '"':
		return len(raw) == 2
	case '[', '{':
		return saysNothing(jsontext.NewDecoder(bytes.NewBuffer(raw)))
	}
	return false
}

// saysNothing reads a value as far as it says nothing.
func saysNothing(dec *jsontext.Decoder) bool {
	switch dec.PeekKind() {
	case 'n':
		return dec.SkipValue() == nil
	case '"':
		text, err := dec.ReadValue()
		return err == nil && len(text) == 2
	case '[':
		_, err := dec.ReadToken()
		for err == nil && dec.PeekKind() != ']' {
			if !saysNothing(dec) {
				return false
			}
		}
	case '{':
		_, err := dec.ReadToken()
		for err == nil && dec.PeekKind() != '}' {
			if dec.SkipValue() != nil || !saysNothing(dec) {
				return false
			}
		}
	default:
		return false
	}
	_, err := dec.ReadToken()
	return err == nil
}
