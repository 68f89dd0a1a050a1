package scimtest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
)

// failures runs all checks and returns the failures by requirement.
func failures(t *testing.T, to Target) map[string][]string {
	t.Helper()
	s, err := newSuite(t.Context(), to)
	if err != nil {
		t.Fatal(err)
	}
	failed := map[string][]string{}
	for _, c := range s.checks {
		if o := s.hold(t.Context(), c); len(o.failures) > 0 {
			failed[c.id] = o.failures
		}
	}
	return failed
}

// expect fails the test unless each of these requirements is found broken; with
// none, unless all hold.
func expect(t *testing.T, to Target, broken []string) {
	t.Helper()
	failed := failures(t, to)
	for _, id := range broken {
		if failed[id] == nil {
			t.Errorf("%s passes; found broken were only %v", id, slices.Sorted(maps.Keys(failed)))
		}
	}
	if len(broken) == 0 && len(failed) > 0 {
		for id, f := range failed {
			t.Errorf("%s\n%s", id, strings.Join(f, "\n"))
		}
	}
}

// exchange is a request and the good server's answer to it, for a fault to spoil.
type exchange struct {
	*http.Request
	sent   []byte
	status int
	header http.Header
	body   []byte
	good   http.Handler
}

// is reports whether the request has the method and a path that matches.
func (x *exchange) is(method, path string) bool {
	return x.Method == method && regexp.MustCompile("^"+path+"$").MatchString(x.URL.Path)
}

// edit changes a JSON answer; of a list, each resource.
func (x *exchange) edit(f func(r map[string]any)) {
	var v map[string]any
	if json.Unmarshal(x.body, &v) != nil {
		return
	}
	if list, ok := v["Resources"].([]any); ok {
		for _, r := range list {
			f(r.(map[string]any))
		}
	} else {
		f(v)
	}
	x.body, _ = json.Marshal(v)
}

// again asks the good server something else instead.
func (x *exchange) again(change func(r *http.Request)) {
	r := x.Clone(x.Context())
	r.Body = io.NopCloser(bytes.NewReader(x.sent))
	change(r)
	r.RequestURI = r.URL.RequestURI()
	w := httptest.NewRecorder()
	x.good.ServeHTTP(w, r)
	x.status, x.header, x.body = w.Code, w.Header(), w.Body.Bytes()
}

// without drops parameters of the query.
func without(names ...string) func(r *http.Request) {
	return func(r *http.Request) {
		q := r.URL.Query()
		for _, name := range names {
			q.Del(name)
		}
		r.URL.RawQuery = q.Encode()
	}
}

// spoiled is a server that passes a request through before, and its answer
// through after.
func spoiled(good http.Handler, before func(r *http.Request, body []byte) []byte, after func(x *exchange)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		sent, _ := io.ReadAll(r.Body)
		if before != nil {
			sent = before(r, sent)
		}
		x := &exchange{Request: r, sent: sent, good: good}
		x.again(func(r *http.Request) { r.ContentLength = int64(len(sent)) })
		if after != nil {
			after(x)
		}
		maps.Copy(w.Header(), x.header)
		w.WriteHeader(x.status)
		w.Write(x.body)
	})
}

func TestKitFindsNothingWrongWithAGoodServerThatIsWrapped(t *testing.T) {
	t.Parallel()
	expect(t, target(spoiled(newServer(t), nil, nil)), nil)
}

