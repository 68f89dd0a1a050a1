package scim

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/musterhq/muster/scim/dialect"
)

// Option adjusts a [Server]. Options apply in order; a later one of the same kind
// wins unless its doc says that they add up. A nil Option does nothing, and an
// option whose function is nil has its default, unless its doc says otherwise.
type Option interface{ apply(*Server) error }

type option func(*Server) error

func (f option) apply(s *Server) error { return f(s) }

// Options joins several options to one, for packages that offer some which belong
// together.
func Options(opts ...Option) Option {
	return option(func(s *Server) error {
		var errs []error
		for _, o := range opts {
			if o != nil {
				errs = append(errs, o.apply(s))
			}
		}
		return errors.Join(errs...)
	})
}

// WithResourceType serves a further resource type from the store. A type of the
// same name replaces a built-in one: that is how User and Group get extensions.
func WithResourceType(t ResourceType) Option { return served(t, nil) }

// WithHandler serves a resource type, built-in or not, from the host. Its relations
// are in the store all the same, unless the handler is a [Linker].
func WithHandler(t ResourceType, h ResourceHandler) Option {
	if h == nil {
		return option(func(*Server) error { return fmt.Errorf("the handler of resource type %s is nil", t.Name) })
	}
	return served(t, h)
}

func served(t ResourceType, h ResourceHandler) Option {
	return option(func(s *Server) error {
		d := declared{t, h}
		for i := range s.declared {
			if strings.EqualFold(s.declared[i].t.Name, t.Name) {
				s.declared[i] = d
				return nil
			}
		}
		s.declared = append(s.declared, d)
		return nil
	})
}

// WithoutResourceType stops serving a built-in type. The endpoint /Groups of a
// users-only server answers lists with no resources all the same when Group stays:
// identity providers probe it, so Group should rarely go.
func WithoutResourceType(name string) Option {
	return option(func(s *Server) error {
		n := len(s.declared)
		s.declared = slices.DeleteFunc(s.declared, func(d declared) bool { return strings.EqualFold(d.t.Name, name) })
		if n == len(s.declared) {
			return fmt.Errorf("there is no resource type %q to leave out", name)
		}
		return nil
	})
}

// WithInterceptor adds interceptors; the first is the outermost. None may be nil.
func WithInterceptor(i ...Interceptor) Option {
	return option(func(s *Server) error {
		if slices.ContainsFunc(i, func(i Interceptor) bool { return i == nil }) {
			return errors.New("an interceptor is nil")
		}
		s.interceptors = append(s.interceptors, i...)
		return nil
	})
}

// WithGuard adds guards. All must agree; they are asked in order. None may be nil.
func WithGuard(g ...Guard) Option {
	return option(func(s *Server) error {
		if slices.ContainsFunc(g, func(g Guard) bool { return g == nil }) {
			return errors.New("a guard is nil")
		}
		s.guards = append(s.guards, g...)
		return nil
	})
}

// WithDialect sets the tolerance rules for connections whose Principal names
// none. Default dialect.Tolerant().
func WithDialect(d dialect.Set) Option {
	return option(func(s *Server) error { s.dialect = d; return nil })
}

// WithBaseURL sets the public URL of the service root, which meta.location and
// Location begin with, such as "https://api.example.com/scim/v2". A "{tenant}" in
// it stands for the principal's tenant. Without it the URL follows from the
// request's Host header and path.
func WithBaseURL(base string) Option {
	return option(func(s *Server) error {
		u, err := url.Parse(base)
		if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || u.RawQuery != "" || u.Fragment != "" {
			return fmt.Errorf("base URL %q must be an absolute http or https URL without a query", base)
		}
		s.baseURL = strings.TrimRight(base, "/")
		return nil
	})
}

// WithTrustedForwarded takes scheme, host and path prefix from
// X-Forwarded-Proto, X-Forwarded-Host and X-Forwarded-Prefix. Only for servers
// that nothing but a trusted proxy can reach.
func WithTrustedForwarded() Option {
	return option(func(s *Server) error { s.trustForwarded = true; return nil })
}

// WithPathPrefix makes the server expect a prefix in request paths, for routers
// that do not strip it: "/scim/v2", or "/tenants/{tenant}/scim/v2". A segment
// "{tenant}" must name the tenant of the caller's credentials; otherwise the
// answer is that for unknown credentials.
func WithPathPrefix(pattern string) Option {
	return option(func(s *Server) error {
		if !strings.HasPrefix(pattern, "/") {
			return fmt.Errorf("path prefix %q must begin with a slash", pattern)
		}
		s.prefix = nil
		for seg := range strings.SplitSeq(pattern, "/") {
			if strings.ContainsAny(seg, "{}") && seg != "{tenant}" {
				return fmt.Errorf("path prefix %q: the only placeholder is {tenant}", pattern)
			}
			if seg != "" {
				s.prefix = append(s.prefix, seg)
			}
		}
		return nil
	})
}

// WithSharing says for which tenants the connections see and change each other's
// resources. Default none.
func WithSharing(shares func(tenant string) bool) Option {
	return option(func(s *Server) error { s.sharing = shares; return nil })
}

