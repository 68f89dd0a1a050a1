package scim_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/musterhq/muster/scim"
	"github.com/musterhq/muster/scim/patch"
	"github.com/musterhq/muster/scim/schema"
	"github.com/musterhq/muster/storage/memory"
)

// shout puts nicknames into capitals and refuses the title "bad".
func shout(_ context.Context, op *scim.Operation, before, after *scim.Resource) (*scim.Resource, error) {
	if after.String("title") == "bad" {
		return nil, scim.Errorf(400, scim.InvalidValue, "no bad titles")
	}
	if n := after.String("nickName"); n != strings.ToUpper(n) {
		op.Ignore("nickName")
		return after.Edit().Set("nickName", strings.ToUpper(n)).Resource(), nil
	}
	return after, nil
}

func TestAnAmendmentHasTheLastWordOnWhatIsKept(t *testing.T) {
	t.Parallel()
	var seen []string
	guard := scim.WithGuard(func(_ context.Context, _ scim.Principal, effects []scim.Effect) error {
		for _, e := range effects {
			if e.After != nil {
				seen = append(seen, e.After.String("nickName"))
			}
			for _, c := range e.Changes {
				seen = append(seen, c.Path.String())
			}
		}
		return nil
	})
	var ignored []string
	report := scim.WithReport(func(_ context.Context, r scim.Report) { ignored = append(ignored, r.Ignored...) })
	srv := newServer(t, scim.WithAmendment(shout), guard, report)
	id := send(t, srv, "POST /Users", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada","nickName":"a"}`).want(t, 201).id()
	for _, c := range []struct{ request, body, nick, seen string }{
		{"PATCH", patchBody(`[{"op":"replace","path":"nickName","value":"b"}]`), "B", "B nickName"},
		{"PATCH", patchBody(`[{"op":"replace","path":"nickName","value":"b"},{"op":"replace","path":"title","value":"t"}]`), "B", "B title"},
		{"PATCH", patchBody(`[{"op":"replace","path":"nickName","value":"B"}]`), "B", ""},
		{"PUT", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada","title":"t","nickName":"c"}`, "C", "C nickName"},
		{"PUT", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada","title":"t","nickName":"c"}`, "C", ""},
	} {
		seen = nil
		a := send(t, srv, c.request+" /Users/"+id, c.body).want(t, 200)
		if got := strings.Join(seen, " "); a.get("nickName") != c.nick || got != c.seen {
			t.Errorf("%s %s: %v, the guard saw %q", c.request, c.body, a.get("nickName"), got)
		}
	}
	if len(ignored) < 5 || ignored[0] != "nickName" {
		t.Errorf("reported: %q", ignored)
	}
	before := state(t, srv)
	send(t, srv, "PATCH /Users/"+id, patchBody(`[{"op":"replace","path":"title","value":"bad"}]`)).wantError(t, 400, scim.InvalidValue)
	send(t, srv, "POST /Users", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"bob","title":"bad"}`).wantError(t, 400, scim.InvalidValue)
	if after := state(t, srv); after != before {
		t.Error("a refused write was kept")
	}
	send(t, srv, "DELETE /Users/"+id, "").want(t, 204)
}

func TestAmendmentsFollowEachOtherAndKeepTheMetadata(t *testing.T) {
	t.Parallel()
	add := func(s string) scim.Amendment {
		return func(_ context.Context, _ *scim.Operation, before, after *scim.Resource) (*scim.Resource, error) {
			return after.Edit().Set("title", after.String("title")+s).Meta(scim.Meta{ID: "forged", Version: "9"}).Resource(), nil
		}
	}
	srv := newServer(t, scim.WithAmendment(add("1"), add("2")), scim.WithAmendment(add("3")))
	a := send(t, srv, "POST /Users", fmt.Sprintf(userBody, "ada")).want(t, 201)
	if a.get("title") != "123" || a.id() == "forged" {
		t.Error(a.Body)
	}
	a = send(t, srv, "PATCH /Users/"+a.id(), patchBody(`[{"op":"replace","path":"title","value":"x"}]`)).want(t, 200)
	if a.get("title") != "x123" || a.get("meta", "version") != `W/"2"` {
		t.Error(a.Body)
	}
}

func TestAnAmendmentThatMakesSomethingElseIsAnError(t *testing.T) {
	t.Parallel()
	var srv *scim.Server
	for _, make := range []func() *scim.Resource{
		func() *scim.Resource { return nil },
		func() *scim.Resource {
			r, _ := scim.NewResource(srv.Type("Group")).Set("displayName", "g").Build()
			return r
		},
	} {
		srv = newServer(t, scim.WithAmendment(func(context.Context, *scim.Operation, *scim.Resource, *scim.Resource) (*scim.Resource, error) {
			return make(), nil
		}))
		send(t, srv, "POST /Users", fmt.Sprintf(userBody, "ada")).wantError(t, 500, "")
	}
}

// patching is a handler that applies PATCH by itself and cannot replace.
type patching struct{ scim.ResourceHandler }

func (patching) Patch(context.Context, string, string, []patch.Operation, string) (*scim.Resource, error) {
	return nil, errors.New("not used")
}

// patchable is a handler that would rather apply PATCH by itself.
type patchable struct {
	*table
	patches int
}

func (h *patchable) Patch(ctx context.Context, tenant, id string, ops []patch.Operation, _ string) (*scim.Resource, error) {
	h.patches++
	cur, err := h.Get(ctx, tenant, id)
	if err != nil {
		return nil, err
	}
	changed, err := patch.Apply(cur, nil, ops, patch.ApplyOptions{})
	if err != nil {
		return nil, err
	}
	return h.Replace(ctx, tenant, changed.Resource.WithMeta(cur.Meta()))
}

func TestAnAmendmentIsKeptByAHandlerThatPatchesByItself(t *testing.T) {
	t.Parallel()
	h := &patchable{table: newTable()}
	srv := newServer(t, scim.WithAmendment(shout), scim.WithHandler(schema.User(), h))
	u := newUser(t, srv, "ada")
	for i, c := range []struct {
		sent, kept string
		patches    int // so far
	}{{"ADA", "ADA", 1}, {"countess", "COUNTESS", 1}, {"A", "A", 2}} {
		send(t, srv, "PATCH /Users/"+u, patchBody(`[{"op":"replace","path":"nickName","value":"`+c.sent+`"}]`)).want(t, 200)
		if got := h.rows[u].String("nickName"); got != c.kept || h.patches != c.patches {
			t.Errorf("%d: nickName %q, want %q; %d by the handler, want %d", i, got, c.kept, h.patches, c.patches)
		}
	}
}

func TestNewRefusesAmendmentsThatCannotBeKept(t *testing.T) {
	t.Parallel()
	users := newServer(t).Type("User").Declaration()
	if _, err := scim.New(memory.New(), scim.BearerToken("secret"), scim.WithAmendment(nil)); err == nil || !strings.Contains(err.Error(), "amendment is nil") {
		t.Error(err)
	}
	_, err := scim.New(memory.New(), scim.BearerToken("secret"), scim.WithAmendment(shout), scim.WithHandler(users, patching{}))
	if err == nil || !strings.Contains(err.Error(), "needs Replace") {
		t.Error(err)
	}
}
