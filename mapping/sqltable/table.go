package sqltable

import "time"

// Table says where a resource type lives in the host's database. Names are those of
// the database, exactly as it has them; a table's may have that of its schema in
// front ("app.users").
type Table struct {
	// Name is the table. A view will not do.
	Name string
	// Key is the column whose value, as text, is the resource's id: an integer, a UUID
	// or text that never changes. Default "id". Where the database gives a new row its
	// key, a serial number or a default, it does; else a random UUID is written.
	Key string
	// Tenant is the column that says whose row it is, an integer, a UUID or text that
	// is compared with the tenant's name. "" is for hosts with a single tenant: then
	// every tenant's callers work on all rows.
	Tenant string
	// Columns are the attributes that have a column. What has none is kept in the side
	// table.
	Columns Columns
	// Children are multi-valued attributes with a table of their own.
	Children []Child
	// Insert are columns that are written when a row is made and never again, such as
	// {"source": "scim", "created_at": sqltable.Now}. A nil value writes NULL.
	Insert map[string]any
	// Side is the table of this package's own, beside Name: see [Handler.Migrate].
	// Default "scim_" and Name, in Name's schema.
	Side string
	// Unowned says what the rows that no connection owns are to connections: those
	// that were there first, and those that the host makes itself. Default [Private].
	Unowned Unowned
	// Delete says what becomes of the row of a resource that is deleted. Default
	// [RemoveRow].
	Delete Deletion
	// Clock tells the time. Default time.Now.
	Clock func() time.Time
}

// Columns are the columns of attributes, by path as package mapping has them:
//
//	sqltable.Columns{
//		"userName":                     {Name: "login"},
//		"name.givenName":               {Name: "first_name"},
//		"emails[type eq 'work'].value": {Name: "email"},
//		"active":                       {Name: "status", As: sqltable.Words("enabled", "disabled")},
//		"meta.created":                 {Name: "created_at"},
//		"meta.lastModified":            {Name: "updated_at"},
//		"meta.version":                 {Name: "lock_version"},
//	}
//
// The columns of meta.created and meta.lastModified are set to the time of the write,
// and the integer of meta.version goes up by one with every change, which is how the
// host's own code sees that a row has changed. Without these columns nothing is lost:
// the side table has times, and versions of resources cover everything that this
// package reads, whoever wrote it.
type Columns map[string]Column

// Column is a column as an attribute sees it. The attribute's type and the column's
// must agree: text for text, a boolean or 0 and 1 for boolean, an integer for
// integer, a time for dateTime; text attributes may have integer and UUID columns.
//
// NULL and the empty text are both unassigned. What is unassigned is written as
// Default if there is one, else as NULL, and in a column that must not be null as
// the empty text or false; where that cannot be, users without the attribute are
// refused (400).
type Column struct {
	Name string
	// As says how the column says it, where it has words of its own.
	As Conversion
	// Default is written, as the column has it, when the attribute is unassigned.
	Default any
	// ReadOnly keeps clients from changing the column. It is not written at all. Of
	// several attributes that show one column, all but one are read-only: the e-mail
	// address of a host whose users log in by it.
	ReadOnly bool
	// WriteOnce lets clients set the column and not change it: 400 mutability.
	WriteOnce bool
	// Label is the attribute's name for people, see mapping.FieldInfo.
	Label string
}

// Child is a table with one row for each element of a multi-valued attribute.
//
//	sqltable.Child{
//		Attr: "emails", Name: "user_emails", Owner: "user_id",
//		Columns: sqltable.Columns{"value": {Name: "address"}, "type": {Name: "kind"}, "primary": {Name: "is_primary"}},
//	}
//
// Sub-attributes without a column are not kept. A write changes the rows that
// differ and leaves the others alone.
type Child struct {
	// Attr is the attribute, and Owner the column that holds its resource's key.
	Attr, Name, Owner string
	// Columns are the columns of sub-attributes; "value" is among them as a rule.
	Columns Columns
	// Insert are columns that are written when a row is made, as in [Table].
	Insert map[string]any
}

// Unowned says what rows without an owning connection are.
type Unowned uint8

const (
	// Private rows are the host's own: no connection sees or changes them, and their
	// userNames are taken (409), unless the server's adoption says otherwise
	// (scim.WithAdoption). It is the default because of what else could happen: with
	// several identity providers, or several customers in one table without a tenant
	// column, the first to write to an account would own it.
	Private Unowned = iota
	// Adoptable rows are seen by every connection of the tenant, and belong to the first
	// that writes to one. It suits the host whose tenants have one identity provider
	// each: it finds the users that were there before, by userName, and takes them
	// over.
	Adoptable
)

// now is the value that stands for the time of a write.
type now uint8

// Now is written as the time of the write: in [Table.Insert], in Column.Default and
// in [SetColumn].
const Now now = 1

// Deletion is what becomes of a row.
type Deletion struct {
	column string
	value  any
}

// RemoveRow deletes the row, with its rows in child tables.
func RemoveRow() Deletion { return Deletion{} }

// SetColumn keeps the row and writes a value into a column of it, [Now] for a time.
// Rows that have the value, or for Now any time, are deleted ones: they are not there
// for clients, and no longer owned. Their userNames are free as far as the table's
// indexes see it that way: a unique index wants to leave them out, with the condition
// that the column is NULL. An index that leaves out rows with another value is not
// used for look-ups.
func SetColumn(name string, value any) Deletion { return Deletion{name, value} }
