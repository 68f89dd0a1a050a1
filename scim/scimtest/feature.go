package scimtest

import (
	"context"
	"fmt"
	"iter"
	"net/http"
	"strings"

	"github.com/musterhq/muster/internal/jsonvalue"
	"github.com/musterhq/muster/internal/transcript"
)

// features are the parts of the protocol that a server may do without, and what a
// check says that needs one.
var features = [...]struct{ name, about string }{
	{"create", "creating users; what a server without it refuses to change with 405 is not held against it"},
	{"patch", "PATCH"},
	{"bulk", "bulk requests"},
	{"filter", "filters"},
	{"sort", "sorting"},
	{"etag", "versions and preconditions"},
	{"search", "queries by POST to .search"},
	{"root", "queries at the service root, over all resource types"},
	{"me", "the alias /Me"},
	{"cursor", "paging by cursors"},
	{"groups", "the resource type Group"},
	{"enterprise", "the enterprise extension of users"},
	{"tenants", "a second tenant, by Target.OtherToken"},
	{"binary", "an attribute of type binary among those of users"},
	{"integer", "a single integer attribute of an extension of users"},
	{"decimal", "a single decimal attribute of an extension of users"},
	{"dateTime", "a single dateTime attribute of an extension of users"},
	{"exact", "a single string attribute of an extension of users whose case is significant"},
	{"immutable", "a single immutable string attribute of an extension of users"},
	{"request", "a single string attribute of an extension of users that is returned on request only"},
}

// Features lists what a check may need and a server may do without, each with what
// it is. A run finds out by itself what is there, from the discovery endpoints or
// because the answer to a request is 501, or 405 to the creation of a user; these are also names for
// [Target.Except].
func Features() iter.Seq2[string, string] {
	return func(yield func(string, string) bool) {
		for _, f := range features {
			if !yield(f.name, f.about) {
				return
			}
		}
	}
}

// server is what is known of the server under test.
type server struct {
	config  any            // the service provider configuration
	schemas map[string]any // by URN
	types   map[string]any // resource types by name
	// missing says of each feature that is not there why.
	missing map[string]string
	// vars are variables for checks: the names of attributes with some
	// characteristic, and limits.
	vars map[string]string
}

// discover reads the discovery endpoints and tries what they do not tell.
func discover(ctx context.Context, p *transcript.Player, t *Target) (*server, error) {
	s := &server{schemas: map[string]any{}, types: map[string]any{}, missing: map[string]string{}, vars: map[string]string{}}
	var err error
	if s.config, err = read(ctx, p, "/ServiceProviderConfig"); err != nil {
		return nil, err
	}
	for path, into := range map[string]map[string]any{"/Schemas": s.schemas, "/ResourceTypes": s.types} {
		list, err := read(ctx, p, path)
		if err != nil {
			return nil, err
		}
		for _, r := range items(get(list, "Resources")) {
			key := str(get(r, "id"))
			if path == "/ResourceTypes" {
				key = str(get(r, "name"))
			}
			into[key] = r
		}
	}
	if s.types["User"] == nil {
		return nil, fmt.Errorf("/ResourceTypes has no User: the checks need it")
	}
	for _, name := range []string{"patch", "bulk", "filter", "sort", "etag"} {
		if get(s.config, name, "supported") != true {
			s.missing[name] = "ServiceProviderConfig says that it is not supported"
		}
	}
	if get(s.config, "pagination", "cursor") != true {
		s.missing["cursor"] = "ServiceProviderConfig says nothing of cursors"
	}
	if s.types["Group"] == nil {
		s.missing["groups"] = "/ResourceTypes has no Group"
	}
	if !s.extends(enterpriseURN) {
		s.missing["enterprise"] = "/ResourceTypes says that users do not have it"
	}
	if t.OtherToken == "" {
		s.missing["tenants"] = "there is no Target.OtherToken"
	}
	for _, try := range []struct{ feature, method, path, body string }{
		{"search", "POST", "/Users/.search", `{"schemas":["` + searchURN + `"],"count":0}`},
		{"root", "GET", "/?count=0", ""},
		{"me", "GET", "/Me", ""},
	} {
		answer, err := p.Send(ctx, try.method, try.path, http.Header{"Content-Type": {"application/scim+json"}}, strings.NewReader(try.body))
		if err != nil {
			return nil, err
		}
		if answer.Status == http.StatusNotImplemented {
			s.missing[try.feature] = fmt.Sprintf("%s %s is answered 501", try.method, try.path)
		}
	}
	answer, err := p.Send(ctx, "POST", "/Users", http.Header{"Content-Type": {"application/scim+json"}}, strings.NewReader("{}"))
	if err != nil {
		return nil, err
	}
	if answer.Status == http.StatusMethodNotAllowed {
		s.missing["create"] = "POST /Users is answered 405"
	}
	s.findAttributes()
	for name, value := range map[string]any{"maxResults": get(s.config, "filter", "maxResults"), "maxOperations": get(s.config, "bulk", "maxOperations")} {
		s.vars[name] = jsonvalue.Text(value)
	}
	return s, nil
}

