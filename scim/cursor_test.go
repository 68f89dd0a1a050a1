package scim_test

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/musterhq/muster/scim"
	"github.com/musterhq/muster/storage/memory"
)

// cursorOf makes two users in each tenant and returns the cursor behind the first.
func cursorOf(t *testing.T, srv *scim.Server, headers ...string) string {
	t.Helper()
	for _, name := range []string{"ada", "bob", "eve"} {
		send(t, srv, "POST /Users", fmt.Sprintf(userBody, name), headers...)
	}
	c := send(t, srv, "GET /Users?sortBy=userName&count=1&cursor=", "", headers...).want(t, 200).text("nextCursor")
	if c == "" {
		t.Fatal("no cursor")
	}
	return c
}

// Holds: N-004 N-006 N-008 N-016 N-017 A-013
func TestCursorsAreGoodForOneListOfOneCallerOnly(t *testing.T) {
	t.Parallel()
	srv := newServerFor(t, scim.BearerTokens(map[string]scim.Principal{
		"secret": {Tenant: "acme"}, "other-connection": {Tenant: "acme", Connection: "okta"}, "other-tenant": {Tenant: "umbrella"},
		"second-token": {Tenant: "acme", Subject: "a rotated token"},
	}))
	c := cursorOf(t, srv)
	flipped := []byte(c)
	flipped[len(c)/2] ^= 1
	for _, test := range []struct {
		what, query string
		status      int
		scimType    string
		token       string
	}{
		{"as given", "/Users?sortBy=userName&count=1&cursor=" + c, 200, "", "secret"},
		{"another token of the connection", "/Users?sortBy=userName&count=1&cursor=" + c, 200, "", "second-token"},
		{"without count", "/Users?sortBy=userName&cursor=" + c, 200, "", "secret"},
		{"other spelling of the order", "/Users?SORTBY=urn:ietf:params:scim:schemas:core:2.0:User:username&sortOrder=ascending&count=1&cursor=" + c, 200, "", "secret"},
		{"other attributes", "/Users?sortBy=userName&count=1&attributes=id&cursor=" + c, 200, "", "secret"},
		{"another tenant", "/Users?sortBy=userName&count=1&cursor=" + c, 400, "invalidCursor", "other-tenant"},
		{"another connection", "/Users?sortBy=userName&count=1&cursor=" + c, 400, "invalidCursor", "other-connection"},
		{"another type", "/Groups?sortBy=displayName&count=1&cursor=" + c, 400, "invalidCursor", "secret"},
		{"all types", "/?sortBy=userName&count=1&cursor=" + c, 400, "invalidCursor", "secret"},
		{"another order", "/Users?sortBy=displayName&count=1&cursor=" + c, 400, "invalidCursor", "secret"},
		{"no order", "/Users?count=1&cursor=" + c, 400, "invalidCursor", "secret"},
		{"another direction", "/Users?sortBy=userName&sortOrder=descending&count=1&cursor=" + c, 400, "invalidCursor", "secret"},
		{"a filter", "/Users?sortBy=userName&count=1&filter=userName+pr&cursor=" + c, 400, "invalidCursor", "secret"},
		{"another count", "/Users?sortBy=userName&count=2&cursor=" + c, 400, "invalidCount", "secret"},
		{"count 0", "/Users?sortBy=userName&count=0&cursor=" + c, 400, "invalidCount", "secret"},
		{"changed", "/Users?sortBy=userName&count=1&cursor=" + string(flipped), 400, "invalidCursor", "secret"},
		{"cut", "/Users?sortBy=userName&count=1&cursor=" + c[:len(c)-4], 400, "invalidCursor", "secret"},
		{"longer", "/Users?sortBy=userName&count=1&cursor=" + c + "AAAA", 400, "invalidCursor", "secret"},
		{"with a line break", "/Users?sortBy=userName&count=1&cursor=" + c + "%0A", 400, "invalidCursor", "secret"},
		{"short", "/Users?sortBy=userName&count=1&cursor=zzz", 400, "invalidCursor", "secret"},
		{"not base64", "/Users?sortBy=userName&count=1&cursor=%C3%A9%00", 400, "invalidCursor", "secret"},
		{"startIndex too", "/Users?sortBy=userName&count=1&startIndex=1&cursor=" + c, 400, "invalidValue", "secret"},
		{"twice", "/Users?sortBy=userName&cursor=&cursor=" + c, 400, "invalidValue", "secret"},
	} {
		a := send(t, srv, "GET "+test.query, "", "Authorization: Bearer "+test.token)
		if word, _ := a.json["scimType"].(string); a.Code != test.status || word != test.scimType {
			t.Errorf("%s: %d %q, want %d %q", test.what, a.Code, word, test.status, test.scimType)
		}
		if strings.Contains(a.Body.String(), "AAAA") {
			t.Errorf("%s: the answer repeats the cursor", test.what)
		}
	}
}

