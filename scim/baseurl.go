package scim

import (
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// baseURL is the public URL of the service root for this request.
func (x *exchange) baseURL() string {
	if x.base == "" {
		x.base = x.s.baseOf(x.r, x.principal.Tenant)
	}
	return x.base
}

// derivedBase is a base URL that was made from a request, kept because the next
// request will most likely need the same one.
type derivedBase struct {
	scheme, host, prefix string
	url                  string
}

func (s *Server) baseOf(r *http.Request, tenant string) string {
	if s.baseURL != "" {
		return s.configuredBase(tenant)
	}
	scheme, host, prefix := "http", r.Host, s.mountedAt(r)
	if r.TLS != nil {
		scheme = "https"
	}
	if s.trustForwarded {
		if v := first(r.Header.Get("X-Forwarded-Proto")); v == "http" || v == "https" {
			scheme = v
		}
		if v := first(r.Header.Get("X-Forwarded-Host")); v != "" {
			host = v
		}
		if v := first(r.Header.Get("X-Forwarded-Prefix")); strings.HasPrefix(v, "/") {
			prefix = strings.TrimRight(v, "/") + prefix
		}
	}
	if !validHost(host) {
		return prefix // a relative reference is better than a forged absolute one
	}
	if last := s.lastBase.Load(); last != nil && last.scheme == scheme && last.host == host && last.prefix == prefix {
		return last.url
	}
	b := &derivedBase{scheme, strings.Clone(host), strings.Clone(prefix), scheme + "://" + host + prefix}
	s.lastBase.Store(b)
	return b.url
}

// configuredBase is the base URL that [WithBaseURL] set, or "".
func (s *Server) configuredBase(tenant string) string {
	if strings.Contains(s.baseURL, "{tenant}") {
		return strings.ReplaceAll(s.baseURL, "{tenant}", url.PathEscape(tenant))
	}
	return s.baseURL
}

// mountedAt is the part of the request's path in front of the service root. What
// a mux stripped shows in the request line.
func (s *Server) mountedAt(r *http.Request) string {
	full := r.RequestURI
	if i := strings.IndexByte(full, '?'); i >= 0 {
		full = full[:i]
	}
	if i := strings.Index(full, "://"); i >= 0 { // a proxy's absolute form
		if j := strings.IndexByte(full[i+3:], '/'); j >= 0 {
			full = full[i+3+j:]
		} else {
			full = ""
		}
	}
	path := r.URL.EscapedPath()
	if n := len(s.prefix); n > 0 {
		return firstSegments(path, n)
	}
	if path != "" && strings.HasSuffix(full, path) {
		return strings.TrimRight(full[:len(full)-len(path)], "/")
	}
	return ""
}

func firstSegments(path string, n int) string {
	i := 0
	for ; n > 0 && i < len(path); n-- {
		for i < len(path) && path[i] == '/' {
			i++
		}
		for i < len(path) && path[i] != '/' {
			i++
		}
	}
	return path[:i]
}

func first(list string) string {
	v, _, _ := strings.Cut(list, ",")
	return strings.TrimSpace(v)
}

// validHost reports whether a Host header is host or host:port and nothing else.
func validHost(host string) bool {
	if host == "" || len(host) > 255+6 {
		return false
	}
	name := host
	if i := strings.LastIndexByte(host, ':'); i >= 0 && !strings.HasSuffix(host, "]") {
		port, err := strconv.ParseUint(host[i+1:], 10, 16)
		if err != nil || port == 0 {
			return false
		}
		name = host[:i]
	}
	if literal, ok := strings.CutPrefix(name, "["); ok {
		literal, closed := strings.CutSuffix(literal, "]")
		return closed && strings.Contains(literal, ":") && net.ParseIP(literal) != nil
	}
	for i := range len(name) {
		c := name[i]
		if !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-' || c == '.' || c == '_') {
			return false
		}
	}
	return name != ""
}