// WithPatchNoContent names the resource types whose PATCH is answered 204 without
// a body unless the request asks for attributes. Default "Group": a group may have
// very many members. Without arguments every PATCH is answered 200.
func WithPatchNoContent(types ...string) Option {
	return option(func(s *Server) error { s.patchNoContent = append([]string{}, types...); return nil })
}

// UnknownMembers says what to do with members that do not exist.
type UnknownMembers uint8

// What to do with members that do not exist.
const (
	// SkipUnknown applies the others and reports the unknown ones: one stale id does
	// not lose a whole push.
	SkipUnknown UnknownMembers = iota
	// RejectUnknown refuses the whole request with 400 invalidValue.
	RejectUnknown
)

// WithUnknownMembers sets what to do with members that do not exist. Default
// [SkipUnknown].
func WithUnknownMembers(u UnknownMembers) Option {
	return option(func(s *Server) error {
		if s.unknownMembers = u; u > RejectUnknown {
			return fmt.Errorf("WithUnknownMembers(%d): there are SkipUnknown and RejectUnknown", u)
		}
		return nil
	})
}

// WithAtomicBulk makes a bulk request one commit: all of its operations succeed, or
// none is done. Types that a [ResourceHandler] serves cannot take part then.
// Default: each operation stands alone, and so does each circle of operations that
// refer to each other by bulkId.
func WithAtomicBulk() Option {
	return option(func(s *Server) error { s.atomicBulk = true; return nil })
}

// WithTombstones sets how long a deleted resource is kept hidden at least. Nothing
// ends it but [Server.Purge], which the host calls. 0 removes resources at once.
// Default 30 days.
func WithTombstones(keep time.Duration) Option {
	return option(func(s *Server) error {
		if keep < 0 {
			return fmt.Errorf("tombstones cannot be kept for %v", keep)
		}
		s.tombstones = keep
		return nil
	})
}

// WithImmutableExternalID declares that externalId never changes and is never
// given to somebody else, at every identity provider of the host. Then a create
// brings a tombstone back, with its id, when the same connection sends the same
// externalId. Entra ID's usual mapping of a user's externalId does not meet this.
func WithImmutableExternalID() Option {
	return option(func(s *Server) error { s.immutableExternalID = true; return nil })
}

// WithRevive lets the host decide whether a create brings back a tombstone that
// holds a unique value of the new resource, userName as a rule. A recycled name
// may belong to another person, who must not get the leaver's id and rights.
// Default no.
func WithRevive(f func(ctx context.Context, p Principal, tombstone, created *Resource) bool) Option {
	return option(func(s *Server) error { s.revive = f; return nil })
}

// PasswordFunc takes a password that a client set for a user. An error refuses
// the request; an [*Error] is answered as it is, which is how to say that a
// password is too weak. It is called right before the commit, and again when the
// commit has to be repeated. The password must not be logged.
type PasswordFunc func(ctx context.Context, p Principal, user *Resource, password string) error

// WithPassword hands passwords to the host. Without it they are accepted and
// forgotten, since some clients always send a random one. They are never stored,
// returned or logged.
func WithPassword(f PasswordFunc) Option {
	return option(func(s *Server) error { s.password = f; return nil })
}

// WithRejectUnknown refuses unknown attributes in bodies (400 invalidValue) and
// unknown names in filters (400 invalidFilter). Default: they are ignored and
// reported.
func WithRejectUnknown() Option {
	return option(func(s *Server) error { s.rejectUnknown = true; return nil })
}

// WithPublicDiscovery answers /ServiceProviderConfig, /Schemas and
// /ResourceTypes without credentials.
func WithPublicDiscovery() Option {
	return option(func(s *Server) error { s.publicDiscovery = true; return nil })
}

// WithDocumentationURI sets documentationUri of the service provider
// configuration: the absolute URL of a page for the people who set up the identity
// provider. Default none.
func WithDocumentationURI(uri string) Option {
	return option(func(s *Server) error {
		if u, err := url.Parse(uri); err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
			return fmt.Errorf("documentation URI %q must be an absolute http or https URL", uri)
		}
		s.documentationURI = uri
		return nil
	})
}

// WithLogger sets where the server logs. Default slog.Default(). At level Info
// and above no personal data is logged.
func WithLogger(l *slog.Logger) Option {
	return option(func(s *Server) error { s.log = cmp.Or(l, slog.Default()); return nil })
}

// WithClock sets the clock. Default time.Now.
func WithClock(now func() time.Time) Option {
	return option(func(s *Server) error {
		if s.clock = now; now == nil {
			s.clock = time.Now
		}
		return nil
	})
}

// WithHookTimeout bounds the time that subscribers get for one event. Default 10
// seconds.
func WithHookTimeout(d time.Duration) Option {
	return option(func(s *Server) error {
		if d <= 0 {
			return fmt.Errorf("the hook timeout must be positive, not %v", d)
		}
		s.hookTimeout = d
		return nil
	})
}
