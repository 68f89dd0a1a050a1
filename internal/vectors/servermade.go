package vectors

import (
	"maps"
	"strings"
)

const (
	coreGroup  = "urn:ietf:params:scim:schemas:core:2.0:Group"
	enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
)

// sendable returns a row's resource as a client can create it: without what only
// a server sets.
func sendable(r map[string]any) map[string]any {
	r = maps.Clone(r)
	delete(r, "id")
	delete(r, "meta")
	editManager(r, func(m map[string]any) { delete(m, "displayName") })
	return r
}

// withoutServerMade returns a representation without the parts that a server
// makes itself, where rows and servers may differ: a member is its value, a
// manager is its value, and base64 has no padding.
func withoutServerMade(r map[string]any) map[string]any {
	r = maps.Clone(r)
	editManager(r, func(m map[string]any) {
		delete(m, "displayName")
		delete(m, "$ref")
	})
	editElements(r, "members", func(m map[string]any) {
		maps.DeleteFunc(m, func(k string, _ any) bool { return k != "value" })
	})
	editElements(r, "x509Certificates", func(m map[string]any) {
		if value, ok := m["value"].(string); ok {
			m["value"] = strings.TrimRight(value, "=")
		}
	})
	return r
}

// editManager calls edit with a copy of the enterprise extension's manager, if r
// has one, and puts the copy in its place.
func editManager(r map[string]any, edit func(map[string]any)) {
	extension, ok := r[enterprise].(map[string]any)
	if !ok {
		return
	}
	manager, ok := extension["manager"].(map[string]any)
	if !ok {
		return
	}
	extension, manager = maps.Clone(extension), maps.Clone(manager)
	edit(manager)
	extension["manager"] = manager
	r[enterprise] = extension
}

// editElements does the same with the objects in a list.
func editElements(r map[string]any, key string, edit func(map[string]any)) {
	list, ok := r[key].([]any)
	if !ok {
		return
	}
	out := make([]any, len(list))
	for i, e := range list {
		if object, ok := e.(map[string]any); ok {
			object = maps.Clone(object)
			edit(object)
			e = object
		}
		out[i] = e
	}
	r[key] = out
}
