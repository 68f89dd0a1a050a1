package mapping

import (
	"github.com/musterhq/muster/scim/filter"
	"github.com/musterhq/muster/scim/schema"
)

// Target is what a path of a mapping means: an attribute, or a part of the
// element of a multi-valued attribute that Terms select.
type Target struct {
	// Attr is the attribute whose value the field holds: userName,
	// name.givenName, emails.value, or emails for all its elements.
	Attr schema.Path
	// Element is the multi-valued attribute that Attr is a part of, when the path
	// means one of its elements; else the zero Path.
	Element schema.Path
	// Terms are what the element is selected by, comparisons with eq on its
	// sub-attributes. Without any, it is the primary element, else the first.
	Terms []filter.Compare
}

// ParsePath reads a path of a mapping: a PATCH path (RFC 7644 section 3.5.2)
// whose filter is made of eq and and, in single or double quotes. Inside single
// quotes a quote is doubled, and nothing else is special. The error says what is
// wrong and, where it can, at which byte.
func ParsePath(t *schema.Type, path string) (Target, error) { panic("todo") }

// String returns the path with canonical names, such as
// `emails[type eq "work"].value`. Two targets are the same when their strings
// are.
func (t Target) String() string { panic("todo") }

// Touches reports whether a change of the attribute p, as [scim.Effect] lists
// them, may change the target: p is Attr, lies in it or around it.
func (t Target) Touches(p schema.Path) bool { panic("todo") }

// Selects reports whether a demand for terms on one element of the target's
// attribute selects the very element: the same comparisons, in any order.
func (t Target) Selects(terms []filter.Compare) bool { panic("todo") }
