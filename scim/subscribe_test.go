package scim_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/musterhq/muster/scim"
)

func describeEvent(e scim.Event) string {
	s := describe(e.Effect)
	for _, l := range e.Links {
		s += fmt.Sprintf(" %s +%d -%d", l.Relation, l.Added, l.Removed)
	}
	return s
}

func TestSubscribersHearOfWhatChanged(t *testing.T) {
	t.Parallel()
	srv := newServer(t)
	var heard []string
	var last scim.Event
	stop := srv.Subscribe(func(_ context.Context, e scim.Event) { heard = append(heard, describeEvent(e)); last = e })
	var user, group string
	step := func(request, body string, want ...string) *answer {
		t.Helper()
		heard = nil
		r := strings.NewReplacer("USER", user, "GROUP", group)
		a := send(t, srv, r.Replace(request), r.Replace(body))
		if got := strings.Join(heard, "\n"); got != strings.Join(want, "\n") {
			t.Errorf("%s: heard\n%s\nwant\n%s\n%s", request, got, strings.Join(want, "\n"), a.Body)
		}
		return a
	}
	user = step("POST /Users", `{"userName":"ada"}`, "create User ->ada activates").id()
	if last.ID != user || last.After.ID() != user || last.Principal.Connection != "default" || last.Time.IsZero() {
		t.Errorf("%+v", last)
	}
	step("POST /Users", `{"userName":"ada"}`)
	group = step("POST /Groups", `{"displayName":"G","members":[{"value":"USER"},{"value":"gone"}]}`, "create Group ->G activates members +1 -0").id()
	step("PATCH /Groups/GROUP", patchBody(`[{"op":"add","path":"members","value":[{"value":"USER"}]}]`))
	step("PATCH /Groups/GROUP", patchBody(`[{"op":"remove","path":"members","value":[{"value":"USER"},{"value":"gone"}]}]`), "patch Group G>G members +0 -1")
	var asked []string
	for ref, removed := range last.LinksAsked("members") {
		asked = append(asked, fmt.Sprint(removed, ref.Type == "User" && ref.ID == user))
	}
	if !strings.Contains(strings.Join(asked, " "), "truetrue") && !strings.Contains(strings.Join(asked, " "), "true true") {
		t.Errorf("LinksAsked: %v", asked)
	}
	for range last.LinksAsked("groups") {
		t.Error("another relation was not asked for")
	}
	step("PUT /Groups/GROUP", `{"displayName":"G","members":[{"value":"USER"}]}`, "replace Group G>G members +1 -0")
	step("PUT /Users/USER", `{"userName":"ada"}`)
	step("PATCH /Users/USER", patchBody(`[{"op":"replace","path":"title","value":"Dr"}]`), "patch User ada>ada title")
	step("PATCH /Users/USER", patchBody(`[{"op":"replace","path":"active","value":false}]`), "patch User ada>ada active deactivates")
	step("PATCH /Users/USER", patchBody(`[{"op":"replace","path":"active","value":false}]`))
	step("PATCH /Users/USER", patchBody(`[{"op":"replace","path":"nosuch","value":false}]`))
	step("DELETE /Users/USER", ``, "delete User ada>-")
	step("DELETE /Users/USER", ``)
	stop()
	stop()
	step("POST /Users", `{"userName":"grace"}`)
}

func TestASubscriberThatPanicsHarmsNobody(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	srv := newServer(t, scim.WithLogger(slog.New(slog.NewTextHandler(&log, nil))))
	srv.Subscribe(func(context.Context, scim.Event) { panic("boom") })
	heard := 0
	srv.Subscribe(func(context.Context, scim.Event) { heard++ })
	send(t, srv, "POST /Users", fmt.Sprintf(userBody, "lovelace")).want(t, 201)
	if heard != 1 || !strings.Contains(log.String(), "boom") || strings.Contains(log.String(), "lovelace") {
		t.Errorf("heard %d, log %s", heard, &log)
	}
}

// What was committed is told also when the client has gone away meanwhile.
func TestASubscribersContextOutlivesTheRequest(t *testing.T) {
	t.Parallel()
	srv := newServer(t, scim.WithHookTimeout(time.Minute))
	ctx, cancel := context.WithCancel(t.Context())
	srv.Subscribe(func(ctx context.Context, _ scim.Event) {
		cancel()
		if ctx.Err() != nil {
			t.Error("the context ends with the request")
		}
		if at, ok := ctx.Deadline(); !ok || time.Until(at) > time.Minute || time.Until(at) < 50*time.Second {
			t.Errorf("deadline %v %v", at, ok)
		}
		if p, ok := scim.PrincipalFromContext(ctx); !ok || p.Connection != "default" {
			t.Errorf("principal %v %v", p, ok)
		}
	})
	r := httptest.NewRequest("POST", "/Users", strings.NewReader(fmt.Sprintf(userBody, "ada"))).WithContext(ctx)
	r.Header.Set("Authorization", "Bearer secret")
	w := httptest.NewRecorder()
	srv.ServeHTTP(w, r)
	if w.Code != 201 {
		t.Error(w.Code, w.Body)
	}
}

