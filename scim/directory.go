package scim

import (
	"context"
	"errors"

	"github.com/musterhq/muster/scim/filter"
	"github.com/musterhq/muster/scim/schema"
	"github.com/musterhq/muster/storage"
)

// Directory reads what a server has, wherever it is kept, across all connections
// of a tenant and past interceptors: for code of the host that works with users
// and groups in the background. What is deleted for clients is not in it. It is
// safe for concurrent use.
type Directory struct{ s *Server }

// Directory returns a reader of everything that the server serves.
func (s *Server) Directory() *Directory { return &Directory{s} }

// DirectoryEntry is a resource with its owning connection. It is "" for one that a
// [ResourceHandler] serves, unless the handler is [Owned] and names one.
type DirectoryEntry struct {
	Resource   *Resource
	Connection string
}

// Store returns the store that keeps relations, and resources without a handler.
func (d *Directory) Store() storage.Store { return d.s.store }

// Logged reports whether writes of the type are in the store's change log, if it
// has one. Those of types that a [ResourceHandler] serves are not.
func (d *Directory) Logged(resourceType string) bool {
	e := d.s.byName[resourceType]
	return e != nil && e.handler == nil
}

// Types returns the resource types that the server has, in the order in which they were
// declared.
func (d *Directory) Types() []*Type {
	types := make([]*Type, len(d.s.endpoints))
	for i, e := range d.s.endpoints {
		types[i] = e.typ
	}
	return types
}

// ChangesHands reports whether resources of the type can be adopted and transferred:
// those of the store, and those of a handler that is an [Adopter].
func (d *Directory) ChangesHands(resourceType string) bool {
	e := d.s.byName[resourceType]
	return e != nil && (e.handler == nil || e.can.adopt != nil)
}

// Get returns a resource, or [ErrNotFound].
func (d *Directory) Get(ctx context.Context, tenant string, ref storage.Ref) (DirectoryEntry, error) {
	e := d.s.byName[ref.Type]
	if e == nil {
		return DirectoryEntry{}, ErrNotFound
	}
	if e.handler != nil {
		r, err := e.handler.Get(within(ctx, ""), tenant, ref.ID)
		if err != nil {
			return DirectoryEntry{}, err
		}
		entries, err := e.handledEntries(ctx, tenant, r)
		if err != nil {
			return DirectoryEntry{}, err
		}
		return entries[0], nil
	}
	rec, err := d.s.store.Get(ctx, tenant, ref)
	switch {
	case errors.Is(err, storage.ErrNotFound) || err == nil && rec.Hidden:
		return DirectoryEntry{}, ErrNotFound
	case err != nil:
		return DirectoryEntry{}, err
	}
	return entryOf(e, rec)
}

// List returns resources of a type in the order of their ids, behind the id
// after, at most limit. Fewer than limit are the last ones. named, when not "",
// restricts it to those whose label, such as a group's displayName, folds to the
// same key.
func (d *Directory) List(ctx context.Context, tenant, resourceType, named, after string, limit int) ([]DirectoryEntry, error) {
	e := d.s.byName[resourceType]
	if e == nil || limit <= 0 {
		return nil, nil
	}
	var where *Filter
	if named != "" {
		label := e.typ.Label()
		if label.IsZero() {
			return nil, nil
		}
		key := named
		if !label.Attribute().CaseExact {
			key = schema.Fold(named)
		}
		where = filter.NewPlan(e.typ, filter.Compare{Path: label, Op: filter.Eq, Operand: filter.Operand{Text: named, Key: key}})
	}
	return d.list(ctx, e, tenant, where, after, limit)
}

func (d *Directory) list(ctx context.Context, e *endpoint, tenant string, where *Filter, after string, limit int) ([]DirectoryEntry, error) {
	var at *Position
	if after != "" {
		at = &Position{ID: after, Absent: true}
	}
	if e.handler != nil {
		return d.handled(ctx, e, &ListRequest{Tenant: tenant, Type: e.typ, Filter: where, After: at, Limit: limit})
	}
	page, err := d.s.query(ctx, &storage.Query{Tenant: tenant, Type: e.typ, Filter: where, After: at, Limit: limit})
	if err != nil {
		return nil, err
	}
	return entriesOf(e, page.Records)
}

// handled reads a page of a handler. One that cannot start behind a position is
// read from its beginning.
func (d *Directory) handled(ctx context.Context, e *endpoint, req *ListRequest) ([]DirectoryEntry, error) {
	var entries []DirectoryEntry
	after := ""
	if req.After != nil {
		after = req.After.ID
	}
	for {
		page, err := d.s.listHandled(within(ctx, ""), e, req)
		if err != nil {
			return nil, err
		}
		read, err := e.handledEntries(ctx, req.Tenant, page.Resources...)
		if err != nil {
			return nil, err
		}
		for _, entry := range read {
			if entry.Resource.ID() > after && len(entries) < req.Limit {
				entries = append(entries, entry)
			}
		}
		if page.Keyset || len(entries) == req.Limit || len(page.Resources) < req.Limit {
			return entries, nil
		}
		next := *req
		next.After, next.Offset = nil, req.Offset+len(page.Resources)
		req = &next
	}
}

// handledEntries are resources of a handler, with the connections that they belong to
// if the handler knows.
func (e *endpoint) handledEntries(ctx context.Context, tenant string, rs ...*Resource) ([]DirectoryEntry, error) {
	entries, ids := make([]DirectoryEntry, len(rs)), make([]string, len(rs))
	for i, r := range rs {
		if err := e.checkHandled(r); err != nil {
			return nil, err
		}
		entries[i].Resource, ids[i] = r, r.ID()
	}
	if e.can.owned == nil || len(rs) == 0 {
		return entries, nil
	}
	owners, err := e.can.owned.Owners(within(ctx, ""), tenant, ids)
	for i := range entries {
		entries[i].Connection = owners[ids[i]]
	}
	return entries, err
}

// Members returns the direct members of a group, in the order of [storage.Ref],
// behind the member after, at most limit. It is empty for a group that is gone.
func (d *Directory) Members(ctx context.Context, tenant string, group, after storage.Ref, limit int) ([]storage.Ref, error) {
	return d.linked(ctx, &storage.LinkQuery{
		Tenant: tenant, Relation: membership(), Of: []storage.Ref{group}, After: after, Limit: limit,
	})
}

// GroupsOf returns the groups that a user or a group is a direct member of, in the
// order of their ids, behind the group after, at most limit.
func (d *Directory) GroupsOf(ctx context.Context, tenant string, member, after storage.Ref, limit int) ([]storage.Ref, error) {
	return d.linked(ctx, &storage.LinkQuery{
		Tenant: tenant, Relation: membership(), Of: []storage.Ref{member}, Inverse: true, After: after, Limit: limit,
	})
}

// membership is the relation between groups and their members (RFC 7643
// section 4.2).
func membership() storage.Relation { return storage.Relation{Owner: "Group", Name: "members"} }

func (d *Directory) linked(ctx context.Context, q *storage.LinkQuery) ([]storage.Ref, error) {
	links, err := d.s.readLinks(within(ctx, ""), d.s.store, q)
	if err != nil {
		return nil, err
	}
	refs := make([]storage.Ref, len(links))
	for i, l := range links {
		refs[i] = l.To
	}
	return refs, nil
}
