package ownership_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/musterhq/muster/scim"
	"github.com/musterhq/muster/scim/ownership"
	"github.com/musterhq/muster/storage"
	"github.com/musterhq/muster/storage/memory"
)

func TestAReCreatedApplicationAdoptsWhatTheOldOneHad(t *testing.T) {
	t.Parallel()
	overStores(t, func(t *testing.T, store storage.Store) {
		b := newBed(t, store, ownership.Rule{})
		ada, _ := b.want(201, "okta", "POST /Users", `{"userName":"ada","externalId":"old-1","title":"Dr"}`)
		bea, _ := b.want(201, "okta", "POST /Users", `{"userName":"bea","externalId":"old-2"}`)
		sales, _ := b.want(201, "okta", "POST /Groups", `{"displayName":"Sales","externalId":"old-3","members":`+members(ada, bea)+`}`)
		if err := b.own.Replace(t.Context(), acme, "okta", "okta2"); err != nil {
			t.Fatal(err)
		}
		// The new application asks, finds nothing, and creates.
		_, found := b.want(200, "okta2", `GET /Users?filter=userName+eq+%22ada%22`, "")
		if found["totalResults"] != 0.0 {
			t.Errorf("it sees what it does not own: %v", found)
		}
		if id, doc := b.want(201, "okta2", "POST /Users", `{"userName":"Ada","externalId":"new-1","active":true}`); id != ada || doc["externalId"] != "new-1" || doc["title"] != "Dr" {
			t.Errorf("%v, want the user %s", doc, ada)
		}
		if id, doc := b.want(201, "okta2", "POST /Groups", `{"displayName":"SALES","externalId":"new-3","members":`+members(ada)+`}`); id != sales || doc["externalId"] != "new-3" {
			t.Errorf("%v, want the group %s", doc, sales)
		}
		b.want(404, "okta", "GET /Groups/"+sales, "")
		b.want(404, "okta", "PATCH /Groups/"+sales, patchBody("remove", "members", "null"))
		if got := b.membersOf(sales); !slices.Equal(got, sorted(ada, bea)) {
			t.Errorf("members %v, want both", got)
		}
		if got := b.unconfirmed(sales); !slices.Equal(got, []string{bea}) {
			t.Errorf("unconfirmed %v, want %s", got, bea)
		}
		// What it has not sent stays with the old connection until it is sent or moved.
		if got := b.owner("User", bea); got != "okta" {
			t.Errorf("bea belongs to %q", got)
		}
		if id, _ := b.want(201, "okta2", "POST /Users", `{"userName":"bea","externalId":"new-2"}`); id != bea {
			t.Errorf("bea was made anew")
		}
		b.want(204, "okta2", "PATCH /Groups/"+sales, patchBody("add", "members", members(bea)))
		if got := b.unconfirmed(sales); len(got) != 0 {
			t.Errorf("unconfirmed %v, want none: it was sent again", got)
		}
	})
}

func TestAReplacementReachesNoOtherConnectionAndEnds(t *testing.T) {
	t.Parallel()
	b := newBed(t, memory.New(), ownership.Rule{})
	b.want(201, "okta", "POST /Users", `{"userName":"ada"}`)
	b.want(201, "okta", "POST /Users", `{"userName":"bea"}`)
	for range 2 {
		if err := b.own.Replace(t.Context(), acme, "okta", "okta2"); err != nil {
			t.Fatal(err)
		}
	}
	if old, err := b.own.Replaced(t.Context(), acme, "okta2"); err != nil || !slices.Equal(old, []string{"okta"}) {
		t.Errorf("%v, %v", old, err)
	}
	b.want(409, "entra", "POST /Users", `{"userName":"ada"}`)
	b.want(201, "okta2", "POST /Users", `{"userName":"ada"}`)
	b.want(409, "okta", "POST /Users", `{"userName":"ada"}`)
	if err := b.own.EndReplacement(t.Context(), acme, "okta", "okta2"); err != nil {
		t.Fatal(err)
	}
	b.want(409, "okta2", "POST /Users", `{"userName":"bea"}`)
	if err := b.own.Replace(t.Context(), acme, "okta", "okta"); err == nil {
		t.Error("a connection takes its own place")
	}
	if err := b.own.Replace(t.Context(), acme, "", "default"); err == nil {
		t.Error("the default connection takes its own place")
	}
}

