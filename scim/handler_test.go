package scim_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/musterhq/muster/scim"
	"github.com/musterhq/muster/scim/schema"
	"github.com/musterhq/muster/storage/memory"
)

// table is a host's own users: what a handler serves that can do everything.
type table struct {
	mu   sync.Mutex
	rows map[string]*scim.Resource
	next int
	// between, if set, happens once, after the next Get.
	between func()
}

func newTable() *table { return &table{rows: map[string]*scim.Resource{}} }

func (h *table) Get(_ context.Context, _, id string) (*scim.Resource, error) {
	h.mu.Lock()
	r, between := h.rows[id], h.between
	h.between = nil
	h.mu.Unlock()
	if between != nil {
		between()
	}
	if r == nil {
		return nil, scim.ErrNotFound
	}
	return r, nil
}

func (h *table) all() iter.Seq2[*scim.Resource, error] {
	h.mu.Lock()
	rows := maps.Clone(h.rows)
	h.mu.Unlock()
	return func(yield func(*scim.Resource, error) bool) {
		for _, r := range rows {
			if !yield(r, nil) {
				return
			}
		}
	}
}

func (h *table) List(_ context.Context, req *scim.ListRequest) (*scim.ListPage, error) {
	return scim.Page(req, h.all())
}

func (h *table) Create(_ context.Context, _ string, r *scim.Resource) (*scim.Resource, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.insert("row-", r)
}

func (h *table) insert(prefix string, r *scim.Resource) (*scim.Resource, error) {
	if err := h.free(r); err != nil {
		return nil, err
	}
	h.next++
	now := time.Now()
	m := scim.Meta{ID: fmt.Sprint(prefix, h.next), Version: "1", Created: now, LastModified: now}
	h.rows[m.ID] = r.WithMeta(m)
	return h.rows[m.ID], nil
}

// free finds out whether the name of a user or a group is taken by another one.
func (h *table) free(r *scim.Resource) error {
	for _, attr := range []string{"userName", "displayName"} {
		if attr == "displayName" && r.Type().Name() == "User" {
			continue
		}
		name := schema.Fold(r.String(attr))
		for _, other := range h.rows {
			if name != "" && other.ID() != r.ID() && schema.Fold(other.String(attr)) == name {
				return scim.NotUnique(attr)
			}
		}
	}
	return nil
}

func (h *table) Replace(_ context.Context, _ string, r *scim.Resource) (*scim.Resource, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	m := r.Meta()
	cur := h.rows[m.ID]
	if cur == nil {
		return nil, scim.ErrNotFound
	}
	if cur.Meta().Version != m.Version {
		return nil, scim.ErrConflict
	}
	if err := h.free(r); err != nil {
		return nil, err
	}
	v, _ := strconv.Atoi(m.Version)
	m.Version, m.LastModified = strconv.Itoa(v+1), time.Now()
	h.rows[m.ID] = r.WithMeta(m)
	return h.rows[m.ID], nil
}

func (h *table) Delete(_ context.Context, _, id, ifVersion string) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	cur := h.rows[id]
	if cur == nil {
		return scim.ErrNotFound
	}
	if ifVersion != "" && cur.Meta().Version != ifVersion {
		return scim.ErrConflict
	}
	delete(h.rows, id)
	return nil
}

// bound is a handler that is told its type.
type bound struct {
	*table
	types []*scim.Type
	err   error
}

func (h *bound) Bind(t *scim.Type) error {
	h.types = append(h.types, t)
	return h.err
}

func TestHandlersAreBoundToTheTypeThatIsServed(t *testing.T) {
	t.Parallel()
	h := &bound{table: newTable()}
	srv := newServer(t, scim.WithHandler(schema.User(), h))
	if len(h.types) != 1 || h.types[0] != srv.Type("User") {
		t.Errorf("bound to %v, want the server's type and that once", h.types)
	}
	// The last of two declarations counts, and the first handler hears of nothing.
	unused := &bound{table: newTable()}
	newServer(t, scim.WithHandler(schema.User(), unused), scim.WithHandler(schema.User(), h))
	if len(unused.types) != 0 || len(h.types) != 2 {
		t.Errorf("bound %d and %d times", len(unused.types), len(h.types))
	}
}

