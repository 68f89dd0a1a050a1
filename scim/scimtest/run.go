package scimtest

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/musterhq/muster/internal/transcript"
	"github.com/musterhq/muster/internal/wire"
)

// Run checks a server against the requirements of the SCIM RFCs that can be seen
// from outside, each in a subtest that is named by its id, such as "G-005". The
// ids are explained in docs/conformance.md; each failure repeats the requirement
// and shows the request, what was expected and what came.
//
// The server may hold other resources and serve other clients meanwhile. What a
// check creates has names of its own, and is deleted at its end. A check of what
// the server does not offer is skipped and says so.
func Run(t *testing.T, target Target) {
	t.Helper()
	suite, err := newSuite(t.Context(), target)
	if err != nil {
		t.Fatal(err)
	}
	silent := 0 // checks in a row that got no answer
	for _, c := range suite.checks {
		if silent == 3 {
			t.Fatalf("the server has stopped answering: the checks from %s on are not run", c.id)
		}
		t.Run(c.id, func(t *testing.T) {
			o := suite.hold(t.Context(), c)
			silent++
			if !o.unanswered {
				silent = 0
			}
			if o.skipped != "" {
				t.Skipf("%s %s\n\tskipped: %s", c.id, c.about, o.skipped)
			}
			for _, f := range o.failures {
				t.Errorf("%s %s\n%s", c.id, c.about, f)
			}
		})
	}
}

// suite is one run against one server.
type suite struct {
	target Target
	client wire.Doer
	opts   transcript.Options
	server *server
	checks []check
}

// outcome is what came of one check.
type outcome struct {
	failures   []string
	skipped    string // the reason
	unanswered bool   // a request got no answer
}

func newSuite(ctx context.Context, target Target) (*suite, error) {
	checks, err := allChecks()
	if err != nil {
		return nil, err
	}
	if err := target.except(checks); err != nil {
		return nil, err
	}
	client, opts, err := target.prepare()
	if err != nil {
		return nil, err
	}
	server, err := discover(ctx, transcript.NewPlayer(client, opts), &target)
	if err != nil {
		return nil, err
	}
	return &suite{target, client, opts, server, checks}, nil
}

// most is how long one check may take.
const most = 2 * time.Minute

// hold runs one check.
func (s *suite) hold(ctx context.Context, c check) (o outcome) {
	if reason, ok := s.target.Except[c.id]; ok {
		return outcome{skipped: reason}
	}
	ctx, cancel := context.WithTimeout(ctx, most)
	defer cancel()
	if c.run != nil {
		if reason := s.lacks(c.needs); reason != "" {
			return outcome{skipped: reason}
		}
		return s.converse(ctx, c.run)
	}
	of := func(mode Mode) (scripts []script) {
		for _, script := range c.scripts {
			if script.mode == mode {
				scripts = append(scripts, script)
			}
		}
		return scripts
	}
	scripts := of(Some)
	switch mode := s.target.Mode; {
	case mode != Some:
		scripts = append(scripts, of(mode)...)
	case len(of(Strict)) > 0 && len(of(Tolerant)) > 0:
		if o = s.playAll(ctx, slices.Concat(scripts, of(Tolerant))); len(o.failures) == 0 {
			return o
		}
		scripts = append(scripts, of(Strict)...)
	}
	return s.playAll(ctx, scripts)
}

// playAll runs the scripts that the server has the features for.
func (s *suite) playAll(ctx context.Context, scripts []script) (o outcome) {
	ran := false
	for _, script := range scripts {
		if reason := s.lacks(script.needs); reason != "" {
			o.skipped = reason
			continue
		}
		played := s.play(ctx, script)
		if played.skipped != "" {
			o.skipped = played.skipped
			continue
		}
		ran = true
		o.failures = append(o.failures, played.failures...)
		o.unanswered = o.unanswered || played.unanswered
	}
	switch {
	case ran:
		o.skipped = ""
	case o.skipped == "":
		o.skipped = "it says nothing about a server of Target.Mode"
	}
	return o
}

// lacks returns why a feature is not there, "" when all are.
func (s *suite) lacks(needs []string) string {
	for _, name := range needs {
		if reason, ok := s.target.Except[name]; ok {
			return name + ": " + reason
		}
		if reason, ok := s.server.missing[name]; ok {
			return name + ": " + reason
		}
	}
	return ""
}

// excuse says why an answer is not held against a server that lets clients create
// nothing; "" when it is one like others.
func (s *suite) excuse(method string, a *transcript.Answer) string {
	why := s.lacks([]string{"create"})
	if why == "" || a == nil || a.Status != http.StatusMethodNotAllowed || strings.Contains(a.Header.Get("Allow"), method) {
		return ""
	}
	return why
}

// player returns a player with a name of its own and all variables.
func (s *suite) player() *transcript.Player {
	p := transcript.NewPlayer(s.client, s.opts)
	for name, value := range urns() {
		p.Set(name, value)
	}
	for name, value := range s.server.vars {
		p.Set(name, value)
	}
	p.Set("other_token", s.target.OtherToken)
	return p
}

// play runs a script up to an answer of the wrong kind.
func (s *suite) play(ctx context.Context, script script) (o outcome) {
	p := s.player()
	defer p.CleanUp(ctx)
	for _, step := range script.steps {
		answer, found := p.Play(ctx, step.Step)
		if o.skipped = s.excuse(step.Method, answer); o.skipped != "" {
			o.failures = nil
			return o
		}
		for _, f := range found {
			o.failures = append(o.failures, f.Text())
			if f.Status == 0 || f.Check == "status" {
				o.unanswered = f.Status == 0
				return o // the rest says nothing then
			}
		}
		if answer != nil {
			if wrong := step.judgeError(answer); wrong != "" {
				o.failures = append(o.failures, fmt.Sprintf("\t%s %s\n\t%s\n\tanswer %d %s", step.Method, step.Path, wrong, answer.Status, clip(answer.Body)))
			}
		}
		if step.given == "" {
			continue
		}
		if len(found) > 0 {
			return o
		}
		meta := get(answer.JSON(), "meta")
		for suffix, key := range map[string]string{"_loc": "location", "_ver": "version", "_mod": "lastModified"} {
			p.Set(step.given+suffix, str(get(meta, key)))
		}
	}
	return o
}

// converse runs a check that is a function.
func (s *suite) converse(ctx context.Context, run func(*conversation)) (o outcome) {
	c := &conversation{ctx: ctx, suite: s, Player: s.player()}
	c.run, _ = c.Expand("${run}")
	defer c.CleanUp(ctx)
	defer func() {
		if p := recover(); p != nil {
			if _, stopped := p.(stop); !stopped {
				panic(p)
			}
		}
		o = c.outcome
	}()
	run(c)
	return o
}

// conversation is a check under way that is a function.
type conversation struct {
	*transcript.Player
	*suite
	outcome
	ctx context.Context
	run string
}

// stop is thrown to end a check and caught in converse.
type stop struct{}

func (c *conversation) errorf(format string, args ...any) {
	c.failures = append(c.failures, "\t"+fmt.Sprintf(format, args...))
}

func (c *conversation) fatalf(format string, args ...any) {
	c.errorf(format, args...)
	panic(stop{})
}

func (c *conversation) skipf(format string, args ...any) {
	c.skipped = fmt.Sprintf(format, args...)
	panic(stop{})
}
