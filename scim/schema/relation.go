package schema

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// TellsOrigin reports whether the attribute says of each link how it came about:
// its sub-attribute "type" has the canonical values "direct" and "indirect", as
// groups has (RFC 7643 section 4.1.2).
func (r *InverseRelation) TellsOrigin() bool {
	p, ok := r.Path.Lookup("type")
	if !ok {
		return false
	}
	words := p.Attribute().CanonicalValues
	return slices.Contains(words, "direct") && slices.Contains(words, "indirect")
}

// CheckRelations checks the relations of all resource types of one server against
// each other, which [Compile] cannot, as it need not know all of them: every target
// must be one of the types, and an inverse attribute must be there in one target at
// least. The error lists every problem found.
func CheckRelations(types ...ResourceType) error {
	var problems []error
	byName := map[string]*ResourceType{}
	for i := range types {
		byName[types[i].Name] = &types[i]
	}
	for _, owner := range types {
		for _, r := range owner.Relations {
			shown := r.Inverse == ""
			for _, name := range r.Targets {
				target := byName[name]
				if target == nil {
					problems = append(problems, fmt.Errorf("schema: resource type %s: relation %q leads to %q, which is no resource type here", owner.Name, r.Attribute, name))
					shown = true // or not; one problem at a time
					continue
				}
				shown = shown || target.Schema != nil && slices.ContainsFunc(target.Schema.Attributes, func(a Attribute) bool { return sameName(a.Name, r.Inverse) })
			}
			if !shown {
				problems = append(problems, fmt.Errorf("schema: resource type %s: relation %q is to be shown as %q, which none of its targets has", owner.Name, r.Attribute, r.Inverse))
			}
		}
	}
	return errors.Join(problems...)
}

// relationParts checks what a relation says against its attribute. A link holds who
// is linked and nothing else, so that a value of any other sub-attribute would be
// lost.
func (c *compiler) relationParts(n *node, r *Relation) {
	for _, k := range n.kids {
		switch strings.ToLower(k.attr.Name) {
		case "value", "$ref", "type", "display":
			if !k.attr.Type.IsText() || k.attr.MultiValued {
				c.bad("attribute %q of a relation must be a single text", k.name)
			}
		default:
			c.bad("attribute %q cannot be kept: a relation has the sub-attributes \"value\", \"$ref\", \"type\" and \"display\" only", k.name)
		}
	}
	for i, t := range r.Targets {
		if slices.Contains(r.Targets[:i], t) {
			c.bad("relation %q names the target %q twice", r.Attribute, t)
		}
	}
}
