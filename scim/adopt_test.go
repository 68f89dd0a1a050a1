package scim_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/musterhq/muster/scim"
	"github.com/musterhq/muster/scim/patch"
	"github.com/musterhq/muster/scim/resource"
	"github.com/musterhq/muster/storage"
	"github.com/musterhq/muster/storage/memory"
	"github.com/musterhq/muster/storage/sqlite"
)

// overStores runs a test over a memory store and over a SQLite file.
func overStores(t *testing.T, f func(t *testing.T, store storage.Store)) {
	t.Helper()
	t.Run("memory", func(t *testing.T) {
		t.Parallel()
		f(t, memory.New())
	})
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		store, err := sqlite.Open(filepath.Join(t.TempDir(), "directory.db"))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { store.Close() })
		f(t, store)
	})
}

// Headers of the connections that tests of adoption have: "okta", with the token
// that send uses, and others.
const (
	asEntra  = "Authorization: Bearer entra"
	asOther  = "Authorization: Bearer other" // of another tenant
	hostName = "app"
)

// adopting makes a server with two connections of the tenant "acme" and one of the
// tenant "other", and with users that the host made.
func adopting(t testing.TB, store storage.Store, decide func(*scim.Claim) scim.Adoption, opts ...scim.Option) *scim.Server {
	t.Helper()
	auth := scim.BearerTokens(map[string]scim.Principal{
		"secret": {Tenant: "acme", Connection: "okta"},
		"entra":  {Tenant: "acme", Connection: "entra"},
		"other":  {Tenant: "other", Connection: "okta"},
	})
	opts = append([]scim.Option{scim.WithLogger(slog.New(slog.NewTextHandler(io.Discard, nil)))}, opts...)
	if decide != nil {
		opts = append(opts, scim.WithAdoption(scim.Adopting{
			Host: hostName,
			Replaced: func(_ context.Context, _ *scim.Directory, p scim.Principal) ([]string, error) {
				if p.Connection == "entra" {
					return []string{"entra-old"}, nil
				}
				return nil, nil
			},
			Decide: func(_ context.Context, c *scim.Claim) (scim.Adoption, error) { return decide(c), nil },
		}))
	}
	srv, err := scim.New(store, auth, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return srv
}

// made has the host make a resource in process, in a connection of acme.
func made(t testing.TB, srv *scim.Server, connection, resourceType string, attributes map[string]any, members ...string) string {
	t.Helper()
	b := scim.NewResource(srv.Type(resourceType))
	for name, value := range attributes {
		b.Set(name, value)
	}
	r, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	op := &scim.Operation{Method: scim.Create, Type: srv.Type(resourceType), Resource: r}
	if len(members) > 0 {
		list := make([]resource.Member, len(members))
		for i, m := range members {
			list[i] = resource.Member{ID: m}
		}
		op.Relations = scim.Relations{"members": list}
	}
	res, err := srv.Do(t.Context(), scim.Principal{Tenant: "acme", Connection: connection}, op)
	if err != nil {
		t.Fatal(err)
	}
	return res.Resource.ID()
}

func always(a scim.Adoption) func(*scim.Claim) scim.Adoption {
	return func(*scim.Claim) scim.Adoption { return a }
}

// owner is the connection that a resource of acme belongs to.
func owner(t testing.TB, srv *scim.Server, resourceType, id string) string {
	t.Helper()
	e, err := srv.Directory().Get(t.Context(), "acme", scim.Ref{Type: resourceType, ID: id})
	if err != nil {
		t.Fatal(err)
	}
	return e.Connection
}

func TestAnAdoptedUserKeepsItsIDAndWhatWasNotSent(t *testing.T) {
	t.Parallel()
	overStores(t, func(t *testing.T, store storage.Store) {
		srv := adopting(t, store, always(scim.Adopt))
		id := made(t, srv, hostName, "User", map[string]any{
			"userName": "Ada@Acme.example", "title": "Countess", "nickName": "A",
			"name":   map[string]any{"familyName": "Byron", "middleName": "King"},
			"emails": []any{map[string]any{"type": "home", "value": "ada@home.example"}},
		})
		a := send(t, srv, "POST /Users", `{"userName":"ada@acme.example","externalId":"x1","title":"Dr","active":true,
			"name":{"familyName":"Lovelace"},"emails":[{"type":"work","value":"ada@acme.example","primary":true}],"password":"secret"}`).want(t, 201)
		if a.id() != id || !strings.HasSuffix(a.Header().Get("Location"), "/Users/"+id) {
			t.Errorf("id %s, Location %s, want the id %s that the host gave", a.id(), a.Header().Get("Location"), id)
		}
		a = send(t, srv, "GET /Users/"+id, "").want(t, 200)
		for _, c := range []struct {
			what      string
			got, want any
		}{
			{"userName, sent", a.get("userName"), "ada@acme.example"},
			{"externalId, sent", a.get("externalId"), "x1"},
			{"title, sent", a.get("title"), "Dr"},
			{"nickName, not sent", a.get("nickName"), "A"},
			{"name.familyName, sent", a.get("name", "familyName"), "Lovelace"},
			{"name.middleName, not sent", a.get("name", "middleName"), "King"},
			{"emails, a list that was sent", strings.Join(a.values("emails"), " "), "ada@acme.example"},
		} {
			if c.got != c.want {
				t.Errorf("%s: %v, want %v", c.what, c.got, c.want)
			}
		}
		if got := owner(t, srv, "User", id); got != "okta" {
			t.Errorf("it belongs to %q", got)
		}
		send(t, srv, "PATCH /Users/"+id, patchBody(`[{"op":"replace","path":"title","value":"Prof"}]`)).want(t, 200)
		send(t, srv, "POST /Users", `{"userName":"ada@acme.example"}`).want(t, 409, "uniqueness")
	})
}

func TestOnlyTheHostsOwnAndReplacedConnectionsCanBeAdopted(t *testing.T) {
	t.Parallel()
	overStores(t, func(t *testing.T, store storage.Store) {
		srv := adopting(t, store, always(scim.Adopt))
		for i, c := range []struct {
			owner, as string
			status    int
		}{
			{hostName, "Authorization: Bearer secret", 201},
			{hostName, asEntra, 201},
			{"entra", "Authorization: Bearer secret", 409},
			{"okta", asEntra, 409},
			{"entra-old", asEntra, 201},
			{"entra-old", "Authorization: Bearer secret", 409},
			{"default", asEntra, 409},
		} {
			name := fmt.Sprintf("u%d", i)
			id := made(t, srv, c.owner, "User", map[string]any{"userName": name})
			send(t, srv, "POST /Users", fmt.Sprintf(userBody, name), c.as).want(t, c.status)
			if changed := owner(t, srv, "User", id) != c.owner; changed != (c.status == 201) {
				t.Errorf("%+v: it belongs to %q now", c, owner(t, srv, "User", id))
			}
		}
		// Another tenant has users of its own by the same name.
		id := made(t, srv, hostName, "User", map[string]any{"userName": "tenant"})
		if a := send(t, srv, "POST /Users", fmt.Sprintf(userBody, "tenant"), asOther).want(t, 201); a.id() == id {
			t.Error("a user of another tenant was adopted")
		}
		if got := owner(t, srv, "User", id); got != hostName {
			t.Errorf("it belongs to %q", got)
		}
	})
}

func TestNobodyIsAskedAboutAConnectionsOwn(t *testing.T) {
	t.Parallel()
	srv, err := scim.New(memory.New(), scim.BearerToken("secret"), scim.WithAdoption(scim.Adopting{
		Host: hostName,
		Replaced: func(_ context.Context, _ *scim.Directory, p scim.Principal) ([]string, error) {
			return []string{p.Connection}, nil
		},
		Decide: func(context.Context, *scim.Claim) (scim.Adoption, error) {
			t.Error("the host is asked")
			return scim.Adopt, nil
		},
	}))
	if err != nil {
		t.Fatal(err)
	}
	for _, status := range []int{201, 409} {
		send(t, srv, "POST /Users", fmt.Sprintf(userBody, "ada")).want(t, status)
	}
}

func TestWithoutTheOptionOrWithDeclineACreateIsRefused(t *testing.T) {
	t.Parallel()
	for name, decide := range map[string]func(*scim.Claim) scim.Adoption{"no option": nil, "declined": always(scim.Decline)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv := adopting(t, memory.New(), decide)
			id := made(t, srv, hostName, "User", map[string]any{"userName": "ada"})
			send(t, srv, "POST /Users", fmt.Sprintf(userBody, "ada")).want(t, 409, "uniqueness")
			send(t, srv, "GET /Users/"+id, "").want(t, 404)
			// Names of groups are unique in a connection only: one of its own is made.
			group := made(t, srv, hostName, "Group", map[string]any{"displayName": "Sales"})
			if a := send(t, srv, "POST /Groups", fmt.Sprintf(groupBody, "Sales")).want(t, 201); a.id() == group {
				t.Error("the group was adopted")
			}
		})
	}
}

