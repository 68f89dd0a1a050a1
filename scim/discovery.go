package scim

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/musterhq/muster/scim/schema"
)

// discover answers /ServiceProviderConfig, /ResourceTypes and /Schemas (RFC 7644
// section 4). What it says follows from what the server does; there is nothing to
// configure that could be wrong.
func (x *exchange) discover(rt route, method string) error {
	if x.s.allow(rt) == "" {
		return errNoRoute
	}
	if method != http.MethodGet {
		return x.methodNotAllowed(rt)
	}
	if err := x.query.parse(x.r.URL.RawQuery); err != nil {
		return err
	}
	if x.query.has&hasFilter != 0 {
		return Errorf(http.StatusForbidden, "", "discovery cannot be filtered")
	}
	base := x.baseURL()
	var docs []document
	switch {
	case rt.isConfig():
		location := base + "/" + serviceProviderConfigPath
		return x.writeDocument(document{location: location, body: x.s.appendConfig(nil, location)})
	case rt.is(resourceTypesPath):
		docs = x.s.resourceTypes(base)
	default:
		docs = x.s.schemas(base)
	}
	if rt.n == 2 {
		for _, d := range docs {
			if strings.EqualFold(d.id, rt.segments[1]) {
				return x.writeDocument(d)
			}
		}
		return ErrNotFound
	}
	b := append([]byte(nil), `{"schemas":["urn:ietf:params:scim:api:messages:2.0:ListResponse"],"totalResults":`...)
	b = strconv.AppendInt(b, int64(len(docs)), 10)
	b = append(b, `,"startIndex":1,"itemsPerPage":`...)
	b = strconv.AppendInt(b, int64(len(docs)), 10)
	b = append(b, `,"Resources":[`...)
	for i, d := range docs {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, d.body...)
	}
	x.write(http.StatusOK, append(b, `]}`...))
	return nil
}

// document is one discovery resource.
type document struct {
	id, location string
	body         []byte
}

func (x *exchange) writeDocument(d document) error {
	x.w.Header().Set("Location", d.location)
	x.write(http.StatusOK, d.body)
	return nil
}

func (s *Server) resourceTypes(base string) (docs []document) {
	for _, e := range s.endpoints {
		d := e.typ.Declaration()
		location := base + "/" + resourceTypesPath + "/" + url.PathEscape(d.ID)
		docs = append(docs, document{d.ID, location, d.AppendJSON(nil, location)})
	}
	return docs
}

// schemas are those of the resource types, each once, and those of discovery
// itself.
func (s *Server) schemas(base string) (docs []document) {
	seen := map[string]bool{}
	add := func(sc *schema.Schema) {
		if !seen[strings.ToLower(sc.ID)] {
			seen[strings.ToLower(sc.ID)] = true
			location := base + "/" + schemasPath + "/" + url.PathEscape(sc.ID)
			docs = append(docs, document{sc.ID, location, sc.AppendJSON(nil, location)})
		}
	}
	for _, e := range s.endpoints {
		for _, sc := range e.typ.Declaration().Schemas() {
			add(sc)
		}
	}
	add(schema.ServiceProviderConfigSchema())
	add(schema.ResourceTypeSchema())
	add(schema.SchemaSchema())
	return docs
}

// can reports whether the method works on any type.
func (s *Server) can(m Method) bool {
	return slices.ContainsFunc(s.endpoints, func(e *endpoint) bool { return e.allows(m) })
}

// writable reports whether anything can be changed.
func (s *Server) writable() bool {
	return s.can(Create) || s.can(Replace) || s.can(Patch) || s.can(Delete)
}

// takesPasswords reports whether clients can set the password of a resource.
func (s *Server) takesPasswords() bool {
	return slices.ContainsFunc(s.endpoints, func(e *endpoint) bool {
		return !e.secret.IsZero() && (e.allows(Replace) || e.allows(Patch))
	})
}

// appendConfig writes the service provider configuration (RFC 7643 section 5).
func (s *Server) appendConfig(b []byte, location string) []byte {
	supported := func(name string, on bool) {
		b = append(b, `,"`...)
		b = append(b, name...)
		b = append(b, `":{"supported":`...)
		b = strconv.AppendBool(b, on)
	}
	number := func(name string, n int64) {
		b = append(b, `,"`...)
		b = append(b, name...)
		b = append(b, `":`...)
		b = strconv.AppendInt(b, n, 10)
	}
	text := func(name, value string) {
		if value != "" {
			b = append(b, `,"`...)
			b = append(b, name...)
			b = append(b, `":`...)
			b = appendJSONString(b, value)
		}
	}
	b = append(b, `{"schemas":["`+schema.ServiceProviderConfigURN+`"]`...)
	text("documentationUri", s.documentationURI)
	supported("patch", s.can(Patch))
	b = append(b, '}')
	bulk := s.writable()
	supported("bulk", bulk)
	if bulk {
		number("maxOperations", int64(s.limits.BulkOperations))
		number("maxPayloadSize", s.limits.Body)
	} else { // both are required all the same
		number("maxOperations", 0)
		number("maxPayloadSize", 0)
	}
	b = append(b, '}')
	supported("filter", true)
	number("maxResults", int64(s.limits.MaxPageSize))
	b = append(b, '}')
	supported("changePassword", s.password != nil && s.takesPasswords())
	b = append(b, '}')
	supported("sort", true)
	b = append(b, '}')
	supported("etag", true)
	b = append(b, `},"pagination":{"cursor":true,"index":true,"defaultPaginationMethod":"index"`...)
	number("defaultPageSize", int64(s.limits.PageSize))
	number("maxPageSize", int64(s.limits.MaxPageSize))
	number("cursorTimeout", int64(s.cursors.timeout/time.Second))
	b = append(b, `},"authenticationSchemes":[`...)
	for i, a := range schemesOf(s.auth) {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, `{"type":`...)
		b = appendJSONString(b, a.Type)
		text("name", a.Name)
		text("description", a.Description)
		text("specUri", a.SpecURI)
		text("documentationUri", a.DocumentationURI)
		b = append(b, `,"primary":`...)
		b = strconv.AppendBool(b, a.Primary)
		b = append(b, '}')
	}
	b = append(b, `],"meta":{"resourceType":"ServiceProviderConfig","location":`...)
	b = appendJSONString(b, location)
	return append(b, `}}`...)
}
