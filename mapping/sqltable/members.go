package sqltable

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/musterhq/muster/scim"
	"github.com/musterhq/muster/scim/filter"
	"github.com/musterhq/muster/storage"
)

// Memberships is a table with a row for each member of a group.
//
//	sqltable.Memberships{Name: "team_members", Owner: "team_id", Member: "user_id"}
//
// A unique index on the two columns is needed. Groups that are members of groups
// have no place in it.
type Memberships struct {
	Name string
	// Owner holds the group's key, and Member that of the user.
	Owner, Member string
	// Users is the table of the users, which the handler of the users serves too. A
	// member is taken when the tenant has a row of that key in it.
	Users *Handler
	// Insert are columns that are written when a row is made, as in [Table].
	Insert map[string]any
}

// Groups serves a resource type whose relation is in a table of the host's too.
// Make one with [NewGroups].
type Groups struct {
	*Handler
	members Memberships
}

var _ interface {
	scim.Binder
	scim.LinkEditor
} = (*Groups)(nil)

// NewGroups is [New] for groups, or other resources with a relation such as members.
// It is called before any server is made. The handler of the users takes a user who
// is deleted out of the groups, so that no foreign key stands in the way.
//
// What the host itself does to memberships is seen by clients at once, but is no new
// version of the group: a version counts what clients do. Edits of members never
// depend on versions; they take in and out what they name.
func NewGroups(ctx context.Context, db Database, table Table, members Memberships) (*Groups, error) {
	h, err := New(ctx, db, table)
	if err != nil {
		return nil, err
	}
	if members.Name == "" || members.Owner == "" || members.Member == "" || members.Users == nil {
		return nil, fmt.Errorf("sqltable: Memberships of table %s: Name, Owner, Member and Users are all needed", table.Name)
	}
	info, err := describe(ctx, db, members.Name)
	if err != nil {
		return nil, fmt.Errorf("sqltable: table %s cannot be looked at: %w", members.Name, err)
	}
	if info == nil {
		return nil, fmt.Errorf("sqltable: table %s does not exist", members.Name)
	}
	h.about[members.Name] = info
	g := &Groups{h, members}
	members.Users.groups = append(members.Users.groups, g)
	return g, nil
}

// relation is a relation in a table.
type relation struct {
	Memberships
	name          string // of the attribute
	target        string // the type of members
	owner, member *columnInfo
	info          *tableInfo
}

// Bind implements [scim.Binder].
func (g *Groups) Bind(t *scim.Type) error {
	c := &check{binding: &binding{Handler: g.Handler, typ: t}}
	c.memberships(&g.members)
	return g.bind(c)
}

// memberships looks whether the table of members fits.
func (c *check) memberships(m *Memberships) {
	relations := c.typ.Relations()
	if len(relations) != 1 {
		c.fatal("", "type %s has %d relations; a table of members is for types with one", c.typ.Name(), len(relations))
		return
	}
	info := c.about[m.Name]
	r := &relation{Memberships: *m, name: relations[0].Attribute, target: relations[0].Targets[0], info: info,
		owner: info.column(m.Owner), member: info.column(m.Member)}
	if r.owner == nil {
		c.missing(info, m.Owner, "Memberships.Owner")
	}
	if r.member == nil {
		c.missing(info, m.Member, "Memberships.Member")
	}
	if !hasUnique(info, m.Owner, m.Member) {
		c.fatal(c.index("UNIQUE INDEX", m.Name, m.Owner, m.Member),
			"no unique index is on columns %s and %s of table %s, so that a user could be a member twice", m.Owner, m.Member, m.Name)
	}
	for _, column := range []string{m.Owner, m.Member} {
		if !hasIndexOn(info, column) {
			c.warn(c.index("INDEX", m.Name, column),
				"no index of table %s begins with %s: the members of a group, or the groups of a user, are found by reading all of it", m.Name, column)
		}
	}
	c.mustBeGiven(info, m.Insert, []string{m.Owner, m.Member})
	c.relation = r
}

// linked translates a question about a relation that a table of members keeps: the
// members of groups here, or the groups of members.
func (q *statement) linked(n filter.Linked, upper bool) cond {
	if n.Nesting != filter.Direct {
		return unknown(upper)
	}
	if !n.Inverse {
		if b := q.b; b.keeps(n) {
			return q.membership(b, b.relation.owner, b.relation.member, b.relation.target, n)
		}
		return unknown(upper)
	}
	for _, g := range q.b.groups {
		if b := g.b; b != nil && b.keeps(n) && b.relation.target == q.b.typ.Name() && (b.tenant == nil) == (q.b.tenant == nil) {
			return q.membership(b, b.relation.member, b.relation.owner, b.typ.Name(), n)
		}
	}
	return unknown(upper)
}

