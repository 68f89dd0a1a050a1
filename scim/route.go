package scim

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"
)

// route is where a request goes: up to three path segments, unescaped.
type route struct {
	segments [3]string
	n        int
	bad      bool // too many segments, or one that nothing can be named by
}

const maxSegment = 1024

// route splits the path. Empty segments mean nothing: some clients append "/Users"
// to a base URL that ends in a slash, or end every URL with one. inside is false
// when the path does not begin with the server's prefix.
func (s *Server) route(r *http.Request) (rt route, tenant string, inside bool) {
	// Segments come from the escaped path where the two differ, so that an id may
	// hold an escaped slash.
	path, escaped := r.URL.Path, false
	if r.URL.RawPath != "" {
		path, escaped = r.URL.RawPath, true
	}
	prefix := s.prefix
	for len(path) > 0 {
		var seg string
		if path[0] == '/' {
			path = path[1:]
			continue
		}
		if i := strings.IndexByte(path, '/'); i >= 0 {
			seg, path = path[:i], path[i:]
		} else {
			seg, path = path, ""
		}
		if escaped {
			var err error
			if seg, err = url.PathUnescape(seg); err != nil {
				rt.bad = true
				continue
			}
		}
		if len(prefix) > 0 {
			switch {
			case prefix[0] == "{tenant}":
				tenant = seg
			case prefix[0] != seg:
				return rt, "", false
			}
			prefix = prefix[1:]
			continue
		}
		if rt.n == len(rt.segments) || len(seg) > maxSegment || !utf8.ValidString(seg) || strings.IndexByte(seg, 0) >= 0 {
			rt.bad = true
			continue
		}
		rt.segments[rt.n] = seg
		rt.n++
	}
	return rt, tenant, len(prefix) == 0
}

// The endpoints of the protocol itself.
const (
	serviceProviderConfigPath = "ServiceProviderConfig"
	resourceTypesPath         = "ResourceTypes"
	schemasPath               = "Schemas"
	bulkPath                  = "Bulk"
	mePath                    = "Me"
	searchPath                = ".search"
)

func (rt *route) is(name string) bool { return strings.EqualFold(rt.segments[0], name) }

func (rt *route) isConfig() bool {
	// The plural is what some clients of early drafts ask for.
	return rt.is(serviceProviderConfigPath) || rt.is(serviceProviderConfigPath+"s")
}

func (rt *route) discovery() bool {
	return rt.n > 0 && (rt.isConfig() || rt.is(resourceTypesPath) || rt.is(schemasPath))
}

// searches reports whether the second segment is that of searches.
func (rt *route) searches() bool { return strings.EqualFold(rt.segments[1], searchPath) }

func (s *Server) endpointOf(name string) *endpoint {
	for _, e := range s.endpoints {
		if strings.EqualFold(e.typ.Endpoint()[1:], name) {
			return e
		}
	}
	return nil
}

var errNoRoute = &Error{Status: http.StatusNotFound, Detail: "there is nothing at this address; resource types and their endpoints are listed at /ResourceTypes"}

// allow lists the methods that work at a route; "" when there is nothing there.
func (s *Server) allow(rt route) string {
	switch {
	case rt.bad:
	case rt.n == 0:
		return "GET, HEAD, OPTIONS"
	case rt.isConfig() && rt.n == 1, (rt.is(resourceTypesPath) || rt.is(schemasPath)) && rt.n <= 2:
		return "GET, HEAD, OPTIONS"
	case rt.n == 1 && (rt.is(bulkPath) || rt.is(searchPath)):
		return "OPTIONS, POST"
	case rt.n == 1 && rt.is(mePath) && s.me != nil:
		return "DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT"
	case s.endpointOf(rt.segments[0]) != nil:
		e := s.endpointOf(rt.segments[0])
		if rt.n == 1 {
			if e.allows(Create) {
				return "GET, HEAD, OPTIONS, POST"
			}
			return "GET, HEAD, OPTIONS"
		}
		if rt.n == 2 && rt.searches() {
			return "OPTIONS, POST"
		}
		if rt.n == 2 {
			allow := "GET, HEAD, OPTIONS"
			for _, m := range []struct {
				m    Method
				name string
			}{{Replace, http.MethodPut}, {Patch, http.MethodPatch}, {Delete, http.MethodDelete}} {
				if e.allows(m.m) {
					allow += ", " + m.name
				}
			}
			return allow
		}
	}
	return ""
}

// dispatch sends a request to the code for its route.
func (x *exchange) dispatch(rt route) error {
	s, method := x.s, x.r.Method
	if method == http.MethodHead {
		method = http.MethodGet // net/http leaves the body out
	}
	if rt.discovery() {
		return x.discover(rt, method)
	}
	switch {
	case rt.n == 0 && method == http.MethodGet:
		return x.listRoot()
	case rt.n == 1 && rt.is(bulkPath) && method == http.MethodPost:
		return x.bulk()
	case rt.n == 1 && rt.is(searchPath) && method == http.MethodPost:
		return x.search(nil)
	case rt.n == 1 && rt.is(mePath):
		return x.myself(rt, method)
	case rt.n == 0:
		return x.methodNotAllowed(rt)
	}
	e := s.endpointOf(rt.segments[0])
	switch {
	case e == nil: // an address of the protocol with another method, or nothing
	case rt.n == 1 && method == http.MethodGet:
		return x.listResources(e)
	case rt.n == 1 && method == http.MethodPost && e.allows(Create):
		return x.createResource(e)
	case rt.n == 2 && rt.searches():
		if method == http.MethodPost {
			return x.search(e)
		}
	case rt.n == 2:
		return x.resource(rt, method, e, rt.segments[1])
	}
	return x.methodNotAllowed(rt)
}

// resource sends a request about a single resource to the code for its method.
func (x *exchange) resource(rt route, method string, e *endpoint, id string) error {
	switch {
	case method == http.MethodGet:
		return x.getResource(e, id)
	case method == http.MethodPut && e.allows(Replace):
		return x.replaceResource(e, id)
	case method == http.MethodPatch && e.allows(Patch):
		return x.patchResource(e, id)
	case method == http.MethodDelete && e.allows(Delete):
		return x.deleteResource(e, id)
	}
	return x.methodNotAllowed(rt)
}

func (x *exchange) methodNotAllowed(rt route) error {
	allow := x.s.allow(rt)
	if allow == "" {
		return errNoRoute
	}
	x.w.Header().Set("Allow", allow)
	return &Error{Status: http.StatusMethodNotAllowed, Detail: fmt.Sprintf("the method does not work at this address; %s do", allow)}
}
