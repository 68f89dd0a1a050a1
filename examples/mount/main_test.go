package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/gin-gonic/gin"
	"github.com/musterhq/muster/scim"
	"github.com/musterhq/muster/scim/scimtest"
)

func TestMain(m *testing.M) {
	gin.SetMode(gin.TestMode)
	os.Exit(m.Run())
}

// rooms are resources of the host whose ids need escaping in URLs.
type rooms struct{ typ *scim.Type }

var roomIDs = []string{"1/2 north", "50%", "a?b#c", "ü", "..", "x//y"}

func (r *rooms) Bind(t *scim.Type) error { r.typ = t; return nil }

func (r *rooms) Get(ctx context.Context, tenant, id string) (*scim.Resource, error) {
	if !slices.Contains(roomIDs, id) {
		return nil, scim.ErrNotFound
	}
	return scim.NewResource(r.typ).Meta(scim.Meta{ID: id}).Set("displayName", id).Resource(), nil
}

func (r *rooms) List(ctx context.Context, req *scim.ListRequest) (*scim.ListPage, error) {
	return scim.Page(req, func(yield func(*scim.Resource, error) bool) {
		for _, id := range roomIDs {
			if !yield(r.Get(ctx, req.Tenant, id)) {
				return
			}
		}
	})
}

func withRooms() []scim.Option {
	return []scim.Option{scim.WithHandler(scim.ResourceType{
		Name: "Room", Endpoint: "/Rooms",
		Schema: &scim.Schema{ID: "urn:example:2.0:Room", Name: "Room", Attributes: []scim.Attribute{{Name: "displayName"}}},
	}, &rooms{})}
}

// served is a mount that listens; base is the URL of its service root.
type served struct {
	mount
	site, base string
}

// serve starts all mounts of a host.
func serve(t *testing.T, h *host) []served {
	t.Helper()
	sites := &sites{log: h.log}
	t.Cleanup(sites.stop)
	mounts, err := h.mounts(sites)
	if err != nil {
		t.Fatal(err)
	}
	var all []served
	for _, m := range mounts {
		site, err := sites.serve("127.0.0.1:0", m.handler)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, served{m, site, site + m.path})
	}
	return all
}

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

// answer is what came of a request.
type answer struct {
	status int
	header http.Header
	body   string
}

// ask sends a request as it stands: no redirect is followed, and no path is
// cleaned.
func ask(t *testing.T, method, url, body string, headers ...string) answer {
	t.Helper()
	r, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+token)
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Set(name, value)
	}
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{resp.StatusCode, resp.Header, string(text)}
}

// member is the value of a member of an answer's body, such as "meta.location".
func (a answer) member(t *testing.T, path string) string {
	t.Helper()
	var v any
	if err := json.Unmarshal([]byte(a.body), &v); err != nil {
		t.Fatalf("%v: %s", err, a.body)
	}
	for name := range strings.SplitSeq(path, ".") {
		object, _ := v.(map[string]any)
		v = object[name]
	}
	return fmt.Sprint(v)
}

// isError reports whether an answer is a SCIM error of a status.
func (a answer) isError(t *testing.T, status int) bool {
	t.Helper()
	return a.status == status && a.header.Get("Content-Type") == "application/scim+json" && a.member(t, "status") == fmt.Sprint(status)
}

const user = `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":%q}`

func TestEveryMountMeetsTheRequirements(t *testing.T) {
	t.Parallel()
	for _, s := range serve(t, newHost(quiet(), plain)) {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			target := scimtest.Target{URL: s.base, Token: token, OtherToken: otherToken}
			if s.name == "tenants" {
				target.OtherToken = "" // the path names one tenant: see below
			}
			scimtest.Run(t, target)
			if s.name == "ServeMux" {
				// It sends //Users, which the mux redirects: the reason for scim.Mount.
				target.Except = map[string]string{"edge": "http.ServeMux cleans paths"}
			}
			scimtest.Replay(t, target, scimtest.Transcripts())
		})
	}
}

func TestTheMountsServeOneDirectory(t *testing.T) {
	t.Parallel()
	all := serve(t, newHost(quiet(), plain))
	for _, made := range all {
		a := ask(t, "POST", made.base+"/Users", fmt.Sprintf(user, made.name))
		id := a.member(t, "id")
		if a.status != 201 || a.header.Get("Location") != made.base+"/Users/"+id {
			t.Fatalf("%s: %d, Location %s", made.name, a.status, a.header.Get("Location"))
		}
		for _, s := range all {
			a := ask(t, "GET", s.base+"/Users/"+id, "")
			if want := s.base + "/Users/" + id; a.status != 200 || a.member(t, "meta.location") != want {
				t.Errorf("made at %s, read at %s: %d, meta.location %s, want %s", made.name, s.name, a.status, a.member(t, "meta.location"), want)
			}
		}
	}
	cursor := ask(t, "GET", all[0].base+"/Users?cursor&count=1", "").member(t, "nextCursor")
	for _, s := range all {
		if a := ask(t, "GET", s.base+"/Users?count=1&cursor="+url.QueryEscape(cursor), ""); a.status != 200 {
			t.Errorf("%s: a cursor of another mount: %d %s", s.name, a.status, a.body)
		}
	}
}

