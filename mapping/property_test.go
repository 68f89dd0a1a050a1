package mapping_test

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/musterhq/muster/mapping"
	"github.com/musterhq/muster/scim"
	"github.com/musterhq/muster/scim/resource"
	"github.com/musterhq/muster/scim/schema"
)

// bodies generates users: every attribute that a client can set may be there,
// with few different texts, so that elements are alike in parts.
func bodies() *rapid.Generator[*scim.Resource] {
	return rapid.Custom(func(t *rapid.T) *scim.Resource {
		body := object(t, user.Root())
		body["userName"] = "u"
		body["active"] = rapid.Bool().Draw(t, "active") // a bool field cannot leave it out
		text, err := json.Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		d, err := resource.Decode(user, text, resource.DecodeOptions{Partial: true})
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		return d.Resource
	})
}

func object(t *rapid.T, p schema.Path) map[string]any {
	members := map[string]any{}
	for i := range p.NumChildren() {
		c := p.Child(i)
		if c.ReadOnly() || !c.InDocument() || c.Secret() || !rapid.Bool().Draw(t, c.Name()) {
			continue
		}
		if !c.Attribute().MultiValued {
			members[c.Name()] = single(t, c)
			continue
		}
		var elements []any
		primary := false
		for range rapid.IntRange(0, 4).Draw(t, "elements") {
			e := single(t, c)
			if o, ok := e.(map[string]any); ok {
				if primary {
					delete(o, "primary")
				}
				primary = primary || o["primary"] == true
			}
			elements = append(elements, e)
		}
		members[c.Name()] = elements
	}
	return members
}

func single(t *rapid.T, p schema.Path) any {
	switch p.Attribute().Type {
	case schema.Complex:
		return object(t, p)
	case schema.Boolean:
		return rapid.Bool().Draw(t, p.Name())
	case schema.Binary:
		return rapid.SampledFrom([]string{"", "AAE="}).Draw(t, p.Name())
	case schema.Reference:
		return rapid.SampledFrom([]string{"https://x/1", "https://x/2"}).Draw(t, p.Name())
	}
	if p.Name() == "type" {
		return rapid.SampledFrom([]string{"work", "Work", "home", "mobile", ""}).Draw(t, p.Name())
	}
	return rapid.SampledFrom([]string{"", "a", "A", "bé\"\n"}).Draw(t, p.Name())
}

// Mail is an element.
type Mail struct {
	Address string  `scim:"value"`
	Kind    *string `scim:"type"`
}

// Wide maps in every way that there is.
type Wide struct {
	Login  string  `scim:"userName"`
	Nick   *string `scim:"nickName"`
	Title  string  `scim:"title"`
	Given  string  `scim:"name.givenName"`
	Prefix *string `scim:"name.honorificPrefix"`
	Active bool    `scim:"active"`
	Work   struct {
		Street string  `scim:"streetAddress"`
		City   *string `scim:"locality"`
	} `scim:"addresses[type eq 'work']"`
	Home    string       `scim:"addresses[type eq 'home'].country"`
	Mails   []Mail       `scim:"emails"`
	Phone   string       `scim:"phoneNumbers.value"`
	Main    *string      `scim:"ims[primary eq true].value"`
	Roles   []string     `scim:"roles"`
	Photos  scim.Value   `scim:"photos"`
	Manager string       `scim:"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value"`
	Cost    *string      `scim:"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:costCenter"`
	Certs   []blob       `scim:"x509Certificates"`
	Rights  []*string    `scim:"entitlements"`
	Locale  scim.Value   `scim:"locale"`
	Keep    []scim.Value // not declared
}

// WideSide is Wide with a side document.
type WideSide struct {
	Wide
	Extra []byte `scim:"*"`
}

func TestASideDocumentLosesNothing(t *testing.T) {
	t.Parallel()
	m := of[WideSide](t)
	rapid.Check(t, func(t *rapid.T) {
		var w WideSide
		// What was there before must not shine through.
		for _, r := range []*scim.Resource{bodies().Draw(t, "before"), bodies().Draw(t, "after")} {
			ignored, err := m.Assign(&w, r)
			if err != nil || len(ignored) > 0 {
				t.Fatalf("ignored %q, %v", ignored, err)
			}
			back, err := m.Resource(&w)
			if err != nil {
				t.Fatal(err)
			}
			if !back.Equal(r) {
				t.Fatalf("%s\ncame back as\n%s\nside %s", r.Document(), back.Document(), w.Extra)
			}
		}
	})
}

func TestWithoutASideDocumentWhatIsLostIsNamed(t *testing.T) {
	t.Parallel()
	m := of[Wide](t)
	rapid.Check(t, func(t *rapid.T) {
		r := bodies().Draw(t, "user")
		var w Wide
		ignored, err := m.Assign(&w, r)
		if err != nil {
			t.Fatal(err)
		}
		back, err := m.Resource(&w)
		if err != nil {
			t.Fatal(err)
		}
		// Each text that is left must be one that was sent, and each that is gone
		// must be named, by itself or with the whole that it is a part of.
		sent, left := leaves(r), leaves(back)
		for path, texts := range left {
			for _, text := range texts {
				if !slices.Contains(sent[path], text) && !isTerm(path, text) {
					t.Fatalf("%s was made up: %s from %s", path, back.Document(), r.Document())
				}
			}
		}
		for path, texts := range sent {
			if len(left[path]) >= len(texts) || named(ignored, path) {
				continue
			}
			t.Fatalf("%s is gone and not among %q: %s from %s", path, ignored, back.Document(), r.Document())
		}
	})
}

// leaves lists the texts at every path, but for empty ones.
func leaves(r *scim.Resource) map[string][]string {
	texts := map[string][]string{}
	var walk func(v scim.Value)
	walk = func(v scim.Value) {
		switch v.Kind() {
		case resource.KindObject:
			for m := range v.Members() {
				walk(m)
			}
		case resource.KindArray:
			for e := range v.Elements() {
				walk(e)
			}
		default:
			if s := v.Text(); s != "" {
				texts[v.Path().String()] = append(texts[v.Path().String()], s)
			}
		}
	}
	for v := range r.Values() {
		walk(v)
	}
	return texts
}

// isTerm: the brackets of a path made it.
func isTerm(path, text string) bool {
	return path == "addresses.type" && (text == "work" || text == "home") || path == "ims.primary" && text == "true"
}

func named(ignored []string, path string) bool {
	return slices.ContainsFunc(ignored, func(name string) bool {
		return name == path || strings.HasPrefix(path, name) && strings.ContainsRune(".:", rune(path[len(name)]))
	})
}

func TestARefusedResourceChangesNothing(t *testing.T) {
	t.Parallel()
	good := of[WideSide](t)
	bad := of(t, mapping.Func("displayName", func(*WideSide) (string, bool) { return "", false },
		func(*WideSide, string, bool) error { return errAlways }))
	rapid.Check(t, func(t *rapid.T) {
		var before WideSide
		if _, err := good.Assign(&before, bodies().Draw(t, "before")); err != nil {
			t.Fatal(err)
		}
		now := before
		if _, err := bad.Assign(&now, bodies().Draw(t, "refused")); err == nil {
			t.Fatal("it was not refused")
		}
		if !reflect.DeepEqual(now, before) {
			t.Fatalf("%+v became %+v", before, now)
		}
	})
}

var errAlways = scim.Errorf(400, scim.InvalidValue, "never")
