package sqltable

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/musterhq/muster/scim"
	"github.com/musterhq/muster/scim/schema"
)

// A write reads the row under a lock, compares it with what the caller has seen,
// writes the columns that differ, and reads the row again, all in one transaction:
// what is returned is what the database made of it.

// connection is the connection that a call's resources belong to.
func connection(ctx context.Context) string {
	p, _ := scim.PrincipalFromContext(ctx)
	if p.Connection == "" {
		return "default"
	}
	return p.Connection
}

// Create implements [scim.Creator].
func (h *Handler) Create(ctx context.Context, tenant string, r *scim.Resource) (res *scim.Resource, err error) {
	err = h.db.Write(ctx, func(tx Tx) error {
		w, err := h.b.write(ctx, tx, tenant)
		if err == nil {
			res, err = w.create(r)
		}
		return err
	})
	return res, h.b.failure(err)
}

// Replace implements [scim.Replacer].
func (h *Handler) Replace(ctx context.Context, tenant string, r *scim.Resource) (res *scim.Resource, err error) {
	err = h.db.Write(ctx, func(tx Tx) error {
		w, err := h.b.write(ctx, tx, tenant)
		if err == nil {
			res, err = w.replace(r)
		}
		return err
	})
	return res, h.b.failure(err)
}

// Delete implements [scim.Deleter].
func (h *Handler) Delete(ctx context.Context, tenant, id, ifVersion string) error {
	err := h.db.Write(ctx, func(tx Tx) error {
		w, err := h.b.write(ctx, tx, tenant)
		if err != nil {
			return err
		}
		return w.delete(id, ifVersion)
	})
	if f := (*Failure)(nil); errors.As(err, &f) && f.Trouble == RefusedValue { // by a trigger
		return scim.Errorf(http.StatusConflict, "", "the application does not let the resource be deleted").WithCause(err)
	}
	return h.b.failure(err)
}

// Adopt implements [scim.Adopter].
func (h *Handler) Adopt(ctx context.Context, tenant string, r *scim.Resource, from, to string) (res *scim.Resource, err error) {
	err = h.db.Write(ctx, func(tx Tx) error {
		w, err := h.b.write(ctx, tx, tenant)
		if err != nil {
			return err
		}
		cur, err := w.lock(r.ID(), r.Meta().Version)
		if err != nil {
			return err
		}
		if cur.side.connection != from {
			return scim.ErrConflict
		}
		w.connection = to
		res, err = w.change(cur, r)
		return err
	})
	return res, h.b.failure(err)
}

// write is a write in the making.
type write struct {
	*binding
	ctx context.Context
	tx  Tx
	access
	connection string // that the resource will belong to
	id         string // of the resource, "" for a new one
	now        time.Time
}

// errNoTenant is for a create in a tenant that cannot have rows.
var errNoTenant = errors.New("sqltable: the tenant's name is no value of the column Table.Tenant")

func (b *binding) write(ctx context.Context, tx Tx, tenant string) (*write, error) {
	a, ok := b.access(tenant, scim.ScopeFromContext(ctx))
	if !ok {
		return nil, errNoTenant
	}
	return &write{binding: b, ctx: ctx, tx: tx, access: a, connection: connection(ctx),
		now: b.table.Clock().UTC().Truncate(time.Microsecond)}, nil
}

// assign makes next say what r says.
func (w *write) assign(next *row, r *scim.Resource) error {
	ignored, err := w.mapping.Assign(next, w.withoutEmpty(r))
	if err == nil {
		scim.Ignore(w.ctx, ignored...)
	}
	return err
}

func (w *write) create(r *scim.Resource) (*scim.Resource, error) {
	next := &row{values: make([]any, len(w.cells)), children: make([][]element, len(w.binding.children))}
	if err := w.assign(next, r); err != nil {
		return nil, err
	}
	if err := w.free(nil, next); err != nil {
		return nil, err
	}
	if err := w.insert(next); err != nil {
		return nil, err
	}
	for i := range w.binding.children {
		if _, err := w.writeChildren(i, next.key, nil, next.children[i]); err != nil {
			return nil, err
		}
	}
	next.side.connection, next.side.version, next.side.created, next.side.modified = w.connection, 1, w.now, w.now
	if err := w.keep(w.ctx, w.tx, w.tenantKey, next); err != nil {
		return nil, err
	}
	return w.again(next.key)
}

