package scim_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/musterhq/muster/scim"
	"github.com/musterhq/muster/scim/schema"
	"github.com/musterhq/muster/storage/memory"
)

func TestReportsTellWhatARequestReliedOnOrLost(t *testing.T) {
	t.Parallel()
	var reports []scim.Report
	srv, id, group := populated(t, scim.WithReport(func(_ context.Context, r scim.Report) { reports = append(reports, r) }))
	whole := `"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"]`
	tests := []struct {
		name, request, body string
		want                string // of the report: method type id rules | ignored | dropped | failed
	}{
		{"nothing to tell", "POST /Users", `{` + whole + `,"userName":"r1"}`, ""},
		{"a missing schemas", "POST /Users", `{"userName":"r2"}`, "create User new missing-schemas | | | false"},
		{"an unknown attribute", "POST /Users", `{` + whole + `,"userName":"r3","shoeSize":38}`, "create User new | shoeSize | | false"},
		{"text for a boolean", "PATCH /Users/USER", patchBody(`[{"op":"replace","path":"active","value":"True"}]`), "patch User USER boolean-text | | | false"},
		{"a member that does not exist", "PATCH /Groups/GROUP", patchBody(`[{"op":"add","path":"members","value":[{"value":"gone"}]}]`), "patch Group GROUP | | gone | false"},
		{"an unknown name in a filter", "GET /Users?filter=shoeSize%20eq%20%221%22", "", "list User  | shoeSize | | false"},
		{"an unknown schema in a path", "PATCH /Users/USER", patchBody(`[{"op":"replace","path":"urn:example:x:2.0:User:badge","value":"1"}]`), "patch User USER skip-unknown-schema | urn:example:x:2.0:User:badge | | false"},
		{"a failure", "PUT /Users/USER", `{"userName":"r1"}`, "replace User USER missing-schemas | | | true"},
		{"a discovery", "GET /Schemas", "", ""},
	}
	for _, test := range tests {
		reports = nil
		r := strings.NewReplacer("USER", id, "GROUP", group)
		a := send(t, srv, r.Replace(test.request), test.body)
		var got []string
		for _, r := range reports {
			reported := r.ID
			if r.Method == scim.Create && reported == a.id() {
				reported = "new"
			}
			slices.Sort(r.Rules)
			var dropped []string
			for _, m := range r.Dropped {
				dropped = append(dropped, m.ID)
			}
			line := fmt.Sprintf("%s %s %s %s | %s | %s | %v", r.Method, r.Type, reported, strings.Join(r.Rules, " "), strings.Join(r.Ignored, " "), strings.Join(dropped, " "), r.Err != nil)
			got = append(got, strings.ReplaceAll(strings.ReplaceAll(line, "  |", " |"), "  |", " |"))
		}
		want := strings.ReplaceAll(r.Replace(test.want), "  |", " |")
		if strings.Join(got, "\n") != want {
			t.Errorf("%s: reported\n%s\nwant\n%s\n%d %s", test.name, strings.Join(got, "\n"), want, a.Code, a.Body)
		}
	}
}

func TestNewListsEverythingThatIsWrong(t *testing.T) {
	t.Parallel()
	bad := schema.User()
	bad.Schema.Attributes = append(bad.Schema.Attributes, scim.Attribute{Name: "1x"})
	_, err := scim.New(nil, nil,
		scim.WithBaseURL("api.example.com"), scim.WithPathPrefix("scim"), scim.WithTombstones(-time.Hour), scim.WithHookTimeout(0),
		scim.WithoutResourceType("Robot"), scim.WithHandler(schema.User(), nil), nil,
		scim.WithResourceType(bad),
		scim.WithResourceType(scim.ResourceType{Name: "Me", Endpoint: "/Me", Schema: &scim.Schema{ID: "urn:example:me", Attributes: []scim.Attribute{{Name: "x"}}}}))
	if err == nil {
		t.Fatal("nonsense was accepted")
	}
	for _, want := range []string{"store", "authenticator", "api.example.com", `"scim"`, "-1h", "timeout", "Robot", "handler of resource type User is nil", "1x", "/Me"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error does not mention %q:\n%v", want, err)
		}
	}
}

