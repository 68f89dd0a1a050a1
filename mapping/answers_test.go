package mapping_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/musterhq/muster/scim"
	"github.com/musterhq/muster/scim/schema"
	"github.com/musterhq/muster/storage/memory"
)

// A client cannot tell a user behind a mapping with a side document from one in a
// store: every change is answered alike, and leaves alike what is read afterwards.
func TestChangesAreAnsweredAsByAStore(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		body := `{"schemas":["` + schema.UserURN + `"],"userName":"u","active":true,` +
			rapid.SampledFrom(changedParts).Draw(t, "sent") + `}`
		mapped, stored := newClient(t, scim.WithHandler(schema.User(), &employees{rows: map[string]Employee{}})), newClient(t)
		mapped.create(body)
		stored.create(body)
		for range rapid.IntRange(1, 4).Draw(t, "steps") {
			method, body := http.MethodPatch, `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[`+
				strings.Join(rapid.SliceOfN(rapid.SampledFrom(changes), 1, 3).Draw(t, "operations"), ",")+`]}`
			if rapid.IntRange(0, 4).Draw(t, "whole") == 0 {
				method = http.MethodPut
				body = `{"schemas":["` + schema.UserURN + `"],"userName":"u","active":true,` + rapid.SampledFrom(changedParts).Draw(t, "replaced") + `}`
			}
			if diff := cmp.Diff(stored.send(method, body), mapped.send(method, body)); diff != "" {
				t.Fatalf("%s %s: -store +mapping\n%s", method, body, diff)
			}
			if diff := cmp.Diff(stored.send(http.MethodGet, ""), mapped.send(http.MethodGet, "")); diff != "" {
				t.Fatalf("read after %s %s: -store +mapping\n%s", method, body, diff)
			}
		}
	})
}

var changedParts = []string{
	`"title":"t"`,
	`"emails":[{"type":"work","value":"w@x","primary":true},{"type":"home","value":"h@x"}]`,
	`"emails":[{"type":"WORK","value":"W@x"},{"type":"work","value":"w@x"}]`,
	`"emails":[{"type":"work","value":"w@x"},{"type":"work","value":"w@x","display":"d"}]`,
	`"emails":[{"type":"work","display":"no value"}],"name":{"familyName":"F","middleName":"M"}`,
	`"emails":[{"value":"plain@x"}],"name":{"givenName":"Ж","formatted":"F"}`,
	`"emails":[],"name":{},"nickName":null`,
	`"name":{"givenName":"\u0041\u030a","familyName":"𝔽"},"displayName":"é\u2028"`,
	`"emails":[{"type":"home","value":"h@x","primary":true},{"type":"work","value":"w@x"}],"` + schema.EnterpriseUserURN + `":{"department":"d","manager":{"value":"m"}}`,
}

var changes = []string{
	`{"op":"replace","path":"emails[type eq \"work\"].value","value":"n@x"}`,
	`{"op":"add","path":"emails[type eq \"work\"].value","value":"a@x"}`,
	`{"op":"replace","path":"emails[type eq \"WORK\"].display","value":"D"}`,
	`{"op":"replace","path":"emails[type eq \"other\"].value","value":"o@x"}`,
	`{"op":"add","path":"emails[type eq \"home\"].primary","value":true}`,
	`{"op":"replace","path":"emails[type eq \"work\"].primary","value":true}`,
	`{"op":"replace","path":"emails[primary eq true].value","value":"p@x"}`,
	`{"op":"remove","path":"emails[type eq \"work\"].value"}`,
	`{"op":"remove","path":"emails[type eq \"work\"].type"}`,
	`{"op":"replace","path":"emails[type eq \"work\"].type","value":"mobile"}`,
	`{"op":"replace","path":"emails[type eq \"home\"].type","value":"other"}`,
	`{"op":"remove","path":"emails[type eq \"work\"]"}`,
	`{"op":"remove","path":"emails"}`,
	`{"op":"add","path":"emails","value":[{"type":"work","value":"second@x"}]}`,
	`{"op":"add","path":"emails","value":[{"type":"home","value":"h2@x","primary":true}]}`,
	`{"op":"replace","path":"emails","value":[{"type":"work","value":"1@x"},{"type":"work","value":"2@x","primary":true}]}`,
	`{"op":"replace","path":"emails.value","value":"every@x"}`,
	`{"op":"replace","path":"name","value":{"givenName":"Part"}}`,
	`{"op":"add","path":"name","value":{"familyName":"Added"}}`,
	`{"op":"replace","value":{"name":{"middleName":"M2"},"nickName":"N"}}`,
	`{"op":"replace","value":{"name.givenName":"dotted","emails[type eq \"work\"].value":"dotted@x"}}`,
	`{"op":"remove","path":"name.givenName"}`,
	`{"op":"remove","path":"name"}`,
	`{"op":"replace","path":"name.familyName","value":null}`,
	`{"op":"replace","path":"active","value":false}`,
	`{"op":"replace","path":"userName","value":"U"}`,
	`{"op":"replace","path":"displayName","value":"\u0000"}`,
	`{"op":"remove","path":"userName"}`,
	`{"op":"replace","path":"` + schema.EnterpriseUserURN + `:department","value":"d2"}`,
	`{"op":"remove","path":"` + schema.EnterpriseUserURN + `:manager"}`,
	`{"op":"remove","path":"` + schema.EnterpriseUserURN + `"}`,
	`{"op":"replace","path":"salary","value":1}`,
	`{"op":"replace","path":"id","value":"7"}`,
}

// client works on one user of a server.
type client struct {
	t   *rapid.T
	srv *scim.Server
	id  string
}

func newClient(t *rapid.T, options ...scim.Option) *client {
	srv, err := scim.New(memory.New(), scim.BearerToken("secret"), options...)
	if err != nil {
		t.Fatal(err)
	}
	return &client{t: t, srv: srv}
}

func (c *client) create(body string) {
	answer := c.do(http.MethodPost, "/Users", body)
	if c.id, _ = answer["id"].(string); c.id == "" {
		c.t.Fatalf("POST %s: %v", body, answer)
	}
}

// send sends a request about the user and returns what of the answer does not depend
// on where the user is kept.
func (c *client) send(method, body string) map[string]any {
	answer := c.do(method, "/Users/"+c.id, body)
	maps.DeleteFunc(answer, func(name string, _ any) bool { return name == "id" || name == "meta" })
	for _, v := range answer {
		elements, ok := v.([]any)
		if !ok {
			continue
		}
		// They have no order; and where two have become one it decides whose spelling stays.
		for _, e := range elements {
			if e, ok := e.(map[string]any); ok && e["type"] != nil {
				e["type"] = strings.ToLower(e["type"].(string))
			}
		}
		slices.SortFunc(elements, func(v, w any) int { return strings.Compare(fmt.Sprint(v), fmt.Sprint(w)) })
	}
	return answer
}

func (c *client) do(method, path, body string) map[string]any {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer secret")
	w := httptest.NewRecorder()
	c.srv.ServeHTTP(w, r)
	answer := map[string]any{}
	if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil {
		c.t.Fatalf("%s %s: %d %s", method, path, w.Code, w.Body)
	}
	return answer
}
