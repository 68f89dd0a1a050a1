package sqlite

import (
	"database/sql/driver"
	"slices"
	"sort"

	"github.com/musterhq/muster/storage"
)

// link is one link.
type link struct {
	owner    storage.Ref
	relation string
	target   storage.Ref
}

// chunk is how many links are read before some are written: a statement must not
// change what it reads.
const chunk = 1000

// dropLinks: a record that is now deleted or hidden has no links, in neither
// direction. An owner that loses one steps.
func (c *commit) dropLinks() error {
	for _, s := range c.order { // as it is now: the owners that step keep their links
		if !s.deleted && !s.after.hidden {
			continue
		}
		if err := c.dropOwn(s); err != nil {
			return err
		}
		if err := c.dropTo(s.change.Ref); err != nil {
			return err
		}
	}
	return nil
}

// dropOwn removes the links that a record owns, however many, in two statements.
func (c *commit) dropOwn(s *step) error {
	ref := s.change.Ref
	n, err := c.conn.exec(`INSERT INTO muster_change_links (tenant, seq, relation, target_type, target_id, added)
		SELECT tenant, ?, relation, target_type, target_id, 0 FROM muster_links WHERE tenant = ? AND owner_type = ? AND owner_id = ?`,
		s.change.Seq, c.Tenant, ref.Type, ref.ID)
	if err != nil || n == 0 {
		return err
	}
	s.change.LinksRemoved += n
	_, err = c.conn.exec("DELETE FROM muster_links WHERE tenant = ? AND owner_type = ? AND owner_id = ?", c.Tenant, ref.Type, ref.ID)
	return err
}

// dropTo removes the links to a record.
func (c *commit) dropTo(target storage.Ref) error {
	for {
		var links []link
		err := c.conn.query(c.ctx, `SELECT owner_type, owner_id, relation FROM muster_links
			WHERE tenant = ? AND target_type = ? AND target_id = ? ORDER BY owner_type, relation, owner_id LIMIT ?`,
			[]any{c.Tenant, target.Type, target.ID, int64(chunk)}, func(row []driver.Value) bool {
				links = append(links, link{storage.Ref{Type: text(row[0]), ID: text(row[1])}, text(row[2]), target})
				return true
			})
		if err != nil {
			return err
		}
		for _, l := range links {
			if err := c.unlink(l); err != nil {
				return err
			}
		}
		if len(links) < chunk {
			return nil
		}
	}
}

// editLinks makes the edits, then tells how their owners are after all of them.
func (c *commit) editLinks() error {
	owners := make([]*head, len(c.Links))
	for i := range c.Links {
		e := &c.Links[i]
		owner, err := c.owner(e)
		if err != nil {
			return err
		}
		owners[i] = owner
		r, err := c.editRelation(e)
		if err != nil {
			return err
		}
		c.result.Links = append(c.result.Links, r)
	}
	for i, e := range c.Links {
		owner := owners[i]
		if s := c.steps[e.Owner]; s != nil {
			owner = &s.after
		}
		c.result.Links[i].Version, c.result.Links[i].Modified = owner.version, owner.modified
	}
	return nil
}

// owner: the owner is visible, is of the connection and had the version asked
// for. Whether it exists goes before its version.
func (c *commit) owner(e *storage.LinkEdit) (*head, error) {
	var owner, before *head
	if s := c.steps[e.Owner]; s != nil {
		before = s.before
		if !s.deleted {
			owner = &s.after
		}
	} else {
		var err error
		if owner, _, err = c.load(e.Owner); err != nil {
			return nil, err
		}
		before = owner
	}
	if owner == nil || owner.hidden || e.IfConnection != "" && owner.connection != e.IfConnection {
		return nil, &storage.CommitError{Err: storage.ErrNotFound, Ref: e.Owner}
	}
	if e.IfVersion != 0 && (before == nil || before.version != e.IfVersion) {
		return nil, &storage.CommitError{Err: storage.ErrConflict, Ref: e.Owner}
	}
	return owner, nil
}

