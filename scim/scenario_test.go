package scim_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"regexp"
	"sort"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/musterhq/muster/scim"
	"github.com/musterhq/muster/scim/dialect"
	"github.com/musterhq/muster/scim/schema"
)

// TestScenarios runs testdata/scenarios/*.txtar: conversations with a fresh
// server, written to be read.
//
// The comment at the top says what the scenario is about; a line "server: words"
// in it chooses options (see scenarioServer). Then requests and responses
// alternate:
//
//	-- request --
//	POST /Users
//	Authorization: Bearer secret        (the default; "Authorization:" sends none)
//
//	{"userName": "ada"}
//	-- response --
//	201 scimType
//	ETag: W/"1"
//
//	{"id": "${ada}", "userName": "ada", "password": null}
//
// The response's body holds what must be there: an object may have more members, an
// array must have exactly the elements, null means that there must be none, "*"
// that there must be something. "/…/" is a regular expression. A variable that is
// not bound yet takes the value it meets; bound ones stand for their value, in
// requests too. A header's value "*" means any, an empty one none. The word
// "empty" for a body means that there must be none.
//
// ${User}, ${Group}, ${Enterprise}, ${Test}, ${Kinds}, ${PatchOp}, ${ListResponse},
// ${SearchRequest} and ${Error} are bound to those URNs. Parts in front of the first request may
// declare schemas, each as JSON: "extension" and "required extension" of User, and
// "type Printer /Printers" for a resource type of its own.
func TestScenarios(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/scenarios/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal("no scenarios", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			t.Parallel()
			a, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			runScenario(t, a)
		})
	}
}

// scenarioServer makes the server that a scenario asks for. Its tokens: "secret";
// "acme" and "umbrella" of two tenants; "okta" and "entra", two connections of the
// tenant "corp"; "reader", which may not write; "ada", a person, and "only-ada", the
// same confined to /Me.
func scenarioServer(t *testing.T, comment string, declared ...scim.Option) http.Handler {
	tokens := scim.BearerTokens(map[string]scim.Principal{
		"secret":   {},
		"acme":     {Tenant: "acme"},
		"umbrella": {Tenant: "umbrella"},
		"okta":     {Tenant: "corp", Connection: "okta"},
		"entra":    {Tenant: "corp", Connection: "entra"},
		"reader":   {ReadOnly: true},
		"ada":      {Subject: "ada"},
		"only-ada": {Subject: "ada", OnlyMe: true},
	})
	var srv *scim.Server
	opts := append(declared, scim.WithBaseURL("https://scim.test/v2"))
	for line := range strings.Lines(comment) {
		words, ok := strings.CutPrefix(line, "server:")
		if !ok {
			continue
		}
		for _, word := range strings.Fields(words) {
			switch word {
			case "strict":
				opts = append(opts, scim.WithDialect(dialect.Strict()))
			case "test-extension":
				opts = append(opts, scim.WithResourceType(userWithTestExtension(t)))
			case "shared":
				opts = append(opts, scim.WithSharing(func(string) bool { return true }))
			case "public-discovery":
				opts = append(opts, scim.WithPublicDiscovery())
			case "no-tombstones":
				opts = append(opts, scim.WithTombstones(0))
			case "immutable-external-id":
				opts = append(opts, scim.WithImmutableExternalID())
			case "reject-unknown":
				opts = append(opts, scim.WithRejectUnknown())
			case "reject-unknown-members":
				opts = append(opts, scim.WithUnknownMembers(scim.RejectUnknown))
			case "patch-with-body":
				opts = append(opts, scim.WithPatchNoContent())
			case "prefix":
				opts = append(opts, scim.WithPathPrefix("/tenants/{tenant}/scim"))
			case "me": // a person is the user of that name, and may become one
				opts = append(opts, scim.WithMe(func(ctx context.Context, p scim.Principal) (string, string, error) {
					if p.Subject == "" {
						return "", "", scim.ErrNotFound
					}
					filter, err := srv.ParseFilter(p, srv.Type("User"), `userName eq "`+p.Subject+`"`)
					if err != nil {
						return "", "", err
					}
					p.OnlyMe = false
					found, err := srv.Do(ctx, p, &scim.Operation{Method: scim.List, Type: srv.Type("User"), List: scim.ListOptions{Filter: filter, Count: 1}})
					if err != nil || len(found.Items) == 0 {
						return "User", "", err
					}
					return "User", found.Items[0].Resource.ID(), nil
				}))
			case "small-limits":
				opts = append(opts, scim.WithLimits(scim.Limits{Body: 4096, Depth: 8, Members: 3, Operations: 3, FilterLength: 60, FilterNodes: 5, FilterDepth: 3, PageSize: 2, MaxPageSize: 3, Scan: 5}))
			default:
				t.Fatalf("the scenario asks for an unknown kind of server: %q", word)
			}
		}
	}
	srv = newServerFor(t, tokens, opts...)
	return srv
}

