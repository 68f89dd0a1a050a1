package scim

import (
	"bytes"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/musterhq/muster/scim/dialect"
)

// bulkRequest is a parsed BulkRequest (RFC 7644 section 3.7).
type bulkRequest struct {
	failOnErrors int // 0: try all
	ops          []*bulkOp
}

// bulkOp is one operation of a bulk request.
type bulkOp struct {
	index   int
	method  string
	bulkID  string
	version string
	path    string
	data    []byte

	// What the path says: the endpoint and, but for POST, the id, which may be a
	// reference "bulkId:x".
	endpoint *endpoint
	id       string

	refs  []string // the bulkIds that data and path name
	after []int    // operations that must be done before
	plan  plan
	made  string // id of the resource that a POST made or will make

	// call and ran are the operation as it was run last.
	call *call
	ran  *Operation

	done   bool
	err    error
	result *Result
}

// bulkScheme begins a reference to a resource that another operation of the same
// request creates (RFC 7644 section 3.7.2).
const bulkScheme = "bulkId:"

func (s *Server) parseBulk(c *call, data []byte) (*bulkRequest, error) {
	req := &bulkRequest{}
	known := false
	err := readMembers(data, s.limits.Depth, func(name string, value jsontext.Value) error {
		switch name {
		case "schemas":
			var urns []string
			if err := readStrings(value, &urns); err != nil {
				return badSyntax("schemas must be a list of URNs")
			}
			for _, urn := range urns {
				known = known || strings.EqualFold(urn, bulkRequestURN)
			}
		case "failonerrors":
			if value.Kind() == 'n' {
				return nil
			}
			n, err := strconv.Atoi(string(value))
			if err != nil || n < 1 {
				return Errorf(http.StatusBadRequest, InvalidValue, "failOnErrors must be a whole number above 0")
			}
			req.failOnErrors = n
		case "operations":
			return s.parseBulkOps(c, req, value)
		}
		return nil
	})
	switch {
	case err != nil:
		return nil, err
	case !known && !c.session.Accepts(dialect.MissingSchemas):
		return nil, Errorf(http.StatusBadRequest, InvalidSyntax, "schemas must name %s", bulkRequestURN)
	case len(req.ops) == 0:
		return nil, Errorf(http.StatusBadRequest, InvalidSyntax, "Operations must hold at least one operation")
	}
	return req, nil
}

const (
	bulkRequestURN  = "urn:ietf:params:scim:api:messages:2.0:BulkRequest"
	bulkResponseURN = "urn:ietf:params:scim:api:messages:2.0:BulkResponse"
)

func (s *Server) parseBulkOps(c *call, req *bulkRequest, value jsontext.Value) error {
	d := jsontext.NewDecoder(bytes.NewBuffer(value))
	if tok, err := d.ReadToken(); err != nil || tok.Kind() != '[' {
		return badSyntax("Operations must be a list")
	}
	ids := map[string]bool{}
	for d.PeekKind() != ']' {
		if len(req.ops) == s.limits.BulkOperations {
			return Errorf(http.StatusRequestEntityTooLarge, "", "the request has more than %d operations, which is the most that one bulk request may have (maxOperations)", s.limits.BulkOperations)
		}
		v, err := d.ReadValue()
		if err != nil {
			return badSyntax("Operations is not well-formed JSON")
		}
		op := &bulkOp{index: len(req.ops)}
		req.ops = append(req.ops, op)
		if v.Kind() != '{' {
			op.err = badSyntax("an operation must be an object")
			continue
		}
		err = readMembers(v, s.limits.Depth, func(name string, value jsontext.Value) error {
			var text *string
			switch name {
			case "method":
				text = &op.method
			case "bulkid":
				text = &op.bulkID
			case "path":
				text = &op.path
			case "version":
				text = &op.version
			case "data":
				if value.Kind() != 'n' {
					op.data = value
				}
			}
			if text == nil || value.Kind() == 'n' {
				return nil
			}
			if value.Kind() != '"' {
				return badSyntax(strings.Replace(name, "bulkid", "bulkId", 1) + " of an operation must be a string")
			}
			unquoted, err := jsontext.AppendUnquote(nil, value)
			*text = string(unquoted)
			return err
		})
		if err == nil {
			err = s.resolveBulkOp(c, op, ids)
		}
		if err != nil {
			op.err = err
		}
	}
	return nil
}

