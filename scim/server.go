package scim

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/musterhq/muster/internal/kept"
	"github.com/musterhq/muster/scim/dialect"
	"github.com/musterhq/muster/scim/schema"
	"github.com/musterhq/muster/storage"
)

// Server is a SCIM service provider: an [http.Handler] that is mounted with its
// prefix stripped, or told of it by [WithPathPrefix]. It is immutable apart from
// its subscribers, and safe for concurrent use.
type Server struct {
	store storage.Store
	auth  Authenticator

	declared  []declared
	endpoints []*endpoint
	byName    map[string]*endpoint // by resource type name
	hosts     bool                 // there are handlers among them
	// endpointPath returns the endpoint of a resource type, "" for unknown ones.
	endpointPath func(resourceType string) string

	chain        Next
	interceptors []Interceptor
	amendments   []Amendment
	guards       []Guard
	dialect      dialect.Set
	report       func(context.Context, Report)
	password     PasswordFunc
	revive       func(context.Context, Principal, *Resource, *Resource) bool
	sharing      func(string) bool
	fromUsers    func(Principal) bool

	baseURL        string
	prefix         []string
	trustForwarded bool
	lastBase       atomic.Pointer[derivedBase]

	patchNoContent      []string
	unknownMembers      UnknownMembers
	atomicBulk          bool
	indirect            bool
	tombstones          time.Duration
	immutableExternalID bool
	rejectUnknown       bool
	publicDiscovery     bool
	documentationURI    string
	limits              Limits
	adopting            *Adopting // nil: nothing can be adopted
	approvals           *kept.Kind[Approval]
	cursors             cursorKeys
	me                  MeFunc
	hookTimeout         time.Duration
	clock               func() time.Time
	log                 *slog.Logger
	challenges          []string

	subscribers subscribers
	syncs       firstSyncs
}

type declared struct {
	t ResourceType
	h ResourceHandler
}

var _ http.Handler = (*Server)(nil)

// New makes a server. store keeps resources and their relations; auth knows
// callers. Users and groups are served as RFC 7643 defines them, users with the
// enterprise extension; options change that. Errors are a programmer's mistakes
// and list everything that is wrong.
func New(store storage.Store, auth Authenticator, opts ...Option) (*Server, error) {
	s := &Server{
		store: store, auth: auth,
		declared:    []declared{{schema.User(), nil}, {schema.Group(), nil}},
		dialect:     dialect.Tolerant(),
		tombstones:  30 * 24 * time.Hour,
		limits:      defaultLimits(),
		approvals:   newApprovals(),
		cursors:     cursorKeys{secrets: [][]byte{newSecret()}, timeout: cursorTimeout},
		hookTimeout: 10 * time.Second,
		clock:       time.Now,
		log:         slog.Default(),
	}
	var errs []error
	if store == nil {
		errs = append(errs, errors.New("a store is required; storage/memory has one to begin with"))
	}
	errs = append(errs, checkAuthenticator(auth))
	for _, o := range opts {
		if o != nil {
			errs = append(errs, o.apply(s))
		}
	}
	errs = append(errs, s.compile(), s.checkAmendments())
	if err := errors.Join(errs...); err != nil {
		return nil, fmt.Errorf("scim: %w", err)
	}
	for _, scheme := range schemesOf(auth) {
		if scheme.Challenge != "" {
			s.challenges = append(s.challenges, scheme.Challenge)
		}
	}
	if len(s.challenges) == 0 {
		s.challenges = []string{bearerScheme.Challenge}
	}
	s.endpointPath = func(resourceType string) string {
		if e := s.byName[resourceType]; e != nil {
			return e.typ.Endpoint()
		}
		return ""
	}
	s.chain = s.execute
	for _, i := range slices.Backward(s.interceptors) {
		next := s.chain
		s.chain = func(ctx context.Context, op *Operation) (*Result, error) { return i(ctx, op, next) }
	}
	return s, nil
}

func (s *Server) compile() error {
	var errs []error
	var types []ResourceType
	s.byName = map[string]*endpoint{}
	for _, d := range s.declared {
		types = append(types, d.t)
	}
	for _, d := range s.declared {
		t, err := schema.Compile(d.t, types...)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		for _, e := range s.endpoints {
			if strings.EqualFold(e.typ.Endpoint(), t.Endpoint()) {
				errs = append(errs, fmt.Errorf("resource types %s and %s have the same endpoint %s", e.typ.Name(), t.Name(), t.Endpoint()))
			}
		}
		var h *hosted
		if d.h != nil {
			h = &hosted{d.h, t, s.limits.Handler}
			s.hosts = true
		}
		e := newEndpoint(t, h)
		if b, ok := d.h.(Binder); ok {
			if err := b.Bind(t); err != nil {
				errs = append(errs, fmt.Errorf("the handler of resource type %s: %w", t.Name(), err))
			}
		}
		s.endpoints = append(s.endpoints, e)
		s.byName[t.Name()] = e
	}
	if len(errs) == 0 {
		errs = append(errs, schema.CheckRelations(types...))
	}
	if s.patchNoContent == nil {
		s.patchNoContent = []string{"Group"}
	} else {
		for _, name := range s.patchNoContent {
			if s.byName[name] == nil {
				errs = append(errs, fmt.Errorf("WithPatchNoContent names %q, which is no resource type of this server", name))
			}
		}
	}
	return errors.Join(errs...)
}

// Type returns the compiled resource type of that name, or nil when it is not
// served.
func (s *Server) Type(name string) *Type {
	if e := s.byName[name]; e != nil {
		return e.typ
	}
	return nil
}

func (s *Server) dialectOf(p Principal) dialect.Set {
	if p.Dialect != nil {
		return *p.Dialect
	}
	return s.dialect
}

// now is the time of a write, in the precision that every store keeps.
func (s *Server) now() time.Time { return s.clock().UTC().Truncate(time.Millisecond) }

// execute is the innermost part of the chain.
func (s *Server) execute(ctx context.Context, op *Operation) (*Result, error) {
	e := s.byName[op.Type.Name()]
	if e == nil || e.typ != op.Type {
		return nil, Errorf(http.StatusNotFound, "", "resource type %s is not served here", op.Type.Name())
	}
	if !e.allows(op.Method) {
		return nil, s.notAllowed(e, op.Method)
	}
	if op.Principal.OnlyMe && !op.me {
		return nil, Errorf(http.StatusForbidden, "", "these credentials give access to the caller's own resource at /Me and to nothing else")
	}
	if op.Method.Writes() && op.Principal.ReadOnly {
		return nil, Errorf(http.StatusForbidden, "", "these credentials may read and not change anything")
	}
	if s.hosts {
		ctx = within(ctx, s.scope(op.Principal))
	}
	if e.handler != nil {
		ctx = s.ignoring(ctx, op)
	}
	run := (*Server).get
	switch op.Method {
	case Get:
	case List:
		run = (*Server).list
	case Create:
		run = (*Server).create
	case Replace:
		run = (*Server).replace
	case Patch:
		run = (*Server).patch
	case Delete:
		run = (*Server).delete
	default:
		return nil, Errorf(http.StatusInternalServerError, "", "unknown method %q", op.Method)
	}
	if s.joins(e, op) {
		return s.join(ctx, e, op, run)
	}
	return run(s, ctx, e, op)
}
