package scim_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/musterhq/muster/scim"
	"github.com/musterhq/muster/storage"
	"github.com/musterhq/muster/storage/memory"
)

// approvals lists what is to be decided in acme.
func approvals(t testing.TB, srv *scim.Server) []scim.Approval {
	t.Helper()
	list, err := srv.Approvals(t.Context(), "acme", "", 1000)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// only is the one entry of the list.
func only(t testing.TB, srv *scim.Server) scim.Approval {
	t.Helper()
	list := approvals(t, srv)
	if len(list) != 1 {
		t.Fatalf("%d entries, want one: %+v", len(list), list)
	}
	return list[0]
}

func newClock() *at { return &at{now: time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)} }

func TestAClaimThatWaitsForAPersonIsListedOnceAndAdoptedWhenApproved(t *testing.T) {
	t.Parallel()
	overStores(t, func(t *testing.T, store storage.Store) {
		clock := newClock()
		srv := adopting(t, store, always(scim.Queue), scim.WithClock(clock.Now))
		id := made(t, srv, hostName, "User", map[string]any{"userName": "ada"})
		first := clock.Now()
		const body = `{"userName":"Ada","externalId":"x1","displayName":"Ada L","emails":[{"value":"ada@acme.example"}],"password":"hunter2"}`
		for range 10 {
			a := send(t, srv, "POST /Users", body).want(t, 409, "uniqueness")
			if detail, _ := a.get("detail").(string); !strings.Contains(detail, "asked to approve") {
				t.Errorf("the admin of the identity provider is told: %s", detail)
			}
			clock.add(40 * time.Minute)
		}
		got := only(t, srv)
		want := scim.Approval{
			ID: got.ID, Ref: scim.Ref{Type: "User", ID: id}, Connection: "okta", About: scim.AboutAdoption,
			UserName: "Ada", DisplayName: "Ada L", ExternalID: "x1", Email: "ada@acme.example",
			Attempts: 10, First: first, Last: first.Add(9 * 40 * time.Minute), State: scim.Waiting,
		}
		if got != want || got.ID == "" {
			t.Errorf("listed\n%+v\nwant\n%+v", got, want)
		}
		if err := srv.Approve(t.Context(), "acme", got.ID); err != nil {
			t.Fatal(err)
		}
		if s := only(t, srv); s.State != scim.Approved || !s.Decided.Equal(clock.Now()) {
			t.Errorf("%+v", s)
		}
		if a := send(t, srv, "POST /Users", body).want(t, 201); a.id() != id {
			t.Errorf("id %s, want %s", a.id(), id)
		}
		if left := approvals(t, srv); len(left) != 0 {
			t.Errorf("still listed: %+v", left)
		}
	})
}

func TestARejectionHoldsUntilSomebodyApproves(t *testing.T) {
	t.Parallel()
	srv := adopting(t, memory.New(), always(scim.Queue))
	made(t, srv, hostName, "User", map[string]any{"userName": "ada"})
	post := func(status int) *answer {
		t.Helper()
		return send(t, srv, "POST /Users", fmt.Sprintf(userBody, "ada")).want(t, status)
	}
	post(409)
	id := only(t, srv).ID
	if err := srv.Reject(t.Context(), "acme", id); err != nil {
		t.Fatal(err)
	}
	if detail, _ := post(409).get("detail").(string); !strings.Contains(detail, "refused to link") {
		t.Errorf("the admin of the identity provider is told: %s", detail)
	}
	if a := only(t, srv); a.State != scim.Rejected || a.Attempts != 2 {
		t.Errorf("%+v", a)
	}
	if err := srv.Approve(t.Context(), "acme", id); err != nil {
		t.Fatal(err)
	}
	post(201)
}

func TestAnApprovalIsForThePersonWhomTheClientMeant(t *testing.T) {
	t.Parallel()
	clock := newClock()
	srv := adopting(t, memory.New(), always(scim.Queue), scim.WithClock(clock.Now))
	made(t, srv, hostName, "User", map[string]any{"userName": "ada"})
	send(t, srv, "POST /Users", `{"userName":"ada","externalId":"1"}`).want(t, 409)
	if err := srv.Approve(t.Context(), "acme", only(t, srv).ID); err != nil {
		t.Fatal(err)
	}
	send(t, srv, "POST /Users", `{"userName":"ada","externalId":"2"}`).want(t, 409)
	send(t, srv, "POST /Users", `{"userName":"ada","externalId":"1"}`, asEntra).want(t, 409)
	if n := len(approvals(t, srv)); n != 3 {
		t.Errorf("%d entries, want one for each", n)
	}
	clock.add(31 * 24 * time.Hour)
	send(t, srv, "POST /Users", `{"userName":"ada","externalId":"1"}`).want(t, 409)
	for _, a := range approvals(t, srv) {
		if a.State != scim.Waiting || !a.Decided.IsZero() {
			t.Errorf("an approval of a month ago still counts: %+v", a)
		}
	}
}

