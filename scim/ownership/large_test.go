package ownership_test

import (
	"context"
	"flag"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/musterhq/muster/scim"
	"github.com/musterhq/muster/scim/ownership"
	"github.com/musterhq/muster/storage"
)

var largeGroup = flag.Int("members", 3000, "members of the group of TestALargeGroupIsReviewedPageByPage")

// measured is a store that notes the most that a call took or gave.
type measured struct {
	storage.Store
	most *atomic.Int64
}

func (m measured) Unwrap() storage.Store { return m.Store }

func (m measured) note(n int) {
	for {
		most := m.most.Load()
		if int64(n) <= most || m.most.CompareAndSwap(most, int64(n)) {
			return
		}
	}
}

func (m measured) Query(ctx context.Context, q *storage.Query) (*storage.Page, error) {
	page, err := m.Store.Query(ctx, q)
	if err == nil {
		m.note(len(page.Records))
	}
	return page, err
}

func (m measured) Links(ctx context.Context, q *storage.LinkQuery) ([]storage.Link, error) {
	links, err := m.Store.Links(ctx, q)
	m.note(max(len(links), len(q.Other)))
	return links, err
}

func (m measured) Commit(ctx context.Context, b *storage.Batch) (*storage.CommitResult, error) {
	m.note(len(b.Puts))
	for _, l := range b.Links {
		m.note(len(l.Add) + len(l.Remove))
	}
	return m.Store.Commit(ctx, b)
}

func TestALargeGroupIsReviewedPageByPage(t *testing.T) {
	t.Parallel()
	overStores(t, func(t *testing.T, store storage.Store) {
		m := measured{store, new(atomic.Int64)}
		b := newBed(t, m, ownership.Rule{})
		userType, at := b.Type("User"), time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
		sales := b.made("okta", "Group", map[string]any{"displayName": "Everybody"})
		var ids []string
		for start := 0; start < *largeGroup; start += 500 { // past the server, which is not what is tested
			batch := &storage.Batch{Tenant: acme, Time: at}
			edit := storage.LinkEdit{Owner: scim.Ref{Type: "Group", ID: sales}, Relation: "members"}
			for i := start; i < min(start+500, *largeGroup); i++ {
				id := fmt.Sprintf("user-%07d", i)
				r := scim.NewResource(userType).Meta(scim.Meta{ID: id, Created: at}).Set("userName", id).Resource()
				batch.Puts = append(batch.Puts, storage.Put{Record: storage.NewRecord(r, "okta"), IfAbsent: true})
				edit.Add = append(edit.Add, scim.Ref{Type: "User", ID: id})
				ids = append(ids, id)
			}
			batch.Links = []storage.LinkEdit{edit}
			if _, err := store.Commit(t.Context(), batch); err != nil {
				t.Fatal(err)
			}
		}
		step := func(name string, f func() error) {
			t.Helper()
			m.most.Store(0)
			began := time.Now()
			if err := f(); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			t.Logf("%s: %v", name, time.Since(began).Round(time.Millisecond))
			if most := m.most.Load(); most > 1000 {
				t.Errorf("%s: a call carries %d things", name, most)
			}
		}
		step("transfer", func() error { _, err := b.own.Transfer(t.Context(), acme, "okta", "entra"); return err })
		half := len(ids) / 2
		step("sent again, a thousand at a time", func() error {
			for page := range slices.Chunk(ids[:half], 1000) {
				b.want(204, "entra", "PATCH /Groups/"+sales, patchBody("add", "members", members(page...)))
			}
			return nil
		})
		step("list", func() error {
			n, after := 0, scim.Ref{}
			for {
				page, err := b.own.Unconfirmed(t.Context(), acme, sales, after, 300)
				n += len(page)
				if err != nil || len(page) < 300 {
					if n != len(ids)-half {
						t.Errorf("%d are unconfirmed, want %d", n, len(ids)-half)
					}
					return err
				}
				after = page[299]
			}
		})
		step("revoke", func() error { return b.own.Revoke(t.Context(), acme, sales) })
		if got := b.membersOf(sales); !slices.Equal(got, ids[:half]) {
			t.Errorf("%d members are left, want %d", len(got), half)
		}
	})
}