func (w *write) replace(r *scim.Resource) (*scim.Resource, error) {
	cur, err := w.lock(r.ID(), r.Meta().Version)
	if err != nil {
		return nil, err
	}
	if cur.side.connection != "" { // sharing connections change each other's
		w.connection = cur.side.connection
	}
	return w.change(cur, r)
}

func (w *write) delete(id, ifVersion string) error {
	if len(w.groups) > 0 {
		// Who may not delete must not see anything done; then nothing is, since an
		// error undoes the transaction.
		if err := w.leaveGroups(id); err != nil {
			return err
		}
	}
	cur, err := w.lock(id, ifVersion)
	if err != nil {
		return err
	}
	if err := w.forget(w.ctx, w.tx, w.tenantKey, cur); err != nil {
		return err
	}
	if r := w.relation; r != nil {
		q := w.statement()
		if err := w.exec("DELETE FROM "+quoted(r.Name)+" WHERE "+quoteOne(r.Owner)+" = "+q.arg(cur.key), q); err != nil {
			return err
		}
	}
	q := w.statement()
	if d := w.deletion; d != nil {
		set := quoteOne(d.name) + " = " + q.arg(encode(w.db.Dialect(), d, w.table.Delete.value, w.now))
		return w.set(q, append(w.stamp(q), set), cur.key)
	}
	for i := range w.binding.children {
		if _, err := w.writeChildren(i, cur.key, cur.children[i], nil); err != nil {
			return err
		}
	}
	return w.exec("DELETE FROM "+quoted(w.table.Name)+" WHERE "+w.itself(q, cur.key), q)
}

// lock reads a row that nobody else can change until the end of the transaction.
func (w *write) lock(id, version string) (*row, error) {
	key, ok := keyValue(w.key, id)
	if !ok {
		return nil, scim.ErrNotFound
	}
	if w.db.Dialect() == DialectPostgres {
		// In a statement of its own: one that waits for a lock sees the row that it
		// waited for as it is then, and everything that it is joined with as it was.
		q := w.statement()
		err := w.tx.Query(w.ctx, "SELECT 1 FROM "+quoted(w.table.Name)+" AS t WHERE "+w.itself(q, key)+" FOR UPDATE", q.args, func([]any) error { return nil })
		if err != nil {
			return nil, err
		}
	}
	cur, err := w.find(w.ctx, w.tx, w.access, key)
	if err != nil {
		return nil, err
	}
	if version != "" && cur.fingerprint() != version {
		return nil, scim.ErrConflict
	}
	w.id = keyText(cur.key)
	return cur, nil
}

// change makes a row say what r says, and returns what is kept.
func (w *write) change(cur *row, r *scim.Resource) (*scim.Resource, error) {
	next := cur.clone()
	if err := w.assign(next, r); err != nil {
		return nil, err
	}
	if err := w.free(cur, next); err != nil {
		return nil, err
	}
	s := &next.side
	beside := s.externalID != cur.side.externalID || string(s.document) != string(cur.side.document)
	for i := range w.binding.children {
		if sameElements(cur.children[i], next.children[i]) {
			continue
		}
		wrote, err := w.writeChildren(i, cur.key, cur.children[i], next.children[i])
		if err != nil {
			return nil, err
		}
		beside = beside || wrote
	}
	changed, err := w.update(cur, next, beside)
	if err != nil {
		return nil, err
	}
	if !changed && s.connection == w.connection {
		return w.resource(cur)
	}
	if err := w.keep(w.ctx, w.tx, w.tenantKey, w.stepped(next)); err != nil {
		return nil, err
	}
	return w.again(cur.key)
}

