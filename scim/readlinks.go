package scim

import (
	"context"
	"errors"
	"slices"

	"github.com/musterhq/muster/scim/filter"
	"github.com/musterhq/muster/storage"
)

// Links are in the store, or with the Linker that serves their owner's type; labels
// are where the resource is that they name. Everything that reads links does it here.

// readLinks reads links as a store does, from where they are kept. st is the store,
// or an overlay of it.
func (s *Server) readLinks(ctx context.Context, st storage.Store, q *storage.LinkQuery) (links []storage.Link, err error) {
	e := s.byName[q.Relation.Owner]
	if e.keepsLinks() {
		links, err = e.can.link.Links(ctx, q)
	} else {
		links, err = st.Links(ctx, q)
	}
	if err != nil || !q.Labels || !s.hosts {
		return links, err
	}
	return s.labelled(ctx, st, q.Tenant, links, e)
}

// labelled puts labels to links: those of what handlers serve, and of links that
// owner keeps, those of what is in the store.
func (s *Server) labelled(ctx context.Context, st storage.Store, tenant string, links []storage.Link, owner *endpoint) ([]storage.Link, error) {
	wanted := map[*endpoint][]string{}
	for _, l := range links {
		switch e := s.byName[l.To.Type]; {
		case e == nil:
		case e.handler == nil && owner.keepsLinks() && l.Label == "", e.can.label != nil:
			wanted[e] = append(wanted[e], l.To.ID)
		}
	}
	if len(wanted) == 0 {
		return links, nil
	}
	links = slices.Clone(links)
	for e, ids := range wanted {
		slices.Sort(ids)
		labels, err := s.find(ctx, st, e, tenant, "", slices.Compact(ids))
		if err != nil {
			return nil, err
		}
		for i := range links {
			if label := labels[links[i].To.ID]; label != "" && links[i].To.Type == e.typ.Name() {
				links[i].Label = label
			}
		}
	}
	return links, nil
}

// How many resources are looked for with one question to a handler and to the store.
const (
	labelsAtOnce  = 1000
	recordsAtOnce = 200
)

// find looks for resources of one type by their ids, within a connection unless scope
// is "", and returns the labels of those that are there.
func (s *Server) find(ctx context.Context, st storage.Store, e *endpoint, tenant, scope string, ids []string) (map[string]string, error) {
	found := make(map[string]string, len(ids))
	switch {
	case e.can.label != nil:
		for part := range slices.Chunk(ids, labelsAtOnce) {
			labels, err := e.can.label.Labels(within(ctx, scope), tenant, part)
			if err != nil {
				return nil, err
			}
			for _, id := range part {
				if label, ok := labels[id]; ok {
					found[id] = label
				}
			}
		}
	case e.handler != nil:
		label := e.typ.Label()
		for _, id := range ids {
			r, err := e.handler.Get(within(ctx, scope), tenant, id)
			switch {
			case errors.Is(err, ErrNotFound):
			case err != nil:
				return nil, err
			case label.IsZero():
				found[id] = ""
			default:
				found[id] = r.Get(label).Text()
			}
		}
	default:
		for part := range slices.Chunk(ids, recordsAtOnce) {
			page, err := st.Query(ctx, &storage.Query{
				Tenant: tenant, Connection: scope, Type: e.typ, Filter: filter.NewPlan(e.typ, isOneOf(e.typ, part)), Limit: len(part),
			})
			if err != nil {
				return nil, err
			}
			for _, rec := range page.Records {
				found[rec.ID] = rec.Label
			}
		}
	}
	return found, nil
}

// isOneOf asks whether a resource has one of some ids.
func isOneOf(t *Type, ids []string) filter.Node {
	nodes := make([]filter.Node, len(ids))
	for i, id := range ids {
		nodes[i] = filter.Compare{Path: t.Common().ID, Op: filter.Eq, Operand: filter.Operand{Text: id, Key: id}}
	}
	return filter.AnyOf(nodes...)
}
