package patch

import (
	"github.com/musterhq/muster/scim/resource"
	"github.com/musterhq/muster/scim/schema"
)

// Diff lists the attributes whose values differ between two resources of one
// type, in the order of the type's definition, in the form in which [Apply]
// reports them. It is nil when the documents hold the same. Metadata and
// relations are not compared.
func Diff(before, after *resource.Resource) []Change {
	if before == after {
		return nil
	}
	return diff(nil, before.Type().Root(), before, after)
}

func diff(changes []Change, parent schema.Path, before, after *resource.Resource) []Change {
	for i := range parent.NumChildren() {
		p := parent.Child(i)
		switch {
		case p.IsExtension():
			changes = diff(changes, p, before, after)
		case p.InDocument():
			if b, a := before.Get(p), after.Get(p); !b.Equal(a) {
				changes = append(changes, Change{Path: p, Before: b, After: a})
			}
		}
	}
	return changes
}
