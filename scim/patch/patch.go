package patch

import (
	"github.com/musterhq/muster/scim/filter"
	"github.com/musterhq/muster/scim/resource"
	"github.com/musterhq/muster/scim/schema"
)

// Op is the name of an operation.
type Op uint8

// The operations.
const (
	Add Op = iota + 1
	Remove
	Replace
)

// String returns the RFC's name.
func (o Op) String() string { panic("todo") }

// Target is what an operation acts on: an attribute, a sub-attribute, elements
// of a multi-valued attribute, or a sub-attribute of such elements. It is
// resolved; the zero Target does not occur.
type Target struct {
	// Path is the attribute or sub-attribute: emails.value in
	// `emails[type eq "work"].value`.
	Path schema.Path
	// Where selects elements of Path's multi-valued attribute; nil selects all.
	Where *filter.Plan
}

// String prints the target as a path.
func (t Target) String() string { panic("todo") }

// Operation is one parsed operation on one target.
type Operation struct {
	Op     Op
	Target Target
	// Value is the decoded value; zero when it was absent, null or empty.
	Value resource.Value
	// Given says that a value other than null was sent; on remove, such a value
	// names what to take away.
	Given bool
	// Members is the decoded value of an operation on a relation.
	Members []resource.Member
	// Index is the position in the request's Operations, from 0. Path-less
	// operations give several with one index.
	Index int
	// Pathless says that the operation had no path and Target comes from a member
	// of its value.
	Pathless bool
}

// Request is a parsed PATCH request.
type Request struct {
	// Operations are all operations in order, those on relations included.
	Operations []Operation
	// Ignored names what was skipped: unknown or read-only members of path-less
	// values, and paths into schemas that are not registered.
	Ignored []string
}

// Document returns the operations on the resource's own document, in order.
func (r *Request) Document() []Operation { panic("todo") }

// Links returns, for each relation that the request touches, its operations in
// order.
func (r *Request) Links() map[string][]Operation { panic("todo") }

// Touches reports whether any operation's target is p or lies below it.
func (r *Request) Touches(p schema.Path) bool { panic("todo") }

// Tolerance is what a client's habits ask of [Parse], beyond the RFC. The zero
// value is strict. Package dialect fills it.
type Tolerance struct {
	// Repair is asked by the decoder of values.
	Repair resource.Repair
	// Filter and Plan loosen value paths.
	Filter filter.ParseOptions
	Plan   filter.Options
	// Names are spellings of attribute names beyond the RFC's.
	Names schema.NameForms
	// MissingSchemas accepts a body that does not name the PatchOp URN.
	MissingSchemas bool
	// EmptyOperations accepts a request without operations, which does nothing.
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
	// Rewrite, if not nil, may change the parsed operations.
	Rewrite func(t *schema.Type, ops []Operation) []Operation
}

// ParseOptions are limits and tolerance of [Parse].
type ParseOptions struct {
	Tolerance
	MaxOperations int // default 10,000, path-less members counted
	MaxMembers    int // over all operations on relations; default 100,000
	MaxDepth      int // of JSON; default 32
}

// Parse reads the body of a PATCH request for a resource of type t. An error
// is an [*Error].
func Parse(t *schema.Type, body []byte, o ParseOptions) (*Request, error) { panic("todo") }

// Change is one attribute whose value a PATCH changed. Path is the top-level
// attribute, or the attribute of an extension.
type Change struct {
	Path          schema.Path
	Before, After resource.Value
}

// Result is what [Apply] did.
type Result struct {
	Resource *resource.Resource
	// Relations is the relations passed in, edited.
	Relations resource.Relations
	// Changes is empty, and Resource the one passed in, when the operations
	// changed nothing in the document.
	Changes []Change
	// RelationsChanged says whether any relation differs as a set.
	RelationsChanged bool
}

// ApplyOptions are the tolerances that only the present state of a resource
// can decide.
type ApplyOptions struct {
	// CreateElement makes add and replace with an unmatched filter create the
	// element that the filter describes, when it is a conjunction of eq. It is told
	// that it was relied on.
	CreateElement func() bool
	// RequireTarget makes a remove whose filter matches nothing an error noTarget.
	RequireTarget bool
}

// Apply applies operations in order to a resource and to relations held in
// memory; rel may be nil when no operation touches one. It is pure: r, rel and
// ops are not modified. It is all or nothing: with an error, which is an
// [*Error], nothing is returned. Required attributes, immutability, and the
// rule of one primary element are checked; uniqueness is the store's to check.
func Apply(r *resource.Resource, rel resource.Relations, ops []Operation, o ApplyOptions) (*Result, error) {
	panic("todo")
}

// LinkEdit is the net effect of operations on one relation, in normal form, in
// which order no longer matters:
//
//	Reset false: (old − Remove) + Add
//	Reset true:  exactly Add
//
// Add and Remove are disjoint and without duplicates.
type LinkEdit struct {
	Reset       bool
	Add, Remove []resource.Member
}

// IsZero reports whether the edit asks for nothing.
func (e LinkEdit) IsZero() bool { return !e.Reset && len(e.Add) == 0 && len(e.Remove) == 0 }

// FoldLinks folds the operations on one relation, in order, into one edit.
// select resolves a filter other than "value eq x": it returns the present
// members that match; it may be nil when [NeedsSelect] is false. Members that
// earlier operations of the request added are considered by FoldLinks itself.
func FoldLinks(ops []Operation, selectMembers func(where *filter.Plan) ([]resource.Member, error)) (LinkEdit, error) {
	panic("todo")
}

// NeedsSelect reports whether folding the operations needs present members.
func NeedsSelect(ops []Operation) bool { panic("todo") }

// ApplyLinks applies an edit to members held in memory. changed is false when
// the set is the same afterwards; then have is returned as it is.
func ApplyLinks(have []resource.Member, e LinkEdit) (now []resource.Member, changed bool) {
	panic("todo")
}

// Error says why a PATCH request was refused.
type Error struct {
	// ScimType is the RFC's word: invalidSyntax, invalidPath, invalidFilter,
	// invalidValue, noTarget or mutability.
	ScimType string
	// Index is the operation's position in the request, -1 for the request as a
	// whole.
	Index int
	// Path is the operation's path or the attribute concerned.
	Path   string
	Detail string // a sentence for a person, without values
	Err    error  // the error of a lower package, if there was one
}

// Error returns the sentence, with the operation counted from 1.
func (e *Error) Error() string { panic("todo") }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }
