package sqlite

import (
	"context"
	"database/sql/driver"
	"slices"

	"github.com/musterhq/muster/storage"
)

// Links implements [storage.Store].
func (s *Store) Links(ctx context.Context, q *storage.LinkQuery) (links []storage.Link, err error) {
	err = s.view(ctx, func(c *conn) error {
		r := linkReader{LinkQuery: q, ctx: ctx, conn: c}
		for i, of := range q.Of {
			if i%patience == patience-1 {
				if err := ctx.Err(); err != nil {
					return err
				}
			}
			read := r.all
			if len(q.Other) > 0 {
				read = r.ofOther
			}
			if err := read(of); err != nil {
				return err
			}
		}
		links = r.links
		return nil
	})
	return links, err
}

// linkReader reads what one query asks about.
type linkReader struct {
	*storage.LinkQuery
	ctx   context.Context
	conn  *conn
	links []storage.Link
}

// Statements that read the links of one record, with and without labels. A limit
// of -1 is none.
const (
	selectTargets = `SELECT l.target_type, l.target_id FROM muster_links l
		WHERE l.tenant = ? AND l.owner_type = ? AND l.owner_id = ? AND l.relation = ? AND (l.target_type, l.target_id) > (?, ?)
		ORDER BY l.target_type, l.target_id LIMIT ?`
	selectTargetLabels = `SELECT l.target_type, l.target_id, r.label FROM muster_links l
		LEFT JOIN muster_records r ON r.tenant = l.tenant AND r.type = l.target_type AND r.id = l.target_id
		WHERE l.tenant = ? AND l.owner_type = ? AND l.owner_id = ? AND l.relation = ? AND (l.target_type, l.target_id) > (?, ?)
		ORDER BY l.target_type, l.target_id LIMIT ?`
	selectOwners = `SELECT l.owner_type, l.owner_id FROM muster_links l
		WHERE l.tenant = ? AND l.target_type = ? AND l.target_id = ? AND l.relation = ? AND l.owner_type = ? AND l.owner_id > ?
		ORDER BY l.owner_id LIMIT ?`
	selectOwnerLabels = `SELECT l.owner_type, l.owner_id, r.label FROM muster_links l
		LEFT JOIN muster_records r ON r.tenant = l.tenant AND r.type = l.owner_type AND r.id = l.owner_id
		WHERE l.tenant = ? AND l.target_type = ? AND l.target_id = ? AND l.relation = ? AND l.owner_type = ? AND l.owner_id > ?
		ORDER BY l.owner_id LIMIT ?`
)

// all reads the links of a record behind After, in the order of the other ends.
func (r *linkReader) all(of storage.Ref) error {
	sql, withLabels := selectTargets, selectTargetLabels
	args := []any{r.Tenant, of.Type, of.ID, r.Relation.Name}
	owner := r.Relation.Owner
	switch {
	case !r.Inverse && of.Type != owner, r.Inverse && r.After.Type > owner:
		return nil
	case !r.Inverse:
		args = append(args, r.After.Type, r.After.ID)
	case r.After.Type < owner:
		sql, withLabels = selectOwners, selectOwnerLabels
		args = append(args, owner, "")
	default:
		sql, withLabels = selectOwners, selectOwnerLabels
		args = append(args, owner, r.After.ID)
	}
	if r.Labels {
		sql = withLabels
	}
	limit := int64(-1)
	if r.Limit > 0 {
		limit = int64(r.Limit)
	}
	return r.conn.query(quiet{r.ctx}, sql, append(args, limit), func(row []driver.Value) bool {
		l := storage.Link{Of: of, To: storage.Ref{Type: text(row[0]), ID: text(row[1])}}
		if r.Labels {
			l.Label = text(row[2])
		}
		r.links = append(r.links, l)
		return true
	})
}

// ofOther looks for the links with the records in Other, one by one.
func (r *linkReader) ofOther(of storage.Ref) error {
	others := slices.SortedFunc(slices.Values(r.Other), storage.Ref.Compare)
	n := 0
	for i, to := range slices.Compact(others) {
		if i%patience == patience-1 {
			if err := r.ctx.Err(); err != nil {
				return err
			}
		}
		l := link{of, r.Relation.Name, to}
		if r.Inverse {
			l = link{to, r.Relation.Name, of}
		}
		if to.Compare(r.After) <= 0 || l.owner.Type != r.Relation.Owner {
			continue
		}
		found, err := linked(r.conn, r.Tenant, l)
		if err != nil {
			return err
		}
		if !found {
			continue
		}
		read := storage.Link{Of: of, To: to}
		if r.Labels {
			row, err := r.conn.first("SELECT label FROM muster_records WHERE tenant = ? AND type = ? AND id = ?", r.Tenant, to.Type, to.ID)
			if err != nil {
				return err
			}
			if row != nil {
				read.Label = text(row[0])
			}
		}
		r.links = append(r.links, read)
		if n++; n == r.Limit {
			return nil
		}
	}
	return nil
}

// readTargets reads the targets of an owner's relation behind one, in order.
func readTargets(ctx context.Context, c *conn, tenant string, after link, limit int) (targets []storage.Ref, err error) {
	err = c.query(quiet{ctx}, selectTargets,
		[]any{tenant, after.owner.Type, after.owner.ID, after.relation, after.target.Type, after.target.ID, int64(limit)},
		func(row []driver.Value) bool {
			targets = append(targets, storage.Ref{Type: text(row[0]), ID: text(row[1])})
			return true
		})
	return targets, err
}
