package resource

import (
	"slices"
	"testing"

	"github.com/musterhq/muster/scim/schema"
)

// urnSpy accepts everything and remembers the URNs that it was told of.
type urnSpy struct{ listed []string }

func (s *urnSpy) Name(schema.Path, string) (schema.Path, bool) { return schema.Path{}, false }
func (s *urnSpy) Value(_ schema.Path, raw []byte, _ bool) ([]byte, bool) {
	return slices.Concat([]byte("["), raw, []byte("]")), true
}
func (s *urnSpy) Schemas(_ *schema.Type, listed []string) bool { s.listed = listed; return true }

func TestRepairIsToldOfTheSchemasAsListed(t *testing.T) {
	t.Parallel()
	typ := schema.MustCompile(schema.User())
	for _, test := range []struct {
		body string
		want []string
	}{
		{`{"schemas":["urn:a","urn:\u0062"],"userName":"ada"}`, []string{"urn:a", "urn:b"}},
		{`{"userName":"ada","schemas":"urn:a"}`, []string{"urn:a"}},
		{`{"userName":"ada","schemas":[]}`, nil},
		{`{"userName":"ada"}`, nil},
	} {
		spy := &urnSpy{}
		if _, err := Decode(typ, []byte(test.body), DecodeOptions{Repair: spy}); err != nil {
			t.Errorf("%s: %v", test.body, err)
		}
		if !slices.Equal(spy.listed, test.want) {
			t.Errorf("%s: told of %q, want %q", test.body, spy.listed, test.want)
		}
	}
}
