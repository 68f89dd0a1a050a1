package resource

import (
	"iter"
	"strings"
	"time"

	"github.com/musterhq/muster/scim/schema"
)

// Meta is what is known of a resource outside its document.
type Meta struct {
	// ID is the resource's id (RFC 7643 section 3.1). Opaque, case exact.
	ID string
	// Version identifies the state of the resource, opaquely; it becomes
	// meta.version and the ETag. Empty when the source keeps no versions.
	Version string
	// Created and LastModified are shown in UTC. A zero time is left out.
	Created, LastModified time.Time
}

// Resource is one resource: an immutable value, safe for concurrent use.
type Resource struct {
	meta Meta
	doc  *document
	err  *DecodeError // what Set could not do when it was built
}

// Err returns what was wrong with the calls of [Builder.Set] that made the resource,
// a [*DecodeError]: an attribute that its type does not have, a value that does not
// fit. What could not be set is missing from the resource. It is nil for resources
// that were made in any other way, and for those of [Builder.Build], which returns
// such an error itself.
func (r *Resource) Err() error {
	if r.err == nil {
		return nil
	}
	return r.err
}

// Type returns the resource's type.
func (r *Resource) Type() *schema.Type { return r.doc.typ }

// ID returns the resource's id, empty when it has none yet.
func (r *Resource) ID() string { return r.meta.ID }

// Meta returns id, version and times.
func (r *Resource) Meta() Meta { return r.meta }

// WithMeta returns the same resource with other metadata. It shares the
// document.
func (r *Resource) WithMeta(m Meta) *Resource { return &Resource{meta: m, doc: r.doc, err: r.err} }

// Document returns the JSON object that stores keep: no id, no meta, no
// schemas, no relations, canonical attribute names, no unassigned values. It
// must not be modified.
func (r *Resource) Document() []byte { return r.root().JSON() }

// root is the document as a Value, an object whose members are the top-level
// attributes.
func (r *Resource) root() Value { return Value{r.doc, 0} }

// Values yields the values of all assigned top-level attributes and extensions
// of the document, in its order.
func (r *Resource) Values() iter.Seq[Value] { return r.root().Members() }

// Get returns the value of the attribute or sub-attribute p, or the zero Value
// when it is unassigned. For a multi-valued attribute it is the array; for a
// part of one (emails.value) the part of the first element that has it; see
// [Resource.All]. id, meta and schemas are answered too, as new values: id and
// meta from [Resource.Meta], meta without a location, which depends on the
// server's address; schemas from what is assigned. Relations are not part of a
// resource.
func (r *Resource) Get(p schema.Path) Value {
	if p.IsCommon() && p != r.doc.typ.Common().ExternalID {
		return r.common(p)
	}
	return r.root().get(p)
}

// common returns the value of schemas, id, meta or a part of meta.
func (r *Resource) common(p schema.Path) Value {
	c := r.doc.typ.Common()
	text := func(p schema.Path, s string) Value {
		if s == "" {
			return Value{}
		}
		return Text(p, s)
	}
	date := func(p schema.Path, t time.Time) Value {
		if t.IsZero() {
			return Value{}
		}
		return DateTime(p, t)
	}
	switch p {
	case c.ID:
		return text(p, r.meta.ID)
	case c.ResourceType:
		return text(p, r.doc.typ.Name())
	case c.Created:
		return date(p, r.meta.Created)
	case c.LastModified:
		return date(p, r.meta.LastModified)
	case c.Version:
		if r.meta.Version == "" {
			return Value{}
		}
		return Text(p, `W/"`+r.meta.Version+`"`)
	case c.Meta:
		return Object(p, r.common(c.ResourceType), r.common(c.Created), r.common(c.LastModified), r.common(c.Version))
	case c.Schemas:
		var urns []Value
		for _, urn := range r.Schemas() {
			urns = append(urns, Text(p, urn))
		}
		return Array(p, urns...)
	}
	return Value{}
}

