package scim_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/musterhq/muster/scim"
)

// state is everything that clients can see of a server's users and groups.
func state(t testing.TB, h http.Handler) string {
	t.Helper()
	return send(t, h, "GET /Users?count=1000&sortBy=id", "").Body.String() + send(t, h, "GET /Groups?count=1000&sortBy=id", "").Body.String()
}

// populated returns a server with a user and a group that it is in.
func populated(t testing.TB, opts ...scim.Option) (srv *scim.Server, user, group string) {
	t.Helper()
	srv = newServer(t, opts...)
	user = send(t, srv, "POST /Users", fmt.Sprintf(userBody, "ada")).want(t, 201).id()
	group = send(t, srv, "POST /Groups", fmt.Sprintf(`{"displayName":"Staff","members":[{"value":%q}]}`, user)).want(t, 201).id()
	return srv, user, group
}

// insides are texts that no client may ever see.
var insides = []string{"goroutine", ".go:", "runtime error", "panic", "jsontext", "json:", "musterhq", "*scim.", "storage:", "0x"}

// wantError fails the test unless the answer is a SCIM error that holds nothing of
// the server's inside.
func (a *answer) wantError(t testing.TB, status int, scimType string) {
	t.Helper()
	word, _ := a.json["scimType"].(string)
	if a.Code != status || word != scimType {
		t.Errorf("got %d %q, want %d %q: %.300s", a.Code, word, status, scimType, a.Body)
	}
	if a.json["status"] != fmt.Sprint(a.Code) || fmt.Sprint(a.json["schemas"]) != "[urn:ietf:params:scim:api:messages:2.0:Error]" {
		t.Errorf("no SCIM error: %.300s", a.Body)
	}
	if detail, _ := a.json["detail"].(string); len(detail) < 10 || len(detail) > 2000 {
		t.Errorf("the detail is of little help: %.300q", detail)
	}
	if ct := a.Header().Get("Content-Type"); ct != "application/scim+json" {
		t.Errorf("Content-Type %q", ct)
	}
	for _, text := range insides {
		if strings.Contains(a.Body.String(), text) {
			t.Errorf("the answer shows %q: %.300s", text, a.Body)
		}
	}
}

