package ownership_test

import (
	"context"
	"fmt"
	"net/http/httptest"
	"strings"

	"github.com/musterhq/muster/scim"
	"github.com/musterhq/muster/scim/ownership"
	"github.com/musterhq/muster/storage/memory"
)

// What happens when an identity provider sends somebody whom the host has already?
func ExampleRule() {
	rule := ownership.Rule{
		Host: "app",
		Domains: func(_ context.Context, tenant string) ([]string, error) {
			return []string{"acme.example"}, nil // verified by a DNS record
		},
		Verified: func(_ context.Context, tenant string, account scim.DirectoryEntry) (string, bool, error) {
			return account.Resource.String("userName"), true, nil // verified by a mail at the sign-up
		},
		Otherwise: scim.Queue,
	}
	srv, err := scim.New(memory.New(), scim.BearerToken("secret"), rule.Option())
	if err != nil {
		panic(err)
	}
	// Accounts that the host had before there was SCIM.
	ctx := context.Background()
	for _, name := range []string{"ada@acme.example", "bea@private.example"} {
		_, err := srv.Do(ctx, scim.Principal{Connection: rule.Host}, &scim.Operation{
			Method: scim.Create, Type: srv.Type("User"),
			Resource: scim.NewResource(srv.Type("User")).Set("userName", name).Resource(),
		})
		if err != nil {
			panic(err)
		}
	}

	send := func(name string) {
		r := httptest.NewRequest("POST", "/Users", strings.NewReader(`{"userName":"`+name+`"}`))
		r.Header.Set("Authorization", "Bearer secret")
		w := httptest.NewRecorder()
		srv.ServeHTTP(w, r)
		fmt.Println(name, w.Code)
	}
	send("Ada@acme.example")
	send("bea@private.example")
	waiting, err := srv.Approvals(ctx, "", "", 10)
	if err != nil {
		panic(err)
	}
	for _, a := range waiting {
		fmt.Println("waiting:", a.UserName)
		if err := srv.Approve(ctx, "", a.ID); err != nil {
			panic(err)
		}
	}
	send("bea@private.example")
	// Output:
	// Ada@acme.example 201
	// bea@private.example 409
	// waiting: bea@private.example
	// bea@private.example 201
}

// How does everything that one identity provider has go to another one?
func ExampleOwnership_Transfer() {
	srv, err := scim.New(memory.New(), scim.BearerToken("secret"), ownership.Rule{}.Option())
	if err != nil {
		panic(err)
	}
	ctx := context.Background()
	for _, name := range []string{"ada", "bea"} {
		_, err := srv.Do(ctx, scim.Principal{Connection: "okta"}, &scim.Operation{
			Method: scim.Create, Type: srv.Type("User"),
			Resource: scim.NewResource(srv.Type("User")).Set("userName", name).Resource(),
		})
		if err != nil {
			panic(err)
		}
	}
	own := ownership.New(srv)
	preview, err := own.Preview(ctx, "", "okta", "entra")
	if err != nil {
		panic(err)
	}
	fmt.Println("would move", preview.Resources, "with", preview.ConflictCount, "conflicts")
	report, err := own.Transfer(ctx, "", "okta", "entra")
	if err != nil {
		panic(err)
	}
	fmt.Println("moved", report.Resources)
	// Output:
	// would move map[User:2] with 0 conflicts
	// moved map[User:2]
}
