package scimtest_test

import (
	"net/http"
	"testing"

	"github.com/musterhq/muster/scim"
	"github.com/musterhq/muster/scim/scimtest"
	"github.com/musterhq/muster/storage/memory"
)

// A host checks the handler that it mounts: with its store, its options, its
// prefix.
func ExampleRun() {
	var t *testing.T // of a test function

	srv, err := scim.New(memory.New(), scim.BearerToken("secret"))
	if err != nil {
		t.Fatal(err)
	}
	scimtest.Run(t, scimtest.Target{
		Handler: http.StripPrefix("/scim/v2", srv),
		URL:     "https://host.example/scim/v2",
		Token:   "secret",
		Except:  map[string]string{"P-020": "our names are never used again"},
	})
}

// A server that listens is checked by its URL; it may hold other resources.
func ExampleReplay() {
	var t *testing.T // of a test function

	scimtest.Replay(t, scimtest.Target{
		URL:   "https://staging.host.example/scim/v2",
		Token: "secret",
	}, scimtest.Transcripts())
}