func TestBadInputIsRefusedClearlyAndChangesNothing(t *testing.T) {
	t.Parallel()
	const user = `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"x",`
	patch := func(ops string) string { return patchBody(`[` + ops + `]`) }
	nested := func(n int, open, inner, close string) string {
		return strings.Repeat(open, n) + inner + strings.Repeat(close, n)
	}
	const most = 100_000
	tests := []struct {
		name, request, body string
		status              int
		scimType            string
	}{
		{"no body", "POST /Users", ``, 400, "invalidSyntax"},
		{"white space", "POST /Users", `   `, 400, "invalidSyntax"},
		{"cut off", "POST /Users", `{"userName":"x"`, 400, "invalidSyntax"},
		{"two values", "POST /Users", user[:len(user)-1] + `}{}`, 400, "invalidSyntax"},
		{"an array", "POST /Users", `[]`, 400, "invalidSyntax"},
		{"a string", "POST /Users", `"x"`, 400, "invalidSyntax"},
		{"null", "POST /Users", `null`, 400, "invalidSyntax"},
		{"HTML", "POST /Users", `<html>`, 400, "invalidSyntax"},
		{"a trailing comma", "POST /Users", user + `}`, 400, "invalidSyntax"},
		{"a byte order mark", "POST /Users", "\xef\xbb\xbf" + user[:len(user)-1] + `}`, 400, "invalidSyntax"},
		{"invalid UTF-8", "POST /Users", user + `"title":"` + "\xff\xfe" + `"}`, 400, "invalidSyntax"},
		{"invalid UTF-8 in a name", "POST /Users", user + `"ti` + "\xff" + `":"a"}`, 400, "invalidSyntax"},
		{"half a surrogate pair", "POST /Users", user + `"title":"\ud800"}`, 400, "invalidSyntax"},
		{"a duplicate name", "POST /Users", user + `"title":"a","title":"b"}`, 400, "invalidSyntax"},
		{"a name in two letter cases", "POST /Users", user + `"active":true,"Active":false}`, 400, "invalidSyntax"},
		{"a duplicate in an element", "POST /Users", user + `"emails":[{"value":"a","VALUE":"b"}]}`, 400, "invalidSyntax"},
		{"a duplicate unknown name", "POST /Users", user + `"foo":1,"foo":2}`, 400, "invalidSyntax"},
		{"a duplicate URN", "POST /Users", user + `"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{},"URN:ietf:params:scim:schemas:extension:enterprise:2.0:User":{}}`, 400, "invalidSyntax"},
		{"U+0000", "POST /Users", user + `"title":"a\u0000b"}`, 400, "invalidValue"},
		{"no userName", "POST /Users", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"]}`, 400, "invalidValue"},
		{"userName null", "POST /Users", `{"userName":null}`, 400, "invalidValue"},
		{"userName empty", "POST /Users", `{"userName":""}`, 400, "invalidValue"},
		{"userName a number", "POST /Users", `{"userName":7}`, 400, "invalidValue"},
		{"userName an object", "POST /Users", `{"userName":{}}`, 400, "invalidValue"},
		{"name a string", "POST /Users", user + `"name":"x"}`, 400, "invalidValue"},
		{"name an array", "POST /Users", user + `"name":[{"givenName":"x"}]}`, 400, "invalidValue"},
		{"emails a number", "POST /Users", user + `"emails":7}`, 400, "invalidValue"},
		{"an email a number", "POST /Users", user + `"emails":[7]}`, 400, "invalidValue"},
		{"an email's value an array", "POST /Users", user + `"emails":[{"value":["a"]}]}`, 400, "invalidValue"},
		{"an extension a string", "POST /Users", user + `"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":"x"}`, 400, "invalidValue"},
		{"active a word", "POST /Users", user + `"active":"yes"}`, 400, "invalidValue"},
		{"active one", "POST /Users", user + `"active":1}`, 400, "invalidValue"},
		{"members an object in a list in a list", "POST /Groups", `{"displayName":"G","members":[[{"value":"a"}]]}`, 400, "invalidValue"},
		{"a member without a value", "POST /Groups", `{"displayName":"G","members":[{"display":"a"}]}`, 400, "invalidValue"},
		{"brackets without end", "POST /Users", nested(most, "[", "", ""), 400, "invalidSyntax"},
		{"nested brackets", "POST /Users", user + `"x":` + nested(most, "[", "", "]") + `}`, 400, "invalidSyntax"},
		{"nested objects", "POST /Users", nested(most, `{"name":`, "1", "}"), 400, "invalidSyntax"},
		{"nested objects in a PATCH", "PATCH /Users/USER", patch(`{"op":"add","path":"name","value":` + nested(most, `{"name":`, "1", "}") + `}`), 400, "invalidSyntax"},
		{"nested brackets in a PATCH without a path", "PATCH /Users/USER", patch(`{"op":"add","value":{"x":` + nested(most, `[`, "1", "]") + `}}`), 400, "invalidSyntax"},
		{"parentheses in a PATCH path", "PATCH /Users/USER", patch(`{"op":"remove","path":"emails[` + nested(most, "(", "value pr", ")") + `]"}`), 400, "invalidFilter"},
		{"parentheses in a filter", "GET /Users?filter=" + nested(most, "(", "title%20pr", ")"), ``, 400, "invalidFilter"},
		{"open parentheses in a filter", "GET /Users?filter=" + nested(most, "(", "", ""), ``, 400, "invalidFilter"},
		{"nots in a filter", "GET /Users?filter=" + nested(1000, "not(", "title%20pr", ")"), ``, 400, "invalidFilter"},
		{"many terms in a filter", "GET /Users?filter=title%20pr" + strings.Repeat("%20or%20title%20pr", 10_000), ``, 400, "invalidFilter"},
		{"an open bracket in a filter", "GET /Users?filter=emails%5Btype%20eq%20%22work%22", ``, 400, "invalidFilter"},
		{"an unknown operator", "GET /Users?filter=userName%20like%20%22a%22", ``, 400, "invalidFilter"},
		{"an open string in a filter", "GET /Users?filter=userName%20eq%20%22a", ``, 400, "invalidFilter"},
		{"invalid UTF-8 in a filter", "GET /Users?filter=userName%20eq%20%22%ff%22", ``, 400, "invalidFilter"},
		{"a bad escape in a filter", "GET /Users?filter=userName%20eq%20%22%5Cx%22", ``, 400, "invalidFilter"},
		{"a filter of white space", "GET /Users?filter=%20", ``, 400, "invalidFilter"},
		{"a NUL in a filter", "GET /Users?filter=userName%00%20pr", ``, 400, "invalidFilter"},
		{"a count that is no number", "GET /Users?count=ten", ``, 400, "invalidValue"},
		{"a sort path of rubbish", "GET /Users?sortBy=%5B%5D", ``, 400, "invalidPath"},
		{"an unbalanced path", "PATCH /Users/USER", patch(`{"op":"remove","path":"emails[type eq \"a\""}`), 400, "invalidPath"},
		{"a closing bracket alone", "PATCH /Users/USER", patch(`{"op":"remove","path":"emails]"}`), 400, "invalidPath"},
		{"an empty path", "PATCH /Users/USER", patch(`{"op":"replace","path":"","value":{"title":"x"}}`), 400, "invalidPath"},
		{"a path of white space", "PATCH /Users/USER", patch(`{"op":"replace","path":" ","value":{"title":"x"}}`), 400, "invalidPath"},
		{"a path of dots", "PATCH /Users/USER", patch(`{"op":"replace","path":"name..x","value":"x"}`), 400, "invalidPath"},
		{"a path that is null", "PATCH /Users/USER", patch(`{"op":"remove","path":null}`), 400, "noTarget"},
		{"a path that is a number", "PATCH /Users/USER", patch(`{"op":"remove","path":1}`), 400, "invalidPath"},
		{"an operation twice named", "PATCH /Users/USER", patch(`{"op":"add","OP":"remove","path":"title","value":"x"}`), 400, "invalidSyntax"},
		{"a PATCH with two lists", "PATCH /Users/USER", `{"Operations":[],"operations":[]}`, 400, "invalidSyntax"},
		{"a PATCH that is a resource", "PATCH /Users/USER", user + `"active":false}`, 400, "invalidSyntax"},
		{"a PATCH that is nothing", "PATCH /Users/USER", ``, 400, "invalidSyntax"},
		{"operations of operations", "PATCH /Users/USER", patchBody(`[[{"op":"remove","path":"title"}]]`), 400, "invalidSyntax"},
		{"10,001 operations", "PATCH /Users/USER", patch(strings.Repeat(`{"op":"add","path":"title","value":"x"},`, 10_000) + `{"op":"add","path":"title","value":"y"}`), 400, "invalidValue"},
		{"a PUT without a body", "PUT /Users/USER", ``, 400, "invalidSyntax"},
		{"a PUT without userName", "PUT /Users/USER", `{"active":false}`, 400, "invalidValue"},
		{"10 MB", "POST /Users", user + `"title":"` + strings.Repeat("x", 10<<20) + `"}`, 413, ""},
		{"10 MB of PATCH", "PATCH /Groups/GROUP", patch(`{"op":"add","path":"displayName","value":"` + strings.Repeat("x", 10<<20) + `"}`), 413, ""},
		{"an unknown endpoint", "POST /Robots", `{}`, 404, ""},
		{"an unknown id", "PUT /Users/none", user + `"title":"x"}`, 404, ""},
		{"a NUL in an id", "PATCH /Users/%00", patch(`{"op":"remove","path":"title"}`), 404, ""},
		{"invalid UTF-8 in an id", "DELETE /Users/%ff", ``, 404, ""},
		{"slashes in an id", "DELETE /Users/%2F..%2FUSER", ``, 404, ""},
		{"a backslash in an id", "DELETE /Users/%5C", ``, 404, ""},
		{"dots", "DELETE /Users/..", ``, 404, ""},
		{"a long id", "GET /Users/" + strings.Repeat("x", 100_000), ``, 404, ""},
		{"an id in the wrong type", "GET /Groups/USER", ``, 404, ""},
		{"an id in another letter case", "GET /Users/UPPER", ``, 404, ""},
		{"a JSON body that says it is a form", "POST /Users", `userName=x`, 400, "invalidSyntax"},
	}
	srv, id, group := populated(t)
	before := state(t, srv)
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			request := strings.NewReplacer("USER", id, "GROUP", group, "UPPER", strings.ToUpper(id)).Replace(test.request)
			start := time.Now()
			send(t, srv, request, test.body).wantError(t, test.status, test.scimType)
			if took := time.Since(start); took > 2*time.Second {
				t.Errorf("it took %v", took)
			}
			if after := state(t, srv); after != before {
				t.Errorf("it changed something:\n%s\n%s", before, after)
			}
		})
	}
}

