package scim

import "time"

// Limits bound the work that a request can cause. A field of zero or less keeps
// its default. Over a limit the answer is a clear error, at once.
type Limits struct {
	Body       int64 // bytes of a request body; default 8 MiB; 413
	Depth      int   // nesting of JSON; default 32; 400 invalidSyntax
	Members    int   // members in one request; default 100,000; 400 invalidValue
	Operations int   // operations of one PATCH; default 10,000; 400 invalidValue
	// BulkOperations are the operations of one bulk request; default 1,000; 413. Its
	// size is bounded by Body.
	BulkOperations int
	FilterLength   int // bytes of a filter; default 8,192; 400 invalidFilter
	FilterNodes    int // comparisons, value paths and operators of a filter; default 200; 400 invalidFilter
	FilterDepth    int // nesting of a filter; default 50; 400 invalidFilter
	PageSize       int // resources when count is absent; default 100; never more than MaxPageSize
	MaxPageSize    int // resources of one page; default 1,000; larger counts are capped
	Scan           int // records looked at for one list; default 2,000,000; 400 tooMany
	Labels         int // members whose display is shown; default 1,000
	// MembersShown are the members of a resource beyond which answers leave the
	// attribute out, so that no part passes for the whole; default no limit. An empty
	// relation is shown as [], so a client can tell. See docs/large-groups.md.
	MembersShown int
	NestingDepth int // levels that indirect groups are followed; default 10
	NestedGroups int // links between groups looked at for one answer; default 10,000
	// Wait bounds an operation that has to be repeated because others write the same
	// resource. Default 15 seconds; then 503.
	Wait time.Duration
	// Handler bounds one call of a [ResourceHandler]: its context ends then, and the
	// answer is 503. A handler that does not mind its context is left behind a second
	// later; what it still does then is not known to the client. Default 30 seconds.
	Handler time.Duration
}

// WithLimits sets limits.
func WithLimits(l Limits) Option {
	return option(func(s *Server) error {
		setLimit(&s.limits.Body, l.Body)
		setLimit(&s.limits.Depth, l.Depth)
		setLimit(&s.limits.Members, l.Members)
		setLimit(&s.limits.Operations, l.Operations)
		setLimit(&s.limits.BulkOperations, l.BulkOperations)
		setLimit(&s.limits.FilterLength, l.FilterLength)
		setLimit(&s.limits.FilterNodes, l.FilterNodes)
		setLimit(&s.limits.FilterDepth, l.FilterDepth)
		setLimit(&s.limits.PageSize, l.PageSize)
		setLimit(&s.limits.MaxPageSize, l.MaxPageSize)
		setLimit(&s.limits.Scan, l.Scan)
		setLimit(&s.limits.Labels, l.Labels)
		setLimit(&s.limits.MembersShown, l.MembersShown)
		setLimit(&s.limits.NestingDepth, l.NestingDepth)
		setLimit(&s.limits.NestedGroups, l.NestedGroups)
		setLimit(&s.limits.Wait, l.Wait)
		setLimit(&s.limits.Handler, l.Handler)
		s.limits.PageSize = min(s.limits.PageSize, s.limits.MaxPageSize)
		return nil
	})
}

func setLimit[T ~int | ~int64](limit *T, v T) {
	if v > 0 {
		*limit = v
	}
}

func defaultLimits() Limits {
	return Limits{
		Body: 8 << 20, Depth: 32, Members: 100_000, Operations: 10_000, BulkOperations: 1000,
		FilterLength: 8192, FilterNodes: 200, FilterDepth: 50,
		PageSize: 100, MaxPageSize: 1000, Scan: 2_000_000, Labels: 1000, NestingDepth: 10, NestedGroups: 10_000,
		Wait: 15 * time.Second, Handler: 30 * time.Second,
	}
}
