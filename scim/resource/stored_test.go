package resource_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/musterhq/muster/scim/resource"
	"github.com/musterhq/muster/scim/schema"
)

func TestStoredKeepsCanonicalBytes(t *testing.T) {
	t.Parallel()
	for _, doc := range []string{
		`{}`,
		`{"text":"a\"\n\u0001é","flag":true,"decimal":1.50,"integer":-1,"tags":["a"],"numbers":[1,2],"serial":"s","pin":"1","externalId":"e"}`,
		`{"ports":[{"value":"1","labels":["x","y"],"primary":true},{"value":"2"}],"` + extraURN + `":{"rack":{"unit":1},"links":[{"value":"v"}]}}`,
	} {
		b := []byte(doc)
		r := must[*resource.Resource](t)(resource.Stored(deviceType, aMeta, b))
		if got := r.Document(); &got[0] != &b[0] || len(got) != len(b) {
			t.Errorf("%s was copied, to %s", doc, got)
		}
		if r.Meta() != aMeta {
			t.Errorf("meta is %+v", r.Meta())
		}
	}
}

func TestStoredReadsWhatIsNotCanonical(t *testing.T) {
	t.Parallel()
	for doc, want := range map[string]string{
		` {"text" : "a"} `:                              `{"text":"a"}`,
		`{"TEXT":"a"}`:                                  `{"text":"a"}`,
		`{"text":"\u0041\/"}`:                           `{"text":"A/"}`,
		`{"text":"a\u001F"}`:                            `{"text":"a\u001f"}`,
		`{"text":null,"tags":[]}`:                       `{}`,
		`{"badge":{},"flag":true}`:                      `{"flag":true}`,
		`{"gone":1,"badge":{"gone":[{}],"number":"1"}}`: `{"badge":{"number":"1"}}`,
		`{"text":1,"flag":"x","integer":"1","tags":["a",5],"ports":"x","badge":[1],"ref":"r"}`:                      `{"tags":["a"],"ref":"r"}`,
		`{"text":"a","Text":"b","flag":true}`:                                                                       `{"text":"a","flag":true}`,
		`{"id":"1","meta":{},"schemas":["x"],"owners":[{"value":"1"}],"text":"a"}`:                                  `{"text":"a"}`,
		`{"serial":"s","badge":{"issued":"2024-02-29T12:00:00Z","Number":"1"}}`:                                     `{"serial":"s","badge":{"issued":"2024-02-29T12:00:00Z","number":"1"}}`,
		`{"tags":["a","A"],"ports":[{"value":"1","primary":true},{"value":"1","primary":true}], "time":"gone bad"}`: `{"tags":["a","A"],"ports":[{"value":"1","primary":true},{"value":"1","primary":true}],"time":"gone bad"}`,
		` {"text":"a\u0000","decimal":1e400,"integer":1.5}`:                                                         `{"text":"a\u0000","decimal":1e400,"integer":1.5}`,
		`{"urn:gone":{"x":1},"` + extraURN + `":{"gone":1,"site":"s"}}`:                                             `{"` + extraURN + `":{"site":"s"}}`,
	} {
		r := must[*resource.Resource](t)(resource.Stored(deviceType, resource.Meta{}, []byte(doc)))
		if d := cmp.Diff(want, string(r.Document())); d != "" {
			t.Errorf("%s: (-want +got)\n%s", doc, d)
		}
	}
}

func TestStoredRefusesWhatIsNoObject(t *testing.T) {
	t.Parallel()
	for _, doc := range []string{``, `null`, `[]`, `"x"`, `{`, `{"text"`, `{"text":`, `{"text":"a`, `{"text":"a"`, `{"text":"a",`, `{"tags":[`, `{"tags":["a"`, `{"badge":{`, `{"flag":t`, `{"integer":-`, `{"text":"a"}x`, "{\"text\":\"\xff\"}"} {
		if r, err := resource.Stored(deviceType, resource.Meta{}, []byte(doc)); err == nil {
			t.Errorf("%s: got %s", doc, r.Document())
		}
	}
}

func TestStoredFollowsTheSchema(t *testing.T) {
	t.Parallel()
	one := func(a schema.Attribute) *schema.Type {
		a.Name = "x"
		return schema.MustCompile(schema.ResourceType{Name: "T", Endpoint: "/T", Schema: &schema.Schema{ID: "urn:example:T", Attributes: []schema.Attribute{a, {Name: "y"}}}})
	}
	was := must[*resource.Resource](t)(resource.New(one(schema.Attribute{})).Set("x", "12").Set("y", "z").Build())
	for _, now := range []schema.Attribute{{Type: schema.Integer}, {Type: schema.Boolean}, {MultiValued: true}, {Type: schema.Complex, SubAttributes: []schema.Attribute{{Name: "x"}}}} {
		r := must[*resource.Resource](t)(resource.Stored(one(now), resource.Meta{}, was.Document()))
		if got := string(r.Document()); got != `{"y":"z"}` {
			t.Errorf("%v: got %s", now.Type, got)
		}
	}
	same := must[*resource.Resource](t)(resource.Stored(one(schema.Attribute{Type: schema.DateTime}), resource.Meta{}, was.Document()))
	if _, ok := same.Time("x"); ok || same.String("x") != "12" {
		t.Error("a text that is no dateTime reads as one")
	}
}

// A document notes which extensions it has; a type may have more than it notes.
func TestSchemasNameTheExtensionsThatHaveValues(t *testing.T) {
	t.Parallel()
	urn := func(i int) string { return fmt.Sprintf("urn:example:extension:%d", i) }
	of := schema.ResourceType{ID: "Wide", Name: "Wide", Endpoint: "/Wide", Schema: &schema.Schema{
		ID: "urn:example:wide", Attributes: []schema.Attribute{{Name: "name", Type: schema.String}},
	}}
	for i := range 40 {
		of.Extensions = append(of.Extensions, schema.Extension{Schema: &schema.Schema{
			ID: urn(i), Attributes: []schema.Attribute{{Name: "site", Type: schema.String}},
		}})
	}
	typ := schema.MustCompile(of)
	b := resource.New(typ).Set("name", "n")
	want := []string{"urn:example:wide"}
	for _, i := range []int{0, 7, 31, 32, 39} {
		b.Set(urn(i)+":site", "s")
		want = append(want, urn(i))
	}
	built := must[*resource.Resource](t)(b.Build())
	for name, r := range map[string]*resource.Resource{
		"built":   built,
		"stored":  must[*resource.Resource](t)(resource.Stored(typ, resource.Meta{}, built.Document())),
		"decoded": document(t, typ, string(built.Document())),
	} {
		if got := r.Schemas(); !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
		shown := `{"schemas":["` + strings.Join(want, `","`) + `"],`
		if got := string(resource.AppendJSON(nil, r, nil)); !strings.HasPrefix(got, shown) {
			t.Errorf("%s: shown as %s", name, got)
		}
	}
}