func TestInTheBackgroundOnlyDeactivationsAreWaitedFor(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(t)
		var mu sync.Mutex
		var heard []string
		stop := srv.Subscribe(func(_ context.Context, e scim.Event) {
			time.Sleep(time.Second)
			mu.Lock()
			defer mu.Unlock()
			heard = append(heard, string(e.Kind))
		}, scim.InBackground(10))
		defer stop()
		count := func() int { mu.Lock(); defer mu.Unlock(); return len(heard) }
		start := time.Now()
		id := send(t, srv, "POST /Users", fmt.Sprintf(userBody, "ada")).want(t, 201).id()
		send(t, srv, "PATCH /Users/"+id, patchBody(`[{"op":"replace","path":"title","value":"x"}]`)).want(t, 200)
		if time.Since(start) != 0 || count() != 0 {
			t.Errorf("the client waited %v", time.Since(start))
		}
		send(t, srv, "PATCH /Users/"+id, patchBody(`[{"op":"replace","path":"active","value":false}]`)).want(t, 200)
		if time.Since(start) != 3*time.Second || count() != 3 {
			t.Errorf("a deactivation was answered after %v, when %d events had been heard", time.Since(start), count())
		}
		send(t, srv, "PATCH /Users/"+id, patchBody(`[{"op":"replace","path":"active","value":true}]`)).want(t, 200)
		send(t, srv, "DELETE /Users/"+id, "").want(t, 204)
		if strings.Join(heard, " ") != "create patch patch patch delete" {
			t.Error(heard)
		}
	})
}

func TestTheFirstSyncIsTold(t *testing.T) {
	t.Parallel()
	now := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	auth := scim.BearerTokens(map[string]scim.Principal{"secret": {}, "other": {Connection: "other"}})
	srv := newServerFor(t, auth, scim.WithClock(func() time.Time { return now }))
	var first []bool
	srv.Subscribe(func(_ context.Context, e scim.Event) { first = append(first, e.FirstSync) })
	n := 0
	create := func(want bool, headers ...string) string {
		t.Helper()
		first = nil
		n++
		id := send(t, srv, "POST /Users", fmt.Sprintf(userBody, fmt.Sprint("u", n)), headers...).want(t, 201).id()
		if len(first) != 1 || first[0] != want {
			t.Errorf("user %d: FirstSync %v, want %v", n, first, want)
		}
		return id
	}
	id := create(true)
	now = now.Add(14 * time.Minute)
	create(true)
	now = now.Add(14 * time.Minute)
	first = nil
	send(t, srv, "PATCH /Users/"+id, patchBody(`[{"op":"replace","path":"title","value":"x"}]`)).want(t, 200)
	if len(first) != 1 || !first[0] {
		t.Errorf("a change within the first sync: %v", first)
	}
	now = now.Add(2 * time.Minute)
	create(false)
	now = now.Add(time.Minute)
	create(false)
	create(true, "Authorization: Bearer other")
}

// A client may leave the types of members out; the host hears what they are.
func TestLinksAskedHaveTheTypesThatTurnedOut(t *testing.T) {
	t.Parallel()
	srv, user, inner := populated(t)
	var got []string
	srv.Subscribe(func(_ context.Context, e scim.Event) {
		got = nil
		for ref := range e.LinksAsked("members") {
			got = append(got, ref.Type+" "+strings.NewReplacer(user, "ada", inner, "Staff").Replace(ref.ID))
		}
		slices.Sort(got)
	})
	members := `[{"value":"` + user + `"},{"value":"` + inner + `"},{"value":"gone"}]`
	outer := send(t, srv, "POST /Groups", `{"displayName":"Outer","members":`+members+`}`).want(t, 201).id()
	want := "Group Staff,User ada,User gone"
	if strings.Join(got, ",") != want {
		t.Errorf("create: %q", got)
	}
	send(t, srv, "PUT /Groups/"+outer, `{"displayName":"Outer","members":[]}`).want(t, 200)
	send(t, srv, "PATCH /Groups/"+outer, patchBody(`[{"op":"add","path":"members","value":`+members+`}]`)).want(t, 204)
	if strings.Join(got, ",") != want {
		t.Errorf("PATCH: %q", got)
	}
	send(t, srv, "PUT /Groups/"+outer, `{"displayName":"Other","members":`+members+`}`).want(t, 200)
	if strings.Join(got, ",") != want {
		t.Errorf("PUT: %q", got)
	}
}

func TestSubscribingNobodyPanicsAtOnce(t *testing.T) {
	t.Parallel()
	srv := newServer(t)
	defer func() {
		if v := recover(); v == nil {
			t.Error("nothing happens until the first event")
		}
	}()
	srv.Subscribe(nil)
}
