package postgres

import (
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/musterhq/muster/storage"
)

// An edit of a relation is a few statements that can go in one round trip: its
// owner is locked, so that nobody else edits the relation meanwhile; links go and
// come, each noted under the token of the owner's change; and the owner steps if
// any was noted.
//
// The targets of new links are locked for key share, which holds off only who
// deletes or hides them. What sorts before the owner is locked before it.
const (
	lockTargetSQL = `SELECT 1 FROM {records} WHERE tenant = $1 AND type = $2 AND id = $3 FOR KEY SHARE`

	// lockOwner fails unless the owner is there as the edit demands it.
	lockOwnerSQL = `
WITH o AS MATERIALIZED (
	SELECT r.version, r.modified
	FROM {records} r
	WHERE r.tenant = $1 AND r.type = $2 AND r.id = $3 AND NOT r.hidden
		AND ($4::bigint = 0 OR r.version = $4) AND ($5::text = '' OR r.connection = $5)
	FOR NO KEY UPDATE
)
SELECT max(version), max(modified), 1 / count(*) FROM o`

	// addLink tells whether it made a link, and whether its target is missing; with
	// $8 it fails when it is.
	addLinkSQL = `
WITH found AS MATERIALIZED (
	SELECT 1 FROM {records} r
	WHERE r.tenant = $1 AND r.type = $5 AND r.id = $6 AND NOT r.hidden AND ($7::text = '' OR r.connection = $7)
	FOR KEY SHARE
), made AS (
	INSERT INTO {links} (tenant, owner_type, owner_id, relation, target_type, target_id)
	SELECT $1, $2, $3, $4, $5, $6 FROM found
	ON CONFLICT (tenant, owner_type, owner_id, relation, target_type, target_id) DO NOTHING
	RETURNING 1
), noted AS (
	INSERT INTO {change_links} (token, relation, target_type, target_id, added)
	SELECT $9::uuid, $4, $5, $6, true FROM made
), missing AS (
	SELECT NOT EXISTS (SELECT 1 FROM found) AND NOT EXISTS (
		SELECT 1 FROM {links} l
		WHERE l.tenant = $1 AND l.owner_type = $2 AND l.owner_id = $3 AND l.relation = $4 AND l.target_type = $5 AND l.target_id = $6
	) AS missing
)
SELECT (SELECT count(*) FROM made), m.missing, 1 / (CASE WHEN m.missing AND $8::boolean THEN 0 ELSE 1 END) FROM missing m`

	// addLinks is the same for many: it tells how many links it made, and which
	// targets are missing. LIMIT keeps its look-ups from becoming joins.
	addLinksSQL = `
WITH wanted AS MATERIALIZED (
	SELECT w.type COLLATE "C" AS type, w.id COLLATE "C" AS id
	FROM unnest($5::text[], $6::text[]) AS w(type, id)
	LEFT JOIN LATERAL (
		SELECT true AS there FROM {links} l
		WHERE l.tenant = $1 AND l.owner_type = $2 AND l.owner_id = $3 AND l.relation = $4 AND l.target_type = w.type AND l.target_id = w.id
		LIMIT 1
	) l ON true
	WHERE l.there IS NULL
	ORDER BY 1, 2
), found AS MATERIALIZED (
	SELECT r.type, r.id
	FROM wanted w
	CROSS JOIN LATERAL (
		SELECT x.type, x.id FROM {records} x
		WHERE x.tenant = $1 AND x.type = w.type AND x.id = w.id AND NOT x.hidden AND ($7::text = '' OR x.connection = $7)
		LIMIT 1
		FOR KEY SHARE
	) r
), made AS (
	INSERT INTO {links} (tenant, owner_type, owner_id, relation, target_type, target_id)
	SELECT $1, $2, $3, $4, f.type, f.id FROM found f
	RETURNING target_type, target_id
), noted AS (
	INSERT INTO {change_links} (token, relation, target_type, target_id, added)
	SELECT $9::uuid, $4, m.target_type, m.target_id, true FROM made m
), dropped AS (
	SELECT w.type, w.id FROM wanted w EXCEPT SELECT f.type, f.id FROM found f
)
SELECT (SELECT count(*) FROM made), coalesce(array_agg(d.type), '{}'), coalesce(array_agg(d.id), '{}'),
	1 / (CASE WHEN $8::boolean AND count(*) > 0 THEN 0 ELSE 1 END)
FROM dropped d`

	// keepLinks makes links whatever their targets are.
	keepLinksSQL = `
WITH made AS (
	INSERT INTO {links} (tenant, owner_type, owner_id, relation, target_type, target_id)
	SELECT $1, $2, $3, $4, w.type, w.id FROM unnest($5::text[], $6::text[]) AS w(type, id)
	ON CONFLICT (tenant, owner_type, owner_id, relation, target_type, target_id) DO NOTHING
	RETURNING target_type, target_id
), noted AS (
	INSERT INTO {change_links} (token, relation, target_type, target_id, added)
	SELECT $7::uuid, $4, m.target_type, m.target_id, true FROM made m
)
SELECT count(*) FROM made`

	removeLinkSQL = `
WITH gone AS (
	DELETE FROM {links} l
	WHERE l.tenant = $1 AND l.owner_type = $2 AND l.owner_id = $3 AND l.relation = $4 AND l.target_type = $5 AND l.target_id = $6
	RETURNING l.target_type, l.target_id
)` + noteGone

	removeLinksSQL = `
WITH gone AS (
	DELETE FROM {links} l
	USING unnest($5::text[], $6::text[]) AS w(type, id)
	WHERE l.tenant = $1 AND l.owner_type = $2 AND l.owner_id = $3 AND l.relation = $4 AND l.target_type = w.type AND l.target_id = w.id
	RETURNING l.target_type, l.target_id
)` + noteGone

	// someLinks are links behind $5 and $6, in order.
	someLinksSQL = `
SELECT target_type, target_id FROM {links}
WHERE tenant = $1 AND owner_type = $2 AND owner_id = $3 AND relation = $4 AND (target_type, target_id) > ($5, $6)
ORDER BY target_type, target_id
LIMIT $7`

	// resetLinks removes what is not in $5 and $6. EXCEPT compares two long lists in
	// one go, whatever the planner thinks of their length.
	resetLinksSQL = `
WITH unwanted AS MATERIALIZED (
	SELECT l.target_type AS type, l.target_id AS id
	FROM {links} l
	WHERE l.tenant = $1 AND l.owner_type = $2 AND l.owner_id = $3 AND l.relation = $4
	EXCEPT
	SELECT w.type, w.id FROM unnest($5::text[], $6::text[]) AS w(type, id)
), gone AS (
	DELETE FROM {links} l
	USING unwanted w
	WHERE l.tenant = $1 AND l.owner_type = $2 AND l.owner_id = $3 AND l.relation = $4 AND l.target_type = w.type AND l.target_id = w.id
	RETURNING l.target_type, l.target_id
)` + noteGone

	noteGone = `, noted AS (
	INSERT INTO {change_links} (token, relation, target_type, target_id, added)
	SELECT $7::uuid, $4, g.target_type, g.target_id, false FROM gone g
)
SELECT count(*) FROM gone`

	// finish lets the owner step and appends its change, if anything was noted.
	finishSQL = `
WITH n AS (
	SELECT count(*) FILTER (WHERE c.added) AS added, count(*) FILTER (WHERE NOT c.added) AS removed
	FROM {change_links} c
	WHERE c.token = $4
), owner AS (
	UPDATE {records} r
	SET version = r.version + 1, modified = $5
	FROM n
	WHERE r.tenant = $1 AND r.type = $2 AND r.id = $3 AND n.added + n.removed > 0
	RETURNING r.connection, r.version
)
INSERT INTO {changes} (tenant, type, record, connection, kind, paths, version, hidden, time, links_added, links_removed, token)
SELECT $1, $2, $3, o.connection, $6, $7, o.version, false, $5, n.added, n.removed, $4
FROM owner o, n
RETURNING version, time`
)