// withoutEmpty leaves empty texts out where there is a column: it cannot tell them
// from none.
func (b *binding) withoutEmpty(r *scim.Resource) *scim.Resource {
	var e *scim.Builder
	for i := range b.cells {
		c := &b.cells[i]
		if p := c.target.Attr; p.MultiValued().IsZero() && c.attr.Type.IsText() && !r.Get(p).IsZero() && r.Get(p).Text() == "" {
			if e == nil {
				e = r.Edit()
			}
			e.SetValue(p, scim.Value{})
		}
	}
	if e == nil {
		return r
	}
	return e.Resource()
}

// stepped is a row in its next version, with its owner.
func (w *write) stepped(r *row) *row {
	s := &r.side
	if !s.there {
		s.created = w.now
		if t, ok := timeOf(r.created); ok {
			s.created = t
		}
	}
	s.connection, s.version, s.modified = w.connection, s.version+1, w.now
	return r
}

// again reads what was written.
func (w *write) again(key any) (*scim.Resource, error) {
	a := w.access
	a.scope = ""
	r, err := w.find(w.ctx, w.tx, a, key)
	if err != nil {
		return nil, err
	}
	return w.resource(r)
}

// itself is the condition of the row with a key.
func (w *write) itself(q *statement, key any) string {
	where := quoteOne(w.key.name) + " = " + q.arg(key)
	if w.tenant != nil {
		where += " AND " + quoteOne(w.tenant.name) + " = " + q.arg(w.tenantKey)
	}
	return where
}

// insert makes the row, and takes its key over.
func (w *write) insert(next *row) error {
	columns := map[string]any{}
	for _, info := range []*columnInfo{w.created, w.modified} {
		if info != nil && !info.generated {
			columns[info.name] = encode(w.db.Dialect(), info, w.now, w.now)
		}
	}
	if info := w.version; info != nil && info.required && !info.made {
		columns[info.name] = int64(1)
	}
	for name, v := range w.table.Insert {
		columns[name] = w.literal(w.host, name, v)
	}
	if w.tenant != nil {
		columns[w.tenant.name] = w.tenantKey
	}
	if !w.key.made {
		columns[w.key.name] = newUUID()
	}
	err := w.each(w.cells, nil, next.values, nil, func(c *cell, v any) { columns[c.info.name] = v })
	if err != nil {
		return err
	}
	q := w.statement()
	text := "INSERT INTO " + quoted(w.table.Name) + insertion(q, columns) + " RETURNING " + w.read(w.key, "")
	return w.tx.Query(w.ctx, text, q.args, func(v []any) error {
		next.key = plainValue(w.key.kind, kept(v[0]))
		return nil
	})
}

// insertion is the part of an INSERT behind the table.
func insertion(q *statement, columns map[string]any) string {
	if len(columns) == 0 {
		return " DEFAULT VALUES"
	}
	var names, values []string
	for _, name := range slices.Sorted(maps.Keys(columns)) {
		names, values = append(names, quoteOne(name)), append(values, q.arg(columns[name]))
	}
	return " (" + strings.Join(names, ", ") + ") VALUES (" + strings.Join(values, ", ") + ")"
}

// literal is a value of Table.Insert.
func (w *write) literal(info *tableInfo, name string, v any) any {
	c := info.column(name)
	if c == nil {
		return v
	}
	return encode(w.db.Dialect(), c, v, w.now)
}

// update writes the columns that differ, and what says that the row has changed. It
// reports whether it has; beside says that something else of the resource has.
func (w *write) update(cur, next *row, beside bool) (bool, error) {
	q := w.statement()
	var set []string
	err := w.each(w.cells, cur.values, next.values, cur.host, func(c *cell, v any) { set = append(set, quoteOne(c.info.name)+" = "+q.arg(v)) })
	if err != nil {
		return false, err
	}
	if len(set) == 0 && !beside {
		return false, nil
	}
	return true, w.set(q, append(set, w.stamp(q)...), cur.key)
}

