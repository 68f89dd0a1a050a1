package policy_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/musterhq/muster/internal/pgtest"
	"github.com/musterhq/muster/scim"
	"github.com/musterhq/muster/scim/policy"
	"github.com/musterhq/muster/storage"
	"github.com/musterhq/muster/storage/memory"
	"github.com/musterhq/muster/storage/postgres"
)

// BenchmarkCreate creates users one after the other, without a rule and with seats,
// in tenants of two sizes: what a rule costs, and that it does not grow.
func BenchmarkCreate(b *testing.B) {
	stores := map[string]func() storage.Store{
		"memory": func() storage.Store { return memory.New() },
		"postgres": func() storage.Store {
			st, err := postgres.Open(b.Context(), pgtest.URL(b))
			if err == nil {
				err = st.Migrate(b.Context())
			}
			if err != nil {
				b.Fatal(err)
			}
			b.Cleanup(func() { st.Close() })
			return st
		},
	}
	seats := policy.Seats{Limit: func(context.Context, string) (int, error) { return 1 << 30, nil }}
	for _, store := range []string{"memory", "postgres"} {
		for _, users := range []int{100, 20_000} {
			st := stores[store]()
			fill(b, st, users)
			made := 0
			for _, rule := range []struct {
				name string
				opts []scim.Option
			}{{"none", nil}, {"seats", []scim.Option{scim.WithGuard(seats.Guard())}}} {
				s := newServer(b, st, rule.opts...)
				s.create("first-" + rule.name)
				b.Run(fmt.Sprintf("%s/users=%d/rule=%s", store, users, rule.name), func(b *testing.B) {
					b.ReportAllocs()
					for b.Loop() {
						made++
						s.create(fmt.Sprintf("new%d", made))
					}
				})
			}
		}
	}
}

// fill puts active users into the tenant acme.
func fill(b *testing.B, st storage.Store, n int) {
	b.Helper()
	t := newServer(b, memory.New()).Type("User")
	batch := &storage.Batch{Tenant: "acme", Time: newClock().Now()}
	for i := range n {
		r, err := scim.NewResource(t).Meta(scim.Meta{ID: fmt.Sprintf("id-%d", i)}).Set("userName", fmt.Sprintf("old%d", i)).Set("active", true).Build()
		if err != nil {
			b.Fatal(err)
		}
		batch.Puts = append(batch.Puts, storage.Put{Record: storage.NewRecord(r, "entra"), IfAbsent: true})
		if len(batch.Puts) == 1000 || i == n-1 {
			if _, err := st.Commit(b.Context(), batch); err != nil {
				b.Fatal(err)
			}
			batch.Puts = nil
		}
	}
}
