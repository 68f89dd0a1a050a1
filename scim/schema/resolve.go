package schema

import (
	"fmt"
	"strings"
)

// NameError says why a name reaches no attribute.
type NameError struct {
	Name   string // the name as given
	Reason NameProblem
	// Schema is the registered schema in which the attribute was looked for;
	// empty for UnknownSchema and BadSyntax.
	Schema string
	Detail string // a sentence for a person, with the name in it
}

// NameProblem is what is wrong with a name.
type NameProblem uint8

// What can be wrong with a name.
const (
	// BadSyntax: the text is no attribute name at all.
	BadSyntax NameProblem = iota + 1
	// UnknownSchema: the name starts with a URN that the type does not have.
	UnknownSchema
	// UnknownAttribute: the schema is known and has no such attribute.
	UnknownAttribute
)

// Error returns the sentence for a person.
func (e *NameError) Error() string { return e.Detail }

// NameForms are spellings of attribute names beyond those of RFC 7644
// section 3.10.
type NameForms uint8

const (
	// Unqualified lets the attribute of an extension go without its URN, as
	// long as no core attribute and no other extension has one of that name.
	Unqualified NameForms = 1 << iota
	// DottedURN lets a '.' stand between a schema URN and an attribute name.
	DottedURN
	// DraftURN lets the URNs that SCIM 1 and drafts of SCIM 2.0 had for the core
	// schemas and the enterprise extension stand for those of the RFC.
	DraftURN
)

// Resolve finds the attribute that a name means: "userName",
// "name.familyName", either of them behind a schema URN and a colon, or an
// extension's URN alone. Case does not matter. An error is a *[NameError].
func (t *Type) Resolve(name string) (Path, error) { return t.ResolveForms(name, 0) }

// ResolveForms is [Type.Resolve] with further spellings allowed.
func (t *Type) ResolveForms(name string, allow NameForms) (Path, error) {
	if len(name) >= 4 && equalFoldASCII("urn:", name[:4]) {
		return t.resolveURN(name, allow)
	}
	if !validName(name) {
		return Path{}, syntaxError(name)
	}
	root := t.nodes[0]
	if p, ok := below(root, name); ok {
		return p, nil
	}
	if first, _, _ := strings.Cut(name, "."); allow&Unqualified != 0 && find(root, first) == nil {
		var found Path
		for _, e := range t.extensions {
			if p, ok := below(e.n, name); ok {
				if !found.IsZero() {
					return Path{}, &NameError{Name: name, Reason: UnknownAttribute, Schema: t.Schema(), Detail: fmt.Sprintf(
						"attribute %q exists in more than one extension; put the schema URN and a colon in front of it", name)}
				}
				found = p
			}
		}
		if !found.IsZero() {
			return found, nil
		}
	}
	return Path{}, unknownAttribute(name, name, t.Schema())
}

func (t *Type) resolveURN(name string, allow NameForms) (Path, error) {
	// URNs may be prefixes of one another: the longest registered one counts.
	best, rest := (*node)(nil), ""
	try := func(n *node, urn string) {
		if len(name) < len(urn) || !equalFoldASCII(urn, name[:len(urn)]) || best != nil && len(best.urn) >= len(urn) {
			return
		}
		tail := name[len(urn):]
		if tail == "" || tail[0] == ':' || tail[0] == '.' && allow&DottedURN != 0 {
			best, rest = n, tail
		}
	}
	try(t.nodes[0], t.Schema())
	for _, e := range t.extensions {
		try(e.n, e.n.urn)
	}
	for _, e := range t.nested {
		try(e.n, e.n.urn)
	}
	if best == nil && allow&DraftURN != 0 {
		if current, ok := t.modernise(name, allow); ok {
			p, err := t.resolveURN(current, allow&^DraftURN)
			if e, ok := err.(*NameError); ok {
				e.Name = name
			}
			return p, err
		}
	}
	switch {
	case best == nil:
		return Path{}, &NameError{Name: name, Reason: UnknownSchema, Detail: fmt.Sprintf("resource type %s has no schema that %q could belong to", t.Name(), name)}
	case rest == "" && best != t.nodes[0]:
		return Path{best}, nil
	case rest == "":
		return Path{}, &NameError{Name: name, Reason: BadSyntax, Detail: fmt.Sprintf("%q names the core schema; an attribute must follow, behind a colon", name)}
	}
	if best.ext && len(rest) > 4 && equalFoldASCII("urn:", rest[1:5]) {
		if p, err := t.resolveURN(rest[1:], allow); err == nil && p.inNested(best) {
			return p, nil
		}
	}
	if !validName(rest[1:]) {
		return Path{}, syntaxError(name)
	}
	if p, ok := below(best, rest[1:]); ok {
		return p, nil
	}
	return Path{}, unknownAttribute(name, rest[1:], best.urn)
}

// below finds "attr" or "attr.sub" among the children of n.
func below(n *node, name string) (Path, bool) {
	first, sub, dotted := strings.Cut(name, ".")
	k := find(n, first)
	if k != nil && dotted {
		k = find(k, sub)
	}
	return Path{k}, k != nil
}

func validName(s string) bool {
	first, sub, dotted := strings.Cut(s, ".")
	return checkName(first) == nil && (!dotted || checkName(sub) == nil)
}

func syntaxError(name string) error {
	return &NameError{Name: name, Reason: BadSyntax, Detail: fmt.Sprintf("%q is not an attribute name; write \"attribute\" or \"attribute.subAttribute\", with the schema URN and a colon in front where needed", name)}
}

func unknownAttribute(name, short, urn string) error {
	return &NameError{Name: name, Reason: UnknownAttribute, Schema: urn, Detail: fmt.Sprintf("schema %s has no attribute %q", urn, short)}
}
