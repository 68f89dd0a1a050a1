package scim

import (
	"context"

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
	// Ignored are names in the request that mean nothing here.
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
	names   []string
	dropped []Member
}

const maxReported = 100

func (c *call) ignored(name string) {
	if len(c.names) < maxReported {
		c.names = append(c.names, name)
	}
}

// tell hands a report to the host if there is anything to report.
func (s *Server) tell(ctx context.Context, op *Operation, c *call, res *Result, err error) {
	if s.report == nil {
		return
	}
	fired := c.session.Fired()
	if len(fired)+len(c.names)+len(c.dropped) == 0 {
		return
	}
	r := Report{
		Principal: op.Principal, Method: op.Method, ID: op.ID,
		Rules: fired, Ignored: c.names, Dropped: c.dropped, Err: err,
	}
	if r.ID == "" && res != nil && res.Resource != nil {
		r.ID = res.Resource.ID()
	}
	if op.Type != nil {
		r.Type = op.Type.Name()
	}
	s.report(ctx, r)
}
