package scim

import (
	"context"
	"net/http"
	"slices"
	"strconv"

	"github.com/musterhq/muster/scim/filter"
	"github.com/musterhq/muster/scim/resource"
	"github.com/musterhq/muster/storage"
)

// listType answers a list of one type, for the parameters in x.query.
func (x *exchange) listType(ctx context.Context, e *endpoint) (err error) {
	x.endpoint = e
	x.op = Operation{Method: List, Type: e.typ, Principal: x.principal, Request: x.r, call: &x.call, me: x.isMe}
	if x.op.List, err = x.list(e); err != nil {
		return err
	}
	x.op.Projection = x.query.projection(e.typ)
	res, err := x.run(ctx)
	if err != nil {
		return err
	}
	return x.writeList(res, func(*Type) *resource.Projection { return x.op.Projection })
}

// writeList writes a ListResponse (RFC 7644 section 3.4.2, RFC 9865 section 2).
func (x *exchange) writeList(res *Result, projection func(*Type) *resource.Projection) error {
	buf := bufferPool.Get().(*[]byte)
	b := append((*buf)[:0], `{"schemas":["urn:ietf:params:scim:api:messages:2.0:ListResponse"]`...)
	number := func(name string, n int) {
		b = append(b, name...)
		b = strconv.AppendInt(b, int64(n), 10)
	}
	if res.Total != UnknownTotal {
		number(`,"totalResults":`, res.Total)
	}
	if res.StartIndex > 0 {
		number(`,"startIndex":`, res.StartIndex)
	}
	number(`,"itemsPerPage":`, len(res.Items))
	for _, c := range [...]struct{ name, cursor string }{{"previousCursor", res.PreviousCursor}, {"nextCursor", res.NextCursor}} {
		if c.cursor != "" {
			b = append(append(b, `,"`...), c.name...)
			b = append(append(b, `":"`...), c.cursor...)
			b = append(b, '"')
		}
	}
	b = append(b, `,"Resources":[`...)
	view := x.view()
	for i := range res.Items {
		if i > 0 {
			b = append(b, ',')
		}
		r := res.Items[i].Resource
		view.Projection, view.Relations = projection(r.Type()), res.Items[i].Relations
		var err error
		if b, err = x.appendResource(http.StatusOK, b, r, &view); err != nil {
			release(buf, b)
			return err
		}
	}
	b = append(b, `]}`...)
	x.end(http.StatusOK, b)
	release(buf, b)
	return nil
}

// list answers a List of one type: a page by number or by cursor, or a stretch of a
// list of several types.
func (s *Server) list(ctx context.Context, e *endpoint, op *Operation) (*Result, error) {
	o := &op.List
	if p := o.Sort.Path; !p.IsZero() && p.Secret() {
		return nil, Errorf(http.StatusBadRequest, InvalidPath, "attribute %q cannot be sorted by", p)
	}
	var res *Result
	switch {
	case o.window != nil:
		read, err := s.read(ctx, e, op, *o.window)
		if err != nil {
			return nil, err
		}
		res = &Result{Items: read.items, Total: read.total, read: read}
		if o.window.skip {
			return res, nil
		}
	case o.ByCursor:
		src := source{e: e, filter: o.Filter, sort: o.Sort.Path, read: func(ctx context.Context, w window) (*stretch, error) {
			return s.read(ctx, e, op, w)
		}}
		l := &lister{sources: []source{src}, sorted: !src.sort.IsZero(), descending: o.Sort.Descending}
		var page []entry
		var err error
		if res, page, err = s.byCursor(ctx, l, op.Principal, o); err != nil {
			return nil, err
		}
		res.Items = itemsOf(page)
	default:
		w := window{offset: max(o.StartIndex, 1) - 1, limit: s.pageSize(o), total: storage.TotalExact}
		read, err := s.read(ctx, e, op, w)
		if err != nil {
			return nil, err
		}
		res = &Result{Items: read.items, Total: read.total, StartIndex: w.offset + 1}
	}
	if err := s.showHandled(ctx, e, op, res.Items); err != nil {
		return nil, err
	}
	if err := s.relations(ctx, e, op, res.Items); err != nil {
		return nil, err
	}
	return res, nil
}

// pageSize is how many resources a page may have.
func (s *Server) pageSize(o *ListOptions) int { return min(max(o.Count, 0), s.limits.MaxPageSize) }

func itemsOf(page []entry) []Item {
	items := make([]Item, len(page))
	for i := range page {
		items[i] = page[i].Item
	}
	return items
}

// read reads a stretch of one type's part of a list.
func (s *Server) read(ctx context.Context, e *endpoint, op *Operation, w window) (*stretch, error) {
	op, err := s.withNesting(ctx, op)
	if err != nil {
		return nil, err
	}
	sort := op.List.Sort
	limit, flipped := w.limit, w.back && !w.counted
	switch {
	case flipped:
		sort.Descending = !sort.Descending
	case w.back:
		w.offset, limit = max(w.offset-limit, 0), min(w.offset, limit)
	}
	var read *stretch
	if e.handler != nil {
		read, err = s.readHandled(ctx, e, op, w, sort, limit)
	} else {
		read, err = s.readStored(ctx, e, op, w, sort, limit)
	}
	if err != nil {
		return nil, err
	}
	if w.back && w.counted {
		read.more = w.offset > 0
		slices.Reverse(read.items)
	}
	return read, nil
}

