package vectors_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/musterhq/muster/internal/vectors"
	"github.com/musterhq/muster/internal/wire"
)

// toy is a server that knows just enough SCIM to run a row: replace of a
// top-level attribute, remove of one member, and eq. Its flaws are what the
// runner must notice.
type toy struct {
	flaw      string
	resources map[string]map[string]any
	versions  map[string]int
	next      int
}

func newToy(flaw string) *toy {
	return &toy{flaw: flaw, resources: map[string]map[string]any{}, versions: map[string]int{}}
}

func (s *toy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var body map[string]any
	if r.Body != http.NoBody {
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
			s.refuse(w, 400, "invalidSyntax")
			return
		}
	}
	id := strings.TrimPrefix(strings.TrimPrefix(r.URL.Path, "/Users"), "/Groups")
	id = strings.TrimPrefix(id, "/")
	switch {
	case r.Method == "POST":
		s.next++
		id = fmt.Sprintf("srv-%d", s.next)
		body["id"] = id
		if _, ok := body["active"]; !ok && r.URL.Path == "/Users" {
			body["active"] = true
		}
		s.resources[id], s.versions[id] = body, 1
		w.WriteHeader(201)
		s.show(w, id)
	case r.Method == "GET" && id == "":
		s.query(w, r.URL.Query().Get("filter"))
	case s.resources[id] == nil:
		s.refuse(w, 404, "")
	case r.Method == "GET":
		s.show(w, id)
	case r.Method == "DELETE":
		delete(s.resources, id)
		w.WriteHeader(204)
	case r.Method == "PATCH":
		s.patch(w, id, body)
	}
}

func (s *toy) refuse(w http.ResponseWriter, status int, scimType string) {
	w.WriteHeader(status)
	fmt.Fprintf(w, `{"scimType":%q}`, scimType)
}

func (s *toy) show(w http.ResponseWriter, id string) {
	out := map[string]any{"meta": map[string]any{"version": fmt.Sprint(s.versions[id]), "lastModified": fmt.Sprint("t", s.versions[id])}}
	for k, v := range s.resources[id] {
		out[k] = v
	}
	json.NewEncoder(w).Encode(out)
}

var oneMember = regexp.MustCompile(`^members\[value eq "(.*)"\]$`)

func (s *toy) patch(w http.ResponseWriter, id string, body map[string]any) {
	for _, op := range body["Operations"].([]any) {
		op := op.(map[string]any)
		path, _ := op["path"].(string)
		old := s.resources[id][path]
		switch m := oneMember.FindStringSubmatch(path); {
		case m != nil:
			var rest []any
			list, _ := s.resources[id]["members"].([]any)
			for _, e := range list {
				if e.(map[string]any)["value"] != m[1] && s.flaw != "remove all" {
					rest = append(rest, e)
				}
			}
			s.resources[id]["members"] = rest
			if len(rest) != len(list) {
				s.versions[id]++
			}
		case path == "title":
			s.resources[id]["title"] = op["value"]
			if old != op["value"] && s.flaw != "version stays" || s.flaw == "version moves" {
				s.versions[id]++
			}
			if s.flaw == "not idempotent" && old == op["value"] {
				s.resources[id]["title"] = "again"
			}
		default:
			if s.flaw == "half done" {
				s.resources[id]["title"] = "half"
			}
			s.refuse(w, 400, map[bool]string{true: "invalidValue", false: "invalidPath"}[s.flaw == "wrong word"])
			return
		}
	}
	w.WriteHeader(204)
}

var eq = regexp.MustCompile(`^(\w+) eq (?:"(.*)"|(true))$`)

func (s *toy) query(w http.ResponseWriter, filter string) {
	m := eq.FindStringSubmatch(filter)
	if m == nil {
		s.refuse(w, 400, "invalidFilter")
		return
	}
	found := []any{}
	for _, u := range s.resources {
		if v := u[m[1]]; v == m[2] || v == true && m[3] == "true" || s.flaw == "finds all" {
			found = append(found, map[string]any{"id": u["id"]})
		}
	}
	json.NewEncoder(w).Encode(map[string]any{"totalResults": len(found), "Resources": found})
}

const (
	userBefore  = `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"id":"u","userName":"n","title":"a"}`
	userAfter   = `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"id":"u","userName":"n","title":"b"}`
	groupBefore = `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"id":"g","displayName":"G","members":[{"value":"m1","type":"User"},{"value":"m2"}]}`
	groupAfter  = `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"id":"g","displayName":"G","members":[{"value":"m2"}]}`
)