func TestANumberIsNoProofThatTwoAccountsAreOnePersons(t *testing.T) {
	t.Parallel()
	b := newBed(t, memory.New(), ownership.Rule{Otherwise: scim.Queue})
	for _, name := range []string{"10042", "10-042", "１２"} {
		b.want(201, "okta", "POST /Users", fmt.Sprintf(`{"userName":%q}`, name))
	}
	group, _ := b.want(201, "okta", "POST /Groups", `{"displayName":"2026"}`)
	if err := b.own.Replace(t.Context(), acme, "okta", "okta2"); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"10042", "10-042", "１２"} {
		b.want(409, "okta2", "POST /Users", fmt.Sprintf(`{"userName":%q}`, name))
	}
	if n := len(b.approvals()); n != 3 {
		t.Errorf("%d wait for a person", n)
	}
	if id, _ := b.want(201, "okta2", "POST /Groups", `{"displayName":"2026"}`); id != group {
		t.Error("a group may be called by a year")
	}
}

func TestTwoIdentityProvidersOfOneTenantKeepOutOfEachOthersWay(t *testing.T) {
	t.Parallel()
	overStores(t, func(t *testing.T, store storage.Store) {
		b := newBed(t, store, ownership.Rule{Domains: domains("acme.example"), Verified: ownName})
		ada, _ := b.want(201, "okta", "POST /Users", `{"userName":"ada@acme.example"}`)
		group, _ := b.want(201, "okta", "POST /Groups", `{"displayName":"Sales","members":`+members(ada)+`}`)
		b.want(409, "entra", "POST /Users", `{"userName":"ADA@acme.example"}`)
		other, _ := b.want(201, "entra", "POST /Groups", `{"displayName":"Sales","members":`+members(ada)+`}`)
		if got := b.membersOf(other); len(got) != 0 {
			t.Errorf("entra's group has okta's user: %v", got)
		}
		b.want(404, "entra", "DELETE /Groups/"+group, "")
		bea, _ := b.want(201, "entra", "POST /Users", `{"userName":"bea@acme.example"}`)
		b.want(204, "okta", "PATCH /Groups/"+group, patchBody("add", "members", members(bea)))
		if got := b.membersOf(group); !slices.Equal(got, []string{ada}) {
			t.Errorf("okta's group has members %v", got)
		}
	})
}

// merged is a bed in which okta has users and groups that entra is to get.
func merged(t *testing.T, store storage.Store, users int) (b *bed, ids []string, sales string) {
	b = newBed(t, store, ownership.Rule{})
	for i := range users {
		ids = append(ids, b.made("okta", "User", map[string]any{"userName": fmt.Sprintf("u%04d", i), "externalId": fmt.Sprint(i)}))
	}
	sales = b.made("okta", "Group", map[string]any{"displayName": "Sales"}, ids...)
	return b, ids, sales
}

