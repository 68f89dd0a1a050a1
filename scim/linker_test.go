package scim_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/musterhq/muster/scim"
	"github.com/musterhq/muster/scim/schema"
	"github.com/musterhq/muster/storage"
	"github.com/musterhq/muster/storage/memory"
)

// teams are a host's own groups with a table of who is in which.
type teams struct {
	*groupTable
	in map[string]map[storage.Ref]bool // by team
	// users, if set, are the host's own too: only they can be members.
	users *table
	// edits counts the calls of EditLinks, and changed the links that these made.
	edits, changed int
	last           *scim.LinkedWrite
	fails          error
}

func newTeams(users *table) *teams {
	return &teams{groupTable: newGroupTable(), in: map[string]map[storage.Ref]bool{}, users: users}
}

func (h *teams) Links(_ context.Context, q *storage.LinkQuery) (links []storage.Link, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, of := range q.Of {
		var found []storage.Ref
		for team, members := range h.in {
			owner := storage.Ref{Type: "Group", ID: team}
			for m := range members {
				one, other := owner, m
				if q.Inverse {
					one, other = m, owner
				}
				if one == of && q.After.Compare(other) < 0 && (len(q.Other) == 0 || slices.Contains(q.Other, other)) {
					found = append(found, other)
				}
			}
		}
		slices.SortFunc(found, storage.Ref.Compare)
		if q.Limit > 0 {
			found = found[:min(len(found), q.Limit)]
		}
		for _, to := range found {
			links = append(links, storage.Link{Of: of, To: to})
		}
	}
	return links, nil
}

// lacks reports whether a user is known not to be there.
func (h *teams) lacks(ref storage.Ref) bool {
	return ref.Type == "User" && h.users != nil && h.users.rows[ref.ID] == nil
}

