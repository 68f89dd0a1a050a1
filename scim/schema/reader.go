package schema

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// reader walks a JSON document and collects what is wrong with it. A value of
// the wrong kind is a problem and skipped; null is as good as absent; text that
// is not JSON ends the reading.
type reader struct {
	dec      *jsontext.Decoder
	problems []error
	fatal    error
}

func newReader(data []byte) *reader {
	return &reader{dec: jsontext.NewDecoder(bytes.NewReader(data))}
}

func (r *reader) bad(path, format string, args ...any) {
	if r.fatal != nil {
		return // what follows from a cut-off document is no news
	}
	if path == "" {
		path = "document"
	}
	r.problems = append(r.problems, fmt.Errorf("%s: %s", path, fmt.Sprintf(format, args...)))
}

// end returns all problems, one more if the document is not over.
func (r *reader) end() error {
	if r.fatal == nil {
		if _, err := r.dec.ReadToken(); err == nil {
			r.fatal = errors.New("there is more text after the JSON value")
		} else if err != io.EOF {
			r.fatal = err
		}
	}
	if r.fatal != nil {
		r.problems = append(r.problems, r.fatal)
	}
	return errors.Join(r.problems...)
}

// kind returns the kind of the value that follows, 0 when reading has ended.
func (r *reader) kind() jsontext.Kind {
	if r.fatal != nil {
		return 0
	}
	return r.dec.PeekKind()
}

func (r *reader) token() jsontext.Token {
	if r.fatal != nil {
		return jsontext.Null
	}
	t, err := r.dec.ReadToken()
	if err != nil {
		r.fatal = err
		if err == io.EOF {
			r.fatal = errors.New("the document is empty")
		}
		return jsontext.Null
	}
	return t
}

func (r *reader) skip() {
	if r.fatal == nil {
		r.fatal = r.dec.SkipValue()
	}
}

// expect reports whether a value of kind k follows. If not, it skips the value,
// which is a problem unless it is null.
func (r *reader) expect(path, what string, k jsontext.Kind) bool {
	switch got := r.kind(); got {
	case k:
		return true
	case 0: // the end, or no JSON: reading on says which
		r.token()
	case 'n':
		r.skip()
	default:
		r.bad(path, "must be %s", what)
		r.skip()
	}
	return false
}

// object calls member for each member, with the lower-case name; member reads
// the value.
func (r *reader) object(path string, member func(key string)) {
	if !r.expect(path, "an object", '{') {
		return
	}
	r.token()
	seen := map[string]bool{}
	for r.kind() == '"' {
		key := strings.ToLower(r.token().String())
		if seen[key] {
			r.bad(join(path, key), "given twice, in different letter case")
			r.skip()
			continue
		}
		seen[key] = true
		member(key)
	}
	r.token()
}

// array calls element for each element with its place; element reads it.
func (r *reader) array(path string, element func(path string)) {
	if !r.expect(path, "an array", '[') {
		return
	}
	r.token()
	for i := 0; r.kind() != ']' && r.fatal == nil; i++ {
		element(fmt.Sprintf("%s[%d]", path, i))
	}
	r.token()
}

func (r *reader) text(path string) string {
	if !r.expect(path, "a string", '"') {
		return ""
	}
	if t := r.token(); t.Kind() == '"' {
		return t.String()
	}
	return ""
}

func (r *reader) texts(path string) (list []string) {
	r.array(path, func(path string) {
		if s := r.text(path); s != "" {
			list = append(list, s)
		}
	})
	return list
}

func (r *reader) flag(path string) bool {
	switch r.kind() {
	case 't', 'f':
		return r.token().Kind() == 't' // Bool panics where the word is cut off
	}
	r.expect(path, "true or false", 't')
	return false
}

// word reads one of words and returns its position, 0 for null.
func (r *reader) word(path, what string, words []string) int {
	s := r.text(path)
	for i, w := range words {
		if sameName(w, s) {
			return i
		}
	}
	if s != "" {
		r.bad(path, "unknown %s %q; it must be %s or %s", what, s, strings.Join(words[:len(words)-1], ", "), words[len(words)-1])
	}
	return 0
}
