package transcript

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

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

// Error returns the failure as text of several lines, the first of which says
// where the step stands.
func (f *Failure) Error() string {
	guess := ""
	if !f.Step.Certain {
		guess = " (not certain)"
	}
	return fmt.Sprintf("%s:%d: %s: %s%s\n%s", f.Step.File, f.Step.Line, f.Step.Client, f.Step.Name, guess, f.Text())
}

// Text returns what was sent, expected and answered, in indented lines.
func (f *Failure) Text() string {
	var b strings.Builder
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
// sent. What the steps created and left behind is deleted at the end.
//
// client does not follow redirects: see [wire.NewClient] and [wire.Handler].
func Replay(ctx context.Context, client wire.Doer, steps []Step, o Options) []Failure {
	p := NewPlayer(client, o)
	defer p.CleanUp(ctx)
	var failures []Failure
	for _, step := range steps {
		_, found := p.Play(ctx, step)
		failures = append(failures, found...)
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

// Player plays steps one by one. It is for one goroutine.
type Player struct {
	client  wire.Doer
	base    string
	vars    vars
	created []created
}

// created is a resource to delete, with the credentials that made it.
type created struct{ path, authorization string }

// NewPlayer returns a Player with the built-in variables.
func NewPlayer(client wire.Doer, o Options) *Player {
	if o.BaseURL == "" {
		o.BaseURL = "http://scim.test"
	}
	if o.Run == "" {
		o.Run = newRun()
	}
	base := strings.TrimSuffix(o.BaseURL, "/")
	return &Player{client: client, base: base, vars: vars{"run": o.Run, "token": o.Token, "base": base}}
}

// Set gives a variable a value.
func (p *Player) Set(name, value string) { p.vars[name] = value }

// Expand replaces the variables in text. A variable without a value is an error.
func (p *Player) Expand(text string) (string, error) { return p.vars.expand(text, asIs) }

// Answer is what came back for one request.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
}

// JSON returns the decoded body as package jsonvalue has it, nil when it is not
// JSON.
func (a *Answer) JSON() any {
	v, err := jsonvalue.Decode(a.Body)
	if err != nil {
		return nil
	}
	return v
}

// Send sends a request as it is, below the base URL, with the bearer token unless
// the header names Authorization.
func (p *Player) Send(ctx context.Context, method, path string, header http.Header, body io.Reader) (*Answer, error) {
	req, err := http.NewRequestWithContext(ctx, method, p.base+path, body)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+p.vars["token"])
	for name, values := range header {
		if values[0] == "" { // such as a request without credentials
			req.Header.Del(name)
		} else {
			req.Header[name] = values
		}
	}
	resp, err := p.client.Do(req)
	if err != nil {
		return nil, err
	}
	data, err := wire.ReadBody(resp)
	if err != nil {
		return nil, err
	}
	p.note(req, resp.StatusCode, data)
	return &Answer{resp.StatusCode, resp.Header, data}, nil
}

// note keeps what a request created. A resource's address follows from the
// endpoint and its id, or for a bulk request from the last two segments of its
// location.
func (p *Player) note(req *http.Request, status int, data []byte) {
	if req.Method != http.MethodPost || status != http.StatusCreated && status != http.StatusOK {
		return
	}
	var body struct {
		ID         string `json:"id"`
		Operations []struct{ Method, Status, Location string }
	}
	if json.Unmarshal(data, &body) != nil {
		return
	}
	authorization := req.Header.Get("Authorization")
	if status == http.StatusCreated && body.ID != "" {
		endpoint := strings.TrimPrefix(req.URL.EscapedPath(), pathOf(p.base))
		p.created = append(p.created, created{strings.TrimSuffix(endpoint, "/") + "/" + inURL(body.ID), authorization})
	}
	for _, op := range body.Operations {
		segments := strings.Split(op.Location, "/")
		if n := len(segments); strings.EqualFold(op.Method, http.MethodPost) && op.Status == "201" && n >= 2 {
			p.created = append(p.created, created{"/" + segments[n-2] + "/" + segments[n-1], authorization})
		}
	}
}

func pathOf(base string) string {
	u, err := url.Parse(base)
	if err != nil {
		return ""
	}
	return u.EscapedPath()
}

// CleanUp deletes what was created and is still there, the latest first. It works
// after ctx has ended too. Whether deleting works is judged elsewhere.
func (p *Player) CleanUp(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
	defer cancel()
	for _, c := range slices.Backward(p.created) {
		_, _ = p.Send(ctx, http.MethodDelete, c.path, http.Header{"Authorization": {c.authorization}}, nil)
	}
	p.created = nil
}

// Do sends the request of a step and returns the answer, unchecked. path and body
// are what was sent.
func (p *Player) Do(ctx context.Context, step Step) (answer *Answer, path, body string, err error) {
	path, header, body, err := p.prepare(step)
	if err != nil {
		return nil, step.Path, "", err
	}
	var reader io.Reader
	if body != "" {
		reader = strings.NewReader(body)
	}
	answer, err = p.Send(ctx, step.Method, path, header, reader)
	return answer, path, body, err
}

// Play sends one step, checks its answer, and saves what the step asks for. The
// answer is nil when there was none.
func (p *Player) Play(ctx context.Context, step Step) (*Answer, []Failure) {
	answer, path, body, err := p.Do(ctx, step)
	f := Failure{Step: step, Request: step.Method + " " + path, Body: body}
	if err != nil {
		f.Check, f.Want, f.Got = "request", "an answer", err.Error()
		return nil, []Failure{f}
	}
	f.Status, f.Response = answer.Status, string(answer.Body)
	return answer, p.check(step, f, answer)
}

func (p *Player) prepare(step Step) (path string, header http.Header, body string, err error) {
	path, err = p.vars.expand(step.Path, inURL)
	if err != nil {
		return "", nil, "", err
	}
	switch {
	case step.RawBody != "":
		body, err = p.vars.expand(step.RawBody, asIs)
	case len(step.Body) > 0 && !bytes.Equal(step.Body, []byte("null")):
		body, err = p.vars.expand(string(step.Body), inJSON)
	}
	if err != nil {
		return "", nil, "", err
	}
	header = http.Header{}
	for name, value := range step.Headers {
		if value, err = p.vars.expand(value, asIs); err != nil {
			return "", nil, "", err
		}
		header.Set(name, value)
	}
	return path, header, body, nil
}

// check compares an answer with what the step expects and saves what it asks
// for. f is the failure to fill in.
func (p *Player) check(step Step, f Failure, answer *Answer) []Failure {
	var failures []Failure
	fail := func(check, want, got string) {
		f.Check, f.Want, f.Got = check, want, got
		failures = append(failures, f)
	}
	if !slices.Contains(step.Expect.Status, answer.Status) {
		fail("status", jsonvalue.Text(step.Expect.Status), fmt.Sprint(answer.Status))
	}
	for _, name := range slices.Sorted(maps.Keys(step.Expect.Headers)) {
		want, err := p.vars.expand(step.Expect.Headers[name], asIs)
		if err != nil {
			fail("header "+name, step.Expect.Headers[name], err.Error())
		} else if got := answer.Header.Get(name); got == "" || !strings.HasPrefix(got, want) {
			fail("header "+name, want+"…", fmt.Sprintf("%q", got))
		}
	}
	if answer.Status == http.StatusNoContent || answer.Status == http.StatusNotModified {
		if len(answer.Body) > 0 {
			fail("body", "none", "one")
		}
		return failures
	}
	if len(step.Expect.JSON)+len(step.Save) == 0 {
		return failures
	}
	body, err := jsonvalue.Decode(answer.Body)
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
		got, present, err := p.at(body, path)
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
		got, _, err := p.at(body, path)
		if text, ok := got.(string); ok && err == nil {
			p.vars[name] = text
		} else {
			fail("save "+name, "a string at "+path, jsonvalue.Text(got))
		}
	}
	return failures
}

func (p *Player) at(body any, path string) (v any, present bool, err error) {
	if path, err = p.vars.expand(path, asIs); err != nil {
		return nil, false, err
	}
	return at(body, path)
}

func at(body any, path string) (v any, present bool, err error) {
	segments, err := parsePath(path)
	if err != nil {
		return nil, false, err
	}
	v, present = lookup(body, segments)
	return v, present, nil
}
