package mapping

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// fieldTag is a parsed struct tag.
type fieldTag struct {
	path                string
	label               string
	readOnly, writeOnce bool
	max                 int
	fallback            string // of the option default
	hasDefault          bool
}

// parseTag reads the whole tag of a struct field. ok is false when it has
// nothing to say about SCIM.
func parseTag(raw string) (tag fieldTag, ok bool, err error) {
	keys, err := tagKeys(raw)
	if err != nil {
		if strings.Contains(raw, "scim:") {
			return tag, false, err
		}
		return tag, false, nil // the tag of another package, which is not ours to judge
	}
	text, ok := keys["scim"]
	if !ok || text == "-" {
		return tag, false, nil
	}
	tag.label = keys["label"]
	path, options := cutPath(text)
	if path == "" {
		return tag, false, errors.New("the tag scim names no path; \"-\" says that the field is not mapped")
	}
	tag.path = path
	return tag, true, tag.parseOptions(options)
}

// tagKeys reads key:"value" pairs as package reflect does. It is stricter: what
// reflect would silently stop at is an error.
func tagKeys(raw string) (map[string]string, error) {
	keys := map[string]string{}
	for rest := strings.TrimLeft(raw, " "); rest != ""; rest = strings.TrimLeft(rest, " ") {
		key, quoted, ok := strings.Cut(rest, ":")
		if !ok || key == "" || strings.ContainsFunc(key, notInKey) || !strings.HasPrefix(quoted, `"`) {
			return nil, errors.New("the tag is cut short: it is no list of key:\"value\" from byte " +
				strconv.Itoa(len(raw)-len(rest)) + " on; inside the value texts stand in single quotes")
		}
		value, err := strconv.QuotedPrefix(quoted)
		if err != nil {
			return nil, fmt.Errorf("the value of %s in the tag has no closing quote", key)
		}
		text, err := strconv.Unquote(value)
		if err != nil {
			return nil, fmt.Errorf("the value of %s in the tag is no text in quotes", key)
		}
		if _, twice := keys[key]; twice {
			return nil, fmt.Errorf("%s stands twice in the tag", key)
		}
		keys[key] = text
		rest = quoted[len(value):]
		if rest != "" && rest[0] != ' ' {
			return nil, fmt.Errorf("the tag is cut short: %s ends at a double quote in the middle; inside the value texts stand in single quotes", key)
		}
	}
	return keys, nil
}

func notInKey(c rune) bool { return c <= ' ' || c == '"' || c == 0x7f }

// cutPath divides a tag at the first comma outside of brackets.
func cutPath(text string) (path, options string) {
	end := 0
	if i := strings.IndexAny(text, ",["); i >= 0 && text[i] == '[' {
		end = i
		for end < len(text) && text[end] != ']' {
			if text[end] == '\'' || text[end] == '"' {
				_, n, err := quoted(text[end:])
				if err != nil {
					return text, "" // what is wrong is for ParsePath to say
				}
				end += n
				continue
			}
			end++
		}
	}
	if i := strings.IndexByte(text[end:], ','); i >= 0 {
		return text[:end+i], text[end+i+1:]
	}
	return text, ""
}

func (t *fieldTag) parseOptions(options string) error {
	for options != "" {
		option, rest, _ := strings.Cut(options, ",")
		key, value, _ := strings.Cut(option, "=")
		switch {
		case option == "readonly":
			t.readOnly = true
		case option == "writeonce":
			t.writeOnce = true
		case key == "max":
			n, err := strconv.Atoi(value)
			if err != nil || n < 1 {
				return errors.New("the option max needs a positive number: max=50")
			}
			t.max = n
		case key == "default" && option != key:
			_, t.fallback, _ = strings.Cut(options, "=") // to the end, commas and all
			t.hasDefault, rest = true, ""
		default:
			return fmt.Errorf("a tag has no option %q; there are readonly, writeonce, max=… and default=…", key)
		}
		options = rest
	}
	return nil
}

// walkTags calls visit for every tagged field of a struct, those of embedded
// structs included, and joins the errors, each with the field's name. index
// leads from the outermost struct to the field.
func walkTags(t reflect.Type, index []int, visit func(index []int, f reflect.StructField, tag fieldTag) error) error {
	var problems []error
	for i := range t.NumField() {
		f := t.Field(i)
		at := append(slices.Clip(index), i)
		tag, ok, err := parseTag(string(f.Tag))
		switch {
		case err != nil:
		case ok && !f.IsExported():
			err = errors.New("is not exported, so that its tag means nothing")
		case ok:
			err = visit(at, f, tag)
		case f.Anonymous && f.Type.Kind() == reflect.Struct:
			if err := walkTags(f.Type, at, visit); err != nil {
				problems = append(problems, err)
			}
			continue
		case f.Anonymous && f.Type.Kind() == reflect.Pointer && f.Type.Elem().Kind() == reflect.Struct && hasTags(f.Type.Elem()):
			err = errors.New("is an embedded pointer, which may be nil; embed the struct itself")
		}
		if err != nil {
			problems = append(problems, fmt.Errorf("%s.%s: %w", t.Name(), f.Name, err))
		}
	}
	return errors.Join(problems...)
}

// hasTags reports whether a struct has fields with a tag of ours, right or wrong.
func hasTags(t reflect.Type) bool {
	for i := range t.NumField() {
		f := t.Field(i)
		if _, ok, err := parseTag(string(f.Tag)); ok || err != nil {
			return true
		}
		if f.Anonymous && f.Type.Kind() == reflect.Struct && hasTags(f.Type) {
			return true
		}
	}
	return false
}