// edit queues the change of links that an edit makes, without its owner. The
// result is there when the queue was sent. With reject, a statement fails when a
// target is missing.
func (q *queue) edit(e *storage.LinkEdit, t *token, reject bool, r *storage.LinkResult) {
	relation := []any{e.Owner.Type, e.Owner.ID, e.Relation}
	one := func(to storage.Ref, more ...any) []any {
		return append(append(slices.Clone(relation), to.Type, to.ID), more...)
	}
	many := func(list []storage.Ref, more ...any) []any {
		c := columnsOf(list)
		return append(append(slices.Clone(relation), c.types, c.ids), more...)
	}
	counted := func(to *int) func(pgx.Row) error {
		return func(row pgx.Row) error {
			var n int
			err := row.Scan(&n)
			*to += n
			return err
		}
	}
	switch {
	case e.Reset:
		q.add(resetLinksSQL, many(e.Add, t)...).QueryRow(counted(&r.Removed))
	case len(e.Remove) > few:
		q.add(removeLinksSQL, many(e.Remove, t)...).QueryRow(counted(&r.Removed))
	default:
		for _, to := range e.Remove {
			q.add(removeLinkSQL, one(to, t)...).QueryRow(counted(&r.Removed))
		}
	}
	switch {
	case len(e.Add) == 0:
	case e.Missing == storage.MissingKeep:
		q.add(keepLinksSQL, many(e.Add, t)...).QueryRow(counted(&r.Added))
	case len(e.Add) > few:
		q.add(addLinksSQL, many(e.Add, e.IfConnection, reject, t)...).QueryRow(func(row pgx.Row) error {
			var types, ids []string
			if err := row.Scan(&r.Added, &types, &ids, nil); err != nil {
				return err
			}
			r.Dropped = inOrderOf(e.Add, types, ids)
			return nil
		})
	default:
		for _, to := range e.Add {
			q.add(addLinkSQL, one(to, e.IfConnection, reject, t)...).QueryRow(func(row pgx.Row) error {
				var made int
				var missing bool
				if err := row.Scan(&made, &missing, nil); err != nil {
					return err
				}
				r.Added += made
				if missing {
					r.Dropped = append(r.Dropped, to)
				}
				return nil
			})
		}
	}
}