func TestNothingButAnExplicitTrueReactivatesAnAdoptedUser(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		before bool
		sent   string
		after  bool
	}{
		{false, ``, false},
		{false, `,"active":false`, false},
		{false, `,"active":true`, true},
		{true, ``, true},
		{true, `,"active":false`, false},
		{true, `,"active":true`, true},
	} {
		srv := adopting(t, memory.New(), always(scim.Adopt))
		made(t, srv, hostName, "User", map[string]any{"userName": "ada", "active": c.before})
		a := send(t, srv, "POST /Users", `{"userName":"ada"`+c.sent+`}`).want(t, 201)
		if got := a.get("active"); got != c.after {
			t.Errorf("%+v: active is %v", c, got)
		}
	}
}

func TestGuardsAndSubscribersSeeAnAdoptionAsAReplaceWithAnOwner(t *testing.T) {
	t.Parallel()
	var seen []string
	note := func(who string, e scim.Effect) {
		from, to := "", ""
		if e.Owner != nil {
			from, to = e.Owner.From, e.Owner.To
		}
		var paths []string
		for _, c := range e.Changes {
			paths = append(paths, c.Path.String())
		}
		seen = append(seen, fmt.Sprintf("%s %s %s>%s %v before=%v", who, e.Kind, from, to, paths, e.Before != nil))
	}
	srv := adopting(t, memory.New(), always(scim.Adopt), scim.WithGuard(func(_ context.Context, _ scim.Principal, effects []scim.Effect) error {
		note("guard", effects[0])
		return nil
	}))
	srv.Subscribe(func(_ context.Context, e scim.Event) { note("event", e.Effect) })
	for _, c := range []struct{ body, want string }{
		{`{"userName":"ada","externalId":"1"}`, "app>okta [externalId]"},
		{`{"userName":"ada"}`, "app>okta []"},
	} {
		id := made(t, srv, hostName, "User", map[string]any{"userName": "ada"})
		seen = nil
		a := send(t, srv, "POST /Users", c.body).want(t, 201)
		want := []string{"guard replace " + c.want + " before=true", "event replace " + c.want + " before=true"}
		if !slices.Equal(seen, want) {
			t.Errorf("%s:\n%s\nwant\n%s", c.body, strings.Join(seen, "\n"), strings.Join(want, "\n"))
		}
		if err := srv.Erase(t.Context(), "acme", "User", id); err != nil || a.id() != id {
			t.Fatal(err, a.id())
		}
	}
}

