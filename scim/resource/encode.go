package resource

import "github.com/musterhq/muster/scim/schema"

// View says how a resource is shown to a client.
type View struct {
	// Projection selects attributes; nil shows the default set.
	Projection *Projection
	// BaseURL is the service root without a trailing slash. With it,
	// meta.location and each $ref are absolute; without it they are left out.
	BaseURL string
	// Endpoint returns the endpoint of a resource type, such as "/Users", for
	// $ref, and "" for types that are not served.
	Endpoint func(resourceType string) string
	// Relations are the links to show, by attribute: members of a group, groups of
	// a user. A nil Members with Shown writes an empty array.
	Relations []RelationView
}

// RelationView is one relation attribute as it is shown.
type RelationView struct {
	Path    schema.Path
	Members []Member
}

// AppendJSON appends r as a client sees it: schemas, id, the attributes that the
// projection lets through, relations, and meta (RFC 7643 section 3,
// RFC 7644 section 3.9). Attributes that are never returned are left out
// whatever the projection says. Where nothing is to be left out, the kept
// document is copied as bytes.
func AppendJSON(dst []byte, r *Resource, v *View) []byte { panic("todo") }

// Location returns the absolute URI of a resource: base, endpoint, id escaped
// as one path segment.
func Location(base, endpoint, id string) string { panic("todo") }
