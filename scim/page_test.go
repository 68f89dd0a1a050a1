package scim_test

import (
	"context"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/musterhq/muster/scim"
	"github.com/musterhq/muster/scim/schema"
)

// things serves a resource type from a map. With keyset it pages by position.
type things struct {
	keyset bool
	mu     sync.Mutex
	byID   map[string]*scim.Resource
}

func (h *things) Get(_ context.Context, _, id string) (*scim.Resource, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if r, ok := h.byID[id]; ok {
		return r, nil
	}
	return nil, scim.ErrNotFound
}

func (h *things) List(_ context.Context, req *scim.ListRequest) (*scim.ListPage, error) {
	page, err := scim.Page(req, h.all())
	if err == nil && !h.keyset {
		page.Keyset = false
		if req.After != nil {
			return nil, fmt.Errorf("a handler without keyset was asked for what is behind a position")
		}
	}
	return page, err
}

func (h *things) all() iter.Seq2[*scim.Resource, error] {
	return func(yield func(*scim.Resource, error) bool) {
		h.mu.Lock()
		defer h.mu.Unlock()
		for _, r := range h.byID {
			if !yield(r, nil) {
				return
			}
		}
	}
}

func (h *things) Create(_ context.Context, _ string, r *scim.Resource) (*scim.Resource, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.byID == nil {
		h.byID = map[string]*scim.Resource{}
	}
	r = r.WithMeta(scim.Meta{ID: fmt.Sprintf("%d", len(h.byID)+1), Created: time.Unix(1, 0)})
	h.byID[r.ID()] = r
	return r, nil
}

func (h *things) Delete(_ context.Context, _, id, _ string) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.byID, id)
	return nil
}

func thingType() scim.ResourceType {
	return scim.ResourceType{Name: "Thing", Endpoint: "/Things", Schema: &scim.Schema{
		ID: "urn:example:things:2.0:Thing", Name: "Thing",
		Attributes: []scim.Attribute{{Name: "displayName"}, {Name: "title"}, {Name: "weight", Type: schema.Integer}},
	}}
}

// ids are the resources of a list, with their types.
func ids(t testing.TB, a *answer) (ids []string) {
	t.Helper()
	list, ok := a.want(t, 200).json["Resources"].([]any)
	if !ok {
		t.Fatalf("no Resources in %s", a.Body)
	}
	for _, r := range list {
		m := r.(map[string]any)
		ids = append(ids, m["meta"].(map[string]any)["resourceType"].(string)+" "+m["id"].(string))
	}
	return ids
}

func (a *answer) text(key string) string { s, _ := a.json[key].(string); return s }

// walk follows cursors in one direction from a cursor on and returns the ids of each
// page, with the last answer. between runs before each page.
func walk(t testing.TB, h http.Handler, path, cursor, direction string, between func()) (pages [][]string, last *answer) {
	t.Helper()
	for n := 0; ; n++ {
		if n > 500 {
			t.Fatalf("%s: the walk does not end: %v", path, pages[len(pages)-3:])
		}
		between()
		last = send(t, h, "GET "+path+"&cursor="+cursor, "")
		pages = append(pages, ids(t, last))
		if cursor = last.text(direction); cursor == "" {
			return pages, last
		}
		if cursor != url.QueryEscape(cursor) {
			t.Fatalf("the cursor %q needs escaping", cursor)
		}
	}
}

// world is a server with resources of several types, some of which have equal sort
// keys and some none.
type world struct {
	*scim.Server
	made int
}

func newWorld(t testing.TB, handler *things) *world {
	return &world{Server: newServer(t, scim.WithHandler(thingType(), handler))}
}

// create makes a resource with displayName and title out of a small set, or without.
func (w *world) create(t testing.TB, kind int, name, title string) string {
	t.Helper()
	w.made++
	path, body := "/Users", `{"userName":"user%d"%s%s}`
	switch kind {
	case 1:
		path, body = "/Groups", `{"externalId":"group%d"%s%s}`
		name += fmt.Sprint(w.made) // the names of groups are unique
	case 2:
		path, body = "/Things", `{"externalId":"thing%d"%s%s}`
	}
	text := func(attr, value string) string {
		if value == "" {
			return ""
		}
		return fmt.Sprintf(`,%q:%q`, attr, value)
	}
	a := send(t, w, "POST "+path, fmt.Sprintf(body, w.made, text("displayName", name), text("title", title))).want(t, 201)
	return strings.TrimSuffix(strings.TrimPrefix(path, "/"), "s") + " " + a.id()
}

func (w *world) delete(t testing.TB, id string) {
	t.Helper()
	kind, id, _ := strings.Cut(id, " ")
	send(t, w, "DELETE /"+kind+"s/"+id, "").want(t, 204)
}