func TestATransferIsPreviewedAndMovesEverythingWithItsIDs(t *testing.T) {
	t.Parallel()
	overStores(t, func(t *testing.T, store storage.Store) {
		b, ids, sales := merged(t, store, 1200)
		b.made("okta", "Group", map[string]any{"displayName": "Empty"})
		double := b.made("okta", "Group", map[string]any{"displayName": "Support"})
		taken := b.made("entra", "Group", map[string]any{"displayName": "SUPPORT"})
		b.made("entra", "User", map[string]any{"userName": "mine"})
		b.account("host's")
		gone := b.made("okta", "User", map[string]any{"userName": "gone"})
		b.want(204, "okta", "DELETE /Users/"+gone, "")

		check := func(r *ownership.Report, err error) {
			t.Helper()
			if err != nil || r.Resources["User"] != 1200 || r.Resources["Group"] != 2 || r.ConflictCount != 1 || len(r.Fixed) != 0 {
				t.Fatalf("%+v, %v", r, err)
			}
			want := ownership.Conflict{Resource: scim.Ref{Type: "Group", ID: double}, Name: "Support", With: scim.Ref{Type: "Group", ID: taken}}
			if !slices.Equal(r.Conflicts, []ownership.Conflict{want}) {
				t.Errorf("conflicts %+v, want %+v", r.Conflicts, want)
			}
		}
		check(b.own.Preview(t.Context(), acme, "okta", "entra"))
		if got := b.owner("Group", sales); got != "okta" {
			t.Fatal("the preview moved something")
		}
		check(b.own.Transfer(t.Context(), acme, "okta", "entra"))
		_, doc := b.want(200, "entra", "GET /Users?count=0", "")
		_, old := b.want(200, "okta", "GET /Users?count=0", "")
		if doc["totalResults"] != 1201.0 || old["totalResults"] != 0.0 {
			t.Errorf("entra has %v users, okta %v", doc["totalResults"], old["totalResults"])
		}
		if got := b.membersOf(sales); !slices.Equal(got, sorted(ids...)) {
			t.Errorf("%d members, want %d", len(got), len(ids))
		}
		b.want(404, "okta", "GET /Users/"+ids[0], "")
		b.want(200, "entra", "GET /Users/"+ids[0], "")
		// What was in the way is put right, and the rest follows.
		b.want(204, "entra", "PATCH /Groups/"+taken, patchBody("replace", "displayName", `"Support (new)"`))
		r, err := b.own.Transfer(t.Context(), acme, "okta", "entra")
		if err != nil || r.Resources["User"] != 0 || r.Resources["Group"] != 1 || r.ConflictCount != 0 {
			t.Errorf("%+v, %v", r, err)
		}
	})
}

// failing is a store of which commits fail once so many were made.
type failing struct {
	storage.Store
	mu   *sync.Mutex
	left *int
}

func (f failing) Unwrap() storage.Store { return f.Store }

func (f failing) Commit(ctx context.Context, b *storage.Batch) (*storage.CommitResult, error) {
	f.mu.Lock()
	*f.left--
	broken := *f.left < 0
	f.mu.Unlock()
	if broken {
		return nil, fmt.Errorf("pulled the plug: %w", storage.ErrUnavailable)
	}
	return f.Store.Commit(ctx, b)
}

func TestATransferThatEndsEarlyIsFinishedByRunningItAgain(t *testing.T) {
	t.Parallel()
	overStores(t, func(t *testing.T, store storage.Store) {
		left := 1 << 30
		f := failing{store, &sync.Mutex{}, &left}
		b, ids, sales := merged(t, f, 700)
		for commits := 0; ; commits++ {
			f.mu.Lock()
			left = commits
			f.mu.Unlock()
			_, err := b.own.Transfer(t.Context(), acme, "okta", "entra")
			if err == nil {
				break
			}
			if !errors.Is(err, storage.ErrUnavailable) || commits > 100 {
				t.Fatal(err)
			}
			// Between the attempts everything is in one hand or the other.
			if got := len(b.membersOf(sales)); got != len(ids) {
				t.Fatalf("%d members after a broken attempt", got)
			}
		}
		f.mu.Lock()
		left = 1 << 30
		f.mu.Unlock()
		for _, id := range ids {
			if got := b.owner("User", id); got != "entra" {
				t.Fatalf("a user belongs to %q", got)
			}
		}
		if got := b.unconfirmed(sales); len(got) != len(ids) {
			t.Errorf("%d members are unconfirmed, want all %d", len(got), len(ids))
		}
	})
}

func TestATransferWhileTheServerIsInUseLosesNothing(t *testing.T) {
	t.Parallel()
	overStores(t, func(t *testing.T, store storage.Store) {
		b, ids, sales := merged(t, store, 300)
		accepted := make([]bool, len(ids))
		var wg sync.WaitGroup
		for part := range 2 {
			wg.Go(func() {
				for i := part; i < len(ids); i += 2 {
					as := []string{"okta", "entra"}[i%2]
					code, doc := b.send(as, "PATCH /Users/"+ids[i], patchBody("replace", "title", `"changed"`))
					if accepted[i] = code == 200; code != 200 && code != 404 {
						t.Errorf("%d %v", code, doc)
					}
				}
			})
		}
		wg.Go(func() {
			for i := range 50 { // the new connection cannot see the group before it has it
				code, doc := b.send("entra", "PATCH /Groups/"+sales, patchBody("remove", "members", members(ids[i])))
				if code != 204 && code != 404 {
					t.Errorf("%d %v", code, doc)
				}
			}
		})
		wg.Go(func() {
			r, err := b.own.Transfer(t.Context(), acme, "okta", "entra")
			if err != nil || r.Resources["User"] != len(ids) || r.Resources["Group"] != 1 {
				t.Errorf("%+v, %v", r, err)
			}
		})
		wg.Wait()
		for i, id := range ids {
			e, err := b.Directory().Get(t.Context(), acme, scim.Ref{Type: "User", ID: id})
			if err != nil || e.Connection != "entra" || (e.Resource.String("title") == "changed") != accepted[i] {
				t.Errorf("%d: %v, %q, title %q, accepted %v", i, err, e.Connection, e.Resource.String("title"), accepted[i])
			}
		}
	})
}