func TestAGuardThatRefusesAnAdoptionLeavesTheUserToTheHost(t *testing.T) {
	t.Parallel()
	srv := adopting(t, memory.New(), always(scim.Adopt), scim.WithGuard(func(_ context.Context, p scim.Principal, effects []scim.Effect) error {
		if effects[0].Owner != nil {
			return scim.Errorf(403, "", "not now")
		}
		return nil
	}))
	id := made(t, srv, hostName, "User", map[string]any{"userName": "ada", "title": "x"})
	send(t, srv, "POST /Users", `{"userName":"ada","title":"y"}`).want(t, 403)
	e, err := srv.Directory().Get(t.Context(), "acme", scim.Ref{Type: "User", ID: id})
	if err != nil || e.Connection != hostName || e.Resource.String("title") != "x" {
		t.Errorf("%v %q %q", err, e.Connection, e.Resource.String("title"))
	}
}

func TestAnAdoptedGroupKeepsItsMembersAndGetsThoseThatWereSent(t *testing.T) {
	t.Parallel()
	overStores(t, func(t *testing.T, store storage.Store) {
		srv := adopting(t, store, func(c *scim.Claim) scim.Adoption {
			if c.Type.Name() == "Group" && c.Attribute != "displayName" {
				return scim.Decline
			}
			return scim.Adopt
		})
		old := made(t, srv, "entra-old", "User", map[string]any{"userName": "old"})
		group := made(t, srv, "entra-old", "Group", map[string]any{"displayName": "Sales"}, old)
		fresh := send(t, srv, "POST /Users", fmt.Sprintf(userBody, "new"), asEntra).want(t, 201).id()
		a := send(t, srv, "POST /Groups", fmt.Sprintf(`{"displayName":"SALES","externalId":"g2","members":[{"value":%q},{"value":"unknown"}]}`, fresh), asEntra).want(t, 201)
		if a.id() != group {
			t.Fatalf("a group of its own was made")
		}
		got := a.values("members")
		slices.Sort(got)
		want := []string{old, fresh}
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("members %v, want %v", got, want)
		}
		if skipped, err := srv.Skipped(t.Context(), "acme", "Group", group); err != nil || !slices.Equal(skipped, []string{"unknown"}) {
			t.Errorf("skipped %v, %v", skipped, err)
		}
		// The new connection works with it as with its own.
		send(t, srv, "PATCH /Groups/"+group, patchBody(fmt.Sprintf(`[{"op":"remove","path":"members[value eq \"%s\"]"}]`, old)), asEntra).want(t, 204)
		if got := send(t, srv, "GET /Groups/"+group, "", asEntra).want(t, 200).values("members"); !slices.Equal(got, []string{fresh}) {
			t.Errorf("members %v", got)
		}
	})
}

