package resource

import (
	"slices"
	"time"

	"github.com/musterhq/muster/scim/schema"
)

// View says how a resource is shown to a client.
type View struct {
	// Projection selects attributes; nil shows the default set.
	Projection *Projection
	// BaseURL is the service root without a trailing slash. With it,
	// meta.location and each $ref are absolute; without it they are left out.
	BaseURL string
	// Endpoint returns the endpoint of a resource type, such as "/Users", for
	// $ref, and "" for types that are not served. Nil leaves every $ref out.
	Endpoint func(resourceType string) string
	// Relations are the links to show, by attribute: members of a group, groups of
	// a user. One without Members is an empty array. The projection applies to
	// them too.
	Relations []RelationView
}

// RelationView is one relation attribute as it is shown.
type RelationView struct {
	Path schema.Path
	// Members are the other ends. An empty Type means the relation's first target,
	// or for a relation shown backwards its owner. Ref is not used.
	Members []Member
}

// AppendJSON appends r as a client sees it: schemas, id, the attributes that the
// projection lets through, relations, and meta (RFC 7643 section 3,
// RFC 7644 section 3.9). Attributes that are never returned are left out
// whatever the projection says. Where nothing is to be left out, the kept
// document is copied as bytes. The zero View is shown for nil.
func AppendJSON(dst []byte, r *Resource, v *View) []byte {
	e := encoder{dst: slices.Grow(dst, len(r.doc.text)+512), r: r}
	if v != nil {
		e.v, e.pr = *v, v.Projection
	}
	c := r.doc.typ.Common()
	e.dst = append(e.dst, '{')
	e.schemas(c.Schemas)
	if r.meta.ID != "" {
		e.text(c.ID, r.meta.ID)
	}
	e.document()
	for i := range e.v.Relations {
		if rel := &e.v.Relations[i]; e.pr.extent(rel.Path) != nothing {
			e.relation(rel)
		}
	}
	e.meta(c)
	return append(e.dst, '}')
}

type encoder struct {
	dst []byte
	r   *Resource
	v   View
	pr  *Projection
}

// name begins a member of the object that is being written.
func (e *encoder) name(s string) {
	if c := e.dst[len(e.dst)-1]; c != '{' && c != '[' {
		e.dst = append(e.dst, ',')
	}
	e.dst = append(e.dst, '"')
	e.dst = append(e.dst, s...)
	e.dst = append(e.dst, '"', ':')
}

func (e *encoder) text(p schema.Path, s string) {
	e.name(p.Name())
	e.dst, _ = appendQuoted(e.dst, s)
}

func (e *encoder) schemas(p schema.Path) {
	t := e.r.doc.typ
	e.name(p.Name())
	e.dst = append(e.dst, '[')
	e.dst, _ = appendQuoted(e.dst, t.Schema())
	for _, x := range t.Extensions() {
		if e.r.doc.child(0, x.Index()) > 0 {
			e.dst = append(e.dst, ',')
			e.dst, _ = appendQuoted(e.dst, x.Name())
		}
	}
	e.dst = append(e.dst, ']')
}

// document writes the members of the kept document that are shown.
func (e *encoder) document() {
	d := e.r.doc
	if e.pr == nil && !d.hides {
		if inside := d.text[1 : len(d.text)-1]; len(inside) > 0 {
			e.dst = append(e.dst, ',')
			e.dst = append(e.dst, inside...)
		}
		return
	}
	e.members(Value{d, 0})
}

func (e *encoder) members(v Value) {
	for m := range v.each {
		p := m.Path()
		switch e.pr.extent(p) {
		case all:
			e.name(p.Name())
			e.dst = append(e.dst, m.JSON()...)
		case some:
			before := len(e.dst)
			e.name(p.Name())
			if !e.part(m) {
				e.dst = e.dst[:before]
			}
		}
	}
}

// part writes what is shown of a complex value of which not everything is, or
// reports false when that is nothing. What it wrote then is the caller's to
// take back.
func (e *encoder) part(v Value) bool {
	start := len(e.dst)
	if v.Kind() == KindArray {
		e.dst = append(e.dst, '[')
		for element := range v.each {
			before := len(e.dst)
			if before > start+1 {
				e.dst = append(e.dst, ',')
			}
			if !e.part(element) {
				e.dst = e.dst[:before]
			}
		}
		e.dst = append(e.dst, ']')
	} else {
		e.dst = append(e.dst, '{')
		e.members(v)
		e.dst = append(e.dst, '}')
	}
	return len(e.dst) > start+2
}