func TestLargeBodiesWithinTheLimitsAreServedQuickly(t *testing.T) {
	t.Parallel()
	srv, id, group := populated(t)
	ops := strings.TrimSuffix(strings.Repeat(`{"op":"add","path":"title","value":"x"},`, 10_000), ",")
	members := strings.TrimSuffix(strings.Repeat(`{"op":"add","path":"members","value":[{"value":"`+id+`"}]},`, 10_000), ",")
	unknown := make([]string, 50_000)
	for i := range unknown {
		unknown[i] = fmt.Sprintf(`{"value":"u%d"}`, i)
	}
	for _, test := range []struct {
		name, request, body string
		status              int
	}{
		{"10,000 operations", "PATCH /Users/" + id, patchBody(`[` + ops + `]`), 200},
		{"10,000 times the same member", "PATCH /Groups/" + group, patchBody(`[` + members + `]`), 204},
		{"50,000 members that do not exist", "PATCH /Groups/" + group, patchBody(`[{"op":"add","path":"members","value":[` + strings.Join(unknown, ",") + `]}]`), 204},
		{"7 MB of title", "PATCH /Users/" + id, patchBody(`[{"op":"add","path":"title","value":"` + strings.Repeat("x", 7<<20) + `"}]`), 200},
	} {
		t.Run(test.name, func(t *testing.T) {
			start := time.Now()
			send(t, srv, test.request, test.body).want(t, test.status)
			if took := time.Since(start); took > 5*time.Second {
				t.Errorf("it took %v", took)
			}
		})
	}
	if got := send(t, srv, "GET /Groups/"+group, "").values("members"); len(got) != 1 || got[0] != id {
		t.Errorf("members %v", got)
	}
}

