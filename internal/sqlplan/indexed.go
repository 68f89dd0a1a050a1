package sqlplan

import (
	"github.com/musterhq/muster/scim/schema"
)

// Both adapters keep a list of the attributes that are indexed, since an index may
// be used only when every record of the type has its keys of the attribute.

// Listing is what the list says of an attribute.
type Listing struct {
	Form     string // what its keys are made from, as [KeyForm] gives it
	Complete bool   // all records of the type have their keys
}

// KeyForm is what keys of an attribute are made from. With another one they are
// other keys.
func KeyForm(p schema.Path) string {
	f := p.Attribute().Type.String()
	if p.Attribute().CaseExact {
		f += " exact"
	}
	return f
}

// Keyed returns the attributes of a type whose keys are in the tables, as a column
// of records or as entries.
func Keyed(t *schema.Type) (paths []schema.Path) {
	for _, p := range t.Indexed() {
		if p.InDocument() {
			paths = append(paths, p)
		}
	}
	return paths
}

// Usable returns which attributes of a type can be looked up as the list has it,
// and whether all can that should.
func Usable(t *schema.Type, listed map[string]Listing) (usable map[schema.Path]bool, all bool) {
	usable, all = map[schema.Path]bool{}, true
	for _, p := range Keyed(t) {
		l, ok := listed[p.String()]
		usable[p] = ok && l.Complete && l.Form == KeyForm(p)
		all = all && usable[p]
	}
	return usable, all
}
