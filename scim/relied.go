package scim

import "slices"

// Relied reports whether the request that the operation came with has relied on a
// dialect rule so far: for interceptors. Of the operations of one bulk request it
// says the same. In process it is false.
func (op *Operation) Relied(rule string) bool {
	return op.call != nil && op.call.session != nil && slices.Contains(op.call.session.Fired(), rule)
}
