package mailaddr_test

import (
	"strings"
	"testing"

	"github.com/musterhq/muster/internal/mailaddr"
)

func TestDomain(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ address, want string }{
		{"ada@example.com", "example.com"},
		{"Ada.Lovelace+x@EXAMPLE.Com", "example.com"},
		{"ada@example.com.", "example.com"},
		{"ada@mail.example.com", "mail.example.com"},
		{"ada@MÜNCHEN.example", "xn--mnchen-3ya.example"},
		{"ada@xn--mnchen-3ya.example", "xn--mnchen-3ya.example"},
		{"ada@XN--MNCHEN-3YA.example", "xn--mnchen-3ya.example"},
		{"ada@mu\u0308nchen.example", "xn--mnchen-3ya.example"}, // decomposed
		{"ada@ｅｘａｍｐｌｅ.com", "example.com"},                      // full width
		{"ada@example。com", "example.com"},                      // ideographic full stop
		{"ada@exаmple.com", "xn--exmple-4nf.com"},               // a Cyrillic а is another domain
		{"åsa@example.com", "example.com"},

		{"", ""}, {"ada", ""}, {"@", ""}, {"@example.com", ""}, {"ada@", ""},
		{"ada@example.com@evil.example", ""},
		{"ada@evil.example@example.com", ""},
		{`"ada@evil.example"@example.com`, ""},
		{"ada＠evil.example@example.com", ""},
		{"ada@evil.example＠example.com", ""},
		{"ada@example.com,eve@evil.example", ""},
		{"<ada@example.com>", ""},
		{"ada @example.com", ""}, {" ada@example.com", ""}, {"ada@example.com ", ""},
		{"ada@example.com\n", ""}, {"ada\r\nbcc:eve@example.com", ""}, {"ada\x7f@example.com", ""},
		{"ada@[192.0.2.1]", ""}, {"ada@exa_mple.com", ""}, {"ada@example..com", ""}, {"ada@.example.com", ""},
		{"ada@.", ""}, {"ada@..", ""}, {"ada@xn--a.example", ""}, {"ada@-example.com", ""},
		{"ada@STRAẞE.example", ""}, {"ada\u200b@example.com", ""}, {"\u202eada@example.com", ""}, {"ada\u00a0@example.com", ""}, {"\u3000ada@example.com", ""},
		{"＜ada＞@example.com", ""}, {"＂ada＂@example.com", ""}, {"ada，eve@example.com", ""}, {"ada﹐eve@example.com", ""}, {"ada\u0085@example.com", ""},
		{"ada(comment)@example.com", ""}, {"ada@example.com(comment)", ""}, {"ada@example.com/x", ""}, {"ada@example.com%00", ""},
		{strings.Repeat("a", 250) + "@example.com", ""},
		{"ada@" + strings.Repeat("a", 64) + ".com", ""},
	} {
		got, ok := mailaddr.Domain(c.address)
		if got != c.want || ok != (c.want != "") {
			t.Errorf("%q: %q %v, want %q", c.address, got, ok, c.want)
		}
	}
}

func TestAddressesCompareByWhomTheyReach(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		a, b string
		same bool
	}{
		{"ada@example.com", "ADA@Example.COM.", true},
		{"ada@bücher.example", "Ada@xn--bcher-kva.example", true},
		{"ａda@example.com", "ada@example.com", true},
		{"ada@example.com", "bea@example.com", false},
		{"ada@example.com", "ada+x@example.com", false},
		{"ada@οδος.example", "ada@οδοσ.example", false}, // two domains, although the letters fold to one
		{"ada@straße.example", "ada@strasse.example", false},
		{"ada@ıo.example", "ada@io.example", false},
		{"ada", "ada", true},
		{"ada@", "ADA@", false},
	} {
		if got := mailaddr.Key(c.a) == mailaddr.Key(c.b); got != c.same {
			t.Errorf("%q and %q: %v", c.a, c.b, got)
		}
	}
}

func TestWithin(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		domain, parent string
		want           bool
	}{
		{"example.com", "example.com", true},
		{"mail.example.com", "example.com", true},
		{"a.b.example.com", "example.com", true},
		{"evilexample.com", "example.com", false},
		{"example.com.evil.example", "example.com", false},
		{"com", "example.com", false},
	} {
		if got := mailaddr.Within(c.domain, c.parent); got != c.want {
			t.Errorf("%s within %s: %v", c.domain, c.parent, got)
		}
	}
}

func FuzzDomain(f *testing.F) {
	for _, s := range []string{"ada@example.com", "ada@MÜNCHEN.example.", "a@b@c", `"a@b"@c`, "ada@xn--mnchen-3ya.example", "a@ß.example", "＠@a", "a@\u202e.example"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, address string) {
		domain, ok := mailaddr.Domain(address)
		if !ok {
			if domain != "" {
				t.Errorf("%q is refused and has the domain %q", address, domain)
			}
			return
		}
		if strings.Count(address, "@") != 1 || strings.ContainsAny(domain, "@ \r\n\x00") {
			t.Errorf("%q has the domain %q", address, domain)
		}
		if again, ok := mailaddr.Canonical(domain); !ok || again != domain {
			t.Errorf("%q: the canonical form of %q is %q", address, domain, again)
		}
		if upper, ok := mailaddr.Domain("x@" + strings.ToUpper(domain)); !ok || upper != domain {
			t.Errorf("%q: in capitals the domain is %q, not %q", address, upper, domain)
		}
	})
}