func (c *commit) editRelation(e *storage.LinkEdit) (r storage.LinkResult, err error) {
	add := e.Add
	if e.Reset {
		if add, r.Removed, err = c.reset(e); err != nil {
			return r, err
		}
	} else {
		for _, to := range e.Remove {
			removed, err := c.unlinkIf(link{e.Owner, e.Relation, to})
			if err != nil {
				return r, err
			}
			if removed {
				r.Removed++
			}
		}
	}
	for i, to := range add {
		if i%patience == patience-1 {
			if err := c.ctx.Err(); err != nil {
				return r, err
			}
		}
		l := link{e.Owner, e.Relation, to}
		added, err := c.linkIf(l, e)
		if err != nil {
			return r, err
		}
		if added {
			r.Added++
			continue
		}
		exists, err := c.linked(l)
		switch {
		case err != nil:
			return r, err
		case exists: // whatever its target is
		case e.Missing == storage.MissingReject:
			return r, &storage.CommitError{Err: storage.ErrMissingTarget, Ref: to}
		default:
			r.Dropped = append(r.Dropped, to)
		}
	}
	if s := c.steps[e.Owner]; r.Added+r.Removed > 0 && !s.described {
		s.change.ChangeInfo, s.described = e.Change, true
	}
	return r, nil
}

// reset removes the links that are there and not in Add. It returns what is in
// Add and not there, in its order. It reads the old links piece by piece, and
// writes nothing that stays.
func (c *commit) reset(e *storage.LinkEdit) (add []storage.Ref, removed int, err error) {
	order := make([]int, len(e.Add)) // of Add, sorted
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(i, j int) int { return e.Add[i].Compare(e.Add[j]) })
	there := make([]bool, len(e.Add))
	var after storage.Ref
	for {
		old, err := readTargets(c.ctx, c.conn, c.Tenant, link{owner: e.Owner, relation: e.Relation, target: after}, chunk)
		if err != nil {
			return nil, 0, err
		}
		for _, to := range old {
			i := sort.Search(len(order), func(i int) bool { return e.Add[order[i]].Compare(to) >= 0 })
			if i < len(order) && e.Add[order[i]] == to {
				there[order[i]] = true
				continue
			}
			removed++
			if err := c.unlink(link{e.Owner, e.Relation, to}); err != nil {
				return nil, 0, err
			}
		}
		if len(old) < chunk {
			break
		}
		after = old[chunk-1]
	}
	for i, to := range e.Add {
		if !there[i] {
			add = append(add, to)
		}
	}
	return add, removed, nil
}

// linked reports whether a link exists.
func (c *commit) linked(l link) (bool, error) { return linked(c.conn, c.Tenant, l) }

func linked(conn *conn, tenant string, l link) (bool, error) {
	row, err := conn.first("SELECT 1 FROM muster_links WHERE tenant = ? AND owner_type = ? AND owner_id = ? AND relation = ? AND target_type = ? AND target_id = ?",
		tenant, l.owner.Type, l.owner.ID, l.relation, l.target.Type, l.target.ID)
	return row != nil, err
}

// linkIf makes a link, as part of the owner's step, if it is not there and its
// target is.
func (c *commit) linkIf(l link, e *storage.LinkEdit) (bool, error) {
	sql := "INSERT INTO muster_links (tenant, owner_type, owner_id, relation, target_type, target_id) VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO NOTHING"
	args := []any{c.Tenant, l.owner.Type, l.owner.ID, l.relation, l.target.Type, l.target.ID}
	if e.Missing != storage.MissingKeep {
		sql = `INSERT INTO muster_links (tenant, owner_type, owner_id, relation, target_type, target_id)
			SELECT ?1, ?2, ?3, ?4, ?5, ?6 WHERE EXISTS (SELECT 1 FROM muster_records
				WHERE tenant = ?1 AND type = ?5 AND id = ?6 AND NOT hidden AND ?7 IN ('', connection)) ON CONFLICT DO NOTHING`
		args = append(args, e.IfConnection)
	}
	n, err := c.conn.exec(sql, args...)
	if err != nil || n == 0 {
		return false, err
	}
	s, err := c.touch(l.owner)
	if err != nil {
		return false, err
	}
	s.change.LinksAdded++
	return true, c.logDelta(s, l, 1)
}

// unlinkIf takes a link away, as part of the owner's step, if it is there.
func (c *commit) unlinkIf(l link) (bool, error) {
	n, err := c.conn.exec("DELETE FROM muster_links WHERE tenant = ? AND owner_type = ? AND owner_id = ? AND relation = ? AND target_type = ? AND target_id = ?",
		c.Tenant, l.owner.Type, l.owner.ID, l.relation, l.target.Type, l.target.ID)
	if err != nil || n == 0 {
		return false, err
	}
	s, err := c.touch(l.owner)
	if err != nil {
		return false, err
	}
	s.change.LinksRemoved++
	return true, c.logDelta(s, l, 0)
}

func (c *commit) unlink(l link) error {
	_, err := c.unlinkIf(l)
	return err
}