// keeps reports whether a question is about the relation of b.
func (b *binding) keeps(n filter.Linked) bool {
	return b.relation != nil && n.Relation == b.relation.name && n.Owner == b.typ.Name()
}

// membership is the condition that the table of members of b has a row whose column
// of is the resource, and whose column to is what n asks for.
func (q *statement) membership(b *binding, of, to *columnInfo, toType string, n filter.Linked) cond {
	if n.Type != "" && n.Type != toType {
		return never
	}
	terms := []string{"m." + quoteOne(of.name) + " = " + column(q.b.key)}
	if n.ID != "" {
		key, ok := keyValue(to, n.ID)
		if !ok {
			return never
		}
		terms = append(terms, "m."+quoteOne(to.name)+" = "+q.arg(key))
	}
	if n.Inverse { // then the group is not in the statement yet
		terms = append(terms, b.ofTenant(q, keyText(q.tenantKey)))
	}
	return cond{"EXISTS (SELECT 1 FROM " + quoted(b.relation.Name) + " AS m WHERE " + all(terms) + ")", true}
}

// Links implements [scim.Linker].
func (g *Groups) Links(ctx context.Context, query *storage.LinkQuery) (links []storage.Link, err error) {
	b := g.b
	if query.Relation.Owner != b.typ.Name() || query.Relation.Name != b.relation.name {
		return nil, nil
	}
	l := b.linking(query)
	if l == nil {
		return nil, nil
	}
	// The groups of a user are few, and those of a page of users are read at once;
	// the members of a group may be many, and of each no more than asked for is read.
	size := 1
	if query.Inverse {
		size = chunk
	}
	found := map[storage.Ref][]storage.Link{}
	err = b.db.Read(ctx, func(tx Tx) error {
		for refs := range slices.Chunk(query.Of, size) {
			if err := l.read(ctx, tx, refs, found); err != nil {
				return err
			}
		}
		return nil
	})
	for _, ref := range query.Of {
		list := found[ref]
		if query.Limit > 0 {
			list = list[:min(len(list), query.Limit)]
		}
		links = append(links, list...)
	}
	return links, b.failure(err)
}

// linking is a query for links in the making.
type linking struct {
	*binding
	*storage.LinkQuery
	of, to         *columnInfo
	ofType, toType string
	others         []any // keys that the other end must be one of, if there are any
}

// linking prepares a query for links; nil when nothing can be found.
func (b *binding) linking(query *storage.LinkQuery) *linking {
	r := b.relation
	l := &linking{binding: b, LinkQuery: query, of: r.owner, to: r.member, ofType: b.typ.Name(), toType: r.target}
	if query.Inverse {
		l.of, l.to, l.ofType, l.toType = l.to, l.of, l.toType, l.ofType
	}
	l.others = keysOf(l.to, l.toType, query.Other)
	if len(query.Other) > 0 && len(l.others) == 0 || query.After.Type > l.toType {
		return nil
	}
	return l
}

// read reads the links of refs.
func (l *linking) read(ctx context.Context, tx Tx, refs []storage.Ref, found map[storage.Ref][]storage.Link) error {
	keys := keysOf(l.of, l.ofType, refs)
	if len(keys) == 0 {
		return nil
	}
	q := l.statement()
	of, to := "m."+quoteOne(l.of.name), "m."+quoteOne(l.to.name)
	terms := []string{of + " IN (" + q.list(keys) + ")", l.ofTenant(q, l.Tenant)}
	if len(l.others) > 0 {
		terms = append(terms, to+" IN ("+q.list(l.others)+")")
	}
	id := q.bytes(q.text(to, l.to))
	if l.After.Type == l.toType && l.After.ID != "" {
		terms = append(terms, id+" > "+q.arg(l.After.ID))
	}
	text := "SELECT " + l.binding.read(l.of, "m.") + ", " + l.binding.read(l.to, "m.") + " FROM " + quoted(l.relation.Name) + " AS m WHERE " + all(terms) + " ORDER BY " + id
	if l.Limit > 0 && len(refs) == 1 {
		text += " LIMIT " + q.arg(int64(l.Limit))
	}
	return tx.Query(ctx, text, q.args, func(v []any) error {
		ref := storage.Ref{Type: l.ofType, ID: keyText(plainValue(l.of.kind, kept(v[0])))}
		to := storage.Ref{Type: l.toType, ID: keyText(plainValue(l.to.kind, kept(v[1])))}
		found[ref] = append(found[ref], storage.Link{Of: ref, To: to})
		return nil
	})
}

