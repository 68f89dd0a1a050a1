package transcript_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/musterhq/muster/internal/transcript"
	"github.com/musterhq/muster/internal/wire"
)

// answer is what the fake server says to one request.
type answer struct {
	status int
	header map[string]string
	body   string
}

// fake answers requests in order and keeps what it saw.
type fake struct {
	answers []answer
	seen    []seen
}

type seen struct{ method, uri, auth, agent, body string }

func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	f.seen = append(f.seen, seen{r.Method, r.RequestURI, r.Header.Get("Authorization"), r.Header.Get("User-Agent"), string(body)})
	a := f.answers[len(f.seen)-1]
	for k, v := range a.header {
		w.Header().Set(k, v)
	}
	w.WriteHeader(a.status)
	io.WriteString(w, a.body)
}

func load(t *testing.T, lines ...string) []transcript.Step {
	t.Helper()
	steps, err := transcript.Load(fstest.MapFS{"t.jsonl": {Data: []byte(strings.Join(lines, "\n"))}}, "t.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	return steps
}

// summary is one line for each failure: step, check, what was got.
func summary(failures []transcript.Failure) string {
	var b strings.Builder
	for _, f := range failures {
		fmt.Fprintf(&b, "%s: %s: %s\n", f.Step.Name, f.Check, f.Got)
	}
	return b.String()
}

func TestVariablesReachEveryPartOfARequest(t *testing.T) {
	t.Parallel()
	f := &fake{answers: []answer{
		{201, map[string]string{"Content-Type": "application/scim+json; charset=utf-8"}, `{"id":"a b/+\"é","userName":"n-r1"}`},
		{200, nil, `{"list":[{"value":"a b/+\"é"}]}`},
		{401, nil, `{}`},
		{204, nil, ``},
	}}
	steps := load(t,
		`{"step":"create","method":"POST","path":"/Users","headers":{"User-Agent":"c ${run}"},"body":{"userName":"n-${run}","big":1.0},"expect":{"status":[201],"headers":{"content-type":"application/scim+json"},"json":{"userName":"n-${run}"}},"save":{"u":"id"}}`,
		``,
		`{"step":"read","method":"PATCH","path":"//Users/${u}?filter=id+eq+%22${u}%22","headers":{},"body":{"value":"${u}","self":"${base}/x"},"expect":{"status":[200],"json":{"list[*].value":["${u}"]}}}`,
		`{"step":"other token","method":"GET","path":"/Users","headers":{"authorization":"Basic ${token}"},"body":null,"expect":{"status":[401]}}`,
		`{"step":"raw","method":"DELETE","path":"/Users/${u}","headers":{"Authorization":""},"raw_body":"{\"x\":${u}","expect":{"status":[204],"json":{"never":"looked at"}},"save":{"no":"body"}}`,
	)
	got := transcript.Replay(t.Context(), wire.Handler(f), steps, transcript.Options{BaseURL: "http://x.test/scim/", Token: "tok", Run: "r1"})
	if len(got) != 0 {
		t.Fatalf("failures:\n%s", summary(got))
	}
	want := []seen{
		{"POST", "/scim/Users", "Bearer tok", "c r1", `{"userName":"n-r1","big":1.0}`},
		{"PATCH", `/scim//Users/a%20b%2F%2B%22%C3%A9?filter=id+eq+%22a%20b%2F%2B%22%C3%A9%22`, "Bearer tok", "", `{"value":"a b/+\"é","self":"http://x.test/scim/x"}`},
		{"GET", "/scim/Users", "Basic tok", "", ""},
		{"DELETE", `/scim/Users/a%20b%2F%2B%22%C3%A9`, "", "", `{"x":a b/+"é`},
	}
	for i, w := range want {
		if f.seen[i] != w {
			t.Errorf("request %d:\n got %q\nwant %q", i, f.seen[i], w)
		}
	}
}

func TestFailuresNameWhatIsWrong(t *testing.T) {
	t.Parallel()
	f := &fake{answers: []answer{
		{200, map[string]string{"Content-Type": "text/html"}, `{"a":1}`},
		{200, nil, `<html>`},
		{200, nil, `{"id":5}`},
	}}
	steps := load(t,
		`{"step":"one","method":"GET","path":"/a","expect":{"status":[201,204],"headers":{"Content-Type":"application/scim+json"},"json":{"a":{"$min":2},"b":"x"}}}`,
		`{"step":"two","method":"GET","path":"/b","expect":{"status":[200],"json":{"a":1}}}`,
		`{"step":"three","method":"GET","path":"/c","expect":{"status":[200]},"save":{"u":"id"}}`,
		`{"step":"four","method":"GET","path":"/${u}","expect":{"status":[200]}}`,
		`{"step":"five","method":"GET","path":"/e","expect":{"status":[200]}}`,
	)
	got := transcript.Replay(t.Context(), wire.Handler(f), steps, transcript.Options{})
	const want = `one: status: 200
one: header Content-Type: "text/html"
one: a: 1
one: b: nothing
two: body: invalid character '<' looking for beginning of value
three: save u: 5
four: request: ${u} has no value: the step that saves it failed or stands later
five: request: the handler panicked: runtime error: index out of range [3] with length 3
`
	if s := summary(got); s != want {
		t.Errorf("got\n%swant\n%s", s, want)
	}
	if text := got[0].Error(); !strings.Contains(text, "t.jsonl:1") || !strings.Contains(text, "GET /a") || !strings.Contains(text, "(not certain)") {
		t.Errorf("the failure does not say where it is:\n%s", text)
	}
}

func TestWhatWasCreatedIsDeletedTheLatestFirst(t *testing.T) {
	t.Parallel()
	bulk := `{"Operations":[{"method":"POST","status":"201","location":"https://public.example/v2/Groups/g1"},` +
		`{"method":"POST","status":"409"},{"method":"DELETE","status":"204","location":"https://public.example/v2/Users/x"}]}`
	f := &fake{answers: []answer{
		{201, nil, `{"id":"a/b"}`}, {409, nil, `{"id":"no"}`}, {200, nil, `{"id":"read"}`}, {201, nil, `{"id":"c"}`}, {200, nil, bulk},
		{204, nil, ""}, {404, nil, ""}, {500, nil, ""},
	}}
	steps := load(t,
		`{"step":"a","method":"POST","path":"/Users","body":{},"expect":{"status":[201]}}`,
		`{"step":"b","method":"POST","path":"/Users","body":{},"expect":{"status":[409]}}`,
		`{"step":"c","method":"GET","path":"/Users/read","expect":{"status":[200]}}`,
		`{"step":"d","method":"POST","path":"/Groups?attributes=id","headers":{"Authorization":"Bearer other"},"body":{},"expect":{"status":[201]}}`,
		`{"step":"e","method":"POST","path":"/Bulk","body":{},"expect":{"status":[200]}}`,
	)
	if got := transcript.Replay(t.Context(), wire.Handler(f), steps, transcript.Options{BaseURL: "http://x.test/scim", Token: "tok"}); len(got) != 0 {
		t.Fatal(summary(got))
	}
	var deleted []string
	for _, s := range f.seen[len(steps):] {
		deleted = append(deleted, s.method+" "+s.uri+" "+s.auth)
	}
	want := []string{
		"DELETE /scim/Groups/g1 Bearer tok", "DELETE /scim/Groups/c Bearer other", "DELETE /scim/Users/a%2Fb Bearer tok",
	}
	if !slices.Equal(deleted, want) {
		t.Errorf("got  %q\nwant %q", deleted, want)
	}
}

func TestAnswersWithoutABodyMustHaveNone(t *testing.T) {
	t.Parallel()
	f := &fake{answers: []answer{{204, nil, "{}"}, {304, nil, "x"}, {200, map[string]string{"ETag": ""}, ""}}}
	steps := load(t,
		`{"step":"a","method":"DELETE","path":"/","expect":{"status":[204]}}`,
		`{"step":"b","method":"GET","path":"/","expect":{"status":[304]}}`,
		`{"step":"c","method":"GET","path":"/","expect":{"status":[200],"headers":{"ETag":""}}}`)
	got := summary(transcript.Replay(t.Context(), wire.Handler(f), steps, transcript.Options{}))
	if want := "a: body: one\nb: body: one\nc: header ETag: \"\"\n"; got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestVariablesInPathsIntoAnAnswer(t *testing.T) {
	t.Parallel()
	f := &fake{answers: []answer{{200, nil, `{"id":"urn:x"}`}, {200, nil, `{"urn:x":{"a":1},"list":[{"value":"urn:x","b":2}]}`}}}
	steps := load(t,
		`{"step":"a","method":"GET","path":"/","expect":{"status":[200]},"save":{"u":"id"}}`,
		`{"step":"b","method":"GET","path":"/","expect":{"status":[200],"json":{"\"${u}\".a":1,"list[value=${u}].b":2}}}`)
	if got := transcript.Replay(t.Context(), wire.Handler(f), steps, transcript.Options{}); len(got) != 0 {
		t.Error(summary(got))
	}
}

func TestEachReplayHasItsOwnRun(t *testing.T) {
	t.Parallel()
	f := &fake{answers: []answer{{200, nil, ""}, {200, nil, ""}}}
	steps := load(t, `{"step":"s","method":"GET","path":"/${run}","expect":{"status":[200]}}`)
	for range 2 {
		if got := transcript.Replay(t.Context(), wire.Handler(f), steps, transcript.Options{}); len(got) > 0 {
			t.Fatal(summary(got))
		}
	}
	if f.seen[0] == f.seen[1] || len(f.seen[0].uri) != len("/12345678") {
		t.Errorf("saw %q and %q", f.seen[0].uri, f.seen[1].uri)
	}
}

func TestReplayStopsWhenItsContextEnds(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	calls := 0
	h := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { calls++; cancel() })
	steps := load(t,
		`{"step":"a","method":"GET","path":"/","expect":{"status":[200]}}`,
		`{"step":"b","method":"GET","path":"/","expect":{"status":[200]}}`)
	transcript.Replay(ctx, wire.Handler(h), steps, transcript.Options{})
	if calls != 1 {
		t.Errorf("%d requests were sent, want 1", calls)
	}
}

func TestBrokenTranscriptIsRefusedWithItsLine(t *testing.T) {
	t.Parallel()
	const good = `{"step":"s","method":"GET","path":"/","expect":{"status":[200]}}`
	for _, line := range []string{
		`{`, `[]`, good + good,
		`{"step":"s","method":"GET","path":"/","expect":{"status":[200],"jsn":{}}}`,
		`{"step":"s","method":"GET","path":"/","expect":{"status":[]}}`,
		`{"step":"s","path":"/","expect":{"status":[200]}}`,
		`{"method":"GET","path":"/","expect":{"status":[200]}}`,
		`{"step":"s","method":"GET","path":"/","expect":{"status":[200],"json":{"a[":1}}}`,
		`{"step":"s","method":"GET","path":"/","expect":{"status":[200],"json":{"a":{"$nope":1}}}}`,
		`{"step":"s","method":"GET","path":"/","expect":{"status":[200]},"save":{"x":".a"}}`,
	} {
		_, err := transcript.Load(fstest.MapFS{"t.jsonl": {Data: []byte(good + "\n\n" + line)}}, "t.jsonl")
		if err == nil || !strings.HasPrefix(err.Error(), "t.jsonl:3: ") {
			t.Errorf("%s: error %v", line, err)
		}
	}
}

func TestTranscriptsOfTheRepositoryLoad(t *testing.T) {
	t.Parallel()
	dir := filepath.Join("..", "..", "scim", "scimtest", "transcripts")
	names, err := filepath.Glob(filepath.Join(dir, "*.jsonl"))
	if err != nil || len(names) == 0 {
		t.Fatalf("no transcripts: %v", err)
	}
	for _, name := range names {
		steps, err := transcript.Load(os.DirFS(dir), filepath.Base(name))
		if err != nil {
			t.Error(err)
			continue
		}
		for _, s := range steps {
			if len(s.Body) > 0 && !json.Valid(s.Body) {
				t.Errorf("%s:%d: the body is not JSON", s.File, s.Line)
			}
		}
	}
}
