// Package mailaddr reads e-mail addresses as far as policy needs it: whose domain
// is it? It reads less than RFC 5321 allows, on purpose. An address that two programs
// could read differently has no domain here, so that nobody gets past a rule with it.
package mailaddr

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/idna"
	"golang.org/x/text/unicode/norm"

	"github.com/musterhq/muster/scim/schema"
)

const (
	maxAddress = 254 // RFC 5321 section 4.5.3.1.3, without the angle brackets
	maxDomain  = 253 // RFC 1035 section 2.3.4, as text without the last dot
	maxLabel   = 63
)

// capitalSharpS is "ss" in domains by older tables and "ß" by newer ones.
const capitalSharpS = 'ẞ'

// Domain returns the domain of an address in the form of [Canonical]. ok is false
// when it has none, or not without doubt: with no "@" or several, nothing in front of
// it, blanks, control characters, characters that cannot be seen, quotes, comments or a
// literal address, also where a wide form of these stands for them.
func Domain(address string) (domain string, ok bool) {
	local, domain, ok := strings.Cut(address, "@")
	if !ok || local == "" || len(address) > maxAddress || strings.ContainsFunc(norm.NFKC.String(local), isOdd) {
		return "", false
	}
	return Canonical(domain)
}

// Key is the form by which addresses compare: upper case makes no difference, nor how
// a domain is written. Letters that are folded elsewhere and tell domains apart, such as
// the two forms of the Greek sigma, do make one. What has no domain is its own key.
func Key(address string) string {
	domain, ok := Domain(address)
	if !ok {
		return address
	}
	local, _, _ := strings.Cut(address, "@")
	return schema.Fold(local) + "@" + domain
}

// isOdd reports whether a character makes the part in front of the "@" doubtful.
func isOdd(r rune) bool {
	return unicode.IsControl(r) || unicode.IsSpace(r) || unicode.Is(unicode.Cf, r) ||
		strings.ContainsRune(`"(),:;<>[\]@`, r) || r == utf8.RuneError
}

// Canonical returns the ASCII form of a domain in lower case, by which domains
// compare: "MÜNCHEN.example." and "xn--mnchen-3ya.example" are one. ok is false for
// what is no domain name.
func Canonical(domain string) (canonical string, ok bool) {
	canonical, err := idna.Lookup.ToASCII(domain)
	if err != nil || !utf8.ValidString(domain) || strings.ContainsRune(domain, capitalSharpS) {
		return "", false
	}
	canonical = strings.TrimSuffix(canonical, ".")
	if len(canonical) > maxDomain {
		return "", false
	}
	for label := range strings.SplitSeq(canonical, ".") {
		if label == "" || len(label) > maxLabel {
			return "", false
		}
	}
	// Not every result is a domain by itself: a character that has no ASCII form
	// may come out as one that means nothing.
	again, err := idna.Lookup.ToASCII(canonical)
	if err != nil || again != canonical {
		return "", false
	}
	return canonical, true
}

// Within reports whether a domain is another one or lies below it. Both are
// canonical.
func Within(domain, parent string) bool {
	rest, ok := strings.CutSuffix(domain, parent)
	return ok && (rest == "" || strings.HasSuffix(rest, "."))
}
