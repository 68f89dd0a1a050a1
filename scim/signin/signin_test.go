package signin_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/musterhq/muster/internal/pgtest"
	"github.com/musterhq/muster/scim"
	"github.com/musterhq/muster/scim/policy"
	"github.com/musterhq/muster/scim/schema"
	"github.com/musterhq/muster/scim/signin"
	"github.com/musterhq/muster/storage"
	"github.com/musterhq/muster/storage/memory"
	"github.com/musterhq/muster/storage/postgres"
	"github.com/musterhq/muster/storage/sqlite"
)

func everybody(context.Context, string, signin.Identity) (bool, error) { return true, nil }

func TestWhomASignInBelongsTo(t *testing.T) {
	t.Parallel()
	s := newServer(t, memory.New())
	ids := map[string]string{
		"ada":  s.create("ada@example.com", `,"externalId":"X-ada","emails":[{"value":"ada@example.com"},{"value":"lovelace@example.com"}]`),
		"bob":  s.create("bob@example.com", `,"externalId":"X-bob","active":false`),
		"eve":  s.create("eve@example.com", ``),
		"two":  s.create("two@example.com", `,"externalId":"X-same","emails":[{"value":"same@example.com"}]`),
		"twin": s.create("twin@example.com", `,"externalId":"X-same","emails":[{"value":"same@example.com"}]`),
		"mix":  s.create("mix@example.com", `,"emails":[{"value":"eve@example.com"}]`),
		"okta": s.create("okta@example.com", `,"externalId":"X-okta"`, "okta"),
		"app":  s.create("native@example.com", ``, "app"),
		"gone": s.create("gone@example.com", `,"externalId":"X-gone","emails":[{"value":"gone-mail@example.com"}]`),
	}
	s.send("DELETE /Users/"+ids["gone"], "")
	const in = "entra"
	for _, c := range []struct {
		why  string
		id   signin.Identity
		who  string
		what signin.Outcome
		say  signin.Reason
	}{
		{"externalId", signin.Identity{Connection: in, ExternalID: "X-ada"}, "ada", signin.Existing, ""},
		{"externalId minds case", signin.Identity{Connection: in, ExternalID: "x-ADA"}, "", signin.Refused, signin.NotProvisioned},
		{"userName", signin.Identity{Connection: in, UserName: "ada@example.com"}, "ada", signin.Existing, ""},
		{"userName ignores case", signin.Identity{Connection: in, UserName: "ADA@Example.COM"}, "ada", signin.Existing, ""},
		{"a verified address", signin.Identity{Connection: in, Email: "Lovelace@example.com", EmailVerified: true}, "ada", signin.Existing, ""},
		{"a verified address that is a userName", signin.Identity{Connection: in, Email: "two@example.com", EmailVerified: true}, "two", signin.Existing, ""},
		{"an address that is not verified", signin.Identity{Connection: in, Email: "lovelace@example.com"}, "", signin.Refused, signin.Unidentified},
		{"the id that the host knows", signin.Identity{Connection: in, UserID: ids["eve"]}, "eve", signin.Existing, ""},
		{"the id goes before all else", signin.Identity{Connection: in, UserID: ids["eve"], ExternalID: "X-ada", UserName: "two@example.com"}, "eve", signin.Existing, ""},
		{"externalId goes before userName", signin.Identity{Connection: in, ExternalID: "X-ada", UserName: "eve@example.com"}, "ada", signin.Existing, ""},
		{"no connection is told", signin.Identity{UserName: "okta@example.com"}, "okta", signin.Existing, ""},
		{"a user without an externalId", signin.Identity{Connection: in, ExternalID: "X-new", UserName: "eve@example.com"}, "eve", signin.Existing, ""},

		{"deactivated", signin.Identity{Connection: in, ExternalID: "X-bob"}, "bob", signin.Refused, signin.Deactivated},
		{"deactivated, by the id", signin.Identity{Connection: in, UserID: ids["bob"]}, "bob", signin.Refused, signin.Deactivated},
		{"several of one externalId", signin.Identity{Connection: in, ExternalID: "X-same"}, "", signin.Refused, signin.Ambiguous},
		{"several of one address", signin.Identity{Connection: in, Email: "same@example.com", EmailVerified: true}, "", signin.Refused, signin.Ambiguous},
		{"one's userName, another's address", signin.Identity{Connection: in, Email: "eve@example.com", EmailVerified: true}, "", signin.Refused, signin.Ambiguous},
		{"a recycled userName", signin.Identity{Connection: in, ExternalID: "X-new", UserName: "ada@example.com"}, "ada", signin.Refused, signin.Contradicted},
		{"a recycled address", signin.Identity{Connection: in, ExternalID: "X-new", Email: "lovelace@example.com", EmailVerified: true}, "ada", signin.Refused, signin.Contradicted},
		{"another identity provider's user", signin.Identity{Connection: in, UserName: "okta@example.com"}, "okta", signin.Refused, signin.OtherConnection},
		{"another identity provider's user, by the id", signin.Identity{Connection: in, UserID: ids["okta"]}, "okta", signin.Refused, signin.OtherConnection},
		{"the host's own user", signin.Identity{Connection: in, Email: "native@example.com", EmailVerified: true}, "app", signin.Refused, signin.OtherConnection},
		{"deleted, by userName", signin.Identity{Connection: in, UserName: "gone@example.com"}, "", signin.Refused, signin.Deleted},
		{"deleted, by externalId", signin.Identity{Connection: in, ExternalID: "X-gone"}, "", signin.Refused, signin.Deleted},
		{"deleted, by address", signin.Identity{Connection: in, UserName: "x", Email: "gone-mail@example.com", EmailVerified: true}, "", signin.Refused, signin.Deleted},
		{"deleted, by the id", signin.Identity{Connection: in, UserID: ids["gone"]}, "", signin.Refused, signin.Deleted},
		{"made anew", signin.Identity{Connection: in, UserID: "an-older-id", ExternalID: "X-ada"}, "ada", signin.Existing, ""},
		{"nobody", signin.Identity{Connection: in, UserName: "new@example.com"}, "", signin.Refused, signin.NotProvisioned},
		{"nothing to look for", signin.Identity{Connection: in}, "", signin.Refused, signin.Unidentified},
		{"a value that is no name", signin.Identity{Connection: in, UserName: `" or "1" eq "1`}, "", signin.Refused, signin.NotProvisioned},
	} {
		got, err := signin.Rules{}.Decide(t.Context(), s.Directory(), "acme", c.id)
		if err != nil {
			t.Errorf("%s: %v", c.why, err)
			continue
		}
		id := ""
		if got.User.Resource != nil {
			id = got.User.Resource.ID()
		}
		if got.Outcome != c.what || got.Reason != c.say || id != ids[c.who] {
			t.Errorf("%s: %v %q %q, want %v %q %q (%s)", c.why, got.Outcome, got.Reason, id, c.what, c.say, ids[c.who], c.who)
		}
		// Letting people in just in time changes nothing but for whom nobody knows.
		got, err = signin.Rules{JustInTime: everybody}.Decide(t.Context(), s.Directory(), "acme", c.id)
		want := c.what
		if c.say == signin.NotProvisioned && c.id.UserName != "" {
			want = signin.MayCreate
		}
		if err != nil || got.Outcome != want {
			t.Errorf("%s, just in time: %v %v, want %v", c.why, got, err, want)
		}
		if other, err := (signin.Rules{}).Decide(t.Context(), s.Directory(), "other", c.id); err != nil || other.Outcome != signin.Refused || other.User.Resource != nil {
			t.Errorf("%s: another tenant: %+v %v", c.why, other, err)
		}
	}
}