func (h *teams) EditLinks(ctx context.Context, w *scim.LinkedWrite) (*scim.LinkedResult, error) {
	h.mu.Lock()
	h.edits++
	h.last = w
	failure := h.fails
	h.mu.Unlock()
	if failure != nil {
		return nil, failure
	}
	for _, e := range w.Edits {
		for _, ref := range e.Add {
			if e.Missing == storage.MissingReject && h.lacks(ref) {
				return nil, &storage.CommitError{Err: storage.ErrMissingTarget, Ref: ref}
			}
		}
	}
	res := &scim.LinkedResult{}
	var err error
	switch {
	case w.ID == "":
		res.Resource, err = h.Create(ctx, w.Tenant, w.Resource)
	case w.Resource != nil:
		res.Resource, err = h.Replace(ctx, w.Tenant, w.Resource)
	default:
		h.mu.Lock()
		res.Resource = h.rows[w.ID]
		h.mu.Unlock()
		switch {
		case res.Resource == nil:
			err = scim.ErrNotFound
		case w.IfVersion != "" && res.Resource.Meta().Version != w.IfVersion:
			err = scim.ErrConflict
		}
	}
	if err != nil {
		return nil, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	team := res.Resource.ID()
	edited := false
	for _, e := range w.Edits {
		var done storage.LinkResult
		now := maps.Clone(h.in[team])
		if now == nil || e.Reset {
			now = map[storage.Ref]bool{}
		}
		for _, ref := range e.Remove {
			delete(now, ref)
		}
		for _, ref := range e.Add {
			if h.lacks(ref) && !h.in[team][ref] {
				done.Dropped = append(done.Dropped, ref)
				continue
			}
			now[ref] = true
		}
		for ref := range now {
			if !h.in[team][ref] {
				done.Added++
			}
		}
		for ref := range h.in[team] {
			if !now[ref] {
				done.Removed++
			}
		}
		h.in[team] = now
		edited = edited || done.Added+done.Removed > 0
		h.changed += done.Added + done.Removed
		res.Links = append(res.Links, done)
	}
	if edited && w.Resource == nil {
		m := res.Resource.Meta()
		v, _ := strconv.Atoi(m.Version)
		m.Version = strconv.Itoa(v + 1)
		h.rows[team] = res.Resource.WithMeta(m)
		res.Resource = h.rows[team]
	}
	return res, nil
}

func (h *teams) Delete(ctx context.Context, tenant, id, ifVersion string) error {
	err := h.groupTable.Delete(ctx, tenant, id, ifVersion)
	if err == nil {
		h.mu.Lock()
		delete(h.in, id)
		h.mu.Unlock()
	}
	return err
}

func (h *teams) Labels(ctx context.Context, tenant string, ids []string) (map[string]string, error) {
	return named{h.table}.Labels(ctx, tenant, ids)
}

// named is a table that can label its rows.
type named struct{ *table }
type namedGroups struct{ *groupTable }

func (h namedGroups) Labels(ctx context.Context, tenant string, ids []string) (map[string]string, error) {
	return named{h.table}.Labels(ctx, tenant, ids)
}

func (h named) Labels(_ context.Context, _ string, ids []string) (map[string]string, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	labels := map[string]string{}
	for _, id := range ids {
		if r := h.rows[id]; r != nil {
			labels[id] = r.String("displayName")
		}
	}
	return labels, nil
}

// member is one entry of members or groups as a client sees it.
func members(a *answer, attr string) (out []string) {
	list, _ := a.json[attr].([]any)
	for _, e := range list {
		m := e.(map[string]any)
		text := fmt.Sprint(m["value"])
		if m["display"] != nil {
			text += "=" + fmt.Sprint(m["display"])
		}
		out = append(out, text)
	}
	slices.Sort(out)
	return out
}

// places make servers whose users and groups are kept in all possible combinations.
func places(opts ...scim.Option) map[string]func(testing.TB, storage.Store) *scim.Server {
	server := func(handlers func() []scim.Option) func(testing.TB, storage.Store) *scim.Server {
		return func(t testing.TB, store storage.Store) *scim.Server {
			return newServerOver(t, store, scim.BearerToken("secret"), append(handlers(), opts...)...)
		}
	}
	users := func(h scim.ResourceHandler) scim.Option { return scim.WithHandler(schema.User(), h) }
	groups := func(h scim.ResourceHandler) scim.Option { return scim.WithHandler(schema.Group(), h) }
	return map[string]func(testing.TB, storage.Store) *scim.Server{
		"both in the store": server(func() []scim.Option { return nil }),
		"users of the host": server(func() []scim.Option { return []scim.Option{users(named{newTable()})} }),
		"groups of the host, members in store": server(func() []scim.Option {
			return []scim.Option{groups(namedGroups{newGroupTable()})}
		}),
		"groups of the host": server(func() []scim.Option { return []scim.Option{groups(newTeams(nil))} }),
		"both of the host": server(func() []scim.Option {
			table := newTable()
			return []scim.Option{users(named{table}), groups(newTeams(table))}
		}),
		"both of the host, members in store": server(func() []scim.Option {
			return []scim.Option{users(named{newTable()}), groups(namedGroups{newGroupTable()})}
		}),
	}
}

func TestUsersAndGroupsGoTogetherWhereverTheyAreKept(t *testing.T) {
	t.Parallel()
	for name, server := range places(scim.WithPatchNoContent()) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			overStores(t, func(t *testing.T, store storage.Store) { goTogether(t, server(t, store)) })
		})
	}
}

