package ownership_test

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/musterhq/muster/internal/pgtest"
	"github.com/musterhq/muster/scim"
	"github.com/musterhq/muster/scim/ownership"
	"github.com/musterhq/muster/scim/resource"
	"github.com/musterhq/muster/storage"
	"github.com/musterhq/muster/storage/memory"
	"github.com/musterhq/muster/storage/postgres"
	"github.com/musterhq/muster/storage/sqlite"
)

// overStores runs a test over a memory store, a SQLite file and PostgreSQL.
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
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		store, err := postgres.Open(t.Context(), pgtest.URL(t))
		if err == nil {
			err = store.Migrate(t.Context())
		}
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { store.Close() })
		f(t, store)
	})
}

const (
	acme = "acme"
	host = "app" // the host's own connection
)

// bed is a server with a rule, and what tests do with it. Connections of acme are
// named by their tokens; "other" is one of another tenant.
type bed struct {
	testing.TB
	*scim.Server
	own *ownership.Ownership
}

func newBed(t testing.TB, store storage.Store, rule ownership.Rule, opts ...scim.Option) *bed {
	t.Helper()
	tokens := map[string]scim.Principal{"other": {Tenant: "other", Connection: "okta"}}
	for _, c := range []string{"okta", "okta2", "entra", "jumpcloud"} {
		tokens[c] = scim.Principal{Tenant: acme, Connection: c}
	}
	if rule.Host == "" {
		rule.Host = host
	}
	opts = append([]scim.Option{scim.WithLogger(slog.New(slog.NewTextHandler(io.Discard, nil))), rule.Option()}, opts...)
	srv, err := scim.New(store, scim.BearerTokens(tokens), opts...)
	if err != nil {
		t.Fatal(err)
	}
	return &bed{t, srv, ownership.New(srv)}
}

// send makes a request "METHOD /path" as a connection and returns status and body.
func (b *bed) send(as, request, body string) (int, map[string]any) {
	b.Helper()
	method, path, _ := strings.Cut(request, " ")
	r := httptest.NewRequest(method, "http://scim.test"+path, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/scim+json")
	r.Header.Set("Authorization", "Bearer "+as)
	w := httptest.NewRecorder()
	b.ServeHTTP(w, r)
	var doc map[string]any
	if w.Body.Len() > 0 {
		if err := json.Unmarshal(w.Body.Bytes(), &doc); err != nil {
			b.Fatalf("%s: %v\n%s", request, err, w.Body)
		}
	}
	return w.Code, doc
}

// want is send for a request whose status is known; it returns the id and the body.
func (b *bed) want(status int, as, request, body string) (string, map[string]any) {
	b.Helper()
	code, doc := b.send(as, request, body)
	if code != status {
		b.Fatalf("%s as %s: %d, want %d\n%v", request, as, code, status, doc)
	}
	id, _ := doc["id"].(string)
	return id, doc
}

func members(ids ...string) string {
	list := make([]map[string]string, len(ids))
	for i, id := range ids {
		list[i] = map[string]string{"value": id}
	}
	text, _ := json.Marshal(list)
	return string(text)
}

func patchBody(op, path, value string) string {
	return `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":"` + op + `","path":"` + path + `","value":` + value + `}]}`
}

// made has the host make a resource in process under a connection.
func (b *bed) made(connection, resourceType string, attributes map[string]any, members ...string) string {
	b.Helper()
	builder := scim.NewResource(b.Type(resourceType))
	for name, value := range attributes {
		builder.Set(name, value)
	}
	r, err := builder.Build()
	if err != nil {
		b.Fatal(err)
	}
	op := &scim.Operation{Method: scim.Create, Type: b.Type(resourceType), Resource: r, NoContent: true}
	if len(members) > 0 {
		list := make([]resource.Member, len(members))
		for i, m := range members {
			list[i] = resource.Member{ID: m, Type: "User"}
		}
		op.Relations = scim.Relations{"members": list}
	}
	res, err := b.Do(b.Context(), scim.Principal{Tenant: acme, Connection: connection}, op)
	if err != nil {
		b.Fatal(err)
	}
	return res.Resource.ID()
}

// account is an account of the host's own.
func (b *bed) account(userName string) string {
	b.Helper()
	return b.made(host, "User", map[string]any{"userName": userName})
}

func (b *bed) owner(resourceType, id string) string {
	b.Helper()
	e, err := b.Directory().Get(b.Context(), acme, scim.Ref{Type: resourceType, ID: id})
	if err != nil {
		b.Fatal(err)
	}
	return e.Connection
}

func (b *bed) membersOf(group string) (ids []string) {
	b.Helper()
	refs, err := b.Directory().Members(b.Context(), acme, scim.Ref{Type: "Group", ID: group}, scim.Ref{}, 1_000_000)
	if err != nil {
		b.Fatal(err)
	}
	return idsOf(refs)
}

func (b *bed) unconfirmed(group string) []string {
	b.Helper()
	refs, err := b.own.Unconfirmed(b.Context(), acme, group, scim.Ref{}, 1_000_000)
	if err != nil {
		b.Fatal(err)
	}
	return idsOf(refs)
}

func idsOf(refs []scim.Ref) []string {
	ids := make([]string, len(refs))
	for i, r := range refs {
		ids[i] = r.ID
	}
	return ids
}

func sorted(ids ...string) []string {
	slices.Sort(ids)
	return ids
}

func (b *bed) approvals() []scim.Approval {
	b.Helper()
	list, err := b.Approvals(b.Context(), acme, "", 1000)
	if err != nil {
		b.Fatal(err)
	}
	return list
}

// domains is a Rule's Domains.
func domains(names ...string) func(context.Context, string) ([]string, error) {
	return func(_ context.Context, tenant string) ([]string, error) {
		if tenant != acme {
			return nil, nil
		}
		return names, nil
	}
}

// verified is a Rule's Verified: the host has verified this address for everybody.
func verified(address string) func(context.Context, string, scim.DirectoryEntry) (string, bool, error) {
	return func(context.Context, string, scim.DirectoryEntry) (string, bool, error) {
		return address, address != "", nil
	}
}

// ownName is a Rule's Verified: everybody's userName is verified.
func ownName(_ context.Context, _ string, account scim.DirectoryEntry) (string, bool, error) {
	return account.Resource.String("userName"), true, nil
}