func TestCursorsOfAFilterDependOnWhatItAsks(t *testing.T) {
	t.Parallel()
	srv := newServer(t)
	for _, name := range []string{"ada", "bob", "eve"} {
		send(t, srv, "POST /Users", fmt.Sprintf(`{"userName":%q,"emails":[{"value":"%s@x.example","type":"work"}]}`, name, name))
	}
	filters := []string{
		"", `userName pr`, `userName co "a"`, `not (userName co "z")`, `userName pr and id pr`, `userName pr or id pr`,
		`emails[type eq "work"]`, `emails[type eq "home" or type eq "work"]`, `emails.type eq "work"`, `userName sw ""`, `userName ge "a"`, `userName gt "a"`,
		`not (groups.value eq "a")`, `not (groups.value eq "b")`, `not (groups pr)`, `nosuch eq "a" or id pr`, `not (nosuch pr)`,
	}
	list := func(filter, cursor string) *answer {
		if filter != "" {
			filter = "&filter=" + strings.ReplaceAll(strings.ReplaceAll(filter, " ", "+"), `"`, "%22")
		}
		return send(t, srv, "GET /Users?count=1&cursor="+cursor+filter, "")
	}
	for i, filter := range filters {
		a := list(filter, "").want(t, 200)
		c := a.text("nextCursor")
		if c == "" {
			continue
		}
		for k, other := range filters {
			if again := list(other, c); (again.Code == 200) != (i == k) {
				t.Errorf("a cursor of %q: %d with %q", filter, again.Code, other)
			}
		}
		if spaced := strings.ReplaceAll(filter, " ", "  "); list(spaced, c).Code != 200 {
			t.Errorf("a cursor of %q does not work with more spaces in it", filter)
		}
	}
}

// clock is a clock that tests set.
type clock struct{ now time.Time }

func (c *clock) time() time.Time { return c.now }

// Holds: N-007
func TestCursorsExpire(t *testing.T) {
	t.Parallel()
	c := &clock{now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
	for _, test := range []struct {
		timeout time.Duration
		opts    []scim.Option
	}{
		{time.Hour, nil},
		{time.Minute, []scim.Option{scim.WithCursorTimeout(time.Minute)}},
	} {
		srv := newServer(t, append(test.opts, scim.WithClock(c.time))...)
		config := send(t, srv, "GET /ServiceProviderConfig", "")
		if got := config.get("pagination", "cursorTimeout"); got != test.timeout.Seconds() {
			t.Errorf("cursorTimeout is %v, want %v", got, test.timeout.Seconds())
		}
		path := "GET /Users?sortBy=userName&count=1&cursor=" + cursorOf(t, srv)
		c.now = c.now.Add(test.timeout)
		next := send(t, srv, path, "").want(t, 200).text("nextCursor")
		c.now = c.now.Add(2 * time.Second)
		send(t, srv, path, "").want(t, 400, "expiredCursor")
		// Each page has a new lease.
		send(t, srv, "GET /Users?sortBy=userName&count=1&cursor="+next, "").want(t, 200)
	}
}

func TestCursorKeysRotate(t *testing.T) {
	t.Parallel()
	store := memory.New()
	key := func(n byte) []byte { return bytes.Repeat([]byte{n}, 32) }
	server := func(opts ...scim.Option) *scim.Server {
		srv, err := scim.New(store, scim.BearerToken("secret"), append(opts, scim.WithLogger(slog.New(slog.NewTextHandler(io.Discard, nil))))...)
		if err != nil {
			t.Fatal(err)
		}
		return srv
	}
	old := server(scim.WithCursorKey(key(1)))
	path := "GET /Users?sortBy=userName&count=1&cursor="
	c := cursorOf(t, old)
	both := server(scim.WithCursorKey(key(2), key(1)))
	next := send(t, both, path+c, "").want(t, 200).text("nextCursor")
	send(t, server(scim.WithCursorKey(key(1))), path+c, "").want(t, 200)
	send(t, server(scim.WithCursorKey(key(2))), path+next, "").want(t, 200)
	send(t, server(scim.WithCursorKey(key(2))), path+c, "").want(t, 400, "invalidCursor")
	send(t, old, path+next, "").want(t, 400, "invalidCursor")
	send(t, server(), path+c, "").want(t, 400, "invalidCursor") // a key of its own
}

func TestCursorsAreNeverTheSameAndShowNothing(t *testing.T) {
	t.Parallel()
	srv := newServer(t)
	a, b := cursorOf(t, srv), cursorOf(t, srv)
	if a == b {
		t.Error("two cursors are equal")
	}
	for i := range len(a) {
		if c := a[i]; !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-' || c == '_') {
			t.Errorf("%q is not unreserved", c)
		}
	}
}

func TestCursorOptionsAreChecked(t *testing.T) {
	t.Parallel()
	for what, o := range map[string]scim.Option{
		"no key":                scim.WithCursorKey(),
		"a short key":           scim.WithCursorKey(make([]byte, 32), make([]byte, 15)),
		"no time":               scim.WithCursorTimeout(0),
		"less than a second":    scim.WithCursorTimeout(time.Second - 1),
		"a time before the age": scim.WithCursorTimeout(-time.Hour),
	} {
		if _, err := scim.New(memory.New(), scim.BearerToken("secret"), o); err == nil {
			t.Errorf("%s: accepted", what)
		}
	}
}

// In process, cursors work as over HTTP.
func TestCursorsInProcess(t *testing.T) {
	t.Parallel()
	srv := newServer(t)
	cursorOf(t, srv)
	op := &scim.Operation{Method: scim.List, Type: srv.Type("User"), List: scim.ListOptions{Count: 2, ByCursor: true}}
	var seen int
	for {
		res, err := srv.Do(t.Context(), scim.Principal{}, op)
		if err != nil {
			t.Fatal(err)
		}
		seen += len(res.Items)
		if op.List.Cursor = res.NextCursor; op.List.Cursor == "" {
			break
		}
	}
	if seen != 3 {
		t.Errorf("%d users, want 3", seen)
	}
}
