package patch

import (
	"cmp"

	"github.com/musterhq/muster/scim/filter"
	"github.com/musterhq/muster/scim/resource"
	"github.com/musterhq/muster/scim/schema"
)

// Tolerance is what a client's habits ask of [Parse], beyond the RFC. The zero
// value is strict. Package dialect fills it.
type Tolerance struct {
	// Repair is asked by the decoder of values, and about members of a path-less
	// value that name no attribute.
	Repair resource.Repair
	// Filter and Plan loosen value paths.
	Filter filter.ParseOptions
	Plan   filter.Options
	// Names are spellings of attribute names beyond the RFC's, in paths and, for
	// plain names, as keys of path-less values.
	Names schema.NameForms
	// MissingSchemas accepts a body that does not name the PatchOp URN.
	MissingSchemas bool
	// EmptyOperations accepts an empty list of operations, which does nothing.
	EmptyOperations bool
	// KeysAsPaths reads the keys of a path-less value as paths: "name.givenName",
	// "urn:…:User:department", `emails[type eq "work"].value`.
	KeysAsPaths bool
	// IgnoreReadOnly skips read-only members of a path-less value. Without it they
	// are an error mutability unless they repeat the present value, which
	// [Apply] finds out.
	IgnoreReadOnly bool
	// IgnoreUnknown skips unknown members of a path-less value and unknown
	// sub-attributes.
	IgnoreUnknown bool
	// SkipUnknownSchema skips operations whose path lies in a schema that the type
	// does not have.
	SkipUnknownSchema bool
	// WholeExtension accepts an extension's URN alone as a path.
	WholeExtension bool
	// Used, if not nil, is told which of the tolerances above a request relied on,
	// by the field's name, "Unqualified" or "DottedURN".
	Used func(option string)
	// Rewrite, if not nil, may change the parsed operations. It may modify ops and
	// return it.
	Rewrite func(t *schema.Type, ops []Operation) []Operation
}

// ParseOptions are limits and tolerance of [Parse]. A limit of zero or less is
// the default.
type ParseOptions struct {
	Tolerance
	MaxOperations int // default 10,000, path-less members counted
	MaxMembers    int // over all operations on relations; default 100,000
	MaxSelections int // operations for which [NeedsSelect] is true; default 100
	MaxDepth      int // of JSON, the body's own nesting counted; default 32
	// Inverses makes attributes that show relations backwards, such as a user's
	// groups, relations like others: [Request.Links] has the operations on them.
	// Without it they are read-only.
	Inverses bool
}

func limit(n, fallback int) int { return cmp.Or(max(n, 0), fallback) }

// ApplyOptions are the tolerances that only the present state of a resource
// can decide.
type ApplyOptions struct {
	// CreateElement makes an add or replace of a sub-attribute, and an add of a
	// whole element, whose filter matches nothing create the element that the
	// filter describes, when it is a conjunction of eq and the new element would
	// match it. It is called when an element could be created, and its result says
	// whether it is.
	CreateElement func() bool
	// RequireTarget makes a remove whose filter matches nothing an error noTarget.
	RequireTarget bool
	// MaxVisits bounds the elements of multi-valued attributes that all operations
	// together look at, which is what many filters over many elements cost. Zero
	// or less is the default, 1,000,000. Over it is an [*Error] with Limit.
	MaxVisits int
}
