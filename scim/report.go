package scim

import (
	"context"
	"slices"
	"sync"

	"github.com/musterhq/muster/scim/dialect"
)

// Report is what a request relied on or lost, for the host to look at.
type Report struct {
	Principal Principal
	Method    Method
	Type      string // "" on lists of all types
	// ID is the resource, "" on lists and failed creates.
	ID string
	// Rules are the dialect rules that fired.
	Rules []string
	// Ignored are names in the request that mean nothing here, at most 100 of them. See
	// [Ignore] for those that a handler has no place for.
	Ignored []string
	// Dropped are members that were left out because they do not exist. The client
	// will not send them again by itself.
	Dropped []Member
	// Err is what the request failed with, if it failed.
	Err error
}

// WithReport calls f after each request over HTTP that relied on a dialect rule,
// named something unknown, or lost members. It is called before the answer is
// sent and must be quick.
func WithReport(f func(ctx context.Context, r Report)) Option {
	return option(func(s *Server) error { s.report = f; return nil })
}

// call is what one request gathers on its way.
type call struct {
	session *dialect.Session
	dropped []Member

	// A host's code that was given up may go on while the report is made.
	mu    sync.Mutex
	names []string
}

const maxReported = 100

// ignored notes a name that means nothing here.
func (c *call) ignored(name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.names) < maxReported && !slices.Contains(c.names, name) {
		c.names = append(c.names, name)
	}
}

type ignoringKey struct{}

// Ignore notes names of attributes that the request named and that have no effect, for
// [Report.Ignored]: for a [ResourceHandler] that has no place for them, with the
// context that its Create, Replace, Patch, EditLinks or Adopt was given. Names, never
// values; each is reported once, however often the write is repeated. Where nobody
// hears of it, in process or without [WithReport], it does nothing.
//
// An [Amendment] calls [Operation.Ignore].
func Ignore(ctx context.Context, names ...string) {
	c, ok := ctx.Value(ignoringKey{}).(*call)
	if !ok {
		return
	}
	for _, name := range names {
		c.ignored(name)
	}
}

// ignoring returns the context of a write for a handler, which may call Ignore.
func (s *Server) ignoring(ctx context.Context, op *Operation) context.Context {
	if s.report == nil || op.call == nil || !op.Method.Writes() {
		return ctx
	}
	return context.WithValue(ctx, ignoringKey{}, op.call)
}

// tell hands a report to the host if there is anything to report.
func (s *Server) tell(ctx context.Context, op *Operation, c *call, res *Result, err error) {
	if s.report == nil {
		return
	}
	fired := c.session.Fired()
	c.mu.Lock()
	names := slices.Clone(c.names)
	c.mu.Unlock()
	if len(fired)+len(names)+len(c.dropped) == 0 {
		return
	}
	r := Report{
		Principal: op.Principal, Method: op.Method, ID: op.ID,
		Rules: fired, Ignored: names, Dropped: c.dropped, Err: err,
	}
	if r.ID == "" && res != nil && res.Resource != nil {
		r.ID = res.Resource.ID()
	}
	if op.Type != nil {
		r.Type = op.Type.Name()
	}
	s.report(ctx, r)
}