func TestATransferAcrossTenantsMovesNothing(t *testing.T) {
	t.Parallel()
	b, ids, _ := merged(t, memory.New(), 3)
	r, err := b.own.Transfer(t.Context(), "other", "okta", "entra")
	if err != nil || len(r.Resources) != 0 {
		t.Errorf("%+v, %v", r, err)
	}
	if got := b.owner("User", ids[0]); got != "okta" {
		t.Errorf("it belongs to %q", got)
	}
	if _, err := b.own.Transfer(t.Context(), acme, "okta", "okta"); err == nil {
		t.Error("a connection takes its own place")
	}
}

func TestMembersThatAreNotSentAgainAreListedAndKeptOrRevoked(t *testing.T) {
	t.Parallel()
	overStores(t, func(t *testing.T, store storage.Store) {
		b, ids, sales := merged(t, store, 8)
		inner := b.made("okta", "Group", map[string]any{"displayName": "Inner"})
		b.want(204, "okta", "PATCH /Groups/"+sales, patchBody("add", "members", members(inner)))
		if _, err := b.own.Transfer(t.Context(), acme, "okta", "entra"); err != nil {
			t.Fatal(err)
		}
		reviews, err := b.own.Reviews(t.Context(), acme, "", 10)
		if err != nil || len(reviews) != 1 || reviews[0].Group != sales || reviews[0].From != "okta" || reviews[0].To != "entra" || reviews[0].Since.IsZero() {
			t.Fatalf("%+v, %v", reviews, err)
		}
		all := sorted(append([]string{inner}, ids...)...)
		expect := func(when string, want ...string) {
			t.Helper()
			if got := sorted(b.unconfirmed(sales)...); !slices.Equal(got, sorted(want...)) {
				t.Errorf("%s: unconfirmed %v, want %v", when, got, want)
			}
		}
		expect("at first", all...)
		b.want(204, "entra", "PATCH /Groups/"+sales, patchBody("add", "members", members(ids[0])))
		b.want(204, "entra", "PATCH /Groups/"+sales, patchBody("add", "members", members(inner, "unknown")))
		expect("two were added again, one of them a group whose type was not named", ids[1:]...)
		b.want(204, "entra", "PATCH /Groups/"+sales, patchBody("remove", "members", members(ids[1])))
		expect("one was removed", ids[2:]...)
		fresh, _ := b.want(201, "entra", "POST /Users", `{"userName":"fresh"}`)
		b.want(204, "entra", "PATCH /Groups/"+sales, patchBody("add", "members", members(fresh)))
		expect("a new one is the connection's own doing", ids[2:]...)
		b.want(204, "entra", "DELETE /Users/"+ids[2], "")
		expect("a deleted user is no member", ids[3:]...)
		if err := b.own.Keep(t.Context(), acme, sales, scim.Ref{Type: "User", ID: ids[3]}); err != nil {
			t.Fatal(err)
		}
		expect("one was kept", ids[4:]...)
		if err := b.own.Revoke(t.Context(), acme, sales, scim.Ref{Type: "User", ID: ids[4]}, scim.Ref{Type: "User", ID: ids[0]}); err != nil {
			t.Fatal(err)
		}
		expect("one was revoked", ids[5:]...)
		if got := b.membersOf(sales); !slices.Contains(got, ids[0]) || slices.Contains(got, ids[4]) {
			t.Errorf("members %v: a confirmed one cannot be revoked", got)
		}
		var paged []string
		after := scim.Ref{}
		for {
			page, err := b.own.Unconfirmed(t.Context(), acme, sales, after, 2)
			if err != nil {
				t.Fatal(err)
			}
			paged = append(paged, idsOf(page)...)
			if len(page) < 2 {
				break
			}
			after = page[1]
		}
		if !slices.Equal(paged, b.unconfirmed(sales)) {
			t.Errorf("in pages %v", paged)
		}
		if err := b.own.Revoke(t.Context(), acme, sales); err != nil {
			t.Fatal(err)
		}
		expect("all were revoked")
		if got := sorted(b.membersOf(sales)...); !slices.Equal(got, sorted(ids[0], ids[3], inner, fresh)) {
			t.Errorf("members %v", got)
		}
		if reviews, err := b.own.Reviews(t.Context(), acme, "", 10); err != nil || len(reviews) != 0 {
			t.Errorf("still under review: %+v, %v", reviews, err)
		}
	})
}

