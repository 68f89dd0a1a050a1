package sqltable

import "github.com/musterhq/muster/mapping"

// Fields returns the attributes that have a column or a child table, and
// externalId, for [mapping.NewGuide]: columns by path, then child tables. There
// are none before the handler was given to scim.New. The result is the caller's.
func (h *Handler) Fields() []mapping.FieldInfo {
	if h.b == nil {
		return []mapping.FieldInfo{}
	}
	return h.b.mapping.Fields()
}
