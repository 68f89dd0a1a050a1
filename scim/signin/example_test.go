package signin_test

import (
	"context"
	"fmt"

	"github.com/musterhq/muster/scim"
	"github.com/musterhq/muster/scim/signin"
	"github.com/musterhq/muster/storage/memory"
)

func ExampleRules_SignIn() {
	srv, err := scim.New(memory.New(), scim.BearerToken("secret"))
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx := context.Background()
	rules := signin.Rules{JustInTime: func(_ context.Context, tenant string, _ signin.Identity) (bool, error) {
		return tenant == "open", nil // the others are provisioned by SCIM
	}}
	for _, tenant := range []string{"open", "open", "strict"} {
		decision, err := rules.SignIn(ctx, srv, tenant, signin.Identity{UserName: "ada@example.com"}, nil)
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Printf("%v %q\n", decision.Outcome, decision.Reason)
	}
	// Output:
	// created ""
	// existing ""
	// refused "there is no account for you yet; ask the administrator of your organisation to assign you to the application"
}
