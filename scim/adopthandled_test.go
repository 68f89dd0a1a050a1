package scim_test

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/musterhq/muster/scim"
	"github.com/musterhq/muster/scim/schema"
	"github.com/musterhq/muster/storage/memory"
)

// ownRows is a host's own table: rows with numbers for ids, of which some belong to
// a connection, and with a key on the e-mail address that the schema knows nothing of.
type ownRows struct {
	mu   sync.Mutex
	next int
	rows map[string]*ownRow
}

type ownRow struct {
	tenant, owner string
	version       int
	r             *scim.Resource
}

var (
	_ scim.Adopter  = (*ownRows)(nil)
	_ scim.Creator  = (*ownRows)(nil)
	_ scim.Replacer = (*ownRows)(nil)
)

func (a *ownRows) shown(id string) *scim.Resource {
	row := a.rows[id]
	return row.r.WithMeta(scim.Meta{ID: id, Version: strconv.Itoa(row.version)})
}

func (a *ownRows) Get(ctx context.Context, tenant, id string) (*scim.Resource, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	row := a.rows[id]
	if scope := scim.ScopeFromContext(ctx); row == nil || row.tenant != tenant || scope != "" && row.owner != scope {
		return nil, scim.ErrNotFound
	}
	return a.shown(id), nil
}

func (a *ownRows) List(ctx context.Context, req *scim.ListRequest) (*scim.ListPage, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	scope := scim.ScopeFromContext(ctx)
	all := iter.Seq2[*scim.Resource, error](func(yield func(*scim.Resource, error) bool) {
		for id, row := range a.rows {
			if row.tenant == req.Tenant && (scope == "" || row.owner == scope) && !yield(a.shown(id), nil) {
				return
			}
		}
	})
	return scim.Page(req, all)
}

// taken finds the row that a resource collides with.
func (a *ownRows) taken(tenant, id string, r *scim.Resource) error {
	for other, row := range a.rows {
		switch {
		case other == id || row.tenant != tenant:
		case schema.Fold(row.r.String("userName")) == schema.Fold(r.String("userName")):
			return scim.HeldBy("userName", other)
		case r.BestEmail() != "" && row.r.BestEmail() == r.BestEmail():
			return scim.HeldBy("emails", other)
		}
	}
	return nil
}

func (a *ownRows) Create(ctx context.Context, tenant string, r *scim.Resource) (*scim.Resource, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if err := a.taken(tenant, "", r); err != nil {
		return nil, err
	}
	p, _ := scim.PrincipalFromContext(ctx)
	return a.add(tenant, p.Connection, r), nil
}

func (a *ownRows) add(tenant, owner string, r *scim.Resource) *scim.Resource {
	a.next++
	id := strconv.Itoa(a.next)
	a.rows[id] = &ownRow{tenant: tenant, owner: owner, version: 1, r: r}
	return a.shown(id)
}

func (a *ownRows) Replace(ctx context.Context, tenant string, r *scim.Resource) (*scim.Resource, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	row := a.rows[r.ID()]
	if row == nil || strconv.Itoa(row.version) != r.Meta().Version {
		return nil, scim.ErrConflict
	}
	row.r, row.version = r, row.version+1
	return a.shown(r.ID()), nil
}

func (a *ownRows) Owners(_ context.Context, tenant string, ids []string) (map[string]string, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	owners := map[string]string{}
	for _, id := range ids {
		if row := a.rows[id]; row != nil && row.tenant == tenant {
			owners[id] = row.owner
		}
	}
	return owners, nil
}

func (a *ownRows) Adopt(_ context.Context, tenant string, r *scim.Resource, from, to string) (*scim.Resource, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	row := a.rows[r.ID()]
	if row == nil || row.tenant != tenant || row.owner != from || strconv.Itoa(row.version) != r.Meta().Version {
		return nil, scim.ErrConflict
	}
	if err := a.taken(tenant, r.ID(), r); err != nil {
		return nil, err
	}
	row.r, row.owner, row.version = r, to, row.version+1
	return a.shown(r.ID()), nil
}

