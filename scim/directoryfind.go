package scim

import (
	"context"
	"errors"
	"time"

	"github.com/musterhq/muster/storage"
)

// Find returns the resources that a filter matches, of the type that it is made
// for, in the order of their ids, behind the id after, at most limit. Fewer than
// limit are the last ones. It costs what the filter costs: little when it
// compares an indexed attribute with eq.
func (d *Directory) Find(ctx context.Context, tenant string, where *Filter, after string, limit int) ([]DirectoryEntry, error) {
	e := d.s.byName[where.Type().Name()]
	if e == nil || limit <= 0 {
		return nil, nil
	}
	return d.list(ctx, e, tenant, where, after, limit)
}

// Count returns how many resources a filter matches, of the type that it is made
// for. A store that keeps no totals looks at all matches.
func (d *Directory) Count(ctx context.Context, tenant string, where *Filter) (int, error) {
	e := d.s.byName[where.Type().Name()]
	if e == nil {
		return 0, nil
	}
	if e.handler != nil {
		page, err := d.s.listHandled(within(ctx, ""), e, &ListRequest{Tenant: tenant, Type: e.typ, Filter: where})
		if err != nil {
			return 0, err
		}
		return page.Total, nil
	}
	page, err := d.s.query(ctx, &storage.Query{Tenant: tenant, Type: e.typ, Filter: where, Total: storage.TotalExact})
	if err != nil {
		return 0, err
	}
	return page.Total, nil
}

// FindDeleted returns tombstones that a filter matches: what was deleted for
// clients and is kept until [Server.Purge] ends it. They come in the order of their
// ids, at most limit. There are none of types that a [ResourceHandler] serves. It is
// for questions with few answers, such as whether a userName was somebody's.
func (d *Directory) FindDeleted(ctx context.Context, tenant string, where *Filter, limit int) ([]DirectoryEntry, error) {
	e := d.s.byName[where.Type().Name()]
	if e == nil || e.handler != nil || limit <= 0 {
		return nil, nil
	}
	page, err := d.s.store.Query(ctx, &storage.Query{Tenant: tenant, Type: e.typ, Filter: where, OnlyHidden: true, Limit: limit})
	if err != nil {
		return nil, err
	}
	return entriesOf(e, page.Records)
}

// Shows reports whether a connection is shown a resource: one that it owns, any where the
// tenant shares ([WithSharing]), and what the handler of the type shows it otherwise, such
// as rows that belong to nobody.
func (d *Directory) Shows(ctx context.Context, tenant, connection string, ref Ref) (bool, error) {
	p := normal(Principal{Tenant: tenant, Connection: connection})
	e := d.s.byName[ref.Type]
	if e == nil {
		return false, nil
	}
	scope := d.s.scope(p)
	var err error
	if e.handler != nil {
		_, err = e.handler.Get(within(ctx, scope), tenant, ref.ID)
	} else {
		var entry DirectoryEntry
		if entry, err = d.Get(ctx, tenant, ref); err == nil {
			return scope == "" || entry.Connection == scope, nil
		}
	}
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// Type returns the compiled resource type of that name, or nil, see [Server.Type].
func (d *Directory) Type(name string) *Type { return d.s.Type(name) }

// Now is the time by the server's clock.
func (d *Directory) Now() time.Time { return d.s.now() }

func entriesOf(e *endpoint, records []*storage.Record) (entries []DirectoryEntry, err error) {
	entries = make([]DirectoryEntry, len(records))
	for i, rec := range records {
		if entries[i], err = entryOf(e, rec); err != nil {
			return nil, err
		}
	}
	return entries, nil
}

func entryOf(e *endpoint, rec *storage.Record) (DirectoryEntry, error) {
	r, err := rec.Resource(e.typ)
	return DirectoryEntry{Resource: r, Connection: rec.Connection}, err
}
