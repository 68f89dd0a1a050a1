package schema

// ServiceProviderConfigSchema returns the schema of the server's description of
// itself (RFC 7643 sections 5 and 8.7.2). It holds what the text requires and
// the printed definition leaves out: etag, and type and primary of
// authentication schemes (erratum 8011).
func ServiceProviderConfigSchema() *Schema {
	supported := Attribute{Name: "supported", Description: "Whether the server can do it", Type: Boolean, Required: true, Mutability: ReadOnly}
	option := func(name, description string, more ...Attribute) Attribute {
		return Attribute{Name: name, Description: description, Type: Complex, Required: true, Mutability: ReadOnly,
			SubAttributes: append([]Attribute{supported}, more...)}
	}
	limit := func(name, description string) Attribute {
		return Attribute{Name: name, Description: description, Type: Integer, Required: true, Mutability: ReadOnly}
	}
	return &Schema{
		ID:          ServiceProviderConfigURN,
		Name:        "ServiceProviderConfig",
		Description: "What the server supports",
		Attributes: []Attribute{
			link("documentationUri", "Documentation for people", "external", false),
			option("patch", "Changing parts of a resource with PATCH"),
			option("bulk", "Several operations in one request",
				limit("maxOperations", "The most operations in one request"),
				limit("maxPayloadSize", "The most bytes in one request")),
			option("filter", "Finding resources with a filter",
				limit("maxResults", "The most resources in one answer")),
			option("changePassword", "Changing passwords"),
			option("sort", "Sorting of results"),
			option("etag", "Versions of resources as entity tags"),
			{Name: "pagination", Description: "Ways to read a list page by page", Type: Complex, Mutability: ReadOnly, SubAttributes: []Attribute{
				{Name: "cursor", Description: "Whether pages can be asked for by cursor", Type: Boolean, Required: true, Mutability: ReadOnly},
				{Name: "index", Description: "Whether pages can be asked for by number", Type: Boolean, Required: true, Mutability: ReadOnly},
				{Name: "defaultPaginationMethod", Description: "The way when a request names none", Mutability: ReadOnly, CanonicalValues: []string{"cursor", "index"}},
				{Name: "defaultPageSize", Description: "Resources in a page when a request does not say", Type: Integer, Mutability: ReadOnly},
				{Name: "maxPageSize", Description: "The most resources in a page", Type: Integer, Mutability: ReadOnly},
				{Name: "cursorTimeout", Description: "Seconds that a cursor is good for", Type: Integer, Mutability: ReadOnly},
			}},
			{Name: "authenticationSchemes", Description: "Ways to authenticate", Type: Complex, MultiValued: true, Required: true, Mutability: ReadOnly, SubAttributes: []Attribute{
				{Name: "type", Description: "The kind of scheme", Required: true, Mutability: ReadOnly,
					CanonicalValues: []string{"oauth", "oauth2", "oauthbearertoken", "httpbasic", "httpdigest"}},
				{Name: "name", Description: "The usual name of the scheme", Required: true, Mutability: ReadOnly},
				{Name: "description", Description: "What the scheme is", Required: true, Mutability: ReadOnly},
				link("specUri", "The specification of the scheme", "external", false),
				link("documentationUri", "How to use the scheme here", "external", false),
				{Name: "primary", Description: "Whether this is the preferred scheme", Type: Boolean, Mutability: ReadOnly},
			}},
		},
	}
}

// ResourceTypeSchema returns the schema of resource types (RFC 7643 sections 6
// and 8.7.2). schemaExtensions is multi-valued and optional (erratum 7522).
func ResourceTypeSchema() *Schema {
	return &Schema{
		ID:          ResourceTypeURN,
		Name:        "ResourceType",
		Description: "A kind of resource and where it is served",
		Attributes: []Attribute{
			{Name: "id", Description: "The id of the resource type, often its name", Mutability: ReadOnly},
			{Name: "name", Description: "The name, as in meta.resourceType", Required: true, Mutability: ReadOnly},
			{Name: "description", Description: "What the resources are", Mutability: ReadOnly},
			link("endpoint", "The path of the resources below the base URL", "uri", true),
			link("schema", "The URN of the core schema", "uri", true),
			{Name: "schemaExtensions", Description: "Schemas that add to the core schema", Type: Complex, MultiValued: true, Mutability: ReadOnly, SubAttributes: []Attribute{
				link("schema", "The URN of the extension", "uri", true),
				{Name: "required", Description: "Whether every resource must have the extension", Type: Boolean, Required: true, Mutability: ReadOnly},
			}},
		},
	}
}

// SchemaSchema returns the schema of schemas (RFC 7643 sections 7 and 8.7.2).
// Its sub-attributes are the one place where complex attributes nest, so it
// describes and cannot be compiled. binary is among the types, and
// referenceTypes is multi-valued (erratum 5607).
func SchemaSchema() *Schema {
	return &Schema{
		ID:          SchemaURN,
		Name:        "Schema",
		Description: "A set of attributes",
		Attributes: []Attribute{
			{Name: "id", Description: "The URN of the schema", Required: true, Mutability: ReadOnly},
			{Name: "name", Description: "The name of the schema", Required: true, Mutability: ReadOnly},
			{Name: "description", Description: "What the schema is for", Mutability: ReadOnly},
			{Name: "attributes", Description: "The attributes of the schema", Type: Complex, MultiValued: true, Required: true, Mutability: ReadOnly,
				SubAttributes: append(characteristics(), Attribute{
					Name: "subAttributes", Description: "The parts of a complex attribute", Type: Complex, MultiValued: true, Mutability: ReadOnly,
					SubAttributes: characteristics(),
				})},
		},
	}
}

// characteristics declares what a schema says about one attribute.
func characteristics() []Attribute {
	flag := func(name, description string, required bool) Attribute {
		return Attribute{Name: name, Description: description, Type: Boolean, Required: required, Mutability: ReadOnly}
	}
	word := func(name, description string, values ...string) Attribute {
		return Attribute{Name: name, Description: description, CaseExact: true, CanonicalValues: values, Mutability: ReadOnly}
	}
	list := func(name, description string) Attribute {
		return Attribute{Name: name, Description: description, MultiValued: true, CaseExact: true, Mutability: ReadOnly}
	}
	return []Attribute{
		{Name: "name", Description: "The name of the attribute", Required: true, CaseExact: true, Mutability: ReadOnly},
		{Name: "type", Description: "The type of its values", Required: true, Mutability: ReadOnly,
			CanonicalValues: []string{"string", "complex", "boolean", "decimal", "integer", "dateTime", "reference", "binary"}},
		flag("multiValued", "Whether it may have several values", true),
		word("description", "What it means"),
		flag("required", "Whether a resource must have it", false),
		list("canonicalValues", "Suggested values"),
		flag("caseExact", "Whether the letter case of values matters", false),
		word("mutability", "Who may set it, and when", "readOnly", "readWrite", "immutable", "writeOnly"),
		word("returned", "When it is part of an answer", "always", "never", "default", "request"),
		word("uniqueness", "Within what a value is unique", "none", "server", "global"),
		list("referenceTypes", "What a reference may point to: resource types, external or uri"),
	}
}

// link declares a read-only reference.
func link(name, description, target string, required bool) Attribute {
	return Attribute{Name: name, Description: description, Type: Reference, Required: required, CaseExact: true,
		ReferenceTypes: []string{target}, Mutability: ReadOnly}
}
