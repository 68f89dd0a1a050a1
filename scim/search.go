package scim

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/musterhq/muster/scim/dialect"
	"github.com/musterhq/muster/scim/filter"
	"github.com/musterhq/muster/scim/resource"
	"github.com/musterhq/muster/storage"
)

const searchRequestURN = "urn:ietf:params:scim:api:messages:2.0:SearchRequest"

// search answers POST to the .search of an endpoint, or with a nil endpoint to that
// of the service root (RFC 7644 section 3.4.3): the list that a GET with the same
// parameters gives. Parameters in the URL mean nothing here.
func (x *exchange) search(e *endpoint) error {
	ctx := x.start()
	err := x.body(func(data []byte) error { return x.s.parseSearch(&x.call, &x.query, data) })
	if err != nil {
		return err
	}
	if e == nil {
		return x.listAll(ctx)
	}
	return x.listType(ctx, e)
}

// parseSearch reads a search request.
func (s *Server) parseSearch(c *call, q *query, data []byte) error {
	var urns []string
	err := readMembers(data, s.limits.Depth, func(name string, value jsontext.Value) error {
		if value.Kind() == 'n' {
			return nil
		}
		text := func(field *string, flag uint8) error {
			if value.Kind() != '"' {
				return badSyntax(name + " must be a string")
			}
			unquoted, err := jsontext.AppendUnquote(nil, value)
			*field = string(unquoted)
			q.has |= flag
			return err
		}
		number := func(field *string, flag uint8) error {
			if value.Kind() != '0' {
				return badSyntax(name + " must be a number")
			}
			*field = string(value)
			q.has |= flag
			return nil
		}
		names := func(field *[]string) error {
			var list []string
			switch {
			case value.Kind() == '"' && c.session.Accepts(dialect.SingleElement):
				var all string
				if err := text(&all, 0); err != nil {
					return err
				}
				list = []string{all}
			case readStrings(value, &list) != nil:
				return badSyntax(name + " must be a list of strings")
			}
			for _, l := range list {
				*field = appendNames(*field, l)
			}
			return nil
		}
		switch name {
		case "schemas":
			if err := readStrings(value, &urns); err != nil {
				return badSyntax("schemas must be a list of URNs")
			}
		case "attributes":
			return names(&q.attributes)
		case "excludedattributes":
			return names(&q.excluded)
		case "filter":
			return text(&q.filter, hasFilter)
		case "sortby":
			return text(&q.sortBy, hasSortBy)
		case "sortorder":
			return text(&q.sortOrder, hasSortOrder)
		case "cursor":
			return text(&q.cursor, hasCursor)
		case "startindex":
			return number(&q.startIndex, hasStartIndex)
		case "count":
			return number(&q.count, hasCount)
		}
		return nil
	})
	if err != nil {
		return err
	}
	named := slices.ContainsFunc(urns, func(urn string) bool { return strings.EqualFold(urn, searchRequestURN) })
	if !named && (len(urns) > 0 || !c.session.Accepts(dialect.MissingSchemas)) {
		return Errorf(http.StatusBadRequest, InvalidSyntax, "schemas must name %s", searchRequestURN)
	}
	return q.check()
}

// listRoot answers GET at the service root (RFC 7644 section 3.4.2.1).
func (x *exchange) listRoot() error {
	if err := x.query.parse(x.r.URL.RawQuery); err != nil {
		return err
	}
	return x.listAll(x.start())
}

// listAll answers a list of all resource types. Each type's part is a List of its
// own to interceptors, so that what they know about a type holds here too.
func (x *exchange) listAll(ctx context.Context) error {
	x.op = Operation{Method: List, Principal: x.principal, Request: x.r, call: &x.call, me: x.isMe}
	o, err := x.paging()
	if err != nil {
		return err
	}
	l, err := x.allTypes(o)
	if err != nil {
		return err
	}
	var res *Result
	var page []entry
	if o.ByCursor {
		res, page, err = x.s.byCursor(ctx, l, x.principal, &o)
	} else {
		res, page, err = x.s.byIndex(ctx, l, &o)
	}
	x.tell(ctx, nil, err)
	if err != nil {
		return err
	}
	res.Items = itemsOf(page)
	projections := make(map[*Type]*resource.Projection, len(l.sources))
	for i := range l.sources {
		t := l.sources[i].e.typ
		projections[t] = x.query.projection(t)
	}
	return x.writeList(res, func(t *Type) *resource.Projection { return projections[t] })
}

