package mapping

import (
	"github.com/musterhq/muster/scim"
	"github.com/musterhq/muster/scim/schema"
)

// Mapping is a set of fields between the resources of one type and a T, which is
// a struct or whatever the fields' functions can work with. It is immutable and
// safe for concurrent use; the T that it is given belongs to the caller.
type Mapping[T any] struct {
	typ    *schema.Type
	fields []FieldInfo
}

// FieldInfo describes a field.
type FieldInfo struct {
	// Path is the path as declared, and Target what it means.
	Path   string
	Target Target
	// Name is the host's name for the field: that of the struct field, behind the
	// names of the structs that it lies in ("Home.Street"), or what code set.
	Name string
	// Label is the field's name for people; "" when none is declared.
	Label string
	// ReadOnly: clients cannot set it, because the field says so or the schema.
	// WriteOnce: clients set it once, because the field says so or the schema.
	ReadOnly, WriteOnce bool
	// Required says that the schema demands the attribute.
	Required bool
	// Max bounds the length of a text, in characters; 0 means no bound.
	Max int
	// Derived says that the value is worked out when the client sends none;
	// Default that there is a value for that case.
	Derived, Default bool
}

// Of builds a mapping from the tags of T, when T is a struct that has any, and
// from fields declared by code. t is the server's own type, which a handler is
// given by scim.Binder.
//
// The error lists everything that is wrong: a path that does not parse or names
// no attribute, a Go type that cannot hold the attribute, two fields for one
// path or for paths that overlap, two selections that one element may match, a
// tag that is cut short, an attribute that the schema demands and no field is
// declared for, a relation or a password.
func Of[T any](t *schema.Type, fields ...Field[T]) (*Mapping[T], error) { panic("todo") }

// Type returns the type whose resources are mapped.
func (m *Mapping[T]) Type() *schema.Type { return m.typ }

// Fields returns the fields in the order of their declaration, those of tags
// first, without the side document. The result is the caller's.
func (m *Mapping[T]) Fields() []FieldInfo { panic("todo") }

// Touched returns the fields that a change of the attribute p may change, see
// [Target.Touches].
func (m *Mapping[T]) Touched(p schema.Path) []FieldInfo { panic("todo") }

// HasSide reports whether there is a side document.
func (m *Mapping[T]) HasSide() bool { panic("todo") }

// Assign makes dst say what r says. dst holds the present state, or is zero for
// a new resource; fields that are not declared stay as they are, as do id and
// meta, which are the host's to give. It returns the names of what was lost:
// attributes and sub-attributes without a place, and read-only ones with another
// value; there are no values among them.
//
// An error is a [*scim.Error], 400 invalidValue or mutability, that names every
// path at fault to the client and the fields to the log. dst is unchanged then,
// as far as a copy of *dst restores it: slices and pointers in it are replaced
// and never written through. What set functions of the host do behind pointers
// and maps is their affair.
func (m *Mapping[T]) Assign(dst *T, r *scim.Resource) (ignored []string, err error) { panic("todo") }

// Resource makes the resource that src is, with its Meta as far as id and meta
// are mapped. An error means that src cannot be shown: a required attribute has
// no value, a text marshaler failed, or the side document is not one. It is the
// host's to look into, and answered 500 when a handler returns it.
func (m *Mapping[T]) Resource(src *T) (*scim.Resource, error) { panic("todo") }

// FullName joins the parts of a name that are not empty with spaces, for
// displayName and name.formatted in [Derived] and [TypedField.Derive].
func FullName(parts ...string) string { panic("todo") }
