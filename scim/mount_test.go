package scim_test

import (
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/musterhq/muster/scim"
)

// locations returns the Location header and meta.location of a new user.
func locations(t testing.TB, h http.Handler, r *http.Request) (header, meta string) {
	t.Helper()
	r.Header.Set("Authorization", "Bearer secret")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	var body struct {
		ID   string
		Meta struct{ Location string }
	}
	if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil || w.Code != 201 {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	return strings.Replace(w.Header().Get("Location"), body.ID, "ID", 1), strings.Replace(body.Meta.Location, body.ID, "ID", 1)
}

func TestLocationsArePublicAddresses(t *testing.T) {
	t.Parallel()
	trusted := scim.WithTrustedForwarded()
	forwarded := map[string]string{"X-Forwarded-Proto": "https", "X-Forwarded-Host": "public.example", "X-Forwarded-Prefix": "/gate/"}
	tests := []struct {
		name    string
		opts    []scim.Option
		strip   string
		url     string
		host    string
		headers map[string]string
		want    string
	}{
		{"at the root", nil, "", "/Users", "api.example", nil, "http://api.example/Users/ID"},
		{"with a port", nil, "", "/Users", "api.example:8080", nil, "http://api.example:8080/Users/ID"},
		{"an IPv6 address", nil, "", "/Users", "[::1]:8080", nil, "http://[::1]:8080/Users/ID"},
		{"a stripped prefix", nil, "/scim/v2", "/scim/v2/Users", "api.example", nil, "http://api.example/scim/v2/Users/ID"},
		{"a stripped prefix and a query", nil, "/scim/v2", "/scim/v2/Users?attributes=meta.location", "api.example", nil, "http://api.example/scim/v2/Users/ID"},
		{"a trailing slash", nil, "/scim/v2", "/scim/v2/Users/", "api.example", nil, "http://api.example/scim/v2/Users/ID"},
		{"a prefix that nobody strips", []scim.Option{scim.WithPathPrefix("/scim/v2")}, "", "/scim/v2/Users", "api.example", nil, "http://api.example/scim/v2/Users/ID"},
		{"a base URL", []scim.Option{scim.WithBaseURL("https://id.example/x/")}, "/scim", "/scim/Users", "evil.example", nil, "https://id.example/x/Users/ID"},
		{"a base URL with the tenant", []scim.Option{scim.WithBaseURL("https://id.example/{tenant}/scim")}, "", "/Users", "x.example", nil, "https://id.example/a%20b%2Fc/scim/Users/ID"},
		{"headers of a proxy that is not trusted", nil, "", "/Users", "api.example", forwarded, "http://api.example/Users/ID"},
		{"headers of a trusted proxy", []scim.Option{trusted}, "/scim", "/scim/Users", "internal", forwarded, "https://public.example/gate/scim/Users/ID"},
		{"several trusted proxies", []scim.Option{trusted}, "", "/Users", "internal", map[string]string{"X-Forwarded-Host": "a.example, b.example", "X-Forwarded-Proto": "https,http"}, "https://a.example/Users/ID"},
		{"a trusted proxy that sends rubbish", []scim.Option{trusted}, "", "/Users", "internal", map[string]string{"X-Forwarded-Host": "a/b", "X-Forwarded-Proto": "javascript", "X-Forwarded-Prefix": "x"}, "/Users/ID"},
		{"a host with a path", nil, "/scim", "/scim/Users", "evil.example/x", nil, "/scim/Users/ID"},
		{"a host with credentials", nil, "", "/Users", "a@evil.example", nil, "/Users/ID"},
		{"a host with a query", nil, "", "/Users", "evil.example?x", nil, "/Users/ID"},
		{"a host with markup", nil, "", "/Users", `"><script>`, nil, "/Users/ID"},
		{"a host with white space", nil, "", "/Users", "a b", nil, "/Users/ID"},
		{"a port that is none", nil, "", "/Users", "api.example:99999", nil, "/Users/ID"},
		{"no host", nil, "", "/Users", "", nil, "/Users/ID"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			auth := scim.BearerTokens(map[string]scim.Principal{"secret": {Tenant: "a b/c"}})
			var h http.Handler = newServerFor(t, auth, test.opts...)
			if test.strip != "" {
				h = http.StripPrefix(test.strip, h)
			}
			r := httptest.NewRequest("POST", test.url, strings.NewReader(fmt.Sprintf(userBody, "ada")))
			r.Host = test.host
			for k, v := range test.headers {
				r.Header.Set(k, v)
			}
			header, meta := locations(t, h, r)
			wantMeta := test.want
			if wantMeta == "/Users/ID" {
				wantMeta = "" // a path alone says nothing that the endpoint does not
			}
			if header != test.want || meta != wantMeta {
				t.Errorf("Location %q, meta.location %q, want %q", header, meta, test.want)
			}
		})
	}
}

func TestLocationsOfTLSAreHTTPS(t *testing.T) {
	t.Parallel()
	r := httptest.NewRequest("POST", "/Users", strings.NewReader(fmt.Sprintf(userBody, "ada")))
	r.Host, r.TLS = "api.example", &tls.ConnectionState{}
	if header, _ := locations(t, newServer(t), r); header != "https://api.example/Users/ID" {
		t.Error(header)
	}
}

