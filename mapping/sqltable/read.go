package sqltable

import (
	"context"
	"strings"

	"github.com/musterhq/muster/scim"
)

// Get implements [scim.ResourceHandler].
func (h *Handler) Get(ctx context.Context, tenant, id string) (res *scim.Resource, err error) {
	b := h.b
	a, ok := b.access(tenant, scim.ScopeFromContext(ctx))
	key, is := keyValue(b.key, id)
	if !ok || !is {
		return nil, scim.ErrNotFound
	}
	err = b.db.Read(ctx, func(tx Tx) error {
		r, err := b.find(ctx, tx, a, key)
		if err != nil {
			return err
		}
		res, err = b.resource(r)
		return err
	})
	return res, b.failure(err)
}

// find reads the row with a key, if the call may see it.
func (b *binding) find(ctx context.Context, tx Tx, a access, key any) (*row, error) {
	q := b.statement()
	terms := append(b.visible(q, a), column(b.key)+" = "+q.arg(key))
	rows, err := b.rows(ctx, tx, q, terms, part{})
	if err != nil {
		return nil, err
	}
	for _, r := range rows {
		if keyText(r.key) == keyText(key) { // a column may compare loosely
			return r, nil
		}
	}
	return nil, scim.ErrNotFound
}

// Labels implements [scim.Labeler].
func (h *Handler) Labels(ctx context.Context, tenant string, ids []string) (map[string]string, error) {
	b := h.b
	labels := map[string]string{}
	err := b.named(ctx, tenant, scim.ScopeFromContext(ctx), ids, func(r *row) error {
		res, err := b.resource(r)
		if err == nil {
			labels[res.ID()] = res.Get(b.typ.Label()).Text()
		}
		return err
	})
	return labels, err
}

// Owners implements [scim.Owned].
func (h *Handler) Owners(ctx context.Context, tenant string, ids []string) (map[string]string, error) {
	owners := map[string]string{}
	err := h.b.named(ctx, tenant, "", ids, func(r *row) error {
		if r.side.connection != "" {
			owners[keyText(r.key)] = r.side.connection
		}
		return nil
	})
	return owners, err
}

// named calls f with the rows of ids.
func (b *binding) named(ctx context.Context, tenant, scope string, ids []string, f func(*row) error) error {
	a, ok := b.access(tenant, scope)
	var keys []any
	for _, id := range ids {
		if key, is := keyValue(b.key, id); is {
			keys = append(keys, key)
		}
	}
	if !ok || len(keys) == 0 {
		return nil
	}
	asked := map[string]bool{}
	for _, id := range ids {
		asked[id] = true
	}
	return b.failure(b.db.Read(ctx, func(tx Tx) error {
		for len(keys) > 0 {
			some := keys[:min(len(keys), chunk)]
			keys = keys[len(some):]
			q := b.statement()
			terms := append(b.visible(q, a), column(b.key)+" IN ("+q.list(some)+")")
			rows, err := b.rows(ctx, tx, q, terms, part{})
			if err != nil {
				return err
			}
			for _, r := range rows {
				if !asked[keyText(r.key)] {
					continue
				}
				if err := f(r); err != nil {
					return err
				}
			}
		}
		return nil
	}))
}

// list adds arguments for an IN and returns what stands for them, between commas. The
// last one is repeated up to a power of two, so that there are few different
// statements to prepare.
func (q *statement) list(values []any) string {
	list := make([]string, len(values))
	for i, v := range values {
		list[i] = q.arg(v)
	}
	for n := len(list); n&(n-1) != 0; n++ {
		list = append(list, list[len(list)-1])
	}
	return strings.Join(list, ", ")
}