// goTogether has users join and leave groups, and groups come and go.
func goTogether(t *testing.T, srv *scim.Server) {
	user := func(name string) string {
		return send(t, srv, "POST /Users", fmt.Sprintf(`{"userName":%q,"displayName":%q}`, name, "The "+name)).want(t, 201).id()
	}
	ada, bob, cyd := user("ada"), user("bob"), user("cyd")
	g := send(t, srv, "POST /Groups", groupWith("G", ada, "nobody")).want(t, 201)
	h := send(t, srv, "POST /Groups", groupWith("H", ada, bob)).want(t, 201)
	expect := func(request, attr string, want ...string) {
		t.Helper()
		slices.Sort(want)
		if got := members(send(t, srv, request, "").want(t, 200), attr); !slices.Equal(got, want) {
			t.Errorf("%s: %s %q, want %q", request, attr, got, want)
		}
	}
	adas, bobs, cyds := ada+"=The ada", bob+"=The bob", cyd+"=The cyd"
	expect("GET /Groups/"+g.id(), "members", adas)
	expect("GET /Groups/"+h.id(), "members", adas, bobs)
	expect("GET /Users/"+ada, "groups", g.id()+"=G", h.id()+"=H")
	before := send(t, srv, "GET /Groups/"+g.id(), "")
	added := send(t, srv, "PATCH /Groups/"+g.id(), patchBody(`[{"op":"add","path":"members","value":[{"value":"`+cyd+`"}]}]`)).want(t, 200)
	if etag(added) == "" || etag(added) == etag(before) {
		t.Errorf("a member was added and the version is %q, before %q", etag(added), etag(before))
	}
	if got := etag(send(t, srv, "GET /Groups/"+g.id(), "")); got != etag(added) {
		t.Errorf("versions differ: PATCH %s, GET %s", etag(added), got)
	}
	expect("GET /Groups/"+g.id(), "members", adas, cyds)
	send(t, srv, "PATCH /Groups/"+g.id(), patchBody(`[{"op":"remove","path":"members"}]`), "If-Match: "+etag(before)).want(t, 412)
	found := func(path string, want ...string) {
		t.Helper()
		var got []string
		for _, r := range send(t, srv, "GET "+path, "").want(t, 200).json["Resources"].([]any) {
			got = append(got, r.(map[string]any)["id"].(string))
		}
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("%s finds %v, want %v", path, got, want)
		}
	}
	found(`/Groups?filter=members.value+eq+"`+ada+`"`, g.id(), h.id())
	found(`/Groups?filter=members[value+eq+"`+bob+`"]`, h.id())
	found(`/Groups?filter=not+(members.value+eq+"`+cyd+`")`, h.id())
	found(`/Users?filter=groups.value+eq+"`+g.id()+`"`, ada, cyd)
	found(`/Users?filter=groups.value+eq+"`+h.id()+`"+and+not+(userName+eq+"ada")`, bob)
	found(`/Users?filter=not+(groups.value+eq+"`+h.id()+`")`, cyd)
	found(`/Users?filter=groups+pr`, ada, bob, cyd)
	found(`/Users?filter=groups.value+eq+"nothing"`)

	// PUT sets all of them, PATCH with a filter some.
	put := send(t, srv, "PUT /Groups/"+g.id(), `{"displayName":"G2","members":[{"value":"`+bob+`"},{"value":"`+cyd+`"}]}`).want(t, 200)
	if got := members(put, "members"); !slices.Equal(got, slices.Sorted(slices.Values([]string{bobs, cyds}))) || put.json["displayName"] != "G2" {
		t.Errorf("after PUT: %v", put.Body)
	}
	send(t, srv, "PATCH /Groups/"+g.id(), patchBody(`[{"op":"remove","path":"members[value eq \"`+bob+`\"]"},{"op":"replace","path":"displayName","value":"G3"}]`)).want(t, 200)
	expect("GET /Groups/"+g.id(), "members", cyds)
	expect("GET /Users/"+cyd, "groups", g.id()+"=G3")
	expect("GET /Users/"+bob, "groups", h.id()+"=H")

	// Nothing is left of a user or a group that is deleted.
	send(t, srv, "DELETE /Users/"+cyd, "").want(t, 204)
	expect("GET /Groups/"+g.id(), "members")
	send(t, srv, "DELETE /Groups/"+h.id(), "").want(t, 204)
	expect("GET /Users/"+ada, "groups")
	found(`/Users?filter=groups+pr`)

	// The directory reads all of it.
	refs := func(list []scim.Ref, err error) (ids []string) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range list {
			ids = append(ids, r.ID)
		}
		return ids
	}
	send(t, srv, "PATCH /Groups/"+g.id(), patchBody(`[{"op":"add","path":"members","value":[{"value":"`+ada+`"}]}]`)).want(t, 200)
	d := srv.Directory()
	if got := refs(d.Members(t.Context(), "", scim.Ref{Type: "Group", ID: g.id()}, scim.Ref{}, 10)); !slices.Equal(got, []string{ada}) {
		t.Errorf("members by the directory: %v", got)
	}
	if got := refs(d.GroupsOf(t.Context(), "", scim.Ref{Type: "User", ID: ada}, scim.Ref{}, 10)); !slices.Equal(got, []string{g.id()}) {
		t.Errorf("groups by the directory: %v", got)
	}
	if err := srv.Erase(t.Context(), "", "User", ada); err != nil {
		t.Fatal(err)
	}
	if got := refs(d.Members(t.Context(), "", scim.Ref{Type: "Group", ID: g.id()}, scim.Ref{}, 10)); len(got) != 0 {
		t.Errorf("members after the only one was erased: %v", got)
	}
}

