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
	lockTargetsSQL = `
SELECT 1
FROM {records} r, unnest($2::text[], $3::text[]) AS t(type, id)
WHERE r.tenant = $1 AND r.type = t.type AND r.id = t.id
ORDER BY r.type, r.id
FOR KEY SHARE OF r`

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

	// addLinks tells how many links it made, and which targets are missing; with $8
	// it fails when there are any.
	addLinksSQL = `
WITH wanted AS MATERIALIZED (
	SELECT w.type COLLATE "C" AS type, w.id COLLATE "C" AS id
	FROM unnest($5::text[], $6::text[]) AS w(type, id)
	WHERE NOT EXISTS (
		SELECT 1 FROM {links} l
		WHERE l.tenant = $1 AND l.owner_type = $2 AND l.owner_id = $3 AND l.relation = $4 AND l.target_type = w.type AND l.target_id = w.id)
), found AS MATERIALIZED (
	SELECT r.type, r.id
	FROM {records} r, wanted w
	WHERE r.tenant = $1 AND r.type = w.type AND r.id = w.id AND NOT r.hidden AND ($7::text = '' OR r.connection = $7)
	ORDER BY r.type, r.id
	FOR KEY SHARE OF r
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

	removeLinksSQL = `
WITH gone AS (
	DELETE FROM {links} l
	USING unnest($5::text[], $6::text[]) AS w(type, id)
	WHERE l.tenant = $1 AND l.owner_type = $2 AND l.owner_id = $3 AND l.relation = $4 AND l.target_type = w.type AND l.target_id = w.id
	RETURNING l.target_type, l.target_id
)` + noteGone

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
// result is there when the queue was sent. With reject, the statement fails when
// a target is missing.
func (q *queue) edit(e *storage.LinkEdit, t *token, reject bool, r *storage.LinkResult) {
	count := func(to *int) func(pgx.Row) error {
		return func(row pgx.Row) error { return row.Scan(to) }
	}
	relation := []any{e.Owner.Type, e.Owner.ID, e.Relation}
	args := func(list []storage.Ref, more ...any) []any {
		c := columnsOf(list)
		return append(append(slices.Clone(relation), c.types, c.ids), more...)
	}
	if e.Reset {
		q.add(q.names.sql(resetLinksSQL), args(e.Add, t)...).QueryRow(count(&r.Removed))
	} else if len(e.Remove) > 0 {
		q.add(q.names.sql(removeLinksSQL), args(e.Remove, t)...).QueryRow(count(&r.Removed))
	}
	switch {
	case len(e.Add) == 0:
	case e.Missing == storage.MissingKeep:
		q.add(q.names.sql(keepLinksSQL), args(e.Add, t)...).QueryRow(count(&r.Added))
	default:
		q.add(q.names.sql(addLinksSQL), args(e.Add, e.IfConnection, reject, t)...).QueryRow(func(row pgx.Row) error {
			var types, ids []string
			if err := row.Scan(&r.Added, &types, &ids, nil); err != nil {
				return err
			}
			r.Dropped = inOrderOf(e.Add, types, ids)
			return nil
		})
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
	if before := columnsOf(targetsBefore(e)); len(before.ids) > 0 {
		q.add(q.names.sql(lockTargetsSQL), before.types, before.ids)
	}
	q.add(q.names.sql(lockOwnerSQL), e.Owner.Type, e.Owner.ID, e.IfVersion, e.IfConnection).QueryRow(func(row pgx.Row) error {
		var modified instant
		err := row.Scan(&r.Version, &modified, nil)
		r.Modified = modified.Time
		return err
	})
	q.edit(e, &t, e.Missing == storage.MissingReject, r)
	q.add(q.names.sql(finishSQL), e.Owner.Type, e.Owner.ID, &t, instant{at}, e.Change.Kind, encodePaths(e.Change.Paths)).Query(func(rows pgx.Rows) error {
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