// A client that declares a small body, or none, is not believed.
func TestTheBodyLimitHoldsWithoutContentLength(t *testing.T) {
	t.Parallel()
	srv := newServer(t)
	read := int64(0)
	endless := readerFunc(func(p []byte) (int, error) {
		for i := range p {
			p[i] = ' '
		}
		read += int64(len(p))
		return len(p), nil
	})
	r := httptest.NewRequest("POST", "/Users", endless)
	r.ContentLength = -1
	r.Header.Set("Authorization", "Bearer secret")
	w := httptest.NewRecorder()
	srv.ServeHTTP(w, r)
	if w.Code != http.StatusRequestEntityTooLarge || !strings.Contains(w.Body.String(), "8388608") {
		t.Errorf("status %d: %s", w.Code, w.Body)
	}
	if read > 20<<20 {
		t.Errorf("%d bytes were read before the limit was noticed", read)
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

func TestTheBodyLimitIsExact(t *testing.T) {
	t.Parallel()
	srv := newServer(t, scim.WithLimits(scim.Limits{Body: 200}))
	body := func(n int) string {
		head, tail := `{"userName":"x","title":"`, `"}`
		return head + strings.Repeat("y", n-len(head)-len(tail)) + tail
	}
	send(t, srv, "POST /Users", body(201)).want(t, 413)
	send(t, srv, "POST /Users", body(200)).want(t, 201)
}

func TestAnAbortedBodyChangesNothing(t *testing.T) {
	t.Parallel()
	srv, id, _ := populated(t)
	before := state(t, srv)
	for _, cause := range []error{io.ErrUnexpectedEOF, errors.New("connection reset by peer")} {
		whole := patchBody(`[{"op":"replace","path":"title","value":"x"}]`)
		body := io.MultiReader(strings.NewReader(whole), iotest.ErrReader(cause))
		r := httptest.NewRequest("PATCH", "/Users/"+id, body)
		r.Header.Set("Authorization", "Bearer secret")
		a := &answer{ResponseRecorder: httptest.NewRecorder()}
		srv.ServeHTTP(a.ResponseRecorder, r)
		if a.Code != 400 || strings.Contains(a.Body.String(), "reset") {
			t.Errorf("%v: %d %s", cause, a.Code, a.Body)
		}
	}
	if after := state(t, srv); after != before {
		t.Error("a body that did not end was applied")
	}
}

// net/http's server turns MaxBytesReader and its like into read errors.
func TestABodyThatTheHostsMiddlewareCutsIsTooLarge(t *testing.T) {
	t.Parallel()
	srv := newServer(t)
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, 10)
		srv.ServeHTTP(w, r)
	})
	send(t, h, "POST /Users", fmt.Sprintf(userBody, "ada")).wantError(t, 413, "")
}

