package scimtest

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"
)

func TestMistakesInATargetAreRefused(t *testing.T) {
	t.Parallel()
	srv := newServer(t)
	for _, c := range []struct {
		name   string
		target Target
		says   string
	}{
		{"nothing to send to", Target{Token: "secret"}, "neither Handler nor URL"},
		{"a relative URL", Target{URL: "/scim", Token: "secret"}, "not absolute"},
		{"a URL with a query", Target{Handler: srv, URL: "http://scim.test?x=1", Token: "secret"}, "query"},
		{"an unknown exception", Target{Handler: srv, Token: "secret", Except: map[string]string{"G-999": "no"}}, "G-999"},
		{"an exception without a reason", Target{Handler: srv, Token: "secret", Except: map[string]string{"G-005": " "}}, "without a reason"},
		{"a wrong token", Target{Handler: srv, Token: "wrong"}, "401"},
		{"no SCIM server", Target{Handler: http.NotFoundHandler(), Token: "secret"}, "404"},
	} {
		if _, err := newSuite(t.Context(), c.target); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: got %v", c.name, err)
		}
	}
}

func TestExceptionsAreSkippedWithTheirReason(t *testing.T) {
	t.Parallel()
	to := target(newServer(t))
	to.Except = map[string]string{"G-005": "for a test", "bulk": "not for us"}
	s, err := newSuite(t.Context(), to)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range s.checks {
		o := s.hold(t.Context(), c)
		want := ""
		switch {
		case c.id == "G-005":
			want = "for a test"
		case strings.HasPrefix(c.id, "B-") && c.id != "B-001":
			want = "not for us"
		default:
			continue
		}
		if !strings.Contains(o.skipped, want) || len(o.failures) > 0 {
			t.Errorf("%s: %+v, want it to be skipped: %s", c.id, o, want)
		}
	}
}

// What a server does not offer is told from its own words, and only that is
// passed over.
func TestFeaturesThatAreMissingAreFoundOut(t *testing.T) {
	t.Parallel()
	without := spoiled(newServer(t), nil, func(x *exchange) {
		if x.URL.Path == "/Bulk" || x.Method == "PATCH" || strings.HasSuffix(x.URL.Path, "/.search") {
			x.status, x.body = 501, []byte(`{"schemas":["`+errorURN+`"],"status":"501"}`)
		}
		if x.URL.Path == "/ServiceProviderConfig" {
			x.edit(func(r map[string]any) {
				r["bulk"], r["patch"] = map[string]any{"supported": false, "maxOperations": 0, "maxPayloadSize": 0}, map[string]any{"supported": false}
			})
		}
	})
	expect(t, target(without), nil)
	s, err := newSuite(t.Context(), target(without))
	if err != nil {
		t.Fatal(err)
	}
	for _, feature := range []string{"bulk", "patch", "search"} {
		if s.server.missing[feature] == "" {
			t.Errorf("%s is taken to be there", feature)
		}
	}
	if reason := s.server.missing["sort"]; reason != "" {
		t.Errorf("sort is taken to be missing: %s", reason)
	}
}

func TestNothingIsLeftBehind(t *testing.T) {
	t.Parallel()
	to := target(newServer(t))
	failures(t, to)
	s, err := newSuite(t.Context(), to)
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/Users", "/Groups"} {
		for _, token := range []string{"secret", "other"} {
			a, err := s.player().Send(t.Context(), "GET", path, http.Header{"Authorization": {"Bearer " + token}}, nil)
			if err != nil || str(get(a.JSON(), "schemas", "")) != "" || len(items(get(a.JSON(), "Resources"))) > 0 {
				t.Errorf("%s of %s: %v %s", path, token, err, a.Body)
			}
		}
	}
}

func TestOtherResourcesDoNotMatter(t *testing.T) {
	t.Parallel()
	srv := newServer(t)
	s, err := newSuite(t.Context(), target(srv))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"ada", "bob", "cyd", "dan"} {
		body := `{"schemas":["` + userURN + `"],"userName":"` + name + `","title":"Guide","password":"S3cret-pa55word!"}`
		a, err := s.player().Send(t.Context(), "POST", "/Users", http.Header{"Content-Type": {"application/scim+json"}}, strings.NewReader(body))
		if err != nil || a.Status != 201 {
			t.Fatal(err, a)
		}
	}
	expect(t, target(srv), nil)
}

func TestMistakesInScriptsAreRefused(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ text, says string }{
		{"> GET /Users", "begins with a requirement"},
		{"G-001", "has no sentence"},
		{"G-001 a\nG-002 b\n> GET /x\n< 200", "no steps"},
		{"G-001 a\n> GET /x", "expects no status"},
		{"G-001 a\n< 200", "no request before"},
		{"G-001 a\nwhen lenient", "when strict"},
		{"G-001 a\ngiven robot r", "given user"},
		{"G-001 a\n> POST /Users\n> {\n< 200", "not JSON"},
		{"G-001 a\n> POST /x\n>+ {}\n< 200", "no message"},
		{"G-001 a\n> GET /x\n< 200\n< title = Guide", "not JSON"},
		{"G-001 a\n> GET /x\n< 200\n< title", "what is expected"},
		{"G-001 a\nGET /x", "a line begins with"},
	} {
		_, err := parseScripts(fstest.MapFS{"t.txt": {Data: []byte(c.text + "\n")}}, "t.txt")
		if err == nil || !strings.Contains(err.Error(), c.says) || !strings.HasPrefix(err.Error(), "t.txt:") {
			t.Errorf("%q: got %v", c.text, err)
		}
	}
}

func TestChecksAreListedOnceAndInOrder(t *testing.T) {
	t.Parallel()
	last, n := "", 0
	for id, about := range Checks() {
		if id <= last || about == "" {
			t.Errorf("%s %q after %s", id, about, last)
		}
		last = id
		n++
	}
	if n < 300 {
		t.Errorf("only %d requirements are checked", n)
	}
}

func TestServerThatStopsAnsweringIsTold(t *testing.T) {
	t.Parallel()
	srv := httptest.NewServer(newServer(t))
	s, err := newSuite(t.Context(), Target{URL: srv.URL, Token: "secret", OtherToken: "other"})
	srv.Close()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range s.checks {
		if c.id != "G-005" && c.id != "O-007" { // a text and a function
			continue
		}
		o := s.hold(t.Context(), c)
		if !o.unanswered || len(o.failures) != 1 || !strings.Contains(o.failures[0], "want an answer") {
			t.Errorf("%s: %+v", c.id, o)
		}
	}
}
