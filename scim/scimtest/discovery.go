package scimtest

import (
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/musterhq/muster/internal/jsonvalue"
)

// discoveryChecks are those that compare what discovery says with itself and with
// what the server does.
func discoveryChecks() []check {
	return []check{
		{id: "S-022", about: "type, primary, display, value and $ref mean the same in every multi-valued attribute.", run: (*conversation).partsMeanTheSame},
		{id: "S-029", about: "There are no data types but the RFC's.", run: (*conversation).typesAreKnown},
		{id: "S-040", about: "referenceTypes holds names of resource types, external or uri.", run: (*conversation).referenceTypesAreKnown},
		{id: "S-041", about: "A complex attribute's definition lists its parts.", run: (*conversation).complexHasParts},
		{id: "S-042", about: "/Schemas says what is supported: what a resource has is listed.", needs: []string{"enterprise"}, run: (*conversation).nothingIsUnlisted},
		{id: "S-044", about: "id, schemas and meta are on every resource, with their characteristics where /Schemas lists them.", run: (*conversation).commonAttributes},
		{id: "R-032", about: "A type's endpoint is there, as /ResourceTypes says.", run: (*conversation).endpointsAnswer},
		{id: "X-001", about: "PATCH is there, or 501, as ServiceProviderConfig says.", run: func(c *conversation) {
			id := c.user("u", nil)
			a := c.send("PATCH", "/Users/"+id, `{"schemas":["`+patchURN+`"],"Operations":[{"op":"add","path":"title","value":"x"}]}`)
			c.agrees(a, "patch", 200, 204)
		}},
		{id: "F-001", about: "Filters are there, or refused, as ServiceProviderConfig says.", run: func(c *conversation) {
			c.agrees(c.send("GET", `/Users?filter=userName eq "`+c.name("nobody")+`"`, ""), "filter", 200)
		}},
		{id: "O-001", about: "Sorting is there, or passed over, as ServiceProviderConfig says.", run: func(c *conversation) {
			c.want(c.send("GET", "/Users?sortBy=userName&count=1", ""), 200)
		}},
		{id: "B-001", about: "Bulk is there, or 501, as ServiceProviderConfig says.", run: func(c *conversation) {
			a := c.send("POST", "/Bulk", `{"schemas":["`+bulkURN+`"],"Operations":[{"method":"DELETE","path":"/Users/none"}]}`)
			c.agrees(a, "bulk", 200)
		}},
		{id: "D-003", about: "What discovery says of versions and of unique group names is true.", run: (*conversation).discoveryIsTrue},
		{id: "D-004", about: "Discovery is readable without credentials, or asks for them.", run: func(c *conversation) {
			a := c.send("GET", "/ServiceProviderConfig", "", "Authorization", "")
			if c.want(a, 200, 401); a.Status == 401 && a.Header.Get("WWW-Authenticate") == "" {
				c.errorf("%v\n\twant WWW-Authenticate", a)
			} else if a.Status == 200 && a.get("authenticationSchemes") == nil {
				c.errorf("%v\n\twant authenticationSchemes", a)
			}
		}},
		{id: "D-005", about: "Each authentication scheme has a known type, a name and a description.", run: (*conversation).schemesAreKnown},
		{id: "D-007", about: "Schemas that types name are in /Schemas.", run: (*conversation).namedSchemasExist},
		{id: "D-008", about: "schemaExtensions is an array.", run: func(c *conversation) {
			for _, t := range c.types() {
				if e := get(t, "schemaExtensions"); e != nil && items(e) == nil && jsonvalue.Text(e) != "[]" {
					c.errorf("/ResourceTypes: schemaExtensions of %s is %s", str(get(t, "name")), jsonvalue.Text(e))
				}
			}
		}},
		{id: "D-009", about: "endpoint is relative to the base.", run: func(c *conversation) {
			for _, t := range c.types() {
				u, err := url.Parse(str(get(t, "endpoint")))
				if err != nil || u.IsAbs() || u.Path == "" {
					c.errorf("/ResourceTypes: the endpoint of %s is %q", str(get(t, "name")), str(get(t, "endpoint")))
				}
			}
		}},
		{id: "D-010", about: "/Schemas lists schemas, and gives one by its URN in any case.", run: func(c *conversation) {
			for _, urn := range slices.Sorted(maps.Keys(c.server.schemas)) {
				for _, path := range []string{urn, strings.ToUpper(urn), strings.ReplaceAll(urn, ":", "%3A")} {
					if a := c.want(c.send("GET", "/Schemas/"+path, ""), 200); a.get("id") != urn {
						c.errorf("%v\n\twant the schema %s", a, urn)
					}
				}
			}
			c.wantError(c.send("GET", "/Schemas/urn:nothing", ""), 404)
		}},
		{id: "D-012", about: "Discovery resources carry schemas and meta.", run: (*conversation).discoveryHasMeta},
		{id: "D-013", about: "Types and schemas have their names.", run: func(c *conversation) {
			for _, t := range c.types() {
				if str(get(t, "name")) == "" || str(get(t, "schema")) == "" {
					c.errorf("/ResourceTypes: want name and schema, got %s", jsonvalue.Text(t))
				}
			}
			for urn, s := range c.server.schemas {
				if urn == "" || str(get(s, "name")) == "" {
					c.errorf("/Schemas: want id and name, got id %q and name %q", urn, str(get(s, "name")))
				}
			}
		}},
		{id: "D-016", about: "Paging and sorting mean nothing in discovery.", run: func(c *conversation) {
			a := c.want(c.send("GET", "/Schemas?startIndex=2&count=1&sortBy=name", ""), 200)
			if len(a.resources()) != len(c.server.schemas) {
				c.errorf("%v\n\twant all %d schemas, got %d", a, len(c.server.schemas), len(a.resources()))
			}
		}},
		{id: "D-020", about: "Schemas list every characteristic of an attribute.", run: (*conversation).characteristicsAreListed},
		{id: "D-022", about: "Every extension and type that is served is listed, each by itself too.", run: func(c *conversation) {
			for _, t := range c.types() {
				if a := c.want(c.send("GET", "/ResourceTypes/"+url.PathEscape(str(get(t, "name"))), ""), 200); a.get("endpoint") != get(t, "endpoint") {
					c.errorf("%v\n\twant what /ResourceTypes lists", a)
				}
			}
		}},
	}
}

