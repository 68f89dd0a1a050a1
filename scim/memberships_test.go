package scim_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/musterhq/muster/scim"
	"github.com/musterhq/muster/scim/schema"
	"github.com/musterhq/muster/storage"
)

const patchOf = `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[%s]}`

// joining is a server that takes memberships from users, with the groups A, B and C.
type joining struct {
	*scim.Server
	t   *testing.T
	ids map[string]string // of groups, by name

	mu       sync.Mutex
	reports  []scim.Report
	effects  []scim.Effect
	events   []scim.Event
	refusing error
}

func everybody(scim.Principal) bool { return true }

func newJoining(t *testing.T, opts ...scim.Option) *joining {
	t.Helper()
	j := &joining{t: t, ids: map[string]string{}}
	j.Server = newServer(t, append([]scim.Option{
		scim.WithMembershipsOfUsers(everybody),
		scim.WithReport(func(_ context.Context, r scim.Report) {
			j.mu.Lock()
			defer j.mu.Unlock()
			j.reports = append(j.reports, r)
		}),
		scim.WithGuard(func(_ context.Context, _ scim.Principal, effects []scim.Effect) error {
			j.mu.Lock()
			defer j.mu.Unlock()
			j.effects = slices.Clone(effects)
			return j.refusing
		}),
	}, opts...)...)
	for _, name := range []string{"A", "B", "C"} {
		j.ids[name] = send(t, j, "POST /Groups", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"displayName":"`+name+`"}`).want(t, 201).id()
	}
	j.Subscribe(func(_ context.Context, e scim.Event) {
		j.mu.Lock()
		defer j.mu.Unlock()
		j.events = append(j.events, e)
	})
	return j
}

// fill writes ids of groups in place of their names in angle brackets.
func (j *joining) fill(s string) string {
	for name, id := range j.ids {
		s = strings.ReplaceAll(s, "<"+name+">", id)
	}
	return s
}

func (j *joining) user(name, groups string) *answer {
	body := `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"` + name + `"`
	if groups != "" {
		body += `,"groups":` + j.fill(groups)
	}
	return send(j.t, j, "POST /Users", body+"}")
}

// in returns the names of the groups that an answer shows a user in.
func in(a *answer) string {
	var names []string
	groups, _ := a.json["groups"].([]any)
	for _, g := range groups {
		names = append(names, g.(map[string]any)["display"].(string))
	}
	slices.Sort(names)
	return strings.Join(names, "")
}

func TestMembershipsComeWithUsers(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, method, body string // of a user in A and B
		want               string
	}{
		{"put sets them", "PUT", `"groups":[{"value":"<B>"},{"value":"<C>"}]`, "BC"},
		{"put with none empties them", "PUT", `"groups":[]`, ""},
		{"put with null empties them", "PUT", `"groups":null`, ""},
		{"put without them keeps them", "PUT", `"displayName":"Ada"`, "AB"},
		{"put of what was shown changes nothing", "PUT", `"groups":[{"value":"<A>","type":"direct","display":"A"},{"value":"<B>","$ref":"../Groups/<B>"}]`, "AB"},
		{"put of an indirect one does not join it", "PUT", `"groups":[{"value":"<A>"},{"value":"<C>","type":"indirect"}]`, "A"},
		{"put skips what is not there", "PUT", `"groups":[{"value":"<A>"},{"value":"gone"}]`, "A"},
		{"add", "PATCH", `{"op":"add","path":"groups","value":[{"value":"<C>"}]}`, "ABC"},
		{"add of one", "PATCH", `{"op":"add","path":"groups","value":{"value":"<C>"}}`, "ABC"},
		{"add of a bare id", "PATCH", `{"op":"add","path":"groups","value":["<C>"]}`, "ABC"},
		{"add of what is there", "PATCH", `{"op":"add","path":"groups","value":[{"value":"<A>"}]}`, "AB"},
		{"add without a path", "PATCH", `{"op":"add","value":{"groups":[{"value":"<C>"}]}}`, "ABC"},
		{"replace", "PATCH", `{"op":"replace","path":"groups","value":[{"value":"<C>"}]}`, "C"},
		{"replace without a path", "PATCH", `{"op":"replace","value":{"groups":[{"value":"<C>"}],"displayName":"Ada"}}`, "C"},
		{"replace with none", "PATCH", `{"op":"replace","path":"groups","value":[]}`, ""},
		{"remove by filter", "PATCH", `{"op":"remove","path":"groups[value eq \"<A>\"]"}`, "B"},
		{"remove by the name shown", "PATCH", `{"op":"remove","path":"groups[display eq \"B\"]"}`, "A"},
		{"remove of a list", "PATCH", `{"op":"remove","path":"groups","value":[{"value":"<A>"},{"value":"gone"}]}`, "B"},
		{"remove of an empty list removes nothing", "PATCH", `{"op":"remove","path":"groups","value":[]}`, "AB"},
		{"remove of all", "PATCH", `{"op":"remove","path":"groups"}`, ""},
		{"several operations", "PATCH", `{"op":"remove","path":"groups"},{"op":"add","path":"groups","value":[{"value":"<C>"},{"value":"<A>"}]},{"op":"remove","path":"groups[value eq \"<C>\"]"}`, "A"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			j := newJoining(t)
			made := j.user("ada", `[{"value":"<A>"},{"value":"<B>"}]`).want(t, 201)
			if got := in(made); got != "AB" {
				t.Fatalf("created in %q", got)
			}
			body := `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada",` + c.body + `}`
			if c.method == "PATCH" {
				body = fmt.Sprintf(patchOf, c.body)
			}
			changed := send(t, j, c.method+" /Users/"+made.id(), j.fill(body)).want(t, 200)
			read := send(t, j, "GET /Users/"+made.id(), "").want(t, 200)
			if in(changed) != c.want || in(read) != c.want {
				t.Errorf("in %q by the answer and %q afterwards, want %q", in(changed), in(read), c.want)
			}
			for name, id := range j.ids {
				group := send(t, j, "GET /Groups/"+id, "")
				if has := strings.Contains(group.Body.String(), made.id()); has != strings.Contains(c.want, name) {
					t.Errorf("group %s has the user: %v", name, has)
				}
			}
			version := func(a *answer) any { return a.json["meta"].(map[string]any)["version"] }
			if nothing := c.want == "AB" && !strings.Contains(c.body, "Ada"); nothing != (version(made) == version(changed)) {
				t.Errorf("the version was %v and is %v", version(made), version(changed))
			}
			if version(changed) != version(read) {
				t.Errorf("the answer says version %v, a read %v", version(changed), version(read))
			}
		})
	}
}