func TestASignInMakesAUserWhereTheTenantAllowsIt(t *testing.T) {
	t.Parallel()
	s := newServer(t, memory.New())
	id := signin.Identity{Connection: "entra", ExternalID: "X-ada", UserName: "ada", Email: "ada@example.com", EmailVerified: true}
	asked := 0
	rules := signin.Rules{JustInTime: func(_ context.Context, tenant string, got signin.Identity) (bool, error) {
		asked++
		return tenant == "acme" && got == id, nil
	}}
	d, err := rules.SignIn(t.Context(), s.Server, "acme", id, func(b *scim.Builder) {
		b.Set("name", map[string]any{"givenName": "Ada"}).Set("userName", "mallory").Set("active", false).Set("externalId", "Y")
	})
	if err != nil || d.Outcome != signin.Created || !d.Outcome.OK() {
		t.Fatal(d, err)
	}
	u := d.User.Resource
	if u.String("userName") != "ada" || u.String("externalId") != "X-ada" || !u.Active() || u.String("name.givenName") != "Ada" || u.BestEmail() != "ada@example.com" || d.User.Connection != "entra" {
		t.Errorf("%s of %s", u.Document(), d.User.Connection)
	}
	// The identity provider finds it, and creates nobody else.
	if status, a := s.send("POST /Users", user("ADA", `,"externalId":"X-ada"`)); status != 409 || a["scimType"] != "uniqueness" {
		t.Error(status, a)
	}
	if _, a := s.send(`GET /Users?filter=userName+eq+"ada"`, ""); a["totalResults"] != 1.0 {
		t.Error(a)
	}
	d, err = rules.SignIn(t.Context(), s.Server, "acme", id, nil)
	if err != nil || d.Outcome != signin.Existing || d.User.Resource.ID() != u.ID() || asked != 1 {
		t.Error(d, err, asked)
	}
	if d, err := rules.SignIn(t.Context(), s.Server, "other", id, nil); err != nil || d.Reason != signin.NotProvisioned {
		t.Error(d, err)
	}
}