func TestAnApprovalIsForTheNamesThatWereShown(t *testing.T) {
	t.Parallel()
	srv := adopting(t, memory.New(), always(scim.Queue))
	made(t, srv, hostName, "User", map[string]any{"userName": "ceo"})
	const shown = `{"userName":"ceo","emails":[{"value":"ceo@acme.example"}]}`
	send(t, srv, "POST /Users", shown).want(t, 409)
	if err := srv.Approve(t.Context(), "acme", only(t, srv).ID); err != nil {
		t.Fatal(err)
	}
	for _, other := range []string{
		`{"userName":"ceo","emails":[{"value":"eve@acme.example"}]}`,
		`{"userName":"ceo","emails":[{"value":"ceo@acme.example"},{"value":"eve@acme.example","primary":true}]}`,
		`{"userName":"ceo"}`,
	} {
		send(t, srv, "POST /Users", other).want(t, 409)
	}
	send(t, srv, "POST /Users", `{"userName":"CEO","title":"x","emails":[{"value":"CEO@acme.example"}]}`).want(t, 201)
}

func TestWhatAPersonDecidedIsNotForgottenForWhatWaits(t *testing.T) {
	t.Parallel()
	overStores(t, func(t *testing.T, store storage.Store) {
		clock := newClock()
		srv := adopting(t, store, always(scim.Queue), scim.WithClock(clock.Now))
		made(t, srv, hostName, "User", map[string]any{"userName": "ada"})
		send(t, srv, "POST /Users", `{"userName":"ada","externalId":"hers"}`).want(t, 409)
		if err := srv.Reject(t.Context(), "acme", only(t, srv).ID); err != nil {
			t.Fatal(err)
		}
		for i := range 50 {
			clock.add(time.Minute)
			send(t, srv, "POST /Users", fmt.Sprintf(`{"userName":"ada","externalId":"%d"}`, i), asEntra).want(t, 409)
		}
		list := approvals(t, srv)
		has := func(externalID string, state scim.ApprovalState) bool {
			return slices.ContainsFunc(list, func(a scim.Approval) bool { return a.ExternalID == externalID && a.State == state })
		}
		if len(list) != 20 || !has("hers", scim.Rejected) || !has("49", scim.Waiting) {
			t.Errorf("%d: %+v", len(list), list)
		}
		// When all are decided, what is new is listed all the same.
		for _, a := range list {
			if err := srv.Reject(t.Context(), "acme", a.ID); err != nil {
				t.Fatal(err)
			}
		}
		send(t, srv, "POST /Users", `{"userName":"ada","externalId":"new"}`, asEntra).want(t, 409)
		if list = approvals(t, srv); len(list) != 20 || !has("new", scim.Waiting) {
			t.Errorf("%d: %+v", len(list), list)
		}
	})
}

func TestALongNameIsCutBetweenLetters(t *testing.T) {
	t.Parallel()
	srv := adopting(t, memory.New(), always(scim.Queue))
	made(t, srv, hostName, "User", map[string]any{"userName": "ada"})
	send(t, srv, "POST /Users", `{"userName":"ada","displayName":"x`+strings.Repeat("ü", 600)+`"}`).want(t, 409)
	if got := only(t, srv).DisplayName; got != "x"+strings.Repeat("ü", 499) {
		t.Errorf("%q", got)
	}
}