func TestMembersOfGroupsAreIgnoredWhereUsersBringThem(t *testing.T) {
	t.Parallel()
	j := newJoining(t)
	ada := j.user("ada", `[{"value":"<A>"}]`).want(t, 201).id()
	bob := j.user("bob", "").want(t, 201).id()
	members := `"members":[{"value":"` + bob + `"}]`
	for request, body := range map[string]string{
		"PUT /Groups/<A>":   `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"displayName":"A",` + members + `}`,
		"PATCH /Groups/<A>": fmt.Sprintf(patchOf, `{"op":"remove","path":"members[value eq \"`+ada+`\"]"},{"op":"add","value":{`+members+`}}`),
		"POST /Groups":      `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"displayName":"D",` + members + `}`,
	} {
		j.reports = nil
		if a := send(t, j, j.fill(request), body); a.Code >= 300 {
			t.Errorf("%s: %d %s", request, a.Code, a.Body)
		}
		if len(j.reports) != 1 || !slices.Equal(j.reports[0].Ignored, []string{"members"}) {
			t.Errorf("%s: reported %+v", request, j.reports)
		}
	}
	// Without members, under a dialect that would take that for none.
	send(t, j, j.fill("PUT /Groups/<A>"), `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"displayName":"A2"}`).want(t, 200)
	if a, b := send(t, j, "GET /Users/"+ada, ""), send(t, j, "GET /Users/"+bob, ""); in(a) != "A2" || in(b) != "" {
		t.Errorf("ada is in %q, bob in %q", in(a), in(b))
	}
}

func TestGroupsFromUsersMeanNothingByDefault(t *testing.T) {
	t.Parallel()
	j := newJoining(t, scim.WithMembershipsOfUsers(nil))
	ada := j.user("ada", `[{"value":"<A>"}]`).want(t, 201)
	if got := in(ada); got != "" {
		t.Errorf("ada is in %q", got)
	}
	add := fmt.Sprintf(patchOf, `{"op":"add","path":"groups","value":[{"value":"<A>"}]}`)
	send(t, j, "PATCH /Users/"+ada.id(), j.fill(add)).want(t, 400, scim.Mutability)
}