func TestASignInIsHeldToTheHostsPolicies(t *testing.T) {
	t.Parallel()
	none := func(context.Context, string) (int, error) { return 0, nil }
	s := newServer(t, memory.New(), scim.WithGuard(policy.Seats{Limit: none}.Guard()))
	_, err := signin.Rules{JustInTime: everybody}.SignIn(t.Context(), s.Server, "acme", signin.Identity{Connection: "entra", UserName: "ada"}, nil)
	var refusal *scim.Error
	if !errors.As(err, &refusal) || refusal.Status != http.StatusForbidden || !strings.Contains(refusal.Detail, "seats") {
		t.Error(err)
	}
}

func TestASignInNeverChangesAUserWhoIsThere(t *testing.T) {
	t.Parallel()
	s := newServer(t, memory.New())
	for name, more := range map[string]string{
		"active": `,"title":"t"`, "inactive": `,"active":false`, "other": `,"externalId":"X"`,
	} {
		id := s.create(name, more)
		_, before := s.send("GET /Users/"+id, "")
		_, err := signin.Rules{JustInTime: everybody}.SignIn(t.Context(), s.Server, "acme", signin.Identity{Connection: "entra", ExternalID: "Y", UserName: name}, func(b *scim.Builder) {
			b.Set("title", "from the token").Set("roles", []string{"owner"})
		})
		if err != nil {
			t.Error(err)
		}
		if _, after := s.send("GET /Users/"+id, ""); fmt.Sprint(after) != fmt.Sprint(before) {
			t.Errorf("%s:\n%v\n%v", name, before, after)
		}
	}
}