func TestBrokenServersAreCaught(t *testing.T) {
	t.Parallel()
	replace := func(old, new string) func(*http.Request, []byte) []byte {
		return func(_ *http.Request, body []byte) []byte { return bytes.ReplaceAll(body, []byte(old), []byte(new)) }
	}
	for _, fault := range []struct {
		name   string
		broken string // the requirements that must be found broken
		before func(r *http.Request, body []byte) []byte
		after  func(x *exchange)
	}{
		{name: "loses a member", broken: "R-027 P-022 R-021 S-018", after: nil,
			before: func(r *http.Request, body []byte) []byte {
				if r.URL.Path == "/Groups" || strings.HasPrefix(r.URL.Path, "/Groups/") {
					return regexp.MustCompile(`"members":\[\{"value":"[^"]*"\}(,|])`).ReplaceAllFunc(body, func(m []byte) []byte {
						return append([]byte(`"members":[`), bytes.TrimPrefix(m[len(m)-1:], []byte(","))...)
					})
				}
				return body
			}},
		{name: "ignores a filter", broken: "G-005 F-015 F-028 P-019 S-030",
			after: func(x *exchange) {
				if x.is("GET", "/Users") && x.URL.Query().Has("filter") && x.status == 200 {
					x.again(without("filter"))
				}
			}},
		{name: "takes a failed precondition for a success", broken: "E-024 X-012 P-021 E-027 E-014",
			after: func(x *exchange) {
				if x.status == 412 {
					x.again(func(r *http.Request) { r.Header.Del("If-Match") })
				}
			}},
		{name: "answers 200 to a failed precondition without doing anything", broken: "E-024 X-012",
			after: func(x *exchange) {
				if x.status == 412 {
					x.again(func(r *http.Request) { r.Method, r.Body = "GET", http.NoBody; r.Header.Del("If-Match") })
				}
			}},
		{name: "shows a password", broken: "S-033 R-013 C-012 S-035",
			after: func(x *exchange) {
				if strings.HasPrefix(x.URL.Path, "/Users") && x.status < 300 {
					x.edit(func(r map[string]any) { r["password"] = "S3cret-pa55word!" })
				}
			}},
		{name: "shows a password on request only", broken: "S-035",
			after: func(x *exchange) {
				if strings.Contains(x.URL.RawQuery, "password") && x.status == 200 {
					x.edit(func(r map[string]any) { r["password"] = "hash" })
				}
			}},
		{name: "empties a group on a remove with a list", broken: "X-049",
			before: func(r *http.Request, body []byte) []byte {
				return regexp.MustCompile(`("op":"[Rr]emove","path":"members"),"value":.*?(}\]})`).ReplaceAll(body, []byte(`$1$2`))
			}},
		{name: "empties a group on a remove with an empty list", broken: "X-049", before: replace(`"path":"members","value":[]`, `"path":"members"`)},
		{name: "empties a group on a remove with an empty text", broken: "X-049", before: replace(`"path":"members","value":""`, `"path":"members"`)},
		{name: "empties a group on a PUT without members", broken: "P-004",
			before: func(r *http.Request, body []byte) []byte {
				if r.Method == "PUT" && strings.HasPrefix(r.URL.Path, "/Groups/") && !bytes.Contains(body, []byte(`"members"`)) {
					return append(bytes.TrimSuffix(body, []byte("}")), `,"members":[]}`...)
				}
				return body
			}},
		{name: `reads "False" as true`, broken: "X-050", before: replace(`"False"`, `true`)},
		{name: `reads "yes" as true`, broken: "X-050 X-036 S-011", before: replace(`"yes"`, `true`)},
		{name: "reactivates on null", broken: "C-006",
			before: func(r *http.Request, body []byte) []byte {
				if r.Method == "PUT" {
					return bytes.ReplaceAll(body, []byte(`"active":null`), []byte(`"active":true`))
				}
				return body
			}},
		{name: "counts a page for the total", broken: "O-012 G-006 O-007 O-009",
			after: func(x *exchange) {
				var v map[string]any
				if json.Unmarshal(x.body, &v) == nil && v["totalResults"] != nil {
					list, _ := v["Resources"].([]any)
					v["totalResults"] = len(list)
					x.body, _ = json.Marshal(v)
				}
			}},
		{name: "has an ETag that does not change", broken: "E-021 E-024",
			before: func(r *http.Request, body []byte) []byte {
				if r.Header.Get("If-Match") == `W/"1"` {
					r.Header.Set("If-Match", "*")
				}
				return body
			},
			after: func(x *exchange) {
				if x.header.Get("ETag") != "" {
					x.header.Set("ETag", `W/"1"`)
				}
				x.body = regexp.MustCompile(`W/\\"\d+\\"`).ReplaceAll(x.body, []byte(`W/\"1\"`))
			}},
		{name: "has an ETag unlike meta.version", broken: "R-010",
			after: func(x *exchange) {
				if tag := x.header.Get("ETag"); tag != "" {
					x.header.Set("ETag", strings.TrimPrefix(tag, "W/"))
				}
			}},
		{name: "moves the version of a write without effect", broken: "P-013 S-020 P-016 X-009 X-052 X-007 X-029",
			after: func() func(x *exchange) {
				var last atomic.Int64
				return func(x *exchange) {
					n := last.Add(1)
					x.body = regexp.MustCompile(`("lastModified":")[^"]*`).ReplaceAll(x.body, fmt.Appendf(nil, "${1}2030-01-01T00:00:00.%06dZ", n))
					x.body = regexp.MustCompile(`W/\\"\d+\\"`).ReplaceAll(x.body, fmt.Appendf(nil, `W/\"x%d\"`, n))
				}
			}()},
		{name: "answers 404 for a wrong method", broken: "E-013 C-017 D-019 B-028",
			after: func(x *exchange) {
				if x.status == 405 {
					x.again(func(r *http.Request) { r.Method, r.URL.Path, r.URL.RawPath = "GET", "/Nowhere", "" })
				}
			}},
		{name: "writes errors as plain text", broken: "E-006 E-007 G-002 C-007 A-001",
			after: func(x *exchange) {
				if x.status >= 400 {
					x.header.Set("Content-Type", "text/plain")
					x.header.Del("WWW-Authenticate")
					x.body = []byte(http.StatusText(x.status))
				}
			}},
		{name: "writes the status of an error as a number", broken: "E-006 E-007 G-002",
			after: func(x *exchange) {
				x.body = regexp.MustCompile(`"status":"(4\d\d)"`).ReplaceAll(x.body, []byte(`"status":$1`))
			}},
		{name: "shows another tenant", broken: "A-013 A-017 G-017 F-036 B-026",
			before: func(r *http.Request, body []byte) []byte {
				if r.Header.Get("Authorization") == "Bearer other" {
					r.Header.Set("Authorization", "Bearer secret")
				}
				return body
			}},
		{name: "tells that a foreign resource exists", broken: "A-017 A-013",
			after: func() func(x *exchange) {
				var foreign []string
				return func(x *exchange) {
					other := x.Header.Get("Authorization") == "Bearer other"
					if other && x.status == 201 {
						foreign = append(foreign, x.header.Get("Location"))
					}
					if !other && x.status == 404 && slices.ContainsFunc(foreign, func(l string) bool { return strings.HasSuffix(l, x.URL.Path) }) {
						x.status = 403
						x.body = bytes.ReplaceAll(x.body, []byte("404"), []byte("403"))
					}
				}
			}()},
		{name: "accepts a duplicate userName", broken: "C-007 S-038 S-039 R-011 E-009",
			after: func(x *exchange) {
				if x.is("POST", "/Users") && x.status == 409 {
					x.sent = regexp.MustCompile(`("userName":"[^"]*)`).ReplaceAll(x.sent, []byte(`${1}-2`))
					x.again(func(r *http.Request) { r.ContentLength = int64(len(x.sent)) })
				}
			}},
		{name: "accepts a duplicate userName in another case", broken: "R-011 R-012",
			after: func(x *exchange) {
				if x.is("POST", "/Users") && x.status == 409 && (bytes.Contains(x.sent, []byte("-U")) || !bytes.ContainsRune(x.sent, 'x') && !isASCII(x.sent)) {
					x.sent = regexp.MustCompile(`("userName":"[^"]*)`).ReplaceAll(x.sent, []byte(`${1}-2`))
					x.again(func(r *http.Request) { r.ContentLength = int64(len(x.sent)) })
				}
			}},
		{name: "repeats a resource on the next page", broken: "O-007",
			after: func(x *exchange) {
				if start := x.URL.Query().Get("startIndex"); x.is("GET", "/Users") && start != "" && start > "1" && x.status == 200 && len(start) == 1 {
					x.again(func(r *http.Request) {
						q := r.URL.Query()
						q.Set("startIndex", string(start[0]-1))
						r.URL.RawQuery = q.Encode()
					})
				}
			}},
		{name: "starts every cursor page anew", broken: "N-002 N-010 N-006 N-004 N-016",
			before: func(r *http.Request, body []byte) []byte {
				if q := r.URL.Query(); q.Get("cursor") != "" {
					q.Set("cursor", "")
					r.URL.RawQuery = q.Encode()
				}
				return body
			}},
		{name: "gives more than count", broken: "O-010 G-006 O-008", before: func(r *http.Request, body []byte) []byte {
			if q := r.URL.Query(); q.Get("count") == "1" {
				q.Set("count", "2")
				r.URL.RawQuery = q.Encode()
			}
			return body
		}},
		{name: "ignores excludedAttributes", broken: "O-015 O-016 S-036", before: func(r *http.Request, body []byte) []byte {
			without("excludedAttributes")(r)
			return body
		}},
		{name: "ignores attributes", broken: "O-014 O-013 S-036 C-016 A-021", before: func(r *http.Request, body []byte) []byte {
			without("attributes")(r)
			return body
		}},
		{name: "leaves out what is always returned", broken: "O-014 O-021 S-034",
			after: func(x *exchange) {
				if q := x.URL.Query(); (q.Has("attributes") || q.Has("excludedAttributes")) && x.status < 300 {
					x.edit(func(r map[string]any) { delete(r, "schemas"); delete(r, "id") })
				}
			}},
		{name: "ignores sortOrder", broken: "O-003 O-005", before: func(r *http.Request, body []byte) []byte {
			without("sortOrder")(r)
			return body
		}},
		{name: "keeps a deleted user", broken: "P-018 P-019 P-020 P-022 R-001",
			after: func(x *exchange) {
				if x.is("DELETE", "/Users/[^/]+") {
					x.status, x.body = 204, nil
				}
			},
			before: func(r *http.Request, body []byte) []byte {
				if r.Method == "DELETE" {
					r.Header.Set("If-Match", `W/"never"`)
				}
				return body
			}},
		{name: "creates by PUT", broken: "P-002 P-018",
			after: func(x *exchange) {
				if x.is("PUT", "/Users/[^/]+") && x.status == 404 {
					x.again(func(r *http.Request) { r.Method, r.URL.Path, r.URL.RawPath = "POST", "/Users", "" })
				}
			}},
		{name: "does the good operations of a bad PATCH", broken: "X-007",
			before: func(r *http.Request, body []byte) []byte {
				return bytes.ReplaceAll(body, []byte(`,{"op":"replace","path":"active","value":"perhaps"}`), nil)
			},
			after: func(x *exchange) {
				if bytes.Contains(x.sent, []byte(`"value":"Chief"`)) && x.Method == "PATCH" && !bytes.Contains(x.sent, []byte("nickName")) {
					x.status, x.body = 400, []byte(`{"schemas":["`+errorURN+`"],"status":"400","scimType":"invalidValue"}`)
				}
			}},
		{name: "takes a malformed path for none", broken: "X-029",
			before: func(r *http.Request, body []byte) []byte {
				return bytes.ReplaceAll(body, []byte(`"path":"emails[broken",`), nil)
			}},
		{name: "sends a body with 204", broken: "P-017 E-032",
			after: func(x *exchange) {
				if x.status == 204 {
					x.body = []byte("{}")
				}
			}},
		{name: "has locations of another resource", broken: "R-009 C-003 G-003",
			after: func(x *exchange) { x.header.Set("Location", "http://scim.test/Users/other") }},
		{name: "accepts every token", broken: "E-010 A-001 E-006 A-004", before: func(r *http.Request, body []byte) []byte {
			if r.Header.Get("Authorization") != "Bearer other" {
				r.Header.Set("Authorization", "Bearer secret")
			}
			return body
		}},
		{name: "refuses members of lists it promised", broken: "O-017", before: func(r *http.Request, body []byte) []byte {
			if q := r.URL.Query(); len(q["attributes"]) > 1 {
				q["attributes"] = q["attributes"][:1]
				r.URL.RawQuery = q.Encode()
			}
			return body
		}},
		{name: "stops a bulk at the first error", broken: "B-009 B-003", before: func(r *http.Request, body []byte) []byte {
			if r.URL.Path == "/Bulk" && !bytes.Contains(body, []byte("failOnErrors")) {
				return bytes.Replace(body, []byte(`"Operations"`), []byte(`"failOnErrors":1,"Operations"`), 1)
			}
			return body
		}},
		{name: "ignores failOnErrors", broken: "B-010", before: func(r *http.Request, body []byte) []byte {
			return regexp.MustCompile(`"failOnErrors":1,`).ReplaceAll(body, nil)
		}},
		{name: "says that userName is optional", broken: "S-045",
			after: func(x *exchange) {
				x.body = regexp.MustCompile(`("name":"userName"[^}]*?"required":)true`).ReplaceAll(x.body, []byte("${1}false"))
			}},
		{name: "fails a search", broken: "G-012 G-014 G-015",
			after: func(x *exchange) {
				if strings.HasSuffix(x.URL.Path, ".search") {
					x.body = []byte(`{"schemas":["` + listURN + `"],"totalResults":0,"Resources":[]}`)
				}
			}},
	} {
		t.Run(fault.name, func(t *testing.T) {
			t.Parallel()
			expect(t, target(spoiled(newServer(t), fault.before, fault.after)), strings.Fields(fault.broken))
		})
	}
}

func isASCII(b []byte) bool { return !slices.ContainsFunc(b, func(c byte) bool { return c >= 0x80 }) }
