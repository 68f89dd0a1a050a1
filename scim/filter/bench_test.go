package filter_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/musterhq/muster/scim/filter"
	"github.com/musterhq/muster/scim/resource"
	"github.com/musterhq/muster/scim/schema"
)

// body is a user of 1.2 KB as Entra ID sends it.
func body(i int) []byte {
	return fmt.Appendf(nil, `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"],`+
		`"externalId":"3f2a9c1e-7b44-4d0a-9c55-%012[1]d","userName":"adele.vance%[1]d@contoso.example","active":true,`+
		`"displayName":"Adele Vance %[1]d","nickName":"Adele","title":"Retail Manager","preferredLanguage":"en-US","userType":"Member",`+
		`"name":{"formatted":"Adele Vance","familyName":"Vance","givenName":"Adele"},`+
		`"emails":[{"type":"work","value":"adele.vance%[1]d@contoso.example","primary":true},{"type":"home","value":"adele%[1]d@home.example"}],`+
		`"phoneNumbers":[{"type":"work","value":"+1 425 555 0109"},{"type":"mobile","value":"+1 425 555 0110"},{"type":"fax","value":"+1 425 555 0111"}],`+
		`"addresses":[{"type":"work","formatted":"18/2111","streetAddress":"18 Main Street","locality":"Bellevue","region":"WA","postalCode":"98004","country":"US"}],`+
		`"roles":[{"primary":true,"type":"WindowsAzureActiveDirectoryRole","value":"Admin","display":"Administrator"}],`+
		`"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"employeeNumber":"%06[1]d","costCenter":"4130","organization":"Contoso","division":"Retail","department":"Sales","manager":{"value":"26118915-6090-4610-87e4-49d8ca9f808d"}}}`, i)
}

const scanned = 10_000

func benchUsers(b *testing.B) (*schema.Type, []*resource.Resource) {
	b.Helper()
	typ := schema.MustCompile(schema.User(), schema.Group())
	users := make([]*resource.Resource, scanned)
	for i := range users {
		d, err := resource.Decode(typ, body(i), resource.DecodeOptions{})
		if err != nil {
			b.Fatal(err)
		}
		users[i] = d.Resource.WithMeta(resource.Meta{ID: fmt.Sprint("u", i)})
	}
	return typ, users
}

func BenchmarkParse(b *testing.B) {
	for _, c := range []struct{ name, text string }{
		{"Simple", `userName eq "bjensen@example.com"`},
		{"AndOrNot", `userType eq "Employee" and (emails co "example.com" or emails.value co "example.org") and not (active eq false)`},
		{"ValuePath", `emails[type eq "work" and value co "@example.com"] or ims[type eq "xmpp" and value co "@foo.com"]`},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := filter.Parse(c.text, filter.ParseOptions{}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkCompile(b *testing.B) {
	typ := schema.MustCompile(schema.User(), schema.Group())
	for _, c := range []struct{ name, text string }{
		{"Simple", `userName eq "bjensen@example.com"`},
		{"ValuePath", `emails[type eq "work" and value co "@example.com"]`},
	} {
		x, err := filter.Parse(c.text, filter.ParseOptions{})
		if err != nil {
			b.Fatal(err)
		}
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := filter.Compile(typ, x, filter.Options{}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkFloorMapDecode is what parsing is held against: at most 0.02 of it
// for the simple filter, 0.05 for the others.
func BenchmarkFloorMapDecode(b *testing.B) {
	data := body(1)
	b.ReportAllocs()
	for b.Loop() {
		var m map[string]any
		if err := json.Unmarshal(data, &m); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkScan evaluates a filter over 10,000 users, of which none matches
// unless the name says otherwise.
func BenchmarkScan(b *testing.B) {
	typ, users := benchUsers(b)
	for _, c := range []struct {
		name, text string
		matches    int
	}{
		{"ValuePath", `emails[type eq "work" and value co "@x"]`, 0},
		{"ValuePathAll", `emails[type eq "work" and value co "@contoso"]`, scanned},
		{"Equal", `userName eq "nobody@contoso.example"`, 0},
		{"Contains", `displayName co "smith"`, 0},
		{"Extension", `urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department eq "Marketing"`, 0},
		{"AndOrNot", `active eq true and not (title co "manager" or userType eq "Guest")`, 0},
	} {
		p := mustCompile(b, typ, c.text)
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				n := 0
				for _, u := range users {
					if p.Match(u, nil) {
						n++
					}
				}
				if n != c.matches {
					b.Fatalf("%d matches, want %d", n, c.matches)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/scanned, "ns/user")
		})
	}
}

// BenchmarkFloorTokenWalk is what BenchmarkScan/ValuePath is held against: at
// most 0.15 of it.
func BenchmarkFloorTokenWalk(b *testing.B) {
	_, users := benchUsers(b)
	b.ReportAllocs()
	r := bytes.NewReader(nil)
	d := jsontext.NewDecoder(r)
	for b.Loop() {
		for _, u := range users {
			r.Reset(u.Document())
			d.Reset(r)
			for {
				if _, err := d.ReadToken(); err == io.EOF {
					break
				} else if err != nil {
					b.Fatal(err)
				}
			}
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/scanned, "ns/user")
}
