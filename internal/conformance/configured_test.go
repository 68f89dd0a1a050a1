// Package conformance tests what the requirements of docs/conformance.md say of
// servers that are configured in some way, or that fail inside. What can be seen
// from outside, package scimtest checks.
package conformance

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/musterhq/muster/scim"
	"github.com/musterhq/muster/scim/schema"
	"github.com/musterhq/muster/storage"
	"github.com/musterhq/muster/storage/memory"
)

// server makes a server over an empty memory store that logs to log.
func server(t *testing.T, auth scim.Authenticator, log io.Writer, opts ...scim.Option) *scim.Server {
	t.Helper()
	return serverOver(t, memory.New(), auth, log, opts...)
}

func serverOver(t *testing.T, store storage.Store, auth scim.Authenticator, log io.Writer, opts ...scim.Option) *scim.Server {
	t.Helper()
	opts = append([]scim.Option{scim.WithLogger(slog.New(slog.NewTextHandler(log, nil)))}, opts...)
	srv, err := scim.New(store, auth, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return srv
}

// call sends "METHOD /path" with a bearer token and returns status, body and
// headers.
func call(h http.Handler, token, request, body string, header ...string) *httptest.ResponseRecorder {
	method, path, _ := strings.Cut(request, " ")
	r := httptest.NewRequest(method, "http://scim.test"+path, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/scim+json")
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func user(name string) string {
	return fmt.Sprintf(`{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":%q}`, name)
}

// field returns a value of a JSON body by a path of keys.
func field(t *testing.T, w *httptest.ResponseRecorder, keys ...string) any {
	t.Helper()
	var v any
	if err := json.Unmarshal(w.Body.Bytes(), &v); err != nil {
		t.Fatalf("%d %s: %v", w.Code, w.Body, err)
	}
	for _, k := range keys {
		object, _ := v.(map[string]any)
		v = object[k]
	}
	return v
}

func create(t *testing.T, h http.Handler, token, body string) string {
	t.Helper()
	w := call(h, token, "POST /Users", body)
	id, _ := field(t, w, "id").(string)
	if w.Code != http.StatusCreated || id == "" {
		t.Fatalf("create: %d %s", w.Code, w.Body)
	}
	return id
}

// wantError fails the test unless the answer is a SCIM error of that status and
// scimType.
func wantError(t *testing.T, what string, w *httptest.ResponseRecorder, status int, scimType string) {
	t.Helper()
	got, _ := field(t, w, "scimType").(string)
	if w.Code != status || field(t, w, "status") != fmt.Sprint(status) || got != scimType {
		t.Errorf("%s: got %d %s, want %d %s", what, w.Code, w.Body, status, scimType)
	}
}

// Holds: A-013 A-014 A-015 R-001 R-004
func TestTenantsDoNotSeeEachOther(t *testing.T) {
	t.Parallel()
	srv := server(t, scim.BearerTokens(map[string]scim.Principal{"a": {Tenant: "A"}, "b": {Tenant: "B"}}), io.Discard)
	body := `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"same","externalId":"x"}`
	ida, idb := create(t, srv, "a", body), create(t, srv, "b", body)
	if ida == idb {
		t.Error("two tenants were given one id")
	}
	for _, request := range []string{"GET", "PUT", "PATCH", "DELETE"} {
		b := map[string]string{"PUT": body, "PATCH": `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":"replace","path":"title","value":"x"}]}`}[request]
		wantError(t, request+" of the other tenant's user", call(srv, "a", request+" /Users/"+idb, b), 404, "")
	}
	if total := field(t, call(srv, "a", "GET /Users", ""), "totalResults"); total != 1.0 {
		t.Errorf("tenant A sees %v users, want its own one", total)
	}
	w := call(srv, "a", "POST /Groups", fmt.Sprintf(`{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"displayName":"g","members":[{"value":%q}]}`, idb))
	if members, _ := field(t, w, "members").([]any); w.Code != 201 || len(members) != 0 {
		t.Errorf("a member of the other tenant: %d %s", w.Code, w.Body)
	}
}

// Holds: A-017 G-017 F-036
func TestConnectionsSeeTheirOwnAndShareUniqueness(t *testing.T) {
	t.Parallel()
	srv := server(t, scim.BearerTokens(map[string]scim.Principal{
		"one": {Tenant: "T", Connection: "1"}, "two": {Tenant: "T", Connection: "2"},
	}), io.Discard)
	id := create(t, srv, "one", user("ada"))
	wantError(t, "the other connection's user", call(srv, "two", "GET /Users/"+id, ""), 404, "")
	w := call(srv, "two", "GET /Users?filter=userName+eq+%22ada%22", "")
	if field(t, w, "totalResults") != 0.0 {
		t.Errorf("the other connection's user was found: %s", w.Body)
	}
	wantError(t, "the same name", call(srv, "two", "POST /Users", user("ADA")), 409, "uniqueness")
}

// Holds: A-012
func TestPathMayNameTheTenantOfTheCredentials(t *testing.T) {
	t.Parallel()
	srv := server(t, scim.BearerTokens(map[string]scim.Principal{"a": {Tenant: "A"}, "b": {Tenant: "B"}}), io.Discard,
		scim.WithPathPrefix("/t/{tenant}/scim"))
	own := call(srv, "a", "GET /t/A/scim/Users", "")
	if own.Code != 200 {
		t.Errorf("own tenant: %d %s", own.Code, own.Body)
	}
	foreign, unknown := call(srv, "a", "GET /t/B/scim/Users", ""), call(srv, "nobody", "GET /t/B/scim/Users", "")
	if foreign.Code != 401 || unknown.Code != 401 || foreign.Body.String() != unknown.Body.String() {
		t.Errorf("a foreign token is told from an unknown one: %d %s, %d %s", foreign.Code, foreign.Body, unknown.Code, unknown.Body)
	}
}

// Holds: E-011 A-002 B-026
func TestKnownCallersMayBeRefused(t *testing.T) {
	t.Parallel()
	type decision struct {
		method  scim.Method
		typ, id string
		subject string
	}
	var seen []decision
	srv := server(t, scim.BearerTokens(map[string]scim.Principal{"r": {Subject: "reader", ReadOnly: true}, "w": {Subject: "writer"}}), io.Discard,
		scim.WithInterceptor(func(ctx context.Context, op *scim.Operation, next scim.Next) (*scim.Result, error) {
			seen = append(seen, decision{op.Method, op.Type.Name(), op.ID, op.Principal.Subject})
			if op.Method == scim.Delete {
				return nil, scim.Errorf(403, "", "nobody deletes here")
			}
			return next(ctx, op)
		}))
	id := create(t, srv, "w", user("ada"))
	if w := call(srv, "r", "GET /Users/"+id, ""); w.Code != 200 {
		t.Errorf("a reader reads: %d %s", w.Code, w.Body)
	}
	wantError(t, "a reader writes", call(srv, "r", "POST /Users", user("bob")), 403, "")
	wantError(t, "the host refuses", call(srv, "w", "DELETE /Users/"+id, ""), 403, "")
	bulk := fmt.Sprintf(`{"schemas":["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],"Operations":[{"method":"DELETE","path":"/Users/%s"},{"method":"POST","path":"/Users","bulkId":"b","data":%s}]}`, id, user("bob"))
	wantError(t, "a reader sends a bulk", call(srv, "r", "POST /Bulk", bulk), 403, "")
	w := call(srv, "w", "POST /Bulk", bulk)
	entries, _ := field(t, w, "Operations").([]any)
	if len(entries) != 2 || entries[0].(map[string]any)["status"] != "403" || entries[1].(map[string]any)["status"] != "201" {
		t.Errorf("a bulk with one operation that the host refuses: %d %s", w.Code, w.Body)
	}
	wantError(t, "the host still refuses", call(srv, "w", "DELETE /Users/"+id, ""), 403, "")
	if last := seen[len(seen)-1]; last != (decision{scim.Delete, "User", id, "writer"}) {
		t.Errorf("the host saw %+v", last)
	}
}

// Holds: E-015 A-016 B-024
func TestLimitsAreAnswered(t *testing.T) {
	t.Parallel()
	srv := server(t, scim.BearerToken("t"), io.Discard, scim.WithLimits(scim.Limits{Body: 1000, Depth: 5, MaxPageSize: 2}))
	wantError(t, "a large body", call(srv, "t", "POST /Users", user(strings.Repeat("x", 1000))), 413, "")
	for _, path := range []string{"/Users", "/Bulk"} {
		r := httptest.NewRequest("POST", "http://scim.test"+path, io.MultiReader(strings.NewReader(user("a")), strings.NewReader(strings.Repeat(" ", 1000))))
		r.Header.Set("Authorization", "Bearer t")
		r.Header.Set("Content-Type", "application/scim+json")
		r.ContentLength = -1
		w := httptest.NewRecorder()
		srv.ServeHTTP(w, r)
		wantError(t, "a large body without Content-Length to "+path, w, 413, "")
	}
	deep := strings.TrimSuffix(user("a"), "}") + `,"x":` + strings.Repeat("[", 20) + strings.Repeat("]", 20) + "}"
	wantError(t, "a deep body", call(srv, "t", "POST /Users", deep), 400, "invalidSyntax")
	for _, name := range []string{"a", "b", "c"} {
		create(t, srv, "t", user(name))
	}
	w := call(srv, "t", "GET /Users?count=100", "")
	if field(t, w, "itemsPerPage") != 2.0 || field(t, w, "totalResults") != 3.0 {
		t.Errorf("a page over the cap: %s", w.Body)
	}
}

// Holds: G-011
func TestListOverTheScanLimitIsTooMany(t *testing.T) {
	t.Parallel()
	srv := server(t, scim.BearerToken("t"), io.Discard, scim.WithLimits(scim.Limits{Scan: 5}))
	for i := range 10 {
		create(t, srv, "t", user(fmt.Sprint("u", i)))
	}
	wantError(t, "a scan", call(srv, "t", "GET /Users?filter=nickName+co+%22x%22", ""), 400, "tooMany")
}

// broken is a store that fails in the way a test asks for.
type broken struct {
	storage.Store
	err error
}

func (b broken) Get(context.Context, string, storage.Ref) (*storage.Record, error) {
	if b.err == nil {
		panic("the secret of the house")
	}
	return nil, b.err
}

// Holds: E-016 E-006
func TestInnerFailuresTellNothing(t *testing.T) {
	t.Parallel()
	for name, err := range map[string]error{"panic": nil, "error": errors.New("dial db-7.internal: the secret of the house")} {
		var log bytes.Buffer
		srv := serverOver(t, broken{memory.New(), err}, scim.BearerToken("t"), &log)
		w := call(srv, "t", "GET /Users/x", "")
		wantError(t, name, w, 500, "")
		if strings.Contains(w.Body.String(), "secret") || strings.Contains(w.Body.String(), ".go") {
			t.Errorf("%s: the answer tells %s", name, w.Body)
		}
		if !strings.Contains(log.String(), "the secret of the house") {
			t.Errorf("%s: the log does not tell the cause: %s", name, &log)
		}
	}
}

// busy is a store whose commits always lose against somebody else's.
type busy struct{ storage.Store }

func (b busy) Commit(context.Context, *storage.Batch) (*storage.CommitResult, error) {
	return nil, &storage.CommitError{Err: storage.ErrConflict}
}

// Holds: E-020
func TestUnavailableStoreAsksToComeBack(t *testing.T) {
	t.Parallel()
	down := broken{memory.New(), fmt.Errorf("dial: %w", storage.ErrUnavailable)}
	w := call(serverOver(t, down, scim.BearerToken("t"), io.Discard), "t", "GET /Users/x", "")
	wantError(t, "a store that is down", w, 503, "")
	if seconds, err := strconv.Atoi(w.Header().Get("Retry-After")); err != nil || seconds < 1 {
		t.Errorf("Retry-After is %q, want whole seconds", w.Header().Get("Retry-After"))
	}

	store := memory.New()
	id := create(t, serverOver(t, store, scim.BearerToken("t"), io.Discard), "t", user("ada"))
	srv := serverOver(t, busy{store}, scim.BearerToken("t"), io.Discard, scim.WithLimits(scim.Limits{Wait: 50 * time.Millisecond}))
	w = call(srv, "t", "PUT /Users/"+id, strings.TrimSuffix(user("ada"), "}")+`,"title":"x"}`)
	wantError(t, "a write that never gets through", w, 503, "")
	if w.Header().Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	w = call(srv, "t", "PUT /Users/"+id, strings.TrimSuffix(user("ada"), "}")+`,"title":"x"}`, "If-Match", "*")
	if w.Code != 412 && w.Code != 503 {
		t.Errorf("with If-Match: %d %s", w.Code, w.Body)
	}
}

// Holds: A-008 R-013
func TestLogsHoldNothingPersonal(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	srv := server(t, scim.BearerToken("t0ken"), &log)
	body := `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada.lovelace","password":"s3cret!"}`
	create(t, srv, "t0ken", body)
	for _, request := range []string{"POST /Users", "GET /Users?filter=userName+eq+%22ada.lovelace%22", "GET /Users?filter=userName+xx+%22ada.lovelace%22"} {
		call(srv, "t0ken", request, body)
	}
	call(srv, "ada.lovelace", "GET /Users", "")
	for _, secret := range []string{"ada", "s3cret", "t0ken"} {
		if strings.Contains(log.String(), secret) {
			t.Errorf("the log has %q:\n%s", secret, &log)
		}
	}
}

// Holds: P-011 R-015 A-009
func TestPasswordGoesToTheHost(t *testing.T) {
	t.Parallel()
	var got []string
	store := memory.New()
	srv := serverOver(t, store, scim.BearerToken("t"), io.Discard, scim.WithPassword(func(_ context.Context, _ scim.Principal, _ *scim.Resource, password string) error {
		if len(password) < 4 {
			return scim.Errorf(400, scim.InvalidValue, "the password is too short")
		}
		got = append(got, password)
		return nil
	}))
	withPassword := func(p string) string { return strings.TrimSuffix(user("ada"), "}") + `,"password":"` + p + `"}` }
	wantError(t, "a weak password", call(srv, "t", "POST /Users", withPassword("abc")), 400, "invalidValue")
	id := create(t, srv, "t", withPassword("first"))
	if w := call(srv, "t", "PUT /Users/"+id, user("ada")); w.Code != 200 {
		t.Fatalf("PUT: %d %s", w.Code, w.Body)
	}
	if len(got) != 1 || got[0] != "first" {
		t.Errorf("the host was given %q, want the first password once", got)
	}
	rec, err := store.Get(t.Context(), "", storage.Ref{Type: "User", ID: id})
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(rec.Doc), "first") {
		t.Error("the password was stored")
	}
}

// Holds: D-004
func TestDiscoveryMayBePublic(t *testing.T) {
	t.Parallel()
	closed := server(t, scim.BearerToken("t"), io.Discard)
	open := server(t, scim.BearerToken("t"), io.Discard, scim.WithPublicDiscovery())
	for _, path := range []string{"/ServiceProviderConfig", "/Schemas", "/ResourceTypes"} {
		wantError(t, path, call(closed, "", "GET "+path, ""), 401, "")
		if w := call(open, "", "GET "+path, ""); w.Code != 200 {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
	wantError(t, "users stay closed", call(open, "", "GET /Users", ""), 401, "")
}

// Holds: C-013 S-037
func TestRequiredExtensionAndAttributesOnRequest(t *testing.T) {
	t.Parallel()
	typ := schema.User()
	const urn = "urn:example:params:scim:schemas:extension:badge:2.0:User"
	typ.Extensions = append(typ.Extensions, schema.Extension{Required: true, Schema: &schema.Schema{
		ID: urn, Name: "Badge", Attributes: []schema.Attribute{
			{Name: "number", Required: true}, {Name: "note", Returned: schema.ReturnedRequest},
		},
	}})
	srv := server(t, scim.BearerToken("t"), io.Discard, scim.WithResourceType(typ))
	wantError(t, "without the extension", call(srv, "t", "POST /Users", user("a")), 400, "invalidValue")
	with := func(badge string) string { return strings.TrimSuffix(user("a"), "}") + `,"` + urn + `":` + badge + `}` }
	wantError(t, "without its attribute", call(srv, "t", "POST /Users", with(`{"note":"n"}`)), 400, "invalidValue")
	w := call(srv, "t", "POST /Users", with(`{"number":"7","note":"n"}`))
	if w.Code != 201 || field(t, w, urn, "note") != "n" {
		t.Errorf("the answer to a write that set the attribute: %d %s", w.Code, w.Body)
	}
	id := field(t, w, "id").(string)
	if w := call(srv, "t", "GET /Users/"+id, ""); field(t, w, urn, "note") != nil || field(t, w, urn, "number") != "7" {
		t.Errorf("shown without being asked for: %s", w.Body)
	}
	if w := call(srv, "t", "GET /Users/"+id+"?attributes="+urn+":note", ""); field(t, w, urn, "note") != "n" {
		t.Errorf("not shown on request: %s", w.Body)
	}
}

// Holds: E-027
func TestOneOfTwoConditionalWritesWins(t *testing.T) {
	t.Parallel()
	srv := server(t, scim.BearerToken("t"), io.Discard)
	id := create(t, srv, "t", user("ada"))
	tag := call(srv, "t", "GET /Users/"+id, "").Header().Get("ETag")
	codes := make([]int, 8)
	var wg sync.WaitGroup
	for i := range codes {
		wg.Go(func() {
			body := strings.TrimSuffix(user("ada"), "}") + fmt.Sprintf(`,"title":"t%d"}`, i)
			codes[i] = call(srv, "t", "PUT /Users/"+id, body, "If-Match", tag).Code
		})
	}
	wg.Wait()
	won := 0
	for _, code := range codes {
		switch code {
		case 200:
			won++
		case 412:
		default:
			t.Errorf("status %d", code)
		}
	}
	if won != 1 {
		t.Errorf("%d writes under one tag succeeded, want 1", won)
	}
}

// Holds: E-029 S-006 S-019
func TestMistakesOfTheHostAreRefusedAtStart(t *testing.T) {
	t.Parallel()
	badName, nested := schema.User(), schema.User()
	badName.Extensions = append(badName.Extensions, schema.Extension{Schema: &schema.Schema{ID: "urn:example:x:2.0:User", Name: "X", Attributes: []schema.Attribute{{Name: "1x"}}}})
	nested.Extensions = append(nested.Extensions, schema.Extension{Schema: &schema.Schema{ID: "urn:example:x:2.0:User", Name: "X", Attributes: []schema.Attribute{
		{Name: "a", Type: schema.Complex, SubAttributes: []schema.Attribute{{Name: "b", Type: schema.Complex, SubAttributes: []schema.Attribute{{Name: "c"}}}}},
	}}})
	for name, opt := range map[string]scim.Option{
		"a base URL with a query":         scim.WithBaseURL("https://api.example.com/scim?x=1"),
		"a relative base URL":             scim.WithBaseURL("/scim"),
		"a name that begins with a digit": scim.WithResourceType(badName),
		"complex inside complex":          scim.WithResourceType(nested),
	} {
		if _, err := scim.New(memory.New(), scim.BearerToken("t"), opt); err == nil {
			t.Errorf("%s was accepted", name)
		}
	}
}

// Holds: E-030 R-009
func TestLocationsAreThePublicAddress(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, want string
		header     []string
		opts       []scim.Option
	}{
		{"from Host", "http://scim.test/Users/", nil, nil},
		{"configured", "https://api.example.com/scim/v2/Users/", nil, []scim.Option{scim.WithBaseURL("https://api.example.com/scim/v2")}},
		{"untrusted proxy", "http://scim.test/Users/", []string{"X-Forwarded-Host", "evil.example", "X-Forwarded-Proto", "https"}, nil},
		{"trusted proxy", "https://pub.example/Users/", []string{"X-Forwarded-Host", "pub.example", "X-Forwarded-Proto", "https"}, []scim.Option{scim.WithTrustedForwarded()}},
	} {
		srv := server(t, scim.BearerToken("t"), io.Discard, c.opts...)
		w := call(srv, "t", "POST /Users", user("a"), c.header...)
		if got := w.Header().Get("Location"); !strings.HasPrefix(got, c.want) || field(t, w, "meta", "location") != got {
			t.Errorf("%s: Location %s, want %s…, body %s", c.name, got, c.want, w.Body)
		}
	}
}

// Holds: A-020
func TestHostRunsOperationsInProcess(t *testing.T) {
	t.Parallel()
	srv := server(t, scim.BearerToken("t"), io.Discard)
	id := create(t, srv, "t", user("ada"))
	res, err := srv.Do(t.Context(), scim.Principal{}, &scim.Operation{Method: scim.Get, Type: srv.Type("User"), ID: id})
	if err != nil || res.Resource.Meta().ID != id {
		t.Errorf("got %v, %v", res, err)
	}
}
