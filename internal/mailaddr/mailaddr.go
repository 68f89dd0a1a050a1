// Package mailaddr reads e-mail addresses as far as policy needs it: whose domain
// is it? It reads less than RFC 5321 allows, on purpose. An address that two programs
// could read differently has no domain here, so that nobody gets past a rule with it.
package mailaddr

import (
	"strings"
	"unicode/utf8"

	"golang.org/x/net/idna"
)

const (
	maxAddress = 254 // RFC 5321 section 4.5.3.1.3, without the angle brackets
	maxDomain  = 253 // RFC 1035 section 2.3.4, as text without the last dot
	maxLabel   = 63
)

// Domain returns the domain of an address in the form of [Canonical]. ok is false
// when it has none, or not without doubt: with no "@" or several, nothing in front of
// it, blanks, control characters, quotes, comments or a literal address.
func Domain(address string) (domain string, ok bool) {
	local, domain, ok := strings.Cut(address, "@")
	if !ok || local == "" || len(address) > maxAddress || strings.ContainsFunc(local, isOdd) {
		return "", false
	}
	return Canonical(domain)
}

// isOdd reports whether a character makes the part in front of the "@" doubtful.
func isOdd(r rune) bool {
	return r <= ' ' || r == 0x7f || strings.ContainsRune(`"(),:;<>[\]@`, r) || r == utf8.RuneError || r == '＠' || r == '﹫'
}

// Canonical returns the ASCII form of a domain in lower case, by which domains
// compare: "MÜNCHEN.example." and "xn--mnchen-3ya.example" are one. ok is false for
// what is no domain name.
func Canonical(domain string) (canonical string, ok bool) {
	canonical, err := idna.Lookup.ToASCII(domain)
	if err != nil || !utf8.ValidString(domain) {
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
