package sqlplan

import (
	"unicode/utf8"

	"github.com/musterhq/muster/storage"
)

// exactLength is the length in bytes up to which a key is certainly whole.
const exactLength = storage.MaxKeyLength - utf8.UTFMax

// successor returns the least text that is greater than every text that begins
// with prefix. ok is false when there is none.
func successor(prefix string) (next string, ok bool) {
	for prefix != "" {
		r, n := utf8.DecodeLastRuneInString(prefix)
		prefix = prefix[:len(prefix)-n]
		switch {
		case r == utf8.MaxRune:
			continue
		case r == surrogateMin-1:
			r = surrogateMax
		}
		return prefix + string(r+1), true
	}
	return "", false
}

// Surrogates are no characters, so that none of them ends a text.
const (
	surrogateMin = 0xD800
	surrogateMax = 0xDFFF
)
