package patch_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/musterhq/muster/scim/patch"
	"github.com/musterhq/muster/scim/resource"
)

// postBody is a user as an identity provider creates one, of some 1.2 KB.
const postBody = `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"],
"externalId":"3f1c9a52-5a0e-4a57-9d0c-2b7d5d0a8e11","userName":"maya.okafor@example.com","active":true,"displayName":"Maya Okafor","nickName":"May",
"name":{"formatted":"Maya Okafor","familyName":"Okafor","givenName":"Maya"},"title":"Survey Engineer","preferredLanguage":"en-GB","userType":"Employee",
"emails":[{"primary":true,"type":"work","value":"maya.okafor@example.com"},{"type":"other","value":"maya@home.example"}],
"phoneNumbers":[{"type":"work","value":"+47 22 55 01 00"},{"type":"mobile","value":"+47 91 55 01 00"},{"type":"fax","value":"+47 22 55 01 09"}],
"addresses":[{"type":"work","formatted":"8 Harbour Lane, Oslo","streetAddress":"8 Harbour Lane","locality":"Oslo","region":"Oslo","postalCode":"0150","country":"NO"}],
"roles":[{"primary":true,"value":"member","display":"Member","type":"WindowsAzureActiveDirectoryRole"}],
"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"employeeNumber":"E-1001","department":"Field Operations","division":"North","costCenter":"4711","organization":"Orchard","manager":{"value":"7b1f0c5e-3a7c-4c1e-8f59-20f4f5f0a001"}}}`

var patchBody = body(`[{"op":"replace","path":"active","value":false},{"op":"replace","path":"displayName","value":"Maya O. Okafor"}]`)

func postedUser(tb testing.TB) *resource.Resource {
	tb.Helper()
	d, err := resource.Decode(userType(), []byte(postBody), resource.DecodeOptions{})
	if err != nil {
		tb.Fatal(err)
	}
	return d.Resource
}

// The bar of a PATCH is set by decoding the body of a POST.
func BenchmarkFloorDecodePost(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := resource.Decode(userType(), []byte(postBody), resource.DecodeOptions{}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkFloorMapDecodePost(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		var m map[string]any
		if err := json.Unmarshal([]byte(postBody), &m); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkParse(b *testing.B) {
	for _, bench := range []struct {
		name string
		body []byte
	}{
		{"ActiveAndDisplayName", patchBody},
		{"Pathless", body(`[{"op":"replace","value":{"active":false,"displayName":"Maya O. Okafor"}}]`)},
		{"ValuePath", body(`[{"op":"replace","path":"emails[type eq \"work\"].value","value":"maya@x.example"}]`)},
	} {
		b.Run(bench.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := patch.Parse(userType(), bench.body, patch.ParseOptions{}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkParseAndApply(b *testing.B) {
	r := postedUser(b)
	for _, bench := range []struct {
		name string
		body []byte
	}{
		{"ActiveAndDisplayName", patchBody},
		{"ValuePath", body(`[{"op":"replace","path":"emails[type eq \"work\"].value","value":"maya@x.example"}]`)},
		{"Nothing", body(`[{"op":"replace","path":"active","value":true}]`)},
	} {
		b.Run(bench.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, _, err := do(r.Type(), r, nil, bench.body, patch.ParseOptions{}, patch.ApplyOptions{}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func memberList(n int) string {
	var b strings.Builder
	b.WriteByte('[')
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"value":"3f1c9a52-5a0e-4a57-9d0c-%012d"}`, i)
	}
	return b.String() + "]"
}

func foldOnce(tb testing.TB, body []byte) patch.LinkEdit {
	req, err := patch.Parse(groupType(), body, patch.ParseOptions{})
	if err != nil {
		tb.Fatal(err)
	}
	edit, err := patch.FoldLinks(req.Links()["members"], nil)
	if err != nil {
		tb.Fatal(err)
	}
	return edit
}

// Members in one operation, and each in an operation of its own; ns/member
// must not grow.
func BenchmarkFoldMembers(b *testing.B) {
	for _, n := range []int{1, 1000, 100_000} {
		b.Run(fmt.Sprintf("OneOperation/%d", n), func(b *testing.B) {
			body := body(`[{"op":"add","path":"members","value":` + memberList(n) + `}]`)
			for b.Loop() {
				foldOnce(b, body)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/member")
		})
	}
	for _, n := range []int{100, 10_000} {
		b.Run(fmt.Sprintf("OneEach/%d", n), func(b *testing.B) {
			var ops strings.Builder
			for i := range n {
				fmt.Fprintf(&ops, `,{"op":"add","path":"members","value":[{"value":"m%d"}]}`, i)
			}
			body := body("[" + ops.String()[1:] + "]")
			for b.Loop() {
				foldOnce(b, body)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/member")
		})
	}
}

func BenchmarkApplyLinks(b *testing.B) {
	for _, n := range []int{1000, 100_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			edit := foldOnce(b, body(`[{"op":"replace","path":"members","value":`+memberList(n)+`}]`))
			for b.Loop() {
				if _, changed := patch.ApplyLinks(edit.Add, edit); changed {
					b.Fatal("changed")
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/member")
		})
	}
}

// Elements of an attribute of the document; ns/element must not grow.
func BenchmarkAddElements(b *testing.B) {
	for _, n := range []int{100, 10_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			r, _ := parts(b, []byte(`{"userName":"lee"}`))
			ops := body(`[{"op":"add","path":"emails","value":` + memberList(n) + `}]`)
			for b.Loop() {
				if _, _, err := do(r.Type(), r, nil, ops, patch.ParseOptions{}, patch.ApplyOptions{}); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/element")
		})
	}
}
