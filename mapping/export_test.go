package mapping

import "reflect"

// PathOf returns the path that a field was declared with.
func PathOf[T any](f Field[T]) string { return f.declared().Path }

// ParseTag reads a whole struct tag and returns its path.
func ParseTag(raw string) (path string, ok bool, err error) {
	tag, ok, err := parseTag(raw)
	return tag.path, ok, err
}

// LookupTag returns what package reflect sees of a tag of ours.
func LookupTag(raw string) string { return reflect.StructTag(raw).Get("scim") }