func TestSignInAndProvisioningAtTheSameMomentMakeOneUser(t *testing.T) {
	t.Parallel()
	adopt := scim.WithAdoption(scim.Adopting{Host: "app", Decide: func(context.Context, *scim.Claim) (scim.Adoption, error) { return scim.Adopt, nil }})
	for store, open := range map[string]func(t *testing.T) storage.Store{
		"memory": func(*testing.T) storage.Store { return memory.New() },
		"sqlite": func(t *testing.T) storage.Store {
			st, err := sqlite.Open(filepath.Join(t.TempDir(), "users.db"))
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { st.Close() })
			return st
		},
		"postgres": func(t *testing.T) storage.Store {
			st, err := postgres.Open(t.Context(), pgtest.URL(t))
			if err == nil {
				err = st.Migrate(t.Context())
			}
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { st.Close() })
			return st
		},
	} {
		for _, c := range []struct {
			name  string
			rules signin.Rules
			opts  []scim.Option
		}{
			{"looked up", signin.Rules{JustInTime: everybody}, nil},
			{"adopted", signin.Rules{JustInTime: everybody, Connection: "app"}, []scim.Option{adopt}},
		} {
			t.Run(store+" "+c.name, func(t *testing.T) {
				t.Parallel()
				s := newServer(t, open(t), c.opts...)
				const people = 12
				var created, provisioned atomic.Int64
				for i := range people {
					name := fmt.Sprintf("user%d", i)
					signedIn, sent := "", ""
					var wg sync.WaitGroup
					wg.Go(func() {
						d, err := c.rules.SignIn(t.Context(), s.Server, "acme", signin.Identity{Connection: "entra", UserName: name}, nil)
						if err != nil || !d.Outcome.OK() {
							t.Errorf("sign-in: %+v %v", d, err)
							return
						}
						if signedIn = d.User.Resource.ID(); d.Outcome == signin.Created {
							created.Add(1)
						}
					})
					wg.Go(func() {
						status, a := s.send("POST /Users", user(name, ""))
						switch {
						case status == 201:
							provisioned.Add(1)
						case status == 409 && c.opts == nil: // what identity providers do then
							_, list := s.send(`GET /Users?filter=userName+eq+"`+name+`"`, "")
							a = list["Resources"].([]any)[0].(map[string]any)
						default:
							t.Errorf("%d %v", status, a)
							return
						}
						sent = a["id"].(string)
					})
					wg.Wait()
					if signedIn == "" || signedIn != sent {
						t.Errorf("%s: the sign-in got %s and the identity provider %s", name, signedIn, sent)
					}
				}
				if n := s.total(); n != people {
					t.Errorf("%d users for %d people", n, people)
				}
				t.Logf("%d were first by signing in, %d by SCIM", created.Load(), provisioned.Load())
			})
		}
	}
}

// counted counts the records that a store hands out.
type counted struct {
	storage.Store
	calls, records atomic.Int64
}

func (c *counted) Query(ctx context.Context, q *storage.Query) (*storage.Page, error) {
	page, err := c.Store.Query(ctx, q)
	c.calls.Add(1)
	if err == nil {
		c.records.Add(int64(len(page.Records)))
	}
	return page, err
}

func TestADecisionLooksAtFewUsers(t *testing.T) {
	t.Parallel()
	store := &counted{Store: memory.New()}
	s := newServer(t, store)
	for i := range 500 {
		s.create(fmt.Sprintf("user%d@example.com", i), fmt.Sprintf(`,"externalId":"X%d"`, i))
	}
	store.calls.Store(0)
	store.records.Store(0)
	id := signin.Identity{Connection: "entra", ExternalID: "none", UserName: "none", Email: "user7@example.com", EmailVerified: true}
	id.ExternalID = ""
	if d, err := (signin.Rules{}).Decide(t.Context(), s.Directory(), "acme", id); err != nil || d.Outcome != signin.Existing {
		t.Fatal(d, err)
	}
	if store.calls.Load() > 4 || store.records.Load() > 1 {
		t.Errorf("%d queries, %d records", store.calls.Load(), store.records.Load())
	}
}

func TestNobodyKeepsThePeopleOfAnotherIdentityProviderOut(t *testing.T) {
	t.Parallel()
	s := newServer(t, memory.New())
	const as = `,"externalId":"7","emails":[{"value":"ada@example.com"}]`
	for i := range 50 {
		s.create(fmt.Sprint("squatter", i), as, "okta")
	}
	ada := s.create("ada@example.com", as)
	for _, id := range []signin.Identity{
		{ExternalID: "7"},
		{UserName: "ada@example.com"},
		{Email: "ada@example.com", EmailVerified: true},
	} {
		id.Connection = "entra"
		d, err := (signin.Rules{}).Decide(t.Context(), s.Directory(), "acme", id)
		if err != nil || d.Outcome != signin.Existing || d.User.Resource.ID() != ada {
			t.Errorf("%+v: %+v %v", id, d, err)
		}
	}
	// Nor is anybody new taken for the one who has, or had, the same externalId elsewhere.
	s.send("DELETE /Users/"+s.create("left", `,"externalId":"7"`, "okta"), "", "okta")
	gone := s.create("gone", `,"externalId":"8"`)
	s.send("DELETE /Users/"+gone, "")
	rules := signin.Rules{JustInTime: everybody}
	bea := signin.Identity{Connection: "jumpcloud", ExternalID: "7", UserName: "bea@example.com"}
	if d, err := rules.SignIn(t.Context(), s.Server, "acme", bea, nil); err != nil || d.Outcome != signin.Created || d.User.Connection != "jumpcloud" {
		t.Errorf("%+v %v", d, err)
	}
	own := signin.Identity{Connection: "entra", ExternalID: "8", UserName: "another name"}
	if d, err := rules.SignIn(t.Context(), s.Server, "acme", own, nil); err != nil || d.Reason != signin.Deleted {
		t.Errorf("%+v %v", d, err)
	}
	// Many tombstones hide none: where one's own may be among them, it is taken to be.
	for i := range 100 {
		s.send("DELETE /Users/"+s.create(fmt.Sprint("hiding", i), `,"externalId":"9"`, "okta"), "", "okta")
	}
	own.ExternalID = "9"
	if d, err := rules.SignIn(t.Context(), s.Server, "acme", own, nil); err != nil || d.Reason != signin.Deleted {
		t.Errorf("%+v %v", d, err)
	}
}

