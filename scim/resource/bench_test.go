package resource_test

import (
	"encoding/json"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/musterhq/muster/scim/resource"
	"github.com/musterhq/muster/scim/schema"
)

// body is a user of 1.2 KB as Entra ID sends it.
func body(t testing.TB) []byte {
	t.Helper()
	b, err := os.ReadFile("testdata/user.json")
	if err != nil {
		t.Fatal(err)
	}
	// White space out: no client sends it.
	if err := (*jsontext.Value)(&b).Compact(); err != nil {
		t.Fatal(err)
	}
	return b
}

func must[T any](t testing.TB) func(v T, err error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

var aMeta = resource.Meta{
	ID: "2819c223-7f76-453a-919d-413861904646", Version: "3694e05e9dff590",
	Created: time.Date(2024, 2, 29, 12, 0, 0, 123456000, time.UTC), LastModified: time.Date(2024, 3, 1, 8, 30, 0, 0, time.UTC),
}

func BenchmarkDecode(b *testing.B) {
	data := body(b)
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := resource.Decode(userType, data, resource.DecodeOptions{}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkFloorMapDecode(b *testing.B) {
	data := body(b)
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		var m map[string]any
		if err := json.Unmarshal(data, &m); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDecodeEncode(b *testing.B) {
	data := body(b)
	view := &resource.View{BaseURL: "https://muster.example/scim/v2"}
	var dst []byte
	b.ReportAllocs()
	for b.Loop() {
		d, err := resource.Decode(userType, data, resource.DecodeOptions{})
		if err != nil {
			b.Fatal(err)
		}
		dst = resource.AppendJSON(dst[:0], d.Resource.WithMeta(aMeta), view)
	}
}

func BenchmarkFloorMapRoundTrip(b *testing.B) {
	data := body(b)
	b.ReportAllocs()
	for b.Loop() {
		var m map[string]any
		if err := json.Unmarshal(data, &m); err != nil {
			b.Fatal(err)
		}
		if _, err := json.Marshal(m); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkStored(b *testing.B) {
	d := must[*resource.Decoded](b)(resource.Decode(userType, body(b), resource.DecodeOptions{}))
	doc := d.Resource.Document()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := resource.Stored(userType, aMeta, doc); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkAppendJSON(b *testing.B) {
	d := must[*resource.Decoded](b)(resource.Decode(userType, body(b), resource.DecodeOptions{}))
	r := d.Resource.WithMeta(aMeta)
	for name, p := range map[string]*resource.Projection{
		"default":    nil,
		"attributes": resource.NewProjection(userType, []string{"userName", "emails.value"}, nil),
		"excluded":   resource.NewProjection(userType, nil, []string{"name.formatted", "roles"}),
	} {
		b.Run(name, func(b *testing.B) {
			view := &resource.View{BaseURL: "https://muster.example/scim/v2", Projection: p}
			var dst []byte
			b.ReportAllocs()
			for b.Loop() {
				dst = resource.AppendJSON(dst[:0], r, view)
			}
		})
	}
}

func BenchmarkGet(b *testing.B) {
	d := must[*resource.Decoded](b)(resource.Decode(userType, body(b), resource.DecodeOptions{}))
	for _, name := range []string{"userName", "emails.value", schema.EnterpriseUserURN + ":department"} {
		p := userType.MustResolve(name)
		b.Run(p.Name(), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if d.Resource.Get(p).Bytes() == nil {
					b.Fatal("absent")
				}
			}
		})
	}
}

func BenchmarkEdit(b *testing.B) {
	d := must[*resource.Decoded](b)(resource.Decode(userType, body(b), resource.DecodeOptions{}))
	active := userType.MustResolve("active")
	b.ReportAllocs()
	for b.Loop() {
		e := d.Resource.Edit()
		e.SetValue(active, resource.Boolean(active, false))
		if _, err := e.Build(); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkGroupOf1000(b *testing.B) {
	var raw []byte
	var members []resource.Member
	for i := range 1000 {
		id := fmt.Sprintf("2819c223-7f76-453a-919d-%012d", i)
		members = append(members, resource.Member{ID: id, Type: "User", Display: "Ines Falk"})
		raw = fmt.Appendf(raw, `,{"value":%q,"type":"User"}`, id)
	}
	raw[0] = '['
	raw = append(raw, ']')
	p := groupType.MustResolve("members")
	b.Run("decode", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if m, err := resource.DecodeMembers(p, raw, resource.DecodeOptions{}); err != nil || len(m) != 1000 {
				b.Fatal(err)
			}
		}
	})
	b.Run("encode", func(b *testing.B) {
		r := must[*resource.Resource](b)(resource.New(groupType).Meta(aMeta).Set("displayName", "Pilots").Build())
		view := &resource.View{BaseURL: base, Endpoint: endpoints, Relations: []resource.RelationView{{Path: p, Members: members}}}
		var dst []byte
		b.ReportAllocs()
		for b.Loop() {
			dst = resource.AppendJSON(dst[:0], r, view)
		}
	})
}
