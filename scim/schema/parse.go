package schema

import (
	"fmt"
	"slices"
)

// ParseSchema reads a schema in the form of RFC 7643 section 7, as servers show
// it at /Schemas. What an attribute leaves out has the RFC's default; member
// names and the words for types and characteristics ignore case; unknown
// members are skipped. The error lists every problem with its place, such as
// "attributes[3].type". [Compile] checks the rest: names, nesting,
// contradictions.
func ParseSchema(data []byte) (*Schema, error) {
	r := newReader(data)
	s := r.schema("")
	if err := r.end(); err != nil {
		return nil, fmt.Errorf("schema: reading a schema: %w", err)
	}
	return s, nil
}

// ParseResourceType reads a resource type in the form of RFC 7643 section 6, as
// servers show it at /ResourceTypes. find returns the schema of a URN, or nil
// when there is none; [Builtin] is one. The error lists every problem with its
// place.
//
// The form has no place for relations, a label and uniqueness per connection. A
// type whose core schema is that of [User] or [Group] has those of User or
// Group, as far as its schema has the attributes; others have none until the
// caller sets them.
func ParseResourceType(data []byte, find func(urn string) *Schema) (ResourceType, error) {
	r := newReader(data)
	d := r.resourceType("").resolve(r, "", find)
	if err := r.end(); err != nil {
		return ResourceType{}, fmt.Errorf("schema: reading a resource type: %w", err)
	}
	return d, nil
}

// ParseFile reads definitions kept in one JSON document:
//
//	{"Schemas": […], "ResourceTypes": […]}
//
// with the documents of [ParseSchema] and [ParseResourceType] in it. Either
// list may be missing. A resource type may use the schemas of the file, in
// whatever order, and those of the RFC; of two with one URN the file's counts.
// So a file extends users by defining a schema, and a type User that lists it
// in schemaExtensions. schemas and types are what the file itself defines: User
// and Group are among the types only if it defines them.
func ParseFile(data []byte) (schemas []*Schema, types []ResourceType, err error) {
	r := newReader(data)
	var parsed []typeDocument
	var where []string
	r.object("", func(key string) {
		switch key {
		case "schemas":
			r.array("Schemas", func(path string) {
				s := r.schema(path)
				if slices.ContainsFunc(schemas, func(o *Schema) bool { return s.ID != "" && sameName(o.ID, s.ID) }) {
					r.bad(path+".id", "the file defines schema %q twice", s.ID)
				}
				schemas = append(schemas, s)
			})
		case "resourcetypes":
			r.array("ResourceTypes", func(path string) {
				d := r.resourceType(path)
				if slices.ContainsFunc(parsed, func(o typeDocument) bool { return d.Name != "" && sameName(o.Name, d.Name) }) {
					r.bad(path+".name", "the file defines resource type %q twice", d.Name)
				}
				parsed = append(parsed, d)
				where = append(where, path)
			})
		default:
			r.bad(key, "a definitions file holds \"Schemas\" and \"ResourceTypes\" only")
			r.skip()
		}
	})
	find := func(urn string) *Schema {
		for _, s := range schemas {
			if sameName(s.ID, urn) {
				return s
			}
		}
		return Builtin(urn)
	}
	for i, d := range parsed {
		types = append(types, d.resolve(r, where[i], find))
	}
	if err := r.end(); err != nil {
		return nil, nil, fmt.Errorf("schema: reading definitions: %w", err)
	}
	return schemas, types, nil
}

// schema reads the schema that stands at path.
func (r *reader) schema(path string) *Schema {
	s := &Schema{}
	listed := false
	r.object(path, func(key string) {
		switch key {
		case "id":
			s.ID = r.text(join(path, "id"))
		case "name":
			s.Name = r.text(join(path, "name"))
		case "description":
			s.Description = r.text(join(path, "description"))
		case "attributes":
			listed = true
			s.Attributes = r.attributes(join(path, "attributes"), 0)
		default:
			r.skip()
		}
	})
	if s.ID == "" {
		r.bad(join(path, "id"), "missing; it is the URN of the schema")
	}
	if !listed {
		r.bad(join(path, "attributes"), "missing")
	}
	return s
}

// maxNesting is how deep attributes nest at the most: the schema of schemas has
// sub-attributes in sub-attributes.
const maxNesting = 2

func (r *reader) attributes(path string, depth int) (list []Attribute) {
	if depth > maxNesting {
		r.bad(path, "sub-attributes cannot have sub-attributes")
		r.skip()
		return nil
	}
	r.array(path, func(path string) {
		list = append(list, r.attribute(path, depth))
	})
	return list
}

