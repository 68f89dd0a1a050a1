package schema

import (
	"strconv"

	"github.com/go-json-experiment/json/jsontext"
)

// AppendJSON appends the schema as clients see it at /Schemas (RFC 7643
// section 7) and returns the extended slice. location is the absolute URI that
// serves it and becomes meta.location; empty leaves meta out.
//
// Every characteristic that has a meaning for an attribute's type is written,
// defaults included: caseExact for text, uniqueness for all but booleans,
// referenceTypes for references, subAttributes for complex attributes.
func (s *Schema) AppendJSON(dst []byte, location string) []byte {
	w := writer{append(dst, '{')}
	w.texts("schemas", []string{SchemaURN})
	w.text("id", s.ID)
	w.optional("name", s.Name)
	w.optional("description", s.Description)
	w.attributes("attributes", s.Attributes)
	w.meta("Schema", location)
	return append(w.b, '}')
}

// MarshalJSON returns the schema without meta; see [Schema.AppendJSON].
func (s *Schema) MarshalJSON() ([]byte, error) { return s.AppendJSON(nil, ""), nil }

// AppendJSON appends the resource type as clients see it at /ResourceTypes
// (RFC 7643 section 6) and returns the extended slice. location is the absolute
// URI that serves it and becomes meta.location; empty leaves meta out. Relations,
// indexes, label and per-connection uniqueness have no place in that form.
func (d ResourceType) AppendJSON(dst []byte, location string) []byte {
	w := writer{append(dst, '{')}
	w.texts("schemas", []string{ResourceTypeURN})
	id := d.ID
	if id == "" {
		id = d.Name
	}
	w.text("id", id)
	w.text("name", d.Name)
	w.optional("description", d.Description)
	w.text("endpoint", d.Endpoint)
	if d.Schema != nil {
		w.text("schema", d.Schema.ID)
	}
	if len(d.Extensions) > 0 {
		w.key("schemaExtensions")
		w.b = append(w.b, '[')
		for _, e := range d.Extensions {
			w.next()
			w.b = append(w.b, '{')
			w.text("schema", e.Schema.ID)
			w.flag("required", e.Required)
			w.b = append(w.b, '}')
		}
		w.b = append(w.b, ']')
	}
	w.meta("ResourceType", location)
	return append(w.b, '}')
}

// MarshalJSON returns the resource type without meta; see
// [ResourceType.AppendJSON].
func (d ResourceType) MarshalJSON() ([]byte, error) { return d.AppendJSON(nil, ""), nil }

// writer appends members of JSON objects.
type writer struct{ b []byte }

// next writes the comma that is due before a further member or element.
func (w *writer) next() {
	if c := w.b[len(w.b)-1]; c != '{' && c != '[' {
		w.b = append(w.b, ',')
	}
}

// quote writes a string. Bytes that are not UTF-8, which only a declaration in
// Go can hold, come out as replacement characters.
func (w *writer) quote(s string) {
	w.b, _ = jsontext.AppendQuote(w.b, s)
}

func (w *writer) key(name string) {
	w.next()
	w.quote(name)
	w.b = append(w.b, ':')
}

func (w *writer) text(name, s string) {
	w.key(name)
	w.quote(s)
}

func (w *writer) optional(name, s string) {
	if s != "" {
		w.text(name, s)
	}
}

func (w *writer) flag(name string, v bool) {
	w.key(name)
	w.b = strconv.AppendBool(w.b, v)
}

func (w *writer) texts(name string, list []string) {
	w.key(name)
	w.b = append(w.b, '[')
	for _, s := range list {
		w.next()
		w.quote(s)
	}
	w.b = append(w.b, ']')
}

func (w *writer) attributes(name string, list []Attribute) {
	w.key(name)
	w.b = append(w.b, '[')
	for _, a := range list {
		w.next()
		w.b = append(w.b, '{')
		w.text("name", a.Name)
		w.text("type", a.Type.String())
		w.flag("multiValued", a.MultiValued)
		w.optional("description", a.Description)
		w.flag("required", a.Required)
		if len(a.CanonicalValues) > 0 {
			w.texts("canonicalValues", a.CanonicalValues)
		}
		if a.Type.IsText() {
			w.flag("caseExact", a.CaseExact || a.Type != String)
		}
		w.text("mutability", a.Mutability.String())
		w.text("returned", a.Returned.String())
		if a.Type != Boolean {
			w.text("uniqueness", a.Uniqueness.String())
		}
		if a.Type == Reference && len(a.ReferenceTypes) > 0 {
			w.texts("referenceTypes", a.ReferenceTypes)
		}
		if a.Type == Complex {
			w.attributes("subAttributes", a.SubAttributes)
		}
		w.b = append(w.b, '}')
	}
	w.b = append(w.b, ']')
}

func (w *writer) meta(resourceType, location string) {
	if location == "" {
		return
	}
	w.key("meta")
	w.b = append(w.b, '{')
	w.text("resourceType", resourceType)
	w.text("location", location)
	w.b = append(w.b, '}')
}