// ofTenant is the condition that the group of a membership is the tenant's.
func (b *binding) ofTenant(q *statement, tenant string) string {
	a, ok := b.access(tenant, "")
	if !ok {
		return "false"
	}
	r := b.relation
	return "EXISTS (SELECT 1 FROM " + quoted(b.table.Name) + " AS t WHERE " + all(append(b.own(q, a), column(b.key)+" = m."+quoteOne(r.Owner))) + ")"
}

// keysOf are the keys of the references of one type, as far as they are keys.
func keysOf(info *columnInfo, typ string, refs []storage.Ref) (keys []any) {
	for _, ref := range refs {
		if key, ok := keyValue(info, ref.ID); ok && ref.Type == typ {
			keys = append(keys, key)
		}
	}
	return keys
}

// EditLinks implements [scim.LinkEditor].
func (g *Groups) EditLinks(ctx context.Context, lw *scim.LinkedWrite) (result *scim.LinkedResult, err error) {
	b := g.b
	err = b.db.Write(ctx, func(tx Tx) error {
		w, err := b.write(ctx, tx, lw.Tenant)
		if err == nil {
			result, err = w.editLinks(lw)
		}
		return err
	})
	return result, b.failure(err)
}

func (w *write) editLinks(lw *scim.LinkedWrite) (*scim.LinkedResult, error) {
	r, err := w.edited(lw)
	if err != nil {
		return nil, err
	}
	result := &scim.LinkedResult{}
	changed := false
	for i := range lw.Edits {
		done, err := w.edit(r.key, &lw.Edits[i])
		if gone := (*Failure)(nil); errors.As(err, &gone) && gone.Trouble == UnknownReference {
			return nil, scim.ErrConflict // a user was deleted a moment ago: look again
		}
		if err != nil {
			return nil, err
		}
		changed = changed || done.Added+done.Removed > 0
		result.Links = append(result.Links, done)
	}
	if changed && lw.ID != "" {
		if err := w.step(r); err != nil {
			return nil, err
		}
	}
	result.Resource, err = w.again(r.key)
	return result, err
}

// edited makes what a write says beside its edits, and returns the row under a lock.
func (w *write) edited(lw *scim.LinkedWrite) (*row, error) {
	if lw.ID == "" {
		created, err := w.create(lw.Resource)
		if err != nil {
			return nil, err
		}
		return w.lock(created.ID(), "")
	}
	r, err := w.lock(lw.ID, lw.IfVersion)
	if err != nil {
		return nil, err
	}
	if r.side.connection != "" {
		w.connection = r.side.connection
	}
	if lw.Resource == nil {
		return r, nil
	}
	if _, err := w.change(r, lw.Resource); err != nil {
		return nil, err
	}
	return w.lock(lw.ID, "")
}

// step makes another version of a row in whose table nothing changes.
func (w *write) step(r *row) error {
	if err := w.keep(w.ctx, w.tx, w.tenantKey, w.stepped(r)); err != nil {
		return err
	}
	q := w.statement()
	return w.set(q, w.stamp(q), r.key)
}

