package filter

import (
	"bytes"
	"unicode/utf8"

	"github.com/musterhq/muster/scim/schema"
)

// compareText compares a text, or a key of any kind, with that of the operand.
func compareText(op Op, s, key []byte) bool {
	switch op {
	case Eq:
		return bytes.Equal(s, key)
	case Co:
		return bytes.Contains(s, key)
	case Sw:
		return bytes.HasPrefix(s, key)
	case Ew:
		return bytes.HasSuffix(s, key)
	}
	return compareOrder(op, bytes.Compare(s, key))
}

// compareOrder decides an operator by the outcome of a comparison.
func compareOrder(op Op, order int) bool {
	switch op {
	case Eq:
		return order == 0
	case Gt:
		return order > 0
	case Ge:
		return order >= 0
	case Lt:
		return order < 0
	case Le:
		return order <= 0
	}
	return false
}

// maxNaive is the length of a text to be found above which the plain search of
// containsLower, whose time grows with the product of both lengths, gives way to
// one that a hostile client cannot slow down.
const maxNaive = 64

// compareFolded compares s without regard to case; key is folded. ASCII, which
// nearly all text is, is folded on the way.
func compareFolded(op Op, s, key []byte) bool {
	if !isASCII(s) {
		var buf [128]byte
		return compareText(op, schema.AppendFold(buf[:0], s), key)
	}
	switch op {
	case Eq:
		return len(s) == len(key) && hasLowerPrefix(s, key)
	case Co:
		if len(key) > maxNaive {
			var buf [128]byte
			return bytes.Contains(schema.AppendFold(buf[:0], s), key)
		}
		return containsLower(s, key)
	case Sw:
		return len(s) >= len(key) && hasLowerPrefix(s, key)
	case Ew:
		return len(s) >= len(key) && hasLowerPrefix(s[len(s)-len(key):], key)
	}
	return compareOrder(op, compareLower(s, key))
}

func isASCII(s []byte) bool {
	for _, c := range s {
		if c >= utf8.RuneSelf {
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

// hasLowerPrefix reports whether s, which is not shorter than key, begins with
// it once it is in lower case.
func hasLowerPrefix(s, key []byte) bool {
	for i, c := range key {
		if lower(s[i]) != c {
			return false
		}
	}
	return true
}

func containsLower(s, key []byte) bool {
	if len(key) == 0 {
		return true
	}
	for i := range max(0, len(s)-len(key)+1) {
		if lower(s[i]) == key[0] && hasLowerPrefix(s[i:], key) {
			return true
		}
	}
	return false
}

func compareLower(s, key []byte) int {
	for i := range min(len(s), len(key)) {
		if c := lower(s[i]); c != key[i] {
			return int(c) - int(key[i])
		}
	}
	return len(s) - len(key)
}