// The base URL that one request had must not end up in answers to another.
func TestLocationsFollowEachRequest(t *testing.T) {
	t.Parallel()
	srv := newServer(t)
	for i, host := range []string{"a.example", "b.example", "evil/", "a.example"} {
		r := httptest.NewRequest("POST", "/Users", strings.NewReader(fmt.Sprintf(userBody, fmt.Sprint("u", i))))
		r.Host = host
		want := "http://" + host + "/Users/ID"
		if host == "evil/" {
			want = "/Users/ID"
		}
		if header, _ := locations(t, srv, r); header != want {
			t.Errorf("host %q: Location %q", host, header)
		}
	}
}

func TestServersWorkUnderMuxes(t *testing.T) {
	t.Parallel()
	stripping := http.NewServeMux()
	stripping.Handle("/scim/v2/", http.StripPrefix("/scim/v2", newServer(t)))
	named := http.NewServeMux()
	named.Handle("/scim/v2/", newServer(t, scim.WithPathPrefix("/scim/v2")))
	// Routers such as chi's leave the path as it is and match on their own.
	matching := newServer(t, scim.WithPathPrefix("/scim/v2"))
	router := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasPrefix(r.URL.Path, "/scim/v2") {
			http.NotFound(w, r)
			return
		}
		matching.ServeHTTP(w, r)
	})
	for name, h := range map[string]http.Handler{"StripPrefix": stripping, "WithPathPrefix": named, "a router": router} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ts := httptest.NewServer(h)
			defer ts.Close()
			do := func(method, url, body string) (*http.Response, string) {
				r, err := http.NewRequest(method, url, strings.NewReader(body))
				if err != nil {
					t.Fatal(err)
				}
				r.Header.Set("Authorization", "Bearer secret")
				resp, err := ts.Client().Do(r)
				if err != nil {
					t.Fatal(err)
				}
				defer resp.Body.Close()
				b, _ := io.ReadAll(resp.Body)
				return resp, string(b)
			}
			resp, body := do("POST", ts.URL+"/scim/v2/Users", fmt.Sprintf(userBody, "ada"))
			location := resp.Header.Get("Location")
			if resp.StatusCode != 201 || !strings.HasPrefix(location, ts.URL+"/scim/v2/Users/") {
				t.Fatalf("%s, Location %q: %s", resp.Status, location, body)
			}
			if resp, body = do("GET", location, ""); resp.StatusCode != 200 {
				t.Errorf("GET of the Location: %s: %s", resp.Status, body)
			}
			if resp, body = do("HEAD", location, ""); resp.StatusCode != 200 || body != "" || resp.Header.Get("ETag") == "" {
				t.Errorf("HEAD: %s: %s", resp.Status, body)
			}
			if resp, body = do("GET", ts.URL+"/scim/v2/Users/", ""); resp.StatusCode != 200 || !strings.Contains(body, `"totalResults":1`) {
				t.Errorf("a trailing slash: %s: %s", resp.Status, body)
			}
			if resp, body = do("GET", ts.URL+"/scim/v2/Users/a%2Fb%2F..%2Fc", ""); resp.StatusCode != 404 || !strings.Contains(body, "2.0:Error") {
				t.Errorf("escaped slashes: %s: %s", resp.Status, body)
			}
			if resp, body = do("DELETE", location, ""); resp.StatusCode != 204 || body != "" {
				t.Errorf("DELETE: %s: %s", resp.Status, body)
			}
		})
	}
}

func TestPublicDiscoveryBelowATenantKnowsWhereItIs(t *testing.T) {
	t.Parallel()
	auth := scim.BearerTokens(map[string]scim.Principal{"secret": {Tenant: "acme"}})
	prefix := scim.WithPathPrefix("/t/{tenant}/scim")
	for _, opts := range [][]scim.Option{
		{scim.WithPublicDiscovery(), prefix, scim.WithBaseURL("http://scim.test/t/{tenant}/scim")},
		{scim.WithPublicDiscovery(), prefix},
	} {
		srv := newServerFor(t, auth, opts...)
		for _, header := range []string{"Authorization:", "Authorization: Bearer secret"} {
			a := send(t, srv, "GET /t/acme/scim/ServiceProviderConfig", "", header).want(t, 200)
			if got := a.Header().Get("Location"); got != "http://scim.test/t/acme/scim/ServiceProviderConfig" {
				t.Errorf("%s: Location %q", header, got)
			}
		}
	}
}

func TestHEADIsGETWithoutABody(t *testing.T) {
	t.Parallel()
	srv, id, _ := populated(t)
	for _, path := range []string{"/Users", "/Users/" + id, "/Schemas", "/Users/none", "/Nonsense"} {
		get, head := send(t, srv, "GET "+path, ""), send(t, srv, "HEAD "+path, "")
		if get.Code != head.Code {
			t.Errorf("%s: GET %d, HEAD %d", path, get.Code, head.Code)
		}
		for _, name := range []string{"Content-Type", "Content-Length", "Etag", "Location"} {
			if g, h := get.Header().Get(name), head.Header().Get(name); g != h {
				t.Errorf("%s: %s is %q of GET, %q of HEAD", path, name, g, h)
			}
		}
	}
}
