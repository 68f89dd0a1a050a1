package roles

import (
	"strings"
	"unicode"
)

// skeleton is what a name looks like: in ASCII as far as its characters look
// like ASCII ones, small, without what cannot be seen.
type skeleton struct {
	text    string
	changes []altered
}

// altered is a character that does not stand in the skeleton as it is.
type altered struct {
	at      int // where in the skeleton it would stand
	char    rune
	dropped bool
}

func newSkeleton(s string) skeleton {
	var (
		b  strings.Builder
		sk skeleton
	)
	start := len(s) - len(strings.TrimLeftFunc(s, unicode.IsSpace))
	end := len(strings.TrimRightFunc(s, unicode.IsSpace))
	for i, r := range s {
		like, seen := looksLike(r)
		switch {
		case i < start || i >= end || !seen:
			sk.changes = append(sk.changes, altered{b.Len(), r, true})
			continue
		case like != r:
			sk.changes = append(sk.changes, altered{b.Len(), r, false})
		case r <= unicode.MaxASCII && isCapital(byte(r)):
			like += 'a' - 'A'
		}
		b.WriteRune(like)
	}
	sk.text = b.String()
	return sk
}

// looksLike returns the small ASCII character that r looks like, or r when it
// looks like none; seen is false when it cannot be seen.
func looksLike(r rune) (like rune, seen bool) {
	switch {
	case r <= unicode.MaxASCII:
		return r, r >= ' ' && r != 0x7f
	case 0xFF01 <= r && r <= 0xFF5E: // full width
		return rune(lower(string(r - 0xFEE0))[0]), true
	case 0x1D400 <= r && r <= 0x1D6A3: // mathematical letters, 26 capitals and 26 small ones a style
		return 'a' + (r-0x1D400)%26, true
	case r == '\u00ad', r == '\u2212', r == '\u02d7', r == '\u2043', unicode.Is(unicode.Pd, r):
		return '-', true
	case unicode.IsSpace(r):
		return ' ', true
	case unicode.In(r, unicode.Cf, unicode.Cc, unicode.Variation_Selector), strings.ContainsRune("\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0", r):
		return 0, false
	}
	if i := strings.IndexRune(confused, r); i >= 0 {
		return confusedWith(i), true
	}
	return r, true
}

// confused are letters of other scripts that look like ASCII ones, in groups
// that begin with the ASCII character.
const confused = "" +
	"aаɑαΑА" + "bЬВΒƄ" + "cсϲСϹ" + "dԁɗ" + "eеєЕΕ" + "fϜƒ" + "gɡցԌ" + "hһНΗհ" +
	"iіıІΙίӏɩ" + "jјЈϳ" + "kкκКΚK" + "lⅼӀ" + "mмМΜⅿ" + "nпηΝո" + "oоοОΟօσ" + "pрρРΡ" +
	"qԛգ" + "rгʀᴦ" + "sѕЅſ" + "tтτТΤ" + "uυսʋ" + "vνѵѴ" + "wԝѡшω" + "xхχХΧ" + "yуүγУΥ" + "zᴢΖ" +
	"_＿‗" + ".․。" + ":ː꞉" + "/⁄∕"

// confusedWith returns the ASCII character in front of the one at an offset of
// confused.
func confusedWith(i int) rune {
	for confused[i] > unicode.MaxASCII {
		i--
	}
	return rune(confused[i])
}
