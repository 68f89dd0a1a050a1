package scim_test

import (
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/musterhq/muster/scim"
	"github.com/musterhq/muster/storage"
	"github.com/musterhq/muster/storage/memory"
)

// newServer makes a server over an empty memory store that knows the token
// "secret" and logs nothing.
func newServer(t testing.TB, opts ...scim.Option) *scim.Server {
	t.Helper()
	return newServerFor(t, scim.BearerToken("secret"), opts...)
}

func newServerFor(t testing.TB, auth scim.Authenticator, opts ...scim.Option) *scim.Server {
	t.Helper()
	return newServerOver(t, memory.New(), auth, opts...)
}

func newServerOver(t testing.TB, store storage.Store, auth scim.Authenticator, opts ...scim.Option) *scim.Server {
	t.Helper()
	quiet := scim.WithLogger(slog.New(slog.NewTextHandler(io.Discard, nil)))
	srv, err := scim.New(store, auth, append([]scim.Option{quiet}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	return srv
}

// answer is a response with its body as JSON.
type answer struct {
	*httptest.ResponseRecorder
	json map[string]any
}

// send makes a request as "METHOD /path", with the token "secret" unless headers
// ("Name: value") say otherwise.
func send(t testing.TB, h http.Handler, request, body string, headers ...string) *answer {
	t.Helper()
	method, path, _ := strings.Cut(request, " ")
	r := httptest.NewRequest(method, "http://scim.test"+path, strings.NewReader(body))
	if body != "" {
		r.Header.Set("Content-Type", "application/scim+json")
	}
	r.Header.Set("Authorization", "Bearer secret")
	for _, line := range headers {
		name, value, _ := strings.Cut(line, ":")
		if value = strings.TrimSpace(value); value == "" {
			r.Header.Del(name)
		} else {
			r.Header.Set(name, value)
		}
	}
	a := &answer{ResponseRecorder: httptest.NewRecorder()}
	h.ServeHTTP(a.ResponseRecorder, r)
	if a.Body.Len() > 0 {
		if err := json.Unmarshal(a.Body.Bytes(), &a.json); err != nil {
			t.Fatalf("%s: the answer is not JSON: %v\n%s", request, err, a.Body)
		}
	}
	return a
}

// want fails the test unless the answer has the status, and the scimType when one
// is given.
func (a *answer) want(t testing.TB, status int, scimType ...string) *answer {
	t.Helper()
	if a.Code != status {
		t.Fatalf("status %d, want %d\n%s", a.Code, status, a.Body)
	}
	if len(scimType) > 0 && a.json["scimType"] != scimType[0] {
		t.Fatalf("scimType %v, want %q\n%s", a.json["scimType"], scimType[0], a.Body)
	}
	return a
}

func (a *answer) id() string { s, _ := a.json["id"].(string); return s }

// get reads a value by a path of keys, nil when it is not there.
func (a *answer) get(keys ...string) any {
	var v any = a.json
	for _, k := range keys {
		m, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		v = m[k]
	}
	return v
}

// values returns the "value" of each entry of a list attribute.
func (a *answer) values(attr string) (out []string) {
	list, _ := a.json[attr].([]any)
	for _, e := range list {
		s, _ := e.(map[string]any)["value"].(string)
		out = append(out, s)
	}
	return out
}

const userBody = `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":%q}`
const groupBody = `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"displayName":%q}`

func patchBody(ops string) string {
	return `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":` + ops + `}`
}