func TestAHandlerThatDoesNotFitItsTypeIsRefused(t *testing.T) {
	t.Parallel()
	bad := errors.New("table people has no column for userName")
	worse := errors.New("table teams is missing")
	_, err := scim.New(memory.New(), scim.BearerToken("secret"),
		scim.WithHandler(schema.User(), &bound{table: newTable(), err: bad}),
		scim.WithHandler(schema.Group(), &bound{table: newTable(), err: worse}))
	if !errors.Is(err, bad) || !errors.Is(err, worse) || !strings.Contains(err.Error(), "resource type User: "+bad.Error()) {
		t.Errorf("New: %v", err)
	}
}

// readOnly shows a table and changes nothing.
type readOnly struct{ t *table }

func (h readOnly) Get(ctx context.Context, tenant, id string) (*scim.Resource, error) {
	return h.t.Get(ctx, tenant, id)
}
func (h readOnly) List(ctx context.Context, req *scim.ListRequest) (*scim.ListPage, error) {
	return h.t.List(ctx, req)
}

func TestAReadOnlyHandlerIsServedTruthfully(t *testing.T) {
	t.Parallel()
	rows := newTable()
	srv := newServer(t, scim.WithHandler(schema.User(), readOnly{rows}), scim.WithoutResourceType("Group"),
		scim.WithPassword(func(context.Context, scim.Principal, *scim.Resource, string) error { return nil }))
	rows.rows["7"] = scim.NewResource(srv.Type("User")).Meta(scim.Meta{ID: "7"}).Set("userName", "ada").Set("name.givenName", "Ada").Resource()
	a := send(t, srv, "GET /Users/7", "").want(t, 200)
	if a.get("userName") != "ada" || a.get("name", "givenName") != "Ada" || a.get("meta", "location") != "http://scim.test/Users/7" {
		t.Error(a.Body)
	}
	for _, request := range []string{"POST /Users", "PUT /Users/7", "PATCH /Users/7", "DELETE /Users/7"} {
		a := send(t, srv, request, fmt.Sprintf(userBody, "x"))
		a.wantError(t, 405, "")
		if allow := a.Header().Get("Allow"); allow != "GET, HEAD, OPTIONS" {
			t.Errorf("%s: Allow %q", request, allow)
		}
	}
	config := send(t, srv, "GET /ServiceProviderConfig", "").want(t, 200)
	for feature, want := range map[string]bool{"patch": false, "bulk": false, "changePassword": false, "filter": true, "sort": true, "etag": true} {
		if got := config.get(feature, "supported"); got != want {
			t.Errorf("%s.supported %v", feature, got)
		}
	}
	if config.get("bulk", "maxOperations") != 0.0 || config.get("bulk", "maxPayloadSize") != 0.0 {
		t.Errorf("limits of what there is not: %v", config.get("bulk"))
	}
	send(t, srv, "POST /Bulk", bulkBody(`{"method":"DELETE","path":"/Users/7"}`)).wantError(t, 501, "")
	send(t, srv, "GET /Users/8", "").wantError(t, 404, "")
	if got := send(t, srv, "GET /Users?filter=userName%20eq%20%22ADA%22", "").get("totalResults"); got != 1.0 {
		t.Errorf("%v found", got)
	}
	_, err := srv.Do(t.Context(), scim.Principal{}, &scim.Operation{Method: scim.Delete, Type: srv.Type("User"), ID: "7"})
	var e *scim.Error
	if !errors.As(err, &e) || e.Status != 405 {
		t.Errorf("in process: %v", err)
	}
}