// declaredTypes are the options for the schemas that a scenario begins with, and
// how many parts they take.
func declaredTypes(t *testing.T, files []txtar.File, vars map[string]string) (opts []scim.Option, n int) {
	user := schema.User()
	for _, f := range files {
		words := strings.Fields(f.Name)
		if words[0] == "request" {
			break
		}
		s, err := schema.ParseSchema([]byte(expand(string(f.Data), vars)))
		if err != nil {
			t.Fatal(err)
		}
		switch {
		case f.Name == "extension", f.Name == "required extension":
			user.Extensions = append(user.Extensions, schema.Extension{Schema: s, Required: f.Name != "extension"})
			opts = append(opts, scim.WithResourceType(user))
		case words[0] == "type" && len(words) == 3:
			opts = append(opts, scim.WithResourceType(scim.ResourceType{Name: words[1], Endpoint: words[2], Schema: s}))
		default:
			t.Fatalf("part %q: neither a declaration nor a request", f.Name)
		}
		n++
	}
	return opts, n
}

func runScenario(t *testing.T, a *txtar.Archive) {
	vars := map[string]string{
		"User": schema.UserURN, "Group": schema.GroupURN, "Enterprise": schema.EnterpriseUserURN,
		"Test":          "urn:example:params:scim:schemas:extension:test:2.0:User",
		"Kinds":         "urn:example:kinds:2.0:User",
		"PatchOp":       "urn:ietf:params:scim:api:messages:2.0:PatchOp",
		"SearchRequest": "urn:ietf:params:scim:api:messages:2.0:SearchRequest",
		"ListResponse":  "urn:ietf:params:scim:api:messages:2.0:ListResponse",
		"Error":         "urn:ietf:params:scim:api:messages:2.0:Error",
	}
	opts, first := declaredTypes(t, a.Files, vars)
	h := scenarioServer(t, string(a.Comment), opts...)
	if (len(a.Files)-first)%2 != 0 {
		t.Fatal("the last request has no response")
	}
	for i := first; i+1 < len(a.Files); i += 2 {
		if a.Files[i].Name != "request" || a.Files[i+1].Name != "response" {
			t.Fatalf("part %d: requests and responses must alternate", i)
		}
		request := expand(string(a.Files[i].Data), vars)
		line, headers, body := splitMessage(request)
		method, path, _ := strings.Cut(line, " ")
		r := httptest.NewRequest(method, "http://scim.test"+strings.ReplaceAll(path, " ", "%20"), strings.NewReader(body))
		r.Header.Set("Authorization", "Bearer secret")
		if body != "" {
			r.Header.Set("Content-Type", "application/scim+json")
		}
		for name, value := range headers {
			if r.Header.Del(name); value != "" {
				r.Header.Set(name, value)
			}
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		for _, problem := range compareMessage(w, string(a.Files[i+1].Data), vars) {
			t.Errorf("request %d, %s\n\t%s\nanswer: %d %s", (i-first)/2+1, line, problem, w.Code, w.Body)
		}
		if t.Failed() {
			return // what follows would only be confusing
		}
	}
}

func splitMessage(text string) (line string, headers map[string]string, body string) {
	head, body, _ := strings.Cut(strings.TrimLeft(text, "\n"), "\n\n")
	headers = map[string]string{}
	for i, l := range strings.Split(strings.TrimSpace(head), "\n") {
		if i == 0 {
			line = strings.TrimSpace(l)
			continue
		}
		name, value, _ := strings.Cut(l, ":")
		headers[strings.TrimSpace(name)] = strings.TrimSpace(value)
	}
	return line, headers, strings.TrimSpace(body)
}

var variable = regexp.MustCompile(`\$\{(\w+)\}`)

func expand(text string, vars map[string]string) string {
	return variable.ReplaceAllStringFunc(text, func(v string) string {
		if value, ok := vars[v[2:len(v)-1]]; ok {
			return value
		}
		return v
	})
}

func compareMessage(w *httptest.ResponseRecorder, expected string, vars map[string]string) (problems []string) {
	line, headers, body := splitMessage(expected)
	status, scimType, _ := strings.Cut(line, " ")
	if strconv.Itoa(w.Code) != status {
		return []string{"status: want " + status}
	}
	var got any
	if w.Body.Len() > 0 {
		if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
			return []string{"the body is not JSON: " + err.Error()}
		}
	}
	if m, _ := got.(map[string]any); scimType != "" && m["scimType"] != scimType {
		problems = append(problems, fmt.Sprintf("scimType: want %s", scimType))
	}
	for name, want := range headers {
		compare("header "+name, want, orNil(w.Header().Get(name)), vars, &problems)
	}
	switch body {
	case "":
	case "empty":
		if got != nil {
			problems = append(problems, "the body should be empty")
		}
	default:
		var want any
		if err := json.Unmarshal([]byte(body), &want); err != nil {
			return append(problems, "the scenario's own JSON: "+err.Error())
		}
		compare("", want, got, vars, &problems)
	}
	sort.Strings(problems)
	return problems
}