// listing is a list whose pages the properties below are about.
func listing(t *rapid.T) string {
	path := rapid.SampledFrom([]string{"/Users?", "/?", "/Things?", "/Groups?", "/?filter=displayName+pr&", "/Users?filter=title+eq+%22B%22+or+not+(title+pr)&"}).Draw(t, "path")
	sort := rapid.SampledFrom([]string{"", "displayName", "title", "id", "meta.created", "meta.version"}).Draw(t, "sortBy")
	if sort == "title" && strings.HasPrefix(path, "/Groups") {
		sort = ""
	}
	order := rapid.SampledFrom([]string{"ascending", "descending"}).Draw(t, "sortOrder")
	return fmt.Sprintf("%ssortBy=%s&sortOrder=%s", path, sort, order)
}

var (
	someNames  = rapid.SampledFrom([]string{"", "a", "A", "b", "ß", "zz"})
	someTitles = rapid.SampledFrom([]string{"", "", "B", "b", "c"})
)

// Holds: N-001 N-002 N-003 N-005 N-010 N-018
func TestCursorsWalkTheListThatIndexesGive(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		w := newWorld(t, &things{keyset: rapid.Bool().Draw(rt, "keyset")})
		for range rapid.IntRange(0, 14).Draw(rt, "resources") {
			w.create(t, rapid.IntRange(0, 2).Draw(rt, "type"), someNames.Draw(rt, "name"), someTitles.Draw(rt, "title"))
		}
		list := listing(rt)
		path := fmt.Sprintf("%s&count=%d", list, rapid.IntRange(1, 5).Draw(rt, "count"))
		nothing := func() {}
		forward, last := walk(t, w, path, "", "nextCursor", nothing)
		all := ids(t, send(t, w, "GET "+list+"&count=100", ""))
		if got := slices.Concat(forward...); !slices.Equal(got, all) {
			rt.Fatalf("%s\ncursors %v\nindexes %v", path, got, all)
		}
		back := [][]string{forward[len(forward)-1]}
		if c := last.text("previousCursor"); c != "" {
			pages, first := walk(t, w, path, c, "previousCursor", nothing)
			back = append(pages, back...)
			slices.Reverse(back[:len(pages)])
			if len(all) > 0 && first.text("nextCursor") == "" {
				rt.Fatalf("%s: no way forward again", path)
			}
		}
		if len(all) > 0 && fmt.Sprint(back) != fmt.Sprint(forward) {
			rt.Fatalf("%s\nforward %v\nback    %v", path, forward, back)
		}
		// Page by index gives the same pages.
		for i, page := range forward {
			count := len(forward[0])
			a := send(t, w, fmt.Sprintf("GET %s&startIndex=%d", path, 1+i*count), "")
			if got := ids(t, a); !slices.Equal(got, page) || a.json["totalResults"] != float64(len(all)) {
				rt.Fatalf("%s from %d: %v of %v, want %v of %d", path, 1+i*count, got, a.json["totalResults"], page, len(all))
			}
		}
	})
}

func TestCursorPagesNeitherLoseNorRepeatWhileOthersWrite(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		w := newWorld(t, &things{keyset: true})
		var stay, go_ []string
		for range rapid.IntRange(1, 12).Draw(rt, "resources") {
			id := w.create(t, rapid.IntRange(0, 1).Draw(rt, "type"), someNames.Draw(rt, "name"), someTitles.Draw(rt, "title"))
			if rapid.Bool().Draw(rt, "stays") {
				stay = append(stay, id)
			} else {
				go_ = append(go_, id)
			}
		}
		list := listing(rt)
		path := fmt.Sprintf("%s&count=%d", list, rapid.IntRange(1, 5).Draw(rt, "count"))
		write := func() {
			for range rapid.IntRange(0, 2).Draw(rt, "writes") {
				if len(go_) > 0 && rapid.Bool().Draw(rt, "delete") {
					i := rapid.IntRange(0, len(go_)-1).Draw(rt, "which")
					w.delete(t, go_[i])
					go_ = slices.Delete(go_, i, i+1)
				} else {
					go_ = append(go_, w.create(t, rapid.IntRange(0, 1).Draw(rt, "type"), someNames.Draw(rt, "name"), someTitles.Draw(rt, "title")))
				}
			}
		}
		members := ids(t, send(t, w, "GET "+list+"&count=100", ""))
		stay = slices.DeleteFunc(stay, func(id string) bool { return !slices.Contains(members, id) })
		members = slices.DeleteFunc(members, func(id string) bool { return !slices.Contains(stay, id) })
		check := func(pages ...[]string) {
			rt.Helper()
			seen := slices.Concat(pages...)
			sorted := slices.Sorted(slices.Values(seen))
			if len(slices.Compact(sorted)) != len(seen) {
				rt.Fatalf("%s: something was shown twice: %v", path, seen)
			}
			kept := slices.DeleteFunc(seen, func(id string) bool { return !slices.Contains(stay, id) })
			if !slices.Equal(kept, members) {
				rt.Fatalf("%s\nof those that stayed, shown %v\nthere were %v", path, kept, members)
			}
		}
		forward, last := walk(t, w, path, "", "nextCursor", write)
		check(forward...)
		if c := last.text("previousCursor"); c != "" {
			back, _ := walk(t, w, path, c, "previousCursor", write)
			slices.Reverse(back)
			check(append(back, forward[len(forward)-1])...)
		}
	})
}

