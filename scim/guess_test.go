package scim_test

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/musterhq/muster/scim"
	"github.com/musterhq/muster/storage"
	"github.com/musterhq/muster/storage/memory"
)

// commitCounter counts the commits that a store is asked for.
type commitCounter struct {
	storage.Store
	n int
}

func (c *commitCounter) Commit(ctx context.Context, b *storage.Batch) (*storage.CommitResult, error) {
	c.n++
	return c.Store.Commit(ctx, b)
}

// A client that names no types may put a thousand groups into a group, or ids of
// nothing: that must not take a commit for each.
func TestManyMembersWithoutTypesTakeFewCommits(t *testing.T) {
	t.Parallel()
	st := &commitCounter{Store: memory.New()}
	srv, err := scim.New(st, scim.BearerToken("secret"), scim.WithLogger(slog.New(slog.DiscardHandler)), scim.WithUnknownMembers(scim.RejectUnknown))
	if err != nil {
		t.Fatal(err)
	}
	const n = 500
	var ids, nobody []string
	for i := range n {
		ids = append(ids, send(t, srv, "POST /Groups", fmt.Sprintf(groupBody, fmt.Sprint("g", i))).want(t, 201).id())
		nobody = append(nobody, fmt.Sprint("nobody", i))
	}
	ids = append(ids, newUser(t, srv, "ada"))
	st.n = 0
	g := send(t, srv, "POST /Groups", groupWith("all", ids...)).want(t, 201)
	if got := len(g.values("members")); got != n+1 || st.n > 3 {
		t.Errorf("%d members after %d commits", got, st.n)
	}
	st.n = 0
	send(t, srv, "POST /Groups", groupWith("none", nobody...)).want(t, 400, "invalidValue")
	if st.n > 3 {
		t.Errorf("%d commits to refuse", st.n)
	}
}

// Twenty times the members may take twenty times as long, not four hundred times.
// Not parallel: the time is measured.
func TestRequestsWithManyMembersStayLinear(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a second")
	}
	took := func(n int) time.Duration {
		var body strings.Builder
		body.WriteString(`{"displayName":"all","members":[`)
		for i := range n {
			if i > 0 {
				body.WriteByte(',')
			}
			fmt.Fprintf(&body, `{"value":"%08d"}`, i)
		}
		body.WriteString(`]}`)
		best := time.Hour
		for range 3 {
			srv := newServer(t)
			start := time.Now()
			g := send(t, srv, "POST /Groups", body.String()).want(t, 201)
			send(t, srv, "PUT /Groups/"+g.id(), body.String()).want(t, 200)
			best = min(best, time.Since(start))
		}
		return best
	}
	small, large := took(1000), took(20_000)
	t.Logf("1,000 members: %v, 20,000: %v", small, large)
	if large > 120*small {
		t.Errorf("1,000 members take %v, 20,000 take %v", small, large)
	}
}