func (c *conversation) discoveryIsTrue() {
	a := c.want(c.send("GET", "/Users/"+c.user("u", nil), ""), 200)
	if on := get(c.server.config, "etag", "supported") == true; on != (a.Header.Get("ETag") != "") {
		c.errorf("%v\n\tServiceProviderConfig says etag.supported %v, the ETag is %q", a, on, a.Header.Get("ETag"))
	}
	if c.server.missing["groups"] != "" {
		return
	}
	c.create("/Groups", "g", nil)
	again := c.send("POST", "/Groups", `{"schemas":["${Group}"],"displayName":"${run}-g"}`)
	if get(named(get(c.server.schemas[groupURN], "attributes"), "displayName"), "uniqueness") == "none" {
		c.want(again, 201)
	} else {
		c.wantError(again, 409, "uniqueness")
	}
}

// agrees fails the check unless a feature is there when ServiceProviderConfig says
// so and is refused when it does not.
func (c *conversation) agrees(a *answer, feature string, there ...int) {
	if get(c.server.config, feature, "supported") == true {
		c.want(a, there...)
	} else {
		c.want(a, 400, 403, 405, 501)
	}
}

func (c *conversation) types() []any { return slices.Collect(maps.Values(c.server.types)) }

// attributes calls f with every attribute and sub-attribute of /Schemas.
func (c *conversation) attributes(f func(where string, a any)) {
	var walk func(where string, list any)
	walk = func(where string, list any) {
		for _, a := range items(list) {
			name := where + str(get(a, "name"))
			f(name, a)
			walk(name+".", get(a, "subAttributes"))
		}
	}
	for _, urn := range slices.Sorted(maps.Keys(c.server.schemas)) {
		walk(urn+":", get(c.server.schemas[urn], "attributes"))
	}
}