// ofHost adds a row that the host had before there was SCIM.
func (a *ownRows) ofHost(t *testing.T, srv *scim.Server, tenant string, attributes map[string]any) string {
	t.Helper()
	b := scim.NewResource(srv.Type("User"))
	for name, value := range attributes {
		b.Set(name, value)
	}
	r, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.add(tenant, "", r).ID()
}

func TestARowThatTheHostHadBeforeIsAdopted(t *testing.T) {
	t.Parallel()
	var claims []string
	var effects []string
	table := &ownRows{rows: map[string]*ownRow{}}
	srv := adopting(t, memory.New(), func(c *scim.Claim) scim.Adoption {
		claims = append(claims, c.Attribute+" "+c.Existing.Resource.ID()+" "+c.Existing.Connection)
		return scim.Adopt
	}, scim.WithHandler(schema.User(), table), scim.WithGuard(func(_ context.Context, _ scim.Principal, all []scim.Effect) error {
		if e := all[0]; e.Owner != nil {
			effects = append(effects, fmt.Sprintf("%s %s %s>%s", e.Kind, e.ID, e.Owner.From, e.Owner.To))
		}
		return nil
	}))
	ada := table.ofHost(t, srv, "acme", map[string]any{"userName": "Ada", "title": "Dr", "nickName": "A"})
	bea := table.ofHost(t, srv, "acme", map[string]any{"userName": "bea", "emails": []any{map[string]any{"value": "bea@acme.example"}}})
	table.ofHost(t, srv, "other", map[string]any{"userName": "carla"})

	a := send(t, srv, "POST /Users", `{"userName":"ada","externalId":"1","title":"Prof"}`).want(t, 201)
	if a.id() != ada || a.get("title") != "Prof" || a.get("nickName") != "A" || !strings.HasSuffix(a.Header().Get("Location"), "/Users/"+ada) {
		t.Errorf("%s", a.Body)
	}
	if a := send(t, srv, "POST /Users", `{"userName":"bea@acme.example","emails":[{"value":"bea@acme.example"}]}`).want(t, 201); a.id() != bea || a.get("userName") != "bea@acme.example" {
		t.Errorf("%s", a.Body)
	}
	if a := send(t, srv, "POST /Users", `{"userName":"carla"}`).want(t, 201); a.id() == "3" {
		t.Error("a row of another tenant was adopted")
	}
	if want := []string{"userName " + ada + " ", "emails " + bea + " "}; !slices.Equal(claims, want) {
		t.Errorf("claims %q, want %q", claims, want)
	}
	if want := []string{"replace " + ada + " >okta", "replace " + bea + " >okta"}; !slices.Equal(effects, want) {
		t.Errorf("effects %q, want %q", effects, want)
	}
	// What another connection has is out of reach, whatever it collides with.
	send(t, srv, "POST /Users", `{"userName":"ada"}`, asEntra).want(t, 409, "uniqueness")
	send(t, srv, "POST /Users", `{"userName":"bea2","emails":[{"value":"bea@acme.example"}]}`, asEntra).want(t, 409, "uniqueness")
	if got := owner(t, srv, "User", ada); got != "okta" {
		t.Errorf("it belongs to %q", got)
	}
}

func TestARowThatWaitsForAPersonIsAdoptedWhenApproved(t *testing.T) {
	t.Parallel()
	table := &ownRows{rows: map[string]*ownRow{}}
	srv := adopting(t, memory.New(), always(scim.Queue), scim.WithHandler(schema.User(), table))
	ada := table.ofHost(t, srv, "acme", map[string]any{"userName": "ada", "emails": []any{map[string]any{"value": "ada@acme.example"}}})
	const body = `{"userName":"other","externalId":"1","emails":[{"value":"ada@acme.example"}]}`
	send(t, srv, "POST /Users", body).want(t, 409, "uniqueness")
	entry := only(t, srv)
	if entry.Ref != user(ada) || entry.UserName != "other" || entry.Email != "ada@acme.example" {
		t.Errorf("%+v", entry)
	}
	if err := srv.Approve(t.Context(), "acme", entry.ID); err != nil {
		t.Fatal(err)
	}
	if a := send(t, srv, "POST /Users", body).want(t, 201); a.id() != ada {
		t.Errorf("%s", a.Body)
	}
}

