package resource_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
	"pgregory.net/rapid"

	"github.com/musterhq/muster/scim/resource"
	"github.com/musterhq/muster/scim/schema"
)

// randomAttributes draws definitions; nested allows complex ones.
func randomAttributes(t *rapid.T, prefix string, nested bool) []schema.Attribute {
	types := []schema.DataType{schema.String, schema.Boolean, schema.Decimal, schema.Integer, schema.DateTime, schema.Binary, schema.Reference}
	if nested {
		types = append(types, schema.Complex, schema.Complex)
	}
	attributes := make([]schema.Attribute, rapid.IntRange(1, 6).Draw(t, "attributes"))
	for i := range attributes {
		a := &attributes[i]
		a.Name = fmt.Sprintf("%s%d", prefix, i)
		a.Type = rapid.SampledFrom(types).Draw(t, "type")
		a.MultiValued = rapid.Bool().Draw(t, "multiValued")
		a.Mutability = rapid.SampledFrom([]schema.Mutability{schema.ReadWrite, schema.ReadWrite, schema.Immutable, schema.WriteOnly}).Draw(t, "mutability")
		a.Returned = rapid.SampledFrom([]schema.Returned{schema.ReturnedDefault, schema.ReturnedDefault, schema.ReturnedAlways, schema.ReturnedRequest, schema.ReturnedNever}).Draw(t, "returned")
		if a.Mutability == schema.WriteOnly {
			a.Returned = schema.ReturnedNever
		}
		if a.Type == schema.String {
			a.CaseExact = rapid.Bool().Draw(t, "caseExact")
		}
		if a.Type == schema.Complex {
			a.SubAttributes = randomAttributes(t, a.Name+"x", false)
			a.SubAttributes = append(a.SubAttributes, schema.Attribute{Name: "primary", Type: schema.Boolean})
		}
	}
	return attributes
}

func randomType(t *rapid.T) *schema.Type {
	d := schema.ResourceType{Name: "R", Endpoint: "/Rs", Schema: &schema.Schema{ID: "urn:example:R", Attributes: randomAttributes(t, "a", true)}}
	if rapid.Bool().Draw(t, "extended") {
		d.Extensions = []schema.Extension{{Schema: &schema.Schema{ID: "urn:example:E", Attributes: randomAttributes(t, "e", true)}}}
	}
	return schema.MustCompile(d)
}

// randomValue draws the JSON of a value of p; element leaves the array out.
func randomValue(t *rapid.T, p schema.Path, element bool) string {
	a := p.Attribute()
	if a.MultiValued && !element {
		n := rapid.IntRange(0, 4).Draw(t, "elements")
		if rapid.IntRange(0, 9).Draw(t, "long") == 0 {
			n = 20
		}
		parts := make([]string, n)
		for i := range parts {
			parts[i] = randomValue(t, p, true)
		}
		return "[" + strings.Join(parts, ", ") + "]"
	}
	pick := func(s ...string) string { return rapid.SampledFrom(s).Draw(t, p.Name()) }
	switch a.Type {
	case schema.Boolean:
		return pick("true", "false", "null")
	case schema.Decimal:
		return pick("0", "-1.5", "1e3", "1000", "1E-7", "2.50")
	case schema.Integer:
		return pick("0", "-0", "42", "-9223372036854775808")
	case schema.DateTime:
		return pick(`"2024-02-29T12:00:00Z"`, `"2024-02-29T13:00:00+01:00"`, `"1999-12-31T23:59:59.999"`)
	case schema.Binary:
		return pick(`""`, `"aGVsbG8="`, `"aGVsbG8"`)
	case schema.Reference:
		return pick(`"https:\/\/a.example"`, `"../Users/1"`, `"x"`)
	case schema.Complex:
		return randomObject(t, p)
	}
	if rapid.Bool().Draw(t, "known") {
		return pick(`"a"`, `"A"`, `"\u0061"`, `""`, `"é"`, `"É"`, `"\n"`)
	}
	s, _ := json.Marshal(strings.ReplaceAll(rapid.String().Draw(t, "text"), "\x00", ""))
	return string(s)
}

func randomObject(t *rapid.T, p schema.Path) string {
	var members []string
	for _, i := range rapid.Permutation(indexes(p.NumChildren())).Draw(t, "order") {
		k := p.Child(i)
		if !k.InDocument() || rapid.IntRange(0, 2).Draw(t, "absent") == 0 || k.Name() == "primary" && p.Attribute().MultiValued {
			continue
		}
		name := k.Name()
		if rapid.Bool().Draw(t, "upper") {
			name = strings.ToUpper(name)
		}
		members = append(members, fmt.Sprintf("%q: %s", name, randomValue(t, k, false)))
	}
	return "{ " + strings.Join(members, " ,") + "}"
}

