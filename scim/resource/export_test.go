package resource

import "unsafe"

// KeptBytes is the memory that holds a resource's document.
func KeptBytes(r *Resource) int {
	return cap(r.doc.text) + cap(r.doc.nodes)*int(unsafe.Sizeof(node{}))
}