func TestAListOfMembersThatAreAllNewReplacesTheOldWhereverTheyAreKept(t *testing.T) {
	t.Parallel()
	for name, server := range places() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv := server(t, memory.New())
			for _, kind := range []string{"", `,"type":"User"`} {
				old, next := newUser(t, srv, "old"+strconv.Itoa(len(kind))), newUser(t, srv, "next"+strconv.Itoa(len(kind)))
				for verb, body := range map[string]string{
					"PUT":   `{"displayName":"G %s","members":[{"value":"` + next + `"` + kind + `}]}`,
					"PATCH": patchBody(`[{"op":"replace","path":"members","value":[{"value":"` + next + `"` + kind + `}]}]`),
				} {
					name := verb + strconv.Itoa(len(kind))
					g := send(t, srv, "POST /Groups", groupWith("G "+name, old)).want(t, 201).id()
					send(t, srv, verb+" /Groups/"+g, strings.ReplaceAll(body, "%s", name))
					if got := send(t, srv, "GET /Groups/"+g, "").want(t, 200).values("members"); !slices.Equal(got, []string{next}) {
						t.Errorf("%s with %q: members %v, want the new one alone", verb, kind, got)
					}
				}
			}
		})
	}
}

func TestNestingIsFollowedWhereverGroupsAreKept(t *testing.T) {
	t.Parallel()
	for name, server := range places(scim.WithIndirectGroups()) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv := server(t, memory.New())
			ada := newUser(t, srv, "ada")
			inner := send(t, srv, "POST /Groups", groupWith("Inner", ada)).want(t, 201).id()
			outer := send(t, srv, "POST /Groups", `{"displayName":"Outer","members":[{"value":"`+inner+`","type":"Group"}]}`).want(t, 201).id()
			kinds := map[any]any{}
			for _, g := range send(t, srv, "GET /Users/"+ada, "").json["groups"].([]any) {
				kinds[g.(map[string]any)["value"]] = g.(map[string]any)["type"]
			}
			if kinds[inner] != "direct" || kinds[outer] != "indirect" {
				t.Errorf("groups %v", kinds)
			}
			for filter, want := range map[string]float64{
				`groups.value+eq+"` + outer + `"`:                                     1,
				`groups[value+eq+"` + outer + `"+and+type+eq+"direct"]`:               0,
				`groups[value+eq+"` + outer + `"+and+type+eq+"indirect"]`:             1,
				`not+(groups.value+eq+"` + outer + `")`:                               0,
				`groups.value+eq+"` + outer + `"+and+groups.value+eq+"` + inner + `"`: 1,
			} {
				if got := send(t, srv, "GET /Users?filter="+filter, "").want(t, 200).get("totalResults"); got != want {
					t.Errorf("%s: %v found, want %v", filter, got, want)
				}
			}
		})
	}
}

