package schema

import "slices"

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
	// among the resources of one connection, instead of within the tenant if they
	// have a uniqueness already. Group uses it for displayName: clients look groups
	// up by name. [ResourceType.Schemas] shows it as uniqueness server.
	UniquePerConnection []string
}

// Extension is a schema that adds attributes to a resource type
// (RFC 7643 section 3.3).
type Extension struct {
	Schema *Schema
	// Required says that every resource of the type must carry the extension, or
	// with Within, every resource that carries the outer one.
	Required bool
	// Within, if not empty, is the URN of an extension further up in the list in
	// whose object this one lies (RFC 9944 section 7.1). Its attributes are simple
	// then, and there may be none.
	Within string
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

// Schemas returns the core schema and the extensions as clients should see them
// at /Schemas: an attribute that UniquePerConnection names has uniqueness server
// there. The result is the caller's to change.
func (d ResourceType) Schemas() []*Schema {
	list := []*Schema{d.Schema.clone()}
	for _, e := range d.Extensions {
		list = append(list, e.Schema.clone())
	}
	for i, s := range list {
		for j := range s.Attributes {
			a := &s.Attributes[j]
			unique := slices.ContainsFunc(d.UniquePerConnection, func(name string) bool {
				return i == 0 && sameName(name, a.Name) || sameName(name, s.ID+":"+a.Name)
			})
			if unique && a.Uniqueness == UniqueNone {
				a.Uniqueness = UniqueServer
			}
		}
	}
	return list
}

func sameName(a, b string) bool { return len(a) == len(b) && equalFoldASCII(a, b) }

// clone copies everything that a declaration points to.
func (d ResourceType) clone() ResourceType {
	d.Schema = d.Schema.clone()
	d.Extensions = slices.Clone(d.Extensions)
	for i := range d.Extensions {
		d.Extensions[i].Schema = d.Extensions[i].Schema.clone()
	}
	d.Relations = slices.Clone(d.Relations)
	for i := range d.Relations {
		d.Relations[i].Targets = slices.Clone(d.Relations[i].Targets)
	}
	d.Indexed = slices.Clone(d.Indexed)
	d.UniquePerConnection = slices.Clone(d.UniquePerConnection)
	return d
}

func (s *Schema) clone() *Schema {
	if s == nil {
		return nil
	}
	c := *s
	c.Attributes = cloneAttributes(s.Attributes)
	return &c
}

func cloneAttributes(list []Attribute) []Attribute {
	list = slices.Clone(list)
	for i := range list {
		a := &list[i]
		a.CanonicalValues = slices.Clone(a.CanonicalValues)
		a.ReferenceTypes = slices.Clone(a.ReferenceTypes)
		a.SubAttributes = cloneAttributes(a.SubAttributes)
	}
	return list
}