func (c *conversation) partsMeanTheSame() {
	meaning := map[string][]any{"type": {"string"}, "primary": {"boolean"}, "display": {"string"}, "$ref": {"reference"}}
	for urn, s := range c.server.schemas {
		if urn == schemaURN || urn == configURN {
			continue // their multi-valued attributes are of another kind
		}
		for _, a := range items(get(s, "attributes")) {
			if get(a, "multiValued") != true {
				continue
			}
			for name, types := range meaning {
				if sub := named(get(a, "subAttributes"), name); sub != nil && (!slices.Contains(types, get(sub, "type")) || get(sub, "multiValued") == true) {
					c.errorf("/Schemas: %s: %s.%s is %s", urn, str(get(a, "name")), name, jsonvalue.Text(sub))
				}
			}
		}
	}
}

func (c *conversation) typesAreKnown() {
	known := []any{"string", "boolean", "decimal", "integer", "dateTime", "binary", "reference", "complex"}
	c.attributes(func(where string, a any) {
		if !slices.Contains(known, get(a, "type")) {
			c.errorf("/Schemas: %s has the type %s", where, jsonvalue.Text(get(a, "type")))
		}
	})
}

func (c *conversation) referenceTypesAreKnown() {
	c.attributes(func(where string, a any) {
		if get(a, "type") != "reference" {
			return
		}
		if len(items(get(a, "referenceTypes"))) == 0 {
			c.errorf("/Schemas: the reference %s does not say to what", where)
		}
		for _, r := range items(get(a, "referenceTypes")) {
			if name := str(r); name != "external" && name != "uri" && (name == "" || strings.ContainsAny(name, ":/ ")) {
				c.errorf("/Schemas: %s refers to %s", where, jsonvalue.Text(r))
			}
		}
	})
}

func (c *conversation) complexHasParts() {
	c.attributes(func(where string, a any) {
		// The definition of a schema is the one that contains itself.
		if get(a, "type") == "complex" && len(items(get(a, "subAttributes"))) == 0 && !strings.HasPrefix(where, schemaURN+":attributes.") {
			c.errorf("/Schemas: the complex attribute %s has no parts", where)
		}
	})
}

func (c *conversation) characteristicsAreListed() {
	always := []string{"name", "type", "multiValued", "required", "mutability", "returned"}
	c.attributes(func(where string, a any) {
		for _, key := range always {
			if get(a, key) == nil {
				c.errorf("/Schemas: %s does not say %s", where, key)
			}
		}
		if get(a, "type") == "string" && (get(a, "caseExact") == nil || get(a, "uniqueness") == nil) {
			c.errorf("/Schemas: %s does not say caseExact and uniqueness", where)
		}
	})
}

// nothingIsUnlisted creates a user with much in it and looks for every name of the
// answer in /Schemas.
func (c *conversation) nothingIsUnlisted() {
	id := c.user("u", map[string]any{
		"displayName": "Ada", "name": map[string]any{"givenName": "A", "familyName": "L"}, "title": "Guide", "active": true,
		"emails":      []any{map[string]any{"value": "a@example.com", "type": "work", "primary": true}},
		enterpriseURN: map[string]any{"department": "Sea", "manager": map[string]any{"value": "boss"}},
	})
	a := c.want(c.send("GET", "/Users/"+id, ""), 200)
	common := []string{"schemas", "id", "externalId", "meta"}
	var look func(where string, v, attributes any)
	look = func(where string, v, attributes any) {
		switch v := v.(type) {
		case []any:
			for _, e := range v {
				look(where, e, attributes)
			}
		case map[string]any:
			for name, x := range v {
				if where == "" && slices.Contains(common, name) {
					continue
				}
				if s := c.server.schemas[name]; s != nil {
					look(name+":", x, get(s, "attributes"))
				} else if d := named(attributes, name); d != nil {
					look(where+name+".", x, get(d, "subAttributes"))
				} else {
					c.errorf("%v\n\t%s%s is not in /Schemas", a, where, name)
				}
			}
		}
	}
	look("", a.json, get(c.server.schemas[userURN], "attributes"))
}

