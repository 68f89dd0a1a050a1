package schema

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
	"golang.org/x/text/width"
)

// Fold returns the key by which text compares where letter case does not
// matter: for uniqueness, for filters, for sorting and for indexes alike
// (RFC 7644 section 7.8 with RFC 8265). Two texts are the same to SCIM exactly
// when their keys are equal bytewise.
//
// Full-width and half-width forms become ordinary ones, the text is normalised
// to NFC, and every letter becomes one representative of those that differ in
// case only, lower case where there is one. The mapping is simple, one
// character for one, and knows no locale: "ß" is not "ss", and the Turkish
// dotless "ı" and dotted "İ" are letters of their own. Nothing is refused,
// trimmed or dropped.
//
// Folding twice is folding once. Bytes that are not UTF-8 stay as they are.
// Text that is folded already is returned without a copy when it is ASCII or in
// a common script, and ASCII text with capitals takes one allocation.
func Fold(s string) string {
	i := 0
	for i < len(s) && s[i] < utf8.RuneSelf && !isUpperASCII(s[i]) {
		i++
	}
	if i == len(s) {
		return s
	}
	if isASCII(s[i:]) {
		var b strings.Builder
		b.Grow(len(s))
		b.WriteString(s[:i])
		for ; i < len(s); i++ {
			b.WriteByte(lowerASCII(s[i]))
		}
		return b.String()
	}
	var buf [64]byte
	dst := AppendFold(buf[:0], []byte(s))
	if string(dst) == s {
		return s
	}
	return string(dst)
}

// AppendFold appends the bytes of Fold(string(s)) to dst and returns the
// extended slice. Beyond growing dst it allocates nothing for ASCII and for
// composed text in Latin, Cyrillic, Han, Hiragana, Katakana and Hangul. s is
// neither kept nor modified, and must not overlap what dst is extended into.
func AppendFold(dst, s []byte) []byte {
	prev := 0 // where the character before s[i:] starts, in s
	mark := len(dst)
	for i := 0; i < len(s); {
		if c := s[i]; c < utf8.RuneSelf {
			prev, mark = i, len(dst)
			dst = append(dst, lowerASCII(c))
			i++
			continue
		}
		r, n := utf8.DecodeRune(s[i:])
		if !isPlain(r) || n == 1 {
			// What follows may combine with the character before it.
			return append(dst[:mark], foldAny(s[prev:])...)
		}
		prev, mark = i, len(dst)
		dst = utf8.AppendRune(dst, foldRune(r))
		i += n
	}
	return dst
}

// isPlain reports whether r stands for itself in width mapping and NFC, and
// starts anew: no character before it can combine with it. The ranges are those
// of everyday names; characters outside are handled by foldAny.
func isPlain(r rune) bool {
	switch {
	case r < 0x0300: // Latin, but for the combining marks
		return true
	case r < 0x0400:
		return false
	case r < 0x0530: // Cyrillic, but for its combining marks
		return r < 0x0483 || r >= 0x048A
	case r < 0x3041:
		return false
	case r < 0x30FF: // Hiragana and Katakana, but for the sound marks between
		return r < 0x3097 || 0x30A1 <= r
	}
	return 0x4E00 <= r && r < 0xA000 || 0xAC00 <= r && r < 0xD7A4 // Han, Hangul syllables
}

// foldAny folds any text, into new memory.
func foldAny(s []byte) []byte {
	wide := make([]byte, 0, len(s)+utf8.UTFMax)
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRune(s[i:])
		if f := width.LookupRune(r).Folded(); f != 0 {
			wide = utf8.AppendRune(wide, f)
		} else {
			wide = append(wide, s[i:i+n]...)
		}
		i += n
	}
	if !norm.NFC.IsNormal(wide) {
		wide = norm.NFC.Bytes(wide)
	}
	out := make([]byte, 0, len(wide)+utf8.UTFMax)
	for i := 0; i < len(wide); {
		r, n := utf8.DecodeRune(wide[i:])
		if n == 1 { // ASCII, or a byte that is not UTF-8
			out = append(out, lowerASCII(wide[i]))
		} else {
			out = utf8.AppendRune(out, foldRune(r))
		}
		i += n
	}
	// A small letter may have a composed form where its capital has none: "J̌"
	// becomes "ǰ".
	if !norm.NFC.IsNormal(out) {
		out = norm.NFC.Bytes(out)
	}
	return out
}

// foldRune returns the representative of all characters that differ from r in
// case only: the first small letter among them, else the first of them.
func foldRune(r rune) rune {
	best := r
	for o := unicode.SimpleFold(r); o != r; o = unicode.SimpleFold(o) {
		if lo, lb := unicode.IsLower(o), unicode.IsLower(best); lo && !lb || lo == lb && o < best {
			best = o
		}
	}
	return best
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

func isUpperASCII(c byte) bool { return 'A' <= c && c <= 'Z' }