// resolveBulkOp checks an operation's method, path and bulkId.
func (s *Server) resolveBulkOp(c *call, op *bulkOp, ids map[string]bool) error {
	op.method = strings.ToUpper(op.method)
	if op.bulkID != "" {
		if ids[op.bulkID] {
			return badSyntax("two operations have the same bulkId")
		}
		ids[op.bulkID] = true
	}
	switch op.method {
	case http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete:
	case "":
		return badSyntax("an operation needs a method")
	default:
		return Errorf(http.StatusBadRequest, InvalidSyntax, "the method of an operation must be POST, PUT, PATCH or DELETE")
	}
	path, err := url.PathUnescape(strings.Trim(op.path, "/"))
	if err != nil {
		return Errorf(http.StatusBadRequest, InvalidValue, "the path of an operation is not percent-encoded correctly")
	}
	name, id, _ := strings.Cut(path, "/")
	if op.endpoint = s.endpointOf(name); op.endpoint == nil {
		return Errorf(http.StatusNotFound, "", "the path of an operation must begin with the endpoint of a resource type, such as /Users")
	}
	op.id = id
	switch post := op.method == http.MethodPost; {
	case post && id != "":
		return Errorf(http.StatusBadRequest, InvalidValue, "the path of a POST must be the endpoint alone")
	case post && op.bulkID == "" && !c.session.Accepts(dialect.MissingBulkID):
		return badSyntax("a POST needs a bulkId")
	case !post && (id == "" || strings.Contains(id, "/")):
		return Errorf(http.StatusBadRequest, InvalidValue, "the path of an operation that is no POST must be the endpoint, a slash and the id")
	case op.method != http.MethodDelete && op.data == nil:
		return badSyntax("an operation that is no DELETE needs data")
	case op.method != http.MethodDelete && jsontext.Value(op.data).Kind() != '{':
		return badSyntax("the data of an operation must be an object")
	}
	if ref, ok := strings.CutPrefix(id, bulkScheme); ok {
		op.refs = append(op.refs, ref)
	}
	op.refs = append(op.refs, findReferences(op.data)...)
	return nil
}

// findReferences returns the bulkIds that strings in a JSON text refer to: strings
// that begin with "bulkId:", URIs whose last segment does, and quoted ones in
// filters.
func findReferences(data []byte) (refs []string) {
	if !bytes.Contains(data, []byte(bulkScheme)) {
		return nil
	}
	_ = replaceReferences(data, func(ref string) (string, bool) {
		refs = append(refs, ref)
		return "", false
	})
	return refs
}

// replaceReferences rewrites the references in the strings of a JSON text. id
// returns what a reference stands for, or false to leave it.
func replaceReferences(data []byte, id func(ref string) (string, bool)) []byte {
	if !bytes.Contains(data, []byte(bulkScheme)) {
		return data
	}
	var out []byte
	last := 0
	for i := 0; i < len(data); i++ {
		if data[i] != '"' {
			continue
		}
		end := i + 1
		for end < len(data) && data[end] != '"' {
			if data[end] == '\\' {
				end++
			}
			end++
		}
		if end >= len(data) {
			break
		}
		raw := data[i : end+1]
		if bytes.Contains(raw, []byte(bulkScheme)) {
			if text, err := jsontext.AppendUnquote(nil, raw); err == nil {
				if now, changed := replaceInText(string(text), id); changed {
					out = append(out, data[last:i]...)
					out = appendJSONString(out, now)
					last = end + 1
				}
			}
		}
		i = end
	}
	if out == nil {
		return data
	}
	return append(out, data[last:]...)
}

// replaceInText rewrites the references in one string.
func replaceInText(text string, id func(string) (string, bool)) (now string, changed bool) {
	if ref, ok := strings.CutPrefix(text, bulkScheme); ok {
		if v, ok := id(ref); ok {
			return v, true
		}
		return text, false
	}
	var b strings.Builder
	for {
		i := strings.Index(text, bulkScheme)
		if i < 0 {
			break
		}
		// In the middle of a string a reference is the end of a URI or a literal of a
		// filter.
		rest := text[i+len(bulkScheme):]
		end, found := len(rest), i > 0 && text[i-1] == '/'
		if i > 0 && text[i-1] == '"' {
			end = strings.IndexByte(rest, '"')
			found = end >= 0
		}
		if v, ok := "", false; found {
			if v, ok = id(rest[:end]); ok {
				b.WriteString(text[:i])
				b.WriteString(v)
				text, changed = rest[end:], true
				continue
			}
		}
		b.WriteString(text[:i+len(bulkScheme)])
		text = rest
	}
	b.WriteString(text)
	return b.String(), changed
}
