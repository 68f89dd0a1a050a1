package scimtest

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"strings"

	"github.com/musterhq/muster/internal/jsonvalue"
	"github.com/musterhq/muster/internal/transcript"
)

// answer is what came back, with the request for failures.
type answer struct {
	*transcript.Answer
	request string
	json    any
}

// String returns request and answer as failures show them.
func (a *answer) String() string {
	return fmt.Sprintf("%s\n\tanswer %d %s", a.request, a.Status, clip(a.Body))
}

// get follows keys into the body.
func (a *answer) get(keys ...string) any { return get(a.json, keys...) }

// resources returns the resources of a list.
func (a *answer) resources() []any { return items(a.get("Resources")) }

// send sends a request. Variables are put into path and body; the values of the
// query are plain text. header is pairs of name and value. A request that gets no
// answer ends the check.
func (c *conversation) send(method, path, body string, header ...string) *answer {
	step := transcript.Step{Method: method, Path: encodeQuery(path), RawBody: "", Headers: map[string]string{}}
	if body != "" {
		step.Body = json.RawMessage(body)
		step.Headers["Content-Type"] = "application/scim+json"
	}
	for i := 0; i < len(header); i += 2 {
		step.Headers[header[i]] = header[i+1]
	}
	a, sent, sentBody, err := c.Do(c.ctx, step)
	request := method + " " + sent
	if sentBody != "" {
		request += "\n\tsent   " + clip([]byte(sentBody))
	}
	if err != nil {
		c.unanswered = true
		c.fatalf("%s\n\twant an answer, got %v", request, err)
	}
	if why := c.excuse(method, a); why != "" {
		c.skipf("%s", why)
	}
	return &answer{a, request, a.JSON()}
}

// want fails the check unless the status is one of these.
func (c *conversation) want(a *answer, status ...int) *answer {
	for _, s := range status {
		if a.Status == s {
			return a
		}
	}
	c.fatalf("%v\n\tstatus: want %s, got %d", a, strings.Trim(fmt.Sprint(status), "[]"), a.Status)
	return a
}

// wantError fails the check unless the answer is a SCIM error of that status and,
// when words are given, of one of these scimTypes.
func (c *conversation) wantError(a *answer, status int, words ...string) {
	c.want(a, status)
	named := false
	for _, urn := range items(a.get("schemas")) {
		named = named || urn == errorURN
	}
	if !named || a.get("status") != fmt.Sprint(status) {
		c.errorf("%v\n\twant an error body with its schema and status %q", a, fmt.Sprint(status))
	}
	for _, w := range words {
		if a.get("scimType") == w {
			return
		}
	}
	if len(words) > 0 {
		c.errorf("%v\n\tscimType: want %s, got %s", a, strings.Join(words, " or "), jsonvalue.Text(a.get("scimType")))
	}
}

// create creates a user or a group and returns its id. The name is made unique.
func (c *conversation) create(endpoint, name string, attributes map[string]any) string {
	r := maps.Clone(attributes)
	if r == nil {
		r = map[string]any{}
	}
	if endpoint == "/Groups" {
		r["schemas"], r["displayName"] = []any{groupURN}, c.name(name)
	} else {
		r["schemas"], r["userName"] = []any{userURN}, c.name(name)
	}
	a := c.want(c.send("POST", endpoint, jsonvalue.Text(r)), http.StatusCreated)
	id := str(a.get("id"))
	if id == "" {
		c.fatalf("%v\n\twant an id", a)
	}
	return id
}

func (c *conversation) user(name string, attributes map[string]any) string {
	return c.create("/Users", name, attributes)
}

// name returns a name that no other check uses.
func (c *conversation) name(name string) string { return c.run + "-" + name }

// mine is a filter for what the check created.
func (c *conversation) mine() string { return fmt.Sprintf(`userName sw "%s-"`, c.run) }

// names returns the names of users without what makes them unique.
func (c *conversation) names(resources []any) []string {
	var names []string
	for _, r := range resources {
		names = append(names, strings.TrimPrefix(str(get(r, "userName")), c.run+"-"))
	}
	return names
}