// rows serves what a table of the host's own has: rows of nobody, which connections are
// shown or not, and rows of connections.
type rows struct {
	table
	owners map[string]string
	shared bool
}

func (h *rows) Get(ctx context.Context, tenant, id string) (*scim.Resource, error) {
	scope, owner := scim.ScopeFromContext(ctx), h.owners[id]
	if scope != "" && owner != scope && (owner != "" || !h.shared) {
		return nil, scim.ErrNotFound
	}
	return h.table.Get(ctx, tenant, id)
}

func (h *rows) Owners(context.Context, string, []string) (map[string]string, error) {
	return h.owners, nil
}

func TestRowsOfNobodySignInForThoseWhoAreShownThem(t *testing.T) {
	t.Parallel()
	for _, shared := range []bool{false, true} {
		h := &rows{shared: shared, owners: map[string]string{"2": "entra", "3": "okta"}}
		s := newServer(t, memory.New(), scim.WithHandler(schema.User(), h))
		for _, name := range []string{"staff", "hers", "theirs"} {
			s.create(name, "")
		}
		nobodys, say := signin.Refused, signin.OtherConnection
		if shared {
			nobodys, say = signin.Existing, ""
		}
		for _, c := range []struct {
			id   signin.Identity
			what signin.Outcome
			say  signin.Reason
		}{
			{signin.Identity{UserName: "staff"}, nobodys, say},
			{signin.Identity{UserID: "1"}, nobodys, say},
			{signin.Identity{UserName: "hers"}, signin.Existing, ""},
			{signin.Identity{UserName: "theirs"}, signin.Refused, signin.OtherConnection},
			{signin.Identity{UserID: "3"}, signin.Refused, signin.OtherConnection},
		} {
			c.id.Connection = "entra"
			d, err := signin.Rules{JustInTime: everybody}.Decide(t.Context(), s.Directory(), "acme", c.id)
			if err != nil || d.Outcome != c.what || d.Reason != c.say {
				t.Errorf("shown %v: %+v: %+v %v", shared, c.id, d, err)
			}
		}
	}
}