func TestAPutThatSetsTheMembersConfirmsThem(t *testing.T) {
	t.Parallel()
	b, ids, sales := merged(t, memory.New(), 4)
	if _, err := b.own.Transfer(t.Context(), acme, "okta", "entra"); err != nil {
		t.Fatal(err)
	}
	b.want(200, "entra", "PUT /Groups/"+sales, `{"displayName":"Sales","members":`+members(ids[0], ids[1])+`}`)
	if got := b.unconfirmed(sales); len(got) != 0 {
		t.Errorf("unconfirmed %v", got)
	}
	if got := b.membersOf(sales); !slices.Equal(got, sorted(ids[0], ids[1])) {
		t.Errorf("members %v", got)
	}
}

func TestKeepingAllEndsTheReview(t *testing.T) {
	t.Parallel()
	b, ids, sales := merged(t, memory.New(), 4)
	if _, err := b.own.Transfer(t.Context(), acme, "okta", "entra"); err != nil {
		t.Fatal(err)
	}
	if err := b.own.Keep(t.Context(), acme, sales); err != nil {
		t.Fatal(err)
	}
	if got := b.unconfirmed(sales); len(got) != 0 {
		t.Errorf("unconfirmed %v", got)
	}
	// What comes too late does nothing.
	for _, late := range []error{
		b.own.Revoke(t.Context(), acme, sales),
		b.own.Keep(t.Context(), acme, sales, scim.Ref{Type: "User", ID: ids[0]}),
		b.own.Revoke(t.Context(), acme, "unknown"),
		b.own.Keep(t.Context(), acme, "unknown"),
	} {
		if late != nil {
			t.Error(late)
		}
	}
	if got := b.membersOf(sales); len(got) != 4 {
		t.Errorf("members %v", got)
	}
}

func TestASecondHandoverBeginsANewReview(t *testing.T) {
	t.Parallel()
	b, ids, sales := merged(t, memory.New(), 3)
	move := func(from, to string) {
		t.Helper()
		if _, err := b.own.Transfer(t.Context(), acme, from, to); err != nil {
			t.Fatal(err)
		}
	}
	move("okta", "entra")
	b.want(204, "entra", "PATCH /Groups/"+sales, patchBody("add", "members", members(ids[0])))
	move("entra", "jumpcloud")
	if got := b.unconfirmed(sales); !slices.Equal(got, sorted(ids...)) {
		t.Errorf("unconfirmed %v, want all: what entra sent proves nothing for jumpcloud", got)
	}
	b.want(204, "jumpcloud", "DELETE /Groups/"+sales, "")
	if reviews, err := b.own.Reviews(t.Context(), acme, "", 10); err != nil || len(reviews) != 0 {
		t.Errorf("a deleted group is under review: %+v, %v", reviews, err)
	}
}

