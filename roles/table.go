package roles

import (
	"cmp"
	"slices"

	"github.com/musterhq/muster/scim/schema"
)

// Table holds rows of the explicit table, to be found by group: immutable and
// safe for concurrent use. It need not be the whole table: to resolve a user, the
// rows of the user's groups are enough, with those that were archived, and those
// that were archived because a group of the same name was deleted.
type Table struct {
	byGroup map[string][]Row // in force, ordered by id
	mapped  map[string]bool  // groups with an archived row
	waiting map[named][]Row  // ordered by id
	deleted map[named][]Row  // of deleted groups, ordered by id
}

// named is a group by name.
type named struct{ connection, key string }

// NewTable makes a table of rows in any order. Rows are copied.
func NewTable(rows []Row) *Table {
	t := &Table{
		byGroup: make(map[string][]Row), mapped: make(map[string]bool),
		waiting: make(map[named][]Row), deleted: make(map[named][]Row),
	}
	for _, row := range slices.SortedFunc(slices.Values(rows), func(a, b Row) int { return cmp.Compare(a.ID, b.ID) }) {
		byName := named{row.Connection, schema.Fold(row.Name)}
		switch {
		case row.Archived.IsZero() && row.Group != "":
			t.byGroup[row.Group] = append(t.byGroup[row.Group], row)
		case row.Archived.IsZero():
			t.waiting[byName] = append(t.waiting[byName], row)
		default:
			if row.Because == GroupDeleted && row.Name != "" {
				t.deleted[byName] = append(t.deleted[byName], row)
			}
			if row.Group != "" {
				t.mapped[row.Group] = true
			}
		}
	}
	for name, rows := range t.deleted {
		last := slices.MaxFunc(rows, func(a, b Row) int { return cmp.Or(a.Archived.Compare(b.Archived), cmp.Compare(a.Group, b.Group)) })
		t.deleted[name] = slices.DeleteFunc(rows, func(r Row) bool { return r.Group != last.Group })
	}
	return t
}

// Of returns the rows in force of a group by its id, ordered by their ids. They
// must not be modified.
func (t *Table) Of(group string) []Row {
	if t == nil {
		return nil
	}
	return t.byGroup[group]
}

// FormerlyMapped reports whether a group had rows and has none in force any more.
func (t *Table) FormerlyMapped(group string) bool {
	return t != nil && t.mapped[group] && len(t.byGroup[group]) == 0
}

// Waiting returns the rows that wait for a group of that connection and name to be
// created, ordered by their ids. Names compare by [schema.Fold]. They must not be
// modified.
func (t *Table) Waiting(connection, name string) []Row {
	if t == nil {
		return nil
	}
	return t.waiting[named{connection, schema.Fold(name)}]
}

// Offers returns the archived rows of the group that had the connection and name of g
// and was deleted last. A new group does not get them by itself; the host may restore them.
// A group with rows of its own, in force or archived, is offered none. They must
// not be modified.
func (t *Table) Offers(g Group) []Row {
	if t == nil || t.mapped[g.ID] || len(t.byGroup[g.ID]) > 0 {
		return nil
	}
	return t.deleted[named{g.Connection, schema.Fold(g.Name)}]
}