func TestEveryMountPassesPathsOnAsTheyAre(t *testing.T) {
	t.Parallel()
	for _, s := range serve(t, newHost(quiet(), withRooms)) {
		for _, id := range roomIDs {
			at := s.base + "/Rooms/" + url.PathEscape(id)
			if id == ".." {
				at = s.base + "/Rooms/%2E%2E"
			}
			a := ask(t, "GET", at, "")
			if a.status != 200 || a.member(t, "id") != id {
				t.Errorf("%s: GET %s: %d %s", s.name, at, a.status, a.body)
				continue
			}
			location := a.member(t, "meta.location")
			if a := ask(t, "GET", location, ""); a.status != 200 || a.member(t, "id") != id || !strings.HasPrefix(location, s.base+"/Rooms/") {
				t.Errorf("%s: GET of the location %s: %d %s", s.name, location, a.status, a.body)
			}
		}
		for _, path := range []string{"/Users/", "/Users?filter=userName+eq+%22a%2Fb%22", "/Users?filter=userName%20eq%20%22a/b%22"} {
			if a := ask(t, "GET", s.base+path, ""); a.status != 200 || a.member(t, "totalResults") != "0" {
				t.Errorf("%s: GET %s: %d %s", s.name, path, a.status, a.body)
			}
		}
	}
}

func TestAPathWithEmptySegmentsIsServedByAllButServeMux(t *testing.T) {
	t.Parallel()
	for _, s := range serve(t, newHost(quiet(), plain)) {
		a := ask(t, "POST", s.base+"//Users", fmt.Sprintf(user, "ada"))
		if s.name != "ServeMux" && a.status != 201 && a.status != 409 {
			t.Errorf("%s: %d %s", s.name, a.status, a.body)
		}
	}
}

// What docs/mounting.md says of each router.
func TestRoutersDoWhatThePageSays(t *testing.T) {
	t.Parallel()
	for _, s := range serve(t, newHost(quiet(), plain)) {
		for _, c := range []struct {
			mount, request string
			status         int
			is             string // of a redirect its Location, else the beginning of the body
		}{
			{"ServeMux", "POST //Users", 307, "/scim/v2/Users"},
			{"ServeMux", "GET ", 307, "/scim/v2/"},
			{"ServeMux", "GET /Users/a/../b", 307, "/scim/v2/Users/b"},
			{"chi", "PROPFIND /Users", 405, ""},
			{"gin", "PROPFIND /Users", 404, "404 page not found"},
			{"echo", "PROPFIND /Users", 405, `{"schemas":`},
			{"Mount", "PROPFIND /Users", 405, `{"schemas":`},
			{"Mount", "GET ", 200, `{"schemas":`},
		} {
			if c.mount != s.name {
				continue
			}
			method, path, _ := strings.Cut(c.request, " ")
			a := ask(t, method, s.base+path, "")
			is := a.body
			if a.status == 307 {
				is = a.header.Get("Location")
			}
			if a.status != c.status || !strings.HasPrefix(is, c.is) || c.is == "" && is != "" {
				t.Errorf("%s: %s: %d %s", s.name, c.request, a.status, is)
			}
		}
	}
}

func TestRefusalsOfEveryMountAreOfSCIM(t *testing.T) {
	t.Parallel()
	for _, s := range serve(t, newHost(quiet(), plain)) {
		for _, c := range []struct {
			request, header string
			status          int
		}{
			{"GET /Nonsense", "", 404},
			{"GET /Users/none", "", 404},
			{"GET /Users/a%2Fb", "", 404},
			{"GET /Users/a/b/c/d", "", 404},
			{"DELETE /Users", "", 405},
			{"POST /ServiceProviderConfig", "", 405},
			{"PUT /Bulk", "", 405},
			{"GET /Users", "Authorization: Bearer nonsense", 401},
			{"GET /Nonsense", "Authorization: Bearer nonsense", 401},
			{"POST /Users", "Content-Type: text/plain", 415},
			{"POST /Users", "", 400},
		} {
			method, path, _ := strings.Cut(c.request, " ")
			if a := ask(t, method, s.base+path, "", headerOf(c.header)...); !a.isError(t, c.status) {
				t.Errorf("%s: %s: %d %s %s", s.name, c.request, a.status, a.header, a.body)
			}
		}
		get, head := ask(t, "GET", s.base+"/Users", ""), ask(t, "HEAD", s.base+"/Users", "")
		if head.status != 200 || head.body != "" || head.header.Get("Content-Type") != get.header.Get("Content-Type") {
			t.Errorf("%s: HEAD: %d %s %q", s.name, head.status, head.header, head.body)
		}
		if a := ask(t, "OPTIONS", s.base+"/Users", ""); a.status != 204 || a.header.Get("Allow") != "GET, HEAD, OPTIONS, POST" {
			t.Errorf("%s: OPTIONS: %d %s", s.name, a.status, a.header)
		}
	}
}

