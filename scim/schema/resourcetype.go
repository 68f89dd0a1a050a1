package schema

// ResourceType declares a kind of resource and where it is served
// (RFC 7643 section 6). [Compile] checks it and makes it usable.
type ResourceType struct {
	// ID identifies the resource type; empty means Name.
	ID string
	// Name is what meta.resourceType and references say, such as "User".
	Name string
	// Endpoint is the path below the base URL, such as "/Users".
	Endpoint    string
	Description string
	Schema      *Schema
	Extensions  []Extension
	// Relations are attributes that are kept as links between resources, not
	// inside the resource's own document.
	Relations []Relation
	// Indexed names further attributes that a store should be able to look up
	// without reading every resource. Attributes with a uniqueness, and those
	// listed at [Type.Indexed], are indexed anyway.
	Indexed []string
	// Label names the attribute that other resources show as "display" when
	// they refer to this one. Empty means no label.
	Label string
	// UniquePerConnection names attributes whose folded value must be unique
	// among the resources of one connection. Group uses it for displayName:
	// clients look groups up by name.
	UniquePerConnection []string
}

// Extension is a schema that adds attributes to a resource type
// (RFC 7643 section 3.3).
type Extension struct {
	Schema *Schema
	// Required says that every resource of the type must carry the extension.
	Required bool
}

// Relation declares that a complex multi-valued attribute, such as a group's
// members, is a set of links to other resources. Links live beside the
// documents: adding one never rewrites a resource.
type Relation struct {
	// Attribute is the multi-valued attribute, such as "members".
	Attribute string
	// Targets are the names of the resource types that may be linked. The first
	// is assumed when a client names no type.
	Targets []string
	// Inverse is the read-only attribute of the targets that shows the relation
	// backwards, such as "groups"; empty when there is none.
	Inverse string
}

// defaultIndexed are the attributes that every type indexes as far as it has
// them.
var defaultIndexed = []string{"externalId", "userName", "displayName", "emails.value", "active", "meta.created", "meta.lastModified"}
