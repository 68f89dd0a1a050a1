package signin_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/musterhq/muster/scim"
	"github.com/musterhq/muster/storage"
)

type server struct {
	*scim.Server
	t testing.TB
}

// newServer makes a server whose tokens "entra" and "okta" stand for connections of
// the tenant acme, and "app" for the host itself.
func newServer(t testing.TB, store storage.Store, opts ...scim.Option) *server {
	t.Helper()
	tokens := map[string]scim.Principal{}
	for _, name := range []string{"entra", "okta", "app"} {
		tokens[name] = scim.Principal{Tenant: "acme", Connection: name}
	}
	quiet := scim.WithLogger(slog.New(slog.NewTextHandler(io.Discard, nil)))
	srv, err := scim.New(store, scim.BearerTokens(tokens), append([]scim.Option{quiet}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	return &server{srv, t}
}

// send makes a request as "METHOD /path" with the token "entra" or another one.
func (s *server) send(request, body string, token ...string) (status int, answer map[string]any) {
	s.t.Helper()
	method, path, _ := strings.Cut(request, " ")
	r := httptest.NewRequest(method, "http://scim.test"+path, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/scim+json")
	r.Header.Set("Authorization", "Bearer "+cmp.Or(strings.Join(token, ""), "entra"))
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	if w.Body.Len() > 0 {
		if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil {
			s.t.Errorf("%s: the answer is not JSON: %v\n%s", request, err, w.Body)
		}
	}
	return w.Code, answer
}

func (s *server) create(name, more string, token ...string) (id string) {
	s.t.Helper()
	status, answer := s.send("POST /Users", user(name, more), token...)
	if status != 201 {
		s.t.Fatalf("%s: %d %v", name, status, answer)
	}
	return answer["id"].(string)
}

func (s *server) patch(id, ops string) {
	s.t.Helper()
	if status, answer := s.send("PATCH /Users/"+id, `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":`+ops+`}`); status != 200 {
		s.t.Fatalf("%d %v", status, answer)
	}
}

func (s *server) total() int {
	s.t.Helper()
	n := 0
	for _, token := range []string{"entra", "okta", "app"} {
		_, answer := s.send("GET /Users", "", token)
		n += int(answer["totalResults"].(float64))
	}
	return n
}

// user is the body of a user; more are further members, each behind a comma.
func user(name, more string) string {
	return fmt.Sprintf(`{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":%q%s}`, name, more)
}