// The same with writers that do not wait for the reader.
func TestCursorPagesBesideWriters(t *testing.T) {
	t.Parallel()
	w := newWorld(t, &things{keyset: true})
	want := map[string]bool{}
	for i := range 60 {
		want[w.create(t, i%2, fmt.Sprint("n", i%7), "")] = true
	}
	stop := make(chan struct{})
	var writers sync.WaitGroup
	for n := range 2 {
		writers.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				default:
				}
				a := send(t, w, "POST /Users", fmt.Sprintf(`{"userName":"w%d-%d","displayName":"n%d"}`, n, i, i%7))
				send(t, w, "DELETE /Users/"+a.id(), "")
			}
		})
	}
	defer writers.Wait()
	defer close(stop)
	for _, path := range []string{"/?count=7&sortBy=displayName", "/?count=7", "/Users?count=7&sortBy=displayName&sortOrder=descending"} {
		pages, _ := walk(t, w, path, "", "nextCursor", func() {})
		seen := map[string]int{}
		for _, id := range slices.Concat(pages...) {
			seen[id]++
		}
		for id := range want {
			if shown := strings.HasPrefix(path, "/?") || strings.HasPrefix(id, "User"); shown && seen[id] != 1 {
				t.Errorf("%s: shown %d times", path, seen[id])
			}
		}
	}
}

func TestGoingBackPastTheFirstPageLeadsToTheBeginning(t *testing.T) {
	t.Parallel()
	w := newWorld(t, &things{})
	first := w.create(t, 0, "a", "")
	second := w.create(t, 0, "b", "")
	page := send(t, w, "GET /Users?sortBy=displayName&count=1&cursor=", "")
	page = send(t, w, "GET /Users?sortBy=displayName&count=1&cursor="+page.text("nextCursor"), "")
	if got := ids(t, page); !slices.Equal(got, []string{second}) {
		t.Fatal(got)
	}
	w.delete(t, first)
	page = send(t, w, "GET /Users?sortBy=displayName&count=1&cursor="+page.text("previousCursor"), "")
	if len(ids(t, page)) != 0 || page.text("previousCursor") != "" {
		t.Fatalf("%s", page.Body)
	}
	page = send(t, w, "GET /Users?sortBy=displayName&count=1&cursor="+page.text("nextCursor"), "")
	if got := ids(t, page); !slices.Equal(got, []string{second}) || page.text("nextCursor") != "" {
		t.Fatalf("%s", page.Body)
	}
}

// What an interceptor knows about a type holds in lists of all types too.
func TestListsOfAllTypesPassTheInterceptors(t *testing.T) {
	t.Parallel()
	var seen []string
	srv := newServer(t, scim.WithInterceptor(func(ctx context.Context, op *scim.Operation, next scim.Next) (*scim.Result, error) {
		if op.Method == scim.List {
			seen = append(seen, op.Type.Name())
			if op.Type.Name() == "Group" {
				return &scim.Result{}, nil
			}
		}
		return next(ctx, op)
	}))
	send(t, srv, "POST /Users", fmt.Sprintf(userBody, "ada")).want(t, 201)
	send(t, srv, "POST /Groups", fmt.Sprintf(groupBody, "Staff")).want(t, 201)
	for _, path := range []string{"/", "/?sortBy=displayName", "/?cursor=", "/?cursor=&sortBy=displayName"} {
		seen = nil
		a := send(t, srv, "GET "+path, "")
		if got := ids(t, a); len(got) != 1 || a.json["totalResults"] != 1.0 || !slices.Contains(seen, "Group") {
			t.Errorf("%s: %s, seen %v", path, a.Body, seen)
		}
	}
}

func TestListsFindVersions(t *testing.T) {
	t.Parallel()
	srv := newServer(t)
	changed := send(t, srv, "POST /Users", fmt.Sprintf(userBody, "ada")).want(t, 201).id()
	fresh := send(t, srv, "POST /Users", fmt.Sprintf(userBody, "bob")).want(t, 201).id()
	tag := etag(send(t, srv, "PATCH /Users/"+changed, patchBody(`[{"op":"replace","path":"title","value":"Dr"}]`)).want(t, 200))
	find := "GET /Users?filter=" + url.QueryEscape(fmt.Sprintf("meta.version eq %q", tag))
	if got := ids(t, send(t, srv, find, "")); !slices.Equal(got, []string{"User " + changed}) {
		t.Errorf("in version %s are %v; want %s, and %s is in another", tag, got, changed, fresh)
	}
}