func (c *conversation) commonAttributes() {
	a := c.want(c.send("GET", "/Users/"+c.user("u", nil), ""), 200)
	for _, path := range [][]string{{"id"}, {"meta", "resourceType"}, {"meta", "created"}, {"meta", "lastModified"}, {"meta", "location"}} {
		if str(a.get(path...)) == "" {
			c.errorf("%v\n\twant a text at %s", a, strings.Join(path, "."))
		}
	}
	if len(items(a.get("schemas"))) == 0 {
		c.errorf("%v\n\twant schemas", a)
	}
	if d := named(get(c.server.schemas[userURN], "attributes"), "id"); d != nil {
		c.compareDefinition(userURN+": id", &definition{typ: "string", required: true, exact: true, mutability: "readOnly", returned: "always", uniqueness: "server"}, d)
	}
}

func (c *conversation) endpointsAnswer() {
	for _, t := range c.types() {
		endpoint := "/" + strings.TrimPrefix(str(get(t, "endpoint")), "/")
		if a := c.want(c.send("GET", endpoint+"?count=0", ""), 200); !slices.Contains(items(a.get("schemas")), any(listURN)) {
			c.errorf("%v\n\twant a ListResponse", a)
		}
	}
}

func (c *conversation) schemesAreKnown() {
	known := []any{"oauth", "oauth2", "oauthbearertoken", "httpbasic", "httpdigest"}
	schemes := items(get(c.server.config, "authenticationSchemes"))
	if len(schemes) == 0 {
		c.errorf("/ServiceProviderConfig: there are no authenticationSchemes")
	}
	for _, s := range schemes {
		if !slices.Contains(known, get(s, "type")) || str(get(s, "name")) == "" || str(get(s, "description")) == "" {
			c.errorf("/ServiceProviderConfig: want a known type, a name and a description, got %s", jsonvalue.Text(s))
		}
	}
}

func (c *conversation) namedSchemasExist() {
	for _, t := range c.types() {
		urns := []any{get(t, "schema")}
		for _, e := range items(get(t, "schemaExtensions")) {
			urns = append(urns, get(e, "schema"))
		}
		for _, urn := range urns {
			if c.server.schemas[str(urn)] == nil {
				c.errorf("/Schemas has no %s, which the type %s names", str(urn), str(get(t, "name")))
			}
		}
	}
}

func (c *conversation) discoveryHasMeta() {
	check := func(where string, r any, urn, resourceType string) {
		if !slices.Contains(items(get(r, "schemas")), any(urn)) || get(r, "meta", "resourceType") != resourceType || str(get(r, "meta", "location")) == "" {
			c.errorf("%s: want schemas [%s] and a meta of %s with a location, got %s and %s", where, urn, resourceType,
				jsonvalue.Text(get(r, "schemas")), jsonvalue.Text(get(r, "meta")))
		}
	}
	check("/ServiceProviderConfig", c.server.config, configURN, "ServiceProviderConfig")
	for name, t := range c.server.types {
		check("/ResourceTypes/"+name, t, typeURN, "ResourceType")
	}
	for urn, s := range c.server.schemas {
		check("/Schemas/"+urn, s, schemaURN, "Schema")
	}
}
