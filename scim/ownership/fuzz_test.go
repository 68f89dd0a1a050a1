package ownership_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/net/idna"
	"golang.org/x/text/unicode/norm"

	"github.com/musterhq/muster/scim"
	"github.com/musterhq/muster/scim/ownership"
	"github.com/musterhq/muster/storage/memory"
)

// FuzzAdoption has an identity provider send whatever it likes for an account whose
// address the host has verified. What is adopted must be that address by a reading of
// its own: the same text in front of one and only one "@", up to case and width, and
// behind it the tenant's one domain.
func FuzzAdoption(f *testing.F) {
	for _, seed := range [][4]string{
		{"ada@acme.example", "", "ada@acme.example", "acme.example"},
		{"ada", "ADA@ACME.example", "ada@acme.example", "Acme.Example."},
		{"ada@bücher.example", "", "ada@xn--bcher-kva.example", "bücher.example"},
		{"ada@evil.example@acme.example", "", "ada@acme.example", "acme.example"},
		{"ada＠evil.example@acme.example", "", "ada＠evil.example@acme.example", "acme.example"},
		{"ada@acme.example.", "", "ada@acme.example", "acme.example"},
		{"ada@mail.acme.example", "", "ada@mail.acme.example", "acme.example"},
		{"ada@acmе.example", "", "ada@acme.example", "acme.example"},
		{"@acme.example", "", "@acme.example", "acme.example"},
		{"12345", "", "12345", "12345"},
		{"", "", "", ""},
		{"ada@acme。example", "", "ada@acme.example", "acme.example"},
		{"\"a\"@acme.example", "", "a@acme.example", "acme.example"},
	} {
		f.Add(seed[0], seed[1], seed[2], seed[3])
	}
	srv, err := scim.New(memory.New(), scim.BearerToken("x"))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, userName, email, address, domain string) {
		if !utf8.ValidString(userName + email + address + domain) {
			return
		}
		sent := scim.NewResource(srv.Type("User")).Set("userName", userName)
		if email != "" {
			sent.Set("emails", []any{map[string]any{"type": "work", "value": email}})
		}
		account, err := scim.NewResource(srv.Type("User")).Set("userName", userName).Build()
		if err != nil {
			return
		}
		rule := ownership.Rule{Host: host, Domains: domains(domain), Verified: verified(address)}
		got, err := rule.Decide(t.Context(), &scim.Claim{
			Directory: srv.Directory(), Principal: scim.Principal{Tenant: acme, Connection: "okta"}, Type: srv.Type("User"), Attribute: "userName",
			Existing: scim.DirectoryEntry{Resource: account, Connection: host}, Sent: sent.Resource(),
		})
		if err != nil || got != scim.Adopt {
			return
		}
		if !sameAddress(address, userName) && !sameAddress(address, email) {
			t.Errorf("adopted: %q is verified, %q and %q were sent", address, userName, email)
		}
		if _, of, _ := strings.Cut(address, "@"); ascii(of) != ascii(domain) {
			t.Errorf("adopted: %q is not of the domain %q", address, domain)
		}
	})
}

// sameAddress compares two addresses as a reader would.
func sameAddress(a, b string) bool {
	localA, domainA, _ := strings.Cut(a, "@")
	localB, domainB, _ := strings.Cut(b, "@")
	return strings.Count(a, "@") == 1 && strings.Count(b, "@") == 1 && localA != "" && ascii(domainA) != "" &&
		ascii(domainA) == ascii(domainB) && strings.EqualFold(norm.NFKC.String(localA), norm.NFKC.String(localB))
}

// ascii is a domain in ASCII, "" for what is none.
func ascii(domain string) string {
	text, err := idna.New(idna.MapForLookup(), idna.Transitional(false)).ToASCII(strings.TrimSuffix(domain, "."))
	if err != nil {
		return ""
	}
	return strings.ToLower(strings.TrimSuffix(text, "."))
}

// FuzzChange changes the address of an owned user. What passes is no address, or one of
// the tenant's domain.
func FuzzChange(f *testing.F) {
	for _, seed := range [][2]string{
		{"bea@acme.example", "bea@acme.example"}, {"bea@evil.example", ""}, {"bea", "bea@evil.example"},
		{"bea@acme.example.evil", "@"}, {"", "bea@acme.example."}, {"0bea@ACME.example", "bea@@acme.example"},
	} {
		f.Add(seed[0], seed[1])
	}
	srv, err := scim.New(memory.New(), scim.BearerToken("x"))
	if err != nil {
		f.Fatal(err)
	}
	before, err := scim.NewResource(srv.Type("User")).Set("userName", "ada@acme.example").Build()
	if err != nil {
		f.Fatal(err)
	}
	rule := ownership.Rule{Host: host, Domains: domains("acme.example")}
	f.Fuzz(func(t *testing.T, userName, email string) {
		if !utf8.ValidString(userName + email) {
			return
		}
		b := scim.NewResource(srv.Type("User")).Set("userName", userName)
		if email != "" {
			b.Set("emails", []any{map[string]any{"value": email}})
		}
		after, err := b.Build()
		if err != nil {
			return
		}
		err = rule.Guard()(t.Context(), scim.Principal{Tenant: acme, Connection: "okta"}, []scim.Effect{{
			Kind: scim.Replace, Type: srv.Type("User"), ID: "1", Before: before, After: after,
		}})
		if err != nil {
			return
		}
		for _, text := range []string{userName, email} {
			// NFKC turns every character that stands for an "@" into one.
			_, domain, ok := strings.Cut(norm.NFKC.String(text), "@")
			if text == email && text != "" && !ok || ok && (strings.Contains(domain, "@") || ascii(domain) != "acme.example") {
				t.Errorf("%q passes", text)
			}
		}
	})
}
