package scim_test

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/musterhq/muster/scim"
	"github.com/musterhq/muster/storage/memory"
)

// FuzzServer sends a request to a server with one user and one group. Whatever it
// is, the server does not panic and is not at fault; the answer is a SCIM body of
// its status; and an error has changed nothing.
func FuzzServer(f *testing.F) {
	patches := []string{
		`[{"op":"replace","path":"active","value":"False"}]`,
		`[{"op":"Add","path":"emails[type eq \"work\"].value","value":"a@x.example"}]`,
		`[{"op":"add","value":{"name.givenName":"A","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager":"m"}}]`,
		`[{"op":"remove","path":"name"},{"op":"remove","path":"userName"}]`,
		`[{"op":"replace","path":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User","value":{"department":"d"}}]`,
	}
	for _, ops := range patches {
		f.Add("PATCH", "/Users/USER", patchBody(ops))
	}
	for _, ops := range []string{
		`[{"op":"add","path":"members","value":[{"value":"USER"},"gone",{"value":"GROUP","type":"Group"}]}]`,
		`[{"op":"remove","path":"members[value eq \"USER\"]"}]`,
		`[{"op":"replace","path":"members","value":[]},{"op":"replace","path":"displayName","value":"H"}]`,
		`[{"op":"remove","path":"members","value":[{"value":"USER"}]},{"op":"add","path":"externalId","value":"e"}]`,
	} {
		f.Add("PATCH", "/Groups/GROUP", patchBody(ops))
		f.Add("PATCH", "/Groups/GROUP?attributes=members", patchBody(ops))
	}
	f.Add("POST", "/Users", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"b","emails":[{"value":"b@x.example","primary":true}],"active":"True"}`)
	f.Add("POST", "/Users?attributes=userName", `{"userName":"ADA"}`)
	f.Add("POST", "/Groups", `{"displayName":"H","members":[{"value":"USER"},{"value":"GROUP"}]}`)
	f.Add("PUT", "/Users/USER", `{"userName":"c","name":{"formatted":"C"},"roles":["r"],"password":"p"}`)
	f.Add("PUT", "/Groups/GROUP", `{"displayName":"Staff","members":[]}`)
	f.Add("DELETE", "/Users/USER", "")
	f.Add("GET", `/Users?filter=userName sw "a" and (emails[type eq "work"] or not (title pr))&sortBy=name.familyName&count=1`, "")
	f.Add("GET", `/Groups?filter=members eq "USER"&attributes=members.display&startIndex=-1&count=99999999999`, "")
	f.Add("GET", `/?filter=id pr&cursor&count=1`, "")
	f.Add("GET", `/Users?cursor=zzz`, "")
	f.Add("GET", `/Users/USER?excludedAttributes=groups`, "")
	f.Add("GET", "/Schemas/urn:ietf:params:scim:schemas:core:2.0:User", "")
	f.Add("HEAD", "/ResourceTypes", "")
	f.Add("OPTIONS", "/Users", "")
	f.Add("POST", "/.search", `{"schemas":["urn:ietf:params:scim:api:messages:2.0:SearchRequest"],"filter":"userName pr","sortBy":"userName","count":1}`)
	f.Add("POST", "/Users/.search", `{"filter":"active eq true","attributes":["userName"]}`)
	f.Add("POST", "/Bulk", `{"schemas":["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],"Operations":[{"method":"POST","path":"/Users","bulkId":"q","data":{"userName":"d"}},{"method":"PATCH","path":"/Groups/GROUP","data":{"Operations":[{"op":"add","path":"members","value":[{"value":"bulkId:q"}]}]}}]}`)
	f.Add("GET", "/Me", "")
	f.Add("TRACE", "//Users/%2F%00", "\xff")
	f.Fuzz(func(t *testing.T, method, path, body string) {
		srv, err := scim.New(memory.New(), scim.BearerToken("secret"), scim.WithLogger(slog.New(slog.NewTextHandler(io.Discard, nil))),
			scim.WithLimits(scim.Limits{Body: 1 << 20}))
		if err != nil {
			t.Fatal(err)
		}
		user := send(t, srv, "POST /Users", `{"userName":"ada","name":{"familyName":"L"},"emails":[{"value":"ada@x.example","type":"home"}],"title":"Dr"}`).want(t, 201).id()
		group := send(t, srv, "POST /Groups", fmt.Sprintf(`{"displayName":"Staff","members":[{"value":%q}]}`, user)).want(t, 201).id()
		names := strings.NewReplacer("USER", user, "GROUP", group)
		u, err := url.ParseRequestURI(strings.ReplaceAll(names.Replace(path), " ", "%20"))
		if err != nil || method == "" || strings.ContainsFunc(method, func(r rune) bool { return r < 'A' || r > 'Z' }) {
			t.Skip("no request that net/http would pass on")
		}
		before := state(t, srv)
		r := httptest.NewRequest("GET", "/", strings.NewReader(names.Replace(body)))
		r.Method, r.URL, r.RequestURI = method, u, u.RequestURI()
		r.Header.Set("Authorization", "Bearer secret")
		w := httptest.NewRecorder()
		srv.ServeHTTP(w, r)
		if w.Code >= 500 && w.Code != http.StatusNotImplemented {
			t.Fatalf("status %d: %s", w.Code, w.Body)
		}
		var answered struct {
			Schemas []string
			Status  string
		}
		switch {
		case w.Code == http.StatusNoContent || w.Code == http.StatusNotModified || method == http.MethodHead:
			if w.Body.Len() > 0 && method != http.MethodHead {
				t.Errorf("status %d with a body: %s", w.Code, w.Body)
			}
		default:
			if err := json.Unmarshal(w.Body.Bytes(), &answered); err != nil || len(answered.Schemas) == 0 {
				t.Errorf("no SCIM body: %v: %s", err, w.Body)
			}
			if w.Code >= 400 && answered.Status != fmt.Sprint(w.Code) {
				t.Errorf("status %d, but %q in the body", w.Code, answered.Status)
			}
		}
		if after := state(t, srv); w.Code >= 400 && after != before {
			t.Errorf("an error changed something: %s\nbefore %s\nafter  %s", w.Body, before, after)
		}
	})
}