func TestWhatWaitsIsBoundedAndPaged(t *testing.T) {
	t.Parallel()
	overStores(t, func(t *testing.T, store storage.Store) {
		clock := newClock()
		srv := adopting(t, store, always(scim.Queue), scim.WithClock(clock.Now))
		made(t, srv, hostName, "User", map[string]any{"userName": "ada"})
		made(t, srv, hostName, "User", map[string]any{"userName": "bea"})
		send(t, srv, "POST /Users", `{"userName":"bea","externalId":"other","displayName":"`+strings.Repeat("x", 5000)+`"}`).want(t, 409)
		for i := range 25 {
			clock.add(time.Minute)
			send(t, srv, "POST /Users", fmt.Sprintf(`{"userName":"ada","externalId":"%02d"}`, i)).want(t, 409)
		}
		var ids, externals []string
		after := ""
		for {
			page, err := srv.Approvals(t.Context(), "acme", after, 4)
			if err != nil {
				t.Fatal(err)
			}
			for _, a := range page {
				ids, externals, after = append(ids, a.ID), append(externals, a.ExternalID), a.ID
				if len(a.DisplayName) > 1000 {
					t.Errorf("%d bytes of a name are kept", len(a.DisplayName))
				}
			}
			if len(page) < 4 {
				break
			}
		}
		if !slices.IsSorted(ids) || len(slices.Compact(ids)) != 21 {
			t.Errorf("%d entries, want the last 20 of one user and one of another", len(ids))
		}
		if slices.Contains(externals, "04") || !slices.Contains(externals, "05") || !slices.Contains(externals, "24") {
			t.Errorf("not the oldest were forgotten: %v", externals)
		}
	})
}

func TestWhatWaitsGoesWithTheUser(t *testing.T) {
	t.Parallel()
	overStores(t, func(t *testing.T, store storage.Store) {
		clock := newClock()
		srv := adopting(t, store, always(scim.Queue), scim.WithClock(clock.Now))
		host := scim.Principal{Tenant: "acme", Connection: hostName}
		remove := func(id string) {
			t.Helper()
			if _, err := srv.Do(t.Context(), host, &scim.Operation{Method: scim.Delete, Type: srv.Type("User"), ID: id}); err != nil {
				t.Fatal(err)
			}
		}
		for name, end := range map[string]func(id string){
			"erased":  func(id string) { _ = srv.Erase(t.Context(), "acme", "User", id) },
			"deleted": remove,
			"purged": func(id string) {
				remove(id)
				clock.add(40 * 24 * time.Hour)
				if n, err := srv.Purge(t.Context(), "acme"); err != nil || n == 0 {
					t.Errorf("purged %d, %v", n, err)
				}
			},
		} {
			id := made(t, srv, hostName, "User", map[string]any{"userName": "ada"})
			send(t, srv, "POST /Users", `{"userName":"ada","externalId":"personal-`+name+`"}`).want(t, 409)
			entry := only(t, srv)
			end(id)
			if name != "deleted" { // a deletion leaves it to the next look at the list
				if err := srv.Approve(t.Context(), "acme", entry.ID); !errors.Is(err, scim.ErrNotFound) {
					t.Errorf("%s: the entry is still there: %v", name, err)
				}
			}
			if left := approvals(t, srv); len(left) != 0 {
				t.Errorf("%s: still listed: %+v", name, left)
			}
			if err := srv.Approve(t.Context(), "acme", entry.ID); !errors.Is(err, scim.ErrNotFound) {
				t.Errorf("%s: the entry is still kept: %v", name, err)
			}
		}
	})
}

func TestTenantsDoNotSeeWhatWaitsInOthers(t *testing.T) {
	t.Parallel()
	srv := adopting(t, memory.New(), always(scim.Queue))
	made(t, srv, hostName, "User", map[string]any{"userName": "ada"})
	send(t, srv, "POST /Users", fmt.Sprintf(userBody, "ada")).want(t, 409)
	if list, err := srv.Approvals(t.Context(), "other", "", 10); err != nil || len(list) != 0 {
		t.Errorf("%+v, %v", list, err)
	}
	id := only(t, srv).ID
	if err := srv.Approve(t.Context(), "other", id); !errors.Is(err, scim.ErrNotFound) {
		t.Error(err)
	}
	if err := srv.Reject(t.Context(), "other", id); !errors.Is(err, scim.ErrNotFound) {
		t.Error(err)
	}
}

func TestAttemptsAtTheSameMomentAreAllCounted(t *testing.T) {
	t.Parallel()
	overStores(t, func(t *testing.T, store storage.Store) {
		srv := adopting(t, store, always(scim.Queue))
		made(t, srv, hostName, "User", map[string]any{"userName": "ada"})
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() { send(t, srv, "POST /Users", fmt.Sprintf(userBody, "ada")).want(t, 409) })
		}
		wg.Wait()
		if a := only(t, srv); a.Attempts != 8 {
			t.Errorf("%d attempts, want 8", a.Attempts)
		}
	})
}