// inOrderOf returns the references that are in types and ids, in the order of
// all.
func inOrderOf(all []storage.Ref, types, ids []string) (some []storage.Ref) {
	if len(ids) == 0 {
		return nil
	}
	in := make(map[storage.Ref]bool, len(ids))
	for i := range ids {
		in[storage.Ref{Type: types[i], ID: ids[i]}] = true
	}
	for _, ref := range all {
		if in[ref] {
			some = append(some, ref)
		}
	}
	return some
}

// targetsBefore are the targets that are to be locked before the owner.
func targetsBefore(e *storage.LinkEdit) (before []storage.Ref) {
	if e.Missing == storage.MissingKeep {
		return nil
	}
	for _, to := range e.Add {
		if to.Compare(e.Owner) < 0 {
			before = append(before, to)
		}
	}
	return before
}

// editAlone queues everything of an edit that is a whole batch.
func (q *queue) editAlone(e *storage.LinkEdit, at time.Time, r *storage.LinkResult) {
	t := newToken()
	for _, to := range slices.SortedFunc(slices.Values(targetsBefore(e)), storage.Ref.Compare) {
		q.add(lockTargetSQL, to.Type, to.ID)
	}
	q.add(lockOwnerSQL, e.Owner.Type, e.Owner.ID, e.IfVersion, e.IfConnection).QueryRow(func(row pgx.Row) error {
		var modified instant
		err := row.Scan(&r.Version, &modified, nil)
		r.Modified = modified.Time
		return err
	})
	q.edit(e, &t, e.Missing == storage.MissingReject, r)
	q.add(finishSQL, e.Owner.Type, e.Owner.ID, &t, instant{at}, e.Change.Kind, encodePaths(e.Change.Paths)).Query(func(rows pgx.Rows) error {
		var modified instant
		for rows.Next() {
			if err := rows.Scan(&r.Version, &modified); err != nil {
				return err
			}
			r.Modified = modified.Time
		}
		return rows.Err()
	})
}
