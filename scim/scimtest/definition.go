package scimtest

import (
	_ "embed"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/musterhq/muster/internal/jsonvalue"
)

//go:embed definitions.txt
var definitions string

// definition is a row of definitions.txt.
type definition struct {
	name       string
	typ        string
	many       bool
	required   bool
	exact      bool
	mutability string
	returned   string
	uniqueness string
	refs       []string
	values     []string
	subs       []definition
}

// definitionChecks compare /Schemas with the RFC's definitions.
func definitionChecks() []check {
	var checks []check
	var last *definition
	for line := range strings.Lines(definitions) {
		words := strings.Fields(line)
		switch {
		case len(words) == 0 || words[0] == "#":
		case strings.HasPrefix(line, " "):
			last.subs = append(last.subs, parseDefinition(words[0], words[1:]))
		default:
			schema, name, _ := strings.Cut(words[1], ".")
			d := new(definition)
			*d = parseDefinition(name, words[2:])
			last = d
			urn := urns()[schema]
			checks = append(checks, check{
				id: words[0], about: fmt.Sprintf("The attribute %s has the characteristics that the RFC gives it.", words[1]),
				run: func(c *conversation) { c.checkDefinition(urn, d) },
			})
		}
	}
	return checks
}

func parseDefinition(name string, words []string) definition {
	d := definition{name: name, typ: "string", mutability: "readWrite", returned: "default", uniqueness: "none"}
	for _, w := range words {
		key, list, _ := strings.Cut(w, "=")
		switch key {
		case "many":
			d.many = true
		case "required":
			d.required = true
		case "exact":
			d.exact = true
		case "readOnly", "immutable", "writeOnly":
			d.mutability = w
		case "never", "always", "request":
			d.returned = w
		case "server", "global":
			d.uniqueness = w
		case "uniqueness":
			d.uniqueness = list
		case "refs":
			d.refs = strings.Split(list, ",")
		case "values":
			d.values = strings.Split(list, ",")
		default:
			d.typ = w
		}
	}
	return d
}

func (c *conversation) checkDefinition(urn string, d *definition) {
	schema := c.server.schemas[urn]
	if schema == nil {
		c.skipf("/Schemas does not list %s", urn)
	}
	a := named(get(schema, "attributes"), d.name)
	if a == nil {
		if d.required {
			c.fatalf("/Schemas: %s has no attribute %s", urn, d.name)
		}
		c.skipf("/Schemas says that %s is not supported", d.name)
	}
	c.compareDefinition(urn+": "+d.name, d, a)
	for _, sub := range d.subs {
		if s := named(get(a, "subAttributes"), sub.name); s != nil {
			c.compareDefinition(urn+": "+d.name+"."+sub.name, &sub, s)
		} else {
			c.errorf("/Schemas: %s.%s has no sub-attribute %s", urn, d.name, sub.name)
		}
	}
}

// named returns the attribute of that name.
func named(attributes any, name string) any {
	for _, a := range items(attributes) {
		if strings.EqualFold(str(get(a, "name")), name) {
			return a
		}
	}
	return nil
}

func (c *conversation) compareDefinition(where string, d *definition, got any) {
	want := map[string]any{
		"type": d.typ, "multiValued": d.many, "required": d.required, "mutability": d.mutability, "returned": d.returned,
	}
	if d.typ != "boolean" && d.typ != "complex" && d.uniqueness != "any" {
		want["uniqueness"] = d.uniqueness
	}
	if d.typ == "string" || d.typ == "reference" || d.typ == "binary" {
		want["caseExact"] = d.exact
	}
	for _, key := range slices.Sorted(maps.Keys(want)) {
		w := want[key]
		if g := get(got, key); !jsonvalue.Equal(w, g) {
			c.errorf("/Schemas: %s: %s: want %s, got %s", where, key, jsonvalue.Text(w), jsonvalue.Text(g))
		}
	}
	for key, list := range map[string][]string{"referenceTypes": d.refs, "canonicalValues": d.values} {
		for _, w := range list {
			if !slices.Contains(items(get(got, key)), any(w)) {
				c.errorf("/Schemas: %s: %s: want %s among them, got %s", where, key, w, jsonvalue.Text(get(got, key)))
			}
		}
	}
}
