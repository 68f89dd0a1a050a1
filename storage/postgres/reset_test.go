package postgres

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/musterhq/muster/storage"
)

// A long list is compared on this side and must come to the same.
func TestLongListReplacesMembers(t *testing.T) {
	t.Parallel()
	s := openInternal(t)
	const n = 12_000 // more than a page
	users := &storage.Batch{Tenant: "acme", Time: time.Now()}
	var all []storage.Ref
	for i := range n {
		ref := storage.Ref{Type: "User", ID: fmt.Sprintf("u%05d", i)}
		all = append(all, ref)
		users.Puts = append(users.Puts, storage.Put{Record: &storage.Record{Ref: ref, Doc: []byte(`{}`)}, IfAbsent: true})
	}
	group := storage.Ref{Type: "Group", ID: "g"}
	users.Puts = append(users.Puts, storage.Put{Record: &storage.Record{Ref: group, Doc: []byte(`{}`)}, IfAbsent: true})
	if _, err := s.Commit(t.Context(), users); err != nil {
		t.Fatal(err)
	}
	version := int64(1)
	missing := []storage.Ref{{Type: "User", ID: "z"}, {Type: "User", ID: "a"}, {Type: "Other", ID: "u00001"}}
	for _, c := range []struct {
		name           string
		add            []storage.Ref
		added, removed int
		dropped        []storage.Ref
	}{
		{"into nothing", all[:5000], 5000, 0, nil},
		{"again", all[:5000], 0, 0, nil},
		{"shifted, with some missing", append(slices.Clone(missing), all[100:5100]...), 100, 100, missing},
		{"backwards", backwards(all[100:5100]), 0, 0, nil},
		{"to all", all, n - 5000, 0, nil},
		{"to the end", all[n-1500:], 0, n - 1500, nil},
	} {
		e := storage.LinkEdit{Owner: group, Relation: "members", Reset: true, Add: c.add}
		res, err := s.Commit(t.Context(), &storage.Batch{Tenant: "acme", Time: time.Now(), Links: []storage.LinkEdit{e}})
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		if c.added+c.removed > 0 {
			version++
		}
		r := res.Links[0]
		if r.Added != c.added || r.Removed != c.removed || r.Version != version || !slices.Equal(r.Dropped, c.dropped) {
			t.Errorf("%s: %d added, %d removed, version %d, dropped %v; want %d, %d, %d, %v", c.name, r.Added, r.Removed, r.Version, r.Dropped, c.added, c.removed, version, c.dropped)
		}
		links, err := s.Links(context.Background(), &storage.LinkQuery{Tenant: "acme", Relation: storage.Relation{Owner: "Group", Name: "members"}, Of: []storage.Ref{group}})
		if err != nil {
			t.Fatal(err)
		}
		want := slices.SortedFunc(slices.Values(c.add[len(c.dropped):]), storage.Ref.Compare)
		if !slices.EqualFunc(links, want, func(l storage.Link, r storage.Ref) bool { return l.To == r }) {
			t.Errorf("%s: %d links that are not those asked for", c.name, len(links))
		}
	}
	e := storage.LinkEdit{Owner: group, Relation: "members", Reset: true, Add: append(slices.Clone(missing), all[:2000]...), Missing: storage.MissingReject}
	if _, err := s.Commit(t.Context(), &storage.Batch{Tenant: "acme", Time: time.Now(), Links: []storage.LinkEdit{e}}); err == nil {
		t.Error("missing targets were not rejected")
	}
	if r, err := s.Get(t.Context(), "acme", group); err != nil || r.Version != version {
		t.Errorf("the group after a batch that failed: %+v, %v; want version %d", r, err, version)
	}
}

func backwards(refs []storage.Ref) []storage.Ref {
	refs = slices.Clone(refs)
	slices.Reverse(refs)
	return refs
}
