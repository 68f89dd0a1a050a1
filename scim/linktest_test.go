package scim

import (
	"testing"
	"time"

	"github.com/musterhq/muster/scim/filter"
	"github.com/musterhq/muster/storage"
	"github.com/musterhq/muster/storage/memory"
)

// A type whose documents are not in the store still has its links there, and filters
// ask about them one resource at a time.
func TestLinksAnswerForHandledTypes(t *testing.T) {
	t.Parallel()
	store := memory.New()
	srv, err := New(store, BearerToken("secret"))
	if err != nil {
		t.Fatal(err)
	}
	b := &storage.Batch{Time: time.Unix(1, 0)}
	for _, id := range []string{"users", "groups", "both", "none"} {
		r := NewResource(srv.Type("Group")).Set("displayName", id).Resource()
		b.Puts = append(b.Puts, storage.Put{Record: storage.NewRecord(r.WithMeta(Meta{ID: id}), "")})
	}
	for owner, targets := range map[string][]storage.Ref{
		"users":  {{Type: "User", ID: "7"}},
		"groups": {{Type: "Group", ID: "none"}},
		"both":   {{Type: "Group", ID: "none"}, {Type: "User", ID: "7"}, {Type: "User", ID: "8"}},
	} {
		b.Links = append(b.Links, storage.LinkEdit{Owner: storage.Ref{Type: "Group", ID: owner}, Relation: "members", Add: targets, Missing: storage.MissingKeep})
	}
	if _, err := store.Commit(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		asked filter.Linked
		want  string
	}{
		{filter.Linked{}, "users groups both"},
		{filter.Linked{Type: "User"}, "users both"},
		{filter.Linked{Type: "Group"}, "groups both"},
		{filter.Linked{Type: "Thing"}, ""},
		{filter.Linked{ID: "7"}, "users both"},
		{filter.Linked{ID: "none"}, "groups both"},
		{filter.Linked{ID: "8", Type: "User"}, "both"},
		{filter.Linked{ID: "8", Type: "Group"}, ""},
	} {
		test.asked.Owner, test.asked.Relation = "Group", "members"
		var failed error
		holds := srv.linkTest(t.Context(), srv.byName["Group"], "", &failed)
		got := ""
		for _, id := range []string{"users", "groups", "both", "none"} {
			if holds(id, test.asked) {
				if got != "" {
					got += " "
				}
				got += id
			}
		}
		if got != test.want || failed != nil {
			t.Errorf("%+v: %q, %v; want %q", test.asked, got, failed, test.want)
		}
	}
}
