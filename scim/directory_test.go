package scim_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"testing"

	"github.com/musterhq/muster/scim"
	"github.com/musterhq/muster/scim/schema"
	"github.com/musterhq/muster/storage"
	"github.com/musterhq/muster/storage/memory"
)

func TestDirectorySeesAllConnectionsAndNothingThatIsDeleted(t *testing.T) {
	t.Parallel()
	srv, err := scim.New(memory.New(), scim.BearerToken("secret"))
	if err != nil {
		t.Fatal(err)
	}
	create := func(connection, typ, label, name string, members ...string) string {
		t.Helper()
		r, err := scim.NewResource(srv.Type(typ)).Set(label, name).Build()
		if err != nil {
			t.Fatal(err)
		}
		op := &scim.Operation{Method: scim.Create, Type: srv.Type(typ), Resource: r, Relations: scim.Relations{}}
		for _, m := range members {
			op.Relations["members"] = append(op.Relations["members"], scim.Member{ID: m})
		}
		res, err := srv.Do(t.Context(), scim.Principal{Tenant: "acme", Connection: connection}, op)
		if err != nil {
			t.Fatal(err)
		}
		return res.Resource.ID()
	}
	var users []string
	for i := range 5 {
		users = append(users, create("one", "User", "userName", fmt.Sprint("u", i)))
	}
	slices.Sort(users)
	a, b := create("one", "Group", "displayName", "Sales", users...), create("two", "Group", "displayName", "SALES")
	d, ctx := srv.Directory(), t.Context()
	group := storage.Ref{Type: "Group", ID: a}

	named, err := d.List(ctx, "acme", "Group", "sales", "", 10)
	if err != nil || len(named) != 2 {
		t.Errorf("groups of the name: %v, %v; want two", named, err)
	}
	for _, e := range named {
		if want := map[string]string{a: "one", b: "two"}[e.Resource.ID()]; e.Connection != want {
			t.Errorf("connection %q, want %q", e.Connection, want)
		}
	}
	if none, err := d.List(ctx, "other", "User", "", "", 10); err != nil || len(none) != 0 {
		t.Errorf("another tenant has %v, %v", none, err)
	}
	var listed, linked []string
	var last storage.Ref
	for range 3 {
		page, err := d.List(ctx, "acme", "User", "", last.ID, 2)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range page {
			listed = append(listed, e.Resource.ID())
		}
		refs, err := d.Members(ctx, "acme", group, last, 2)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range refs {
			linked = append(linked, r.ID)
			last = r
		}
	}
	if !slices.Equal(listed, users) || !slices.Equal(linked, users) {
		t.Errorf("listed %q, linked %q, want %q", listed, linked, users)
	}
	of, err := d.GroupsOf(ctx, "acme", storage.Ref{Type: "User", ID: users[0]}, storage.Ref{}, 10)
	if err != nil || !slices.Equal(of, []storage.Ref{group}) {
		t.Errorf("groups of a member: %v, %v", of, err)
	}
	one := scim.Principal{Tenant: "acme", Connection: "one"}
	if _, err := srv.Do(ctx, one, &scim.Operation{Method: scim.Delete, Type: srv.Type("User"), ID: users[0]}); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Get(ctx, "acme", storage.Ref{Type: "User", ID: users[0]}); !errors.Is(err, scim.ErrNotFound) {
		t.Errorf("a deleted user: %v, want ErrNotFound", err)
	}
	if e, err := d.Get(ctx, "acme", storage.Ref{Type: "User", ID: users[1]}); err != nil || e.Connection != "one" {
		t.Errorf("a user: %+v, %v", e, err)
	}
}

// hostUsers serves users from where a host keeps them, in no order of ids.
type hostUsers struct{ list []*scim.Resource }

func (h *hostUsers) Get(_ context.Context, _, id string) (*scim.Resource, error) {
	for _, r := range h.list {
		if r.ID() == id {
			return r, nil
		}
	}
	return nil, scim.ErrNotFound
}

func (h *hostUsers) List(_ context.Context, req *scim.ListRequest) (*scim.ListPage, error) {
	page, err := scim.Page(req, iter.Seq2[*scim.Resource, error](func(yield func(*scim.Resource, error) bool) {
		for _, r := range h.list {
			if !yield(r, nil) {
				return
			}
		}
	}))
	return page, err
}

func TestDirectoryReadsWhatAHandlerServes(t *testing.T) {
	t.Parallel()
	users := &hostUsers{}
	srv, err := scim.New(memory.New(), scim.BearerToken("secret"), scim.WithHandler(schema.User(), users))
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"3", "1", "2"} {
		r, err := scim.NewResource(srv.Type("User")).Set("userName", "u"+id).Meta(scim.Meta{ID: id}).Build()
		if err != nil {
			t.Fatal(err)
		}
		users.list = append(users.list, r)
	}
	d := srv.Directory()
	if d.Logged("User") || !d.Logged("Group") {
		t.Errorf("User logged %v, Group logged %v", d.Logged("User"), d.Logged("Group"))
	}
	page, err := d.List(t.Context(), "acme", "User", "", "1", 1)
	if err != nil || len(page) != 1 || page[0].Resource.ID() != "2" {
		t.Errorf("behind user 1: %v, %v; want user 2", page, err)
	}
	if _, err := d.Get(t.Context(), "acme", storage.Ref{Type: "User", ID: "4"}); !errors.Is(err, scim.ErrNotFound) {
		t.Errorf("a user who is not there: %v", err)
	}
}