func indexes(n int) []int {
	s := make([]int, n)
	for i := range s {
		s[i] = i
	}
	return s
}

func randomResource(t *rapid.T, typ *schema.Type) *resource.Resource {
	body := randomObject(t, typ.Root())
	d, err := resource.Decode(typ, []byte(body), resource.DecodeOptions{Partial: true, RejectUnknown: true})
	if err != nil {
		t.Fatalf("%s: %v", body, err)
	}
	return d.Resource
}

func TestResourcesSurviveEveryRoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		typ := randomType(t)
		r := randomResource(t, typ)
		doc := r.Document()

		if c := jsontext.Value(bytes.Clone(doc)); !c.IsValid() || c.Compact() != nil || !bytes.Equal(c, doc) {
			t.Fatalf("%s is not compact JSON", doc)
		}
		again, err := resource.Decode(typ, doc, resource.DecodeOptions{Partial: true, RejectUnknown: true})
		if err != nil || !bytes.Equal(again.Resource.Document(), doc) {
			t.Fatalf("decoding %s again: %v", doc, err)
		}
		stored, err := resource.Stored(typ, resource.Meta{}, doc)
		if err != nil || &stored.Document()[0] != &doc[0] || !stored.Equal(r) {
			t.Fatalf("Stored(%s): %v", doc, err)
		}
		spaced := jsontext.Value(bytes.Clone(doc))
		if err := spaced.Indent(); err != nil {
			t.Fatal(err)
		}
		loose, err := resource.Stored(typ, resource.Meta{}, spaced)
		if err != nil || !bytes.Equal(loose.Document(), doc) {
			t.Fatalf("Stored with white space: %v", err)
		}
		for v := range r.Values() {
			w, err := resource.DecodeValue(v.Path(), v.JSON(), false, partial)
			if err != nil || !w.Equal(v) || !w.Same(v) || w.Path() != v.Path() || !r.Get(v.Path()).Equal(v) {
				t.Fatalf("%s alone: %v", v.Path(), err)
			}
		}
	})
}

func TestEditingIsChangingTheJSON(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		typ := randomType(t)
		r := randomResource(t, typ)
		tree := plain(t, r.Document()).(map[string]any)
		b := r.Edit()
		for range rapid.IntRange(1, 5).Draw(t, "edits") {
			p := randomSettable(t, typ.Root())
			v, err := resource.DecodeValue(p, []byte(randomValue(t, p, false)), false, partial)
			if err != nil {
				t.Fatal(err)
			}
			b.SetValue(p, v)
			if !b.Value(p).Equal(v) {
				t.Fatalf("%s is %s after it was set to %s", p, b.Value(p).JSON(), v.JSON())
			}
			put(t, tree, p, v)
		}
		want, err := json.Marshal(tree)
		if err != nil {
			t.Fatal(err)
		}
		edited := b.Resource()
		direct, err := resource.Stored(typ, resource.Meta{}, want)
		if err != nil || !edited.Equal(direct) || !direct.Equal(edited) {
			t.Fatalf("got  %s\nwant %s (%v)", edited.Document(), want, err)
		}
		// The table of nodes must be what a fresh look at the text would make.
		fresh, err := resource.Stored(typ, resource.Meta{}, edited.Document())
		if err != nil || !fresh.Equal(edited) || !resourcesReadAlike(fresh, edited, typ) {
			t.Fatalf("edited %s reads differently", edited.Document())
		}
	})
}

func resourcesReadAlike(a, b *resource.Resource, t *schema.Type) bool {
	for i := 1; i <= t.Len(); i++ {
		if p := t.PathAt(i); string(a.Get(p).JSON()) != string(b.Get(p).JSON()) || a.Get(p).Len() != b.Get(p).Len() || a.Get(p).Text() != b.Get(p).Text() {
			return false
		}
	}
	return string(resource.AppendJSON(nil, a, nil)) == string(resource.AppendJSON(nil, b, nil))
}

// randomSettable draws a path that a builder can set.
func randomSettable(t *rapid.T, p schema.Path) schema.Path {
	for {
		k := p.Child(rapid.IntRange(0, p.NumChildren()-1).Draw(t, "child"))
		if !k.InDocument() {
			continue
		}
		if k.NumChildren() > 0 && !k.Attribute().MultiValued && rapid.Bool().Draw(t, "deeper") {
			return randomSettable(t, k)
		}
		return k
	}
}

