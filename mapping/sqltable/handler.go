package sqltable

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/musterhq/muster/scim"
)

// Handler serves a resource type from a table. Make one with [New] and give it to
// scim.WithHandler. It is safe for concurrent use, and serves the server that it was
// bound to last.
type Handler struct {
	db    Database
	table Table
	// about are the descriptions of the tables by name; host is that of the table,
	// side that of the side table, nil when there is none yet.
	about      map[string]*tableInfo
	host, side *tableInfo

	// groups have resources of this handler as members.
	groups []*Groups

	warnings []Finding
	b        *binding // nil before Bind
}

var _ interface {
	scim.Binder
	scim.ResourceHandler
	scim.Creator
	scim.Replacer
	scim.Deleter
	scim.Labeler
	scim.Adopter
} = (*Handler)(nil)

// New looks at the tables in the database. An error says that it could not be
// asked, or that the declaration is incomplete; whether the tables fit the resource
// type is found out when the handler is given to scim.New, see [Handler.Bind].
func New(ctx context.Context, db Database, table Table) (*Handler, error) {
	if db == nil {
		return nil, errors.New("sqltable: there is no database")
	}
	if table.Name == "" {
		return nil, errors.New("sqltable: Table.Name is empty")
	}
	if table.Key == "" {
		table.Key = "id"
	}
	if table.Side == "" {
		schema, name := split(table.Name)
		table.Side = "scim_" + name
		if schema != "" {
			table.Side = schema + "." + table.Side
		}
	}
	if table.Clock == nil {
		table.Clock = time.Now
	}
	h := &Handler{db: db, table: table, about: map[string]*tableInfo{}}
	if err := h.look(ctx); err != nil {
		return nil, err
	}
	return h, nil
}

// look describes the tables.
func (h *Handler) look(ctx context.Context) error {
	names := []string{h.table.Name, h.table.Side}
	for i := range h.table.Children {
		names = append(names, h.table.Children[i].Name)
	}
	for _, name := range names {
		info, err := describe(ctx, h.db, name)
		if err != nil {
			return fmt.Errorf("sqltable: table %s cannot be looked at: %w", name, err)
		}
		h.about[name] = info
	}
	h.host, h.side = h.about[h.table.Name], h.about[h.table.Side]
	switch {
	case h.host == nil:
		return fmt.Errorf("sqltable: table %s does not exist", h.table.Name)
	case h.host.view:
		return fmt.Errorf("sqltable: %s is a view; rows can be locked and numbered in a table only", h.table.Name)
	}
	for _, needed := range []string{h.table.Key, h.table.Tenant} {
		if needed != "" && h.host.column(needed) == nil {
			return fmt.Errorf("sqltable: table %s has no column %q, which Table.Key or Table.Tenant names; its columns are %s", h.table.Name, needed, strings.Join(columnNames(h.host), ", "))
		}
	}
	return nil
}

func columnNames(info *tableInfo) []string {
	var list []string
	for _, c := range info.columns {
		list = append(list, c.name)
	}
	return list
}

// Migrate makes what is missing of this package's own, by the statements that
// [Handler.Statements] lists: the side table with an index, and on the host's table
// one small index. It changes no data and may be called at every start, by several
// processes at once.
//
// On PostgreSQL the index keeps writers away from the host's table while it is made,
// which takes a look at every row. A host that minds runs the statements itself, that
// one with CONCURRENTLY.
func (h *Handler) Migrate(ctx context.Context) error {
	err := h.db.Write(ctx, func(tx Tx) error {
		if h.db.Dialect() == DialectPostgres {
			// IF NOT EXISTS does not keep two who make a table at once from each other.
			lock := "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))"
			if err := tx.Query(ctx, lock, []any{"sqltable.Migrate\x1f" + h.table.Side}, func([]any) error { return nil }); err != nil {
				return err
			}
		}
		for _, sql := range h.Statements() {
			if _, err := tx.Exec(ctx, sql, nil); err != nil {
				return fmt.Errorf("%w, at: %s", err, sql)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return h.look(ctx)
}

// Warnings returns what was found when the handler was bound and does not keep it
// from working: look-ups without an index, users whom the table will refuse. Each
// has the statement that would put it right, where there is one.
func (h *Handler) Warnings() []Finding { return slices.Clone(h.warnings) }

// Finding is something about a table that does not fit.
type Finding struct {
	// Text says what is wrong and what comes of it.
	Text string
	// Fix is the SQL that would put it right; "" when that is not for us to say.
	Fix string
}

// Error returns the text, with the statement behind it.
func (f *Finding) Error() string {
	if f.Fix == "" {
		return f.Text
	}
	return f.Text + "; to put it right: " + f.Fix
}

// String returns what Error does.
func (f *Finding) String() string { return f.Error() }