// All yields every value that p reaches: one for a single-valued attribute, the
// elements of a multi-valued one, and for emails.value the values of all
// elements.
func (r *Resource) All(p schema.Path) iter.Seq[Value] {
	return func(yield func(Value) bool) {
		if p.IsCommon() && p != r.doc.typ.Common().ExternalID {
			r.common(p).Elements()(yield)
			return
		}
		r.root().all(p, yield)
	}
}

// Lookup returns what [Resource.Get] returns for the attribute of that name
// ("userName", "name.givenName", a URN-qualified name), or the zero Value for a
// name that the type does not have.
func (r *Resource) Lookup(name string) Value {
	p, err := r.doc.typ.Resolve(name)
	if err != nil {
		return Value{}
	}
	return r.Get(p)
}

// String returns the text of the attribute of that name ("userName",
// "name.givenName", a URN-qualified name), or "" when it is unassigned, unknown
// or not text. Numbers are returned as written.
func (r *Resource) String(name string) string { return r.Lookup(name).Text() }

// Strings returns all texts that the name reaches: Strings("emails.value").
func (r *Resource) Strings(name string) []string {
	p, err := r.doc.typ.Resolve(name)
	if err != nil {
		return nil
	}
	var texts []string
	for v := range r.All(p) {
		if v.Kind() != KindObject {
			texts = append(texts, v.Text())
		}
	}
	return texts
}

// Bool returns the boolean of that name; ok is false when it is unassigned.
func (r *Resource) Bool(name string) (value, ok bool) {
	v := r.Lookup(name)
	return v.Bool(), v.Kind() == KindBool
}

// Int returns the integer of that name; ok is false when it is unassigned or
// no integer that fits.
func (r *Resource) Int(name string) (value int64, ok bool) { return r.Lookup(name).Int() }

// Time returns the dateTime of that name; ok is false when it is unassigned.
func (r *Resource) Time(name string) (value time.Time, ok bool) { return r.Lookup(name).Time() }

// Active reports whether the resource is active: true unless its attribute
// "active" says false. Types without the attribute are always active.
func (r *Resource) Active() bool {
	active, ok := r.Bool("active")
	return active || !ok
}

// BestEmail returns the address to write to: the primary e-mail, else the one of
// type work, else the first, else userName when it looks like an address.
// Clients send sparse users, so hosts should not expect more.
func (r *Resource) BestEmail() string {
	best, rank := "", 0
	emails := r.Lookup("emails")
	value, _ := emails.Path().Lookup("value")
	kind, _ := emails.Path().Lookup("type")
	primary, _ := emails.Path().Lookup("primary")
	for e := range emails.Elements() {
		address := part(e, value).Text()
		of := 1
		switch {
		case address == "":
			of = 0
		case part(e, primary).Bool():
			of = 3
		case strings.EqualFold(part(e, kind).Text(), "work"):
			of = 2
		}
		if of > rank {
			best, rank = address, of
		}
	}
	if rank > 0 {
		return best
	}
	name := r.String("userName")
	if at := strings.LastIndexByte(name, '@'); at > 0 && at < len(name)-1 && !strings.ContainsAny(name, " \t\r\n") {
		return name
	}
	return ""
}

// part is v.Get(p) for a path that the type may not have.
func part(v Value, p schema.Path) Value {
	if p.IsZero() {
		return Value{}
	}
	return v.Get(p)
}

// Schemas returns the URNs of the core schema and of every extension that has a
// value, in declared order.
func (r *Resource) Schemas() []string {
	urns := []string{r.doc.typ.Schema()}
	for i, e := range r.doc.typ.Extensions() {
		if r.doc.extended(i) {
			urns = append(urns, e.Name())
		}
	}
	return urns
}

// Equal reports whether both have the same type and the same document content:
// order of members does not matter, order of elements does not either
// (RFC 7643 sections 2.3.8 and 2.4), letter case does. Metadata is not compared.
func (r *Resource) Equal(o *Resource) bool {
	return r.doc.typ == o.doc.typ && r.root().Equal(o.root())
}