// allTypes are the sources of a list of all resource types. An attribute that a
// type does not have is unassigned there, in the filter and in the order; one that
// no type has is unknown, as in a list of one type.
func (x *exchange) allTypes(o ListOptions) (*lister, error) {
	s, q := x.s, &x.query
	l := &lister{sorted: q.sortBy != "", descending: o.Sort.Descending}
	filters, err := x.filters()
	if err != nil {
		return nil, err
	}
	var unsortable error
	sortable := false
	for i, e := range s.endpoints {
		src := source{e: e, filter: filters[i]}
		if l.sorted {
			sort, err := sortPath(e.typ, q.sortBy)
			switch _, unknown := e.typ.Resolve(q.sortBy); {
			case unknown != nil:
				unsortable = err
			case err != nil:
				return nil, err
			default:
				src.sort, sortable = sort, true
			}
		}
		op := x.op
		op.Type = e.typ
		op.Projection = q.projection(e.typ)
		op.List = ListOptions{Filter: src.filter, Sort: Sort{Path: src.sort, Descending: l.descending}}
		src.read = func(ctx context.Context, w window) (*stretch, error) { return s.part(ctx, op, w) }
		if src.filter.Root() != filter.Const(false) {
			l.sources = append(l.sources, src)
		}
	}
	if !sortable && unsortable != nil {
		return nil, unsortable
	}
	return l, nil
}

// part reads a stretch of one type's part through the interceptors.
func (s *Server) part(ctx context.Context, op Operation, w window) (*stretch, error) {
	op.List.window = &w
	op.List.Count = w.limit
	op.NoContent = w.skip
	res, err := s.chain(ctx, &op)
	switch {
	case err != nil:
		return nil, err
	case res == nil:
		return nil, errNoResult
	case res.read == nil: // an interceptor's own
		return &stretch{items: res.Items, total: res.Total, keyset: true}, nil
	}
	read := *res.read
	read.items, read.total = res.Items, res.Total
	return &read, nil
}

// filters are the filter of the request for each resource type.
func (x *exchange) filters() ([]*Filter, error) {
	s, c := x.s, &x.call
	filters := make([]*Filter, len(s.endpoints))
	if x.query.has&hasFilter == 0 {
		return filters, nil
	}
	expr, err := s.parseExpr(c, x.query.filter)
	if err != nil {
		return nil, err
	}
	unknown := map[string]int{}
	var names []string
	for i, e := range s.endpoints {
		seen := map[string]bool{}
		plan := s.planOptions(c, x.baseURL())
		plan.Ignored = func(name string) {
			if !seen[name] {
				seen[name] = true
				unknown[name]++
				names = append(names, name)
			}
		}
		if filters[i], err = filter.Compile(e.typ, expr, plan); err != nil {
			return nil, err
		}
	}
	for _, name := range names {
		switch {
		case unknown[name] < len(s.endpoints):
			continue
		case s.rejectUnknown:
			return nil, Errorf(http.StatusBadRequest, InvalidFilter, "no resource type has an attribute %q", name)
		}
		c.ignored(name)
		delete(unknown, name) // once is enough
	}
	return filters, nil
}

// byIndex reads the page of a list of several types that StartIndex names.
func (s *Server) byIndex(ctx context.Context, l *lister, o *ListOptions) (*Result, []entry, error) {
	res := &Result{StartIndex: max(o.StartIndex, 1)}
	offset, count := res.StartIndex-1, s.pageSize(o)
	if l.merges() {
		return s.byIndexMerged(ctx, l, res, offset, count)
	}
	var page []entry
	for n := range l.sources {
		i := n
		if l.descending {
			i = len(l.sources) - 1 - n
		}
		read, err := l.sources[i].read(ctx, window{offset: max(offset-res.Total, 0), limit: count - len(page), total: storage.TotalExact})
		if err != nil {
			return nil, nil, err
		}
		res.Total += read.total
		for _, item := range read.items {
			page = append(page, entry{Item: item, source: i})
		}
	}
	return res, page, nil
}

// byIndexMerged is byIndex where the types alternate: the resources in front of the
// page have to be read, stretch by stretch.
func (s *Server) byIndexMerged(ctx context.Context, l *lister, res *Result, offset, count int) (*Result, []entry, error) {
	var err error
	if res.Total, err = l.total(ctx); err != nil || offset >= res.Total || count == 0 {
		return res, nil, err
	}
	if offset > s.limits.Scan {
		return nil, nil, storage.ErrTooMany
	}
	var at *place
	for offset > 0 {
		skipped, err := l.read(ctx, at, false, min(offset, s.limits.MaxPageSize), true)
		if err != nil || !skipped.more {
			return res, nil, err
		}
		at = skipped.last
		offset -= len(skipped.list)
	}
	page, err := l.read(ctx, at, false, count, false)
	if err != nil {
		return nil, nil, err
	}
	return res, page.list, nil
}
