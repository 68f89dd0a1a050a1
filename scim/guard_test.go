package scim_test

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/musterhq/muster/scim"
	"github.com/musterhq/muster/scim/patch"
	"github.com/musterhq/muster/storage"
)

// describe is an effect in one line.
func describe(e scim.Effect) string {
	s := fmt.Sprintf("%s %s", e.Kind, e.Type.Name())
	name := func(r *scim.Resource) string {
		if r == nil {
			return "-"
		}
		return r.String("userName") + r.String("displayName")
	}
	s += fmt.Sprintf(" %s>%s", name(e.Before), name(e.After))
	for _, c := range e.Changes {
		s += " " + c.Path.String()
	}
	for _, l := range e.Links {
		s += fmt.Sprintf(" %s reset=%v +%d -%d", l.Relation, l.Reset, len(l.Add), len(l.Remove))
	}
	if e.Activates() {
		s += " activates"
	}
	if e.Deactivates() {
		s += " deactivates"
	}
	return s
}

func TestGuardsSeeWhatIsAboutToBeCommitted(t *testing.T) {
	t.Parallel()
	var seen []string
	srv := newServer(t, scim.WithGuard(func(_ context.Context, p scim.Principal, effects []scim.Effect) error {
		for _, e := range effects {
			seen = append(seen, describe(e))
		}
		return nil
	}))
	var user, group string
	step := func(request, body string, want ...string) *answer {
		t.Helper()
		seen = nil
		a := send(t, srv, strings.NewReplacer("USER", user, "GROUP", group).Replace(request), strings.ReplaceAll(body, "USER", user))
		if got := strings.Join(seen, "\n"); got != strings.Join(want, "\n") {
			t.Errorf("%s: the guard saw\n%s\nwant\n%s", request, got, strings.Join(want, "\n"))
		}
		return a
	}
	user = step("POST /Users", `{"userName":"ada","title":"Dr"}`, "create User ->ada activates").id()
	group = step("POST /Groups", `{"displayName":"G","members":[{"value":"USER"}]}`, "create Group ->G members reset=false +1 -0 activates").id()
	step("PUT /Users/USER", `{"userName":"bea"}`, "replace User ada>bea userName title")
	step("PUT /Users/USER", `{"userName":"bea"}`)
	step("PATCH /Users/USER", patchBody(`[{"op":"add","path":"title","value":"Dr"}]`), "patch User bea>bea title")
	step("PATCH /Users/USER", patchBody(`[{"op":"add","path":"title","value":"Dr"}]`))
	step("PATCH /Users/USER", patchBody(`[{"op":"replace","path":"active","value":false}]`), "patch User bea>bea active deactivates")
	step("PATCH /Users/USER", patchBody(`[{"op":"replace","path":"active","value":true}]`), "patch User bea>bea active activates")
	step("PATCH /Groups/GROUP", patchBody(`[{"op":"add","path":"members","value":[{"value":"USER","type":"User"}]},{"op":"replace","path":"displayName","value":"H"}]`), "patch Group G>H displayName members reset=false +1 -0")
	step("PATCH /Groups/GROUP", patchBody(`[{"op":"replace","path":"members","value":[]}]`), "patch Group H>H members reset=true +0 -0")
	step("PATCH /Users/USER", patchBody(`[{"op":"replace","path":"password","value":"x"}]`))
	step("GET /Users/USER", ``)
	step("DELETE /Users/USER", ``, "delete User bea>- deactivates")
	step("DELETE /Users/USER", ``)
	step("POST /Users", `{"userName":"off","active":false}`, "create User ->off")
}

func TestAGuardThatRefusesLeavesEverythingAsItWas(t *testing.T) {
	t.Parallel()
	var refuse atomic.Bool
	var passwords atomic.Int32
	srv, id, group := populated(t,
		scim.WithPassword(func(context.Context, scim.Principal, *scim.Resource, string) error { passwords.Add(1); return nil }),
		scim.WithGuard(
			func(context.Context, scim.Principal, []scim.Effect) error { return nil },
			func(context.Context, scim.Principal, []scim.Effect) error {
				if refuse.Load() {
					return scim.Errorf(403, "", "all seats are taken")
				}
				return nil
			}))
	refuse.Store(true)
	before := state(t, srv)
	for _, c := range [][2]string{
		{"POST /Users", `{"userName":"grace","password":"p"}`},
		{"PUT /Users/" + id, `{"userName":"grace","password":"p"}`},
		{"PATCH /Users/" + id, patchBody(`[{"op":"replace","value":{"title":"x","password":"p"}}]`)},
		{"DELETE /Users/" + id, ""},
		{"PATCH /Groups/" + group, patchBody(`[{"op":"remove","path":"members"}]`)},
		{"PUT /Groups/" + group, `{"displayName":"G","members":[]}`},
		{"DELETE /Groups/" + group, ""},
	} {
		a := send(t, srv, c[0], c[1])
		a.wantError(t, 403, "")
		if a.get("detail") != "all seats are taken" {
			t.Errorf("%s: %s", c[0], a.Body)
		}
	}
	if after := state(t, srv); after != before {
		t.Errorf("something changed:\n%s\n%s", before, after)
	}
	if n := passwords.Load(); n != 0 {
		t.Errorf("%d passwords were handed over for writes that were refused", n)
	}
}