func TestAHandlerServesEverythingThatAStoreDoes(t *testing.T) {
	t.Parallel()
	rows := newTable()
	var events, guarded []string
	srv := newServer(t, scim.WithHandler(schema.User(), rows), scim.WithGuard(func(_ context.Context, _ scim.Principal, effects []scim.Effect) error {
		guarded = append(guarded, describe(effects[0]))
		return nil
	}))
	srv.Subscribe(func(_ context.Context, e scim.Event) { events = append(events, describe(e.Effect)) })
	a := send(t, srv, "POST /Users", `{"userName":"ada","title":"Dr","password":"p"}`).want(t, 201)
	id := a.id()
	if id != "row-1" || a.get("active") != true || a.Header().Get("Location") != "http://scim.test/Users/row-1" || a.Header().Get("ETag") != `W/"1"` {
		t.Errorf("%v %s", a.Header(), a.Body)
	}
	if strings.Contains(string(rows.rows[id].Document()), "password") {
		t.Error("the handler was given the password")
	}
	send(t, srv, "POST /Users", fmt.Sprintf(userBody, "ADA")).wantError(t, 409, "uniqueness")
	a = send(t, srv, "PATCH /Users/"+id, patchBody(`[{"op":"replace","path":"title","value":"Prof"}]`)).want(t, 200)
	if a.get("title") != "Prof" || a.Header().Get("ETag") != `W/"2"` {
		t.Error(a.Body)
	}
	a = send(t, srv, "PATCH /Users/"+id, patchBody(`[{"op":"replace","path":"title","value":"Prof"}]`)).want(t, 200)
	if a.Header().Get("ETag") != `W/"2"` {
		t.Error("a PATCH without effect was a write")
	}
	send(t, srv, "PUT /Users/"+id, fmt.Sprintf(userBody, "ada"), `If-Match: W/"1"`).wantError(t, 412, "")
	send(t, srv, "PUT /Users/"+id, fmt.Sprintf(userBody, "ada"), `If-Match: W/"2"`).want(t, 200)
	group := send(t, srv, "POST /Groups", `{"displayName":"G","members":[{"value":"`+id+`"}]}`).want(t, 201)
	if got := group.values("members"); len(got) != 1 || got[0] != id {
		t.Errorf("members %v", got)
	}
	a = send(t, srv, "GET /Users/"+id, "").want(t, 200)
	if got := a.values("groups"); len(got) != 1 || got[0] != group.id() {
		t.Errorf("groups %v", got)
	}
	for _, filter := range []string{`groups.value eq "` + group.id() + `"`, `groups pr and userName sw "a"`} {
		if got := send(t, srv, "GET /Users?filter="+strings.ReplaceAll(strings.ReplaceAll(filter, " ", "%20"), `"`, "%22"), "").want(t, 200).get("totalResults"); got != 1.0 {
			t.Errorf("%s: %v", filter, got)
		}
	}
	send(t, srv, "DELETE /Users/"+id, "").want(t, 204)
	if got := send(t, srv, "GET /Groups/"+group.id(), "").values("members"); len(got) != 0 {
		t.Errorf("a deleted user is a member: %v", got)
	}
	send(t, srv, "DELETE /Users/"+id, "").wantError(t, 404, "")
	want := "create User ->ada activates, patch User ada>ada title, replace User ada>ada title, create Group ->G activates, delete User ada>- deactivates"
	if got := strings.Join(events, ", "); got != want {
		t.Errorf("events %s", got)
	}
	if len(guarded) != 6 { // with the create that was refused
		t.Errorf("guards saw %q", guarded)
	}
}

func TestConflictsOfAHandlerAreRetried(t *testing.T) {
	t.Parallel()
	rows := newTable()
	srv := newServer(t, scim.WithHandler(schema.User(), rows))
	id := send(t, srv, "POST /Users", fmt.Sprintf(userBody, "ada")).want(t, 201).id()
	write := func() {
		rows.mu.Lock()
		cur := rows.rows[id]
		rows.mu.Unlock()
		if _, err := rows.Replace(t.Context(), "", cur.Edit().Set("nickName", "between"+cur.Meta().Version).Resource()); err != nil {
			t.Error(err)
		}
	}
	rows.between = write
	a := send(t, srv, "PATCH /Users/"+id, patchBody(`[{"op":"replace","path":"title","value":"Dr"}]`)).want(t, 200)
	if a.get("nickName") != "between1" || a.get("title") != "Dr" {
		t.Errorf("one of two writes was lost: %s", a.Body)
	}
	rows.between = write
	send(t, srv, "DELETE /Users/"+id, "", "If-Match: "+a.Header().Get("ETag")).wantError(t, 412, "")
	rows.between = write
	send(t, srv, "DELETE /Users/"+id, "").want(t, 204)
}