func TestAGuardMayAskAPerson(t *testing.T) {
	t.Parallel()
	refused := 0
	store := memory.New()
	srv := adopting(t, store, nil, scim.WithGuard(guardsOf(&refused)...))
	// A create has no resource yet that an approval could be kept with.
	send(t, srv, "POST /Users", fmt.Sprintf(userBody, "ada")).want(t, 403)
	if list := approvals(t, srv); len(list) != 0 {
		t.Fatalf("%+v", list)
	}
	id := send(t, adopting(t, store, nil), "POST /Users", fmt.Sprintf(userBody, "ada")).want(t, 201).id()
	rename := func(to string, status int) *answer {
		t.Helper()
		return send(t, srv, "PATCH /Users/"+id, patchBody(`[{"op":"replace","path":"userName","value":"`+to+`"}]`)).want(t, status)
	}
	for range 3 {
		if a := rename("bea", 403); a.get("detail") != "an administrator of the application must approve new names" {
			t.Error(a.Body)
		}
	}
	entry := only(t, srv)
	if entry.About != "userName: bea" || entry.Ref.ID != id || entry.Attempts != 3 || entry.UserName != "bea" || entry.Connection != "okta" {
		t.Errorf("%+v", entry)
	}
	if err := srv.Approve(t.Context(), "acme", entry.ID); err != nil {
		t.Fatal(err)
	}
	rename("carla", 403) // approved was another name
	rename("bea", 200)
	if err := srv.Reject(t.Context(), "acme", entry.ID); err != nil {
		t.Fatal(err)
	}
	// The guards behind the one that was answered are asked all the same.
	rename("evil", 403)
	for _, a := range approvals(t, srv) {
		if a.About == "userName: evil" {
			if err := srv.Approve(t.Context(), "acme", a.ID); err != nil {
				t.Fatal(err)
			}
		}
	}
	if a := rename("evil", 403); a.get("detail") != "never" || refused != 1 {
		t.Errorf("%s, refused %d times", a.Body, refused)
	}
	long := strings.Repeat("x", 2000)
	before := len(approvals(t, srv))
	rename(long, 403)
	if n := len(approvals(t, srv)); n != before {
		t.Errorf("a text of %d bytes is kept", len(long))
	}
}

// guardsOf are a guard that asks a person about every new userName, and one that
// refuses one of them.
func guardsOf(refused *int) []scim.Guard {
	return []scim.Guard{
		func(_ context.Context, _ scim.Principal, effects []scim.Effect) error {
			e := &effects[0]
			if _, ok := e.Changed("userName"); !ok && e.Kind != scim.Create {
				return nil
			}
			return scim.NeedsApproval(scim.Ref{Type: "User", ID: e.ID}, "userName: "+e.After.String("userName"),
				"an administrator of the application must approve new names")
		},
		func(_ context.Context, _ scim.Principal, effects []scim.Effect) error {
			if effects[0].After.String("userName") == "evil" {
				*refused++
				return scim.Errorf(403, "", "never")
			}
			return nil
		},
	}
}

// watched is a store that notes what is put.
type watched struct {
	storage.Store
	docs *[]string
}

func (w watched) Unwrap() storage.Store { return w.Store }

func (w watched) Commit(ctx context.Context, b *storage.Batch) (*storage.CommitResult, error) {
	for _, p := range b.Puts {
		*w.docs = append(*w.docs, string(p.Record.Doc))
	}
	return w.Store.Commit(ctx, b)
}

func TestNoPasswordIsKeptOfAClaim(t *testing.T) {
	t.Parallel()
	var docs []string
	answer := scim.Queue
	srv := adopting(t, watched{memory.New(), &docs}, func(*scim.Claim) scim.Adoption { return answer })
	made(t, srv, hostName, "User", map[string]any{"userName": "ada"})
	const body = `{"userName":"ada","displayName":"Ada","password":"hunter2"}`
	send(t, srv, "POST /Users", body).want(t, 409)
	answer = scim.Adopt
	send(t, srv, "POST /Users", body).want(t, 201)
	all := strings.Join(docs, "\n")
	if len(docs) < 3 || !strings.Contains(all, "Ada") || strings.Contains(all, "hunter2") {
		t.Errorf("kept:\n%s", all)
	}
}