func TestAMemberOfALinkersGroupIsOneEdit(t *testing.T) {
	t.Parallel()
	users := newTable()
	h := newTeams(users)
	srv := newServer(t, scim.WithHandler(schema.User(), users), scim.WithHandler(memberTargets("User"), h))
	var ids []string
	for i := range 50 {
		ids = append(ids, newUser(t, srv, fmt.Sprint("u", i)))
	}
	g := send(t, srv, "POST /Groups", groupWith("G", ids[:49]...)).want(t, 201)
	if h.edits != 1 || h.last.ID != "" || h.last.Resource.String("displayName") != "G" || len(h.last.Edits) != 1 || h.last.Edits[0].Reset {
		t.Fatalf("created by %d edits, the last %+v", h.edits, h.last)
	}
	h.changed = 0
	send(t, srv, "PATCH /Groups/"+g.id(), patchBody(`[{"op":"add","path":"members","value":[{"value":"`+ids[49]+`"}]}]`)).want(t, 204)
	want := storage.LinkEdit{
		Owner: storage.Ref{Type: "Group", ID: g.id()}, Relation: "members", Add: []storage.Ref{{Type: "User", ID: ids[49]}}, IfConnection: "default",
	}
	if e := h.last.Edits[0]; h.edits != 2 || h.changed != 1 || h.last.Resource != nil || h.last.IfVersion != "" || fmt.Sprint(e) != fmt.Sprint(want) {
		t.Errorf("edit %+v; %d calls, %d links changed", h.last, h.edits, h.changed)
	}
	send(t, srv, "PATCH /Groups/"+g.id(), patchBody(`[{"op":"replace","path":"displayName","value":"H"}]`)).want(t, 204)
	if h.edits != 2 || h.rows[g.id()].String("displayName") != "H" {
		t.Errorf("a new name took %d edits of links", h.edits-2)
	}
	// All members but one are named again: the handler gets the whole set, the client
	// no versions that it did not ask for.
	send(t, srv, "PATCH /Groups/"+g.id(), patchBody(`[{"op":"replace","path":"members","value":[{"value":"`+ids[0]+`"}]}]`)).want(t, 204)
	if e := h.last.Edits[0]; !e.Reset || len(e.Add) != 1 || len(h.in[g.id()]) != 1 {
		t.Errorf("edit %+v", e)
	}
}

func TestALinkersWriteIsWholeOrNot(t *testing.T) {
	t.Parallel()
	h := newTeams(nil)
	srv := newServer(t, scim.WithHandler(schema.Group(), h))
	var heard []string
	srv.Subscribe(func(_ context.Context, e scim.Event) {
		heard = append(heard, fmt.Sprintf("%s %s%v%d", e.Kind, e.Type.Name(), e.Links, len(e.Changes)))
	})
	ada := newUser(t, srv, "ada")
	g := send(t, srv, "POST /Groups", groupWith("G", ada)).want(t, 201).id()
	both := patchBody(`[{"op":"replace","value":{"displayName":"H","members":[]}}]`)
	h.fails = scim.NotUnique("displayName")
	send(t, srv, "PATCH /Groups/"+g, both).want(t, 409, "uniqueness")
	send(t, srv, "POST /Groups", groupWith("Other", ada)).want(t, 409, "uniqueness")
	h.fails = nil
	a := send(t, srv, "GET /Groups/"+g, "").want(t, 200)
	if got := a.values("members"); !slices.Equal(got, []string{ada}) || a.json["displayName"] != "G" {
		t.Errorf("something of a refused write is there: %s", a.Body)
	}
	// Somebody else writes the document in between: the change is made again.
	h.between = func() { h.rows[g] = h.rows[g].WithMeta(scim.Meta{ID: g, Version: "7"}) }
	send(t, srv, "PATCH /Groups/"+g, both).want(t, 204)
	want := []string{"create User[]0", "create Group[{members 1 0}]0", "patch Group[{members 0 1}]1"}
	if !slices.Equal(heard, want) {
		t.Errorf("heard %q, want %q", heard, want)
	}
}

