package policy_test

import (
	"context"
	"fmt"
	"net/http/httptest"
	"strings"

	"github.com/musterhq/muster/scim"
	"github.com/musterhq/muster/scim/policy"
	"github.com/musterhq/muster/storage"
	"github.com/musterhq/muster/storage/memory"
)

// post creates a user and prints what the identity provider is told.
func post(srv *scim.Server, user string) {
	r := httptest.NewRequest("POST", "/Users", strings.NewReader(user))
	r.Header.Set("Authorization", "Bearer secret")
	r.Header.Set("Content-Type", "application/scim+json")
	w := httptest.NewRecorder()
	srv.ServeHTTP(w, r)
	fmt.Println(w.Code)
	if w.Code >= 400 {
		_, detail, _ := strings.Cut(w.Body.String(), `"detail":"`)
		fmt.Println(strings.TrimSuffix(detail, `"}`))
	}
}

func ExampleDomains() {
	rule := policy.Domains{
		Allowed: func(_ context.Context, tenant string) ([]string, error) {
			return []string{"example.com"}, nil // those that the customer has proved
		},
		Exempt: func(_ context.Context, tenant string, user *scim.Resource) (bool, error) {
			return policy.IsGuest(user), nil
		},
	}
	srv, err := scim.New(memory.New(), scim.BearerToken("secret"), scim.WithGuard(rule.Guard()))
	if err != nil {
		fmt.Println(err)
		return
	}
	post(srv, `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada@example.com"}`)
	post(srv, `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"eve@partner.example"}`)
	post(srv, `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"dan@partner.example","userType":"Guest"}`)
	// Output:
	// 201
	// 403
	// userName is not an address of a domain that this organisation may use; correct it, or have its domain added in the application
	// 201
}

func ExampleSeats() {
	rule := policy.Seats{Limit: func(_ context.Context, tenant string) (int, error) { return 1, nil }}
	srv, err := scim.New(memory.New(), scim.BearerToken("secret"), scim.WithGuard(rule.Guard()))
	if err != nil {
		fmt.Println(err)
		return
	}
	post(srv, `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada"}`)
	post(srv, `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"bob","active":false}`)
	post(srv, `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"eve"}`)
	// Output:
	// 201
	// 201
	// 403
	// all seats of this organisation are taken (1), so nobody can be added or reactivated; deactivate users who have left, or raise the number of seats in the application; the change can then be sent again as it is
}

func ExampleFuse() {
	fuse := policy.Fuse{Limit: 2, Blown: func(_ context.Context, tenant, connection string, s policy.FuseState) {
		fmt.Println("blown after", s.Left)
	}}
	srv, err := scim.New(memory.New(), scim.BearerToken("secret"), scim.WithGuard(fuse.Guard()))
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx, users := context.Background(), srv.Type("User")
	leave := func(name string) {
		user, err := scim.NewResource(users).Set("userName", name).Build()
		if err != nil {
			fmt.Println(err)
			return
		}
		res, err := srv.Do(ctx, scim.Principal{}, &scim.Operation{Method: scim.Create, Type: users, Resource: user})
		if err == nil {
			_, err = srv.Do(ctx, scim.Principal{}, &scim.Operation{Method: scim.Delete, Type: users, ID: res.Resource.ID()})
		}
		fmt.Println(name, "left:", err == nil)
	}
	leave("ada")
	leave("bob")
	leave("eve")
	if err := fuse.LetPass(ctx, srv.Directory(), "", "default"); err != nil {
		fmt.Println(err)
	}
	leave("dan")
	// Output:
	// ada left: true
	// bob left: true
	// blown after 2
	// eve left: false
	// dan left: true
}

func ExampleLastOwner() {
	rule := policy.LastOwner{Owners: func(_ context.Context, tenant string) ([]string, error) {
		return []string{"id-of-ada", "id-of-bob"}, nil // as the host knows them
	}}
	_, err := scim.New(memory.New(), scim.BearerToken("secret"), scim.WithGuard(rule.Guard()))
	fmt.Println(err)
	// Output: <nil>
}

func ExampleFields() {
	fields := policy.Fields{Host: []string{"displayName"}}
	srv, err := scim.New(memory.New(), scim.BearerToken("secret"), scim.WithAmendment(fields.Amendment()))
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx, users := context.Background(), srv.Type("User")
	user, err := scim.NewResource(users).Set("userName", "ada").Build()
	if err != nil {
		fmt.Println(err)
		return
	}
	res, err := srv.Do(ctx, scim.Principal{}, &scim.Operation{Method: scim.Create, Type: users, Resource: user})
	if err != nil {
		fmt.Println(err)
		return
	}
	entry, err := srv.Directory().Get(ctx, "", storage.Ref{Type: "User", ID: res.Resource.ID()})
	fmt.Println(fields.Editable(entry, "displayName"), fields.Editable(entry, "title"), err)
	// Output: true false <nil>
}
