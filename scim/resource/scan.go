package resource

import (
	"unicode/utf8"
)

// scanner reads JSON text (RFC 8259). It is strict: UTF-8, no trailing commas,
// no lone surrogates, bounded depth. Its methods return false after an error,
// which is in reason and at; scanning ends there.
type scanner struct {
	data     []byte
	pos      int
	depth    int // open brackets
	maxDepth int
	reason   string
	at       int
}

func (s *scanner) fail(at int, reason string) bool {
	s.at, s.reason = at, reason
	return false
}

// next skips white space and returns the byte that follows, 0 at the end.
func (s *scanner) next() byte {
	for s.pos < len(s.data) {
		switch c := s.data[s.pos]; c {
		case ' ', '\n', '\r', '\t':
			s.pos++
		default:
			return c
		}
	}
	return 0
}

// unexpected fails at the present position.
func (s *scanner) unexpected(want string) bool {
	if s.pos >= len(s.data) {
		return s.fail(s.pos, "the text ends where "+want+" was expected")
	}
	return s.fail(s.pos, "this is not JSON; "+want+" was expected")
}

func (s *scanner) enter() bool {
	if s.depth++; s.depth > s.maxDepth {
		return s.fail(s.pos, "brackets are nested too deeply")
	}
	return true
}

// more stands behind an opening bracket (first) or behind a member or element.
// It goes to the next one; at the closing bracket it reads that and returns
// false with ok.
func (s *scanner) more(closing byte, first bool) (more, ok bool) {
	c := s.next()
	switch {
	case c == closing:
		s.pos++
		s.depth--
		return false, true
	case first:
		return true, true
	case c == ',':
		s.pos++
		if s.next() == closing {
			return false, s.fail(s.pos, "this is not JSON; a comma stands before a closing bracket")
		}
		return true, true
	}
	if closing == '}' {
		return false, s.unexpected("a comma or the end of the object")
	}
	return false, s.unexpected("a comma or the end of the array")
}

// name reads a member's name and the colon. esc says that raw, which is
// without its quotes, holds escapes.
func (s *scanner) name() (raw []byte, esc, ok bool) {
	if s.next() != '"' {
		return nil, false, s.unexpected("a name in quotes")
	}
	raw, what, ok := s.text()
	if !ok {
		return nil, false, false
	}
	if s.next() != ':' {
		return nil, false, s.unexpected("a colon")
	}
	s.pos++
	return raw, what != plain, true
}

// What a string literal holds, beyond characters that stand for themselves.
const (
	plain   = 0
	escapes = 1 << iota
	nul     // an escaped U+0000
)

// special are the bytes at which the scan of a string must look twice.
var special = func() (t [256]bool) {
	for c := range 0x20 {
		t[c] = true
	}
	t['"'], t['\\'] = true, true
	for c := 0x80; c < 0x100; c++ {
		t[c] = true
	}
	return t
}()

// text reads a string literal, whose opening quote is next, and returns what
// stands between the quotes.
func (s *scanner) text() (raw []byte, what int, ok bool) {
	start := s.pos
	i := start + 1
	data := s.data
	for {
		for i < len(data) && !special[data[i]] {
			i++
		}
		if i >= len(data) {
			return nil, 0, s.fail(len(data), "the text ends inside a string")
		}
		switch c := data[i]; {
		case c == '"':
			s.pos = i + 1
			return data[start+1 : i], what, true
		case c == '\\':
			n, zero := escapeLen(data[i:])
			if n == 0 {
				return nil, 0, s.fail(i, "a string holds an escape that JSON does not have")
			}
			what |= escapes
			if zero {
				what |= nul
			}
			i += n
		case c < 0x20:
			return nil, 0, s.fail(i, "a string holds a control character, which must be escaped")
		default:
			r, n := utf8.DecodeRune(data[i:])
			if r == utf8.RuneError && n == 1 {
				return nil, 0, s.fail(i, "the text is not valid UTF-8")
			}
			i += n
		}
	}
}

// number reads a number. integer says that it has neither fraction nor
// exponent.
func (s *scanner) number() (integer, ok bool) {
	start, i, data := s.pos, s.pos, s.data
	digits := func() bool {
		from := i
		for i < len(data) && '0' <= data[i] && data[i] <= '9' {
			i++
		}
		return i > from
	}
	if data[i] == '-' {
		i++
	}
	whole := i
	if !digits() || data[whole] == '0' && i > whole+1 {
		return false, s.fail(start, "this is not a JSON number")
	}
	integer = true
	if i < len(data) && data[i] == '.' {
		integer = false
		i++
		if !digits() {
			return false, s.fail(start, "this is not a JSON number")
		}
	}
	if i < len(data) && (data[i] == 'e' || data[i] == 'E') {
		integer = false
		i++
		if i < len(data) && (data[i] == '+' || data[i] == '-') {
			i++
		}
		if !digits() {
			return false, s.fail(start, "this is not a JSON number")
		}
	}
	s.pos = i
	return integer, true
}

// word reads one of the literals true, false and null.
func (s *scanner) word(w string) bool {
	if end := s.pos + len(w); end <= len(s.data) && string(s.data[s.pos:end]) == w {
		s.pos = end
		return true
	}
	return s.unexpected("a value")
}

// skip reads one value of any kind. Its recursion is bounded by maxDepth.
func (s *scanner) skip() bool {
	switch c := s.next(); c {
	case '"':
		_, _, ok := s.text()
		return ok
	case 't':
		return s.word("true")
	case 'f':
		return s.word("false")
	case 'n':
		return s.word("null")
	case '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9':
		_, ok := s.number()
		return ok
	case '{', '[':
		if !s.enter() {
			return false
		}
		s.pos++
		for first := true; ; first = false {
			more, ok := s.more(c+2, first) // '{'+2 is '}', '['+2 is ']'
			if !more {
				return ok
			}
			if c == '{' {
				if _, _, ok := s.name(); !ok {
					return false
				}
			}
			if !s.skip() {
				return false
			}
		}
	}
	return s.unexpected("a value")
}