func TestUnlinkForgetsWhatTheHostDeleted(t *testing.T) {
	t.Parallel()
	rows := newTable()
	srv := newServer(t, scim.WithHandler(schema.User(), rows))
	id := send(t, srv, "POST /Users", fmt.Sprintf(userBody, "ada")).want(t, 201).id()
	var groups []string
	for i := range 3 {
		groups = append(groups, send(t, srv, "POST /Groups", fmt.Sprintf(`{"displayName":"G%d","members":[{"value":%q}]}`, i, id)).want(t, 201).id())
	}
	delete(rows.rows, id)
	if got := send(t, srv, "GET /Groups/"+groups[0], "").want(t, 200).values("members"); len(got) != 1 {
		t.Errorf("before: %v", got)
	}
	if err := srv.Unlink(t.Context(), "", "User", id); err != nil {
		t.Fatal(err)
	}
	for _, g := range groups {
		if got := send(t, srv, "GET /Groups/"+g, "").want(t, 200).values("members"); len(got) != 0 {
			t.Errorf("after: %v", got)
		}
	}
}

// faulty returns what no handler should.
type faulty struct {
	r   *scim.Resource
	err error
}

func (h faulty) Get(context.Context, string, string) (*scim.Resource, error) { return h.r, h.err }
func (h faulty) List(context.Context, *scim.ListRequest) (*scim.ListPage, error) {
	return nil, h.err
}

func TestFaultsOfAHandlerAreNotTheClients(t *testing.T) {
	t.Parallel()
	for name, h := range map[string]faulty{
		"an error":          {err: errors.New("table users: connection refused")},
		"neither":           {},
		"another type's":    {r: scim.NewResource(newServer(t).Type("Group")).Resource()},
		"a wrapped absence": {err: fmt.Errorf("row: %w", scim.ErrNotFound)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv := newServer(t, scim.WithHandler(schema.User(), h))
			status := 500
			if errors.Is(h.err, scim.ErrNotFound) {
				status = 404
			}
			send(t, srv, "GET /Users/x", "").wantError(t, status, "")
			send(t, srv, "GET /Users", "").wantError(t, status, "")
		})
	}
}

func TestResourcesOfAHandlerHaveAnID(t *testing.T) {
	t.Parallel()
	srv := newServer(t, scim.WithHandler(schema.User(), &accounts{rows: []account{{login: "ada"}}}))
	send(t, srv, "GET /Users/", "").wantError(t, 500, "")
}