var patchRows = []vectors.Patch{
	{ID: "changes", Before: []byte(userBefore), Ops: []byte(`[{"op":"replace","path":"title","value":"b"}]`), After: []byte(userAfter), Replay: "same"},
	{ID: "same", Before: []byte(userBefore), Ops: []byte(`[{"op":"replace","path":"title","value":"a"}]`), After: []byte(userBefore), Unchanged: true},
	{ID: "refused", Before: []byte(userBefore), Ops: []byte(`[{"op":"replace","path":"x..y","value":"a"}]`), After: []byte(`null`), Error: &vectors.Error{Status: 400, ScimType: "invalidPath"}},
	{ID: "member", Before: []byte(groupBefore), Ops: []byte(`[{"op":"remove","path":"members[value eq \"m1\"]"}]`), After: []byte(groupAfter), Replay: "same"},
	{ID: "strict", Before: []byte(userBefore), Ops: []byte(`[]`), After: []byte(`null`), Error: &vectors.Error{Status: 599}, Mode: "strict"},
	{ID: "pure", Before: []byte(userBefore), Ops: []byte(`[]`), After: []byte(userAfter), Pure: true},
}

func TestPatchRunNoticesFlaws(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ flaw, fails string }{
		{"", ""},
		{"remove all", "member"},
		{"version stays", "changes"},
		{"version moves", "same"},
		{"not idempotent", "changes same"},
		{"wrong word", "refused"},
		{"half done", "refused"},
	} {
		server := newToy(c.flaw)
		report, err := vectors.RunPatch(t.Context(), vectors.Server{Client: wire.Handler(server)}, patchRows)
		if err != nil {
			t.Errorf("%s: %v", c.flaw, err)
			continue
		}
		if got := ids(report.Failures); got != c.fails {
			t.Errorf("flaw %q: failures %q, want %q: %v", c.flaw, got, c.fails, report.Failures)
		}
		if report.Passed+len(report.Failures) != 4 || ids(report.Skipped) != "pure" {
			t.Errorf("flaw %q: %d passed, skipped %v", c.flaw, report.Passed, report.Skipped)
		}
		if len(server.resources) != 0 {
			t.Errorf("flaw %q: %d resources were left behind", c.flaw, len(server.resources))
		}
	}
}

func TestFilterRunNoticesFlaws(t *testing.T) {
	t.Parallel()
	users := &vectors.FilterUsers{Users: []json.RawMessage{
		[]byte(`{"id":"u1","userName":"a","active":true,"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"manager":{"value":"u2"}}}`),
		[]byte(`{"id":"u2","userName":"b"}`),
	}}
	rows := []vectors.Filter{
		{ID: "name", Filter: `userName eq "b"`, Valid: true, Matches: []string{"u2"}},
		{ID: "id", Filter: `id eq "u1"`, Valid: true, Matches: []string{"u1"}},
		{ID: "id case", Filter: `id eq "U1"`, Valid: true},
		// The server gives u2 a default, so the row is judged by u1 alone.
		{ID: "default", Filter: `active eq true`, Valid: true, Matches: []string{"u1"}},
		{ID: "invalid", Filter: `userName eq`, Error: &vectors.Error{Status: 400, ScimType: "invalidFilter"}},
		// Nobody's time of creation is the file's.
		{ID: "time", Filter: `meta.version eq "1"`, Valid: true},
	}
	for _, c := range []struct{ flaw, fails string }{{"", ""}, {"finds all", "name id id case"}} {
		server := newToy(c.flaw)
		report, err := vectors.RunFilter(t.Context(), vectors.Server{Client: wire.Handler(server)}, users, rows)
		if err != nil {
			t.Errorf("%s: %v", c.flaw, err)
			continue
		}
		if got := ids(report.Failures); got != c.fails || ids(report.Skipped) != "time" {
			t.Errorf("flaw %q: failures %q, want %q; skipped %v: %v", c.flaw, got, c.fails, report.Skipped, report.Failures)
		}
		if len(server.resources) != 0 {
			t.Errorf("flaw %q: %d resources were left behind", c.flaw, len(server.resources))
		}
	}
}

func ids(outcomes []vectors.Outcome) string {
	var all []string
	for _, o := range outcomes {
		all = append(all, o.ID)
	}
	return strings.Join(all, " ")
}
