package resource

import (
	"unicode/utf16"
	"unicode/utf8"
)

// escapeLen returns the length of the escape at the start of b, or 0 when it
// is none or half of a surrogate pair. zero says that it means U+0000.
func escapeLen(b []byte) (n int, zero bool) {
	if len(b) < 2 {
		return 0, false
	}
	switch b[1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return 2, false
	case 'u':
		r := hex4(b[2:])
		switch {
		case r < 0:
			return 0, false
		case !utf16.IsSurrogate(r):
			return 6, r == 0
		case len(b) >= 12 && b[6] == '\\' && b[7] == 'u' && utf16.DecodeRune(r, hex4(b[8:])) != utf8.RuneError:
			return 12, false
		}
	}
	return 0, false
}

// hex4 decodes four hexadecimal digits; it is -1 when b does not start with
// them.
func hex4(b []byte) rune {
	if len(b) < 4 {
		return -1
	}
	var r rune
	for _, c := range b[:4] {
		switch {
		case '0' <= c && c <= '9':
			c -= '0'
		case 'a' <= c && c <= 'f':
			c -= 'a' - 10
		case 'A' <= c && c <= 'F':
			c -= 'A' - 10
		default:
			return -1
		}
		r = r<<4 | rune(c)
	}
	return r
}

// unescape appends the text that raw, the valid inside of a string literal,
// stands for.
func unescape(dst, raw []byte) []byte {
	for i := 0; i < len(raw); {
		if raw[i] != '\\' {
			dst = append(dst, raw[i])
			i++
			continue
		}
		c := raw[i+1]
		switch c {
		case 'b':
			c = '\b'
		case 'f':
			c = '\f'
		case 'n':
			c = '\n'
		case 'r':
			c = '\r'
		case 't':
			c = '\t'
		case 'u':
			r := hex4(raw[i+2:])
			i += 6
			if utf16.IsSurrogate(r) {
				r = utf16.DecodeRune(r, hex4(raw[i+2:]))
				i += 6
			}
			dst = utf8.AppendRune(dst, r)
			continue
		}
		dst = append(dst, c)
		i += 2
	}
	return dst
}

// appendQuoted appends s as a string literal with as few escapes as JSON allows,
// in one way only. Invalid UTF-8 becomes U+FFFD. esc says whether any escape
// was needed.
func appendQuoted[T string | []byte](dst []byte, s T) (_ []byte, esc bool) {
	const hex = "0123456789abcdef"
	dst = append(dst, '"')
	for i := 0; ; {
		from := i
		for i < len(s) && !special[s[i]] {
			i++
		}
		dst = append(dst, s[from:i]...)
		if i == len(s) {
			return append(dst, '"'), esc
		}
		c := s[i]
		if c >= utf8.RuneSelf {
			r, n := utf8.DecodeRuneInString(string(s[i:min(i+utf8.UTFMax, len(s))]))
			dst = utf8.AppendRune(dst, r)
			i += n
			continue
		}
		esc = true
		i++
		switch c {
		case '"', '\\':
			dst = append(dst, '\\', c)
		case '\b':
			dst = append(dst, '\\', 'b')
		case '\f':
			dst = append(dst, '\\', 'f')
		case '\n':
			dst = append(dst, '\\', 'n')
		case '\r':
			dst = append(dst, '\\', 'r')
		case '\t':
			dst = append(dst, '\\', 't')
		default:
			dst = append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		}
	}
}