func TestMembershipsOfUsersHoldForSomeConnectionsOnly(t *testing.T) {
	t.Parallel()
	auth := scim.BearerTokens(map[string]scim.Principal{
		"secret": {Connection: "users"}, "other": {Connection: "groups"}, "self": {Connection: "users", OnlyMe: true},
	})
	var me string
	srv := newServerFor(t, auth, scim.WithMembershipsOfUsers(func(p scim.Principal) bool { return p.Connection == "users" }),
		scim.WithMe(func(context.Context, scim.Principal) (string, string, error) { return "User", me, nil }))
	group := func(name string, headers ...string) string {
		return send(t, srv, "POST /Groups", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"displayName":"`+name+`"}`, headers...).want(t, 201).id()
	}
	other := "Authorization: Bearer other"
	mine, foreign := group("mine"), group("foreign", other)
	both := `"groups":[{"value":"` + mine + `"},{"value":"` + foreign + `"}]`
	body := func(name string) string {
		return `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"` + name + `",` + both + `}`
	}
	ada := send(t, srv, "POST /Users", body("ada")).want(t, 201)
	if got := in(ada); got != "mine" {
		t.Errorf("ada is in %q: the group of another connection is not hers to join", got)
	}
	if got := in(send(t, srv, "POST /Users", body("bob"), other).want(t, 201)); got != "" {
		t.Errorf("bob is in %q: his connection pushes groups", got)
	}
	me = ada.id()
	join := fmt.Sprintf(patchOf, `{"op":"remove","path":"groups"}`)
	send(t, srv, "PATCH /Me", join, "Authorization: Bearer self").want(t, 400, scim.Mutability)
}

func TestUnknownGroupsOfAUserAreReported(t *testing.T) {
	t.Parallel()
	j := newJoining(t)
	j.reports = nil
	ada := j.user("ada", `[{"value":"<A>"},{"value":"later"}]`).want(t, 201)
	if len(j.reports) != 1 || !slices.Equal(j.reports[0].Dropped, []scim.Member{{ID: "later"}}) {
		t.Errorf("reported %+v", j.reports)
	}
	skipped, err := j.Skipped(t.Context(), "", "User", ada.id())
	if err != nil || !slices.Equal(skipped, []string{"later"}) {
		t.Errorf("skipped %q, %v", skipped, err)
	}
	strict := newJoining(t, scim.WithUnknownMembers(scim.RejectUnknown))
	strict.user("ada", `[{"value":"<A>"},{"value":"later"}]`).want(t, 400, scim.InvalidValue)
	send(t, strict, `GET /Users?filter=userName+eq+"ada"`, "").want(t, 200)
	if got := strict.user("ada", `[{"value":"<A>"}]`).want(t, 201); in(got) != "A" {
		t.Errorf("the refused user was kept")
	}
}

func TestGuardsAndSubscribersSeeGroupsThatUsersJoin(t *testing.T) {
	t.Parallel()
	j := newJoining(t)
	ada := j.user("ada", `[{"value":"<A>"}]`).want(t, 201)
	if len(j.effects) != 2 || j.effects[0].Type.Name() != "User" || j.effects[1].ID != j.ids["A"] ||
		len(j.effects[1].Links) != 1 || j.effects[1].Links[0].Add[0].ID != ada.id() {
		t.Errorf("the guard saw %+v", j.effects)
	}
	if len(j.events) != 2 || j.events[1].Type.Name() != "Group" || len(j.events[1].Links) != 1 || j.events[1].Links[0].Added != 1 {
		t.Errorf("subscribers heard %+v", j.events)
	}
	j.refusing = scim.Errorf(http.StatusForbidden, "", "no")
	move := fmt.Sprintf(patchOf, `{"op":"replace","value":{"displayName":"Ada","groups":[{"value":"<B>"}]}}`)
	send(t, j, "PATCH /Users/"+ada.id(), j.fill(move)).want(t, 403)
	now := send(t, j, "GET /Users/"+ada.id(), "")
	if in(now) != "A" || now.json["displayName"] != nil {
		t.Errorf("a part of what was refused was done: %s", now.Body)
	}
}

// Requests for one user that meet are each done as a whole.
func TestConcurrentSettingsOfMembershipsDoNotMix(t *testing.T) {
	t.Parallel()
	j := newJoining(t)
	ada := j.user("ada", "").want(t, 201).id()
	var work sync.WaitGroup
	for i := range 24 {
		groups := []string{`[{"value":"<A>"}]`, `[{"value":"<B>"},{"value":"<C>"}]`}[i%2]
		work.Go(func() {
			patch := fmt.Sprintf(patchOf, `{"op":"replace","path":"groups","value":`+groups+`}`)
			if got := in(send(t, j.Server, "PATCH /Users/"+ada, j.fill(patch)).want(t, 200)); got == "" {
				t.Errorf("in no group")
			}
		})
	}
	work.Wait()
	if got := in(send(t, j, "GET /Users/"+ada, "")); got != "A" && got != "BC" {
		t.Errorf("in %q, which nobody asked for", got)
	}
}

func TestUserComesBackWithTheGroupsThatItNames(t *testing.T) {
	t.Parallel()
	j := newJoining(t, scim.WithImmutableExternalID())
	body := j.fill(`{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada","externalId":"x1","groups":[{"value":"<B>"}]}`)
	ada := send(t, j, "POST /Users", body).want(t, 201)
	send(t, j, "DELETE /Users/"+ada.id(), "").want(t, 204)
	again := send(t, j, "POST /Users", body).want(t, 201)
	if again.id() != ada.id() || in(again) != "B" {
		t.Errorf("came back as %s in %q, was %s", again.id(), in(again), ada.id())
	}
}

func TestBulkRequestBringsMemberships(t *testing.T) {
	t.Parallel()
	for name, opts := range map[string][]scim.Option{"one by one": nil, "together": {scim.WithAtomicBulk()}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			j := newJoining(t, opts...)
			bob := j.user("bob", `[{"value":"<A>"}]`).want(t, 201).id()
			a := send(t, j, "POST /Bulk", j.fill(`{"schemas":["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],"Operations":[
				{"method":"POST","path":"/Users","bulkId":"u","data":{"userName":"ada","groups":[{"value":"<A>"},{"value":"bulkId:g"}]}},
				{"method":"POST","path":"/Groups","bulkId":"g","data":{"displayName":"D"}},
				{"method":"PATCH","path":"/Users/`+bob+`","data":{"Operations":[{"op":"add","path":"groups","value":[{"value":"<B>"}]}]}},
				{"method":"PATCH","path":"/Users/`+bob+`","data":{"Operations":[{"op":"replace","path":"groups","value":[{"value":"<C>"}]}]}}]}`)).want(t, 200)
			for _, op := range a.json["Operations"].([]any) {
				if status := op.(map[string]any)["status"].(string); status >= "300" {
					t.Errorf("%v", op)
				}
			}
			list := send(t, j, `GET /Users?filter=userName+eq+%22ada%22`, "").want(t, 200)
			ada := list.json["Resources"].([]any)[0].(map[string]any)["id"].(string)
			for id, want := range map[string]string{ada: "AD", bob: "C"} {
				if got := in(send(t, j, "GET /Users/"+id, "")); got != want {
					t.Errorf("in %q, want %q", got, want)
				}
			}
		})
	}
}

