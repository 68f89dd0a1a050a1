package scim

import (
	"context"
	"net/http"

	"github.com/musterhq/muster/scim/filter"
	"github.com/musterhq/muster/storage"
)

func (s *Server) list(ctx context.Context, e *endpoint, op *Operation) (*Result, error) {
	res := &Result{StartIndex: max(op.List.StartIndex, 1)}
	count := min(max(op.List.Count, 0), s.limits.MaxPageSize)
	if p := op.List.Sort.Path; !p.IsZero() && p.Secret() {
		return nil, Errorf(http.StatusBadRequest, InvalidPath, "attribute %q cannot be sorted by", p)
	}
	rs, total, err := s.page(ctx, e, op, res.StartIndex-1, count)
	if err != nil {
		return nil, err
	}
	views, err := s.relations(ctx, e, op, rs...)
	if err != nil {
		return nil, err
	}
	res.Total = total
	res.Items = make([]Item, len(rs))
	for i, r := range rs {
		res.Items[i].Resource = r
		if views != nil {
			res.Items[i].Relations = views[i]
		}
	}
	return res, nil
}

func (s *Server) page(ctx context.Context, e *endpoint, op *Operation, offset, count int) ([]*Resource, int, error) {
	if e.handler != nil {
		req := &ListRequest{
			Tenant: op.Principal.Tenant, Connection: op.Principal.Connection, Type: e.typ,
			Filter: op.List.Filter, Sort: op.List.Sort, Offset: offset, Limit: count,
		}
		var failed error
		req.Links = s.linkTest(ctx, e, op.Principal.Tenant, &failed)
		page, err := e.handler.List(ctx, req)
		if err == nil {
			err = failed
		}
		if err != nil {
			return nil, 0, err
		}
		return page.Resources, page.Total, nil
	}
	q := storage.Query{
		Tenant: op.Principal.Tenant, Connection: s.scope(op.Principal), Type: e.typ,
		Filter: op.List.Filter, Sort: op.List.Sort, Offset: offset, Total: storage.TotalIfCheap, MaxScan: s.limits.Scan,
	}
	// One record more than the page says whether the page is the last, and then the
	// total is known without counting.
	if count > 0 {
		q.Limit = count + 1
	} else {
		q.Total = storage.TotalExact
	}
	page, err := s.store.Query(ctx, &q)
	if err != nil {
		return nil, 0, err
	}
	total := page.Total
	if total == storage.UnknownTotal {
		if n := len(page.Records); n <= count && (n > 0 || offset == 0) {
			total = offset + n
		} else {
			q.Offset, q.Limit, q.Total, q.Sort = 0, 0, storage.TotalExact, Sort{}
			all, err := s.store.Query(ctx, &q)
			if err != nil {
				return nil, 0, err
			}
			total = all.Total
		}
	}
	records := page.Records[:min(len(page.Records), count)]
	rs := make([]*Resource, len(records))
	for i, rec := range records {
		if rs[i], err = fromRecord(e, rec); err != nil {
			return nil, 0, err
		}
	}
	return rs, total, nil
}

// linkTest answers the tests on relations for a type whose documents are not in
// the store. The first error ends up in failed, since a test cannot fail.
func (s *Server) linkTest(ctx context.Context, e *endpoint, tenant string, failed *error) filter.LinkTest {
	return func(id string, l filter.Linked) bool {
		if *failed != nil {
			return false
		}
		q := &storage.LinkQuery{
			Tenant: tenant, Relation: storage.Relation{Owner: l.Owner, Name: l.Relation}, Inverse: l.Inverse,
			Of: []storage.Ref{{Type: e.typ.Name(), ID: id}}, Limit: 1,
		}
		switch {
		case l.ID != "":
			q.Other = s.others(l)
		case l.Type != "":
			q.After = storage.Ref{Type: l.Type} // in front of the first link of that type
		}
		found, err := s.store.Links(ctx, q)
		if err != nil {
			*failed = err
		}
		return len(found) > 0 && (l.Type == "" || found[0].To.Type == l.Type)
	}
}

// others are the references that the other end of a link test may be.
func (s *Server) others(l filter.Linked) (refs []storage.Ref) {
	if l.Type != "" {
		return []storage.Ref{{Type: l.Type, ID: l.ID}}
	}
	if l.Inverse {
		return []storage.Ref{{Type: l.Owner, ID: l.ID}}
	}
	if owner := s.byName[l.Owner]; owner != nil {
		for _, r := range owner.typ.Relations() {
			if r.Attribute == l.Relation {
				for _, t := range r.Targets {
					refs = append(refs, storage.Ref{Type: t, ID: l.ID})
				}
			}
		}
	}
	return refs
}