// relation writes links. The sub-attribute type of a relation that is shown
// backwards says how the link came about where the schema has a word for that
// (RFC 7643 section 4.1.2); links are direct.
func (e *encoder) relation(rel *RelationView) {
	sub := func(name string) (shown bool) {
		p, ok := rel.Path.Lookup(name)
		if !ok {
			return name == "display" && (e.pr == nil || e.pr.extent(rel.Path) == all)
		}
		return e.pr.extent(p) != nothing
	}
	value, ref, kind, display := sub("value"), sub("$ref"), sub("type"), sub("display")
	owner := ""
	if r, ok := rel.Path.Relation(); ok {
		owner = r.Targets[0]
	} else if r, ok := rel.Path.Inverse(); ok {
		owner = r.Owner
	}
	direct := false
	if _, ok := rel.Path.Inverse(); ok && kind {
		p, _ := rel.Path.Lookup("type")
		direct = slices.Contains(p.Attribute().CanonicalValues, "direct")
	}
	e.name(rel.Path.Name())
	e.dst = append(e.dst, '[')
	for i := range rel.Members {
		m := &rel.Members[i]
		other := m.Type
		if other == "" {
			other = owner
		}
		before := len(e.dst)
		if e.dst[before-1] != '[' {
			e.dst = append(e.dst, ',')
		}
		e.dst = append(e.dst, '{')
		if value {
			e.name("value")
			e.dst, _ = appendQuoted(e.dst, m.ID)
		}
		if ref && e.v.Endpoint != nil && e.v.BaseURL != "" {
			if endpoint := e.v.Endpoint(other); endpoint != "" {
				e.name("$ref")
				e.location(endpoint, m.ID)
			}
		}
		if kind {
			if direct {
				other = "direct"
			}
			e.name("type")
			e.dst, _ = appendQuoted(e.dst, other)
		}
		if display && m.Display != "" {
			e.name("display")
			e.dst, _ = appendQuoted(e.dst, m.Display)
		}
		if e.dst[len(e.dst)-1] == '{' { // nothing of it was asked for
			e.dst = e.dst[:before]
			continue
		}
		e.dst = append(e.dst, '}')
	}
	e.dst = append(e.dst, ']')
}

func (e *encoder) meta(c *schema.Common) {
	if e.pr.extent(c.Meta) == nothing {
		return
	}
	m := &e.r.meta
	start := len(e.dst)
	e.name(c.Meta.Name())
	e.dst = append(e.dst, '{')
	if e.pr.extent(c.ResourceType) != nothing {
		e.text(c.ResourceType, e.r.doc.typ.Name())
	}
	e.time(c.Created, m.Created)
	e.time(c.LastModified, m.LastModified)
	if e.v.BaseURL != "" && m.ID != "" && e.pr.extent(c.Location) != nothing {
		e.name(c.Location.Name())
		e.location(e.r.doc.typ.Endpoint(), m.ID)
	}
	if m.Version != "" && e.pr.extent(c.Version) != nothing {
		e.name(c.Version.Name())
		e.dst = append(e.dst, `"W/\"`...)
		// The tag's quotes are part of the text, so the version goes inside them
		// without its own.
		before := len(e.dst)
		e.dst, _ = appendQuoted(e.dst, m.Version)
		e.dst = append(e.dst[:before], e.dst[before+1:len(e.dst)-1]...)
		e.dst = append(e.dst, `\""`...)
	}
	if e.dst[len(e.dst)-1] == '{' {
		e.dst = e.dst[:start]
		return
	}
	e.dst = append(e.dst, '}')
}

func (e *encoder) time(p schema.Path, t time.Time) {
	if t.IsZero() || e.pr.extent(p) == nothing {
		return
	}
	e.name(p.Name())
	e.dst = append(e.dst, '"')
	e.dst = t.UTC().AppendFormat(e.dst, time.RFC3339Nano)
	e.dst = append(e.dst, '"')
}

// location writes a string literal with the URI of a resource.
func (e *encoder) location(endpoint, id string) {
	before := len(e.dst)
	e.dst = AppendLocation(append(e.dst, '"'), e.v.BaseURL, endpoint, id)
	for _, c := range e.dst[before+1:] {
		if c == '"' || c == '\\' || c < ' ' || c >= 0x80 { // from an odd base URL
			uri := string(e.dst[before+1:])
			e.dst, _ = appendQuoted(e.dst[:before], uri)
			return
		}
	}
	e.dst = append(e.dst, '"')
}

// Location returns the absolute URI of a resource: base, endpoint, id escaped
// as one path segment. base has no trailing slash, endpoint starts with one.
func Location(base, endpoint, id string) string {
	return string(AppendLocation(make([]byte, 0, len(base)+len(endpoint)+len(id)+1), base, endpoint, id))
}

// AppendLocation appends what [Location] returns.
func AppendLocation(dst []byte, base, endpoint, id string) []byte {
	const hex = "0123456789ABCDEF"
	dst = append(dst, base...)
	dst = append(dst, endpoint...)
	dst = append(dst, '/')
	for i := range len(id) {
		c := id[i]
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', isDigit(c), c == '-', c == '_', c == '~', c == ':', c == '@', c == '.' && id != "." && id != "..":
			dst = append(dst, c)
		default:
			dst = append(dst, '%', hex[c>>4], hex[c&15])
		}
	}
	return dst
}