// each calls f with the columns that have to be written so that cells say next, and
// with what to write. cur and host are what they say now, nil for a new row.
func (w *write) each(cells []cell, cur, next, host []any, f func(c *cell, v any)) error {
	for i := range cells {
		c := &cells[i]
		exists := host != nil
		if c.ReadOnly || c.info.generated || exists && same(cur[i], next[i]) {
			continue
		}
		var was any
		if exists {
			was = host[i]
		}
		v, err := c.hostValue(w.db.Dialect(), next[i], was, exists, w.now)
		switch {
		case errors.Is(err, errOmit):
			continue
		case err != nil:
			return refuse(c.path, err)
		case exists && same(c.plain(was), c.plain(v)):
			continue // a default that is there already
		}
		f(c, v)
	}
	return nil
}

// set writes columns of the row with a key.
func (w *write) set(q *statement, columns []string, key any) error {
	if len(columns) == 0 {
		return nil
	}
	return w.exec("UPDATE "+quoted(w.table.Name)+" SET "+strings.Join(columns, ", ")+" WHERE "+w.itself(q, key), q)
}

// stamp is what tells the host's own code that a row has changed.
func (w *write) stamp(q *statement) (set []string) {
	if info := w.modified; info != nil && !info.generated {
		set = append(set, quoteOne(info.name)+" = "+q.arg(encode(w.db.Dialect(), info, Now, w.now)))
	}
	if info := w.version; info != nil && !info.generated {
		set = append(set, quoteOne(info.name)+" = coalesce("+quoteOne(info.name)+", 0) + 1")
	}
	return set
}

// free finds out whether the unique values of a row are free, and sees to it on
// PostgreSQL that they stay so until the end of the transaction, whatever indexes
// there are.
func (w *write) free(cur, next *row) error {
	for i := range w.uniques {
		u := &w.uniques[i]
		text, _ := next.values[u.cell].(string)
		key := u.key(text)
		if text == "" || cur != nil && key == u.key(textOf(cur.values[u.cell])) && (u.scope == schema.UniqueInTenant || cur.side.connection == w.connection) {
			continue
		}
		if w.db.Dialect() == DialectPostgres {
			q := w.statement()
			lock := w.table.Name + "\x1f" + keyText(w.tenantKey) + "\x1f" + u.path.String() + "\x1f" + key
			err := w.tx.Query(w.ctx, "SELECT pg_advisory_xact_lock(hashtextextended("+q.arg(lock)+", 0))", q.args, func([]any) error { return nil })
			if err != nil {
				return err
			}
		}
		holder, err := w.holder(u, key)
		if err != nil {
			return err
		}
		if holder != "" {
			return scim.HeldBy(u.path.String(), holder)
		}
	}
	return nil
}

// key is what compares of an attribute's value.
func (u *unique) key(text string) string {
	if u.path.Attribute().CaseExact {
		return text
	}
	return schema.Fold(text)
}

// holder finds the row that has a unique value, other than the one being written.
func (w *write) holder(u *unique, key string) (string, error) {
	c := &w.cells[u.cell]
	q := w.statement()
	terms := w.own(q, w.access)
	if u.scope == schema.UniqueInConnection {
		terms = append(terms, w.belongs(q, w.connection))
	}
	terms = append(terms, q.cell(c, column(c.info), equals(u.path, key), true).sql)
	rows, err := w.rows(w.ctx, w.tx, q, terms, part{})
	if err != nil {
		return "", err
	}
	for _, r := range rows {
		if id := keyText(r.key); id != w.id && u.key(textOf(r.values[u.cell])) == key {
			return id, nil
		}
	}
	return "", nil
}

// same reports whether two values of an attribute are one, to the letter.
func same(a, b any) bool {
	if t, ok := timeOf(a); ok {
		u, ok := timeOf(b)
		return ok && t.Equal(u)
	}
	return reflect.DeepEqual(a, b)
}

// newUUID makes a random UUID (RFC 9562 section 5.4).
func newUUID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	s := hex.EncodeToString(b[:])
	return s[:8] + "-" + s[8:12] + "-" + s[12:16] + "-" + s[16:20] + "-" + s[20:]
}
