package patch

import (
	"strings"

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

var opNames = [...]string{"invalid", "add", "remove", "replace"}

// String returns the RFC's name.
func (o Op) String() string {
	if int(o) < len(opNames) {
		return opNames[o]
	}
	return opNames[0]
}

// parseOp reads the name of an operation, in any case; 0 is none.
func parseOp(name []byte) Op {
	for o := Add; o <= Replace; o++ {
		if strings.EqualFold(opNames[o], string(name)) {
			return o
		}
	}
	return 0
}

// Target is what an operation acts on: an attribute, a sub-attribute, elements
// of a multi-valued attribute, or a sub-attribute of such elements. It is
// resolved; the zero Target does not occur.
type Target struct {
	// Path is the attribute or sub-attribute: emails.value in
	// `emails[type eq "work"].value`. A whole extension occurs as the target of
	// an operation that unassigns it.
	Path schema.Path
	// Where selects elements of Path's multi-valued attribute; nil selects all.
	Where *filter.Plan
}

// String prints the target as a path. The filter, whose literals may be
// personal, is left out: "emails[…].value".
func (t Target) String() string {
	if t.Where == nil {
		return t.Path.String()
	}
	slot, sub := place(t.Path)
	switch {
	case sub.IsZero():
		return slot.String() + "[…]"
	case slot.Attribute().MultiValued:
		return slot.String() + "[…]." + sub.Name()
	}
	return sub.String() + "[…]"
}

// place divides a path into the attribute that is assigned in a resource, at
// the top level or in an extension, and the sub-attribute of it, if any.
func place(p schema.Path) (slot, sub schema.Path) {
	if parent := p.Parent(); !parent.IsZero() && !parent.IsExtension() {
		return parent, p
	}
	return p, schema.Path{}
}

// Operation is one parsed operation on one target.
type Operation struct {
	Op     Op
	Target Target
	// Value is the decoded value; zero when it was absent, null or empty.
	Value resource.Value
	// Given says that a value other than null was sent. On remove, such a value
	// names what to take away. On add and replace, a zero Value unassigns when
	// Given is false; when it is true, the value was empty.
	Given bool
	// Cleared are the sub-attributes that an object names as null, and so
	// unassigns.
	Cleared []schema.Path
	// Members is the decoded value of an operation on a relation.
	Members []resource.Member
	// Index is the position in the request's Operations, from 0. Path-less
	// operations give several with one index.
	Index int
	// Pathless says that the operation had no path and Target comes from a member
	// of its value.
	Pathless bool
}

// relation returns the relation that the operation edits, seen from either end, or
// the zero Path.
func (op *Operation) relation() schema.Path {
	slot, _ := place(op.Target.Path)
	_, forwards := slot.Relation()
	_, backwards := slot.Inverse() // in a request only with ParseOptions.Inverses
	if forwards || backwards {
		return slot
	}
	return schema.Path{}
}

// Request is a parsed PATCH request.
type Request struct {
	// Operations are all operations in order, those on relations included.
	Operations []Operation
	// Ignored names what was skipped: unknown or read-only members of path-less
	// values, unknown sub-attributes, paths into schemas that are not registered,
	// and the paths of removes whose value names nothing. The first 20 at the most.
	Ignored []string
}

// Document returns the operations on the resource's own document, in order.
func (r *Request) Document() []Operation {
	for i := range r.Operations {
		if !r.Operations[i].relation().IsZero() {
			ops := append([]Operation(nil), r.Operations[:i]...)
			for _, op := range r.Operations[i+1:] {
				if op.relation().IsZero() {
					ops = append(ops, op)
				}
			}
			return ops
		}
	}
	return r.Operations
}

// Links returns, for each relation that the request touches, its operations in
// order, by the name of the relation's attribute. It is nil when there are none.
func (r *Request) Links() map[string][]Operation { return linkOperations(r.Operations) }

func linkOperations(ops []Operation) map[string][]Operation {
	var links map[string][]Operation
	for _, op := range ops {
		if p := op.relation(); !p.IsZero() {
			if links == nil {
				links = make(map[string][]Operation, 1)
			}
			links[p.Name()] = append(links[p.Name()], op)
		}
	}
	return links
}

// Touches reports whether any operation's target is p or lies below it.
func (r *Request) Touches(p schema.Path) bool {
	for i := range r.Operations {
		for t := r.Operations[i].Target.Path; !t.IsZero(); t = t.Parent() {
			if t == p {
				return true
			}
		}
	}
	return false
}
