package schema_test

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/musterhq/muster/scim/schema"
	"golang.org/x/text/unicode/norm"
	"golang.org/x/text/width"
	"pgregory.net/rapid"
)

func TestFoldMakesEqualWhatUsersTakeForEqual(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, a, b string }{
		{"ASCII case", "Bjensen@Example.COM", "bjensen@example.com"},
		{"accented capitals", "ÉCLAIR", "éclair"},
		{"composed and decomposed", "caf\u00e9", "cafe\u0301"},
		{"decomposed capital", "CAFE\u0301", "caf\u00e9"},
		{"full-width letters", "ＢＪｅｎｓｅｎ", "bjensen"},
		{"full-width digits and at sign", "ａ＠１．ｅｘａｍｐｌｅ", "a@1.example"},
		{"half-width katakana with sound mark", "ｶﾞ", "ガ"},
		{"half-width Hangul", "\uffa1", "\u3131"},
		{"Kelvin sign", "\u212a", "k"},
		{"Angstrom sign", "\u212b", "å"},
		{"Ohm sign", "\u2126", "ω"},
		{"long s", "ſtrauß", "STRAUß"},
		{"capital sharp s", "STRAẞE", "straße"},
		{"final sigma", "ΟΔΥΣΣΕΥΣ", "οδυσσευς"},
		{"micro sign and mu", "\u00b5", "Μ"},
		{"Cyrillic", "ЖУКОВ", "жуков"},
		{"Georgian", "ᲓᲐᲕᲘᲗ", "დავით"},
		{"Cherokee", "Ꭰ", "ꭰ"},
		{"title case digraph", "ǅ", "ǆ"},
		{"composed only in lower case", "J\u030c", "\u01f0"},
		{"iota below", "ᾼ", "ᾳ"},
		{"supplementary plane", "𐐀", "𐐨"},
		{"Hangul jamo", "\u1112\u1161\u11ab", "한"},
		{"order of marks", "a\u0323\u0307", "A\u0307\u0323"},
		{"mark after a fast run", "жуковe\u0301", "ЖУКОВÉ"},
		{"ideographic space", "a\u3000b", "a b"},
	}
	for _, test := range tests {
		if a, b := schema.Fold(test.a), schema.Fold(test.b); a != b {
			t.Errorf("%s: Fold(%+q) = %+q, Fold(%+q) = %+q", test.name, test.a, a, test.b, b)
		}
	}
}

func TestFoldKeepsApart(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, a, b string }{
		{"sharp s is not ss", "straße", "strasse"},
		{"dotless i", "ı", "i"},
		{"dotless i and capital I", "ı", "I"},
		{"dotted capital I", "İ", "i"},
		{"dotted capital I and I", "İ", "I"},
		{"ligature", "ﬁ", "fi"},
		{"accent", "é", "e"},
		{"spaces", " a", "a"},
		{"trailing space", "a ", "a"},
		{"superscript", "x²", "x2"},
		{"zero-width joiner", "a\u200d", "a"},
		{"Cyrillic a", "а", "a"},
		{"bad bytes", "a\xff", "a\xfe"},
		{"bad byte and replacement character", "a\xff", "a\ufffd"},
	}
	for _, test := range tests {
		if a, b := schema.Fold(test.a), schema.Fold(test.b); a == b {
			t.Errorf("%s: Fold(%+q) = Fold(%+q) = %+q", test.name, test.a, test.b, a)
		}
	}
}

func TestFoldGivesLowerCase(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"": "", "ABC": "abc", "K\u212a": "kk", "ſS": "ss", "İ": "İ", "i\u0307": "i\u0307", "I\u0307": "İ", "ÅÄÖ": "åäö",
	} {
		if got := schema.Fold(in); got != want {
			t.Errorf("Fold(%+q) = %+q, want %+q", in, got, want)
		}
	}
}

// Every character folds like all others of its case orbit, alone and before and
// after a combining mark, and folding is done after one time.
func TestFoldEveryCharacter(t *testing.T) {
	t.Parallel()
	for r := rune(0); r <= unicode.MaxRune; r++ {
		if !utf8.ValidRune(r) || r > 0x2ffff && r < 0xe0000 {
			continue
		}
		s := string(r)
		once := schema.Fold(s)
		if twice := schema.Fold(once); twice != once {
			t.Errorf("Fold(%+q) = %+q, folded again %+q", s, once, twice)
		}
		if !norm.NFC.IsNormalString(once) {
			t.Errorf("Fold(%+q) = %+q is not in NFC", s, once)
		}
		if want := schema.Fold(width.Fold.String(s)); once != want {
			t.Errorf("Fold(%+q) = %+q, its other width gives %+q", s, once, want)
		}
		if want := schema.Fold(norm.NFD.String(s)); once != want {
			t.Errorf("Fold(%+q) = %+q, decomposed gives %+q", s, once, want)
		}
		if o := unicode.SimpleFold(r); o != r && norm.NFC.IsNormalString(s) && norm.NFC.IsNormalString(string(o)) {
			if want := schema.Fold(string(o)); once != want {
				t.Errorf("Fold(%+q) = %+q, Fold(%+q) = %+q", s, once, string(o), want)
			}
		}
	}
}

func TestFoldLettersWithMarks(t *testing.T) {
	t.Parallel()
	marks := []rune{0x300, 0x301, 0x303, 0x307, 0x308, 0x30a, 0x30c, 0x313, 0x323, 0x327, 0x331, 0x342, 0x345, 0x3099}
	for r := rune(0); r < 0x20000; r++ {
		if !unicode.IsLetter(r) {
			continue
		}
		for _, m := range marks {
			s := string([]rune{r, m})
			once := schema.Fold(s)
			if twice := schema.Fold(once); twice != once {
				t.Errorf("Fold(%+q) = %+q, folded again %+q", s, once, twice)
			}
			if want := schema.Fold(norm.NFD.String(s)); once != want {
				t.Errorf("Fold(%+q) = %+q, decomposed gives %+q", s, once, want)
			}
		}
	}
}

// text draws strings in which the hard characters are common.
func text() *rapid.Generator[string] {
	hard := []rune("aAkKsSiIzZ ßẞſKıİéÉåÅΩςσΣᾳᾼͅάЖжꭰᎠǅǰＡａ１＠ｶﾞガ가각한ᄒ\u11ab\u0301\u0307\u0308\u030c\u0323\u0327\u3099漢\u200d\u00b5𐐀")
	return rapid.Custom(func(t *rapid.T) string {
		return rapid.StringOf(rapid.OneOf(rapid.SampledFrom(hard), rapid.Rune())).Draw(t, "text")
	})
}

func TestFoldProperties(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := text().Draw(t, "s")
		f := schema.Fold(s)
		if g := schema.Fold(f); g != f {
			t.Fatalf("Fold(%+q) = %+q, folded again %+q", s, f, g)
		}
		for _, form := range []norm.Form{norm.NFC, norm.NFD} {
			if g := schema.Fold(form.String(s)); g != f {
				t.Fatalf("Fold(%+q) = %+q, of the equivalent %+q %+q", s, f, form.String(s), g)
			}
		}
	})
}

func TestAppendFoldAgreesWithFold(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.OneOf(text(), rapid.Map(rapid.SliceOf(rapid.Byte()), func(b []byte) string { return string(b) })).Draw(t, "s")
		prefix := rapid.SampledFrom([]string{"", "key:", "KEY e"}).Draw(t, "prefix")
		in := []byte(s)
		got := schema.AppendFold([]byte(prefix), in)
		if want := prefix + schema.Fold(s); string(got) != want {
			t.Fatalf("AppendFold(%q, %+q) = %+q, want %+q", prefix, s, got, want)
		}
		if string(in) != s {
			t.Fatalf("AppendFold modified its input %+q to %+q", s, in)
		}
	})
}

func FuzzFold(f *testing.F) {
	for _, s := range []string{"", "bjensen", "BJensen", "ÉCLAIR", "e\u0301", "ｶﾞ", "a\xffe\u0301", "J\u030c", "\u0345\u0301", "x\u0345\u0345"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		once := schema.Fold(s)
		if twice := schema.Fold(once); twice != once {
			t.Errorf("Fold(%+q) = %+q, folded again %+q", s, once, twice)
		}
		if got := schema.AppendFold(nil, []byte(s)); string(got) != once {
			t.Errorf("AppendFold(%+q) = %+q, Fold gives %+q", s, got, once)
		}
	})
}

func TestFoldAllocations(t *testing.T) {
	long := strings.Repeat("Bjensen", 100)
	buf := make([]byte, 0, 4096)
	tests := []struct {
		name string
		run  func()
		want float64
	}{
		{"lower-case ASCII", func() { schema.Fold("bjensen@example.com") }, 0},
		{"folded Latin", func() { schema.Fold("françois") }, 0},
		{"folded Han", func() { schema.Fold("張偉") }, 0},
		{"ASCII with capitals", func() { schema.Fold("BJensen@example.com") }, 1},
		{"long ASCII with capitals", func() { schema.Fold(long) }, 1},
		{"Latin with capitals", func() { schema.Fold("François") }, 1},
		{"AppendFold of ASCII", func() { buf = schema.AppendFold(buf[:0], []byte("BJensen@example.com")) }, 0},
		{"AppendFold of Latin", func() { buf = schema.AppendFold(buf[:0], []byte("ÉCLAIR")) }, 0},
	}
	for _, test := range tests {
		if got := testing.AllocsPerRun(100, test.run); got > test.want {
			t.Errorf("%s: %v allocations, want %v", test.name, got, test.want)
		}
	}
}

func BenchmarkFold(b *testing.B) {
	for _, bench := range []struct{ name, s string }{
		{"lower", "barbara.jensen@example.com"},
		{"capitals", "Barbara.Jensen@Example.com"},
		{"latin", "François.Müller@example.com"},
		{"decomposed", "Franc\u0327ois"},
	} {
		b.Run(bench.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				schema.Fold(bench.s)
			}
		})
	}
}
