package mapping

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/musterhq/muster/scim/filter"
	"github.com/musterhq/muster/scim/schema"
)

// hostFields are the fields of a host, with their targets in the type that a
// guide is made for.
type hostFields struct {
	typ    *schema.Type
	fields []FieldInfo // nil: all attributes
	own    int         // how many of fields are the host's
	labels []label
}

// label is the usual name of an attribute.
type label struct {
	Target
	text string
}

// addAttributes works out which attributes the host takes from the identity
// provider, and which it has no use for.
func (g *Guide) addAttributes(idp IdP, host Host) error {
	h, err := newHostFields(host)
	if err != nil {
		return err
	}
	standard := schema.MustCompile(schema.User())
	fed := make([]bool, len(h.fields))
	for _, a := range idp.Attributes {
		row := GuideAttribute{
			Path: a.Path, Source: a.Source, Default: a.Default, Fixed: a.Fixed, Note: a.Note, Uncertain: a.Uncertain,
		}
		target, err := ParsePath(h.typ, a.Path)
		if err != nil {
			if _, known := ParsePath(standard, a.Path); known != nil {
				return fmt.Errorf("the attribute %s of %s: %w", a.Path, idp.ID, err)
			}
			if a.Default && !a.Fixed {
				g.Remove = append(g.Remove, row) // the host's type has left it out
			}
			continue
		}
		row.Path, row.Label = target.String(), h.labelOf(target)
		row.Required, row.ReadOnly = required(target), target.Attr.ReadOnly()
		for i := range h.fields {
			f := &h.fields[i]
			if !takes(f.Target, target) {
				continue
			}
			fed[i] = true
			if row.Field == nil || row.ReadOnly {
				row.describe(f)
			}
		}
		switch {
		case (h.fields == nil || row.Field != nil) && !row.ReadOnly:
			g.Attributes = append(g.Attributes, row)
		case a.Default && !a.Fixed:
			g.Remove = append(g.Remove, row)
		}
	}
	g.addOwn(h, fed)
	return nil
}

// addOwn adds the attributes of the host that the identity provider has no name
// for; the usual ones where nothing is known of either side.
func (g *Guide) addOwn(h *hostFields, fed []bool) {
	for i := range h.own {
		f := &h.fields[i]
		if fed[i] || f.ReadOnly || f.Target.Attr.IsCommon() && f.Target.Attr != h.typ.Common().ExternalID {
			continue
		}
		row := GuideAttribute{Path: f.Target.String(), Label: h.labelOf(f.Target)}
		row.describe(f)
		g.Attributes = append(g.Attributes, row)
	}
	if h.fields == nil && len(g.Attributes) == 0 {
		for _, l := range h.labels {
			g.Attributes = append(g.Attributes, GuideAttribute{Path: l.String(), Label: l.text, Required: required(l.Target)})
		}
	}
}

func newHostFields(host Host) (*hostFields, error) {
	typ, err := schema.Compile(host.Users)
	if err != nil {
		return nil, fmt.Errorf("Host.Users: %w", err)
	}
	h := &hostFields{typ: typ, fields: slices.Clone(host.Fields), own: len(host.Fields)}
	for i := range h.fields {
		f := &h.fields[i]
		if f.Target, err = ParsePath(typ, f.Path); err != nil {
			return nil, fmt.Errorf("the field for %s does not fit Host.Users: %w", f.Path, err)
		}
	}
	if len(host.Roles) > 0 { // read by package roles, with or without a field
		roles, err := ParsePath(typ, "roles")
		if err != nil {
			return nil, fmt.Errorf("Host.Roles: %w", err)
		}
		touches := func(f FieldInfo) bool { return f.Target.Touches(roles.Attr) }
		if h.fields != nil && !slices.ContainsFunc(h.fields, touches) {
			h.fields = append(h.fields, FieldInfo{Path: "roles", Target: roles})
		}
	}
	for _, s := range readCatalogue().Standard {
		if target, err := ParsePath(typ, s.Path); err == nil {
			h.labels = append(h.labels, label{target, s.Label})
		}
	}
	return h, nil
}

// describe takes what the host's field says.
func (a *GuideAttribute) describe(f *FieldInfo) {
	a.Field = f
	if f.Label != "" {
		a.Label = f.Label
	}
	a.Required = required(f.Target)
	a.ReadOnly, a.WriteOnce = f.ReadOnly, f.WriteOnce
}

// labelOf returns the usual name of an attribute, or one that is made of its
// own.
func (h *hostFields) labelOf(t Target) string {
	for _, l := range h.labels {
		if (l.Attr == t.Attr || l.Attr == t.Attr.Parent()) && (takes(l.Target, t) || takes(t, l.Target)) {
			return l.text
		}
	}
	parent := t.Attr.Parent()
	if parent.IsZero() || parent.IsExtension() {
		return words(t.Attr.Name())
	}
	said := words(parent.Name())
	for _, c := range t.Terms {
		if c.Text != "" {
			said += " (" + c.Text + ")"
		}
	}
	if t.Attr.Name() != "value" {
		said += ": " + strings.ToLower(words(t.Attr.Name()))
	}
	return said
}

// words makes "Preferred language" of preferredLanguage.
func words(name string) string {
	var b strings.Builder
	for i, r := range name {
		switch {
		case i == 0:
			r = unicode.ToUpper(r)
		case unicode.IsUpper(r):
			b.WriteByte(' ')
			r = unicode.ToLower(r)
		}
		b.WriteRune(r)
	}
	return b.String()
}

// required reports whether the schema demands the attribute by itself, and not
// as a part of something optional.
func required(t Target) bool {
	return t.Attr.Attribute().Required && t.Attr.Parent().IsZero()
}

// takes reports whether a host's field gets its value from what is sent as
// sent: the same attribute, a part of it or what it is a part of, in an element
// that the field selects. An identity provider that says nothing of primary
// sends one element, which is that one; of a type that it does not name nothing
// is known.
func takes(field, sent Target) bool {
	if !field.Touches(sent.Attr) {
		return false
	}
	for _, c := range field.Terms {
		same := func(d filter.Compare) bool { return c.Path == d.Path }
		i := slices.IndexFunc(sent.Terms, same)
		if i < 0 && c.Path.Attribute().Type != schema.Boolean || i >= 0 && !sameTerm(c, sent.Terms[i]) {
			return false
		}
	}
	return true
}