func TestAMemberThatIsSentWhileItIsRevokedStays(t *testing.T) {
	t.Parallel()
	overStores(t, func(t *testing.T, store storage.Store) {
		var b *bed
		var ids []string
		sales, stop := "", false
		// The connection sends a member between the decision to revoke and the removal.
		between := scim.WithGuard(func(_ context.Context, p scim.Principal, effects []scim.Effect) error {
			if p.Subject != "ownership" || stop || len(effects[0].Links) == 0 || len(effects[0].Links[0].Remove) == 0 {
				return nil
			}
			stop = true
			b.want(204, "entra", "PATCH /Groups/"+sales, patchBody("add", "members", members(ids[1])))
			return nil
		})
		b = newBed(t, store, ownership.Rule{}, between)
		for i := range 3 {
			ids = append(ids, b.made("okta", "User", map[string]any{"userName": fmt.Sprint("u", i)}))
		}
		sales = b.made("okta", "Group", map[string]any{"displayName": "Sales"}, ids...)
		if _, err := b.own.Transfer(t.Context(), acme, "okta", "entra"); err != nil {
			t.Fatal(err)
		}
		if err := b.own.Revoke(t.Context(), acme, sales); err != nil {
			t.Fatal(err)
		}
		if got := b.membersOf(sales); !stop || !slices.Equal(got, []string{ids[1]}) {
			t.Errorf("members %v, want the one that was sent", got)
		}
	})
}

func TestARevocationThatEndsEarlyIsFinishedByRunningItAgain(t *testing.T) {
	t.Parallel()
	left := 1 << 30
	f := failing{memory.New(), &sync.Mutex{}, &left}
	b, ids, sales := merged(t, f, 1100)
	if _, err := b.own.Transfer(t.Context(), acme, "okta", "entra"); err != nil {
		t.Fatal(err)
	}
	b.want(204, "entra", "PATCH /Groups/"+sales, patchBody("add", "members", members(ids[0], ids[1])))
	for commits := 0; ; commits++ {
		left = commits
		err := b.own.Revoke(t.Context(), acme, sales)
		left = 1 << 30
		if err == nil {
			break
		}
		if commits > 50 {
			t.Fatal(err)
		}
		// The connection sends one whose removal may just have broken off.
		b.want(204, "entra", "PATCH /Groups/"+sales, patchBody("add", "members", members(ids[2])))
	}
	if got := b.membersOf(sales); !slices.Equal(got, sorted(ids[:3]...)) {
		t.Errorf("%d members are left, want the three that were sent", len(got))
	}
}

func TestAMemberThatWasSentWhileARevocationBrokeOffComesBack(t *testing.T) {
	t.Parallel()
	left := 1 << 30
	f := failing{memory.New(), &sync.Mutex{}, &left}
	var b *bed
	var ids []string
	sales, done := "", false
	between := scim.WithGuard(func(_ context.Context, p scim.Principal, effects []scim.Effect) error {
		if p.Subject == "ownership" && !done && len(effects[0].Links) > 0 && len(effects[0].Links[0].Remove) > 0 {
			done = true
			b.want(204, "entra", "PATCH /Groups/"+sales, patchBody("add", "members", members(ids[1])))
			left = 1 // the removal, and then nothing any more
		}
		return nil
	})
	b = newBed(t, f, ownership.Rule{}, between)
	for i := range 3 {
		ids = append(ids, b.made("okta", "User", map[string]any{"userName": fmt.Sprint("u", i)}))
	}
	sales = b.made("okta", "Group", map[string]any{"displayName": "Sales"}, ids...)
	if _, err := b.own.Transfer(t.Context(), acme, "okta", "entra"); err != nil {
		t.Fatal(err)
	}
	if err := b.own.Revoke(t.Context(), acme, sales); err == nil {
		t.Fatal("nothing broke off")
	}
	left = 1 << 30
	if got := b.membersOf(sales); len(got) != 0 {
		t.Fatalf("members %v: the removal was not made", got)
	}
	if err := b.own.Revoke(t.Context(), acme, sales); err != nil {
		t.Fatal(err)
	}
	if got := b.membersOf(sales); !slices.Equal(got, []string{ids[1]}) {
		t.Errorf("members %v, want the one that was sent", got)
	}
}

