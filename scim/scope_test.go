package scim_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/musterhq/muster/scim"
	"github.com/musterhq/muster/scim/schema"
	"github.com/musterhq/muster/storage/memory"
)

// apart is a table that keeps the rows of connections apart.
type apart struct {
	*table
	mu     sync.Mutex
	owners map[string]string
	seen   []string // what calls were confined to
}

func (h *apart) visible(ctx context.Context, id string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	scope := scim.ScopeFromContext(ctx)
	h.seen = append(h.seen, scope)
	return scope == "" || h.owners[id] == scope
}

func (h *apart) Get(ctx context.Context, tenant, id string) (*scim.Resource, error) {
	if !h.visible(ctx, id) {
		return nil, scim.ErrNotFound
	}
	return h.table.Get(ctx, tenant, id)
}

func (h *apart) List(ctx context.Context, req *scim.ListRequest) (*scim.ListPage, error) {
	if req.Scope != scim.ScopeFromContext(ctx) {
		return nil, fmt.Errorf("the request is confined to %q, the context to %q", req.Scope, scim.ScopeFromContext(ctx))
	}
	return scim.Page(req, func(yield func(*scim.Resource, error) bool) {
		for r := range h.all() {
			if h.visible(ctx, r.ID()) && !yield(r, nil) {
				return
			}
		}
	})
}

func (h *apart) Create(ctx context.Context, tenant string, r *scim.Resource) (*scim.Resource, error) {
	r, err := h.table.Create(ctx, tenant, r)
	if p, ok := scim.PrincipalFromContext(ctx); err == nil && ok {
		h.mu.Lock()
		h.owners[r.ID()] = p.Connection
		h.mu.Unlock()
	}
	return r, err
}

func (h *apart) Labels(ctx context.Context, tenant string, ids []string) (map[string]string, error) {
	labels := map[string]string{}
	for _, id := range ids {
		if r, err := h.Get(ctx, tenant, id); err == nil {
			labels[id] = r.String("userName")
		}
	}
	return labels, nil
}

func (h *apart) Owners(_ context.Context, _ string, ids []string) (map[string]string, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	owners := map[string]string{}
	for _, id := range ids {
		owners[id] = h.owners[id]
	}
	return owners, nil
}

func TestAHandlerCanKeepConnectionsApart(t *testing.T) {
	t.Parallel()
	h := &apart{table: newTable(), owners: map[string]string{}}
	auth := scim.BearerTokens(map[string]scim.Principal{
		"a": {Tenant: "acme", Connection: "a"}, "b": {Tenant: "acme", Connection: "b"}, "s": {Tenant: "shared", Connection: "a"},
	})
	srv := newServerFor(t, auth, scim.WithHandler(schema.User(), h),
		scim.WithSharing(func(tenant string) bool { return tenant == "shared" }),
		scim.WithHandler(schema.Group(), newTeams(nil)))
	const a, b, shared = "Authorization: Bearer a", "Authorization: Bearer b", "Authorization: Bearer s"
	ada, bob := newUser(t, srv, "ada", a), newUser(t, srv, "bob", b)
	for _, request := range []string{"GET", "DELETE", "PUT", "PATCH"} {
		body := ""
		switch request {
		case "PUT":
			body = fmt.Sprintf(userBody, "x")
		case "PATCH":
			body = patchBody(`[{"op":"replace","path":"title","value":"x"}]`)
		}
		send(t, srv, request+" /Users/"+bob, body, a).wantError(t, 404, "")
	}
	for _, c := range []struct {
		header string
		want   int
	}{{a, 1}, {b, 1}, {shared, 2}} {
		for _, path := range []string{"/Users", "/Users?cursor", "/Users?filter=userName+pr"} {
			if got := len(send(t, srv, "GET "+path, "", c.header).want(t, 200).json["Resources"].([]any)); got != c.want {
				t.Errorf("%s shows %d users to %s", path, got, c.header)
			}
		}
	}
	send(t, srv, "POST /Users", fmt.Sprintf(userBody, "bob"), a).wantError(t, 409, "uniqueness")
	// One connection's group does not get another one's user, and a member's name is
	// shown to both.
	g := send(t, srv, "POST /Groups", groupWith("G", ada, bob), a).want(t, 201)
	if got := members(g, "members"); !slices.Equal(got, []string{ada + "=ada"}) {
		t.Errorf("members %v", got)
	}
	if got := members(send(t, srv, "GET /Groups/"+g.id(), "", b), "members"); !slices.Equal(got, []string{ada + "=ada"}) {
		t.Errorf("members as the other connection sees them: %v", got)
	}
	if got := members(send(t, srv, "POST /Groups", groupWith("H", ada, bob), shared).want(t, 201), "members"); len(got) != 2 {
		t.Errorf("members where connections share: %v", got)
	}
}