func TestLinksAcrossConnectionsAreMadeByNobody(t *testing.T) {
	t.Parallel()
	overStores(t, func(t *testing.T, store storage.Store) {
		srv := adopting(t, store, always(scim.Adopt))
		id := made(t, srv, hostName, "User", map[string]any{"userName": "ada"})
		group := made(t, srv, hostName, "Group", map[string]any{"displayName": "Staff"}, id)
		send(t, srv, "POST /Users", fmt.Sprintf(userBody, "ada")).want(t, 201)
		// The host's group keeps the member that it had.
		refs, err := srv.Directory().Members(t.Context(), "acme", scim.Ref{Type: "Group", ID: group}, scim.Ref{}, 10)
		if err != nil || len(refs) != 1 || refs[0].ID != id {
			t.Errorf("members %v, %v", refs, err)
		}
		// A connection that does not own the user cannot put it into a group.
		other := send(t, srv, "POST /Groups", fmt.Sprintf(`{"displayName":"X","members":[{"value":%q}]}`, id), asEntra).want(t, 201).id()
		refs, err = srv.Directory().Members(t.Context(), "acme", scim.Ref{Type: "Group", ID: other}, scim.Ref{}, 10)
		if err != nil || len(refs) != 0 {
			t.Errorf("members %v, %v", refs, err)
		}
		send(t, srv, "GET /Groups/"+group, "").want(t, 404)
	})
}

func TestOfTwoConnectionsThatAdoptAUserAtOnceOneWins(t *testing.T) {
	t.Parallel()
	overStores(t, func(t *testing.T, store storage.Store) {
		var wins sync.Map
		srv := adopting(t, store, always(scim.Adopt))
		srv.Subscribe(func(_ context.Context, e scim.Event) {
			if e.Owner != nil {
				n, _ := wins.LoadOrStore(e.ID, new(int))
				*n.(*int)++ // events of one resource come one after the other
			}
		})
		for i := range 20 {
			name := fmt.Sprintf("u%d", i)
			id := made(t, srv, hostName, "User", map[string]any{"userName": name})
			codes := make([]int, 6)
			var wg sync.WaitGroup
			for k := range codes {
				as := []string{"Authorization: Bearer secret", asEntra}[k%2]
				wg.Go(func() { codes[k] = send(t, srv, "POST /Users", fmt.Sprintf(userBody, name), as).Code })
			}
			wg.Wait()
			slices.Sort(codes)
			if !slices.Equal(codes, []int{201, 409, 409, 409, 409, 409}) {
				t.Errorf("%s: answers %v", name, codes)
			}
			if n, _ := wins.Load(id); n == nil || *n.(*int) != 1 {
				t.Errorf("%s changed hands %v times", name, n)
			}
		}
	})
}

func TestAUserThatChangesWhileItIsAdoptedIsJudgedAnew(t *testing.T) {
	t.Parallel()
	overStores(t, func(t *testing.T, store storage.Store) {
		var srv *scim.Server
		var titles []string
		srv = adopting(t, store, func(c *scim.Claim) scim.Adoption {
			title := c.Existing.Resource.String("title")
			titles = append(titles, title)
			if title == "locked" {
				return scim.Decline
			}
			req, err := patch.Parse(srv.Type("User"), []byte(patchBody(`[{"op":"replace","path":"title","value":"locked"}]`)), patch.ParseOptions{})
			if err != nil {
				t.Error(err)
			}
			_, err = srv.Do(t.Context(), scim.Principal{Tenant: "acme", Connection: hostName}, &scim.Operation{
				Method: scim.Patch, Type: srv.Type("User"), ID: c.Existing.Resource.ID(), Patch: req,
			})
			if err != nil {
				t.Error(err)
			}
			return scim.Adopt
		})
		id := made(t, srv, hostName, "User", map[string]any{"userName": "ada", "title": "free"})
		send(t, srv, "POST /Users", fmt.Sprintf(userBody, "ada")).want(t, 409, "uniqueness")
		if got := owner(t, srv, "User", id); got != hostName || !slices.Equal(titles, []string{"free", "locked"}) {
			t.Errorf("it belongs to %q; judged %v", got, titles)
		}
	})
}

