package main

import (
	"context"
	"errors"
	"log"

	"github.com/musterhq/muster/mapping/sqltable"
	"github.com/musterhq/muster/scim"
	"github.com/musterhq/muster/scim/schema"
	"github.com/musterhq/muster/storage/memory"
)

// serve makes a SCIM server of the application's tables.
func serve(ctx context.Context, db sqltable.Database, auth scim.Authenticator) (*scim.Server, error) {
	users, err := sqltable.New(ctx, db, sqltable.Table{
		Name:   "users",
		Tenant: "customer_id",
		Columns: sqltable.Columns{
			"userName":                             {Name: "login"},
			"name.givenName":                       {Name: "first_name"},
			"name.familyName":                      {Name: "last_name"},
			"emails[type eq 'work'].value":         {Name: "email"},
			"phoneNumbers[type eq 'mobile'].value": {Name: "phone"},
			"title":                                {Name: "job"},
			"active":                               {Name: "status", As: sqltable.Words("enabled", "disabled")},
			"meta.created":                         {Name: "created_at"},
			"meta.lastModified":                    {Name: "updated_at"},
		},
		Unowned: sqltable.Adoptable, // each customer has one identity provider, which takes its users over
	})
	if err != nil {
		return nil, err
	}
	teams, err := sqltable.NewGroups(ctx, db,
		sqltable.Table{Name: "teams", Tenant: "customer_id", Columns: sqltable.Columns{"displayName": {Name: "name"}}, Unowned: sqltable.Adoptable},
		sqltable.Memberships{Name: "team_members", Owner: "team_id", Member: "user_id", Users: users})
	if err != nil {
		return nil, err
	}
	if err := errors.Join(users.Migrate(ctx), teams.Migrate(ctx)); err != nil { // makes the side tables
		return nil, err
	}
	srv, err := scim.New(memory.New(), auth, scim.WithHandler(schema.User(), users), scim.WithHandler(schema.Group(), teams))
	for _, w := range append(users.Warnings(), teams.Warnings()...) {
		log.Print(w.String())
	}
	return srv, err
}