func TestPageFiltersSortsAndCounts(t *testing.T) {
	t.Parallel()
	srv := newServer(t)
	user := srv.Type("User")
	all := func(yield func(*scim.Resource, error) bool) {
		for i := range 1000 {
			b := scim.NewResource(user).Meta(scim.Meta{ID: fmt.Sprintf("%04d", (i*7)%1000)}).Set("userName", fmt.Sprint("u", i))
			if n := (i * 7) % 1000; n%10 != 0 {
				b.Set("title", fmt.Sprintf("t%d", n%3))
			}
			if !yield(b.Resource(), nil) {
				return
			}
		}
	}
	filter, err := srv.ParseFilter(scim.Principal{}, user, `title ne "t1"`)
	if err != nil {
		t.Fatal(err)
	}
	title, err := user.Resolve("title")
	if err != nil {
		t.Fatal(err)
	}
	ids := func(p *scim.ListPage) (out []string) {
		for _, r := range p.Resources {
			out = append(out, r.ID())
		}
		return out
	}
	for _, test := range []struct {
		name  string
		req   scim.ListRequest
		total int
		want  string
	}{
		{"all", scim.ListRequest{Limit: 3}, 1000, "0000 0001 0002"},
		{"deep", scim.ListRequest{Offset: 997, Limit: 10}, 1000, "0997 0998 0999"},
		{"beyond", scim.ListRequest{Offset: 5000, Limit: 10}, 1000, ""},
		{"the total alone", scim.ListRequest{}, 1000, ""},
		{"filtered", scim.ListRequest{Filter: filter, Limit: 3}, 700, "0000 0002 0003"},
		{"sorted", scim.ListRequest{Sort: scim.Sort{Path: title}, Limit: 3}, 1000, "0003 0006 0009"},
		{"without a value last", scim.ListRequest{Sort: scim.Sort{Path: title}, Offset: 899, Limit: 3}, 1000, "0998 0000 0010"},
	} {
		page, err := scim.Page(&test.req, all)
		if err != nil || page.Total != test.total || strings.Join(ids(page), " ") != test.want {
			t.Errorf("%s: %v of %d, %v", test.name, ids(page), page.Total, err)
		}
	}
	failed := errors.New("the table is away")
	_, err = scim.Page(&scim.ListRequest{Limit: 1}, func(yield func(*scim.Resource, error) bool) { yield(nil, failed) })
	if !errors.Is(err, failed) {
		t.Error(err)
	}
}

func TestFindEndsWithTheFirstError(t *testing.T) {
	t.Parallel()
	user := newServer(t).Type("User")
	lost := errors.New("connection lost")
	all := func(yield func(*scim.Resource, error) bool) {
		_ = yield(scim.NewResource(user).Meta(scim.Meta{ID: "1"}).Resource(), nil) && yield(nil, lost)
	}
	if r, err := scim.Find("1", all); err != nil || r.ID() != "1" {
		t.Errorf("what is in front of the error: %v, %v", r, err)
	}
	if _, err := scim.Find("2", all); !errors.Is(err, lost) {
		t.Errorf("what is behind it: %v", err)
	}
	if err := scim.CheckUnique(scim.NewResource(user).Set("userName", "ada").Resource(), all); !errors.Is(err, lost) {
		t.Errorf("a check of half of them: %v", err)
	}
	if _, err := scim.Find("1", newTable().all()); !errors.Is(err, scim.ErrNotFound) {
		t.Errorf("nothing: %v", err)
	}
}

func TestCheckUniqueComparesAsTheSchemaSays(t *testing.T) {
	t.Parallel()
	srv := newServer(t)
	user, group := srv.Type("User"), srv.Type("Group")
	of := func(typ *scim.Type, id, name, value string) *scim.Resource {
		return scim.NewResource(typ).Meta(scim.Meta{ID: id}).Set(name, value).Resource()
	}
	for _, c := range []struct {
		name       string
		there, new *scim.Resource
		taken      bool
	}{
		{"another name", of(user, "1", "userName", "ada"), of(user, "", "userName", "bob"), false},
		{"the same name", of(user, "1", "userName", "ada"), of(user, "", "userName", "ada"), true},
		{"in another case", of(user, "1", "userName", "ada"), of(user, "2", "userName", "ADA"), true},
		{"of itself", of(user, "1", "userName", "ada"), of(user, "1", "userName", "ADA"), false},
		{"without a name", of(user, "1", "title", "Dr"), of(user, "2", "title", "Dr"), false},
		{"what need not be unique", of(user, "1", "nickName", "x"), of(user, "2", "nickName", "x"), false},
		{"what is unique in a connection", of(group, "1", "displayName", "Staff"), of(group, "2", "displayName", "STAFF"), true},
		{"another group", of(group, "1", "displayName", "Staff"), of(group, "2", "displayName", "Sales"), false},
	} {
		rows := newTable()
		rows.rows["there"] = c.there
		var taken *scim.Error
		if err := scim.CheckUnique(c.new, rows.all()); errors.As(err, &taken) != c.taken || c.taken && taken.ScimType != scim.Uniqueness {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}