// read gets a JSON object that must be there.
func read(ctx context.Context, p *transcript.Player, path string) (any, error) {
	answer, err := p.Send(ctx, "GET", path, nil, nil)
	if err != nil {
		return nil, fmt.Errorf("GET %s: %w", path, err)
	}
	if answer.Status != http.StatusOK {
		return nil, fmt.Errorf("GET %s: want 200, got %d %s", path, answer.Status, clip(answer.Body))
	}
	v, err := jsonvalue.Decode(answer.Body)
	if err != nil {
		return nil, fmt.Errorf("GET %s: the answer is not JSON: %w", path, err)
	}
	return v, nil
}

// extends reports whether users have an extension.
func (s *server) extends(urn string) bool {
	for _, e := range items(get(s.types["User"], "schemaExtensions")) {
		if strings.EqualFold(str(get(e, "schema")), urn) {
			return true
		}
	}
	return false
}

// findAttributes looks among the extensions of users for attributes that the RFC's
// own schemas have none of. A check that needs one finds it as ${urn} and ${attr}
// with the feature's name in front, such as ${integer_urn}.
func (s *server) findAttributes() {
	binary := false
	for _, a := range items(get(s.schemas[userURN], "attributes")) {
		for _, sub := range items(get(a, "subAttributes")) {
			binary = binary || get(sub, "type") == "binary"
		}
	}
	if !binary {
		s.missing["binary"] = "/Schemas has none"
	}
	for feature, fits := range map[string]func(a any) bool{
		"integer":   func(a any) bool { return get(a, "type") == "integer" },
		"decimal":   func(a any) bool { return get(a, "type") == "decimal" },
		"dateTime":  func(a any) bool { return get(a, "type") == "dateTime" },
		"exact":     func(a any) bool { return get(a, "type") == "string" && get(a, "caseExact") == true },
		"immutable": func(a any) bool { return get(a, "type") == "string" && get(a, "mutability") == "immutable" },
		"request":   func(a any) bool { return get(a, "type") == "string" && get(a, "returned") == "request" },
	} {
		s.missing[feature] = "/Schemas has none"
		for _, e := range items(get(s.types["User"], "schemaExtensions")) {
			urn := str(get(e, "schema"))
			for _, a := range items(get(s.schemas[urn], "attributes")) {
				plain := get(a, "multiValued") != true && (feature == "immutable" || get(a, "mutability") == "readWrite") &&
					(feature == "request" || get(a, "returned") == "default")
				if plain && fits(a) && s.missing[feature] != "" {
					delete(s.missing, feature)
					s.vars[feature+"_urn"], s.vars[feature+"_attr"] = urn, str(get(a, "name"))
				}
			}
		}
	}
}

// get follows keys into a decoded JSON value; nil when there is nothing.
func get(v any, keys ...string) any {
	for _, k := range keys {
		object, _ := v.(map[string]any)
		v = object[k]
	}
	return v
}

// items returns the elements of a list, none when v is none.
func items(v any) []any {
	list, _ := v.([]any)
	return list
}

func str(v any) string {
	s, _ := v.(string)
	return s
}

// clip keeps failures readable.
func clip(body []byte) string {
	const most = 2000
	if len(body) > most {
		return string(body[:most]) + "…"
	}
	return string(body)
}