// headerOf is a header of a table, if the row has one.
func headerOf(header string) []string {
	if header == "" {
		return nil
	}
	return []string{header}
}

func TestThePagesOfTheHostAskForASessionAndSCIMDoesNot(t *testing.T) {
	t.Parallel()
	for _, s := range serve(t, newHost(quiet(), plain)) {
		page := s.site + "/"
		if s.name == "proxy" {
			page += "identity/"
		}
		if a := ask(t, "GET", page, ""); a.status != http.StatusSeeOther {
			t.Errorf("%s: a page for somebody who has no session: %d", s.name, a.status)
		}
		if a := ask(t, "GET", page, "", "Cookie: session=open"); a.status != 200 || !strings.Contains(a.body, "the host's page") {
			t.Errorf("%s: a page: %d %s", s.name, a.status, a.body)
		}
		if a := ask(t, "GET", s.base+"/Users", ""); a.status != 200 {
			t.Errorf("%s: SCIM: %d %s", s.name, a.status, a.body)
		}
	}
}

func TestATenantsPathIsOpenToItsOwnTokensAlone(t *testing.T) {
	t.Parallel()
	for _, s := range serve(t, newHost(quiet(), plain)) {
		if s.name != "tenants" {
			continue
		}
		other := strings.Replace(s.base, tenant, otherTenant, 1)
		unknown := strings.Replace(s.base, tenant, "nobody", 1)
		for _, c := range []struct {
			base, token string
			status      int
		}{{s.base, token, 200}, {other, otherToken, 200}, {s.base, otherToken, 401}, {other, token, 401}, {unknown, token, 401}} {
			if a := ask(t, "GET", c.base+"/Users", "", "Authorization: Bearer "+c.token); a.status != c.status {
				t.Errorf("%s with the token %s: %d", c.base, c.token, a.status)
			}
		}
	}
}

func TestTheProxyReplacesForgedHeadersAndSpeaksSCIMWhenNobodyAnswers(t *testing.T) {
	t.Parallel()
	for _, s := range serve(t, newHost(quiet(), plain)) {
		if s.name != "proxy" {
			continue
		}
		a := ask(t, "GET", s.base+"/ServiceProviderConfig", "", "X-Forwarded-Prefix: /evil", "X-Forwarded-Host: evil.example", "X-Forwarded-Proto: https")
		if got := a.member(t, "meta.location"); got != s.base+"/ServiceProviderConfig" {
			t.Errorf("meta.location %s", got)
		}
	}
	nobody, err := url.Parse("http://127.0.0.1:1")
	if err != nil {
		t.Fatal(err)
	}
	sites := &sites{log: quiet()}
	t.Cleanup(sites.stop)
	at, err := sites.serve("127.0.0.1:0", proxy("/identity", nobody))
	if err != nil {
		t.Fatal(err)
	}
	if a := ask(t, "GET", at+"/identity/scim/v2/Users", ""); !a.isError(t, 503) || a.header.Get("Retry-After") != "30" {
		t.Errorf("%d %s %s", a.status, a.header, a.body)
	}
}

func TestTheProgramPrintsALineOfCurlForEachMount(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	r, w := io.Pipe()
	ended := make(chan error, 1)
	go func() { ended <- run(ctx, "127.0.0.1:0", w, quiet()); w.Close() }()
	lines := bufio.NewScanner(r)
	n := 0
	for n < 8 && lines.Scan() {
		n++
		fields := strings.Fields(lines.Text())
		if a := ask(t, "GET", fields[len(fields)-1], ""); a.status != 200 {
			t.Errorf("%s: %d %s", lines.Text(), a.status, a.body)
		}
	}
	cancel()
	if err := <-ended; err != nil || n != 8 {
		t.Errorf("%d lines, %v", n, err)
	}
	if err := run(t.Context(), "nowhere", io.Discard, quiet()); err == nil {
		t.Error("an address without a port was accepted")
	}
}