// put does to a tree of maps what SetValue does to a resource.
func put(t *rapid.T, tree map[string]any, p schema.Path, v resource.Value) {
	if up := p.Parent(); !up.IsZero() {
		inner := map[string]any{}
		around := tree
		if top := up.Parent(); !top.IsZero() {
			around, _ = tree[top.Name()].(map[string]any)
			if around == nil {
				around = map[string]any{}
			}
			defer func() { store(tree, top.Name(), around) }()
		}
		if present, ok := around[up.Name()].(map[string]any); ok {
			inner = present
		}
		set1(t, inner, p, v)
		store(around, up.Name(), inner)
		return
	}
	set1(t, tree, p, v)
}

func store(tree map[string]any, name string, inner map[string]any) {
	delete(tree, name)
	if len(inner) > 0 {
		tree[name] = inner
	}
}

func set1(t *rapid.T, tree map[string]any, p schema.Path, v resource.Value) {
	delete(tree, p.Name())
	if !v.IsZero() {
		tree[p.Name()] = plain(t, v.JSON())
	}
}

// plain decodes JSON into maps, with numbers as they are written.
func plain(t *rapid.T, text []byte) (x any) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&x); err != nil {
		t.Fatal(err)
	}
	return x
}

func TestEqualAndSameAreEquivalences(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		typ := randomType(t)
		var top []schema.Path
		for i := range typ.Root().NumChildren() {
			if p := typ.Root().Child(i); p.InDocument() {
				top = append(top, p)
			}
		}
		p := rapid.SampledFrom(top).Draw(t, "path")
		var v [3]resource.Value
		for i := range v {
			var err error
			if v[i], err = resource.DecodeValue(p, []byte(randomValue(t, p, false)), false, partial); err != nil {
				t.Fatal(err)
			}
		}
		a, b, c := v[0], v[1], v[2]
		switch {
		case !a.Equal(a) || !a.Same(a):
			t.Fatal("not reflexive")
		case a.Equal(b) != b.Equal(a) || a.Same(b) != b.Same(a):
			t.Fatal("not symmetric")
		case a.Equal(b) && b.Equal(c) && !a.Equal(c) || a.Same(b) && b.Same(c) && !a.Same(c):
			t.Fatal("not transitive")
		case a.Equal(b) && !a.Same(b):
			t.Fatal("equal and not the same")
		}
	})
}

func TestProjectionShowsWhatTheRulesSay(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		typ := randomType(t)
		r := randomResource(t, typ)
		var names []string
		named := map[schema.Path]bool{}
		for range rapid.IntRange(0, 3).Draw(t, "names") {
			p := typ.PathAt(rapid.IntRange(1, typ.Len()).Draw(t, "index"))
			names = append(names, p.String())
			named[p] = true
		}
		var only bool
		var pr *resource.Projection
		if only = rapid.Bool().Draw(t, "only") && len(names) > 0; only {
			pr = resource.NewProjection(typ, names, nil)
		} else {
			pr = resource.NewProjection(typ, nil, names)
		}
		out := resource.AppendJSON(nil, r, &resource.View{Projection: pr})
		shown, err := resource.Stored(typ, resource.Meta{}, out)
		if err != nil {
			t.Fatalf("%s: %v", out, err)
		}
		for i := 1; i <= typ.Len(); i++ {
			p := typ.PathAt(i)
			if p.NumChildren() > 0 || !p.InDocument() {
				continue
			}
			// RFC 7643 section 7, "returned", and RFC 7644 section 3.9, from the top
			// down: the last word counts, but never is final.
			want := !only
			for _, step := range way(p) {
				a := step.Attribute()
				switch {
				case a.Returned == schema.ReturnedAlways:
					want = true
				case named[step]:
					want = only
				case a.Returned == schema.ReturnedRequest:
					want = false
				}
			}
			want = want && !p.Secret()
			if got := pr.Shows(p); got != want {
				t.Fatalf("Shows(%s) = %v", p, got)
			}
			before, after := 0, 0
			for range r.All(p) {
				before++
			}
			for range shown.All(p) {
				after++
			}
			if want && after != before || !want && after != 0 {
				t.Fatalf("%d values of %s are shown as %d", before, p, after)
			}
		}
	})
}

func way(p schema.Path) []schema.Path {
	if p.IsZero() {
		return nil
	}
	return append(way(p.Parent()), p)
}