func TestOfTwoConnectionsThatAdoptARowAtOnceOneWins(t *testing.T) {
	t.Parallel()
	table := &ownRows{rows: map[string]*ownRow{}}
	srv := adopting(t, memory.New(), always(scim.Adopt), scim.WithHandler(schema.User(), table))
	for i := range 30 {
		name := fmt.Sprint("u", i)
		table.ofHost(t, srv, "acme", map[string]any{"userName": name})
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
	}
}

func TestARowThatChangesWhileItIsAdoptedIsJudgedAnew(t *testing.T) {
	t.Parallel()
	table := &ownRows{rows: map[string]*ownRow{}}
	var titles []string
	srv := adopting(t, memory.New(), func(c *scim.Claim) scim.Adoption {
		title := c.Existing.Resource.String("title")
		titles = append(titles, title)
		if title == "locked" {
			return scim.Decline
		}
		locked, err := c.Existing.Resource.Edit().Set("title", "locked").Build()
		if err == nil {
			_, err = table.Replace(t.Context(), "acme", locked)
		}
		if err != nil {
			t.Error(err)
		}
		return scim.Adopt
	}, scim.WithHandler(schema.User(), table))
	id := table.ofHost(t, srv, "acme", map[string]any{"userName": "ada", "title": "free"})
	send(t, srv, "POST /Users", `{"userName":"ada"}`).want(t, 409, "uniqueness")
	if got := owner(t, srv, "User", id); got != "" || !slices.Equal(titles, []string{"free", "locked"}) {
		t.Errorf("it belongs to %q; judged %v", got, titles)
	}
}

func TestWithoutTheOptionAHoldersNameIsOnlyARefusal(t *testing.T) {
	t.Parallel()
	table := &ownRows{rows: map[string]*ownRow{}}
	srv := adopting(t, memory.New(), nil, scim.WithHandler(schema.User(), table))
	table.next = 770
	id := table.ofHost(t, srv, "acme", map[string]any{"userName": "ada"})
	a := send(t, srv, "POST /Users", `{"userName":"ada"}`).want(t, 409, "uniqueness")
	if detail, _ := a.get("detail").(string); strings.Contains(detail, id) {
		t.Errorf("the client is told the id of a resource that it must not see: %s", detail)
	}
}

func TestRowsAreTransferred(t *testing.T) {
	t.Parallel()
	table := &ownRows{rows: map[string]*ownRow{}}
	srv := adopting(t, memory.New(), nil, scim.WithHandler(schema.User(), table))
	ada := send(t, srv, "POST /Users", `{"userName":"ada"}`).want(t, 201).id()
	row := table.ofHost(t, srv, "acme", map[string]any{"userName": "bea"})
	var events []string
	srv.Subscribe(func(_ context.Context, e scim.Event) { events = append(events, e.ID+" "+e.Owner.From+">"+e.Owner.To) })
	errs := srv.Transfer(t.Context(), "acme", "okta", "entra", user(ada), user(row), user("unknown"))
	if errs[0] != nil || errs[1] == nil || errs[2] == nil {
		t.Errorf("%v", errs)
	}
	if errs := srv.Transfer(t.Context(), "acme", "okta", "entra", user(ada)); errs[0] != nil {
		t.Errorf("again: %v", errs)
	}
	if got := owner(t, srv, "User", ada); got != "entra" || !slices.Equal(events, []string{ada + " okta>entra"}) {
		t.Errorf("it belongs to %q; events %v", got, events)
	}
	// A handler that knows no owners keeps what it has.
	plain := adopting(t, memory.New(), always(scim.Adopt), scim.WithHandler(schema.User(), struct{ scim.ResourceHandler }{table}))
	if errs := plain.Transfer(t.Context(), "acme", "entra", "okta", user(ada)); errs[0] == nil {
		t.Error("no error")
	}
	if plain.Directory().ChangesHands("User") || !srv.Directory().ChangesHands("User") || !srv.Directory().ChangesHands("Group") || srv.Directory().ChangesHands("Robot") {
		t.Error("ChangesHands is wrong")
	}
}
