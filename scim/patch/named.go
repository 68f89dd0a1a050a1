package patch

import (
	"github.com/musterhq/muster/scim/filter"
	"github.com/musterhq/muster/scim/resource"
)

// named is the list of elements that the value of a remove names.
type named struct {
	e     *elements
	byKey map[string][]resource.Value // by the key of value, or of a simple element
	rest  []resource.Value            // those without a value, which name by other parts
}

func newNamed(e *elements, op *Operation) *named {
	if !op.Given || op.Value.IsZero() {
		return &named{}
	}
	n := &named{e: e, byKey: make(map[string][]resource.Value, op.Value.Len())}
	for v := range op.Value.Elements() {
		if key, ok := n.key(v); ok {
			n.byKey[key] = append(n.byKey[key], v)
		} else {
			n.rest = append(n.rest, v)
		}
	}
	return n
}

func (n *named) key(v resource.Value) (string, bool) {
	if v.Kind() == resource.KindObject {
		if n.e.valuePart.IsZero() {
			return "", false
		}
		v = v.Get(n.e.valuePart)
	}
	if v.IsZero() {
		return "", false
	}
	return filter.Key(v)
}

// has reports whether the list names v.
func (n *named) has(v resource.Value) bool {
	if n.e == nil {
		return false
	}
	if key, ok := n.key(v); ok {
		for _, say := range n.byKey[key] {
			if names(say, v) {
				return true
			}
		}
	}
	for _, say := range n.rest {
		if names(say, v) {
			return true
		}
	}
	return false
}