func TestUnknownMembersOfALinkersGroup(t *testing.T) {
	t.Parallel()
	for name, users := range map[string]*table{"users in the store": nil, "users of the host": newTable()} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			opts := func(h *teams, more ...scim.Option) []scim.Option {
				if users != nil {
					more = append(more, scim.WithHandler(schema.User(), users))
				}
				return append(more, scim.WithHandler(schema.Group(), h))
			}
			h := newTeams(users)
			srv := newServer(t, opts(h)...)
			ada := newUser(t, srv, "ada")
			g := send(t, srv, "POST /Groups", `{"displayName":"G","members":[{"value":"nobody","type":"User"},{"value":"noone"},{"value":"`+ada+`"}]}`).want(t, 201)
			if got := g.values("members"); !slices.Equal(got, []string{ada}) {
				t.Errorf("members %v", got)
			}
			skipped, err := srv.Skipped(t.Context(), "", "Group", g.id())
			if slices.Sort(skipped); err != nil || !slices.Equal(skipped, []string{"nobody", "noone"}) {
				t.Errorf("skipped %v, %v", skipped, err)
			}
			// A list of which nobody is known does not empty the group.
			for _, list := range []string{`[{"value":"nobody","type":"User"}]`, `[{"value":"noone"}]`} {
				send(t, srv, "PUT /Groups/"+g.id(), `{"displayName":"G","members":`+list+`}`).want(t, 200)
				if len(h.in[g.id()]) != 1 {
					t.Errorf("%s left %d members", list, len(h.in[g.id()]))
				}
			}
			// One that is a member already stays, though the user is gone meanwhile.
			h.in[g.id()][storage.Ref{Type: "User", ID: "gone"}] = true
			send(t, srv, "PUT /Groups/"+g.id(), `{"displayName":"G","members":[{"value":"gone"}]}`).want(t, 200)
			if len(h.in[g.id()]) != 1 || !h.in[g.id()][storage.Ref{Type: "User", ID: "gone"}] {
				t.Errorf("members %v", h.in[g.id()])
			}
			if got := send(t, srv, "GET /Groups/"+g.id(), "").want(t, 200).values("members"); !slices.Equal(got, []string{"gone"}) {
				t.Errorf("a dangling link is shown as %v", got)
			}
			for _, m := range []string{`{"value":"nobody","type":"User"}`, `{"value":"noone"}`} {
				strict := newServer(t, opts(newTeams(users), scim.WithUnknownMembers(scim.RejectUnknown))...)
				send(t, strict, "POST /Groups", `{"displayName":"G","members":[`+m+`]}`).want(t, 400, "invalidValue")
				if n := send(t, strict, "GET /Groups", "").json["totalResults"]; n != 0.0 {
					t.Errorf("%s: %v groups after a create that failed", m, n)
				}
			}
		})
	}
}

// seen is a Linker whose relations are shown and not changed.
type seen struct{ t *teams }

func (h seen) Get(ctx context.Context, tenant, id string) (*scim.Resource, error) {
	return h.t.Get(ctx, tenant, id)
}
func (h seen) List(ctx context.Context, req *scim.ListRequest) (*scim.ListPage, error) {
	return h.t.List(ctx, req)
}
func (h seen) Links(ctx context.Context, q *storage.LinkQuery) ([]storage.Link, error) {
	return h.t.Links(ctx, q)
}
func (h seen) Replace(ctx context.Context, tenant string, r *scim.Resource) (*scim.Resource, error) {
	return h.t.Replace(ctx, tenant, r)
}

