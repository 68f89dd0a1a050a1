package scim

import (
	"context"
	"net/http"

	"github.com/musterhq/muster/scim/filter"
	"github.com/musterhq/muster/scim/patch"
	"github.com/musterhq/muster/scim/resource"
	"github.com/musterhq/muster/storage"
)

// Method is what an operation does.
type Method string

// The methods.
const (
	Create  Method = "create"
	Get     Method = "get"
	List    Method = "list"
	Replace Method = "replace"
	Patch   Method = "patch"
	Delete  Method = "delete"
)

// Writes reports whether the method may change something.
func (m Method) Writes() bool { return m != Get && m != List }

// Operation is one thing to do with resources of one type: what a request
// becomes after decoding, and what [Server.Do] takes. Fields that its method does
// not use are zero. Interceptors must not modify an operation; they may pass on
// a changed copy.
type Operation struct {
	Method    Method
	Type      *Type
	Principal Principal
	// ID names the resource: Get, Replace, Patch, Delete.
	ID string
	// Resource is the new state: Create, Replace. Its metadata is ignored. A host
	// makes one with [NewResource].
	Resource *Resource
	// Relations are the relation attributes that came with it.
	Relations Relations
	// Patch is what to change. A host makes it with [NewPatch]; patch.Parse makes it of
	// a request's body.
	Patch *patch.Request
	// List is what to look for.
	List ListOptions
	// IfMatch and IfNoneMatch are preconditions as in HTTP (RFC 7644 section
	// 3.14). IfNoneMatch is used by Get alone.
	IfMatch, IfNoneMatch string
	// Projection says which attributes the caller wants; nil means the default
	// set. Relations that it leaves out are not loaded.
	Projection *resource.Projection
	// NoContent says that the caller does not look at the resource of the result,
	// so it need not be complete.
	NoContent bool
	// Bulk says that the operation is part of a bulk request. Of operations that are
	// committed together, next returns before the commit.
	Bulk bool
	// Request is the HTTP request that the operation came with; nil in process.
	Request *http.Request

	call *call
	plan *plan
	me   bool // addressed as /Me
}

// plan says how an operation of a bulk request differs from one by itself.
type plan struct {
	id        string          // of the resource to create
	tombstone *storage.Record // that the create brings back
	adopts    bool            // the create turned out to mean the resource of that id
	over      *overlay        // where it is worked out; nil: in the store
}

// ListOptions are the parameters of a list (RFC 7644 section 3.4.2, RFC 9865).
type ListOptions struct {
	Filter *Filter
	Sort   Sort
	// StartIndex counts from 1; below that it means 1. It is not used with ByCursor.
	StartIndex int
	// Count bounds the page; 0 asks for the total alone. It is capped by the server's
	// largest page.
	Count int
	// ByCursor pages by cursor. Cursor is one of an earlier page, with the same
	// filter, order and count; "" asks for the first page. What an earlier page
	// showed is not shown again, and nothing is left out, whatever is created and
	// deleted meanwhile; a resource whose place in the order changes may be met
	// twice or not at all.
	ByCursor bool
	Cursor   string

	sameCount bool    // Count is whatever it was for the first page
	window    *window // the stretch to read, as a part of a list of several types
}

// Item is a resource with the relations that were loaded for it. Of a long relation
// the first links are loaded; the others come from the store when
// resource.RelationView.All is asked for them, while the context of the operation
// lasts.
type Item struct {
	Resource  *Resource
	Relations []resource.RelationView
}

// Result is what an operation gave.
type Result struct {
	// Item is the resource: of Create, Get, Replace and Patch. After an operation with
	// NoContent the resource may hold metadata alone.
	Item
	// Unchanged says that a write found everything as it should be, or that a Get's
	// IfNoneMatch held; nothing was written.
	Unchanged bool
	// Items, Total and StartIndex are the page of a List. Paging by cursor, Total may
	// be [UnknownTotal], and StartIndex is 0.
	Items      []Item
	Total      int
	StartIndex int
	// NextCursor and PreviousCursor lead to the pages beside this one; "" when there
	// is none.
	NextCursor, PreviousCursor string

	read *stretch
}