func TestMembershipsThatOneRequestChangesAreLimited(t *testing.T) {
	t.Parallel()
	j := newJoining(t)
	for n, status := range map[int]int{1000: 201, 1001: 400} {
		var list []string
		for i := range n {
			list = append(list, fmt.Sprintf(`{"value":"g%d"}`, i))
		}
		j.user(fmt.Sprint("u", n), "["+strings.Join(list, ",")+"]").want(t, status)
	}
}

// Where a handler serves users or groups, the groups follow the user.
func TestMembershipsComeWithUsersThatAHandlerServes(t *testing.T) {
	t.Parallel()
	for name, handler := range map[string]scim.Option{
		"users":  scim.WithHandler(schema.User(), newTable()),
		"groups": scim.WithHandler(schema.Group(), newGroupTable()),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			j := newJoining(t, handler)
			ada := j.user("ada", `[{"value":"<A>"},{"value":"gone"}]`).want(t, 201)
			add := fmt.Sprintf(patchOf, `{"op":"add","path":"groups","value":[{"value":"<B>"}]}`)
			added := send(t, j, "PATCH /Users/"+ada.id(), j.fill(add)).want(t, 200)
			put := send(t, j, "PUT /Users/"+ada.id(), j.fill(`{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada","groups":[{"value":"<C>"}]}`)).want(t, 200)
			for want, a := range map[string]*answer{"A": ada, "AB": added, "C": put} {
				var got []string
				for name, id := range j.ids {
					if strings.Contains(a.Body.String(), id) {
						got = append(got, name)
					}
				}
				if slices.Sort(got); strings.Join(got, "") != want {
					t.Errorf("in %q, want %q: %s", got, want, a.Body)
				}
			}
		})
	}
}

// A user whom the host made itself, and whom a create means, joins the groups that the
// create names and stays in the others.
func TestAdoptedUserJoinsTheGroupsThatItNames(t *testing.T) {
	t.Parallel()
	overStores(t, func(t *testing.T, store storage.Store) {
		srv := adopting(t, store, func(*scim.Claim) scim.Adoption { return scim.Adopt }, scim.WithMembershipsOfUsers(everybody))
		group := send(t, srv, "POST /Groups", `{"displayName":"A"}`).want(t, 201).id()
		id := made(t, srv, hostName, "User", map[string]any{"userName": "ada"})
		a := send(t, srv, "POST /Users", `{"userName":"ada","groups":[{"value":"`+group+`"}]}`)
		if a.Code >= 300 || a.id() != id || in(a) != "A" {
			t.Errorf("%d %s; want %s in A", a.Code, a.Body, id)
		}
	})
}
