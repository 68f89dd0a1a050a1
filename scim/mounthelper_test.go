package scim_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/musterhq/muster/scim"
)

func TestMountLeavesPathsAloneAndOtherRoutesToTheHost(t *testing.T) {
	t.Parallel()
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusTeapot) })
	h := scim.Mount("/scim/v2/", newServer(t), mux)
	for _, path := range []string{"/scim/v2/Users", "/scim/v2//Users", "/scim/v2/Users/"} {
		a := send(t, h, "POST "+path, fmt.Sprintf(userBody, path)).want(t, 201)
		if want := "http://scim.test/scim/v2/Users/" + a.id(); a.Header().Get("Location") != want {
			t.Errorf("%s: Location %s, want %s", path, a.Header().Get("Location"), want)
		}
	}
	for _, path := range []string{"/", "/scim", "/scim/v22/Users", "/Users"} {
		send(t, h, "GET "+path, "").want(t, http.StatusTeapot)
	}
	send(t, h, "GET /scim/v2", "") // the root of the service: ours, whatever it answers
	if w := send(t, scim.Mount("/scim", newServer(t), nil), "GET /scim/Users", ""); w.Code != 200 {
		t.Errorf("status %d", w.Code)
	}
}

func TestMountRefusesAPrefixThatNoPathHas(t *testing.T) {
	t.Parallel()
	for _, prefix := range []string{"", "scim/v2"} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("the prefix %q was accepted", prefix)
				}
			}()
			scim.Mount(prefix, newServer(t), nil)
		}()
	}
}