func (s *Server) readHandled(ctx context.Context, e *endpoint, op *Operation, w window, sort Sort, limit int) (*stretch, error) {
	req := &ListRequest{
		Tenant: op.Principal.Tenant, Connection: op.Principal.Connection, Scope: s.scope(op.Principal), Type: e.typ,
		Filter: op.List.Filter, Sort: sort, After: w.after, Offset: w.offset, Limit: limit,
	}
	if w.peek {
		req.Limit++
	}
	page, err := s.listHandled(ctx, e, req)
	if err != nil {
		return nil, err
	}
	rs := page.Resources
	read := &stretch{total: page.Total, keyset: page.Keyset, more: len(rs) > limit}
	rs = rs[:min(len(rs), limit)]
	read.items = make([]Item, len(rs))
	for i, r := range rs {
		read.items[i].Resource = r
	}
	return read, nil
}

// listHandled has a handler answer a list, and the handler's questions about links
// answered.
func (s *Server) listHandled(ctx context.Context, e *endpoint, req *ListRequest) (*ListPage, error) {
	var failed error
	req.Links = s.linkTest(ctx, e, req.Tenant, &failed)
	page, err := e.handler.List(ctx, req)
	if err == nil {
		err = failed
	}
	return page, err
}

func (s *Server) readStored(ctx context.Context, e *endpoint, op *Operation, w window, sort Sort, limit int) (*stretch, error) {
	q := storage.Query{
		Tenant: op.Principal.Tenant, Connection: s.scope(op.Principal), Type: e.typ,
		Filter: op.List.Filter, Sort: sort, After: w.after, Offset: w.offset, Total: w.total, MaxScan: s.limits.Scan,
	}
	// One record more than the page says whether the page is the last, and then the
	// total is known without counting.
	if limit > 0 || w.peek {
		q.Limit = limit + 1
		q.Total = min(q.Total, storage.TotalIfCheap)
	}
	page, err := s.query(ctx, &q)
	if err != nil {
		return nil, err
	}
	read := &stretch{keyset: true, total: page.Total, more: len(page.Records) > limit}
	if n := len(page.Records); read.total == storage.UnknownTotal && w.after == nil && q.Limit > 0 && !read.more && (n > 0 || w.offset == 0) {
		read.total = w.offset + n
	}
	if read.total == storage.UnknownTotal && w.total == storage.TotalExact {
		q.Offset, q.Limit, q.Total, q.Sort = 0, 0, storage.TotalExact, Sort{}
		all, err := s.query(ctx, &q)
		if err != nil {
			return nil, err
		}
		read.total = all.Total
	}
	records := page.Records[:min(len(page.Records), limit)]
	read.items = make([]Item, len(records))
	for i, rec := range records {
		if read.items[i].Resource, err = rec.Resource(e.typ); err != nil {
			return nil, err
		}
	}
	return read, nil
}

// linkTest answers the tests on relations for a type whose documents are not in
// the store. The first error ends up in failed, since a test cannot fail.
func (s *Server) linkTest(ctx context.Context, e *endpoint, tenant string, failed *error) filter.LinkTest {
	return func(id string, l filter.Linked) bool {
		if *failed != nil {
			return false
		}
		found, err := s.readLinks(ctx, s.store, s.linkQuery(tenant, l, storage.Ref{Type: e.typ.Name(), ID: id}))
		if err != nil {
			*failed = err
		}
		return len(found) > 0 && (l.Type == "" || found[0].To.Type == l.Type)
	}
}

// linkQuery asks for a link of each of some resources that a link test is about. When
// the test is about a type, the link that comes first may be of another one, and then
// there is none of that type.
func (s *Server) linkQuery(tenant string, l filter.Linked, of ...storage.Ref) *storage.LinkQuery {
	q := &storage.LinkQuery{
		Tenant: tenant, Relation: storage.Relation{Owner: l.Owner, Name: l.Relation}, Inverse: l.Inverse, Of: of, Limit: 1,
	}
	switch {
	case l.ID != "":
		q.Other = s.others(l)
	case l.Type != "":
		q.After = storage.Ref{Type: l.Type} // in front of the first link of that type
	}
	return q
}

// others are the references that the other end of a link test may be.
func (s *Server) others(l filter.Linked) (refs []storage.Ref) {
	if l.Type != "" {
		return []storage.Ref{{Type: l.Type, ID: l.ID}}
	}
	if l.Inverse {
		return []storage.Ref{{Type: l.Owner, ID: l.ID}}
	}
	for _, t := range s.targetsOf(l.Owner, l.Relation) {
		refs = append(refs, storage.Ref{Type: t, ID: l.ID})
	}
	return refs
}
