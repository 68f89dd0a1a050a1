package scimtest

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/musterhq/muster/internal/jsonvalue"
	"github.com/musterhq/muster/internal/transcript"
)

// A script is a check written as text:
//
//	P-013 A PUT equal to what is there changes nothing.
//	when tolerant
//	given user u {"title":"Guide"}
//	> PUT /Users/${u}
//	>+ {"userName":"${u_name}","title":"Guide"}
//	< 200
//	< meta.version = "${u_ver}"
//
// The first line is the requirement. Another script of the same requirement
// follows with its id alone, for another mode for instance.
//
//	when strict, when tolerant   the mode that the script is for
//	given user u {…}             creates a user and sets ${u} to its id, ${u_name}
//	given group g {…}            to its userName or displayName, ${u_loc}, ${u_ver}
//	                             and ${u_mod} to parts of its meta
//	> METHOD /path?a=text        a request; what follows = is plain text, to be encoded
//	> Name: value                a header; without a value it is not sent
//	> {…}                        a line of the body, sent as it is
//	>+ {…}                       a body that gets the schemas of its message; of a
//	                             PATCH it is the list of operations
//	>! text                      a body that is not JSON
//	< 200 204                    any of these
//	< 400 invalidPath noTarget   an error body with one of these words, if there are any
//	< Name: prefix               a header
//	< path = JSON                a value or matcher, as package transcript has them; or
//	                             one of the words absent, present, empty
//	< path -> name               sets a variable to a string in the answer
//
// Lines that begin with # are comments. Besides variables that a script sets
// there are ${run}, which is another one for each script, ${base}, ${token},
// ${other_token}, URNs such as ${User}, and those of [server.vars].
//
// What a script uses it needs: one with a PATCH is skipped where there is none.
type script struct {
	mode  Mode // Some: for all of them
	needs []string
	steps []step
}

// step is a request of a script, or a "given".
type step struct {
	transcript.Step
	given string   // the variable of a given
	words []string // of an error, one of these scimTypes
}

// uses tells from the text of a script which features it needs.
var uses = []struct {
	feature string
	pattern *regexp.Regexp
}{
	{"patch", regexp.MustCompile(`> PATCH |"method":"PATCH"`)},
	{"bulk", regexp.MustCompile(`/Bulk`)},
	{"filter", regexp.MustCompile(`[?&]filter=|"filter":`)},
	{"sort", regexp.MustCompile(`[?&]sortBy=|"sortBy":`)},
	{"etag", regexp.MustCompile(`_ver}|If-Match|If-None-Match|ETag|meta\.version`)},
	{"search", regexp.MustCompile(`/\.search`)},
	{"root", regexp.MustCompile(`> \w+ (/\?|/\.search)`)},
	{"me", regexp.MustCompile(`/Me\b`)},
	{"cursor", regexp.MustCompile(`[?&]cursor|"cursor":|Cursor`)},
	{"groups", regexp.MustCompile(`/Groups|given group|\$\{Group\}`)},
	{"enterprise", regexp.MustCompile(`\$\{Enterprise\}`)},
	{"tenants", regexp.MustCompile(`\$\{other_token\}`)},
	{"binary", regexp.MustCompile(`x509Certificates`)},
	{"integer", regexp.MustCompile(`\$\{integer_`)},
	{"decimal", regexp.MustCompile(`\$\{decimal_`)},
	{"dateTime", regexp.MustCompile(`\$\{dateTime_`)},
	{"exact", regexp.MustCompile(`\$\{exact_`)},
	{"immutable", regexp.MustCompile(`\$\{immutable_`)},
	{"request", regexp.MustCompile(`\$\{request_`)},
}

var (
	heading    = regexp.MustCompile(`^([A-Z]-\d{3})(?: (.+))?$`)
	headerLine = regexp.MustCompile(`^([A-Z][A-Za-z-]*):(?: (.*))?$`)
	statusLine = regexp.MustCompile(`^[1-5]\d\d\b`)
	givenLine  = regexp.MustCompile(`^(user|group) (\w+)(?: (\{.*\}))?$`)
)

// parseScripts reads a file of scripts. Scripts of one requirement become one
// check.
func parseScripts(fsys fs.FS, name string) ([]check, error) {
	data, err := fs.ReadFile(fsys, name)
	if err != nil {
		return nil, err
	}
	p := parser{file: name}
	lines := bufio.NewScanner(bytes.NewReader(data))
	for lines.Scan() {
		p.line++
		if err := p.parse(lines.Text()); err != nil {
			return nil, fmt.Errorf("%s:%d: %w", name, p.line, err)
		}
	}
	if err := p.finish(); err != nil {
		return nil, fmt.Errorf("%s:%d: %w", name, p.line, err)
	}
	return p.checks, lines.Err()
}

type parser struct {
	file   string
	line   int
	checks []check
	text   strings.Builder // of the script under way
	script *script
	body   strings.Builder // of the step under way
	add    bool            // the body gets the schemas of its message
}

