package schema_test

import (
	"strings"
	"testing"

	"github.com/musterhq/muster/scim/schema"
)

const outerURN, innerURN = "urn:example:outer:2.0:Thing", "urn:example:inner:2.0:Thing"

func nesting(extensions ...schema.Extension) schema.ResourceType {
	return schema.ResourceType{
		Name: "Thing", Endpoint: "/Things", Extensions: extensions,
		Schema: &schema.Schema{ID: "urn:example:thing", Attributes: []schema.Attribute{{Name: "label"}}},
	}
}

func TestExtensionsInsideOthers(t *testing.T) {
	t.Parallel()
	outer := schema.Extension{Schema: &schema.Schema{ID: outerURN, Attributes: []schema.Attribute{{Name: "size"}}}}
	inner := schema.Extension{Schema: &schema.Schema{ID: innerURN, Attributes: []schema.Attribute{{Name: "key", Type: schema.Integer}}}, Within: strings.ToUpper(outerURN)}
	thing := schema.MustCompile(nesting(outer, inner))
	key := thing.MustResolve(innerURN + ":key")
	for name, want := range map[string]schema.Path{
		strings.ToLower(innerURN) + ":KEY": key,
		outerURN + ":" + innerURN + ":key": key,
		innerURN:                           key.Parent(),
		outerURN + ":" + innerURN:          key.Parent(),
		key.String():                       key,
		key.Parent().String():              key.Parent(),
		outerURN:                           key.Top(),
		outerURN + ":size":                 thing.MustResolve(outerURN + ":size"),
	} {
		if got, err := thing.Resolve(name); err != nil || got != want {
			t.Errorf("%s: %v, %v, want %v", name, got, err, want)
		}
	}
	for _, name := range []string{innerURN + ":size", outerURN + ":key", innerURN + ":" + outerURN + ":size", outerURN + ":" + outerURN + ":size"} {
		if got, err := thing.Resolve(name); err == nil {
			t.Errorf("%s reaches %v", name, got)
		}
	}
	if got := thing.Extensions(); len(got) != 1 || got[0].Name() != outerURN {
		t.Errorf("extensions at the top: %v", got)
	}
	for urn, want := range map[string]bool{outerURN: true, strings.ToUpper(innerURN): true, "urn:example:thing": false, "label": false, "urn:example:other": false} {
		if got := thing.HasExtension([]byte(urn)); got != want {
			t.Errorf("HasExtension(%s) = %v", urn, got)
		}
	}

	nothing := schema.Extension{Schema: &schema.Schema{ID: innerURN}, Within: outerURN}
	complexInner := schema.Extension{Within: outerURN, Schema: &schema.Schema{ID: innerURN, Attributes: []schema.Attribute{
		{Name: "deep", Type: schema.Complex, SubAttributes: []schema.Attribute{{Name: "x"}}}}}}
	top := schema.Extension{Schema: inner.Schema}
	for _, c := range []struct {
		name string
		d    schema.ResourceType
		want string
	}{
		{"without attributes", nesting(outer, nothing), ``},
		{"before the outer one", nesting(inner, outer), `must be an extension that is declared before it`},
		{"within nothing known", nesting(inner), `must be an extension that is declared before it`},
		{"twice", nesting(outer, inner, inner), `is declared twice`},
		{"at the top too", nesting(outer, top, inner), `both by itself and inside another one`},
		{"complex inside", nesting(outer, complexInner), `cannot have complex attributes`},
	} {
		_, err := schema.Compile(c.d)
		switch {
		case c.want == "" && err != nil:
			t.Errorf("%s: %v", c.name, err)
		case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%s: error %v, want one with %q", c.name, err, c.want)
		}
	}
}
