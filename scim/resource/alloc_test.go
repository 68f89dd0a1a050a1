package resource_test

import (
	"testing"

	"github.com/musterhq/muster/scim/resource"
	"github.com/musterhq/muster/scim/schema"
)

// The figures are what the hot paths of a server count on. Decode needs 5; the race
// detector empties pools now and then.
func TestAllocations(t *testing.T) {
	data := body(t)
	user := must[*resource.Decoded](t)(resource.Decode(userType, data, resource.DecodeOptions{})).Resource.WithMeta(aMeta)
	doc := user.Document()
	name, value, work := userType.MustResolve("userName"), userType.MustResolve("emails.value"), userType.MustResolve("emails.type")
	emails, department := userType.MustResolve("emails"), userType.MustResolve(schema.EnterpriseUserURN+":department")
	view := &resource.View{BaseURL: base, Projection: resource.NewProjection(userType, []string{"userName", "emails.value", "meta"}, nil)}
	dst := make([]byte, 0, 4096)
	for _, c := range []struct {
		name string
		most float64
		run  func()
	}{
		{"Decode", 10, func() { resource.Decode(userType, data, resource.DecodeOptions{}) }},
		{"Stored", 4, func() { resource.Stored(userType, aMeta, doc) }},
		{"WithMeta", 1, func() { user.WithMeta(aMeta) }},
		{"AppendJSON", 0, func() { resource.AppendJSON(dst, user, nil) }},
		{"AppendJSON of a projection", 0, func() { resource.AppendJSON(dst, user, view) }},
		{"Get", 0, func() { user.Get(name).Bytes(); user.Get(value).Bytes(); user.Get(department).Bytes() }},
		{"Text", 1, func() { user.Get(name).Text() }},
		{"Elements", 0, func() {
			for e := range user.Get(emails).Elements() {
				if e.Get(work).Bytes() == nil {
					t.Error("no type")
				}
			}
		}},
		{"All", 0, func() {
			for v := range user.All(value) {
				if v.Bytes() == nil {
					t.Error("no value")
				}
			}
		}},
		{"Values", 0, func() {
			for v := range user.Values() {
				if v.Path().IsZero() {
					t.Error("no path")
				}
			}
		}},
		{"Equal", 0, func() { user.Equal(user) }},
	} {
		if got := testing.AllocsPerRun(100, c.run); got > c.most {
			t.Errorf("%s: %v allocations, at most %v are meant", c.name, got, c.most)
		}
	}
}

// A million resources are kept in memory as document and node table.
func TestKeptSizeIsSmall(t *testing.T) {
	t.Parallel()
	r := must[*resource.Decoded](t)(resource.Decode(userType, body(t), resource.DecodeOptions{})).Resource
	kept, text := resource.KeptBytes(r), len(r.Document())
	if ratio := float64(kept) / float64(text); ratio > 1.95 {
		t.Errorf("%d bytes are kept for %d bytes of JSON: %.2f", kept, text, ratio)
	} else {
		t.Logf("%d bytes are kept for %d bytes of JSON: %.2f", kept, text, ratio)
	}
}
