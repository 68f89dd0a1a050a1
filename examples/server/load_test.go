package main

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/musterhq/muster/internal/wire"
)

// fate is what a client knows of something that it asked for.
type fate int

const (
	absent  fate = iota
	present      // it was acknowledged
	unknown      // there was no answer, or 503
)

// person is a user that a worker made, and what it did with it.
type person struct {
	id      string
	made    fate
	member  fate // of the group
	address fate // among those of the shared user
}

// load are clients at work on several servers with one store: they create users,
// put them into one group and take some out, add values to one user, count in
// another, delete users, and fight for names. When they get no answer they repeat
// what they asked, as identity providers do, until the load is stopped.
type load struct {
	t      *testing.T
	store  string
	tenant string
	nodes  []*node
	client *http.Client

	faults bool // 503 and broken connections are to be expected

	group, shared, counter string // ids

	stop chan struct{}
	done atomic.Int64 // steps acknowledged
	away atomic.Int64 // answers of 503

	mu        sync.Mutex
	people    map[string]*person // by userName
	contested map[string]int     // by userName: how often 201 was the answer
	counted   int                // acknowledged
	maybe     int                // counted without an answer
}

func newLoad(t *testing.T, store string, nodes int, args ...string) *load {
	t.Helper()
	l := &load{
		t: t, store: store, tenant: rand.Text(), client: wire.NewClient(),
		people: map[string]*person{}, contested: map[string]int{},
	}
	l.client.Transport = &http.Transport{MaxIdleConnsPerHost: 16}
	t.Cleanup(l.client.CloseIdleConnections)
	for range nodes {
		l.nodes = append(l.nodes, startNode(t, store, l.tenant, args...))
	}
	create := func(path, body string) string {
		a, err := l.send(l.nodes[0], "POST", path, "", body)
		if err != nil || a.status != 201 {
			t.Fatalf("%s: %v, %s", path, err, a)
		}
		return a.id()
	}
	l.group = create("/Groups", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"displayName":"all"}`)
	l.shared = create("/Users", newUser("shared"))
	l.counter = create("/Users", newUser("counter"))
	return l
}

func newUser(name string) string {
	return fmt.Sprintf(`{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":%q,"externalId":%[1]q,"name":{"familyName":%[1]q},"emails":[{"value":"%[1]s@example.com","type":"work"}]}`, name)
}

func patchOf(operation string) string {
	return `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[` + operation + `]}`
}

// answer is an HTTP response.
type answer struct {
	status int
	header http.Header
	body   []byte
}

func (a *answer) String() string {
	if a == nil {
		return "no answer"
	}
	return fmt.Sprintf("%d: %s", a.status, bytes.TrimSpace(a.body))
}

// document is what the tests read of resources and lists of them.
type document struct {
	ID       string
	UserName string
	Title    string
	Name     struct{ FamilyName string }
	Emails   []struct{ Value string }
	Members  []struct{ Value string }
	Meta     struct{ Version string }

	TotalResults int
	Resources    []document
}

func (a *answer) document() (d document) {
	_ = json.Unmarshal(a.body, &d) // what is not there is empty, and found to be
	return d
}

func (a *answer) id() string { return a.document().ID }

func (l *load) send(n *node, method, path, ifMatch, body string) (*answer, error) {
	r, err := http.NewRequestWithContext(l.t.Context(), method, *n.url.Load()+path, bytes.NewReader([]byte(body)))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Authorization", "Bearer secret")
	r.Header.Set("Content-Type", "application/scim+json")
	if ifMatch != "" {
		r.Header.Set("If-Match", ifMatch)
	}
	resp, err := l.client.Do(r)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	return &answer{resp.StatusCode, resp.Header, text}, err
}

// try sends a request and tells whether there was an answer, which is 503 for
// none. Of other statuses only those wanted may come.
func (l *load) try(n *node, method, path, ifMatch, body string, want ...int) (*answer, bool) {
	a, err := l.send(n, method, path, ifMatch, body)
	switch {
	case l.t.Context().Err() != nil:
		return nil, false
	case err != nil && !l.faults:
		l.t.Errorf("%s: %v", method, err)
		return nil, false
	case err != nil:
		return nil, false
	case a.status == http.StatusServiceUnavailable:
		l.away.Add(1)
		if !l.faults {
			l.t.Errorf("%s: %s", method, a)
		}
		if s, err := strconv.Atoi(a.header.Get("Retry-After")); err != nil || s < 1 || !bytes.Contains(a.body, []byte("urn:ietf:params:scim:api:messages:2.0:Error")) {
			l.t.Errorf("%s: 503 without Retry-After or SCIM's body: %v %s", method, a.header, a)
		}
		return nil, false
	}
	for _, s := range want {
		if a.status == s {
			l.done.Add(1)
			return a, true
		}
	}
	l.t.Errorf("%s %s: %s; want %d", method, path, a, want)
	return a, false
}

// again repeats a request at one node after the other until there is an answer,
// or the load is stopped. It reports how many times it asked.
func (l *load) again(first int, method, path, body string, want ...int) (a *answer, tries int) {
	for ; ; tries++ {
		a, ok := l.try(l.nodes[(first+tries)%len(l.nodes)], method, path, "", body, want...)
		if ok || a != nil {
			return a, tries + 1
		}
		select {
		case <-l.stop:
			return nil, tries + 1
		case <-time.After(10 * time.Millisecond):
		}
	}
}

func (l *load) stopped() bool {
	select {
	case <-l.stop:
		return true
	default:
		return false
	}
}

// work is one client. It makes at most rounds rounds.
func (l *load) work(worker, rounds int) {
	for i := 0; i < rounds && !l.stopped() && !l.t.Failed(); i++ {
		name := fmt.Sprintf("w%d-%d", worker, i)
		p := &person{}
		l.mu.Lock()
		l.people[name] = p
		l.mu.Unlock()
		l.create(worker+i, name, p)
		if p.made == present {
			p.member = l.member(worker+i, `{"op":"add","path":"members","value":[{"value":"`+p.id+`"}]}`, present)
			p.address = l.patch(worker+i, "/Users/"+l.shared, `{"op":"add","path":"emails","value":[{"value":"`+name+`@example.net"}]}`, present)
			if i%3 == 1 && p.member == present {
				p.member = l.member(worker+i+1, `{"op":"remove","path":"members[value eq \"`+p.id+`\"]"}`, absent)
			}
			if i%4 == 3 && p.member == present {
				l.remove(worker+i, p)
			}
		}
		l.fight(worker+i, fmt.Sprintf("contested-%d", i))
		l.count(worker + i)
	}
}

// create makes a user, and reads at another node what was acknowledged.
func (l *load) create(first int, name string, p *person) {
	p.made = unknown
	a, tries := l.again(first, "POST", "/Users", newUser(name), 201, 409)
	switch {
	case a == nil:
		return
	case a.status == 201:
		p.id = a.id()
	case tries == 1:
		l.t.Errorf("%s is taken before anybody asked for it", name)
		return
	}
	a, _ = l.again(first+1, "GET", "/Users?filter="+url.QueryEscape(`userName eq "`+name+`"`), "", 200)
	if a == nil {
		if p.id != "" {
			p.made = present
		}
		return
	}
	found := a.document().Resources
	if len(found) != 1 || p.id != "" && found[0].ID != p.id {
		l.t.Errorf("%s was acknowledged with the id %q, and then there is %s", name, p.id, a)
		return
	}
	p.id, p.made = found[0].ID, present
}

func (l *load) member(first int, operation string, wanted fate) fate {
	return l.patch(first, "/Groups/"+l.group, operation, wanted)
}

// patch applies an operation that may be repeated.
func (l *load) patch(first int, path, operation string, wanted fate) fate {
	if a, _ := l.again(first, "PATCH", path, patchOf(operation), 200, 204); a == nil {
		return unknown
	}
	return wanted
}

// remove deletes a user, which takes it out of the group.
func (l *load) remove(first int, p *person) {
	a, tries := l.again(first, "DELETE", "/Users/"+p.id, "", 204, 404)
	switch {
	case a == nil:
		p.made, p.member = unknown, unknown
	case a.status == 404 && tries == 1:
		l.t.Errorf("a user that was acknowledged cannot be deleted: %s", a)
	default:
		p.made, p.member = absent, absent
	}
}

// fight asks for a name that every worker wants.
func (l *load) fight(first int, name string) {
	a, _ := l.again(first, "POST", "/Users", newUser(name), 201, 409)
	if a == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, there := l.contested[name]; !there {
		l.contested[name] = 0
	}
	if a.status == 201 {
		l.contested[name]++
	}
}

// count adds one to the title of the counter, if nobody came between.
func (l *load) count(first int) {
	for i := 0; i < 200 && !l.stopped(); i++ {
		n := l.nodes[(first+i)%len(l.nodes)]
		a, ok := l.try(n, "GET", "/Users/"+l.counter, "", "", 200)
		if !ok {
			time.Sleep(10 * time.Millisecond)
			continue
		}
		title, _ := strconv.Atoi(a.document().Title) // none at the start
		a, ok = l.try(n, "PATCH", "/Users/"+l.counter, a.header.Get("ETag"), patchOf(fmt.Sprintf(`{"op":"replace","path":"title","value":"%d"}`, title+1)), 200, 204, 412)
		if ok && a.status == 412 {
			continue
		}
		l.mu.Lock()
		defer l.mu.Unlock()
		if ok {
			l.counted++
		} else {
			l.maybe++
		}
		return
	}
}

const workers = 4

// run lets the clients work until script returns, or they have made as many
// rounds as they are to.
func (l *load) run(rounds int, script func()) {
	l.stop = make(chan struct{})
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() { l.work(w, rounds) })
	}
	defer wg.Wait()
	defer close(l.stop)
	if script == nil {
		wg.Wait()
		return
	}
	script()
}

// goesOn waits until clients got further answers.
func (l *load) goesOn(steps int64) {
	l.t.Helper()
	l.grows(&l.done, steps, "clients get no answers")
}

// isAway waits until clients were told to come back later.
func (l *load) isAway(times int64) {
	l.t.Helper()
	l.grows(&l.away, times, "clients are not told that the store is away")
}

func (l *load) grows(n *atomic.Int64, by int64, otherwise string) {
	l.t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for end := n.Load() + by; n.Load() < end; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) || l.t.Failed() {
			l.t.Fatal(otherwise)
		}
	}
}