func TestBulkRequestsAdopt(t *testing.T) {
	t.Parallel()
	for name, opts := range map[string][]scim.Option{
		"each for itself": nil,
		"atomic":          {scim.WithAtomicBulk()},
		"with a guard":    {scim.WithGuard(func(context.Context, scim.Principal, []scim.Effect) error { return nil })},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			overStores(t, func(t *testing.T, store storage.Store) {
				srv := adopting(t, store, always(scim.Adopt), opts...)
				id := made(t, srv, hostName, "User", map[string]any{"userName": "ada"})
				group := made(t, srv, hostName, "Group", map[string]any{"displayName": "Staff"})
				a := send(t, srv, "POST /Bulk", `{"schemas":["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],"Operations":[
					{"method":"POST","path":"/Groups","bulkId":"g","data":{"displayName":"Staff","members":[{"value":"bulkId:u"},{"value":"bulkId:n"}]}},
					{"method":"POST","path":"/Users","bulkId":"u","data":{"userName":"ada","title":"Dr"}},
					{"method":"POST","path":"/Users","bulkId":"n","data":{"userName":"new"}}]}`).want(t, 200)
				ops, _ := a.json["Operations"].([]any)
				for i, want := range []string{"/Groups/" + group, "/Users/" + id, "/Users/"} {
					op, _ := ops[i].(map[string]any)
					if location, _ := op["location"].(string); op["status"] != "201" || !strings.Contains(location, want) {
						t.Errorf("operation %d: %v, want 201 and %s", i, op, want)
					}
				}
				if got := len(send(t, srv, "GET /Groups/"+group, "").want(t, 200).values("members")); got != 2 {
					t.Errorf("%d members\n%s", got, a.Body)
				}
				if got := send(t, srv, "GET /Users/"+id, "").want(t, 200).get("title"); got != "Dr" {
					t.Errorf("title %v", got)
				}
			})
		})
	}
}

func TestABulkRequestAdoptsAUserOnce(t *testing.T) {
	t.Parallel()
	srv := adopting(t, memory.New(), always(scim.Adopt), scim.WithAtomicBulk())
	id := made(t, srv, hostName, "User", map[string]any{"userName": "ada"})
	a := send(t, srv, "POST /Bulk", `{"schemas":["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],"Operations":[
		{"method":"POST","path":"/Users","bulkId":"1","data":{"userName":"ada"}},
		{"method":"POST","path":"/Users","bulkId":"2","data":{"userName":"ada"}}]}`).want(t, 200)
	if text := a.Body.String(); strings.Contains(text, `"201"`) || strings.Contains(text, `"503"`) || !strings.Contains(text, `"409"`) {
		t.Errorf("%s", text)
	}
	if got := owner(t, srv, "User", id); got != hostName {
		t.Errorf("it belongs to %q", got)
	}
}

func TestAClaimHoldsWhatTheClientSentAndNoPassword(t *testing.T) {
	t.Parallel()
	var got *scim.Claim
	srv := adopting(t, memory.New(), func(c *scim.Claim) scim.Adoption { got = c; return scim.Decline })
	id := made(t, srv, hostName, "User", map[string]any{"userName": "ada"})
	send(t, srv, "POST /Users", `{"userName":"ADA","externalId":"x","password":"hunter2"}`).want(t, 409)
	if got == nil || got.Principal.Connection != "okta" || got.Attribute != "userName" || got.Existing.Resource.ID() != id || got.Existing.Connection != hostName {
		t.Fatalf("%+v", got)
	}
	if doc := string(got.Sent.Document()); strings.Contains(doc, "hunter2") || !strings.Contains(doc, `"x"`) || strings.Contains(doc, "active") {
		t.Errorf("sent %s", doc)
	}
	// A name that nobody has is no claim, and neither is an empty one.
	got = nil
	send(t, srv, "POST /Users", `{"userName":"bea","externalId":"x"}`).want(t, 201)
	if got != nil {
		t.Errorf("a claim was made of %s", got.Sent.Document())
	}
}

func TestNewRefusesAnAdoptionThatNobodyDecides(t *testing.T) {
	t.Parallel()
	_, err := scim.New(memory.New(), scim.BearerToken("x"), scim.WithAdoption(scim.Adopting{Host: "app"}))
	if err == nil || !strings.Contains(err.Error(), "Decide") {
		t.Error(err)
	}
}

// at is a clock that the test moves.
type at struct {
	mu  sync.Mutex
	now time.Time
}

func (c *at) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *at) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}