func TestUpdateSetsWhatTheHostOwnsAndNothingElse(t *testing.T) {
	t.Parallel()
	s := newServer(t, memory.New())
	id := s.create("ada", `,"title":"Countess","displayName":"from SCIM"`)
	entry := func() scim.DirectoryEntry {
		e, err := s.Directory().Get(t.Context(), "acme", storage.Ref{Type: "User", ID: id})
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	claims := map[string]any{
		"displayName": "Ada", "title": "Queen", "active": false, "roles": []any{map[string]any{"value": "owner"}},
		"userName": "mallory", "externalId": "Y", "password": "p", "nosuch": "x", "name.givenName": "Augusta", "id": "1", "groups": []any{},
		"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.displayName": "Eve",
	}
	fields := policy.Fields{Host: []string{"displayName", "name"}}
	set, err := signin.Update(t.Context(), s.Server, "acme", entry(), fields, claims)
	if err != nil || strings.Join(set, ",") != "displayName,name.givenName" {
		t.Error(set, err)
	}
	u := entry().Resource
	if u.String("displayName") != "Ada" || u.String("name.givenName") != "Augusta" || u.String("title") != "Countess" || !u.Active() || u.String("userName") != "ada" || !u.Lookup("roles").IsZero() || u.String("externalId") != "" {
		t.Errorf("%s", u.Document())
	}
	version := u.Meta().LastModified
	if _, err := signin.Update(t.Context(), s.Server, "acme", entry(), fields, claims); err != nil || entry().Resource.Meta().LastModified != version {
		t.Error("what was set already was set again", err)
	}
	// Of the host's own users all but what identifies them may be set.
	fields.Own = []string{"entra"}
	set, err = signin.Update(t.Context(), s.Server, "acme", entry(), fields, claims)
	if err != nil || strings.Join(set, ",") != "displayName,name.givenName,title" {
		t.Error(set, err)
	}
	if set, err := signin.Update(t.Context(), s.Server, "acme", entry(), policy.Fields{}, claims); set != nil || err != nil {
		t.Error(set, err)
	}
}

// table serves users from a slice, as a host does from a table of its own.
type table struct {
	mu   sync.Mutex
	rows []*scim.Resource
}

func (h *table) Get(_ context.Context, _, id string) (*scim.Resource, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, r := range h.rows {
		if r.ID() == id {
			return r, nil
		}
	}
	return nil, scim.ErrNotFound
}

func (h *table) List(_ context.Context, req *scim.ListRequest) (*scim.ListPage, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return scim.Page(req, func(yield func(*scim.Resource, error) bool) {
		for _, r := range h.rows {
			if !yield(r, nil) {
				return
			}
		}
	})
}

func (h *table) Create(_ context.Context, _ string, r *scim.Resource) (*scim.Resource, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, other := range h.rows {
		if schema.Fold(other.String("userName")) == schema.Fold(r.String("userName")) {
			return nil, scim.NotUnique("userName")
		}
	}
	h.rows = append(h.rows, r.WithMeta(scim.Meta{ID: fmt.Sprint(len(h.rows) + 1)}))
	return h.rows[len(h.rows)-1], nil
}

func TestUsersInTheHostsTablesSignInTheSameWay(t *testing.T) {
	t.Parallel()
	s := newServer(t, memory.New(), scim.WithHandler(schema.User(), &table{}))
	ada := s.create("ada@example.com", `,"externalId":"X","emails":[{"value":"a@example.com"}]`)
	s.create("bob@example.com", `,"active":false`)
	rules := signin.Rules{JustInTime: everybody}
	for _, c := range []struct {
		id   signin.Identity
		user string
		what signin.Outcome
		say  signin.Reason
	}{
		{signin.Identity{Connection: "entra", ExternalID: "X"}, ada, signin.Existing, ""},
		{signin.Identity{Connection: "entra", UserID: ada}, ada, signin.Existing, ""},
		{signin.Identity{Connection: "entra", UserName: "ADA@example.com"}, ada, signin.Existing, ""},
		{signin.Identity{Connection: "entra", Email: "A@example.com", EmailVerified: true}, ada, signin.Existing, ""},
		{signin.Identity{Connection: "entra", UserName: "bob@example.com"}, "2", signin.Refused, signin.Deactivated},
		{signin.Identity{Connection: "entra", UserName: "ada@example.com", ExternalID: "Y"}, ada, signin.Refused, signin.Contradicted},
		{signin.Identity{Connection: "entra", UserName: "new@example.com"}, "3", signin.Created, ""},
		{signin.Identity{Connection: "entra", UserName: "new@example.com"}, "3", signin.Existing, ""},
	} {
		d, err := rules.SignIn(t.Context(), s.Server, "acme", c.id, nil)
		if err != nil || d.Outcome != c.what || d.Reason != c.say || d.User.Resource == nil || d.User.Resource.ID() != c.user {
			t.Errorf("%+v: %+v %v", c.id, d, err)
		}
	}
	var wg sync.WaitGroup
	ids := make([]string, 8)
	for i := range ids {
		wg.Go(func() {
			d, err := rules.SignIn(t.Context(), s.Server, "acme", signin.Identity{Connection: "entra", UserName: "eve@example.com"}, nil)
			if err != nil || !d.Outcome.OK() {
				t.Error(d, err)
				return
			}
			ids[i] = d.User.Resource.ID()
		})
	}
	wg.Wait()
	for _, id := range ids {
		if id != ids[0] {
			t.Errorf("one person is several users: %v", ids)
		}
	}
}
