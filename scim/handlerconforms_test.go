package scim_test

import (
	"testing"

	"github.com/musterhq/muster/scim"
	"github.com/musterhq/muster/scim/schema"
	"github.com/musterhq/muster/scim/scimtest"
	"github.com/musterhq/muster/storage/memory"
)

func TestAReadOnlyServerConforms(t *testing.T) {
	t.Parallel()
	users := newTable()
	srv := newServer(t, scim.WithHandler(schema.User(), readOnly{users}), scim.WithHandler(schema.Group(), readOnly{newTable()}))
	for _, name := range []string{"ada", "grace", "edsger"} {
		users.rows[name] = scim.NewResource(srv.Type("User")).Meta(scim.Meta{ID: name}).Set("userName", name).Set("active", true).Resource()
	}
	scimtest.Run(t, scimtest.Target{Handler: srv, Token: "secret"})
}

// Whoever keeps users, groups and members, clients see no difference.
func TestServersConformWhereverThingsAreKept(t *testing.T) {
	t.Parallel()
	for name, server := range places() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv := server(t, memory.New())
			target := scimtest.Target{Handler: srv, Token: "secret"}
			scimtest.Run(t, target)
			scimtest.Replay(t, target, scimtest.Transcripts())
		})
	}
}