func (r *reader) attribute(path string, depth int) (a Attribute) {
	r.object(path, func(key string) {
		switch key {
		case "name":
			a.Name = r.text(join(path, "name"))
		case "description":
			a.Description = r.text(join(path, "description"))
		case "type":
			a.Type = DataType(r.word(join(path, "type"), "type", dataTypeNames[:]))
		case "multivalued":
			a.MultiValued = r.flag(join(path, "multiValued"))
		case "required":
			a.Required = r.flag(join(path, "required"))
		case "caseexact":
			a.CaseExact = r.flag(join(path, "caseExact"))
		case "canonicalvalues":
			a.CanonicalValues = r.texts(join(path, "canonicalValues"))
		case "referencetypes":
			a.ReferenceTypes = r.texts(join(path, "referenceTypes"))
		case "mutability":
			a.Mutability = Mutability(r.word(join(path, "mutability"), "mutability", mutabilityNames[:]))
		case "returned":
			a.Returned = Returned(r.word(join(path, "returned"), "returned", returnedNames[:]))
		case "uniqueness":
			a.Uniqueness = Uniqueness(r.word(join(path, "uniqueness"), "uniqueness", uniquenessNames[:]))
		case "subattributes":
			a.SubAttributes = r.attributes(join(path, "subAttributes"), depth+1)
		default:
			r.skip()
		}
	})
	if a.Name == "" {
		r.bad(join(path, "name"), "missing")
	}
	return a
}

// typeDocument is a resource type whose schemas are still URNs.
type typeDocument struct {
	ResourceType
	schema     string
	extensions []extensionDocument
}

type extensionDocument struct {
	path, schema string
	required     bool
}

func (r *reader) resourceType(path string) (d typeDocument) {
	r.object(path, func(key string) {
		switch key {
		case "id":
			d.ID = r.text(join(path, "id"))
		case "name":
			d.Name = r.text(join(path, "name"))
		case "description":
			d.Description = r.text(join(path, "description"))
		case "endpoint":
			d.Endpoint = r.text(join(path, "endpoint"))
		case "schema":
			d.schema = r.text(join(path, "schema"))
		case "schemaextensions":
			r.array(join(path, "schemaExtensions"), func(path string) {
				e := extensionDocument{path: join(path, "schema")}
				r.object(path, func(key string) {
					switch key {
					case "schema":
						e.schema = r.text(e.path)
					case "required":
						e.required = r.flag(join(path, "required"))
					default:
						r.skip()
					}
				})
				d.extensions = append(d.extensions, e)
			})
		default:
			r.skip()
		}
	})
	for _, m := range []struct{ name, value string }{{"name", d.Name}, {"endpoint", d.Endpoint}, {"schema", d.schema}} {
		if m.value == "" {
			r.bad(join(path, m.name), "missing")
		}
	}
	return d
}

// resolve looks the schemas up.
func (d typeDocument) resolve(r *reader, path string, find func(urn string) *Schema) ResourceType {
	lookup := func(path, urn string) *Schema {
		if urn == "" {
			return nil // reported as missing already
		}
		s := find(urn)
		if s == nil {
			r.bad(path, "there is no schema %q", urn)
		}
		return s
	}
	t := d.ResourceType
	t.Schema = lookup(join(path, "schema"), d.schema)
	for _, e := range d.extensions {
		if e.schema == "" {
			r.bad(e.path, "missing")
		}
		if s := lookup(e.path, e.schema); s != nil {
			t.Extensions = append(t.Extensions, Extension{Schema: s, Required: e.required})
		}
	}
	if t.Schema != nil {
		for _, known := range []ResourceType{User(), Group()} {
			if sameName(known.Schema.ID, t.Schema.ID) {
				t.adopt(known)
			}
		}
	}
	return t
}

// adopt takes over what the JSON form cannot say, as far as d's schema has the
// attributes.
func (d *ResourceType) adopt(known ResourceType) {
	has := func(name string) bool {
		return slices.ContainsFunc(d.Schema.Attributes, func(a Attribute) bool { return sameName(a.Name, name) })
	}
	for _, r := range known.Relations {
		if has(r.Attribute) {
			d.Relations = append(d.Relations, r)
		}
	}
	for _, name := range known.UniquePerConnection {
		if has(name) {
			d.UniquePerConnection = append(d.UniquePerConnection, name)
		}
	}
	if has(known.Label) {
		d.Label = known.Label
	}
}

// join puts a member name behind the place of its object.
func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}
