package filter

import (
	"strings"
	"unicode"
)

// tokenKind is the lexical class of a token.
type tokenKind uint8

const (
	tokEnd    tokenKind = iota
	tokWord             // a run without white space, quotes, brackets and parentheses
	tokString           // a JSON string with its quotes
	tokOpen             // (
	tokClose            // )
	tokOpenSquare
	tokCloseSquare
	tokUnterminated // a string whose closing quote is missing
)

// token is a piece of the text. Which words are names, operators, keywords or
// numbers depends on where they stand, so the parser decides that.
type token struct {
	kind   tokenKind
	spaced bool   // white space stands before it
	text   string // as written
	offset int
}

// lexer cuts a text into tokens. It never fails.
type lexer struct {
	text string
	pos  int
}

// next returns the token at the current position and moves behind it.
func (l *lexer) next() token {
	start := l.pos
	for l.pos < len(l.text) && isSpace(l.text[l.pos]) {
		l.pos++
	}
	t := token{spaced: l.pos > start, offset: l.pos}
	if l.pos == len(l.text) {
		return t
	}
	end := l.pos + 1
	switch l.text[l.pos] {
	case '(':
		t.kind = tokOpen
	case ')':
		t.kind = tokClose
	case '[':
		t.kind = tokOpenSquare
	case ']':
		t.kind = tokCloseSquare
	case '"':
		t.kind, end = l.stringEnd(end)
	default:
		t.kind = tokWord
		for end < len(l.text) && !isDelimiter(l.text[end]) {
			end++
		}
	}
	t.text = l.text[l.pos:end]
	l.pos = end
	return t
}

// stringEnd finds the end of a string whose first character is at position i.
func (l *lexer) stringEnd(i int) (tokenKind, int) {
	for ; i < len(l.text); i++ {
		switch l.text[i] {
		case '"':
			return tokString, i + 1
		case '\\':
			i++
		}
	}
	return tokUnterminated, len(l.text)
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }

func isDelimiter(c byte) bool {
	switch c {
	case '(', ')', '[', ']', '"', ' ', '\t', '\n', '\r':
		return true
	}
	return false
}

func isLetter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }
func isDigit(c byte) bool  { return '0' <= c && c <= '9' }

// isName reports whether s has the form of a name: "attr", "attr.sub", or a URN
// with or without them behind it. Where a URN ends only the schemas tell, so its
// parts are not told apart here.
func isName(s string) bool {
	if len(s) >= 4 && strings.EqualFold(s[:4], "urn:") {
		return isURNName(s)
	}
	first, sub, dotted := strings.Cut(s, ".")
	return isSegment(first) && (!dotted || isSegment(sub))
}

// isSegment reports whether s is one attribute name (RFC 7643 section 2.1, and
// "$ref", which its grammar forgets).
func isSegment(s string) bool {
	if s == "" || !isLetter(s[0]) {
		return strings.EqualFold(s, "$ref")
	}
	for i := 1; i < len(s); i++ {
		if c := s[i]; !isLetter(c) && !isDigit(c) && c != '-' && c != '_' && c != '$' {
			return false
		}
	}
	return true
}

// isURNName checks that the characters can stand in a URN and that nothing
// between separators is empty.
func isURNName(s string) bool {
	const start = len("urn:")
	prev, colons := byte(':'), 0
	for i := start; i < len(s); i++ {
		c := s[i]
		switch {
		case c == ':' || c == '.':
			if prev == ':' || prev == '.' {
				return false
			}
			if c == ':' {
				colons++
			}
		case c <= ' ' || c > '~' || strings.IndexByte(`\<>{}^|`+"`", c) >= 0:
			return false
		}
		prev = c
	}
	return colons > 0 && prev != ':' && prev != '.'
}

// isNumber reports whether s is a JSON number (RFC 8259 section 6).
func isNumber(s string) bool {
	s = strings.TrimPrefix(s, "-")
	switch {
	case s == "" || !isDigit(s[0]):
		return false
	case s[0] == '0':
		s = s[1:]
	default:
		s = skipDigits(s)
	}
	if s != "" && s[0] == '.' {
		rest := skipDigits(s[1:])
		if len(rest) == len(s)-1 {
			return false
		}
		s = rest
	}
	if s != "" && s[0]|0x20 == 'e' {
		s = s[1:]
		if s != "" && (s[0] == '+' || s[0] == '-') {
			s = s[1:]
		}
		rest := skipDigits(s)
		if len(rest) == len(s) {
			return false
		}
		s = rest
	}
	return s == ""
}

func skipDigits(s string) string {
	for s != "" && isDigit(s[0]) {
		s = s[1:]
	}
	return s
}

// isBareWord reports whether s may stand for a string without quotes.
func isBareWord(s string) bool {
	for _, r := range s {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("@._+-", r) {
			return false
		}
	}
	return keywordOf(s) == noKeyword
}

// keyword is one of the words that join terms.
type keyword uint8

const (
	noKeyword keyword = iota
	keyAnd
	keyOr
	keyNot
)

func keywordOf(s string) keyword {
	switch len(s) {
	case 2:
		if s[0]|0x20 == 'o' && s[1]|0x20 == 'r' {
			return keyOr
		}
	case 3:
		switch [3]byte{s[0] | 0x20, s[1] | 0x20, s[2] | 0x20} {
		case [3]byte{'a', 'n', 'd'}:
			return keyAnd
		case [3]byte{'n', 'o', 't'}:
			return keyNot
		}
	}
	return noKeyword
}

// opOf returns the operator that a word spells, in any case, or 0.
func opOf(s string) Op {
	if len(s) != 2 {
		return 0
	}
	switch [2]byte{s[0] | 0x20, s[1] | 0x20} {
	case [2]byte{'e', 'q'}:
		return Eq
	case [2]byte{'n', 'e'}:
		return Ne
	case [2]byte{'c', 'o'}:
		return Co
	case [2]byte{'s', 'w'}:
		return Sw
	case [2]byte{'e', 'w'}:
		return Ew
	case [2]byte{'g', 't'}:
		return Gt
	case [2]byte{'g', 'e'}:
		return Ge
	case [2]byte{'l', 't'}:
		return Lt
	case [2]byte{'l', 'e'}:
		return Le
	case [2]byte{'p', 'r'}:
		return Pr
	}
	return 0
}