// Next runs the rest of the chain.
type Next func(ctx context.Context, op *Operation) (*Result, error)

// Interceptor wraps every operation: for tracing, auditing, metrics. It may
// answer itself, or call next, at most once. A guard is the better place for
// rules about what changes, since it sees effects and not requests. A list of all
// resource types is one List for each of them or several, so that what an
// interceptor demands of a type holds there too.
type Interceptor func(ctx context.Context, op *Operation, next Next) (*Result, error)

// Do runs an operation in process, through interceptors and guards as a request
// over HTTP does. The principal is taken as authenticated. A resource that lacks a
// required attribute is refused. Errors are [*Error]s.
func (s *Server) Do(ctx context.Context, p Principal, op *Operation) (*Result, error) {
	c := *op
	c.Principal = normal(p)
	if err := c.check(); err != nil {
		return nil, s.toError(err)
	}
	if c.call == nil {
		c.call = &call{session: s.dialectOf(c.Principal).Session()}
	}
	res, err := s.chain(context.WithValue(ctx, principalKey{}, c.Principal), &c)
	if err != nil {
		return nil, s.toError(err)
	}
	return res, nil
}

// check finds what an operation that no request was decoded into may lack.
func (op *Operation) check() error {
	wanting := func(what string) error {
		return Errorf(http.StatusInternalServerError, "", "an operation needs %s", what)
	}
	switch {
	case op.Type == nil:
		return wanting("a type")
	case op.Method == Patch && op.Patch == nil:
		return wanting("what to change, in Patch")
	case op.Method != Create && op.Method != Replace:
		return nil
	case op.Resource == nil || op.Resource.Type() != op.Type:
		return wanting("a resource of its type")
	}
	_, err := op.Resource.Edit().Build()
	return err
}

// ParseFilter makes the filter that op.List takes, with the server's tolerance
// for the principal. In it meta.location is compared as [WithBaseURL] says, or
// without that, as the endpoint and the id.
func (s *Server) ParseFilter(p Principal, t *Type, text string) (*Filter, error) {
	x := s.dialectOf(p).Session()
	plan, err := s.parseFilter(&call{session: x}, t, text, s.configuredBase(p.Tenant))
	if err != nil {
		return nil, s.toError(err)
	}
	return plan, nil
}

// parseFilter makes the filter for one type. base is the service root, which
// meta.location begins with.
func (s *Server) parseFilter(c *call, t *Type, text, base string) (*Filter, error) {
	expr, err := s.parseExpr(c, text)
	if err != nil {
		return nil, err
	}
	plan := s.planOptions(c, base)
	plan.UnknownNames = s.rejectUnknown
	plan.Ignored = c.ignored
	return filter.Compile(t, expr, plan)
}

// planOptions are the options for filters of all types.
func (s *Server) planOptions(c *call, base string) filter.Options {
	plan := c.session.Plan()
	plan.BaseURL = base
	plan.Nesting = s.indirect
	return plan
}

// parseExpr reads the text of a filter within the server's limits.
func (s *Server) parseExpr(c *call, text string) (filter.Expr, error) {
	parse := c.session.Filter()
	parse.MaxLength = s.limits.FilterLength
	parse.MaxNodes = s.limits.FilterNodes
	parse.MaxDepth = s.limits.FilterDepth
	return filter.Parse(text, parse)
}

func normal(p Principal) Principal {
	if p.Connection == "" {
		p.Connection = "default"
	}
	return p
}

// scope is the connection that an operation is confined to, or "" when the
// tenant shares among its connections.
func (s *Server) scope(p Principal) string {
	if s.sharing != nil && s.sharing(p.Tenant) {
		return ""
	}
	return p.Connection
}

func refOf(op *Operation) storage.Ref { return storage.Ref{Type: op.Type.Name(), ID: op.ID} }

// over is the overlay in which the operation is worked out, or nil.
func (op *Operation) over() *overlay {
	if op.plan == nil {
		return nil
	}
	return op.plan.over
}
