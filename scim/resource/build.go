package resource

import "github.com/musterhq/muster/scim/schema"

// Builder makes a resource, from nothing ([New]) or from another one
// ([Resource.Edit]). It is not safe for concurrent use. A host uses Meta, Set
// and Build; Value and SetValue serve code that works on typed values.
type Builder struct {
}

// New starts a resource of type t.
func New(t *schema.Type) *Builder { panic("todo") }

// Edit starts from r, whose untouched parts are copied as bytes.
func (r *Resource) Edit() *Builder { panic("todo") }

// Meta sets id, version and times.
func (b *Builder) Meta(m Meta) *Builder { panic("todo") }

// Set assigns the attribute of that name. v may be a string, bool, any integer
// or float type, time.Time, []byte (binary), []string, map[string]any,
// []map[string]any, []any, a [Value], or nil, which unassigns. For an element
// of a multi-valued attribute set the whole attribute. Read-only attributes may
// be set. A problem is kept and returned by Build.
func (b *Builder) Set(name string, v any) *Builder { panic("todo") }

// Value returns the present value of p, which may have been set before.
func (b *Builder) Value(p schema.Path) Value { panic("todo") }

// SetValue assigns p, or unassigns it when v is zero. p is a top-level
// attribute, a sub-attribute of a single-valued one, or anything in an
// extension; parents are made and dropped as needed. p must not lie inside a
// multi-valued attribute.
func (b *Builder) SetValue(p schema.Path, v Value) { panic("todo") }

// Build returns the resource, or a [*DecodeError] that lists what was wrong
// with Set and which required attributes are missing.
func (b *Builder) Build() (*Resource, error) { panic("todo") }

// Resource returns the resource as it is now, without the checks of Build.
func (b *Builder) Resource() *Resource { panic("todo") }