func TestARelationThatCannotBeEditedIsReadOnly(t *testing.T) {
	t.Parallel()
	h := newTeams(nil)
	srv := newServer(t, scim.WithHandler(schema.Group(), seen{h}), scim.WithPatchNoContent())
	ada := newUser(t, srv, "ada")
	h.rows["g"] = scim.NewResource(srv.Type("Group")).Meta(scim.Meta{ID: "g", Version: "1"}).Set("displayName", "G").Resource()
	h.in["g"] = map[storage.Ref]bool{{Type: "User", ID: ada}: true}
	if got := send(t, srv, "GET /Users/"+ada, "").want(t, 200).values("groups"); !slices.Equal(got, []string{"g"}) {
		t.Errorf("groups %v", got)
	}
	for _, op := range []string{
		`{"op":"remove","path":"members"}`,
		`{"op":"add","path":"members","value":[{"value":"` + ada + `"}]}`,
		`{"op":"replace","value":{"displayName":"H","members":[]}}`,
	} {
		send(t, srv, "PATCH /Groups/g", patchBody("["+op+"]")).want(t, 400, "mutability")
	}
	put := send(t, srv, "PUT /Groups/g", `{"displayName":"H","members":[]}`).want(t, 200)
	if got := put.values("members"); len(got) != 1 || put.json["displayName"] != "H" {
		t.Errorf("after PUT: %s", put.Body)
	}
	send(t, srv, "DELETE /Users/"+ada, "").want(t, 204) // its link dangles
	if got := send(t, srv, "GET /Groups/g", "").want(t, 200).values("members"); len(got) != 1 {
		t.Errorf("members %v", got)
	}
}

// linksOnly is a LinkEditor that keeps no other writes.
type linksOnly struct{ seen }

func (h linksOnly) EditLinks(ctx context.Context, w *scim.LinkedWrite) (*scim.LinkedResult, error) {
	return h.t.EditLinks(ctx, w)
}
func (h linksOnly) Replace() {} // hides that of seen: it is no Replacer's

func TestAHandlerThatTakesMembersAlone(t *testing.T) {
	t.Parallel()
	h := newTeams(nil)
	srv := newServer(t, scim.WithHandler(schema.Group(), linksOnly{seen{h}}))
	ada := newUser(t, srv, "ada")
	h.rows["g"] = scim.NewResource(srv.Type("Group")).Meta(scim.Meta{ID: "g", Version: "1"}).Set("displayName", "G").Resource()
	send(t, srv, "PATCH /Groups/g", patchBody(`[{"op":"add","path":"members","value":[{"value":"`+ada+`"}]}]`)).want(t, 204)
	send(t, srv, "PATCH /Groups/g", patchBody(`[{"op":"replace","path":"displayName","value":"H"}]`)).want(t, 400, "mutability")
	if got := send(t, srv, "OPTIONS /Groups/g", "").want(t, 204).Header().Get("Allow"); got != "GET, HEAD, OPTIONS, PATCH" {
		t.Errorf("Allow %q", got)
	}
	if len(h.in["g"]) != 1 {
		t.Errorf("members %v", h.in["g"])
	}
}

func TestLargeGroupsOfALinkerArePaged(t *testing.T) {
	t.Parallel()
	h := newTeams(nil)
	srv := newServer(t, scim.WithHandler(schema.Group(), h), scim.WithLimits(scim.Limits{Labels: 10, MembersShown: 0}))
	h.rows["g"] = scim.NewResource(srv.Type("Group")).Meta(scim.Meta{ID: "g", Version: "1"}).Set("displayName", "G").Resource()
	h.in["g"] = map[storage.Ref]bool{}
	for i := range 300 { // more than are asked for by id
		h.in["g"][storage.Ref{Type: "User", ID: newUser(t, srv, fmt.Sprint("u", i))}] = true
	}
	out := newUser(t, srv, "out")
	if got := send(t, srv, "GET /Groups/g", "").want(t, 200).values("members"); len(got) != 300 {
		t.Errorf("%d members shown", len(got))
	}
	for filter, want := range map[string]float64{
		`groups.value+eq+"g"`:                                       300,
		`not+(groups.value+eq+"g")`:                                 1,
		`groups.value+eq+"g"+and+userName+sw+"u29"`:                 11,
		`groups+pr+or+id+eq+"` + out + `"`:                          301,
		`groups[type+eq+"direct"+and+value+eq+"g"]+and+userName+pr`: 300,
	} {
		a := send(t, srv, "GET /Users?count=7&sortBy=userName&filter="+filter, "").want(t, 200)
		if got := a.get("totalResults"); got != want {
			t.Errorf("%s: %v found, want %v", filter, got, want)
		}
		if got := len(a.json["Resources"].([]any)); got != int(min(want, 7)) {
			t.Errorf("%s: a page of %d", filter, got)
		}
	}
}