func TestMarkupInANameIsKeptAndEscaped(t *testing.T) {
	t.Parallel()
	srv := newServer(t)
	name := `<script>alert("x")</script>&amp;'; DROP TABLE users;--`
	a := send(t, srv, "POST /Users", fmt.Sprintf(`{"userName":"ada","displayName":%q}`, name)).want(t, 201)
	if a.get("displayName") != name {
		t.Errorf("got %q", a.get("displayName"))
	}
	if ct := a.Header().Get("Content-Type"); ct != "application/scim+json" {
		t.Errorf("Content-Type %q could be taken for a page", ct)
	}
}

func TestErrorsDoNotRepeatSecretsOrNames(t *testing.T) {
	t.Parallel()
	srv, id, _ := populated(t)
	for _, test := range [][2]string{
		{"POST /Users", `{"userName":"geheim","password":["geheim"]}`},
		{"POST /Users", `{"userName":"geheim","password":7,"emails":"geheim"}`},
		{"POST /Users", `{"userName":"geheim","active":"geheim"}`},
		{"POST /Users", `{"userName":["geheim"]}`},
		{"PATCH /Users/" + id, patchBody(`[{"op":"replace","path":"active","value":"geheim"}]`)},
		{"PATCH /Users/" + id, patchBody(`[{"op":"replace","path":"password","value":{"value":"geheim"}}]`)},
		{"GET /Users?filter=active%20eq%20%22geheim%22", ``},
		{"GET /Users?filter=userName%20eq%20%22geheim%22%20or", ``},
	} {
		a := send(t, srv, test[0], test[1])
		if a.Code != 400 || bytes.Contains(a.Body.Bytes(), []byte("geheim")) {
			t.Errorf("%s %s: %d %s", test[0], test[1], a.Code, a.Body)
		}
	}
}
