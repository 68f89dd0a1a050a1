package mapping_test

import (
	"testing"

	"github.com/musterhq/muster/scim"
	"github.com/musterhq/muster/scim/schema"
	"github.com/musterhq/muster/scim/scimtest"
	"github.com/musterhq/muster/storage/memory"
)

func TestAServerOverAMappingConforms(t *testing.T) {
	t.Parallel()
	host := &employees{rows: map[string]Employee{}}
	srv, err := scim.New(memory.New(), scim.BearerToken("secret"), scim.WithHandler(schema.User(), host))
	if err != nil {
		t.Fatal(err)
	}
	target := scimtest.Target{Handler: srv, Token: "secret"}
	t.Run("checks", func(t *testing.T) { scimtest.Run(t, target) })
	t.Run("transcripts", func(t *testing.T) { scimtest.Replay(t, target, scimtest.Transcripts()) })
}