func TestAGuardIsAskedAgainWhenTheCommitIsRepeated(t *testing.T) {
	t.Parallel()
	type inner struct{}
	var srv *scim.Server
	var id string
	var titles []string
	between := "between"
	srv, id, _ = populated(t, scim.WithGuard(func(ctx context.Context, p scim.Principal, effects []scim.Effect) error {
		if ctx.Value(inner{}) != nil || effects[0].Kind != scim.Patch {
			return nil
		}
		titles = append(titles, effects[0].Before.String("title"))
		if len(titles) > 1 {
			return nil
		}
		// Somebody else writes between the reading and the commit.
		req, err := patch.Parse(srv.Type("User"), []byte(patchBody(`[{"op":"replace","path":"title","value":"`+between+`"}]`)), patch.ParseOptions{})
		if err != nil {
			return err
		}
		_, err = srv.Do(context.WithValue(ctx, inner{}, true), p, &scim.Operation{Method: scim.Patch, Type: srv.Type("User"), ID: id, Patch: req})
		return err
	}))
	a := send(t, srv, "PATCH /Users/"+id, patchBody(`[{"op":"replace","path":"nickName","value":"n"}]`)).want(t, 200)
	if got := strings.Join(titles, ","); got != ",between" {
		t.Errorf("the guard saw the titles %q", got)
	}
	if a.get("title") != "between" || a.get("nickName") != "n" {
		t.Errorf("one of two writes was lost: %s", a.Body)
	}
	// With If-Match there is no repetition.
	titles, between = nil, "another"
	etag := a.Header().Get("ETag")
	send(t, srv, "PATCH /Users/"+id, patchBody(`[{"op":"replace","path":"nickName","value":"m"}]`), "If-Match: "+etag).want(t, 412)
	if len(titles) > 2 {
		t.Errorf("the guard was asked %d times", len(titles))
	}
}

func TestInterceptorsWrapOperationsInOrder(t *testing.T) {
	t.Parallel()
	var order []string
	named := func(name string) scim.Interceptor {
		return func(ctx context.Context, op *scim.Operation, next scim.Next) (*scim.Result, error) {
			order = append(order, "+"+name)
			res, err := next(ctx, op)
			order = append(order, "-"+name)
			return res, err
		}
	}
	sees := func(ctx context.Context, op *scim.Operation, next scim.Next) (*scim.Result, error) {
		order = append(order, fmt.Sprintf("%s %s http=%v", op.Method, op.Type.Name(), op.Request != nil))
		return next(ctx, op)
	}
	srv := newServer(t, scim.WithInterceptor(named("a"), named("b")), scim.WithInterceptor(sees))
	send(t, srv, "POST /Users", fmt.Sprintf(userBody, "ada")).want(t, 201)
	if got := strings.Join(order, " "); got != "+a +b create User http=true -b -a" {
		t.Error(got)
	}
	order = nil
	if _, err := srv.Do(t.Context(), scim.Principal{}, &scim.Operation{Method: scim.List, Type: srv.Type("Group")}); err != nil {
		t.Error(err)
	}
	if got := strings.Join(order, " "); got != "+a +b list Group http=false -b -a" {
		t.Error(got)
	}
	order = nil
	send(t, srv, "POST /Users", `{`).want(t, 400)
	if len(order) != 0 {
		t.Errorf("a body that cannot be read is no operation: %v", order)
	}
}

func TestAnInterceptorMayAnswerItself(t *testing.T) {
	t.Parallel()
	srv := newServer(t, scim.WithInterceptor(func(ctx context.Context, op *scim.Operation, next scim.Next) (*scim.Result, error) {
		if op.Method == scim.Delete {
			return nil, scim.Errorf(403, "", "nobody is deleted here")
		}
		if op.Method == scim.List {
			return &scim.Result{Total: 7, StartIndex: 1}, nil
		}
		if op.Method == scim.Create {
			changed := *op
			changed.Resource = op.Resource.Edit().Set("title", "set by the host").Resource()
			return next(ctx, &changed)
		}
		return next(ctx, op)
	}))
	a := send(t, srv, "POST /Users", fmt.Sprintf(userBody, "ada")).want(t, 201)
	if a.get("title") != "set by the host" {
		t.Error(a.Body)
	}
	send(t, srv, "DELETE /Users/"+a.id(), "").wantError(t, 403, "")
	if got := send(t, srv, "GET /Users", "").want(t, 200).get("totalResults"); got != 7.0 {
		t.Error(got)
	}
	send(t, srv, "GET /Users/"+a.id(), "").want(t, 200)
}

func TestLinkEffectsNameTheOtherEnd(t *testing.T) {
	t.Parallel()
	var links []scim.LinkEffect
	srv, id, group := populated(t, scim.WithGuard(func(_ context.Context, _ scim.Principal, effects []scim.Effect) error {
		links = effects[0].Links
		return nil
	}))
	send(t, srv, "PATCH /Groups/"+group, patchBody(`[{"op":"remove","path":"members","value":[{"value":"`+id+`","type":"User"}]}]`)).want(t, 204)
	if len(links) != 1 || len(links[0].Add) != 0 || len(links[0].Remove) != 1 || links[0].Remove[0] != (storage.Ref{Type: "User", ID: id}) {
		t.Errorf("%+v", links)
	}
}