func orNil(s string) any {
	if s == "" {
		return nil
	}
	return s
}

func compare(path string, want, got any, vars map[string]string, problems *[]string) {
	bad := func(format string, args ...any) {
		*problems = append(*problems, path+": "+fmt.Sprintf(format, args...))
	}
	switch want := want.(type) {
	case nil:
		if got != nil {
			bad("there should be none, there is %v", got)
		}
	case map[string]any:
		m, ok := got.(map[string]any)
		if !ok {
			bad("want an object, got %v", got)
			return
		}
		for _, k := range sortedKeys(want) {
			compare(path+"."+k, want[k], m[expand(k, vars)], vars, problems)
		}
	case []any:
		list, ok := got.([]any)
		if !ok || len(list) != len(want) {
			bad("want %d elements, got %v", len(want), got)
			return
		}
		for i := range want {
			compare(fmt.Sprintf("%s[%d]", path, i), want[i], list[i], vars, problems)
		}
	case string:
		switch {
		case want == "":
			if got != nil && got != "" {
				bad("there should be none, there is %v", got)
			}
		case want == "*":
			if got == nil {
				bad("there should be something")
			}
		case len(want) > 2 && want[0] == '/' && want[len(want)-1] == '/':
			if s, ok := got.(string); !ok || !regexp.MustCompile(expand(want[1:len(want)-1], vars)).MatchString(s) {
				bad("want a match of %s, got %v", want, got)
			}
		default:
			s, isText := got.(string)
			if name := variable.FindStringSubmatch(want); name != nil && name[0] == want && isText {
				if _, bound := vars[name[1]]; !bound {
					vars[name[1]] = s
					return
				}
			}
			if want = expand(want, vars); got != any(want) {
				bad("want %q, got %v", want, got)
			}
		}
	default:
		if got != want {
			bad("want %v, got %v", want, got)
		}
	}
}

func sortedKeys(m map[string]any) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}
