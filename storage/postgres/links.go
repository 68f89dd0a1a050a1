package postgres

import (
	"context"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/musterhq/muster/storage"
)

// All read the links of many records at once: $1 tenant, $2 types and $3 ids of
// the records, $4 owner's type, $5 relation, $6 and $7 the end to start behind,
// $8 a limit or null, $9 whether labels are wanted. Where only some other ends
// are asked about, $10 and $11 are these, and each is looked up.
const (
	linksHead = `
SELECT o.n, l.type, l.id, r.label
FROM unnest($2::text[], $3::text[]) WITH ORDINALITY AS o(type, id, n)
CROSS JOIN LATERAL (`
	linksTail = `
	LIMIT $8
) l
LEFT JOIN {records} r ON $9::boolean AND r.tenant = $1 AND r.type = l.type AND r.id = l.id
ORDER BY o.n, l.type, l.id`

	linksForwardSQL = linksHead + `
	SELECT x.target_type AS type, x.target_id AS id
	FROM {links} x
	WHERE x.tenant = $1 AND x.owner_type = o.type AND x.owner_id = o.id AND x.relation = $5 AND o.type = $4
		AND (x.target_type, x.target_id) > ($6, $7)
	ORDER BY x.target_type, x.target_id` + linksTail

	linksInverseSQL = linksHead + `
	SELECT x.owner_type AS type, x.owner_id AS id
	FROM {links} x
	WHERE x.tenant = $1 AND x.target_type = o.type AND x.target_id = o.id AND x.owner_type = $4 AND x.relation = $5
		AND (x.owner_type, x.owner_id) > ($6, $7)
	ORDER BY x.owner_type, x.owner_id` + linksTail

	otherEnds = `
	SELECT e.type COLLATE "C" AS type, e.id COLLATE "C" AS id
	FROM unnest($10::text[], $11::text[]) AS e(type, id)
	WHERE (e.type COLLATE "C", e.id COLLATE "C") > ($6, $7) AND EXISTS (
		SELECT 1 FROM {links} x
		WHERE x.tenant = $1 AND x.relation = $5 AND `

	linksForwardOtherSQL = linksHead + otherEnds + `
			x.owner_type = o.type AND x.owner_id = o.id AND x.target_type = e.type AND x.target_id = e.id AND o.type = $4
	)
	ORDER BY 1, 2` + linksTail

	linksInverseOtherSQL = linksHead + otherEnds + `
			x.owner_type = e.type AND x.owner_id = e.id AND x.target_type = o.type AND x.target_id = o.id AND e.type = $4
	)
	ORDER BY 1, 2` + linksTail
)

// Links implements [storage.Store].
func (s *Store) Links(ctx context.Context, q *storage.LinkQuery) ([]storage.Link, error) {
	if q.Inverse {
		return s.links(ctx, s.reads, q)
	}
	return s.links(ctx, s.pool, q)
}

func (s *Store) links(ctx context.Context, pool *pgxpool.Pool, q *storage.LinkQuery) ([]storage.Link, error) {
	if err := ctx.Err(); err != nil || len(q.Of) == 0 {
		return nil, err
	}
	text := linksForwardSQL
	switch {
	case q.Inverse && len(q.Other) > 0:
		text = linksInverseOtherSQL
	case q.Inverse:
		text = linksInverseSQL
	case len(q.Other) > 0:
		text = linksForwardOtherSQL
	}
	var limit *int64
	if q.Limit > 0 {
		n := int64(q.Limit)
		limit = &n
	}
	of := columnsOf(q.Of)
	args := []any{q.Tenant, of.types, of.ids, q.Relation.Owner, q.Relation.Name, q.After.Type, q.After.ID, limit, q.Labels}
	if len(q.Other) > 0 {
		other := columnsOf(slices.Compact(slices.SortedFunc(slices.Values(q.Other), storage.Ref.Compare)))
		args = append(args, other.types, other.ids)
	}
	var links []storage.Link
	err := persist(ctx, again, func() (err error) {
		links, err = readLinks(ctx, pool, q, s.names.sql(text), args)
		return err
	})
	if err != nil {
		return nil, outward(ctx, err)
	}
	return links, nil
}

func readLinks(ctx context.Context, pool *pgxpool.Pool, q *storage.LinkQuery, sql string, args []any) (links []storage.Link, err error) {
	rows, err := pool.Query(ctx, sql, args...)
	if err != nil {
		return nil, err
	}
	var n int
	var to storage.Ref
	var label *string
	_, err = pgx.ForEachRow(rows, []any{&n, &to.Type, &to.ID, &label}, func() error {
		l := storage.Link{Of: q.Of[n-1], To: to}
		if label != nil {
			l.Label = *label
		}
		links = append(links, l)
		return nil
	})
	return links, err
}

// refs are references as arrays of a statement.
type refs struct{ types, ids []string }

func columnsOf(list []storage.Ref) refs {
	r := refs{make([]string, len(list)), make([]string, len(list))}
	for i, ref := range list {
		r.types[i], r.ids[i] = ref.Type, ref.ID
	}
	return r
}

func (r *refs) add(ref storage.Ref) {
	r.types, r.ids = append(r.types, ref.Type), append(r.ids, ref.ID)
}
