package scim_test

import (
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
)

// parallel runs f(0) … f(n-1) at once.
func parallel(n int, f func(i int)) {
	var wg sync.WaitGroup
	start := make(chan struct{})
	for i := range n {
		wg.Go(func() {
			<-start
			f(i)
		})
	}
	close(start)
	wg.Wait()
}

func TestParallelCreatesOfOneUserNameGiveOneUser(t *testing.T) {
	t.Parallel()
	srv := newServer(t)
	var created, refused atomic.Int32
	parallel(100, func(i int) {
		a := send(t, srv, "POST /Users", fmt.Sprintf(userBody, []string{"ada@example.com", "ADA@example.com"}[i%2]))
		switch {
		case a.Code == http.StatusCreated:
			created.Add(1)
		case a.Code == http.StatusConflict && a.json["scimType"] == "uniqueness":
			refused.Add(1)
		default:
			t.Errorf("status %d: %s", a.Code, a.Body)
		}
	})
	if created.Load() != 1 || refused.Load() != 99 {
		t.Errorf("%d created and %d refused, want 1 and 99", created.Load(), refused.Load())
	}
}

func TestParallelMemberAddsLoseNone(t *testing.T) {
	t.Parallel()
	srv := newServer(t)
	const n = 1000
	users := make([]string, n)
	parallel(n, func(i int) {
		users[i] = send(t, srv, "POST /Users", fmt.Sprintf(userBody, fmt.Sprintf("user%d@example.com", i))).want(t, 201).id()
	})
	group := send(t, srv, "POST /Groups", fmt.Sprintf(groupBody, "Everybody")).want(t, 201).id()
	parallel(n, func(i int) {
		send(t, srv, "PATCH /Groups/"+group, patchBody(fmt.Sprintf(`[{"op":"add","path":"members","value":[{"value":%q}]}]`, users[i]))).want(t, 204)
	})
	got := map[string]bool{}
	for _, v := range send(t, srv, "GET /Groups/"+group, "").want(t, 200).values("members") {
		got[v] = true
	}
	for _, u := range users {
		if !got[u] {
			t.Fatalf("member %s was lost; %d of %d are there", u, len(got), n)
		}
	}
}

func TestParallelPatchesOfOneUserLoseNoAttribute(t *testing.T) {
	t.Parallel()
	srv := newServer(t)
	id := send(t, srv, "POST /Users", fmt.Sprintf(userBody, "ada")).want(t, 201).id()
	attributes := []string{"title", "nickName", "displayName", "userType", "locale", "timezone", "preferredLanguage", "externalId"}
	parallel(len(attributes)*8, func(i int) {
		attr := attributes[i%len(attributes)]
		send(t, srv, "PATCH /Users/"+id, patchBody(fmt.Sprintf(`[{"op":"replace","path":%q,"value":%q}]`, attr, attr))).want(t, 200)
	})
	a := send(t, srv, "GET /Users/"+id, "").want(t, 200)
	for _, attr := range attributes {
		if a.json[attr] != attr {
			t.Errorf("%s is %v", attr, a.json[attr])
		}
	}
	if v := a.get("meta", "version"); v != fmt.Sprintf(`W/"%d"`, 1+len(attributes)) {
		t.Errorf("version %v: each attribute changes once", v)
	}
}

func TestOfTwoReplacesWithOneTagOneFails(t *testing.T) {
	t.Parallel()
	srv := newServer(t)
	a := send(t, srv, "POST /Users", fmt.Sprintf(userBody, "ada")).want(t, 201)
	var ok, failed atomic.Int32
	parallel(2, func(i int) {
		body := fmt.Sprintf(`{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada","title":"t%d"}`, i)
		switch r := send(t, srv, "PUT /Users/"+a.id(), body, "If-Match: "+a.Header().Get("ETag")); r.Code {
		case 200:
			ok.Add(1)
		case 412:
			failed.Add(1)
		default:
			t.Errorf("status %d: %s", r.Code, r.Body)
		}
	})
	if ok.Load() != 1 || failed.Load() != 1 {
		t.Errorf("%d succeeded, %d got 412; want one of each", ok.Load(), failed.Load())
	}
}
