package mapping_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/musterhq/muster/mapping"
	"github.com/musterhq/muster/scim"
	"github.com/musterhq/muster/scim/schema"
	"github.com/musterhq/muster/storage/memory"
)

// Employee is what the host has had all along.
type Employee struct {
	ID      int64     `scim:"id"`
	Version int64     `scim:"meta.version"`
	Created time.Time `scim:"meta.created"`
	Changed time.Time `scim:"meta.lastModified"`
	Login   string    `scim:"userName,max=100"`
	Given   string    `scim:"name.givenName"`
	Last    string    `scim:"name.familyName"`
	Email   string    `scim:"emails[type eq 'work'].value"`
	Active  bool      `scim:"active"`
	Extra   []byte    `scim:"*"`
	Salary  int       // nothing that a client sends gets here
}

// employees serves a map of them as users.
type employees struct {
	mapping *mapping.Mapping[Employee]
	mu      sync.Mutex
	rows    map[string]Employee
	next    int64
}

func (s *employees) Bind(t *scim.Type) (err error) {
	s.mapping, err = mapping.Of[Employee](t)
	return err
}

func (s *employees) Get(_ context.Context, _, id string) (*scim.Resource, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e, ok := s.rows[id]
	if !ok {
		return nil, scim.ErrNotFound
	}
	return s.mapping.Resource(&e)
}

func (s *employees) List(_ context.Context, req *scim.ListRequest) (*scim.ListPage, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return scim.Page(req, s.all)
}

func (s *employees) Create(ctx context.Context, _ string, r *scim.Resource) (*scim.Resource, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.next++
	return s.save(ctx, Employee{ID: s.next}, r)
}

func (s *employees) Replace(ctx context.Context, _ string, r *scim.Resource) (*scim.Resource, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e, ok := s.rows[r.ID()]
	switch {
	case !ok:
		return nil, scim.ErrNotFound
	case strconv.FormatInt(e.Version, 10) != r.Meta().Version:
		return nil, scim.ErrConflict // somebody else was faster
	}
	return s.save(ctx, e, r)
}

func (s *employees) Delete(_ context.Context, _, id, ifVersion string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	e, ok := s.rows[id]
	switch {
	case !ok:
		return scim.ErrNotFound
	case ifVersion != "" && ifVersion != strconv.FormatInt(e.Version, 10):
		return scim.ErrConflict
	}
	delete(s.rows, id)
	return nil
}

func (s *employees) Labels(_ context.Context, _ string, ids []string) (map[string]string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	names := map[string]string{}
	for _, id := range ids {
		if e, ok := s.rows[id]; ok {
			names[id] = mapping.FullName(e.Given, e.Last)
		}
	}
	return names, nil
}

func (s *employees) save(ctx context.Context, e Employee, r *scim.Resource) (*scim.Resource, error) {
	ignored, err := s.mapping.Assign(&e, r)
	if err != nil {
		return nil, err
	}
	scim.Ignore(ctx, ignored...) // for scim.WithReport
	e.Version++
	e.Changed = time.Now()
	if e.Created.IsZero() {
		e.Created = e.Changed
	}
	saved, err := s.mapping.Resource(&e)
	if err != nil {
		return nil, err
	}
	if err := scim.CheckUnique(saved, s.all); err != nil {
		return nil, err
	}
	s.rows[saved.ID()] = e
	return saved, nil
}

func (s *employees) all(yield func(*scim.Resource, error) bool) {
	for _, e := range s.rows {
		if !yield(s.mapping.Resource(&e)) {
			return
		}
	}
}

// A handler over data of the host's own. PATCH, filters, sorting, paging and
// conditional requests come with it.
func Example() {
	host := &employees{rows: map[string]Employee{}}
	srv, err := scim.New(memory.New(), scim.BearerToken("secret"), scim.WithHandler(schema.User(), host))
	if err != nil {
		fmt.Println(err)
		return
	}
	send := func(method, path, body string) {
		req := httptest.NewRequest(method, path, strings.NewReader(body))
		req.Header.Set("Authorization", "Bearer secret")
		w := httptest.NewRecorder()
		srv.ServeHTTP(w, req)
		fmt.Println(method, w.Code)
	}
	send(http.MethodPost, "/Users", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada",
		"name":{"givenName":"Ada","familyName":"Byron"},"emails":[{"type":"work","value":"ada@example.com","primary":true}],"salary":1000000}`)
	send(http.MethodPatch, "/Users/1", `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[
		{"op":"replace","path":"name.familyName","value":"King"},{"op":"replace","path":"active","value":false}]}`)
	e := host.rows["1"]
	fmt.Println(e.Login, e.Given, e.Last, e.Email, e.Active, e.Salary)
	// Output:
	// POST 201
	// PATCH 200
	// ada Ada King ada@example.com false 0
}

// What tags cannot say is declared by code, alone or beside tags.
func ExampleOf() {
	type Account struct {
		Login       string `scim:"userName"`
		Given, Last string
		Blocked     bool
		Plan        string
	}
	t := schema.MustCompile(schema.User(), schema.Group()) // a handler's Bind is given it
	m, err := mapping.Of(t,
		mapping.Attr("name.givenName", func(a *Account) *string { return &a.Given }).Label("First name"),
		mapping.Attr("name.familyName", func(a *Account) *string { return &a.Last }).Label("Last name"),
		mapping.Attr("userType", func(a *Account) *string { return &a.Plan }).Default("basic"),
		mapping.Convert("active", func(a *Account) *bool { return &a.Blocked },
			func(active bool) (blocked bool, err error) { return !active, nil },
			func(blocked bool) (active bool) { return !blocked }),
		mapping.Derived("displayName", func(a *Account) string { return mapping.FullName(a.Given, a.Last) }),
	)
	if err != nil {
		fmt.Println(err)
		return
	}
	r, err := m.Resource(&Account{Login: "ada", Given: "Ada", Last: "King", Plan: "pro", Blocked: true})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(r.String("displayName"), r.String("userType"), r.Active())

	sent, err := scim.NewResource(t).Set("userName", "grace").Set("nickName", "G").Build()
	if err != nil {
		fmt.Println(err)
		return
	}
	var a Account
	ignored, err := m.Assign(&a, sent)
	fmt.Println(a.Login, a.Plan, a.Blocked, ignored, err)
	// Output:
	// Ada King pro false
	// grace basic false [nickName] <nil>
}

// A mapping knows which fields of the host a change concerns.
func ExampleMapping_Touched() {
	t := schema.MustCompile(schema.User(), schema.Group())
	m, err := mapping.Of[Employee](t)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, path := range []string{"name", "emails", "title"} {
		var names []string
		for _, f := range m.Touched(t.MustResolve(path)) {
			names = append(names, f.Name)
		}
		fmt.Println(path, names)
	}
	// Output:
	// name [Given Last]
	// emails [Email]
	// title []
}
