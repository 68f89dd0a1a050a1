package ownership_test

import (
	"fmt"
	"testing"

	"github.com/musterhq/muster/scim"
	"github.com/musterhq/muster/scim/ownership"
	"github.com/musterhq/muster/storage/memory"
)

// BenchmarkCreate creates users who are new, in a tenant in which the host has 10,000
// of its own: what a rule costs those whom it does not concern.
func BenchmarkCreate(b *testing.B) {
	rule := ownership.Rule{Host: host, Domains: domains("acme.example"), Verified: ownName}
	byEmail := rule
	byEmail.ByEmail = true
	for _, c := range []struct {
		name string
		opt  scim.Option
	}{{"without a rule", nil}, {"with a rule", rule.Option()}, {"by e-mail too", byEmail.Option()}} {
		b.Run(c.name, func(b *testing.B) {
			srv, err := scim.New(memory.New(), scim.BearerToken("secret"), c.opt)
			if err != nil {
				b.Fatal(err)
			}
			create := func(connection, name string) {
				r := scim.NewResource(srv.Type("User")).Set("userName", name).Set("emails", []any{map[string]any{"type": "work", "value": name}}).Resource()
				_, err := srv.Do(b.Context(), scim.Principal{Tenant: acme, Connection: connection}, &scim.Operation{Method: scim.Create, Type: srv.Type("User"), Resource: r})
				if err != nil {
					b.Fatal(err)
				}
			}
			for i := range 10_000 {
				create(host, fmt.Sprintf("own%d@acme.example", i))
			}
			for i := 0; b.Loop(); i++ {
				create("okta", fmt.Sprintf("new%d@acme.example", i))
			}
		})
	}
}
