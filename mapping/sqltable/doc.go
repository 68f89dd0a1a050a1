// Package sqltable serves users, groups and other resources from tables that the
// host has already, in PostgreSQL or SQLite: nothing is copied, and what the host
// changes in its tables is what identity providers see.
//
//	users, err := sqltable.New(ctx, sqltable.SQLite(db), sqltable.Table{
//		Name:   "users",
//		Tenant: "org_id",
//		Columns: sqltable.Columns{
//			"userName":                     {Name: "login"},
//			"name.givenName":               {Name: "first_name"},
//			"emails[type eq 'work'].value": {Name: "email"},
//			"active":                       {Name: "status", As: sqltable.Words("enabled", "disabled")},
//		},
//	})
//	…
//	err = users.Migrate(ctx)          // makes the side table
//	srv, err := scim.New(memory.New(), auth, scim.WithHandler(schema.User(), users))
//	for _, w := range users.Warnings() {
//		log.Print(w.String())
//	}
//
// With PostgreSQL the database is that of package mapping/sqltable/postgres.
//
// # Tables
//
// The host's table has a row for each resource. Attributes have columns of it, or
// rows of child tables; what has neither is kept in the side table, a small one of
// this package's own, which also knows the externalId and the owning connection. Its
// row goes when the host's row goes.
//
// Whether the tables fit is found out when the server is made: columns that are not
// there or hold something else, a userName that is not unique, look-ups without an
// index. All of it is said at once, with the SQL that would put it right.
//
// # Rows of the host
//
// A row belongs to the connection that created it, and no other one sees it
// (scim.WithSharing puts an end to that, for all rows of the tenant). Rows that
// nobody created through SCIM are the host's own; [Unowned] says whether they are
// hidden from identity providers, the default, or theirs to find and take over. The
// server's adoption (scim.WithAdoption) works with both.
//
// Rows without what the schema demands, a userName, are no users to clients.
//
// # Writes
//
// A write is one transaction. It locks the row, compares what is there with what the
// client has seen, and writes the columns that differ. The version of a resource
// (its ETag) covers everything that was read, so that what the host has changed
// meanwhile is noticed and never overwritten: the operation is done again on what is
// there now, or answered 412 where the client demanded a version. What the host's
// schema refuses is a SCIM error that names the attribute, and never the database's
// own words.
//
// # Filters
//
// Filters, sorting and paging are done by the database as far as it can say exactly
// what SCIM says. Text compares without regard to case by the rules of schema.Fold,
// which no database has: for names of printable ASCII lower() gives the same, and
// other names are found by a partial index and compared in process. A filter on an
// attribute without a column looks at the rows whose side document has it. All
// statements have the tenant in them, and no part of a request ever becomes SQL.
package sqltable
