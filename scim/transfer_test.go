package scim_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/musterhq/muster/scim"
	"github.com/musterhq/muster/storage"
	"github.com/musterhq/muster/storage/memory"
)

func user(id string) scim.Ref  { return scim.Ref{Type: "User", ID: id} }
func group(id string) scim.Ref { return scim.Ref{Type: "Group", ID: id} }

func TestATransferKeepsIDsAndLinksAndEndsTheOldConnectionsSight(t *testing.T) {
	t.Parallel()
	overStores(t, func(t *testing.T, store storage.Store) {
		srv := adopting(t, store, nil)
		ada := send(t, srv, "POST /Users", fmt.Sprintf(userBody, "ada")).want(t, 201).id()
		sales := send(t, srv, "POST /Groups", fmt.Sprintf(`{"displayName":"Sales","members":[{"value":%q}]}`, ada)).want(t, 201).id()
		var events []string
		srv.Subscribe(func(_ context.Context, e scim.Event) {
			events = append(events, fmt.Sprintf("%s %s %s>%s %s", e.Kind, e.Type.Name(), e.Owner.From, e.Owner.To, e.Principal.Connection))
		})
		for _, turn := range []string{"first", "again"} {
			for i, err := range srv.Transfer(t.Context(), "acme", "okta", "entra", user(ada), group(sales)) {
				if err != nil {
					t.Errorf("%s: %d: %v", turn, i, err)
				}
			}
		}
		if want := []string{"replace User okta>entra entra", "replace Group okta>entra entra"}; !slices.Equal(events, want) {
			t.Errorf("events %v, want %v", events, want)
		}
		for _, request := range []string{"GET /Users/" + ada, "GET /Groups/" + sales, "DELETE /Users/" + ada} {
			send(t, srv, request, "").want(t, 404)
		}
		if n := send(t, srv, "GET /Users", "").want(t, 200).get("totalResults"); n != 0.0 {
			t.Errorf("the old connection lists %v users", n)
		}
		send(t, srv, "PATCH /Groups/"+sales, patchBody(`[{"op":"remove","path":"members"}]`)).want(t, 404)
		if got := send(t, srv, "GET /Groups/"+sales, "", asEntra).want(t, 200).values("members"); !slices.Equal(got, []string{ada}) {
			t.Errorf("members %v", got)
		}
		send(t, srv, "PATCH /Users/"+ada, patchBody(`[{"op":"replace","path":"active","value":false}]`), asEntra).want(t, 200)
	})
}

func TestATransferToTheUnnamedConnectionIsToTheDefaultOne(t *testing.T) {
	t.Parallel()
	srv := adopting(t, memory.New(), nil)
	ada := made(t, srv, "okta", "User", map[string]any{"userName": "ada"})
	if errs := srv.Transfer(t.Context(), "acme", "okta", "", user(ada)); errs[0] != nil {
		t.Fatal(errs)
	}
	if e, err := srv.Directory().Get(t.Context(), "acme", user(ada)); err != nil || e.Connection != "default" {
		t.Errorf("it belongs to %q: %v", e.Connection, err)
	}
}

func TestATransferSaysWhatCannotBeGivenAway(t *testing.T) {
	t.Parallel()
	overStores(t, func(t *testing.T, store storage.Store) {
		srv := adopting(t, store, nil)
		good := made(t, srv, "okta", "User", map[string]any{"userName": "good"})
		foreign := made(t, srv, hostName, "User", map[string]any{"userName": "foreign"})
		sales := made(t, srv, "okta", "Group", map[string]any{"displayName": "Sales"})
		made(t, srv, "entra", "Group", map[string]any{"displayName": "SALES"})
		gone := send(t, srv, "POST /Users", fmt.Sprintf(userBody, "gone")).want(t, 201).id()
		send(t, srv, "DELETE /Users/"+gone, "").want(t, 204)
		// The name of a deleted group is free.
		free := made(t, srv, "okta", "Group", map[string]any{"displayName": "Free"})
		dead := send(t, srv, "POST /Groups", fmt.Sprintf(groupBody, "free"), asEntra).want(t, 201).id()
		send(t, srv, "DELETE /Groups/"+dead, "", asEntra).want(t, 204)

		errs := srv.Transfer(t.Context(), "acme", "okta", "entra",
			user(foreign), user("unknown"), group(sales), user(gone), scim.Ref{Type: "Robot", ID: "1"}, user(good), group(free))
		conflict := func(err error) bool {
			var e *scim.Error
			return errors.As(err, &e) && e.Status == http.StatusConflict && e.ScimType == scim.Uniqueness
		}
		missing := func(err error) bool { return errors.Is(err, scim.ErrNotFound) }
		fine := func(err error) bool { return err == nil }
		for i, ok := range []func(error) bool{missing, missing, conflict, missing, missing, fine, fine} {
			if !ok(errs[i]) {
				t.Errorf("%d: %v", i, errs[i])
			}
		}
		if got := []string{owner(t, srv, "User", foreign), owner(t, srv, "Group", sales), owner(t, srv, "User", good), owner(t, srv, "Group", free)}; !slices.Equal(got, []string{hostName, "okta", "entra", "entra"}) {
			t.Errorf("owners %v", got)
		}
		if errs := srv.Transfer(t.Context(), "other", "entra", "okta", user(good)); !missing(errs[0]) {
			t.Errorf("another tenant's: %v", errs[0])
		}
	})
}

func TestNothingIsLostThatOthersChangeDuringATransfer(t *testing.T) {
	t.Parallel()
	overStores(t, func(t *testing.T, store storage.Store) {
		srv := adopting(t, store, nil)
		var refs []scim.Ref
		for i := range 150 {
			refs = append(refs, user(made(t, srv, "okta", "User", map[string]any{"userName": fmt.Sprintf("u%d", i)})))
		}
		done := make([]atomic.Bool, len(refs))
		var wg sync.WaitGroup
		for part := range 3 {
			wg.Go(func() {
				for i := part; i < len(refs); i += 3 {
					a := send(t, srv, "PATCH /Users/"+refs[i].ID, patchBody(`[{"op":"replace","path":"title","value":"changed"}]`))
					done[i].Store(a.Code == 200)
					if a.Code != 200 && a.Code != 404 {
						t.Errorf("%d %s", a.Code, a.Body)
					}
				}
			})
		}
		wg.Go(func() {
			for i, err := range srv.Transfer(t.Context(), "acme", "okta", "entra", refs...) {
				if err != nil {
					t.Errorf("%d: %v", i, err)
				}
			}
		})
		wg.Wait()
		for i, ref := range refs {
			e, err := srv.Directory().Get(t.Context(), "acme", ref)
			if err != nil || e.Connection != "entra" || (e.Resource.String("title") == "changed") != done[i].Load() {
				t.Errorf("%d: %v, %q, title %q, answered 200: %v", i, err, e.Connection, e.Resource.String("title"), done[i].Load())
			}
		}
	})
}

func TestATransferThatTheStoreFailsSaysSo(t *testing.T) {
	t.Parallel()
	store := memory.New()
	srv := adopting(t, store, nil)
	id := made(t, srv, "okta", "User", map[string]any{"userName": "ada"})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if errs := srv.Transfer(ctx, "acme", "okta", "entra", user(id)); errs[0] == nil {
		t.Error("no error")
	}
	if got := owner(t, srv, "User", id); got != "okta" {
		t.Errorf("it belongs to %q", got)
	}
}