func TestFaultyLinksAreTheHandlersFault(t *testing.T) {
	t.Parallel()
	user := func(id string) storage.Ref { return storage.Ref{Type: "User", ID: id} }
	g := storage.Ref{Type: "Group", ID: "g"}
	for name, links := range map[string][]storage.Link{
		"of another":     {{Of: storage.Ref{Type: "Group", ID: "h"}, To: user("1")}},
		"out of order":   {{Of: g, To: user("2")}, {Of: g, To: user("1")}},
		"twice the same": {{Of: g, To: user("1")}, {Of: g, To: user("1")}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := &fixedLinks{newTeams(nil), links, nil}
			srv := newServer(t, scim.WithHandler(schema.Group(), h))
			h.rows["g"] = scim.NewResource(srv.Type("Group")).Meta(scim.Meta{ID: "g"}).Set("displayName", "G").Resource()
			send(t, srv, "GET /Groups/g", "").wantError(t, 500, "")
		})
	}
	away := errors.New("table team_members: connection refused")
	h := &fixedLinks{newTeams(nil), nil, away}
	srv := newServer(t, scim.WithHandler(schema.Group(), h))
	send(t, srv, "GET /Users/"+newUser(t, srv, "ada"), "").wantError(t, 500, "")
}

// fixedLinks answers every question about links alike.
type fixedLinks struct {
	*teams
	links []storage.Link
	err   error
}

func (h *fixedLinks) Links(context.Context, *storage.LinkQuery) ([]storage.Link, error) {
	return h.links, h.err
}

// ownedTeams are teams that can be adopted.
type ownedTeams struct {
	*teams
	owners map[string]string
}

func (h *ownedTeams) Owners(_ context.Context, _ string, ids []string) (map[string]string, error) {
	return h.owners, nil
}

func (h *ownedTeams) Adopt(ctx context.Context, tenant string, r *scim.Resource, from, to string) (*scim.Resource, error) {
	if h.owners[r.ID()] != from {
		return nil, scim.ErrConflict
	}
	r, err := h.Replace(ctx, tenant, r)
	if err == nil {
		h.owners[r.ID()] = to
	}
	return r, err
}

func TestAGroupIsAdoptedWithTheMembersThatWereSent(t *testing.T) {
	t.Parallel()
	h := &ownedTeams{newTeams(nil), map[string]string{}}
	srv := adopting(t, memory.New(), func(*scim.Claim) scim.Adoption { return scim.Adopt }, scim.WithHandler(schema.Group(), h))
	ada, bob := newUser(t, srv, "ada"), newUser(t, srv, "bob")
	h.rows["g"] = scim.NewResource(srv.Type("Group")).Meta(scim.Meta{ID: "g", Version: "1"}).Set("displayName", "Staff").Resource()
	h.in["g"] = map[storage.Ref]bool{{Type: "User", ID: ada}: true}
	a := send(t, srv, "POST /Groups", `{"displayName":"STAFF","externalId":"x","members":[{"value":"`+bob+`"}]}`).want(t, 201)
	if a.id() != "g" || h.owners["g"] != "okta" || a.json["externalId"] != "x" {
		t.Errorf("adopted as %s by %q: %s", a.id(), h.owners["g"], a.Body)
	}
	if len(h.in["g"]) != 2 || h.last.Resource != nil || etag(a) != etag(send(t, srv, "GET /Groups/g", "")) {
		t.Errorf("members %v, the last edit %+v", h.in["g"], h.last)
	}
}
