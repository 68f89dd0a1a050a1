package scim_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/musterhq/muster/scim"
	"github.com/musterhq/muster/scim/schema"
	"github.com/musterhq/muster/storage/memory"
)

// request sends what an identity provider would, and returns the answer.
func request(h http.Handler, token, method, path, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("Content-Type", "application/scim+json")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// A SCIM service in a host's mux: a store, a token, and nothing else to decide.
func ExampleNew() {
	srv, err := scim.New(memory.New(), scim.BearerToken("secret"))
	if err != nil {
		log.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/scim/v2/", http.StripPrefix("/scim/v2", srv))

	w := request(mux, "secret", "POST", "/scim/v2/Users", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada"}`)
	fmt.Println(w.Code)
	w = request(mux, "secret", "GET", "/scim/v2/Users?filter=userName+eq+%22ADA%22&attributes=userName&count=0", "")
	fmt.Println(w.Code, w.Body)
	// Output:
	// 201
	// 200 {"schemas":["urn:ietf:params:scim:api:messages:2.0:ListResponse"],"totalResults":1,"startIndex":1,"itemsPerPage":0,"Resources":[]}
}

// A plan with a number of seats: users beyond it are refused before anything is
// written, and the identity provider shows the sentence to its administrator. Of
// two creates that meet, both may get the last seat; see [scim.Guard].
func ExampleWithGuard() {
	const seats = 1
	store := memory.New()
	var srv *scim.Server
	seatLimit := func(ctx context.Context, p scim.Principal, effects []scim.Effect) error {
		more := 0
		for _, e := range effects {
			if e.Type.Name() == "User" && e.Activates() {
				more++
			}
		}
		if more == 0 {
			return nil
		}
		active, err := srv.ParseFilter(p, srv.Type("User"), "active eq true")
		if err != nil {
			return err
		}
		taken, err := srv.Do(ctx, p, &scim.Operation{Method: scim.List, Type: srv.Type("User"), List: scim.ListOptions{Filter: active}})
		if err != nil {
			return err
		}
		if taken.Total+more > seats {
			return scim.Errorf(http.StatusForbidden, "", "all %d seats of your plan are taken", seats)
		}
		return nil
	}
	srv, err := scim.New(store, scim.BearerToken("secret"), scim.WithGuard(seatLimit))
	if err != nil {
		log.Fatal(err)
	}
	for _, name := range []string{"ada", "grace"} {
		w := request(srv, "secret", "POST", "/Users?attributes=userName", fmt.Sprintf(`{"userName":%q}`, name))
		fmt.Println(w.Code)
		if w.Code != http.StatusCreated {
			fmt.Println(w.Body)
		}
	}
	// Output:
	// 201
	// 403
	// {"schemas":["urn:ietf:params:scim:api:messages:2.0:Error"],"status":"403","detail":"all 1 seats of your plan are taken"}
}

// Sessions end before the identity provider is told that the user is
// deactivated; everything else is written down.
func ExampleServer_Subscribe() {
	srv, err := scim.New(memory.New(), scim.BearerToken("secret"))
	if err != nil {
		log.Fatal(err)
	}
	stop := srv.Subscribe(func(ctx context.Context, e scim.Event) {
		if e.Type.Name() == "User" && e.Deactivates() {
			fmt.Println("end the sessions of", e.Before.String("userName"))
			return
		}
		fmt.Println(e.Kind, e.After.String("userName"))
	})
	defer stop()

	created := request(srv, "secret", "POST", "/Users", `{"userName":"ada"}`)
	request(srv, "secret", "PATCH", "/Users/"+path.Base(created.Header().Get("Location")), `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
		"Operations":[{"op":"replace","path":"active","value":false}]}`)
	// Output:
	// create ada
	// end the sessions of ada
}

// employees serves users from where the host has them. Reading and creating is
// enough here: PUT, PATCH and DELETE are answered 405.
type employees struct {
	mu   sync.Mutex
	rows []*scim.Resource
}

func (e *employees) Get(_ context.Context, _, id string) (*scim.Resource, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, r := range e.rows {
		if r.ID() == id {
			return r, nil
		}
	}
	return nil, scim.ErrNotFound
}

func (e *employees) List(_ context.Context, req *scim.ListRequest) (*scim.ListPage, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return scim.Page(req, func(yield func(*scim.Resource, error) bool) {
		for _, r := range e.rows {
			if !yield(r, nil) {
				return
			}
		}
	})
}

func (e *employees) Create(_ context.Context, _ string, r *scim.Resource) (*scim.Resource, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, other := range e.rows {
		if strings.EqualFold(other.String("userName"), r.String("userName")) {
			return nil, scim.NotUnique("userName")
		}
	}
	r = r.WithMeta(scim.Meta{ID: fmt.Sprint(len(e.rows) + 1)})
	e.rows = append(e.rows, r)
	return r, nil
}

// Users that live in the host's own tables; groups and who is in them stay in the
// store.
func ExampleWithHandler() {
	srv, err := scim.New(memory.New(), scim.BearerToken("secret"), scim.WithHandler(schema.User(), &employees{}))
	if err != nil {
		log.Fatal(err)
	}
	for _, c := range []struct{ method, path, body string }{
		{"POST", "/Users", `{"userName":"ada"}`},
		{"POST", "/Users", `{"userName":"Ada"}`},
		{"POST", "/Groups", `{"displayName":"Staff","members":[{"value":"1"}]}`},
		{"DELETE", "/Users/1", ``},
		{"GET", "/Users/1?attributes=userName,groups.display", ``},
	} {
		w := request(srv, "secret", c.method, c.path, c.body)
		fmt.Println(c.method, c.path, w.Code)
		if c.method == "GET" {
			fmt.Println(w.Body)
		}
	}
	// Output:
	// POST /Users 201
	// POST /Users 409
	// POST /Groups 201
	// DELETE /Users/1 405
	// GET /Users/1?attributes=userName,groups.display 200
	// {"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"id":"1","userName":"ada","groups":[{"display":"Staff"}]}
}

// accounts are users as a host keeps them, in rows of its own.
type accounts struct {
	user *scim.Type
	rows []account
}

type account struct {
	id, login string
	locked    bool
}

func (a *accounts) resource(row account) (*scim.Resource, error) {
	return scim.NewResource(a.user).Meta(scim.Meta{ID: row.id}).Set("userName", row.login).Set("active", !row.locked).Build()
}

func (a *accounts) Get(_ context.Context, _, id string) (*scim.Resource, error) {
	for _, row := range a.rows {
		if row.id == id {
			return a.resource(row)
		}
	}
	return nil, scim.ErrNotFound
}

func (a *accounts) List(_ context.Context, req *scim.ListRequest) (*scim.ListPage, error) {
	return scim.Page(req, func(yield func(*scim.Resource, error) bool) {
		for _, row := range a.rows {
			if !yield(a.resource(row)) {
				return
			}
		}
	})
}

func (a *accounts) Bind(user *scim.Type) error {
	a.user = user
	return nil
}

// notebook is a handler that can do two things: go through all that it has, and put
// something away. The methods that the server wants follow from that. (With more than
// one process writing, save has to look whether r was made of what is there, see
// [scim.ContentVersion].)
type notebook struct {
	mu    sync.Mutex
	pages []*scim.Resource
}

func (n *notebook) all(yield func(*scim.Resource, error) bool) {
	for _, r := range n.pages {
		if !yield(r, nil) {
			return
		}
	}
}

func (n *notebook) Get(_ context.Context, _, id string) (*scim.Resource, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return scim.Find(id, n.all)
}

func (n *notebook) List(_ context.Context, req *scim.ListRequest) (*scim.ListPage, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return scim.Page(req, n.all)
}

func (n *notebook) Create(_ context.Context, _ string, r *scim.Resource) (*scim.Resource, error) {
	return n.save(r.WithMeta(scim.Meta{ID: rand.Text()}))
}

func (n *notebook) Replace(_ context.Context, _ string, r *scim.Resource) (*scim.Resource, error) {
	return n.save(r)
}

func (n *notebook) save(r *scim.Resource) (*scim.Resource, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if err := scim.CheckUnique(r, n.all); err != nil {
		return nil, err
	}
	n.pages = slices.DeleteFunc(n.pages, func(old *scim.Resource) bool { return old.ID() == r.ID() })
	n.pages = append(n.pages, r)
	return r, nil
}

// Of a handler that can iterate and save, the server makes all the rest: PATCH,
// filters, order, pages, versions.
func ExamplePage() {
	srv, err := scim.New(memory.New(), scim.BearerToken("secret"), scim.WithHandler(schema.User(), &notebook{}))
	if err != nil {
		log.Fatal(err)
	}
	location := ""
	for _, name := range []string{"ada", "grace", "edsger", "Ada"} {
		w := request(srv, "secret", "POST", "/Users", `{"userName":"`+name+`"}`)
		fmt.Println(w.Code)
		if name == "ada" {
			location = "/Users/" + path.Base(w.Header().Get("Location"))
		}
	}
	fmt.Println(request(srv, "secret", "PATCH", location, `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
		"Operations":[{"op":"replace","path":"title","value":"Countess"}]}`).Code)
	fmt.Println(request(srv, "secret", "GET", "/Users?filter=title+sw+%22count%22+and+userName+ne+%22grace%22&count=0", "").Body)
	// Output:
	// 201
	// 201
	// 201
	// 409
	// 200
	// {"schemas":["urn:ietf:params:scim:api:messages:2.0:ListResponse"],"totalResults":1,"startIndex":1,"itemsPerPage":0,"Resources":[]}
}

// A handler over rows makes resources of the type that the server compiled, to which
// it is bound.
func ExampleResourceHandler() {
	h := &accounts{rows: []account{{id: "1", login: "ada"}, {id: "2", login: "grace", locked: true}}}
	srv, err := scim.New(memory.New(), scim.BearerToken("secret"), scim.WithHandler(schema.User(), h))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(request(srv, "secret", "GET", "/Users/1?attributes=userName", "").Body)
	fmt.Println(request(srv, "secret", "GET", "/Users?filter=active+eq+false&attributes=userName", "").Body)
	// Output:
	// {"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"id":"1","userName":"ada"}
	// {"schemas":["urn:ietf:params:scim:api:messages:2.0:ListResponse"],"totalResults":1,"startIndex":1,"itemsPerPage":1,"Resources":[{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"id":"2","userName":"grace"}]}
}

// A host's own attributes: an extension of User.
func ExampleWithResourceType() {
	user := schema.User()
	user.Extensions = append(user.Extensions, schema.Extension{Schema: &scim.Schema{
		ID:   "urn:example:params:scim:schemas:extension:hr:2.0:User",
		Name: "HR",
		Attributes: []scim.Attribute{
			{Name: "badge", Description: "The number on the badge", CaseExact: true, Uniqueness: schema.UniqueServer},
			{Name: "startDate", Type: schema.DateTime, Description: "The first day at work"},
		},
	}})
	srv, err := scim.New(memory.New(), scim.BearerToken("secret"), scim.WithResourceType(user))
	if err != nil {
		log.Fatal(err)
	}
	body := `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User","urn:example:params:scim:schemas:extension:hr:2.0:User"],
		"userName":%q,"urn:example:params:scim:schemas:extension:hr:2.0:User":{"badge":"A-7","startDate":%q}}`
	for _, c := range [][2]string{{"ada", "2030-01-01T00:00:00Z"}, {"grace", "2030-01-01T00:00:00Z"}, {"joan", "tomorrow"}} {
		fmt.Println(request(srv, "secret", "POST", "/Users", fmt.Sprintf(body, c[0], c[1])).Code)
	}
	// Output:
	// 201
	// 409
	// 400
}

// Every customer of the host is a tenant; each of its identity providers is a
// connection with a token of its own.
func ExampleBearerTokens() {
	srv, err := scim.New(memory.New(), scim.BearerTokens(map[string]scim.Principal{
		"token-of-acme":            {Tenant: "acme", Connection: "okta"},
		"next-token-of-acme":       {Tenant: "acme", Connection: "okta"}, // while it is rotated
		"token-of-acmes-other-idp": {Tenant: "acme", Connection: "entra"},
		"token-of-umbrella":        {Tenant: "umbrella"},
		"token-of-the-auditor":     {Tenant: "acme", Connection: "okta", ReadOnly: true},
	}))
	if err != nil {
		log.Fatal(err)
	}
	create := func(token string) int {
		return request(srv, token, "POST", "/Users", `{"userName":"ada"}`).Code
	}
	fmt.Println(create("token-of-acme"))            // the first
	fmt.Println(create("next-token-of-acme"))       // the same connection
	fmt.Println(create("token-of-acmes-other-idp")) // user names are unique in the tenant
	fmt.Println(create("token-of-umbrella"))        // another tenant
	fmt.Println(create("token-of-the-auditor"))
	fmt.Println(create("unknown"))
	// Output:
	// 201
	// 409
	// 409
	// 201
	// 403
	// 401
}

// What a host does itself, at sign-in for instance, goes the same way as what
// comes from identity providers: through guards, rules of the schema and events.
func ExampleServer_Do() {
	srv, err := scim.New(memory.New(), scim.BearerToken("secret"))
	if err != nil {
		log.Fatal(err)
	}
	ctx, user := context.Background(), srv.Type("User")
	p := scim.Principal{Subject: "sign-in"}
	ada, err := scim.NewResource(user).Set("userName", "ada").Set("name.givenName", "Ada").Build()
	if err != nil {
		log.Fatal(err)
	}
	created, err := srv.Do(ctx, p, &scim.Operation{Method: scim.Create, Type: user, Resource: ada})
	if err != nil {
		log.Fatal(err)
	}
	changes, err := scim.NewPatch(user).Replace("title", "Countess").Request()
	if err != nil {
		log.Fatal(err)
	}
	changed, err := srv.Do(ctx, p, &scim.Operation{Method: scim.Patch, Type: user, ID: created.Resource.ID(), Patch: changes})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(changed.Resource.String("title"), changed.Resource.String("name.givenName"), changed.Resource.Meta().Version)
	_, err = srv.Do(ctx, p, &scim.Operation{Method: scim.Get, Type: user, ID: "nobody"})
	fmt.Println(err.(*scim.Error).Status)
	// Output:
	// Countess Ada 2
	// 404
}