func TestNewRefusesOneThing(t *testing.T) {
	t.Parallel()
	device := func(endpoint string) scim.ResourceType {
		return scim.ResourceType{Name: "Device" + endpoint[1:], Endpoint: endpoint, Schema: &scim.Schema{ID: "urn:example:device" + endpoint[1:], Attributes: []scim.Attribute{{Name: "serial"}}}}
	}
	for _, test := range []struct {
		name string
		opts []scim.Option
		ok   bool
	}{
		{"nothing more", nil, true},
		{"a base URL", []scim.Option{scim.WithBaseURL("https://x.example/scim/")}, true},
		{"a base URL with a query", []scim.Option{scim.WithBaseURL("https://x.example/?a=b")}, false},
		{"a base URL with a fragment", []scim.Option{scim.WithBaseURL("https://x.example/#a")}, false},
		{"a base URL of another scheme", []scim.Option{scim.WithBaseURL("ftp://x.example/")}, false},
		{"a relative base URL", []scim.Option{scim.WithBaseURL("/scim")}, false},
		{"an empty base URL", []scim.Option{scim.WithBaseURL("")}, false},
		{"a prefix with a tenant", []scim.Option{scim.WithPathPrefix("/t/{tenant}")}, true},
		{"a prefix with another placeholder", []scim.Option{scim.WithPathPrefix("/t/{customer}")}, false},
		{"a prefix with a placeholder in a segment", []scim.Option{scim.WithPathPrefix("/t-{tenant}")}, false},
		{"two types at one endpoint", []scim.Option{scim.WithResourceType(device("/Things")), scim.WithResourceType(scim.ResourceType{Name: "Other", Endpoint: "/things", Schema: device("/X").Schema})}, false},
		{"two types at two endpoints", []scim.Option{scim.WithResourceType(device("/Things")), scim.WithResourceType(device("/Others"))}, true},
		{"an endpoint of the protocol", []scim.Option{scim.WithResourceType(device("/schemas"))}, false},
		{"users without groups", []scim.Option{scim.WithoutResourceType("Group")}, true},
		{"a documentation page", []scim.Option{scim.WithDocumentationURI("https://docs.example/scim?a=b#c")}, true},
		{"a relative documentation page", []scim.Option{scim.WithDocumentationURI("/docs/scim")}, false},
		{"a documentation page in a file", []scim.Option{scim.WithDocumentationURI("file:///docs")}, false},
		{"an empty documentation page", []scim.Option{scim.WithDocumentationURI("")}, false},
		{"unknown members rejected", []scim.Option{scim.WithUnknownMembers(scim.RejectUnknown)}, true},
		{"unknown members in another way", []scim.Option{scim.WithUnknownMembers(7)}, false},
		{"no guard", []scim.Option{scim.WithGuard(nil)}, false},
		{"no interceptor", []scim.Option{scim.WithInterceptor(nil)}, false},
		{"defaults by nil", []scim.Option{nil, scim.WithLogger(nil), scim.WithClock(nil), scim.WithReport(nil), scim.WithMe(nil), scim.WithPassword(nil)}, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			srv, err := scim.New(memory.New(), scim.BearerToken("x"), test.opts...)
			if (err == nil) != test.ok || (srv == nil) == test.ok {
				t.Errorf("%v", err)
			}
		})
	}
}

func TestNewRefusesAnAuthenticatorThatLetsNobodyIn(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		auth scim.Authenticator
		ok   bool
	}{
		{"a token", scim.BearerToken("x"), true},
		{"an empty token", scim.BearerToken(""), false},
		{"an empty token among others", scim.BearerTokens(map[string]scim.Principal{"x": {}, "": {}}), false},
		{"no tokens yet, beside a function", scim.AnyOf(scim.BearerTokens(nil), scim.BearerFunc(nobody)), true},
		{"an empty password", scim.Basic("u", "", scim.Principal{}), false},
		{"no function", scim.BearerFunc(nil), false},
		{"any of none", scim.AnyOf(), false},
		{"any of nil", scim.AnyOf(nil), false},
		{"any of which one has an empty token", scim.AnyOf(scim.BearerToken("x"), scim.BearerToken("")), false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if _, err := scim.New(memory.New(), test.auth); (err == nil) != test.ok {
				t.Errorf("%v", err)
			}
		})
	}
}

func nobody(context.Context, string) (scim.Principal, error) {
	return scim.Principal{}, scim.ErrUnauthorized
}

func TestLimitsOfZeroKeepTheirDefaults(t *testing.T) {
	t.Parallel()
	srv := newServer(t, scim.WithLimits(scim.Limits{PageSize: 5000, Body: -1}))
	a := send(t, srv, "GET /ServiceProviderConfig", "").want(t, 200)
	if a.get("filter", "maxResults") != 1000.0 || a.get("bulk", "maxPayloadSize") != float64(8<<20) {
		t.Error(a.Body)
	}
}

// forgetful has no place for nickNames, and is late for the first write.
type forgetful struct {
	*table
	late bool
}

func (h *forgetful) Create(ctx context.Context, tenant string, r *scim.Resource) (*scim.Resource, error) {
	h.note(ctx, r)
	return h.table.Create(ctx, tenant, r)
}

func (h *forgetful) Replace(ctx context.Context, tenant string, r *scim.Resource) (*scim.Resource, error) {
	h.note(ctx, r)
	if h.late {
		h.late = false
		return nil, scim.ErrConflict
	}
	return h.table.Replace(ctx, tenant, r)
}

func (h *forgetful) note(ctx context.Context, r *scim.Resource) {
	if r.String("nickName") != "" {
		scim.Ignore(ctx, "nickName", "shoeSize")
	}
}

func TestAHandlerReportsWhatItIgnored(t *testing.T) {
	t.Parallel()
	var ignored [][]string
	srv := newServer(t, scim.WithHandler(schema.User(), &forgetful{newTable(), true}),
		scim.WithReport(func(_ context.Context, r scim.Report) { ignored = append(ignored, r.Ignored) }))
	whole := `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada"`
	nick := patchBody(`[{"op":"replace","path":"nickName","value":"B"}]`)
	send(t, srv, "POST /Users", whole+`,"nickName":"A","shoeSize":38}`).want(t, 201)
	send(t, srv, "PATCH /Users/row-1", nick).want(t, 200)
	send(t, srv, "PUT /Users/row-1", whole+`}`).want(t, 200)
	send(t, srv, "POST /Bulk", `{"schemas":["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],"Operations":[
		{"method":"PATCH","path":"/Users/row-1","data":`+nick+`}]}`).want(t, 200)
	want := [][]string{{"shoeSize", "nickName"}, {"nickName", "shoeSize"}, {"nickName", "shoeSize"}}
	if !slices.EqualFunc(ignored, want, slices.Equal) {
		t.Errorf("reported are %q, want %q", ignored, want)
	}
	scim.Ignore(t.Context(), "outside of a request") // does nothing
	if _, err := srv.Do(t.Context(), scim.Principal{}, &scim.Operation{
		Method: scim.Create, Type: srv.Type("User"),
		Resource: scim.NewResource(srv.Type("User")).Set("userName", "bob").Set("nickName", "B").Resource(),
	}); err != nil || len(ignored) != len(want) {
		t.Errorf("in process: %v, reports %q", err, ignored)
	}
}