func (p *parser) parse(line string) error {
	if m := heading.FindStringSubmatch(line); m != nil {
		if err := p.finish(); err != nil {
			return err
		}
		return p.begin(m[1], m[2])
	}
	line = strings.TrimRight(line, " ")
	if line == "" || strings.HasPrefix(line, "#") {
		return nil
	}
	if p.script == nil {
		return fmt.Errorf("a script begins with a requirement")
	}
	p.text.WriteString(line + "\n")
	word, rest, _ := strings.Cut(line, " ")
	switch word {
	case "when":
		mode, ok := map[string]Mode{"strict": Strict, "tolerant": Tolerant}[rest]
		if !ok {
			return fmt.Errorf("when strict or when tolerant")
		}
		p.script.mode = mode
		return nil
	case "given":
		return p.given(rest)
	case ">":
		return p.request(rest)
	case ">+":
		p.add = true
		p.body.WriteString(rest)
		return nil
	case ">!":
		s, err := p.current()
		s.RawBody = rest
		return err
	case "<":
		if err := p.endRequest(); err != nil {
			return err
		}
		return p.expect(rest)
	}
	return fmt.Errorf("a line begins with >, <, given or when")
}

func (p *parser) begin(id, about string) error {
	last := len(p.checks) - 1
	switch {
	case about != "":
		p.checks = append(p.checks, check{id: id, about: about})
	case last < 0 || p.checks[last].id != id:
		return fmt.Errorf("%s has no sentence", id)
	}
	p.script = &script{mode: Some}
	p.text.Reset()
	return nil
}

func (p *parser) finish() error {
	if p.script == nil {
		return nil
	}
	if err := p.endRequest(); err != nil {
		return err
	}
	if len(p.script.steps) == 0 {
		return fmt.Errorf("the script before has no steps")
	}
	for _, s := range p.script.steps {
		if len(s.Expect.Status) == 0 {
			return fmt.Errorf("%s %s expects no status", s.Method, s.Path)
		}
	}
	for _, u := range uses {
		if u.pattern.MatchString(p.text.String()) {
			p.script.needs = append(p.script.needs, u.feature)
		}
	}
	c := &p.checks[len(p.checks)-1]
	c.scripts = append(c.scripts, *p.script)
	p.script = nil
	return nil
}

// current is the step under way. A line that belongs to a step and has none gets
// one that is thrown away, with an error.
func (p *parser) current() (*step, error) {
	if len(p.script.steps) == 0 {
		return new(step), fmt.Errorf("there is no request before this line")
	}
	return &p.script.steps[len(p.script.steps)-1], nil
}

func (p *parser) newStep(method, path string) *step {
	p.script.steps = append(p.script.steps, step{Step: transcript.Step{
		Name: p.checks[len(p.checks)-1].id, Method: method, Path: path, Headers: map[string]string{}, Certain: true,
		Expect: transcript.Expect{JSON: map[string]json.RawMessage{}, Headers: map[string]string{}},
		Save:   map[string]string{}, File: p.file, Line: p.line,
	}})
	return &p.script.steps[len(p.script.steps)-1]
}

func (p *parser) given(text string) error {
	m := givenLine.FindStringSubmatch(text)
	if m == nil {
		return fmt.Errorf("given user name {…} or given group name {…}")
	}
	attributes := map[string]any{}
	if m[3] != "" {
		v, err := jsonvalue.Decode([]byte(m[3]))
		if err != nil {
			return err
		}
		attributes = v.(map[string]any)
	}
	endpoint, nameAttribute, urn := "/Users", "userName", "${User}"
	if m[1] == "group" {
		endpoint, nameAttribute, urn = "/Groups", "displayName", "${Group}"
	}
	if attributes[nameAttribute] == nil {
		attributes[nameAttribute] = "${run}-" + m[2]
	}
	attributes["schemas"] = []any{urn}
	if err := p.endRequest(); err != nil {
		return err
	}
	s := p.newStep("POST", endpoint)
	s.Headers["Content-Type"] = "application/scim+json"
	s.Body = json.RawMessage(jsonvalue.Text(attributes))
	s.Expect.Status = []int{201}
	s.given = m[2]
	s.Save[m[2]], s.Save[m[2]+"_name"] = "id", nameAttribute
	return nil
}

func (p *parser) request(text string) error {
	method, target, ok := strings.Cut(text, " ")
	if ok && strings.HasPrefix(target, "/") && method == strings.ToUpper(method) {
		if err := p.endRequest(); err != nil {
			return err
		}
		p.newStep(method, encodeQuery(target))
		return nil
	}
	s, err := p.current()
	if err != nil {
		return err
	}
	if m := headerLine.FindStringSubmatch(text); m != nil {
		s.Headers[m[1]] = m[2]
		return nil
	}
	p.body.WriteString(text)
	return nil
}