func TestWhatTheOldConnectionSendsConfirmsNothing(t *testing.T) {
	t.Parallel()
	b, ids, sales := merged(t, memory.New(), 3)
	taken := b.made("entra", "Group", map[string]any{"displayName": "Sales"})
	if r, err := b.own.Transfer(t.Context(), acme, "okta", "entra"); err != nil || r.ConflictCount != 1 {
		t.Fatalf("%+v, %v", r, err)
	}
	fresh := b.made("okta", "User", map[string]any{"userName": "fresh"})
	b.want(204, "okta", "PATCH /Groups/"+sales, patchBody("add", "members", members(ids[0], fresh)))
	if reviews, err := b.own.Reviews(t.Context(), acme, "", 10); err != nil || len(reviews) != 0 {
		t.Errorf("a group that has not come yet is under review: %+v, %v", reviews, err)
	}
	b.want(204, "entra", "DELETE /Groups/"+taken, "")
	if r, err := b.own.Transfer(t.Context(), acme, "okta", "entra"); err != nil || r.Resources["Group"] != 1 {
		t.Fatalf("%+v, %v", r, err)
	}
	if got := b.unconfirmed(sales); len(got) != 4 {
		t.Errorf("%d are unconfirmed, want all four", len(got))
	}
}

func TestWhatTheOldConnectionMakesMeanwhileIsMovedToo(t *testing.T) {
	t.Parallel()
	b, _, _ := merged(t, memory.New(), 3)
	late := ""
	b.Subscribe(func(_ context.Context, e scim.Event) {
		if e.Owner != nil && late == "" {
			late, _ = b.want(201, "okta", "POST /Users", `{"userName":"late"}`)
		}
	})
	r, err := b.own.Transfer(t.Context(), acme, "okta", "entra")
	if err != nil || r.Resources["User"] != 4 || b.owner("User", late) != "entra" {
		t.Errorf("%+v, %v", r, err)
	}
}

func TestAGuardSeesWhatIsRevoked(t *testing.T) {
	t.Parallel()
	refuse := false
	guard := scim.WithGuard(func(_ context.Context, p scim.Principal, _ []scim.Effect) error {
		if refuse {
			return scim.Errorf(403, "", "not so many at once")
		}
		return nil
	})
	b := newBed(t, memory.New(), ownership.Rule{}, guard)
	ada := b.made("okta", "User", map[string]any{"userName": "ada"})
	sales := b.made("okta", "Group", map[string]any{"displayName": "Sales"}, ada)
	if _, err := b.own.Transfer(t.Context(), acme, "okta", "entra"); err != nil {
		t.Fatal(err)
	}
	refuse = true
	if err := b.own.Revoke(t.Context(), acme, sales); err == nil || !strings.Contains(err.Error(), "not so many") {
		t.Error(err)
	}
	if got := b.membersOf(sales); len(got) != 1 {
		t.Errorf("members %v", got)
	}
	refuse = false
	if err := b.own.Revoke(t.Context(), acme, sales); err != nil || len(b.membersOf(sales)) != 0 {
		t.Error(err, b.membersOf(sales))
	}
}

func TestAnEmptyGroupNeedsNoReview(t *testing.T) {
	t.Parallel()
	b := newBed(t, memory.New(), ownership.Rule{})
	b.made("okta", "Group", map[string]any{"displayName": "Empty"})
	if _, err := b.own.Transfer(t.Context(), acme, "okta", "entra"); err != nil {
		t.Fatal(err)
	}
	if reviews, err := b.own.Reviews(t.Context(), acme, "", 10); err != nil || len(reviews) != 0 {
		t.Errorf("%+v, %v", reviews, err)
	}
}

func TestReviewsArePaged(t *testing.T) {
	t.Parallel()
	b := newBed(t, memory.New(), ownership.Rule{})
	ada := b.made("okta", "User", map[string]any{"userName": "ada"})
	var want []string
	for i := range 7 {
		want = append(want, b.made("okta", "Group", map[string]any{"displayName": fmt.Sprint("g", i)}, ada))
	}
	if _, err := b.own.Transfer(t.Context(), acme, "okta", "entra"); err != nil {
		t.Fatal(err)
	}
	var got []string
	for after := ""; ; {
		page, err := b.own.Reviews(t.Context(), acme, after, 3)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range page {
			got, after = append(got, r.Group), r.Group
		}
		if len(page) < 3 {
			break
		}
	}
	if !slices.Equal(got, sorted(want...)) {
		text, _ := json.Marshal(got)
		t.Errorf("%s, want %v", text, want)
	}
}
