package resource

import (
	"slices"

	"github.com/musterhq/muster/scim/schema"
)

// Builder makes a resource, from nothing ([New]) or from another one
// ([Resource.Edit]). It is not safe for concurrent use. A host uses Meta, Set
// and Build; Value and SetValue serve code that works on typed values.
type Builder struct {
	typ      *schema.Type
	meta     Meta
	base     *document // nil for a resource from nothing
	changes  []change  // at most one for each top-level attribute
	problems []Problem
}

// change is the new value of a top-level attribute or extension, or its removal.
type change struct {
	path  schema.Path
	value Value
}

// New starts a resource of type t.
func New(t *schema.Type) *Builder { return &Builder{typ: t} }

// Edit starts from r, whose untouched parts are copied as bytes.
func (r *Resource) Edit() *Builder {
	b := &Builder{typ: r.doc.typ, meta: r.meta, base: r.doc}
	if r.err != nil {
		b.problems = slices.Clip(r.err.Problems)
	}
	return b
}

// Meta sets id, version and times.
func (b *Builder) Meta(m Meta) *Builder {
	b.meta = m
	return b
}

// Value returns the present value of p, which may have been set before.
func (b *Builder) Value(p schema.Path) Value {
	up := p.Parent()
	if up.IsZero() {
		if i := b.find(p); i >= 0 {
			return b.changes[i].value
		}
		if b.base == nil {
			return Value{}
		}
		return Value{b.base, 0}.Get(p)
	}
	v := b.Value(up)
	if v.Kind() == KindArray {
		for e := range v.Elements() {
			if w := e.Get(p); !w.IsZero() {
				return w
			}
		}
		return Value{}
	}
	return v.Get(p)
}

func (b *Builder) find(p schema.Path) int {
	return slices.IndexFunc(b.changes, func(c change) bool { return c.path == p })
}

// SetValue assigns p, or unassigns it when v is zero. p is a top-level
// attribute, a sub-attribute of a single-valued one, or anything in an
// extension; parents are made and dropped as needed. It panics when p lies
// inside a multi-valued attribute or is no part of the document
// ([schema.Path.InDocument]), or when v is not the kind of value that p has: one
// of another complex attribute, or an element where the whole array is needed.
func (b *Builder) SetValue(p schema.Path, v Value) {
	up := p.Parent()
	if !p.InDocument() || !up.IsZero() && !up.MultiValued().IsZero() {
		panic("resource: a builder cannot set " + p.String())
	}
	for ; !up.IsZero(); p, up = up, up.Parent() {
		v = b.Value(up).With(p, v)
	}
	if !v.IsZero() {
		mustFit(p, v, false) // here rather than in Build
	}
	if i := b.find(p); i >= 0 {
		b.changes[i].value = v
		return
	}
	b.changes = append(b.changes, change{p, v})
}

// Build returns the resource, or a [*DecodeError] that lists what was wrong
// with Set and which required attributes are missing.
func (b *Builder) Build() (*Resource, error) {
	r := b.Resource()
	problems := slices.Clone(b.problems)
	for _, p := range missing(r.doc, true) {
		if !hasPath(problems, p.Path) {
			problems = append(problems, p)
		}
	}
	if len(problems) > 0 {
		return nil, &DecodeError{problems[:min(len(problems), maxProblems)]}
	}
	return r, nil
}

// Resource returns the resource as it is now. Unlike Build it does not look for
// required attributes, and leaves what was wrong with Set to [Resource.Err]: a server
// refuses such a resource.
func (b *Builder) Resource() *Resource {
	r := &Resource{meta: b.meta, doc: b.document()}
	if len(b.problems) > 0 {
		r.err = &DecodeError{slices.Clone(b.problems[:min(len(b.problems), maxProblems)])}
	}
	return r
}

func (b *Builder) document() *document {
	if len(b.changes) == 0 && b.base != nil {
		return b.base
	}
	size := 2
	if b.base != nil {
		size = len(b.base.text)
	}
	for _, c := range b.changes {
		size += len(c.value.JSON()) + len(c.path.Name()) + 4
	}
	d := newDocument(b.typ.Root(), size)
	d.typ = b.typ
	d.open(d.home, KindObject)
	put := func(p schema.Path, v Value) {
		if !v.IsZero() {
			d.member(p, v)
		}
	}
	if b.base != nil {
		for v := range (Value{b.base, 0}).Members() {
			p := v.Path()
			if i := b.find(p); i >= 0 {
				v = b.changes[i].value
			}
			put(p, v)
		}
	}
	for _, c := range b.changes {
		if b.base == nil || b.base.child(0, c.path.Index()) == 0 {
			put(c.path, c.value)
		}
	}
	d.close(0)
	d.finish()
	return d
}