// endRequest gives the step under way its body.
func (p *parser) endRequest() error {
	if p.body.Len() == 0 {
		if s, err := p.current(); err == nil && s.RawBody != "" {
			setDefault(s.Headers, "Content-Type", "application/scim+json")
		}
		return nil
	}
	s, err := p.current()
	if err != nil {
		return err
	}
	text := p.body.String()
	p.body.Reset()
	if p.add {
		p.add = false
		if text, err = withSchemas(s.Method, s.Path, text); err != nil {
			return err
		}
	}
	if !json.Valid([]byte(text)) {
		return fmt.Errorf("the body of %s %s is not JSON", s.Method, s.Path)
	}
	s.Body = json.RawMessage(text)
	setDefault(s.Headers, "Content-Type", "application/scim+json")
	return nil
}

func setDefault(m map[string]string, key, value string) {
	if _, ok := m[key]; !ok {
		m[key] = value
	}
}

// withSchemas adds to a body the schemas of its message.
func withSchemas(method, path, text string) (string, error) {
	if method == "PATCH" {
		return `{"schemas":["${PatchOp}"],"Operations":` + text + `}`, nil
	}
	path, _, _ = strings.Cut(path, "?")
	urn := ""
	switch {
	case strings.HasSuffix(path, "/.search"):
		urn = "SearchRequest"
	case strings.HasPrefix(path, "/Bulk"):
		urn = "BulkRequest"
	case strings.HasPrefix(path, "/Groups"):
		urn = "Group"
	case strings.HasPrefix(path, "/Users"), strings.HasPrefix(path, "/Me"):
		urn = "User"
	default:
		return "", fmt.Errorf("%s has no message of its own", path)
	}
	inner, ok := strings.CutPrefix(text, "{")
	if !ok {
		return "", fmt.Errorf("the body is no object")
	}
	if strings.TrimSpace(inner) != "}" {
		inner = "," + inner
	}
	return `{"schemas":["${` + urn + `}"]` + inner, nil
}

var variable = regexp.MustCompile(`\$\{\w+\}`)

// encodeQuery encodes the values of a query, variables apart, which are encoded
// when they are put in.
func encodeQuery(target string) string {
	path, query, ok := strings.Cut(target, "?")
	if !ok {
		return target
	}
	params := strings.Split(query, "&")
	for i, param := range params {
		name, value, hasValue := strings.Cut(param, "=")
		if !hasValue {
			continue
		}
		var b strings.Builder
		at := 0
		for _, m := range variable.FindAllStringIndex(value, -1) {
			b.WriteString(url.QueryEscape(value[at:m[0]]) + value[m[0]:m[1]])
			at = m[1]
		}
		b.WriteString(url.QueryEscape(value[at:]))
		params[i] = name + "=" + b.String()
	}
	return path + "?" + strings.Join(params, "&")
}

func (p *parser) expect(text string) error {
	s, err := p.current()
	if err != nil {
		return err
	}
	if statusLine.MatchString(text) {
		return s.expectStatus(text)
	}
	if m := headerLine.FindStringSubmatch(text); m != nil {
		s.Expect.Headers[m[1]] = m[2]
		return nil
	}
	if path, name, ok := strings.Cut(text, " -> "); ok {
		s.Save[name] = path
		return nil
	}
	path, want, ok := strings.Cut(text, " = ")
	if !ok {
		return fmt.Errorf("what is expected is a status, a header, path = JSON or path -> name")
	}
	switch want {
	case "absent":
		want = `{"$absent":true}`
	case "present":
		want = `{"$exists":true}`
	case "empty":
		want = `{"$empty":true}`
	}
	if !json.Valid([]byte(want)) {
		return fmt.Errorf("%s is not JSON", want)
	}
	s.Expect.JSON[path] = json.RawMessage(want)
	return nil
}

// expectStatus reads statuses and the words of an error.
func (s *step) expectStatus(text string) error {
	for word := range strings.FieldsSeq(text) {
		if status, err := strconv.Atoi(word); err == nil {
			s.Expect.Status = append(s.Expect.Status, status)
		} else {
			s.words = append(s.words, word)
		}
	}
	if len(s.words) > 0 && slices.Max(s.Expect.Status) < 400 {
		return fmt.Errorf("only errors have a scimType")
	}
	return nil
}

// judgeError returns what is wrong with an answer that is an error: everything
// that is one has the body of one (RFC 7644 section 3.12).
func (s *step) judgeError(a *transcript.Answer) string {
	body := a.JSON()
	switch {
	case a.Status < 400 || s.Method == "HEAD":
		return ""
	case !slices.Contains(items(get(body, "schemas")), any(errorURN)) || get(body, "status") != strconv.Itoa(a.Status):
		return fmt.Sprintf("want an error body with its schema and status %q", strconv.Itoa(a.Status))
	case len(s.words) > 0 && !slices.Contains(s.words, str(get(body, "scimType"))):
		return fmt.Sprintf("scimType: want %s, got %s", strings.Join(s.words, " or "), jsonvalue.Text(get(body, "scimType")))
	}
	return ""
}
