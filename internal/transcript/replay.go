package transcript

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/musterhq/muster/internal/jsonvalue"
	"github.com/musterhq/muster/internal/wire"
)

// Options say how to reach the server.
type Options struct {
	// BaseURL is where the SCIM endpoints are, without a slash at the end, such
	// as "https://scim.example.com/scim/v2". Empty means "http://scim.test", which
	// only [wire.Handler] can reach.
	BaseURL string
	// Token is the bearer token.
	Token string
	// Run is the value of ${run}; empty means eight random hexadecimal digits.
	Run string
}

// Failure is one expectation that an answer did not meet.
type Failure struct {
	Step Step
	// Request is the method and the path as sent, Body the body as sent.
	Request, Body string
	// Check is what was looked at: "status", "header Content-Type", a path into
	// the body, "save x", or "request" when there was no answer.
	Check string
	// Want and Got are the expectation and the answer, as text.
	Want, Got string
	// Status and Response are the answer's; zero when there was none.
	Status   int
	Response string
}

// Error returns the failure as text of several lines.
func (f *Failure) Error() string {
	var b strings.Builder
	guess := ""
	if !f.Step.Certain {
		guess = " (not certain)"
	}
	fmt.Fprintf(&b, "%s:%d: %s: %s%s\n", f.Step.File, f.Step.Line, f.Step.Client, f.Step.Name, guess)
	fmt.Fprintf(&b, "\t%s", f.Request)
	if len(f.Step.Behaviours) > 0 {
		fmt.Fprintf(&b, "   %s", strings.Join(f.Step.Behaviours, " "))
	}
	if f.Body != "" {
		fmt.Fprintf(&b, "\n\tsent   %s", clip(f.Body))
	}
	fmt.Fprintf(&b, "\n\t%s: want %s, got %s", f.Check, f.Want, f.Got)
	if f.Status != 0 {
		fmt.Fprintf(&b, "\n\tanswer %d %s", f.Status, clip(f.Response))
	}
	return b.String()
}

// clip keeps failures readable: the whole of a usual resource, the head of a
// long list.
func clip(s string) string {
	const most = 2000
	if len(s) <= most {
		return s
	}
	return s[:most] + "…"
}

// Replay sends the steps in order and returns what was not as expected, nil when
// everything was. Steps that are not certain are sent too; [Step.Certain] of a
// failure tells. A step that needs a variable that no step saved is one failure
// and is not sent. When ctx ends, the step under way fails and the rest is not
// sent.
//
// client does not follow redirects: see [wire.NewClient] and [wire.Handler].
func Replay(ctx context.Context, client wire.Doer, steps []Step, o Options) []Failure {
	if o.BaseURL == "" {
		o.BaseURL = "http://scim.test"
	}
	if o.Run == "" {
		o.Run = newRun()
	}
	base := strings.TrimSuffix(o.BaseURL, "/")
	p := player{client: client, base: base, vars: vars{"run": o.Run, "token": o.Token, "base": base}}
	var failures []Failure
	for _, step := range steps {
		failures = append(failures, p.play(ctx, step)...)
		if ctx.Err() != nil {
			break
		}
	}
	return failures
}

func newRun() string {
	var b [4]byte
	rand.Read(b[:]) // never fails, by its documentation
	return hex.EncodeToString(b[:])
}

type player struct {
	client wire.Doer
	base   string
	vars   vars
}

// play sends one step and checks its answer.
func (p *player) play(ctx context.Context, step Step) []Failure {
	f := Failure{Step: step, Request: step.Method + " " + step.Path}
	fail := func(check, want, got string) []Failure {
		f.Check, f.Want, f.Got = check, want, got
		return []Failure{f}
	}
	req, body, err := p.request(ctx, step)
	if err != nil {
		return fail("request", "a request that can be sent", err.Error())
	}
	f.Request, f.Body = step.Method+" "+strings.TrimPrefix(req.URL.String(), p.base), body
	resp, err := p.client.Do(req)
	if err != nil {
		return fail("request", "an answer", err.Error())
	}
	data, err := wire.ReadBody(resp)
	if err != nil {
		return fail("request", "a whole answer", err.Error())
	}
	f.Status, f.Response = resp.StatusCode, string(data)
	return p.check(step, f, resp, data)
}

func (p *player) request(ctx context.Context, step Step) (*http.Request, string, error) {
	path, err := p.vars.expand(step.Path, inURL)
	if err != nil {
		return nil, "", err
	}
	var body string
	switch {
	case step.RawBody != "":
		body, err = p.vars.expand(step.RawBody, asIs)
	case len(step.Body) > 0 && !bytes.Equal(step.Body, []byte("null")):
		body, err = p.vars.expand(string(step.Body), inJSON)
	}
	if err != nil {
		return nil, "", err
	}
	var reader io.Reader
	if body != "" {
		reader = strings.NewReader(body)
	}
	req, err := http.NewRequestWithContext(ctx, step.Method, p.base+path, reader)
	if err != nil {
		return nil, "", err
	}
	req.Header.Set("Authorization", "Bearer "+p.vars["token"])
	for name, value := range step.Headers {
		if value, err = p.vars.expand(value, asIs); err != nil {
			return nil, "", err
		}
		req.Header.Set(name, value)
		if value == "" { // such as a step without credentials
			req.Header.Del(name)
		}
	}
	return req, body, nil
}

// check compares an answer with what the step expects and saves what it asks
// for. f is the failure to fill in.
func (p *player) check(step Step, f Failure, resp *http.Response, data []byte) []Failure {
	var failures []Failure
	fail := func(check, want, got string) {
		f.Check, f.Want, f.Got = check, want, got
		failures = append(failures, f)
	}
	if !slices.Contains(step.Expect.Status, resp.StatusCode) {
		fail("status", jsonvalue.Text(step.Expect.Status), fmt.Sprint(resp.StatusCode))
	}
	for _, name := range slices.Sorted(maps.Keys(step.Expect.Headers)) {
		want, err := p.vars.expand(step.Expect.Headers[name], asIs)
		if err != nil {
			fail("header "+name, step.Expect.Headers[name], err.Error())
		} else if got := resp.Header.Get(name); !strings.HasPrefix(got, want) {
			fail("header "+name, want+"…", fmt.Sprintf("%q", got))
		}
	}
	if resp.StatusCode == http.StatusNoContent || len(step.Expect.JSON)+len(step.Save) == 0 {
		return failures
	}
	body, err := jsonvalue.Decode(data)
	if err != nil {
		fail("body", "JSON", err.Error())
		return failures
	}
	for _, path := range slices.Sorted(maps.Keys(step.Expect.JSON)) {
		want, err := p.vars.expandWant(step.Expect.JSON[path])
		if err != nil {
			fail(path, string(step.Expect.JSON[path]), err.Error())
			continue
		}
		got, present, err := at(body, path)
		if err != nil {
			fail(path, jsonvalue.Text(want), err.Error())
		} else if !matches(want, got, present) {
			text := "nothing"
			if present {
				text = jsonvalue.Text(got)
			}
			fail(path, jsonvalue.Text(want), text)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(step.Save)) {
		path := step.Save[name]
		got, _, err := at(body, path)
		if text, ok := got.(string); ok && err == nil {
			p.vars[name] = text
		} else {
			fail("save "+name, "a string at "+path, jsonvalue.Text(got))
		}
	}
	return failures
}

func at(body any, path string) (v any, present bool, err error) {
	segments, err := parsePath(path)
	if err != nil {
		return nil, false, err
	}
	v, present = lookup(body, segments)
	return v, present, nil
}