// leaveGroups takes a user out of all groups. It comes before the user's row is
// locked: edits of members lock the group first and the user after.
func (w *write) leaveGroups(id string) error {
	for _, g := range w.groups {
		b := g.b
		if b == nil {
			continue // no server serves them
		}
		key, ok := keyValue(b.relation.member, id)
		if !ok {
			continue
		}
		in := *w
		in.binding, in.access.scope = b, ""
		q := b.statement()
		terms := append(b.own(q, in.access), "EXISTS (SELECT 1 FROM "+quoted(b.relation.Name)+" AS m WHERE m."+quoteOne(b.relation.Owner)+" = "+column(b.key)+
			" AND m."+quoteOne(b.relation.Member)+" = "+q.arg(key)+")")
		rows, err := b.rows(w.ctx, w.tx, q, terms, part{order: column(b.key)})
		if err != nil {
			return err
		}
		for _, r := range rows {
			r, err := in.lock(keyText(r.key), "")
			if errors.Is(err, scim.ErrNotFound) {
				continue
			}
			if err != nil {
				return err
			}
			n, err := in.removeMembers(r.key, []any{key})
			if err != nil {
				return err
			}
			if in.connection = r.side.connection; n > 0 {
				if err := in.step(r); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// edit makes one edit of the relation.
func (w *write) edit(owner any, e *storage.LinkEdit) (done storage.LinkResult, err error) {
	r := w.relation
	if e.Relation != r.name {
		return done, scim.Errorf(http.StatusBadRequest, scim.Mutability, "%s cannot be changed", e.Relation)
	}
	add, dropped, err := w.targets(e)
	if err != nil {
		return done, err
	}
	done.Dropped = dropped
	switch {
	case e.Reset:
		if done.Removed, err = w.removeOthers(owner, add); err != nil {
			return done, err
		}
	default:
		if done.Removed, err = w.removeMembers(owner, keysOf(r.member, r.target, e.Remove)); err != nil {
			return done, err
		}
	}
	done.Added, err = w.addMembers(owner, add)
	return done, err
}

// targets finds the keys of the users that are to become members.
func (w *write) targets(e *storage.LinkEdit) (keys []any, dropped []storage.Ref, err error) {
	r := w.relation
	var missing *storage.Ref
	there := map[string]bool{}
	asked := keysOf(r.member, r.target, e.Add)
	if e.Missing != storage.MissingKeep {
		users := r.Users.b
		if users == nil {
			return nil, nil, fmt.Errorf("sqltable: the handler of Memberships.Users of table %s serves no type of the server", r.Name)
		}
		for part := range slices.Chunk(asked, chunk) {
			q := users.statement()
			a := access{tenantKey: w.tenantKey, scope: e.IfConnection}
			terms := append(users.visible(q, a), column(users.key)+" IN ("+q.list(part)+")")
			err := w.tx.Query(w.ctx, "SELECT "+users.read(users.key, "t.")+" FROM "+users.from()+" WHERE "+all(terms), q.args, func(v []any) error {
				there[keyText(plainValue(users.key.kind, kept(v[0])))] = true
				return nil
			})
			if err != nil {
				return nil, nil, err
			}
		}
	}
	for _, ref := range e.Add {
		key, ok := keyValue(r.member, ref.ID)
		if ok && ref.Type == r.target && (e.Missing == storage.MissingKeep || there[ref.ID]) {
			keys = append(keys, key)
			continue
		}
		dropped = append(dropped, ref)
		if missing == nil {
			missing = &ref
		}
	}
	if missing != nil && e.Missing == storage.MissingReject {
		return nil, nil, &storage.CommitError{Err: storage.ErrMissingTarget, Ref: *missing}
	}
	return keys, dropped, nil
}

// addMembers adds those that are no members yet. In key order, so that two writers
// do not wait for each other in a circle.
func (w *write) addMembers(owner any, members []any) (added int, err error) {
	r := w.relation
	for part := range slices.Chunk(members, chunk) {
		q := w.statement()
		var names, fixed []string
		for _, name := range slices.Sorted(maps.Keys(r.Insert)) {
			names = append(names, quoteOne(name))
			fixed = append(fixed, q.arg(w.literal(r.info, name, r.Insert[name])))
		}
		names = append(names, quoteOne(r.Owner), quoteOne(r.Member))
		fixed = append(fixed, q.arg(owner))
		rows := make([]string, len(part))
		for i, key := range part {
			rows[i] = "(" + strings.Join(append(slices.Clone(fixed), q.arg(key)), ", ") + ")"
		}
		n, err := w.tx.Exec(w.ctx, "INSERT INTO "+quoted(r.Name)+" ("+strings.Join(names, ", ")+") VALUES "+strings.Join(rows, ", ")+
			" ON CONFLICT DO NOTHING", q.args)
		if err != nil {
			return added, err
		}
		added += int(n)
	}
	return added, nil
}

func (w *write) removeMembers(owner any, members []any) (removed int, err error) {
	r := w.relation
	for part := range slices.Chunk(members, chunk) {
		q := w.statement()
		n, err := w.tx.Exec(w.ctx, "DELETE FROM "+quoted(r.Name)+" WHERE "+quoteOne(r.Owner)+" = "+q.arg(owner)+
			" AND "+quoteOne(r.Member)+" IN ("+q.list(part)+")", q.args)
		if err != nil {
			return removed, err
		}
		removed += int(n)
	}
	return removed, nil
}

// removeOthers removes the members that are not among keep.
func (w *write) removeOthers(owner any, keep []any) (int, error) {
	r := w.relation
	stays := make(map[string]bool, len(keep))
	for _, key := range keep {
		stays[keyText(key)] = true
	}
	q := w.statement()
	var others []any
	err := w.tx.Query(w.ctx, "SELECT "+w.read(r.member, "m.")+" FROM "+quoted(r.Name)+" AS m WHERE m."+quoteOne(r.Owner)+" = "+q.arg(owner), q.args,
		func(v []any) error {
			if key := plainValue(r.member.kind, kept(v[0])); !stays[keyText(key)] {
				others = append(others, key)
			}
			return nil
		})
	if err != nil {
		return 0, err
	}
	return w.removeMembers(owner, others)
}