func TestTheDirectorySeesAllConnectionsOfAHandler(t *testing.T) {
	t.Parallel()
	h := &apart{table: newTable(), owners: map[string]string{}}
	var found []string
	var srv *scim.Server
	read := func(ctx context.Context) {
		found = nil
		entries, err := srv.Directory().List(ctx, "", "User", "", "", 10)
		if err != nil {
			t.Error(err)
		}
		for _, e := range entries {
			again, err := srv.Directory().Get(ctx, "", scim.Ref{Type: "User", ID: e.Resource.ID()})
			if err != nil || again.Connection != e.Connection {
				t.Errorf("%s: %q, alone %q, %v", e.Resource.ID(), e.Connection, again.Connection, err)
			}
			found = append(found, e.Resource.String("userName")+" of "+e.Connection)
		}
	}
	srv = newServerFor(t, scim.BearerTokens(map[string]scim.Principal{"a": {Connection: "a"}, "b": {Connection: "b"}}),
		scim.WithHandler(schema.User(), h), scim.WithGuard(func(ctx context.Context, p scim.Principal, _ []scim.Effect) error {
			if p.Connection == "b" {
				read(ctx)
			}
			return nil
		}))
	newUser(t, srv, "ada", "Authorization: Bearer a")
	bob := newUser(t, srv, "bob", "Authorization: Bearer b")
	if want := []string{"ada of a"}; !slices.Equal(found, want) {
		t.Errorf("within a request of b there are %v", found)
	}
	read(t.Context())
	if want := []string{"ada of a", "bob of b"}; !slices.Equal(found, want) {
		t.Errorf("there are %v", found)
	}
	h.seen = nil
	if err := srv.Unlink(t.Context(), "", "User", bob); err != nil {
		t.Fatal(err)
	}
	if slices.ContainsFunc(h.seen, func(scope string) bool { return scope != "" }) {
		t.Errorf("Unlink is confined to %q", h.seen)
	}
}

func TestLinkEditsAreConfinedToAConnection(t *testing.T) {
	t.Parallel()
	h := newTeams(nil)
	srv := newServerFor(t, scim.BearerTokens(map[string]scim.Principal{"a": {Tenant: "acme", Connection: "a"}, "s": {Tenant: "shared", Connection: "a"}}),
		scim.WithHandler(schema.Group(), h), scim.WithSharing(func(tenant string) bool { return tenant == "shared" }))
	for token, want := range map[string]string{"a": "a", "s": ""} {
		send(t, srv, "POST /Groups", `{"displayName":"G`+token+`","members":[{"value":"x","type":"Group"}]}`, "Authorization: Bearer "+token).want(t, 201)
		if got := h.last.Edits[0].IfConnection; got != want {
			t.Errorf("%s: confined to %q, want %q", token, got, want)
		}
	}
}

func TestPlacesOutsideOfARequestAreNotConfined(t *testing.T) {
	t.Parallel()
	if got := scim.ScopeFromContext(t.Context()); got != "" {
		t.Errorf("%q", got)
	}
	if _, err := newServer(t).Directory().Get(t.Context(), "", scim.Ref{Type: "User", ID: strings.Repeat("x", 3)}); !errors.Is(err, scim.ErrNotFound) {
		t.Error(err)
	}
}

func TestTheDirectoryAnswersFiltersAboutLinksWhereverTheyAreKept(t *testing.T) {
	t.Parallel()
	for name, server := range places() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv := server(t, memory.New())
			ada := newUser(t, srv, "ada")
			newUser(t, srv, "bob")
			g := send(t, srv, "POST /Groups", groupWith("G", ada)).want(t, 201).id()
			where, err := srv.ParseFilter(scim.Principal{}, srv.Type("User"), `groups.value eq "`+g+`"`)
			if err != nil {
				t.Fatal(err)
			}
			if n, err := srv.Directory().Count(t.Context(), "", where); n != 1 || err != nil {
				t.Errorf("%d counted, %v", n, err)
			}
			if found, err := srv.Directory().Find(t.Context(), "", where, "", 10); err != nil || len(found) != 1 || found[0].Resource.ID() != ada {
				t.Errorf("found %v, %v", found, err)
			}
		})
	}
}
