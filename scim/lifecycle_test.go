package scim_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/musterhq/muster/scim"
	"github.com/musterhq/muster/storage"
	"github.com/musterhq/muster/storage/memory"
)

// clocked is a server over a store of its own with a clock that stands still.
func clocked(t *testing.T, opts ...scim.Option) (*scim.Server, *memory.Store, *time.Time) {
	t.Helper()
	now := time.Date(2030, 1, 1, 12, 0, 0, 0, time.UTC)
	store := memory.New()
	srv, err := scim.New(store, scim.BearerToken("secret"), append(opts, scim.WithClock(func() time.Time { return now }))...)
	if err != nil {
		t.Fatal(err)
	}
	return srv, store, &now
}

func kept(t *testing.T, store storage.Store, id string) bool {
	t.Helper()
	_, err := store.Get(t.Context(), "", storage.Ref{Type: "User", ID: id})
	if err != nil && !errors.Is(err, storage.ErrNotFound) {
		t.Fatal(err)
	}
	return err == nil
}

func TestPurgeEndsOldTombstonesOnly(t *testing.T) {
	t.Parallel()
	srv, store, now := clocked(t, scim.WithTombstones(time.Hour), scim.WithLimits(scim.Limits{MaxPageSize: 2}))
	var ids []string
	for i := range 7 {
		ids = append(ids, send(t, srv, "POST /Users", fmt.Sprintf(userBody, fmt.Sprint("u", i))).want(t, 201).id())
	}
	for _, id := range ids[:4] {
		send(t, srv, "DELETE /Users/"+id, "").want(t, 204)
	}
	*now = now.Add(30 * time.Minute)
	send(t, srv, "DELETE /Users/"+ids[4], "").want(t, 204)
	purge := func(want int) {
		t.Helper()
		if n, err := srv.Purge(t.Context(), ""); n != want || err != nil {
			t.Errorf("purged %d, %v; want %d", n, err, want)
		}
	}
	purge(0)
	*now = now.Add(31 * time.Minute)
	purge(4)
	purge(0)
	for i, id := range ids {
		if got, want := kept(t, store, id), i >= 4; got != want {
			t.Errorf("user %d: kept %v, want %v", i, got, want)
		}
	}
	if n, err := srv.Purge(t.Context(), "other tenant"); n != 0 || err != nil {
		t.Error(n, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := srv.Purge(ctx, ""); !errors.Is(err, context.Canceled) {
		t.Errorf("a purge that was stopped: %v", err)
	}
}

func TestTombstonesKeepNoAccessAndNoLinks(t *testing.T) {
	t.Parallel()
	srv, store, _ := clocked(t)
	id := send(t, srv, "POST /Users", fmt.Sprintf(userBody, "ada")).want(t, 201).id()
	group := send(t, srv, "POST /Groups", `{"displayName":"G","members":[{"value":"`+id+`"}]}`).want(t, 201).id()
	send(t, srv, "DELETE /Users/"+id, "").want(t, 204)
	rec, err := store.Get(t.Context(), "", storage.Ref{Type: "User", ID: id})
	if err != nil || !rec.Hidden {
		t.Fatalf("%+v %v", rec, err)
	}
	r, err := rec.Resource(srv.Type("User"))
	if err != nil || r.Active() {
		t.Errorf("a tombstone is active: %v", err)
	}
	links, err := store.Links(t.Context(), &storage.LinkQuery{Relation: storage.Relation{Owner: "Group", Name: "members"}, Of: []storage.Ref{{Type: "Group", ID: group}}})
	if err != nil || len(links) != 0 {
		t.Errorf("%v %v", links, err)
	}
}

func TestEraseLeavesNothing(t *testing.T) {
	t.Parallel()
	srv, store, _ := clocked(t)
	dead := send(t, srv, "POST /Users", fmt.Sprintf(userBody, "ada")).want(t, 201).id()
	alive := send(t, srv, "POST /Users", fmt.Sprintf(userBody, "bea")).want(t, 201).id()
	group := send(t, srv, "POST /Groups", `{"displayName":"G","members":[{"value":"`+alive+`"}]}`).want(t, 201).id()
	send(t, srv, "DELETE /Users/"+dead, "").want(t, 204)
	for _, id := range []string{dead, alive} {
		if err := srv.Erase(t.Context(), "other tenant", "User", id); !errors.Is(err, scim.ErrNotFound) {
			t.Errorf("another tenant's: %v", err)
		}
		if err := srv.Erase(t.Context(), "", "User", id); err != nil {
			t.Error(err)
		}
		if kept(t, store, id) {
			t.Error("something is left")
		}
		if err := srv.Erase(t.Context(), "", "User", id); !errors.Is(err, scim.ErrNotFound) {
			t.Errorf("a second time: %v", err)
		}
	}
	if got := send(t, srv, "GET /Groups/"+group, "").want(t, 200).values("members"); len(got) != 0 {
		t.Errorf("members %v", got)
	}
	send(t, srv, "POST /Users", fmt.Sprintf(userBody, "ada")).want(t, 201)
}

func TestTheHostMayBringATombstoneBack(t *testing.T) {
	t.Parallel()
	type question struct{ old, created string }
	var asked []question
	srv, _, _ := clocked(t, scim.WithRevive(func(_ context.Context, _ scim.Principal, tombstone, created *scim.Resource) bool {
		asked = append(asked, question{tombstone.String("title"), created.String("title")})
		return created.String("title") == "same person"
	}))
	var events []string
	srv.Subscribe(func(_ context.Context, e scim.Event) { events = append(events, describe(e.Effect)) })
	id := send(t, srv, "POST /Users", `{"userName":"ada","title":"leaver"}`).want(t, 201).id()
	send(t, srv, "POST /Users", `{"userName":"ada","title":"same person"}`).want(t, 409)
	if len(asked) != 0 {
		t.Errorf("asked about a living user: %v", asked)
	}
	send(t, srv, "DELETE /Users/"+id, "").want(t, 204)
	events = nil
	back := send(t, srv, "POST /Users", `{"userName":"ADA","title":"same person"}`).want(t, 201)
	if back.id() != id || back.get("active") != true || fmt.Sprint(events) != "[create User ->ADA activates]" {
		t.Errorf("%s\n%v", back.Body, events)
	}
	send(t, srv, "GET /Users/"+id, "").want(t, 200)
	send(t, srv, "DELETE /Users/"+id, "").want(t, 204)
	other := send(t, srv, "POST /Users", `{"userName":"ada","title":"somebody else"}`).want(t, 201)
	if other.id() == id {
		t.Error("a recycled name got the leaver's id")
	}
	if len(asked) != 2 || asked[0] != (question{"leaver", "same person"}) {
		t.Errorf("asked %v", asked)
	}
	// Its name was given away, so there is nothing left to recognise it by.
	send(t, srv, "DELETE /Users/"+other.id(), "").want(t, 204)
	if again := send(t, srv, "POST /Users", `{"userName":"ada","title":"same person"}`).want(t, 201); again.id() != other.id() {
		t.Errorf("the tombstone that holds the name is the latest one")
	}
}

func TestTimesAreThoseOfTheClock(t *testing.T) {
	t.Parallel()
	srv, _, now := clocked(t)
	a := send(t, srv, "POST /Users", fmt.Sprintf(userBody, "ada")).want(t, 201)
	if a.get("meta", "created") != "2030-01-01T12:00:00Z" || a.get("meta", "lastModified") != "2030-01-01T12:00:00Z" {
		t.Error(a.Body)
	}
	*now = now.Add(time.Minute)
	a = send(t, srv, "PATCH /Users/"+a.id(), patchBody(`[{"op":"add","path":"title","value":"Dr"}]`)).want(t, 200)
	if a.get("meta", "created") != "2030-01-01T12:00:00Z" || a.get("meta", "lastModified") != "2030-01-01T12:01:00Z" {
		t.Error(a.Body)
	}
	*now = now.Add(time.Minute)
	group := send(t, srv, "POST /Groups", fmt.Sprintf(groupBody, "G")).want(t, 201).id()
	*now = now.Add(time.Minute)
	send(t, srv, "PATCH /Groups/"+group, patchBody(`[{"op":"add","path":"members","value":[{"value":"`+a.id()+`"}]}]`)).want(t, 204)
	if g := send(t, srv, "GET /Groups/"+group, ""); g.get("meta", "lastModified") != "2030-01-01T12:03:00Z" {
		t.Error(g.Body)
	}
	if u := send(t, srv, "GET /Users/"+a.id(), ""); u.get("meta", "lastModified") != "2030-01-01T12:01:00Z" {
		t.Errorf("a membership changed the user: %s", u.Body)
	}
}
