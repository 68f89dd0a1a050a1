package schema

import "slices"

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
